//! Proofs: single cases, threads, and random histories against a model that knows nothing of buckets.

mod cases;
mod model;
mod random;
mod threads;

use super::{Ask, Limiter, Limits, Moment, Subject};
use keygate_contract::{AccountId, WorkspaceId};

/// A time of today's size, on a whole second.
const START: u64 = 1_790_000_000_000;

/// So many milliseconds after the start.
fn at(millis: u64) -> Moment {
    Moment::from_unix_millis(START + millis)
}

/// An account with workspaces, all calling the model of slot 1.
struct Callers {
    account: AccountId,
    workspaces: [WorkspaceId; 2],
}

impl Callers {
    fn new() -> Self {
        Self { account: "acc-1".into(), workspaces: ["ws-1".into(), "ws-2".into()] }
    }

    fn subject(&self, workspace: usize) -> Subject<'_> {
        Subject { account: &self.account, workspace: &self.workspaces[workspace], slot: 1 }
    }
}

/// What counts: requests and tokens.
type Use = [u64; 2];

/// What counts of a workspace and of its account, read off the answers to calls that can never be admitted; which must
/// be what the limiter tells when it is asked.
fn used(limiter: &Limiter, subject: Subject<'_>, now: Moment) -> [Use; 2] {
    // Where one scope has less left than the other ever can have, the answer is about that one.
    const NARROW: Limits = Limits { rpm: 1 << 40, tpm: Some(1 << 40) };
    const WIDE: Limits = Limits { rpm: 1 << 60, tpm: Some(1 << 60) };
    let used = [(NARROW, WIDE), (WIDE, NARROW)].map(|(workspace, account)| {
        let ask = Ask { workspace, account, tokens: u64::MAX };
        let headroom = limiter.admit(subject, ask, now).unwrap_err().headroom;
        [headroom.requests, headroom.tokens.unwrap()].map(|room| (1 << 40) - room.remaining)
    });
    let counted = limiter.counted(subject, now);
    assert_eq!(used, [counted.workspace, counted.account].map(|of| [of.requests, of.tokens]));
    used
}
