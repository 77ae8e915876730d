//! Server-sent events, passed on as they come. Nothing is held back; what passes is only looked at, so that a stream
//! that breaks can still end with one readable error event.

use crate::door::Door;
use crate::refusal::Refusal;
use crate::upstream::Outgoing;
use bytes::Bytes;
use futures_util::Stream;
use http_body::Body;
use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};
use uuid::Uuid;

/// A piece of a stream, and what the stream has come to with it.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) bytes: Bytes,
    pub(crate) end: Option<End>,
}

/// How a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It said that it is complete.
    Complete,
    /// It broke. The client is told so by this code.
    Broken(&'static str),
    /// It was silent for too long, and is given up with this code.
    GivenUp(&'static str),
}

/// What says in a stream that it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Complete,
    /// An error of the upstream's own.
    Error,
}

/// Follows a stream of events byte by byte, however it is cut into pieces.
#[derive(Debug, Default)]
pub(crate) struct Scanner {
    /// The start of the line that is not ended yet; longer lines than the marker need not be kept.
    line: [u8; LINE_MAX],
    /// Bytes of that line so far, counted up to one more than `line` holds.
    len: usize,
    /// Whether an event is begun and not ended.
    in_event: bool,
    /// Whether a line has passed that says the stream is complete, or has failed and says so itself: the first such.
    mark: Option<Mark>,
}

/// Bytes of the longest end mark, `event: response.incomplete`, and some.
const LINE_MAX: usize = 32;

/// Whether and how a line ends a stream: the mark of chat and completions, the last events of responses, or an error event of
/// the upstream's own, after which ours would be one too many. `line` is cut at [`LINE_MAX`].
fn mark_of(line: &[u8]) -> Option<Mark> {
    let (field, value) = line.iter().position(|b| *b == b':').map(|at| line.split_at(at))?;
    let value = value[1..].strip_prefix(b" ").unwrap_or(&value[1..]);
    match (field, value) {
        (b"data", b"[DONE]") | (b"event", b"response.completed" | b"response.incomplete") => {
            Some(Mark::Complete)
        }
        (b"event", b"response.failed" | b"error") => Some(Mark::Error),
        (b"data", value) if is_error(value) => Some(Mark::Error),
        _ => None,
    }
}

/// Whether an event says first of all what went wrong. Some say in every event that nothing did.
fn is_error(value: &[u8]) -> bool {
    let inner = value.strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
    let error = inner.and_then(|inner| inner.strip_prefix(b"\"error\":")).map(<[u8]>::trim_ascii_start);
    error.is_some_and(|error| !error.is_empty() && !error.starts_with(b"null"))
}

impl Scanner {
    /// Looks at the next piece.
    pub(crate) fn feed(&mut self, mut piece: &[u8]) {
        while let Some(end) = memchr::memchr(b'\n', piece) {
            self.push(&piece[..end]);
            self.end_line();
            piece = &piece[end + 1..];
        }
        self.push(piece);
    }

    /// Whether the stream said that it ends, and how.
    pub(crate) fn mark(&self) -> Option<Mark> {
        self.mark
    }

    /// Whether it did.
    pub(crate) fn is_done(&self) -> bool {
        self.mark.is_some()
    }

    /// What ends the event that is begun, so that another can follow.
    pub(crate) fn closing(&self) -> &'static str {
        match (self.len > 0, self.in_event) {
            (true, _) => "\n\n",
            (false, true) => "\n",
            (false, false) => "",
        }
    }

    fn push(&mut self, part: &[u8]) {
        if self.len < LINE_MAX {
            let take = part.len().min(LINE_MAX - self.len);
            self.line[self.len..self.len + take].copy_from_slice(&part[..take]);
        }
        self.len = (self.len + part.len()).min(LINE_MAX + 1);
    }

    fn end_line(&mut self) {
        let line = &self.line[..self.len.min(LINE_MAX)];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        self.in_event = !line.is_empty();
        self.mark = self.mark.or_else(|| mark_of(line));
        self.len = 0;
    }
}

/// Passes an upstream's stream on. When it breaks, stalls or ends without its end mark, one error event ends it.
pub(crate) struct Relay<B> {
    upstream: B,
    scanner: Scanner,
    upstream_id: String,
    door: Door,
    request_id: Uuid,
    /// How long the upstream may be silent.
    idle: Duration,
    last: Instant,
    /// Set when the upstream is first waited for; moved on only when it fires, not for each piece.
    alarm: Option<Pin<Box<Sleep>>>,
    ended: bool,
}

