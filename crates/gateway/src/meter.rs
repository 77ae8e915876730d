//! What a call uses, followed to its end, whichever way it ends.
//!
//! A [`Meter`] holds what a call was admitted with. Dropping it settles: so the end of an answer, an error and a client
//! that goes away in the middle are one path.

use crate::belief::Belief;
use crate::ended::Tokens;
use crate::limit::{Admitted, Clock, Permit};
use crate::note::Note;
use crate::refusal::Refusal;
use crate::sse::{End, Piece};
use crate::tokens::Weight;
use crate::usage::{self, Told, Usage};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use std::pin::Pin;
use std::task::{Context, Poll};

/// A stream's use is charged on this many tokens after what is charged, so that not every word takes the lock.
const GROWTH: u64 = 64;
/// The longest line of a stream that is read, in bytes. Longer ones hold media, and pass unread.
const LINE_MAX: usize = 1 << 20;

/// What a call was admitted with, and what it has used so far.
#[derive(Debug)]
pub(crate) struct Meter {
    /// Taken when it is settled.
    admitted: Option<Admitted>,
    /// The place among the calls of its key.
    _permit: Permit,
    clock: Clock,
    /// Leaves the call's record when the meter is dropped, after all is settled.
    note: Note,
    /// Estimate of the prompt, in tokens.
    prompt: u64,
    /// What the upstream is believed to have used.
    belief: Belief,
    /// Whether it told what is not believed.
    doubted: bool,
    /// What the answer weighs so far.
    output: Weight,
    /// What the upstream says, latest first believed.
    usage: Option<Usage>,
    /// Whether the upstream has answered: with the head of a stream, or whole.
    answered: bool,
    /// Whether the answer has come to its end: until then what the upstream says it used may be less than it will.
    ended: bool,
}

impl Meter {
    pub(crate) fn new(
        admitted: Admitted,
        permit: Permit,
        clock: Clock,
        note: Note,
        prompt: u64,
        belief: Belief,
    ) -> Self {
        Self {
            admitted: Some(admitted),
            _permit: permit,
            clock,
            note,
            prompt,
            belief,
            doubted: false,
            output: Weight::default(),
            usage: None,
            answered: false,
            ended: false,
        }
    }

    /// The upstream answers: from here on only what it has said counts.
    pub(crate) fn answered(&mut self) {
        self.answered = true;
    }

    /// Takes note of an answer that is there whole.
    pub(crate) fn told_whole(&mut self, answer: &[u8], told: Told) {
        self.told(told);
        if self.doubted {
            // Its words were not weighed, because it told its usage.
            self.output = usage::read(answer).unwrap_or_default().output;
        }
    }

    /// Takes note of a piece of an answer.
    pub(crate) fn told(&mut self, told: Told) {
        self.output.add(told.output);
        self.usage = told.usage.filter(|usage| self.believes(*usage)).or(self.usage);
        let used = self.used();
        if let Some(admitted) = &mut self.admitted
            && used > admitted.charged().saturating_add(GROWTH)
        {
            admitted.grow(used, self.clock.now());
        }
    }

    /// Whether a call can have used so much.
    fn believes(&mut self, usage: Usage) -> bool {
        let is_believed = self.belief.holds(usage);
        if !is_believed && !std::mem::replace(&mut self.doubted, true) {
            tracing::warn!(
                request.id = %self.note.request_id(), tokens.input = usage.input, tokens.output = usage.output,
                "an upstream told more tokens than the call can have used; they are estimated"
            );
        }
        is_believed
    }

    /// The call came to nothing: the caller has got an error, and is charged no tokens.
    pub(crate) fn failed(mut self, refusal: &Refusal) {
        self.settle(0, "failed");
        self.note.refused(refusal);
    }

    /// The answer has come to its end.
    pub(crate) fn ended(&mut self) {
        self.ended = true;
        self.note.answered();
    }

    /// What becomes of the call.
    pub(crate) fn note(&mut self) -> &mut Note {
        &mut self.note
    }

