//! The guard of a call that was admitted.

use super::cell::Reserved;
use super::window::MOST;
use super::{Account, Headroom, Moment};
use keygate_contract::WorkspaceId;
use std::mem;
use std::sync::Arc;

/// A call that was admitted, and what it holds of its windows. Dropped without [`Admitted::settle`], it leaves all that
/// it holds charged: what the call used is unknown then.
#[derive(Debug)]
#[must_use = "dropped unsettled, the estimate stays charged"]
pub struct Admitted {
    account: Arc<Account>,
    slot: usize,
    workspace: Arc<WorkspaceId>,
    headroom: Headroom,
    /// All tokens charged for this call, also those that no longer count.
    charged: u64,
    /// The estimate, and the second it was charged in.
    estimate: Tokens,
    /// What was charged beyond it and may still count, oldest first; of no two the same second. Most calls have none,
    /// and then this allocates nothing.
    growth: Vec<Tokens>,
}

/// Tokens charged in one second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tokens {
    pub(super) second: u64,
    pub(super) tokens: u64,
}

impl Admitted {
    pub(super) fn new(account: Arc<Account>, slot: usize, tokens: u64, reserved: Reserved) -> Self {
        let tokens = tokens.min(MOST);
        Self {
            account,
            slot,
            workspace: reserved.workspace,
            headroom: reserved.headroom,
            charged: tokens,
            estimate: Tokens { second: reserved.second, tokens },
            growth: Vec::new(),
        }
    }

    /// What was left when the call had been admitted, itself counted.
    pub fn headroom(&self) -> Headroom {
        self.headroom
    }

    /// All tokens charged for this call so far.
    pub fn charged(&self) -> u64 {
        self.charged
    }

    /// Charges what the call uses beyond all charged so far, so that the next call finds it counted. To be called while
    /// an answer runs past its estimate. Never refuses: the tokens are used already. It may so pass a limit; then nothing
    /// is admitted until that has left the window.
    pub fn grow(&mut self, to: u64, now: Moment) {
        let to = to.min(MOST);
        let more = to.saturating_sub(self.charged);
        if more == 0 {
            return;
        }
        let second = self.account.cells[self.slot].with(|usage| {
            let second = usage.charge_tokens(&self.workspace, more, now);
            self.account.mark_changed();
            second
        });
        self.charged = to;
        self.growth.retain(|charge| charge.still_counts(second));
        match self.growth.last_mut() {
            Some(last) if last.second == second => last.tokens = last.tokens.saturating_add(more),
            _ => self.growth.push(Tokens { second, tokens: more }),
        }
    }

    /// Puts the true use in the estimate's place. If it is more, the rest is charged now. If it is less, the rest is
    /// given back to the seconds it was charged in, the latest first, as far as they still count.
    pub fn settle(mut self, used: u64, now: Moment) {
        let spare = self.charged.saturating_sub(used);
        if spare == 0 {
            self.grow(used, now);
            return;
        }
        let growth = mem::take(&mut self.growth);
        let latest_first = growth.into_iter().rev().chain([self.estimate]);
        self.account.cells[self.slot].with(|usage| {
            usage.give_back(&self.workspace, spare, latest_first, now);
            self.account.mark_changed();
        });
    }
}

impl Tokens {
    fn still_counts(&self, second: u64) -> bool {
        self.second.saturating_add(super::window::SPAN) >= second
    }
}
