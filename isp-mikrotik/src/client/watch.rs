//! Waiting awake for an answer that is nearly here.
//!
//! To fall asleep and be woken takes longer than a near router needs to answer: on a virtual machine with idle processors
//! several times as long. So a caller that waits looks at the socket itself for a moment first
//! ([`ConnectOptions::spin`](super::ConnectOptions::spin)), and what arrives for others is landed with its own. It lets other
//! tasks run between two looks. Where that is more often in vain than not, because the router is far or the processors are
//! busy, it soon happens no more: each moment in vain doubles the waits that go by without one, up to [`MOST_SKIPPED`], and
//! each that was worth it halves them.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// How many waits go by, at most, before a slow router is given another chance.
const MOST_SKIPPED: u32 = 1 << 10;

/// Who waits awake on a connection, and whether that pays.
#[derive(Debug, Default)]
pub(super) struct Watch {
    awake: AtomicBool,
    /// Moments in vain, less those that were worth it; 2 to its power is how many waits the next one in vain skips.
    in_vain: AtomicU32,
    skip: AtomicU32,
}

impl Watch {
    /// The turn of one caller to wait awake for so long, if nobody else does and it is worth it.
    pub(super) fn begin(&self, moment: Duration) -> Option<Turn<'_>> {
        if moment.is_zero() || self.skips() || self.awake.swap(true, Relaxed) {
            return None;
        }
        Some(Turn { watch: self, until: Instant::now() + moment })
    }

    /// Relaxed: to miscount a wait costs one moment.
    fn skips(&self) -> bool {
        let skip = self.skip.load(Relaxed);
        self.skip.store(skip.saturating_sub(1), Relaxed);
        skip > 0
    }
}

/// One moment of waiting awake.
pub(super) struct Turn<'a> {
    watch: &'a Watch,
    until: Instant,
}

impl Turn<'_> {
    /// Whether the moment is over, in vain.
    pub(super) fn is_over(&self) -> bool {
        if Instant::now() < self.until {
            return false;
        }
        let in_vain = self.watch.in_vain.load(Relaxed);
        self.watch.skip.store(1 << in_vain, Relaxed);
        self.watch.in_vain.store((in_vain + 1).min(MOST_SKIPPED.ilog2()), Relaxed);
        true
    }

    /// It was worth it.
    pub(super) fn landed(&self) {
        self.watch.in_vain.store(self.watch.in_vain.load(Relaxed).saturating_sub(1), Relaxed);
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.watch.awake.store(false, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_router_is_waited_for_awake_ever_more_seldom() {
        let (watch, moment) = (Watch::default(), Duration::from_nanos(1));
        let mut skipped = Vec::new();
        for _ in 0..14 {
            let mut count = 0;
            let turn = loop {
                match watch.begin(moment) {
                    Some(turn) => break turn,
                    None => count += 1,
                }
            };
            while !turn.is_over() {}
            skipped.push(count);
        }
        assert_eq!(skipped, [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1024, 1024]);
        // Ten answers in time, and it is worth waiting each time again.
        while watch.skips() {}
        for _ in 0..10 {
            watch.begin(moment).expect("a turn").landed();
        }
        let turn = watch.begin(moment).expect("a turn");
        while !turn.is_over() {}
        assert_eq!(watch.skip.load(Relaxed), 1);
    }

    #[test]
    fn one_caller_at_a_time_waits_awake_and_none_if_told_so() {
        let watch = Watch::default();
        let turn = watch.begin(Duration::from_secs(1));
        assert!(turn.is_some() && watch.begin(Duration::from_secs(1)).is_none());
        drop(turn);
        assert!(watch.begin(Duration::ZERO).is_none());
        assert!(watch.begin(Duration::from_secs(1)).is_some());
    }
}
