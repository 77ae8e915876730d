//! What a call uses, followed to its end, whichever way it ends.
//!
//! A [`Meter`] holds what a call was admitted with. Dropping it settles the call, so the end of an answer, an error and
//! a client that disconnects share one path. After a client disconnects, the meter reads the rest of the answer for a
//! while ([`read_on`]), because usage is known only at the end.

mod lines;
mod read_on;

pub(crate) use read_on::Sending;

use crate::admit::{Asking, Estimate};
use crate::belief::Belief;
use crate::context::{ContextKey, Contexts};
use crate::door::Call;
use crate::ended::Tokens;
use crate::limit::{Admitted, Clock, Permit};
use crate::note::Note;
use crate::refusal::Refusal;
use crate::sse::{End, Piece};
use crate::tokens::Weight;
use crate::usage::{self, Told, Usage};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use keygate_contract::WorkspaceId;
use lines::Lines;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// A stream's use is charged on this many tokens after what is charged, so that not every word takes the lock.
const GROWTH: u64 = 64;

/// What all meters of a gateway share.
#[derive(Debug)]
pub(crate) struct Metering {
    pub(crate) contexts: Arc<Contexts>,
    pub(crate) clock: Clock,
    /// How long an answer is read after its client has disconnected.
    pub(crate) settle_within: Duration,
}

/// What a call was admitted with, and what it has used so far.
#[derive(Debug)]
pub(crate) struct Meter {
    shared: Arc<Metering>,
    /// Taken when it is settled.
    admitted: Option<Admitted>,
    /// The place among the calls of its key.
    _permit: Permit,
    /// Leaves the call's record when the meter is dropped, after all is settled.
    note: Note,
    estimate: Estimate,
    /// What the upstream is believed to have used.
    belief: Belief,
    /// Whether it told what is not believed.
    doubted: bool,
    /// Whether the gateway stopped reading an answer that may have gone on.
    given_up: bool,
    /// Whether a line passed unread, and no usage came after it.
    unread: bool,
    /// What the answer weighs so far.
    output: Weight,
    /// What the upstream says, latest first believed.
    usage: Option<Usage>,
    /// Whether the upstream has answered: with the head of a stream, or whole.
    answered: bool,
    /// Whether the answer has come to its end: until then what the upstream says it used may be less than it will.
    ended: bool,
    /// Whether the answer broke off.
    broken: bool,
    /// Whether the client disconnected before that.
    left: bool,
    /// The ids by which later requests can reference what this call read.
    stored: Option<Box<Stored>>,
}

/// The context that a call leaves for later requests.
#[derive(Debug)]
struct Stored {
    workspace: WorkspaceId,
    /// Whether the answer has an id by which it can be continued.
    is_response: bool,
    keys: Vec<ContextKey>,
}

impl Stored {
    fn of(asking: &Asking<'_>) -> Option<Box<Self>> {
        let is_response = asking.call == Call::Responses;
        if !is_response && !asking.body.has_references() {
            return None;
        }
        let key = |id: &[u8]| asking.contexts.id(asking.workspace, id);
        let keys = asking.body.references().map(|id| key(&id)).collect();
        Some(Box::new(Self { workspace: asking.workspace.clone(), is_response, keys }))
    }
}

impl Meter {
    pub(crate) fn new(
        shared: &Arc<Metering>,
        admitted: Admitted,
        permit: Permit,
        note: Note,
        asking: &Asking<'_>,
        estimate: Estimate,
    ) -> Self {
        Self {
            shared: Arc::clone(shared),
            admitted: Some(admitted),
            _permit: permit,
            note,
            estimate,
            belief: asking.belief(),
            doubted: false,
            given_up: false,
            unread: false,
            output: Weight::default(),
            usage: None,
            answered: false,
            ended: false,
            broken: false,
            left: false,
            stored: Stored::of(asking),
        }
    }

    /// The upstream answers: from here on only what it has said counts.
    pub(crate) fn answered(&mut self) {
        self.answered = true;
    }

    /// Takes note of an answer that is there whole.
    pub(crate) fn told_whole(&mut self, answer: &[u8], told: Told) {
        self.told(told, answer);
        if self.doubted {
            // Its words were not weighed, because it told its usage.
            self.output = usage::read(answer).unwrap_or_default().output;
        }
    }

    /// Takes note of a piece of an answer.
    fn told(&mut self, told: Told, data: &[u8]) {
        self.output.add(told.output);
        let usage = told.usage.filter(|usage| self.believes(*usage));
        self.unread &= usage.is_none();
        self.usage = usage.or(self.usage);
        if let Some(stored) = self.stored.as_mut().filter(|stored| stored.is_response && told.usage.is_some())
            && let Some(id) = usage::response_id(data)
        {
            stored.is_response = false;
            stored.keys.push(self.shared.contexts.id(&stored.workspace, id.as_bytes()));
            // The client may continue it as soon as it sees this.
            self.remember_context();
        }
        let used = self.used();
        if let Some(admitted) = &mut self.admitted
            && used > admitted.charged().saturating_add(GROWTH)
        {
            admitted.grow(used, self.shared.clock.now());
        }
    }

    /// Whether a call can have used so much.
    fn believes(&mut self, usage: Usage) -> bool {
        let is_believed = self.belief.holds(usage);
        if !is_believed && !std::mem::replace(&mut self.doubted, true) {
            tracing::warn!(
                request.id = %self.note.request_id(), tokens.input = usage.input, tokens.output = usage.output,
                "an upstream reported more tokens than the request can have used; using the estimate"
            );
        }
        is_believed
    }

