//! Sizes observed in earlier requests: of context that a request references but does not contain, and of overruns
//! beyond a reservation.
//!
//! Both are kept in memory only, in maps of bounded size that all workers share. Their keys are hashes, with a random
//! seed, of an id and its workspace: one workspace learns nothing about another's ids, and nobody can construct two ids
//! with the same hash. Entries that have not been used for the longest time are evicted.

use keygate_contract::WorkspaceId;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The shards of a map, each with its own lock.
const SHARDS: usize = 16;
/// Entries in a shard's younger half: 131,072 in total, about 4 MB.
const YOUNG_MAX: usize = 4_096;
/// How long the largest overrun of a kind of request is added to the reservations of later ones.
const OVERRUN_LIFE: Duration = Duration::from_secs(3600);

/// Sizes observed in earlier requests. One for the process.
#[derive(Debug, Default)]
pub struct Contexts {
    hasher: RandomState,
    /// Tokens last read under an id.
    seen: Bounded<u64>,
    overruns: Bounded<Overrun>,
}

/// The largest overrun of a kind of request.
#[derive(Clone, Copy, Debug)]
struct Overrun {
    tokens: u64,
    at: Instant,
}

/// The hash of an id within a workspace, or of a kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ContextKey(u64);

/// Distinguishes requests whose overruns have different causes. For example, an answer without an output limit says
/// nothing about an answer with one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Kind {
    /// Whether a limit lowered the reservation.
    pub(crate) is_limited: bool,
    pub(crate) has_media: bool,
    /// Whether it references context that it does not contain.
    pub(crate) has_context: bool,
}

impl Contexts {
    /// The key of an id within a workspace.
    pub(crate) fn id(&self, workspace: &WorkspaceId, id: &[u8]) -> ContextKey {
        ContextKey(self.hasher.hash_one((workspace.as_str(), id)))
    }

    /// The key for requests of one kind from a workspace to the model in a slot.
    pub(crate) fn kind(&self, workspace: &WorkspaceId, slot: usize, kind: Kind) -> ContextKey {
        let Kind { is_limited, has_media, has_context } = kind;
        let flags = usize::from(is_limited) | usize::from(has_media) << 1 | usize::from(has_context) << 2;
        // One number in place of four: each costs a round of the hash on every request.
        ContextKey(self.hasher.hash_one((workspace.as_str(), slot << 3 | flags)))
    }

    /// The tokens last read under an id.
    pub(crate) fn seen(&self, key: ContextKey) -> Option<u64> {
        self.seen.get(key)
    }

    /// Records the tokens read under an id.
    pub(crate) fn see(&self, key: ContextKey, tokens: u64) {
        self.seen.put(key, tokens);
    }

    /// The largest overrun of this kind of request in the last hour.
    pub(crate) fn overrun(&self, key: ContextKey, now: Instant) -> u64 {
        self.overruns.get(key).filter(|overrun| overrun.holds(now)).map_or(0, |overrun| overrun.tokens)
    }

    /// Records an overrun of a request of this kind.
    pub(crate) fn overran(&self, key: ContextKey, tokens: u64, now: Instant) {
        if self.overrun(key, now) <= tokens {
            self.overruns.put(key, Overrun { tokens, at: now });
        }
    }
}

impl Overrun {
    fn holds(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.at) < OVERRUN_LIFE
    }
}

/// A map that evicts old entries. Each shard has two halves. The younger holds the entries added or looked up since the
/// last swap; when it is full, it replaces the older half, whose entries are dropped.
#[derive(Debug)]
struct Bounded<V> {
    shards: [Mutex<Halves<V>>; SHARDS],
}

#[derive(Debug)]
struct Halves<V> {
    young: HashMap<u64, V, foldhash::fast::RandomState>,
    old: HashMap<u64, V, foldhash::fast::RandomState>,
}

impl<V> Default for Bounded<V> {
    fn default() -> Self {
        let shard = || Mutex::new(Halves { young: HashMap::default(), old: HashMap::default() });
        Self { shards: std::array::from_fn(|_| shard()) }
    }
}

impl<V: Copy> Bounded<V> {
    fn get(&self, ContextKey(key): ContextKey) -> Option<V> {
        let mut shard = self.shard(key);
        if let Some(value) = shard.young.get(&key) {
            return Some(*value);
        }
        let value = shard.old.remove(&key)?;
        shard.put(key, value);
        Some(value)
    }

    fn put(&self, ContextKey(key): ContextKey, value: V) {
        self.shard(key).put(key, value);
    }

    fn shard(&self, key: u64) -> MutexGuard<'_, Halves<V>> {
        self.shards[key as usize % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V> Halves<V> {
    fn put(&mut self, key: u64, value: V) {
        if self.young.len() >= YOUNG_MAX && !self.young.contains_key(&key) {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_of_its_workspace_alone() {
        let contexts = Contexts::default();
        let key = |workspace: &str, id: &str| contexts.id(&workspace.into(), id.as_bytes());
        contexts.see(key("ws-1", "resp_1"), 700);
        assert_eq!(contexts.seen(key("ws-1", "resp_1")), Some(700));
        assert_eq!(contexts.seen(key("ws-2", "resp_1")), None);
        assert_eq!(contexts.seen(key("ws-1", "resp_2")), None);
        assert_ne!(key("ws-1", "1"), key("ws-", "11"));
        assert_ne!(Contexts::default().id(&"ws-1".into(), b"resp_1"), key("ws-1", "resp_1"), "seeded");
    }

    #[test]
    fn what_is_kept_is_bounded_and_what_is_used_stays() {
        let contexts = Contexts::default();
        let key = |n: u64| contexts.id(&"ws-1".into(), n.to_string().as_bytes());
        contexts.see(key(0), 7);
        for n in 1..400_000 {
            contexts.see(key(n), n);
            if n % 1000 == 0 {
                assert_eq!(contexts.seen(key(0)), Some(7));
            }
        }
        let shards = contexts.seen.shards.iter().map(|shard| shard.lock().unwrap());
        let kept: usize = shards.map(|shard| shard.young.len() + shard.old.len()).sum();
        assert!(kept <= 2 * SHARDS * YOUNG_MAX, "{kept}");
        assert_eq!(contexts.seen(key(1)), None);
        assert_eq!(contexts.seen(key(399_999)), Some(399_999));
    }

    #[test]
    fn the_largest_overrun_of_an_hour_counts_for_its_kind() {
        let contexts = Contexts::default();
        let now = Instant::now();
        let key = |kind| contexts.kind(&"ws-1".into(), 3, kind);
        let (plain, limited) = (key(Kind::default()), key(Kind { is_limited: true, ..Kind::default() }));
        contexts.overran(plain, 500, now);
        contexts.overran(plain, 300, now);
        assert_eq!((contexts.overrun(plain, now), contexts.overrun(limited, now)), (500, 0));
        let later = now + OVERRUN_LIFE;
        assert_eq!(contexts.overrun(plain, later), 0);
        contexts.overran(plain, 300, later);
        assert_eq!(contexts.overrun(plain, later), 300);
    }
}
