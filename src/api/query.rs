//! A small cache of answers on signals.
//!
//! A [`Cache`] holds one entry a key. [`use_query`] shows the entry of a key that may change, reads it when it is
//! missing or stale, and keeps the old answer in view while the next one of the same list is on its way. An answer
//! that is overtaken by a later request is ignored.

use super::error::{ApiError, Result};
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;

/// An answer this old, in milliseconds, is read again when a page comes to it.
const FRESH_MS: f64 = 15_000.0;

/// What names an answer.
pub trait QueryKey: Clone + Eq + Hash + Send + Sync + 'static {
    /// Whether the answer to `other` may stay in view while this one is read: another page or search of the same list.
    fn continues(&self, other: &Self) -> bool {
        self == other
    }
}

impl QueryKey for () {}

/// Answers of one kind.
pub struct Cache<K: QueryKey, V: Send + Sync + 'static>(StoredValue<HashMap<K, ArcRwSignal<Entry<V>>>>);

impl<K: QueryKey, V: Send + Sync + 'static> Clone for Cache<K, V> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K: QueryKey, V: Send + Sync + 'static> Copy for Cache<K, V> {}

struct Entry<V> {
    value: Option<V>,
    error: Option<ApiError>,
    /// A request is on its way.
    fetching: bool,
    /// It must be read, or read again.
    stale: bool,
    /// Which request is the latest; the answers of earlier ones are ignored.
    turn: u64,
    /// When the value came, in milliseconds of the page's clock.
    read_at: f64,
}

impl<K: QueryKey, V: Clone + Send + Sync + 'static> Cache<K, V> {
    pub(crate) fn new() -> Self {
        Self(StoredValue::new(HashMap::new()))
    }

    fn entry(self, key: &K) -> ArcRwSignal<Entry<V>> {
        let fresh = || ArcRwSignal::new(Entry::empty());
        self.0
            .try_update_value(|entries| entries.entry(key.clone()).or_insert_with(fresh).clone())
            .unwrap_or_else(fresh)
    }

    /// Puts an answer in that came with another one.
    pub fn put(self, key: &K, value: V) {
        self.entry(key).update(|entry| entry.settle(Ok(value)));
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

    /// Forgets everything: another person may sign in next.
    pub(crate) fn clear(self) {
        self.0.update_value(HashMap::clear);
    }
}

impl<V> Entry<V> {
    fn empty() -> Self {
        Self { value: None, error: None, fetching: false, stale: true, turn: 0, read_at: 0.0 }
    }

    fn begin(&mut self) -> u64 {
        self.stale = false;
        self.fetching = true;
        self.turn += 1;
        self.turn
    }

    fn settle(&mut self, answer: Result<V>) {
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
}

/// A view of the cache at a key that may change.
pub struct Query<V: Send + Sync + 'static> {
    state: Memo<QueryState<V>>,
    retry: Callback<()>,
}

impl<V: Send + Sync + 'static> Clone for Query<V> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<V: Send + Sync + 'static> Copy for Query<V> {}

impl<V: Clone + PartialEq + Send + Sync + 'static> Query<V> {
    /// What to show now.
    pub fn state(self) -> Memo<QueryState<V>> {
        self.state
    }

    /// The latest answer.
    pub fn value(self) -> Option<V> {
        self.state.with(|state| state.value.clone())
    }

    /// Why the latest request failed.
    pub fn error(self) -> Option<ApiError> {
        self.state.with(|state| state.error.clone())
    }

    /// Reads it again.
    pub fn retry(self) {
        self.retry.run(());
    }
}

