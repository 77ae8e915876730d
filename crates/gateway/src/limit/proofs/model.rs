//! The model: a list of charges with their times. It is slow, and says what is right.

use super::Use;
use crate::limit::{Ask, Limits};

/// One call's charge at one time.
#[derive(Clone, Copy, Debug)]
struct Charge {
    call: usize,
    workspace: usize,
    millis: u64,
    used: Use,
}

/// Every charge of one account's model.
#[derive(Debug, Default)]
pub(super) struct Model {
    charges: Vec<Charge>,
    calls: usize,
    /// The latest time seen, in milliseconds.
    latest: u64,
}

/// `None` is the account.
pub(super) type Holder = Option<usize>;

impl Model {
    /// Time never goes back.
    pub(super) fn see(&mut self, millis: u64) {
        self.latest = self.latest.max(millis);
    }

    fn sum(&self, holder: Holder, counts: impl Fn(u64) -> bool) -> Use {
        let held = self.charges.iter().filter(|charge| holder.is_none_or(|ws| ws == charge.workspace));
        held.filter(|charge| counts(charge.millis))
            .fold([0, 0], |sum, charge| [sum[0] + charge.used[0], sum[1] + charge.used[1]])
    }

    /// What was used in the 60 seconds up to now, to the millisecond.
    pub(super) fn exact(&self, holder: Holder) -> Use {
        self.sum(holder, |millis| millis + 60_000 >= self.latest)
    }

    /// What counts at a time: all from the 60 seconds before, begun seconds counted whole.
    pub(super) fn counted(&self, holder: Holder, millis: u64) -> Use {
        let second = millis.max(self.latest) / 1000;
        self.sum(holder, |charged| charged / 1000 + 60 >= second)
    }

    /// The first second at which nothing counts of this dimension, or now.
    pub(super) fn empty_from(&self, holder: Holder, dimension: usize) -> u64 {
        let empty = |second: &u64| self.counted(holder, second * 1000)[dimension] == 0;
        (self.latest / 1000..).find(empty).unwrap()
    }

    /// Whether it may be admitted at a time.
    pub(super) fn passes(&self, workspace: usize, ask: Ask, millis: u64) -> bool {
        let keeps = |holder, limits: Limits| {
            let [requests, tokens] = self.counted(holder, millis);
            requests < limits.rpm && limits.tpm.is_none_or(|tpm| tokens + ask.tokens <= tpm)
        };
        keeps(Some(workspace), ask.workspace) && keeps(None, ask.account)
    }

    /// The least number of whole seconds, from one on, after which it may be; none when it never may.
    pub(super) fn retry_after(&self, workspace: usize, ask: Ask, millis: u64) -> Option<u64> {
        (1..200).find(|seconds| self.passes(workspace, ask, millis + seconds * 1000))
    }

    /// Admits, and says the number of the call.
    pub(super) fn admit(&mut self, workspace: usize, tokens: u64) -> usize {
        self.calls += 1;
        self.charge(self.calls, workspace, [1, tokens]);
        self.calls
    }

    /// Charges a call for more.
    pub(super) fn grow(&mut self, call: usize, workspace: usize, more: u64) {
        if more > 0 {
            self.charge(call, workspace, [0, more]);
        }
    }

    /// Takes back from a call, from its latest charge on.
    pub(super) fn give_back(&mut self, call: usize, mut spare: u64) {
        for charge in self.charges.iter_mut().rev().filter(|charge| charge.call == call) {
            let back = spare.min(charge.used[1]);
            charge.used[1] -= back;
            spare -= back;
        }
    }

    /// Whether nothing counts any more, not even a request.
    pub(super) fn is_over(&self) -> bool {
        self.charges.iter().all(|charge| charge.millis / 1000 + 60 < self.latest / 1000)
    }

    /// Forgets all charges, and how late it was.
    pub(super) fn forget(&mut self) {
        self.charges.clear();
        self.latest = 0;
    }

    fn charge(&mut self, call: usize, workspace: usize, used: Use) {
        self.charges.push(Charge { call, workspace, millis: self.latest, used });
    }
}
