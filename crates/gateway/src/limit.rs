//! Limits per minute: how many calls, and how many tokens, a workspace and its account may use of a model.
//!
//! Two scopes hold for a call, workspace×model and account×model, and two dimensions for a scope, requests and tokens.
//! [`Limiter::admit`] looks at all of them under one lock and takes one request and an estimate of tokens from all of
//! them or from none; [`Admitted::settle`] puts the true use in the estimate's place. What was refused costs nothing.
//!
//! **The window slides in steps of a second.** A charge goes into the bucket of its second; at second `s` the buckets
//! `s - 60` to `s` count. So no 60 seconds, wherever they begin, hold more admitted use than the limit allows, and a
//! charge is free again a second late at most. Fixed minutes would let twice the limit pass around their ends; a log of
//! exact times would cost memory by the call. Here a window costs memory by the second in which anything was called.
//!
//! **One lock for both scopes.** A `Cell` holds the windows of an account for one model: the account's own and those
//! of its workspaces. The lock is held for a look and a write in memory, never across a wait, so two calls cannot both
//! take the last request. Calls of other accounts, and for other models, meet other locks.
//!
//! **Limits come with the call**, not from here: raised or lowered, they hold for the very next call. Use is counted in
//! tokens even where no limit is set on them, so a limit that is set later finds the last minute counted.
//!
//! **Time is an argument.** [`Clock`] is read when a call is admitted and settled; all else is a function of [`Moment`]s, and so are the
//! proofs in `proofs.rs`. Threads whose moments come a little out of order are counted at the latest second seen.
//!
//! **What is left when things end early.** A guard dropped unsettled keeps its reservation: the use is unknown, and the
//! limit must not be passed. [`Limiter::take_changes`] and [`Limiter::restore`] carry the windows over a restart.

mod admitted;
mod bound;
mod cell;
mod gauge;
mod moment;
mod saved;
mod terms;
mod window;

#[cfg(test)]
mod proofs;

pub use admitted::Admitted;
pub use gauge::{Gauge, Permit};
pub use moment::{Clock, Moment};
pub use saved::{SavedBucket, SavedWindow};
pub use terms::{Ask, Counted, Dimension, Exceeded, Headroom, Limits, Room, Scope, Subject, Use};

use crate::map::DashMap;
use cell::Cell;
use keygate_contract::AccountId;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// All windows of this process. Shared by the worker threads.
#[derive(Debug)]
pub struct Limiter {
    /// Pairs of region and model.
    slots: usize,
    /// Invariant: an account is taken out only while nobody else holds it, so no two hold cells for one account.
    accounts: DashMap<AccountId, Arc<Account>>,
}

/// The windows of one account.
#[derive(Debug)]
struct Account {
    /// One for each pair of region and model; most are empty, and then 16 bytes.
    cells: Box<[Cell]>,
    /// Whether any window may have changed since changes were last taken. Set under the lock of the changed cell.
    changed: AtomicBool,
}

impl Limiter {
    /// A limiter for the slots `0..slots`, one for each pair of region and model. Nothing is used yet.
    pub fn new(slots: usize) -> Self {
        Self { slots, accounts: DashMap::default() }
    }

    /// Takes one request and `ask.tokens` tokens from both scopes, or nothing from either.
    ///
    /// # Errors
    /// [`Exceeded`] when a limit would be passed; of several, the one that takes longest to clear.
    ///
    /// # Panics
    /// When the slot is not one of those the limiter was made for.
    pub fn admit(&self, subject: Subject<'_>, ask: Ask, now: Moment) -> Result<Admitted, Exceeded> {
        let account = self.account(subject.account);
        let reserved = account.cells[subject.slot].with(|usage| {
            let reserved = usage.admit(subject.workspace, &ask, now)?;
            account.mark_changed();
            Ok(reserved)
        })?;
        Ok(Admitted::new(account, subject.slot, ask.tokens, reserved))
    }

    /// What counts of the minute that ends now. It only looks: nothing is taken, and no window is made.
    pub fn counted(&self, subject: Subject<'_>, now: Moment) -> Counted {
        let mut counted = Counted::default();
        if let Some(account) = self.accounts.get(subject.account).map(|found| Arc::clone(&found))
            && let Some(cell) = account.cells.get(subject.slot)
        {
            cell.peek(|usage| counted = usage.counted(subject.workspace, now));
        }
        counted
    }

