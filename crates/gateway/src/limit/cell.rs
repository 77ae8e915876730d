//! The windows of an account for one model, under one lock.

use super::admitted::Tokens;
use super::bound::admit_to;
use super::window::Window;
use super::{Ask, Counted, Exceeded, Headroom, Moment, SavedBucket, SavedWindow};
use crate::map::HashMap;
use keygate_contract::{AccountId, WorkspaceId};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A lock, and behind it the use of an account's model, once there is any.
#[derive(Debug, Default)]
pub(super) struct Cell(Mutex<Option<Box<Usage>>>);

impl Cell {
    /// Works on the use.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Usage) -> T) -> T {
        work(self.lock().get_or_insert_default())
    }

    /// Works on the use, if there is any.
    pub(super) fn peek(&self, work: impl FnOnce(&mut Usage)) {
        if let Some(usage) = self.lock().as_mut() {
            work(usage);
        }
    }

    /// Forgets what no longer counts. True when nothing is left.
    pub(super) fn sweep(&self, now: Moment) -> bool {
        let mut usage = self.lock();
        if usage.as_mut().is_some_and(|usage| usage.sweep(now)) {
            *usage = None;
        }
        usage.is_none()
    }

    /// Whether there is no use.
    pub(super) fn is_empty(&self) -> bool {
        self.lock().is_none()
    }

    /// A thread that panicked under this lock leaves sums and buckets that may differ by the charge it was at. That is
    /// less harm than a model that answers nobody any more.
    fn lock(&self) -> MutexGuard<'_, Option<Box<Usage>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The windows of an account for one model. Invariant: the account's window has been looked at whenever one of the
/// others has, so its latest second is the latest of all.
#[derive(Debug, Default)]
pub(super) struct Usage {
    account: Window,
    workspaces: HashMap<Arc<WorkspaceId>, Entry>,
}

/// A workspace's window.
#[derive(Debug)]
struct Entry {
    /// The key of this entry, for guards to hold.
    id: Arc<WorkspaceId>,
    window: Window,
}

/// What a call that was admitted has reserved.
#[derive(Debug)]
pub(super) struct Reserved {
    pub(super) workspace: Arc<WorkspaceId>,
    pub(super) second: u64,
    pub(super) headroom: Headroom,
}

impl Usage {
    /// Charges one request and the tokens to both windows, or nothing to either.
    pub(super) fn admit(
        &mut self,
        workspace: &WorkspaceId,
        ask: &Ask,
        now: Moment,
    ) -> Result<Reserved, Exceeded> {
        let second = self.advance(now);
        if let Some(entry) = self.workspaces.get_mut(workspace) {
            entry.window.advance(second);
            let headroom = admit_to(&mut entry.window, &mut self.account, ask, now)?;
            return Ok(Reserved { workspace: Arc::clone(&entry.id), second, headroom });
        }
        // Refused calls make no window.
        let mut window = Window::default();
        window.advance(second);
        let headroom = admit_to(&mut window, &mut self.account, ask, now)?;
        let workspace = Arc::new(workspace.clone());
        let id = Arc::clone(&workspace);
        self.workspaces.insert(Arc::clone(&workspace), Entry { id, window });
        Ok(Reserved { workspace, second, headroom })
    }

    /// What counts now.
    pub(super) fn counted(&mut self, workspace: &WorkspaceId, now: Moment) -> Counted {
        let second = self.advance(now);
        let workspace = self.workspaces.get_mut(workspace).map(|entry| {
            entry.window.advance(second);
            entry.window.counted()
        });
        Counted { workspace: workspace.unwrap_or_default(), account: self.account.counted() }
    }

    /// Charges tokens to both windows and says in which second.
    pub(super) fn charge_tokens(&mut self, workspace: &Arc<WorkspaceId>, tokens: u64, now: Moment) -> u64 {
        let second = self.advance(now);
        self.account.charge(0, tokens);
        let window = self.window(workspace);
        window.advance(second);
        window.charge(0, tokens);
        second
    }

    /// Gives tokens back to both windows: of each charge as much as is spare still.
    pub(super) fn give_back(
        &mut self,
        workspace: &WorkspaceId,
        mut spare: u64,
        charges: impl Iterator<Item = Tokens>,
        now: Moment,
    ) {
        let second = self.advance(now);
        let mut window = self.workspaces.get_mut(workspace).map(|entry| &mut entry.window);
        if let Some(window) = &mut window {
            window.advance(second);
        }
        for charge in charges {
            let back = charge.tokens.min(spare);
            spare -= back;
            self.account.give_back(charge.second, back);
            if let Some(window) = &mut window {
                window.give_back(charge.second, back);
            }
        }
    }

    /// Forgets windows in which nothing counts. True when none is left.
    fn sweep(&mut self, now: Moment) -> bool {
        let second = self.advance(now);
        self.account.shrink();
        self.workspaces.retain(|_, entry| {
            entry.window.advance(second);
            entry.window.shrink();
            !entry.window.is_empty()
        });
        if self.workspaces.capacity() / 4 > self.workspaces.len() {
            self.workspaces.shrink_to_fit();
        }
        self.workspaces.is_empty() && self.account.is_empty()
    }

    /// Appends the windows that changed.
    pub(super) fn take_changes(
        &mut self,
        account: &AccountId,
        slot: usize,
        now: Moment,
        to: &mut Vec<SavedWindow>,
    ) {
        let second = self.advance(now);
        let mut take = |workspace: Option<&WorkspaceId>, window: &mut Window| {
            window.advance(second);
            if let Some(buckets) = window.take_changes() {
                to.push(SavedWindow {
                    account: account.clone(),
                    slot,
                    workspace: workspace.cloned(),
                    buckets,
                });
            }
        };
        take(None, &mut self.account);
        for entry in self.workspaces.values_mut() {
            take(Some(&entry.id), &mut entry.window);
        }
    }

    /// Has the next `take_changes` tell the window.
    pub(super) fn mark_changed(&mut self, workspace: Option<&WorkspaceId>) {
        match workspace {
            None => self.account.mark_changed(),
            Some(id) => {
                if let Some(entry) = self.workspaces.get_mut(id) {
                    entry.window.mark_changed();
                }
            }
        }
    }

    /// Makes the next `take_changes` return all windows.
    pub(super) fn mark_all_changed(&mut self) {
        self.account.mark_changed();
        self.workspaces.values_mut().for_each(|entry| entry.window.mark_changed());
    }

    /// Adds what was saved of a window.
    pub(super) fn restore(&mut self, workspace: Option<&WorkspaceId>, buckets: &[SavedBucket], now: Moment) {
        let second = self.advance(now);
        let window = match workspace {
            None => &mut self.account,
            Some(id) => self.window(&Arc::new(id.clone())),
        };
        window.advance(second);
        for bucket in buckets {
            window.restore(bucket);
        }
    }

    /// Goes on to this moment, or stays where it is, if that is later: threads tell moments a little out of order. Says
    /// the second it is then.
    fn advance(&mut self, now: Moment) -> u64 {
        self.account.advance(now.second());
        self.account.latest()
    }

    fn window(&mut self, workspace: &Arc<WorkspaceId>) -> &mut Window {
        let entry = self.workspaces.entry(Arc::clone(workspace));
        &mut entry.or_insert_with_key(|id| Entry { id: Arc::clone(id), window: Window::default() }).window
    }
}
