//! Time passes when somebody looks.

use super::state::State;

impl State {
    /// Lets due dial attempts happen, and tells who listens what changed.
    pub(super) fn advance(&mut self) {
        self.dial_due();
        self.serve_boxes();
        self.tell();
    }
}
