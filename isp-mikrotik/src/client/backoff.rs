//! How long to wait before a router is asked again.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Pauses between attempts to connect: doubling from `first` to `longest`, each scattered by up to a half, so that a
/// fleet does not come back all at once.
///
/// ```
/// use isp_mikrotik::client::Backoff;
/// use std::time::Duration;
/// let backoff = Backoff { first: Duration::from_millis(100), longest: Duration::from_secs(1) };
/// assert!((50..150).contains(&backoff.pause(1).as_millis()));
/// assert!((500..1500).contains(&backoff.pause(30).as_millis()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The pause after the first failure. Default 250 ms.
    pub first: Duration,
    /// The longest pause, before it is scattered. Default 30 s.
    pub longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Backoff { first: Duration::from_millis(250), longest: Duration::from_secs(30) }
    }
}

impl Backoff {
    /// The pause after this many failures in a row: between a half and one and a half of what doubling says.
    pub fn pause(&self, failures: u32) -> Duration {
        let doubled = self.first.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)));
        let base = doubled.min(self.longest);
        // The keys of the hasher are random; nothing here needs to be unpredictable.
        let dice = u32::try_from(RandomState::new().hash_one(failures) % 1000).unwrap_or_default();
        base / 2 + base.saturating_mul(dice) / 1000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_scatter() {
        let backoff = Backoff { first: Duration::from_millis(100), longest: Duration::from_secs(2) };
        for (failures, base) in [(1, 100), (2, 200), (3, 400), (5, 1600), (6, 2000), (40, 2000)] {
            for _ in 0..50 {
                let pause = backoff.pause(failures).as_millis();
                assert!((base / 2..base + base / 2).contains(&pause), "{failures}: {pause} ms");
            }
        }
        let seen: std::collections::BTreeSet<_> = (0..50).map(|_| backoff.pause(6)).collect();
        assert!(seen.len() > 10, "{seen:?}");
    }
}