    /// Tokens so far: as the upstream says, else by estimate; by both, and the larger, while the answer goes on.
    fn tokens(&self) -> Tokens {
        let (prompt, output) = (self.prompt, self.output.tokens());
        let Some(usage) = self.usage else {
            return Tokens { input: prompt, output, cached: 0, estimated: true };
        };
        let told =
            Tokens { input: usage.input, output: usage.output, cached: usage.cached, estimated: false };
        let prompt = if usage.input > 0 { usage.input } else { prompt };
        if (self.ended && !self.doubted) || prompt.saturating_add(output) <= told.total() {
            return told;
        }
        Tokens { input: prompt, output, cached: usage.cached, estimated: true }
    }

    fn used(&self) -> u64 {
        self.tokens().total()
    }

    fn settle(&mut self, used: u64, source: &str) {
        if let Some(admitted) = self.admitted.take() {
            let charged = admitted.charged();
            admitted.settle(used, self.clock.now());
            tracing::debug!(
                request.id = %self.note.request_id(), tokens.used = used, tokens.charged = charged, tokens.source = source,
                "settled"
            );
        }
    }
}

impl Drop for Meter {
    /// Settles what is not settled. A call whose client went away before the upstream answered keeps its reservation:
    /// the model may have worked all that time, and going away must not be a way around the limit.
    fn drop(&mut self) {
        match self.usage {
            Some(_) => self.settle(self.used(), "upstream"),
            None if self.answered => self.settle(self.used(), "estimate"),
            None => {}
        }
        if self.answered {
            let tokens = self.tokens();
            self.note.used(tokens);
        }
    }
}

/// Whether the event that says a stream's usage alone is passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UsageEvent {
    /// The client asked for it.
    Shown,
    /// The gateway asked for it.
    Hidden,
}

/// A stream of events on its way to the client, read as it passes.
pub(crate) struct Metered<S> {
    stream: S,
    lines: Lines,
    /// Gone when the stream has ended.
    meter: Option<Meter>,
}

impl<S> Metered<S> {
    pub(crate) fn new(stream: S, usage_event: UsageEvent, meter: Meter) -> Self {
        Self { stream, lines: Lines::new(usage_event), meter: Some(meter) }
    }
}

impl<S: Stream<Item = Piece> + Unpin> Stream for Metered<S> {
    type Item = Bytes;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let this = &mut *self;
        while let Some(meter) = &mut this.meter {
            match std::task::ready!(this.stream.poll_next_unpin(cx)) {
                Some(Piece { bytes, end }) => {
                    let passed = this.lines.feed(&bytes, |told| {
                        // What only keeps the connection open, or says who will speak, is no token yet.
                        if told.output.says_something() {
                            meter.note().piece();
                        }
                        meter.told(told);
                    });
                    match end {
                        Some(End::Broken(code)) => meter.note().broken(code),
                        // Who reads no further than this has all of it.
                        Some(End::Complete) => meter.ended(),
                        None => {}
                    }
                    if !passed.is_empty() {
                        return Poll::Ready(Some(passed));
                    }
                }
                None => {
                    meter.ended();
                    // Settled before the client sees the end: its next call finds what this one left.
                    this.meter = None;
                    let rest = this.lines.end();
                    return Poll::Ready((!rest.is_empty()).then_some(rest));
                }
            }
        }
        Poll::Ready(None)
    }
}

/// Reads the lines of a stream of events, however it is cut into pieces, and leaves out what is not to be seen.
#[derive(Debug)]
struct Lines {
    usage_event: UsageEvent,
    /// The line that is begun and not ended. It is held back only where something may have to be left out.
    begun: Vec<u8>,
    /// Whether the line that is begun is too long to be read.
    is_long: bool,
    /// Whether the blank line that ends an event left out is still to come.
    skips_blank: bool,
}

impl Lines {
    fn new(usage_event: UsageEvent) -> Self {
        Self { usage_event, begun: Vec::new(), is_long: false, skips_blank: false }
    }

