//! How fast sessions are ended on one router.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// At most so many sessions in so much time, over all turns on a router: boxes that dial together hit the
/// authentication of the router together.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// When the present stretch began, and how many sessions were ended in it.
    stretch: Option<(Instant, usize)>,
}

impl Pace {
    /// Waits until at least one session may be ended; returns how many may be, of those wanted.
    pub(super) async fn take(&mut self, wanted: usize, batch: usize, pause: Duration) -> usize {
        let batch = batch.max(1);
        let (began, mut used) = self.stretch.unwrap_or((Instant::now(), 0));
        let mut began = began;
        if Instant::now() >= began + pause {
            (began, used) = (Instant::now(), 0);
        } else if used >= batch {
            sleep_until(began + pause).await;
            (began, used) = (Instant::now(), 0);
        }
        let taken = wanted.min(batch - used);
        self.stretch = Some((began, used + taken));
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stretch_holds_a_batch_and_no_more() {
        let (mut pace, pause, started) = (Pace::default(), Duration::from_millis(40), Instant::now());
        assert_eq!(pace.take(3, 5, pause).await, 3);
        assert_eq!(pace.take(9, 5, pause).await, 2);
        assert!(started.elapsed() < pause);
        assert_eq!(pace.take(9, 5, pause).await, 5);
        assert!(started.elapsed() >= pause);
    }
}
