//! What is asked of the limiter, and what it answers.

use keygate_contract::{AccountId, WorkspaceId};
use thiserror::Error;

/// Who calls what.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The account of the key.
    pub account: &'a AccountId,
    /// The workspace of the key.
    pub workspace: &'a WorkspaceId,
    /// The place of region and model among all pairs of them.
    pub slot: usize,
}

/// The limits of one scope for one model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests per minute.
    pub rpm: u64,
    /// Tokens per minute; none where tokens are not limited.
    pub tpm: Option<u64>,
}

/// What a call asks for, and under which limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The limits of the workspace.
    pub workspace: Limits,
    /// The limits of the account.
    pub account: Limits,
    /// How many tokens the call is expected to use.
    pub tokens: u64,
}

/// Whose limit it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The workspace's.
    Workspace,
    /// The account's, over all its workspaces.
    Account,
}

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// Calls.
    Requests,
    /// Tokens, of input and output together.
    Tokens,
}

/// What is left of one dimension, in the scope with the least left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// The scope with the least left; of equals, the workspace.
    pub scope: Scope,
    /// Its limit.
    pub limit: u64,
    /// What is left of it.
    pub remaining: u64,
    /// Seconds until all of it is there again, if nothing else comes; 0 to 61.
    pub reset_seconds: u64,
}

/// What is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Headroom {
    /// Of requests.
    pub requests: Room,
    /// Of tokens; none where neither scope limits them.
    pub tokens: Option<Room>,
}

/// What counts of the minute that ends now, what is reserved for calls under way among it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Of the workspace.
    pub workspace: Use,
    /// Of the account, over all its workspaces.
    pub account: Use,
}

/// What one scope has used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Use {
    /// Calls.
    pub requests: u64,
    /// Tokens, of input and output together.
    pub tokens: u64,
}

/// The call would pass a limit. Nothing was charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{asked} more would pass the limit of {limit} per minute ({scope:?}, {dimension:?})")]
pub struct Exceeded {
    /// Whose limit. Of several limits that the call would pass, this is the one that takes longest to clear; of equals,
    /// the workspace's before the account's, then requests before tokens.
    pub scope: Scope,
    /// Of what.
    pub dimension: Dimension,
    /// The limit, per minute.
    pub limit: u64,
    /// What the call asked of it.
    pub asked: u64,
    /// Seconds after which this very call would pass, if nothing else came; at least 1. It is exact, to the second. For
    /// a call that can never pass: seconds until the window is empty.
    pub retry_after_seconds: u64,
    /// What is left without the call.
    pub headroom: Headroom,
    /// False when the call alone asks for more than the limit: no waiting helps.
    pub can_ever_pass: bool,
}
