//! Bodies of answers, and what is left of a request's.

use crate::meter::Meter;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;

/// A stream of pieces that does not fail.
type BoxStream = Pin<Box<dyn Stream<Item = Bytes> + Send>>;

/// The body of an answer: whole, or passed on as it comes. It does not fail: a failure in mid-stream is an event of
/// the stream.
pub struct Body(Inner);

enum Inner {
    Whole(Whole),
    Stream(BoxStream),
}

/// An answer that is in memory.
struct Whole {
    /// What is not handed over yet.
    rest: Bytes,
    /// Of its call, if it is the answer of one.
    meter: Option<Box<Meter>>,
    /// When a large answer is given up. The clock starts with its first chunk.
    until: Option<Instant>,
}

/// From this size on, in bytes, an answer must be read within [`READ_WITHIN`]. All of it stays in memory until then.
const LARGE: usize = 1 << 20;
/// How long a client may take to read a large answer. A client that reads it byte by byte could hold the memory for days.
const READ_WITHIN: Duration = Duration::from_secs(600);

impl Whole {
    /// The next chunk; `None` at the end, and when the time is up. The connection then ends before the announced length.
    fn next(&mut self) -> Option<Bytes> {
        if self.until.is_some() || self.rest.len() >= LARGE {
            let now = Instant::now();
            if now >= *self.until.get_or_insert(now + READ_WITHIN) {
                self.rest.clear();
                // Recorded like an answer that its client left.
                drop(self.meter.take());
                return None;
            }
        }
        let piece = next_piece(&mut self.rest);
        // Settled before the client sees the end, so that its next call finds the settled limits.
        if self.rest.is_empty()
            && let Some(mut meter) = self.meter.take()
        {
            meter.ended();
        }
        piece
    }
}

/// The most bytes of a body that a connection gets at once. It copies them into its own buffer, and asks for more when
/// they have been sent. So a client that does not read costs this much, whatever the size of the answer.
const PIECE: usize = 16 << 10;

/// The next chunk of a body, without copying; `None` at the end.
pub fn next_piece(rest: &mut Bytes) -> Option<Bytes> {
    (!rest.is_empty()).then(|| rest.split_to(rest.len().min(PIECE)))
}

impl Body {
    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self(Inner::Whole(Whole { rest: bytes.into(), meter: None, until: None }))
    }

    /// The whole answer of a call. The call keeps its concurrency permit and its meter until the last chunk is handed
    /// over: a client that does not read frees no capacity for its next call.
    pub(crate) fn metered(bytes: Bytes, meter: Box<Meter>) -> Self {
        Self(Inner::Whole(Whole { rest: bytes, meter: Some(meter), until: None }))
    }

    pub(crate) fn stream(stream: impl Stream<Item = Bytes> + Send + 'static) -> Self {
        Self(Inner::Stream(Box::pin(stream)))
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = match &mut self.0 {
            Inner::Whole(whole) => Poll::Ready(whole.next()),
            Inner::Stream(stream) => stream.poll_next_unpin(cx),
        };
        next.map(|bytes| bytes.map(|b| Ok(Frame::data(b))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.0, Inner::Whole(whole) if whole.rest.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Whole(whole) => SizeHint::with_exact(whole.rest.len() as u64),
            Inner::Stream(_) => SizeHint::default(),
        }
    }
}

/// Reads and forgets up to `max` bytes of a request's body for at most `within`, so that a client still sending gets
/// to read the refusal instead of a reset connection.
pub async fn drain<B>(body: B, max: usize, within: Duration)
where
    B: http_body::Body,
{
    let mut body = std::pin::pin!(body);
    let read = async {
        let mut left = max;
        while let Some(Ok(frame)) = body.frame().await {
            let len = frame.data_ref().map_or(0, bytes::Buf::remaining);
            if len > left {
                break;
            }
            left -= len;
        }
    };
    // Running out of time is as good an end as any.
    drop(tokio::time::timeout(within, read).await);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_large_answer_that_is_read_slowly_is_given_up() {
        for (bytes, is_read) in [(LARGE - 1, true), (4 * LARGE, false)] {
            let mut body = Body::whole(vec![7; bytes]);
            let mut read = 0;
            while let Some(frame) = body.frame().await {
                read += frame.unwrap().into_data().unwrap().len();
                tokio::time::advance(Duration::from_secs(10)).await;
            }
            assert_eq!(read == bytes, is_read, "{read} of {bytes}");
        }
    }
}