/// Shows the answer at `key`, reading it with `fetch` when it is missing or stale. Without a key nothing is read.
pub fn use_query<K, V, F, Fut>(cache: Cache<K, V>, key: Signal<Option<K>>, fetch: F) -> Query<V>
where
    K: QueryKey,
    V: Clone + PartialEq + Send + Sync + 'static,
    F: Fn(K) -> Fut + 'static,
    Fut: Future<Output = Result<V>> + 'static,
{
    let key = Memo::new(move |_| key.get());
    if let Some(key) = key.get_untracked() {
        cache.entry(&key).update(Entry::age);
    }
    Effect::new(move |_| {
        let Some(key) = key.get() else { return };
        let entry = cache.entry(&key);
        if !entry.with(|entry| entry.stale) {
            return;
        }
        let turn = entry.try_update(Entry::begin);
        let answer = fetch(key);
        spawn_local(async move {
            let answer = answer.await;
            entry.update(|entry| {
                if Some(entry.turn) == turn {
                    entry.settle(answer);
                }
            });
        });
    });
    let shown = Memo::new(move |before: Option<&Shown<K, V>>| {
        let key = key.get();
        let state = key.as_ref().map_or_else(QueryState::nothing, |key| cache.entry(key).with(Entry::state));
        Shown::after(before, key, state)
    });
    let retry = move |()| {
        if let Some(key) = key.get_untracked() {
            cache.entry(&key).update(|entry| entry.stale = true);
        }
    };
    Query { state: Memo::new(move |_| shown.with(|shown| shown.state.clone())), retry: Callback::new(retry) }
}

impl<V: Clone> Entry<V> {
    fn state(&self) -> QueryState<V> {
        QueryState {
            value: self.value.clone(),
            error: self.error.clone(),
            fetching: self.fetching || self.stale,
            outdated: false,
        }
    }

    /// Marks an answer that has stood for a while as stale; a page comes to it.
    fn age(&mut self) {
        let old = self.value.is_some() && now() - self.read_at > FRESH_MS;
        self.stale |= !self.fetching && (old || self.error.is_some());
    }
}

impl<V> QueryState<V> {
    fn nothing() -> Self {
        Self { value: None, error: None, fetching: false, outdated: false }
    }
}

/// A state and the key it is of.
#[derive(Clone, PartialEq)]
struct Shown<K, V> {
    key: Option<K>,
    state: QueryState<V>,
}

impl<K: QueryKey, V: Clone> Shown<K, V> {
    /// The new state; if its answer is still on its way, with the answer before it where the list is the same.
    fn after(before: Option<&Self>, key: Option<K>, mut state: QueryState<V>) -> Self {
        if let (Some(before), Some(this)) = (before, &key)
            && state.value.is_none()
            && state.error.is_none()
            && before.key.as_ref().is_some_and(|that| this.continues(that))
        {
            state.value.clone_from(&before.state.value);
            state.outdated = state.value.is_some();
        }
        Self { key, state }
    }
}

fn now() -> f64 {
    js_sys::Date::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, PartialEq, Eq, Hash)]
    struct Search(&'static str, &'static str);

    impl QueryKey for Search {
        fn continues(&self, other: &Self) -> bool {
            self.0 == other.0
        }
    }

    fn answered(value: u8) -> QueryState<u8> {
        QueryState { value: Some(value), ..QueryState::nothing() }
    }

    #[test]
    fn old_rows_stay_while_another_search_of_the_list_is_read() {
        let before = Shown::after(None, Some(Search("ws-1", "")), answered(7));
        let next = Shown::after(Some(&before), Some(Search("ws-1", "ci")), QueryState::nothing());
        assert_eq!((next.state.value, next.state.outdated), (Some(7), true));
    }

    #[test]
    fn rows_of_one_list_never_stand_in_another() {
        let before = Shown::after(None, Some(Search("ws-1", "")), answered(7));
        let next = Shown::after(Some(&before), Some(Search("ws-2", "")), QueryState::nothing());
        assert_eq!((next.state.value, next.state.outdated), (None, false));
    }

    #[test]
    fn an_answer_replaces_old_rows_and_an_error_does_not_hide_behind_them() {
        let before = Shown::after(None, Some(Search("ws-1", "")), answered(7));
        let next = Shown::after(Some(&before), Some(Search("ws-1", "ci")), answered(8));
        assert_eq!((next.state.value, next.state.outdated), (Some(8), false));
        let failed = QueryState { error: Some(ApiError::unreachable()), ..QueryState::nothing() };
        assert_eq!(Shown::after(Some(&before), Some(Search("ws-1", "ci")), failed).state.value, None);
    }
}
