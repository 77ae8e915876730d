//! A call under way, of which exactly one record is left.
//!
//! A [`Note`] begins when the key is proven. Dropping it writes the record: so an answer, a refusal, an error and a
//! caller that goes away are one path, and none can be forgotten.

use crate::catalogue::Cost;
use crate::directory::KeyEntry;
use crate::door::Door;
use crate::ended::{EndedCall, EndedCalls, Tokens};
use crate::refusal::Refusal;
use keygate_contract::{CallClass, ThrottledBy};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;
use uuid::{Builder, Uuid};

/// The status that is told of a caller who left before there was an answer; nobody is sent it.
const LEFT: u16 = 499;
/// What is told of a caller who left.
const CLIENT_CLOSED: &str = "client_closed_request";
/// What is told of a call that was under way when the server stopped, and took longer than that waits.
const STOPPED: &str = "server_stopped";

/// What is known of a call from its head on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Begun {
    pub(crate) at: Instant,
    /// The same by the clock, in Unix milliseconds.
    pub(crate) unix_ms: i64,
    pub(crate) request_id: Uuid,
    pub(crate) door: Door,
    pub(crate) address: IpAddr,
}

/// A call under way whose key was proven.
#[derive(Debug)]
pub(crate) struct Note {
    ended: Arc<EndedCalls>,
    begun: Begun,
    outcome: Outcome,
    /// When the caller disconnected, if the call continued without it, in microseconds since the call began.
    left_us: Option<u64>,
    /// Gone when the record is left.
    record: Option<Box<EndedCall>>,
}