    /// Reads the next piece; returns what is to be passed on.
    fn feed(&mut self, piece: &Bytes, mut told: impl FnMut(Told)) -> Bytes {
        let mut kept = Vec::new();
        let mut from = 0;
        for end in memchr::memchr_iter(b'\n', piece) {
            let part = &piece[from..=end];
            from = end + 1;
            let is_long = std::mem::take(&mut self.is_long);
            if self.begun.is_empty() {
                if is_long || self.keeps(part, &mut told) {
                    kept.extend_from_slice(part);
                }
            } else {
                self.begun.extend_from_slice(part);
                let line = std::mem::take(&mut self.begun);
                if self.keeps(&line, &mut told) {
                    kept.extend_from_slice(&line);
                }
            }
        }
        let rest = &piece[from..];
        if self.is_long || self.begun.len() + rest.len() > LINE_MAX {
            self.is_long = true;
            kept.append(&mut self.begun);
            kept.extend_from_slice(rest);
        } else {
            self.begun.extend_from_slice(rest);
        }
        match self.usage_event {
            UsageEvent::Shown => piece.clone(),
            UsageEvent::Hidden => kept.into(),
        }
    }

    /// What is held back when the stream ends in the middle of a line.
    fn end(&mut self) -> Bytes {
        let begun = std::mem::take(&mut self.begun);
        match self.usage_event {
            UsageEvent::Shown => Bytes::new(),
            UsageEvent::Hidden => begun.into(),
        }
    }

    /// Whether a line is passed on.
    fn keeps(&mut self, line: &[u8], told: &mut impl FnMut(Told)) -> bool {
        let text = line.trim_ascii_end();
        if std::mem::take(&mut self.skips_blank) && text.is_empty() {
            return false;
        }
        let Some(data) = text.strip_prefix(b"data:") else { return true };
        // What is not JSON, such as the end mark, says nothing of the use.
        let Ok(event) = usage::read(data.trim_ascii_start()) else { return true };
        told(event);
        let is_hidden = event.is_usage_only && self.usage_event == UsageEvent::Hidden;
        self.skips_blank = is_hidden;
        !is_hidden
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"Hello\"}}]}\r\n\r\n: ping\n\n\
                          data: {\"choices\":[{\"delta\":{\"content\":\" you\"}}],\"usage\":null}\n\n\
                          data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}\n\n\
                          data: [DONE]\n\n";

    /// What passes of a stream that comes in pieces, and what it told.
    fn pass(pieces: &[&[u8]], usage_event: UsageEvent) -> (String, Weight, Option<Usage>) {
        let mut lines = Lines::new(usage_event);
        let (mut out, mut output, mut usage) = (Vec::new(), Weight::default(), None);
        for piece in pieces {
            let passed = lines.feed(&Bytes::copy_from_slice(piece), |told| {
                output.add(told.output);
                usage = told.usage.or(usage);
            });
            out.extend_from_slice(&passed);
        }
        out.extend_from_slice(&lines.end());
        (String::from_utf8(out).unwrap(), output, usage)
    }

    #[test]
    fn a_stream_split_at_every_byte_is_read_the_same() {
        let bytes = STREAM.as_bytes();
        let hidden =
            STREAM.split_inclusive("\n\n").filter(|e| !e.contains("prompt_tokens")).collect::<String>();
        for at in 0..=bytes.len() {
            for (usage_event, expected) in
                [(UsageEvent::Shown, STREAM), (UsageEvent::Hidden, hidden.as_str())]
            {
                let (out, output, usage) = pass(&[&bytes[..at], &bytes[at..]], usage_event);
                assert_eq!(out, expected, "split at {at}");
                assert_eq!(
                    (output.tokens(), usage),
                    (3, Some(Usage { input: 3, output: 4, cached: 0 })),
                    "split at {at}"
                );
            }
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(pass(&single, UsageEvent::Hidden).0, hidden);
    }

    #[test]
    fn what_is_held_back_is_passed_on_when_the_stream_ends() {
        assert_eq!(pass(&[b"data: [DONE]"], UsageEvent::Hidden).0, "data: [DONE]");
    }

    #[test]
    fn an_endless_line_passes_and_is_not_kept() {
        let mut lines = Lines::new(UsageEvent::Hidden);
        let mut passed = 0;
        for _ in 0..40 {
            passed += lines.feed(&Bytes::from(vec![b'x'; 100_000]), |_| {}).len();
            assert!(lines.begun.len() <= LINE_MAX);
        }
        assert!(passed > 2_000_000, "{passed}");
        let end = lines.feed(&Bytes::from_static(b"\ndata: {\"choices\":[{\"delta\":\"abc\"}]}\n"), |told| {
            assert_eq!(told.output.tokens(), 1);
        });
        assert!(end.ends_with(b"}\n"));
    }
}