impl<B> Relay<B> {
    pub(crate) fn new(upstream: B, upstream_id: &str, outgoing: &Outgoing, idle: Duration) -> Self {
        Self {
            upstream,
            scanner: Scanner::default(),
            upstream_id: upstream_id.to_owned(),
            door: outgoing.door,
            request_id: outgoing.request_id,
            idle,
            last: Instant::now(),
            alarm: None,
            ended: false,
        }
    }

    fn fail(&mut self, cause: &str, refusal: &Refusal) -> Poll<Option<Piece>> {
        tracing::warn!(upstream.id = %self.upstream_id, request.id = %self.request_id, error = cause, "upstream stream failed");
        self.ended = true;
        let event = self.door.error_event(refusal, self.request_id);
        let bytes = Bytes::from(format!("{}{event}", self.scanner.closing()));
        Poll::Ready(Some(Piece { bytes, end: Some(self.broken(refusal)) }))
    }

    fn broken(&self, refusal: &Refusal) -> End {
        let code = self.door.code(&refusal.codes());
        if refusal.is_given_up() { End::GivenUp(code) } else { End::Broken(code) }
    }

    /// What the stream comes to with this piece.
    fn read(&mut self, bytes: Bytes) -> Piece {
        let was_done = self.scanner.is_done();
        self.scanner.feed(&bytes);
        let end = self.scanner.mark().filter(|_| !was_done).map(|mark| match mark {
            Mark::Complete => End::Complete,
            Mark::Error => self.broken(&Refusal::UpstreamBroken),
        });
        Piece { bytes, end }
    }

    /// Whether the upstream has been silent for too long. Otherwise the task is woken when it would be.
    fn is_stalled(&mut self, cx: &mut Context<'_>) -> bool {
        let deadline = self.last + self.idle;
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        while alarm.as_mut().poll(cx).is_ready() {
            if deadline <= Instant::now() {
                return true;
            }
            alarm.as_mut().reset(deadline);
        }
        false
    }
}

