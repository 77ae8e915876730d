//! Calls as they are given to the writer.

use keygate_contract::{
    ApiKeyId, CallClass, CallDoor, MemberId, ModelId, RegionId, ThrottledBy, WorkspaceId,
};
use std::borrow::Cow;
use std::net::IpAddr;

/// Whose call it was, and of what.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CallSubject {
    /// The region it came to.
    pub region: RegionId,
    /// The workspace of the key.
    pub workspace: WorkspaceId,
    /// The key.
    pub api_key: ApiKeyId,
    /// Whose key it is.
    pub member: MemberId,
    /// The model it asked for; `None`: none, or one that the region does not have.
    pub model: Option<ModelId>,
}

/// A subject that the writer knows. Good for that writer only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SubjectId(pub(super) u32);

/// Everything about a call but its subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRecord {
    /// Its request id, a UUID of version 7 made when the call began.
    pub request_id: [u8; 16],
    /// When it ended, in Unix milliseconds.
    pub ended_at: i64,
    /// The protocol it came by.
    pub door: CallDoor,
    /// The HTTP status of the answer.
    pub status: u16,
    /// How it ended.
    pub class: CallClass,
    /// The code the caller was told, or what broke the stream. Only the first 64 bytes are kept.
    pub error_code: Option<Cow<'static, str>>,
    /// Which limit refused it.
    pub throttled_by: Option<ThrottledBy>,
    /// Whether it asked for a stream.
    pub stream: bool,
    /// Tokens of the prompt.
    pub input_tokens: u64,
    /// Tokens of the answer.
    pub output_tokens: u64,
    /// Those of the prompt's tokens that the upstream had in its cache.
    pub cached_tokens: u64,
    /// Whether the tokens are estimates.
    pub estimated: bool,
    /// From the head of the request to the end of the answer, in microseconds.
    pub latency_us: u64,
    /// Until it was sent on to the model; `None`: it was refused before.
    pub forwarded_us: Option<u64>,
    /// Until the first piece of the answer; `None`: it was not a stream, or there was none.
    pub first_token_us: Option<u64>,
    /// The address the gateway saw.
    pub address: IpAddr,
    /// What it cost.
    pub cost: CallCost,
    /// How many requests it represents; more than 1 if rejections were combined into one row.
    pub count: u32,
}

/// What a call cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallCost {
    /// Nothing: it used nothing.
    None,
    /// The model has no price for what it used.
    Unpriced,
    /// At the catalogue's price.
    Priced {
        /// ISO 4217 code.
        currency: [u8; 3],
        /// The amount in units of 1e-12.
        pico: u64,
    },
}

/// A call as the log has it: subjects are numbers, and flags share a byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LoggedCall {
    pub(super) api_key: u32,
    pub(super) member: u32,
    pub(super) model: u32,
    pub(super) record: CallRecord,
}
