//! Maps and sets of the line. They are keyed by ids of the store's own making, or only looked into by names that callers send; so
//! a hash that is fast is enough, and one that withstands chosen keys is not needed. It is seeded at random all the same.

use foldhash::fast::RandomState;

pub(crate) type HashMap<K, V> = std::collections::HashMap<K, V, RandomState>;
pub(crate) type HashSet<T> = std::collections::HashSet<T, RandomState>;
pub(crate) type DashMap<K, V> = dashmap::DashMap<K, V, RandomState>;