impl<B> Stream for Relay<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    type Item = Piece;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Piece>> {
        let this = &mut *self;
        if this.ended {
            return Poll::Ready(None);
        }
        loop {
            match Pin::new(&mut this.upstream).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    this.last = Instant::now();
                    if let Ok(piece) = frame.into_data() {
                        return Poll::Ready(Some(this.read(piece)));
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    if !this.scanner.is_done() {
                        return this.fail(&error.to_string(), &Refusal::UpstreamBroken);
                    }
                    this.ended = true;
                    return Poll::Ready(None);
                }
                Poll::Ready(None) if !this.scanner.is_done() => {
                    return this.fail("it ended without its end mark", &Refusal::UpstreamBroken);
                }
                Poll::Ready(None) => {
                    this.ended = true;
                    return Poll::Ready(None);
                }
                Poll::Pending if this.is_stalled(cx) => {
                    if this.scanner.is_done() {
                        this.ended = true;
                        return Poll::Ready(None);
                    }
                    return this.fail("it fell silent", &Refusal::UpstreamTimeout);
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::Call;
    use futures_util::{StreamExt as _, stream};
    use http_body::Frame;
    use http_body_util::StreamBody;
    use proptest::prelude::*;
    use std::io;

    const STREAM: &str = "data: {\"a\":\"é\"}\r\n\r\n: ping\n\nevent: x\ndata: {\"b\":2}\n\ndata: [DONE]\n\n";

    fn scan(pieces: &[&[u8]]) -> Scanner {
        let mut scanner = Scanner::default();
        pieces.iter().for_each(|piece| scanner.feed(piece));
        scanner
    }

    #[test]
    fn a_stream_split_at_every_byte_is_read_the_same() {
        let bytes = STREAM.as_bytes();
        for at in 0..=bytes.len() {
            let scanner = scan(&[&bytes[..at], &bytes[at..]]);
            assert!(scanner.is_done() && scanner.closing().is_empty(), "split at {at}");
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert!(scan(&single).is_done());
    }

    #[test]
    fn what_closes_an_event_depends_on_where_the_stream_stopped() {
        for (text, closing) in
            [("", ""), ("data: 1\n\n", ""), ("data: 1\n", "\n"), ("data: 1", "\n\n"), (": p\r\n\r\n", "")]
        {
            assert_eq!(scan(&[text.as_bytes()]).closing(), closing, "{text:?}");
        }
    }

    #[test]
    fn only_the_whole_line_is_the_end_mark() {
        for not in [
            "data: [DONE] \n",
            "data: [DONE]x\n",
            "xdata: [DONE]\n",
            "data: [DONE]",
            "data: \"[DONE]\"\n",
            "event: response.created\n",
            "data: {\"choices\":[],\"error\":null}\n",
            ": error\n",
        ] {
            assert!(!scan(&[not.as_bytes()]).is_done(), "{not:?}");
        }
        for end in [
            "data:[DONE]\n",
            "data: [DONE]\r\n",
            "event: response.completed\ndata: {}\n\n",
            "event:response.incomplete\n",
            "data: {\"error\":{\"message\":\"overloaded\"}}\n\n",
        ] {
            assert!(scan(&[end.as_bytes()]).is_done(), "{end:?}");
        }
    }

    async fn relayed(pieces: Vec<Result<&'static [u8], io::Error>>, stall: bool) -> String {
        let frames = stream::iter(pieces).map(|p| p.map(|b| Frame::data(Bytes::from_static(b))));
        let tail = if stall { stream::pending().left_stream() } else { stream::empty().right_stream() };
        let body = StreamBody::new(frames.chain(tail));
        let outgoing = Outgoing {
            call: Call::ChatCompletions,
            door: Door::Openai,
            model: "m".into(),
            stream: true,
            body: Bytes::new(),
            request_id: Uuid::nil(),
        };
        let relay = Relay::new(body, "stub", &outgoing, Duration::from_secs(60));
        let out: Vec<Bytes> = relay.map(|piece| piece.bytes).collect().await;
        String::from_utf8(out.concat()).unwrap()
    }

    #[tokio::test]
    async fn a_complete_stream_passes_unchanged() {
        for at in 0..STREAM.len() {
            let (a, b) = STREAM.as_bytes().split_at(at);
            assert_eq!(relayed(vec![Ok(a), Ok(b)], false).await, STREAM);
        }
    }

    #[tokio::test]
    async fn a_broken_stream_ends_with_one_error_event() {
        let broken = || io::Error::from(io::ErrorKind::UnexpectedEof);
        for (pieces, kept) in [
            (vec![Ok(&b"data: {\"a\":1}\n\n"[..]), Err(broken())], "data: {\"a\":1}\n\n"),
            (
                vec![Ok(&b"data: {\"a\":1}\n\ndata: {\"b"[..]), Err(broken())],
                "data: {\"a\":1}\n\ndata: {\"b\n\n",
            ),
            (vec![Ok(&b"data: {\"a\":1}\n\n"[..])], "data: {\"a\":1}\n\n"),
        ] {
            let out = relayed(pieces, false).await;
            let event = out.strip_prefix(kept).unwrap();
            let json = event.strip_prefix("data: ").unwrap().strip_suffix("\n\n").unwrap();
            let value: serde_json::Value = serde_json::from_str(json).unwrap();
            assert_eq!(
                (&value["error"]["code"], &value["request_id"]),
                (&"upstream_error".into(), &Uuid::nil().to_string().into())
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_stream_ends_with_a_time_out_event() {
        let out = relayed(vec![Ok(b"data: 1\n\n")], true).await;
        assert!(out.contains("request_timeout"), "{out}");
    }

    #[tokio::test]
    async fn an_upstreams_own_error_event_is_the_only_one() {
        let text = "data: {\"error\":{\"message\":\"overloaded\"}}\n\n";
        assert_eq!(relayed(vec![Ok(text.as_bytes())], false).await, text);
    }

    #[tokio::test]
    async fn a_responses_stream_is_complete_with_its_last_event_and_cut_off_without() {
        let complete = "event: response.completed\ndata: {}\n\n";
        assert_eq!(relayed(vec![Ok(complete.as_bytes())], false).await, complete);
        let cut = relayed(vec![Ok(b"event: response.created\ndata: {}\n\n")], false).await;
        assert!(cut.contains("upstream_error"), "{cut}");
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces_are_read_alike(bytes in "[\\n\\rdat: \\[DONE\\]x]{0,60}", cuts in prop::collection::vec(0usize..60, 0..6)) {
            let whole = scan(&[bytes.as_bytes()]);
            let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(bytes.len())).collect();
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut from = 0;
            for cut in cuts.into_iter().chain([bytes.len()]) {
                pieces.push(&bytes.as_bytes()[from..cut]);
                from = cut;
            }
            let cut = scan(&pieces);
            prop_assert_eq!((whole.is_done(), whole.closing()), (cut.is_done(), cut.closing()));
        }
    }
}
