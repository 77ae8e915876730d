//! Views of the cache.
//!
//! [`use_query`] shows the entry of a key that may change, reads it when it is missing or stale, and keeps the old
//! answer in view while the next one of the same list is on its way. An answer that is overtaken by a later request is
//! ignored.

use super::cache::{Cache, Entry, QueryKey, QueryState};
use super::error::{ApiError, Result};
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::future::Future;

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
    /// Something made of other queries.
    pub(crate) fn made_of(state: Memo<QueryState<V>>, retry: Callback<()>) -> Self {
        Self { state, retry }
    }

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

    /// A part of the answer, as if it were all.
    pub fn map<U: Clone + PartialEq + Send + Sync + 'static>(self, part: fn(&V) -> U) -> Query<U> {
        let state = move |state: &QueryState<V>| QueryState {
            value: state.value.as_ref().map(part),
            error: state.error.clone(),
            fetching: state.fetching,
            outdated: state.outdated,
            read_at: state.read_at,
        };
        Query { state: Memo::new(move |_| self.state.with(state)), retry: self.retry }
    }

    /// This and another one: the old answers of both stay in view until both of the next ones are there.
    pub fn together_with(self, other: Self) -> [Self; 2] {
        let both = [self, other];
        let outdated = Memo::new(move |_| both.iter().any(|query| query.state.with(|state| state.outdated)));
        both.map(|query| {
            let state = move |before: Option<&QueryState<V>>| {
                let now = query.state.get();
                match before.filter(|before| outdated.get() && before.value.is_some()) {
                    Some(QueryState { value, read_at, .. }) => {
                        QueryState { value: value.clone(), read_at: *read_at, outdated: true, ..now }
                    }
                    None => now,
                }
            };
            Query { state: Memo::new(state), retry: query.retry }
        })
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
    Effect::new(move |before: Option<Option<(K, _)>>| {
        let key = key.get()?;
        let entry = cache.entry(&key);
        // Another page or search that was seen before is come to anew.
        if before.flatten().is_some_and(|(before, _)| before != key) {
            entry.update(Entry::age);
        }
        let viewer = entry.with_untracked(Entry::viewer);
        if !entry.with(|entry| entry.stale) {
            return Some((key, viewer));
        }
        let turn = entry.try_update(Entry::begin);
        let answer = fetch(key.clone());
        spawn_local(async move {
            let answer = answer.await;
            entry.update(|entry| {
                if Some(entry.turn) == turn {
                    entry.settle(answer);
                }
            });
        });
        Some((key, viewer))
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
            state.read_at = before.state.read_at;
            state.outdated = state.value.is_some();
        }
        Self { key, state }
    }
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
