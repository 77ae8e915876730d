//! Reads a body into one buffer, and charges it as it arrives.

use super::{Charge, FREE, Held, MemoryOf, OutOfMemory};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use std::pin::Pin;
use std::sync::Arc;

/// Bytes are charged in steps of this size, so that not every chunk takes a lock.
const STEP: usize = 64 << 10;
/// From this size on, a body gets a buffer of its declared length. Below it, or without a declared length, the buffer
/// doubles. Memory that was never written to costs nothing, and is not charged.
const TRUSTED_FROM: usize = 256 << 10;

/// A body that is being read.
pub struct Buffer<'a> {
    memory: MemoryOf<'a>,
    limit: usize,
    bytes: Vec<u8>,
    charge: Option<Charge>,
    charged: usize,
    is_waiting: bool,
}

/// A body that has been read.
#[derive(Debug)]
pub struct Filled {
    /// The whole body. Its charge is released when these bytes and all their clones are dropped.
    pub bytes: Bytes,
    charge: Option<Arc<Charge>>,
}

impl Filled {
    /// Attaches the charge to `rewritten`, which replaces these bytes and has about the same length.
    pub(crate) fn replaced_by(&self, rewritten: Bytes) -> Bytes {
        match &self.charge {
            Some(charge) if rewritten.as_ptr() != self.bytes.as_ptr() => Held::together(rewritten, charge),
            _ => rewritten,
        }
    }
}

/// Why a body could not be read to its end.
#[derive(Debug)]
pub enum FillError<E> {
    /// It is larger than the limit.
    TooLarge,
    /// The budget was exhausted.
    OutOfMemory,
    /// It was cut off.
    Broken(E),
}

impl<E> From<OutOfMemory> for FillError<E> {
    fn from(_: OutOfMemory) -> Self {
        Self::OutOfMemory
    }
}

impl<'a> Buffer<'a> {
    /// An empty buffer for at most `limit` bytes.
    pub fn new(memory: MemoryOf<'a>, limit: usize) -> Self {
        Self { memory, limit, bytes: Vec::new(), charge: None, charged: FREE, is_waiting: false }
    }

    /// Whether [`Buffer::fill`], when it was cancelled, was waiting for the budget rather than for the peer.
    pub fn was_waiting(&self) -> bool {
        self.is_waiting
    }

    /// Reads the body to its end.
    ///
    /// # Errors
    /// [`FillError`]. Reading can continue after it.
    pub async fn fill<B>(&mut self, mut body: Pin<&mut B>) -> Result<Filled, FillError<B::Error>>
    where
        B: http_body::Body<Data = Bytes>,
    {
        let declared = body.size_hint().exact().and_then(|length| usize::try_from(length).ok());
        if body.size_hint().lower() > self.limit as u64 {
            return Err(FillError::TooLarge);
        }
        while let Some(frame) = body.frame().await {
            let Ok(piece) = frame.map_err(FillError::Broken)?.into_data() else { continue };
            if piece.len() > self.limit - self.bytes.len() {
                return Err(FillError::TooLarge);
            }
            if self.bytes.is_empty() && piece.len() <= FREE && body.is_end_stream() {
                // Most bodies arrive in one chunk, which is used as it is.
                return Ok(Filled { bytes: piece, charge: None });
            }
            self.make_room(piece.len(), declared).await?;
            self.bytes.extend_from_slice(&piece);
        }
        let bytes = std::mem::take(&mut self.bytes);
        let charge = self.charge.take().map(Arc::new);
        let bytes = match &charge {
            Some(charge) => Held::together(bytes, charge),
            None => Bytes::from(bytes),
        };
        Ok(Filled { bytes, charge })
    }

    async fn make_room(&mut self, more: usize, declared: Option<usize>) -> Result<(), OutOfMemory> {
        let len = self.bytes.len() + more;
        if len > self.charged {
            let step = (len - self.charged).next_multiple_of(STEP);
            self.is_waiting = true;
            let memory = self.memory;
            self.charge.get_or_insert_with(|| memory.charge()).grow(step).await?;
            self.is_waiting = false;
            self.charged += step;
        }
        if len > self.bytes.capacity() {
            let doubled = len.max(self.bytes.capacity() * 2);
            let capacity = match declared {
                Some(declared) if len >= TRUSTED_FROM || declared <= doubled => declared.max(len),
                _ => doubled.min(self.limit),
            };
            self.bytes.reserve_exact(capacity.max(len) - self.bytes.len());
        }
        Ok(())
    }
}