    /// Forgets the windows whose last charge has left, and accounts without any. To be called every minute or so; how
    /// often matters to memory only.
    pub fn sweep(&self, now: Moment) {
        for (id, account) in self.all_accounts(|_| true) {
            let mut idle = true;
            for cell in &account.cells {
                idle &= cell.sweep(now);
            }
            drop(account);
            if idle {
                // A call that got hold of the account in the meantime is a second holder; without one, nothing can
                // have been charged since the cells are looked at, because the map is locked here.
                self.accounts
                    .remove_if(&id, |_, account| Arc::strong_count(account) == 1 && account.is_empty());
            }
        }
    }

    /// The windows that changed since the last call, each with all that still counts, to be kept for a restart. A
    /// window that is not told again needs no keeping once its last bucket is older than 60 seconds.
    pub fn take_changes(&self, now: Moment) -> Vec<SavedWindow> {
        let mut changes = Vec::new();
        for (id, account) in self.all_accounts(|account| account.changed.swap(false, Ordering::AcqRel)) {
            for (slot, cell) in account.cells.iter().enumerate() {
                cell.peek(|usage| usage.take_changes(&id, slot, now, &mut changes));
            }
        }
        changes
    }

    /// Has [`Limiter::take_changes`] tell these windows again, because keeping them failed.
    pub fn return_changes(&self, windows: &[SavedWindow]) {
        for saved in windows {
            let Some(account) = self.accounts.get(&saved.account).map(|found| Arc::clone(&found)) else {
                continue;
            };
            if let Some(cell) = account.cells.get(saved.slot) {
                cell.peek(|usage| {
                    usage.mark_changed(saved.workspace.as_ref());
                    account.mark_changed();
                });
            }
        }
    }

    /// Makes [`Limiter::take_changes`] return every window again, because the saved ones are outdated.
    pub fn mark_all_changed(&self) {
        for (_, account) in self.all_accounts(|_| true) {
            for cell in &account.cells {
                cell.peek(|usage| {
                    usage.mark_all_changed();
                    account.mark_changed();
                });
            }
        }
    }

    /// Adds what was kept. Buckets that no longer count are left out, and so are slots there are none of; buckets of the
    /// future, from before the clock was set back, count as of now.
    pub fn restore(&self, windows: Vec<SavedWindow>, now: Moment) {
        for saved in windows {
            if saved.slot >= self.slots {
                continue;
            }
            let account = self.account(&saved.account);
            account.cells[saved.slot].with(|usage| {
                usage.restore(saved.workspace.as_ref(), &saved.buckets, now);
                account.mark_changed();
            });
        }
    }

    fn account(&self, id: &AccountId) -> Arc<Account> {
        if let Some(account) = self.accounts.get(id) {
            return Arc::clone(&account);
        }
        let account = self.accounts.entry(id.clone()).or_insert_with(|| Arc::new(Account::new(self.slots)));
        Arc::clone(&account)
    }

    /// Those accounts, held apart from the map, so that no part of it stays locked while they are gone through.
    fn all_accounts(&self, wanted: impl Fn(&Account) -> bool) -> Vec<(AccountId, Arc<Account>)> {
        let wanted = self.accounts.iter().filter(|entry| wanted(entry.value()));
        wanted.map(|entry| (entry.key().clone(), Arc::clone(entry.value()))).collect()
    }
}

impl Account {
    fn new(slots: usize) -> Self {
        Self { cells: (0..slots).map(|_| Cell::default()).collect(), changed: AtomicBool::new(false) }
    }

    /// To be called under the lock of the changed cell. Then one who finds the mark made already can rely on the cell
    /// being looked at later than this: who took the mark off before looking would, by that lock, be seen here.
    fn mark_changed(&self) {
        if !self.changed.load(Ordering::Relaxed) {
            self.changed.store(true, Ordering::Release);
        }
    }

    fn is_empty(&self) -> bool {
        self.cells.iter().all(Cell::is_empty)
    }
}
