//! Bodies of answers, and what is left of a request's.

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// A stream of pieces that does not fail.
type BoxStream = Pin<Box<dyn Stream<Item = Bytes> + Send>>;

/// The body of an answer: whole, or passed on as it comes. It does not fail: a failure in mid-stream is an event of
/// the stream.
pub struct Body(Inner);

enum Inner {
    Whole(Option<Bytes>),
    Stream(BoxStream),
}

impl Body {
    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self(Inner::Whole(Some(bytes.into())))
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
            Inner::Whole(bytes) => Poll::Ready(bytes.take()),
            Inner::Stream(stream) => stream.poll_next_unpin(cx),
        };
        next.map(|bytes| bytes.map(|b| Ok(Frame::data(b))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.0, Inner::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64)),
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