    /// The call came to nothing: the caller has got an error.
    pub(crate) fn failed(&mut self, refusal: &Refusal) {
        self.settle_failed(refusal);
        self.note.refused(refusal);
    }

    /// A call that failed upstream is charged no tokens. One that the gateway gave up on keeps its reservation: the
    /// model may have worked all that time, and a caller can bring it about.
    fn settle_failed(&mut self, refusal: &Refusal) {
        if refusal.is_given_up() {
            drop(self.admitted.take());
        } else {
            self.settle(0, "failed");
        }
    }

    /// The answer has come to its end.
    pub(crate) fn ended(&mut self) {
        self.ended = true;
        if !self.left {
            self.note.answered();
        }
    }

    /// The answer broke off.
    fn broken(&mut self, code: &'static str) {
        self.broken = true;
        if !self.left {
            self.note.broken(code);
        }
    }

    /// Whether the answer is complete or has broken off.
    fn is_over(&self) -> bool {
        self.ended || self.broken
    }

    /// The client disconnected.
    fn leave(&mut self) {
        self.left = true;
        self.note.left();
    }

    /// What becomes of the call.
    pub(crate) fn note(&mut self) -> &mut Note {
        &mut self.note
    }

    /// Tokens so far: as the upstream says, else by estimate; by both, and the larger, while the answer goes on.
    fn tokens(&self) -> Tokens {
        let (prompt, output) = (self.estimate.prompt, self.output.tokens());
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
            admitted.settle(used, self.shared.clock.now());
            tracing::debug!(
                request.id = %self.note.request_id(), tokens.used = used, tokens.charged = charged, tokens.source = source,
                "settled"
            );
        }
    }

    /// Remembers the size of the call for requests that will reference it.
    fn remember_context(&self) {
        for key in self.stored.iter().flat_map(|stored| &stored.keys) {
            self.shared.contexts.see(*key, self.used());
        }
    }

    /// Remembers the overrun for later requests of the same kind.
    fn remember_overrun(&self) {
        let over = self.used().saturating_sub(self.estimate.base);
        if over > GROWTH {
            self.shared.contexts.overran(self.estimate.kind, over, Instant::now());
        }
    }
}

impl Drop for Meter {
    /// Settles what is not settled yet. The usage that the upstream reported at the end of its answer counts. If the
    /// client disconnected before that, or the upstream reported implausible usage, the larger of the reservation and
    /// the count so far is charged: the model may have worked all that time, and disconnecting must not evade the
    /// limit.
    fn drop(&mut self) {
        if self.admitted.is_none() {
            return;
        }
        let is_known = self.usage.is_some() || self.answered;
        let is_certain = !self.doubted
            && !self.given_up
            && !self.unread
            && (!self.left || (self.ended && self.usage.is_some()));
        let reserved = self.admitted.as_ref().map_or(0, Admitted::charged);
        match (is_known, is_certain) {
            (true, true) if self.usage.is_some() => self.settle(self.used(), "upstream"),
            (true, true) => self.settle(self.used(), "estimate"),
            (true, false) => self.settle(self.used().max(reserved), "reservation"),
            // Nothing is known before the answer: dropping `admitted` leaves the whole reservation charged.
            (false, _) => {}
        }
        if is_known {
            let tokens = self.tokens();
            self.note.used(tokens);
            self.remember_context();
            self.remember_overrun();
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

/// The chunks of an upstream's stream.
type Pieces = Pin<Box<dyn Stream<Item = Piece> + Send>>;

/// A stream of events on its way to the client, metered as it passes. If it is dropped before its end, the rest is read
/// without the client.
pub(crate) struct Metered {
    stream: Pieces,
    lines: Lines,
    /// Gone when the stream has ended.
    meter: Option<Box<Meter>>,
}

impl Metered {
    pub(crate) fn new(stream: Pieces, usage_event: UsageEvent, meter: Box<Meter>) -> Self {
        Self { stream, lines: Lines::new(usage_event), meter: Some(meter) }
    }
}

impl Stream for Metered {
    type Item = Bytes;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let this = &mut *self;
        while let Some(meter) = &mut this.meter {
            match std::task::ready!(this.stream.poll_next_unpin(cx)) {
                Some(piece) => {
                    let passed = pass(&piece, &mut this.lines, meter);
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

impl Drop for Metered {
    fn drop(&mut self) {
        if let Some(meter) = self.meter.take() {
            let stream = std::mem::replace(&mut self.stream, Box::pin(futures_util::stream::empty()));
            let lines = std::mem::replace(&mut self.lines, Lines::new(UsageEvent::Shown));
            read_on::stream(stream, lines, meter);
        }
    }
}

/// Reads a chunk of a stream; returns what is passed on.
fn pass(piece: &Piece, lines: &mut Lines, meter: &mut Meter) -> Bytes {
    let passed = lines.feed(&piece.bytes, |told, data| {
        // What only keeps the connection open, or says who will speak, is no token yet.
        if told.output.says_something() {
            meter.note().piece();
        }
        meter.told(told, data);
    });
    meter.unread |= lines.take_unread();
    match piece.end {
        Some(End::Broken(code)) => meter.broken(code),
        Some(End::GivenUp(code)) => {
            meter.given_up = true;
            meter.broken(code);
        }
        // Who reads no further than this has all of it.
        Some(End::Complete) => meter.ended(),
        None => {}
    }
    passed
}
