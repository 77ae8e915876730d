//! Windows as they are kept for a restart.

use keygate_contract::{AccountId, WorkspaceId};

/// A window, as it was when it was saved. It replaces what was saved of the same window before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedWindow {
    /// The account.
    pub account: AccountId,
    /// The place of region and model. Places need not be the same in the next process: keep region and model.
    pub slot: usize,
    /// The workspace; none for the account's own window.
    pub workspace: Option<WorkspaceId>,
    /// What still counts, oldest first. Empty when nothing does: then nothing needs to be kept.
    pub buckets: Vec<SavedBucket>,
}

/// What was used in one second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SavedBucket {
    /// Unix time in seconds.
    pub second: u64,
    /// Requests.
    pub requests: u32,
    /// Tokens.
    pub tokens: u64,
}