/// What a call has come to.
#[derive(Clone, Copy, Debug)]
enum Outcome {
    /// There is no answer. If it stays so, the caller has left.
    Open,
    /// It was refused, or failed before anything was answered.
    Refused { status: u16, code: &'static str, throttled_by: Option<ThrottledBy> },
    /// A stream has begun. If it stays so, the caller has left.
    Begun,
    /// It was answered to the end.
    Answered,
    /// A stream broke.
    Broken { code: &'static str },
}

impl Begun {
    /// A request that came now, at `unix_ms`.
    pub(crate) fn new(door: Door, address: IpAddr, unix_ms: i64) -> Self {
        Self { at: Instant::now(), unix_ms, request_id: request_id(unix_ms), door, address }
    }

    fn elapsed_us(&self) -> u64 {
        u64::try_from(self.at.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

/// A UUID of version 7: in the order of time, which records are looked up by.
fn request_id(unix_ms: i64) -> Uuid {
    let random = Uuid::new_v4();
    let [.., a, b, c, d, e, f, g, h, i, j] = random.into_bytes();
    let millis = u64::try_from(unix_ms).unwrap_or_default();
    Builder::from_unix_timestamp_millis(millis, &[a, b, c, d, e, f, g, h, i, j]).into_uuid()
}

impl Note {
    /// A call whose key is proven. It must have a place in the queue.
    pub(crate) fn new(ended: &Arc<EndedCalls>, begun: Begun, key: &Arc<KeyEntry>) -> Self {
        let record = EndedCall {
            key: Arc::clone(key),
            slot: None,
            upstream: None,
            request_id: begun.request_id,
            ended_at: begun.unix_ms,
            door: begun.door.into(),
            address: begun.address,
            status: LEFT,
            class: CallClass::ClientError,
            error_code: None,
            throttled_by: None,
            stream: false,
            tokens: Tokens::default(),
            cost: Cost::None,
            latency_us: 0,
            forwarded_us: None,
            first_token_us: None,
            count: 1,
        };
        Self {
            ended: Arc::clone(ended),
            begun,
            outcome: Outcome::Open,
            left_us: None,
            record: Some(Box::new(record)),
        }
    }

    pub(crate) fn request_id(&self) -> Uuid {
        self.begun.request_id
    }

    /// What the body asks for. A model that the region does not have is none: names that callers make up are not kept.
    pub(crate) fn asked(&mut self, slot: Option<usize>, stream: bool) {
        if let Some(record) = &mut self.record {
            (record.slot, record.stream) = (slot, stream);
        }
    }

    /// It is sent on.
    pub(crate) fn forwarded(&mut self, upstream: Option<usize>) {
        let now = self.begun.elapsed_us();
        if let Some(record) = &mut self.record {
            (record.upstream, record.forwarded_us) = (upstream, Some(now));
        }
    }

    /// The upstream answers with a stream.
    pub(crate) fn stream_begun(&mut self) {
        self.outcome = Outcome::Begun;
    }

    /// A piece of the stream has come that says something.
    pub(crate) fn piece(&mut self) {
        if let Some(record) = &mut self.record
            && record.first_token_us.is_none()
        {
            record.first_token_us = Some(self.begun.elapsed_us());
        }
    }

    /// The answer is there to its end.
    pub(crate) fn answered(&mut self) {
        // What broke stays broken, although its pieces come to an end, too.
        if !matches!(self.outcome, Outcome::Broken { .. }) {
            self.outcome = Outcome::Answered;
        }
    }

    /// The caller disconnected. What happens to the call from here on does not concern the caller.
    pub(crate) fn left(&mut self) {
        self.left_us = Some(self.begun.elapsed_us());
    }

    /// The stream broke; the caller is told so by this code.
    pub(crate) fn broken(&mut self, code: &'static str) {
        self.outcome = Outcome::Broken { code };
    }

    /// What it has used.
    pub(crate) fn used(&mut self, tokens: Tokens) {
        if let Some(record) = &mut self.record {
            record.tokens = tokens;
        }
    }

    /// It is refused, or came to nothing.
    pub(crate) fn refused(&mut self, refusal: &Refusal) {
        let codes = refusal.codes();
        self.outcome = Outcome::Refused {
            status: codes.status.as_u16(),
            code: self.begun.door.code(&codes),
            throttled_by: refusal.throttled_by(),
        };
    }

    /// Status, class and code of the record.
    fn end(&self) -> (u16, CallClass, Option<&'static str>) {
        match self.outcome {
            Outcome::Refused { status, code, .. } => {
                let class = match status {
                    429 => CallClass::Throttled,
                    400..=499 => CallClass::ClientError,
                    _ => CallClass::ServerError,
                };
                (status, class, Some(code))
            }
            Outcome::Answered => (200, CallClass::Ok, None),
            Outcome::Broken { code } => (200, CallClass::ServerError, Some(code)),
            Outcome::Open if self.ended.is_stopped() => (503, CallClass::ServerError, Some(STOPPED)),
            Outcome::Open => (LEFT, CallClass::ClientError, Some(CLIENT_CLOSED)),
            Outcome::Begun if self.ended.is_stopped() => (200, CallClass::ServerError, Some(STOPPED)),
            Outcome::Begun => (200, CallClass::Ok, Some(CLIENT_CLOSED)),
        }
    }

    /// Whether something was answered, and has its price.
    fn is_answered(&self) -> bool {
        matches!(self.outcome, Outcome::Begun | Outcome::Answered | Outcome::Broken { .. })
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        let Some(mut record) = self.record.take() else { return };
        record.latency_us = self.left_us.unwrap_or_else(|| self.begun.elapsed_us());
        record.ended_at = self.begun.unix_ms.saturating_add_unsigned(record.latency_us / 1000);
        (record.status, record.class, record.error_code) = self.end();
        if let Outcome::Refused { throttled_by, .. } = self.outcome {
            record.throttled_by = throttled_by;
        }
        if let Some(slot) = record.slot.filter(|_| self.is_answered()) {
            record.cost = self.ended.cost(slot, record.tokens);
        }
        match record.forwarded_us {
            Some(_) => self.ended.push(record),
            // It cost its caller nothing, and no per-minute limit slows such requests down.
            None => self.ended.push_rejected(record),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_holds_when_the_call_began() {
        let id = request_id(1_790_000_000_123);
        assert_eq!((id.get_version_num(), id.get_variant()), (7, uuid::Variant::RFC4122));
        assert_eq!(id.get_timestamp().map(|at| at.to_unix()), Some((1_790_000_000, 123_000_000)));
        assert_ne!(id, request_id(1_790_000_000_123));
    }
}
