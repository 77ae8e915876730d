//! Tracks whether a request was fully written.
//!
//! hyper takes a body chunk by chunk, and copies each chunk into the connection's buffer. A request is written when its
//! last chunk has been taken and the buffer is empty.

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::rt::{Read, ReadBufCursor, Write};
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

/// The progress of a connection's request. The connection's task writes it and the call reads it, on one thread.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// Whether there is more of the body to take.
    has_more: AtomicBool,
    /// Whether the socket has, or may have, not taken all bytes that it was given.
    is_flushing: AtomicBool,
}

impl Written {
    /// Whether the whole request has been sent.
    pub(super) fn is_whole(&self) -> bool {
        !self.has_more.load(Ordering::Relaxed) && !self.is_flushing.load(Ordering::Relaxed)
    }
}

/// A request's body, sent in chunks.
#[derive(Debug)]
pub(super) struct Outbound {
    rest: Bytes,
    written: Option<Arc<Written>>,
}

impl Outbound {
    pub(super) fn new(body: Bytes) -> Self {
        Self { rest: body, written: None }
    }

    /// Reports the progress of this body to the connection that sends it.
    pub(super) fn report_to(&mut self, written: &Arc<Written>) {
        written.has_more.store(!self.rest.is_empty(), Ordering::Relaxed);
        self.written = Some(Arc::clone(written));
    }
}

impl http_body::Body for Outbound {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = crate::body::next_piece(&mut self.rest);
        if self.rest.is_empty()
            && let Some(written) = &self.written
        {
            written.has_more.store(false, Ordering::Relaxed);
        }
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}

/// A connection that reports whether all its data has been written.
pub(super) struct Watched<S> {
    stream: S,
    written: Arc<Written>,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, written: Arc<Written>) -> Self {
        Self { stream, written }
    }
}

impl<S: Read + Unpin> Read for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: Write + Unpin> Write for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.written.is_flushing.store(true, Ordering::Relaxed);
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // hyper flushes only when its own buffer is empty.
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        if matches!(flushed, Poll::Ready(Ok(()))) {
            self.written.is_flushing.store(false, Ordering::Relaxed);
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
