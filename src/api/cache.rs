//! What is kept of the server's answers: one entry a key.

use super::error::{ApiError, Result};
use leptos::prelude::*;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

/// An answer this old, in milliseconds, is read again when a page comes to it.
const FRESH_MS: f64 = 15_000.0;

/// How many answers of a kind are kept, beside those in view. Every word that is searched for makes one.
const KEPT: usize = 50;

/// What names an answer.
pub trait QueryKey: Clone + Eq + Hash + Send + Sync + 'static {
    /// Whether the answer to `other` may stay in view while this one is read: another page or search of the same list.
    fn continues(&self, other: &Self) -> bool {
        self == other
    }
}

impl QueryKey for () {}

/// What a query shows.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryState<V> {
    /// The latest answer, of this key or of the one before it in the same list.
    pub value: Option<V>,
    /// Why the latest request failed.
    pub error: Option<ApiError>,
    /// A request is on its way.
    pub fetching: bool,
    /// The value is of another page or search than the one asked for.
    pub outdated: bool,
    /// When the value came, in milliseconds since 1970.
    pub read_at: Option<f64>,
}

impl<V> QueryState<V> {
    pub(crate) fn nothing() -> Self {
        Self { value: None, error: None, fetching: false, outdated: false, read_at: None }
    }
}

/// Answers of one kind.
pub struct Cache<K: QueryKey, V: Send + Sync + 'static>(StoredValue<HashMap<K, ArcRwSignal<Entry<V>>>>);

impl<K: QueryKey, V: Send + Sync + 'static> Clone for Cache<K, V> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K: QueryKey, V: Send + Sync + 'static> Copy for Cache<K, V> {}

pub(super) struct Entry<V> {
    value: Option<V>,
    error: Option<ApiError>,
    /// A request is on its way.
    fetching: bool,
    /// It must be read, or read again.
    pub(super) stale: bool,
    /// Which request is the latest; the answers of earlier ones are ignored.
    pub(super) turn: u64,
    /// When the value came, in milliseconds since 1970.
    read_at: f64,
    /// Each view of the entry holds a clone.
    viewers: Arc<()>,
}

impl<K: QueryKey, V: Clone + Send + Sync + 'static> Cache<K, V> {
    pub(crate) fn new() -> Self {
        Self(StoredValue::new(HashMap::new()))
    }

    pub(super) fn entry(self, key: &K) -> ArcRwSignal<Entry<V>> {
        let fresh = || ArcRwSignal::new(Entry::empty());
        let find = |entries: &mut HashMap<K, ArcRwSignal<Entry<V>>>| {
            if entries.len() >= KEPT && !entries.contains_key(key) {
                entries.retain(|_, entry| entry.with_untracked(Entry::is_in_view));
            }
            entries.entry(key.clone()).or_insert_with(fresh).clone()
        };
        self.0.try_update_value(find).unwrap_or_else(fresh)
    }

    /// Puts an answer in that came with another one.
    pub fn put(self, key: &K, value: V) {
        self.entry(key).update(|entry| entry.settle(Ok(value)));
    }

    /// An answer as it is, without asking for it.
    pub(crate) fn peek(self, key: &K) -> Option<V> {
        self.0.with_value(|entries| {
            entries.get(key).and_then(|entry| entry.with_untracked(|e| e.value.clone()))
        })
    }

    /// Has the answers of these keys read again: at once where they are in view, else when they next are.
    pub fn invalidate(self, which: impl Fn(&K) -> bool) {
        self.mark_stale(|key, _| which(key));
    }

    pub(crate) fn retry_failed(self) {
        self.mark_stale(|_, entry| entry.error.is_some());
    }

    fn mark_stale(self, which: impl Fn(&K, &Entry<V>) -> bool) {
        let entries: Vec<_> =
            self.0.with_value(|entries| entries.iter().map(|(k, e)| (k.clone(), e.clone())).collect());
        for (key, entry) in entries {
            if entry.with_untracked(|entry| which(&key, entry)) {
                entry.update(|entry| entry.stale = true);
            }
        }
    }

    /// Forgets one answer.
    pub(crate) fn forget(self, key: &K) {
        self.0.update_value(|entries| drop(entries.remove(key)));
    }

    /// Forgets everything: another person may sign in next.
    pub(crate) fn clear(self) {
        self.0.update_value(HashMap::clear);
    }
}

impl<V> Entry<V> {
    fn empty() -> Self {
        Self {
            value: None,
            error: None,
            fetching: false,
            stale: true,
            turn: 0,
            read_at: 0.0,
            viewers: Arc::new(()),
        }
    }

    /// To be held by whoever shows the entry, so that it is kept and read again when it becomes stale.
    pub(super) fn viewer(&self) -> Arc<()> {
        Arc::clone(&self.viewers)
    }

    fn is_in_view(&self) -> bool {
        self.fetching || Arc::strong_count(&self.viewers) > 1
    }

    /// A request is sent; its number tells its answer from those of others.
    pub(super) fn begin(&mut self) -> u64 {
        self.stale = false;
        self.fetching = true;
        self.turn += 1;
        self.turn
    }

    /// An answer came.
    pub(super) fn settle(&mut self, answer: Result<V>) {
        self.fetching = false;
        self.stale = false;
        self.turn += 1;
        match answer {
            Ok(value) => {
                self.value = Some(value);
                self.error = None;
                self.read_at = now();
            }
            Err(error) => {
                if matches!(error.status, 401 | 403 | 404) {
                    self.value = None;
                }
                self.error = Some(error);
            }
        }
    }
}

impl<V: Clone> Entry<V> {
    /// What it shows by itself.
    pub(super) fn state(&self) -> QueryState<V> {
        QueryState {
            value: self.value.clone(),
            error: self.error.clone(),
            fetching: self.fetching || self.stale,
            outdated: false,
            read_at: self.value.as_ref().map(|_| self.read_at),
        }
    }

    /// Marks an answer that has stood for a while as stale; a page comes to it.
    pub(super) fn age(&mut self) {
        let old = self.value.is_some() && now() - self.read_at > FRESH_MS;
        self.stale |= !self.fetching && (old || self.error.is_some());
    }
}

fn now() -> f64 {
    js_sys::Date::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    impl QueryKey for u32 {}

    #[test]
    fn what_is_in_view_outlives_what_was_only_passed_by() {
        let owner = Owner::new();
        owner.set();
        let cache = Cache::<u32, ()>::new();
        let seen = cache.entry(&0);
        seen.update(|entry| entry.turn = 7);
        let viewer = seen.with_untracked(Entry::viewer);
        for key in 1..=1_000 {
            cache.entry(&key);
        }
        assert!(cache.0.with_value(HashMap::len) <= KEPT);
        assert_eq!(cache.entry(&0).with_untracked(|entry| entry.turn), 7);
        drop(viewer);
        for key in 1..=1_000 {
            cache.entry(&key);
        }
        assert_eq!(cache.entry(&0).with_untracked(|entry| entry.turn), 0);
    }
}
