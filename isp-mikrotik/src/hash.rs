//! Tables of what a router holds: accounts are looked up by the ten thousand, and the usual hash of Rust takes longer than the rest.

use foldhash::fast::RandomState;

/// By key. Each table has a seed of its own, so that nobody can choose names that collide.
pub(crate) type HashMap<K, V> = std::collections::HashMap<K, V, RandomState>;
/// Without values.
pub(crate) type HashSet<K> = std::collections::HashSet<K, RandomState>;
