//! Settings of reminders.

use serde::{Deserialize, Serialize};

use crate::calendar::TimeOfDay;

/// When reminders go out (rules N1, N4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DunningPolicy {
    /// Days before the due date on which to remind.
    pub due_soon_days: Vec<u16>,
    /// Days after the due date on which to remind.
    pub overdue_days: Vec<u16>,
    /// Reminders and isolation notices are sent from this local time on.
    pub quiet_until: TimeOfDay,
    /// And before this local time.
    pub quiet_from: TimeOfDay,
}

impl Default for DunningPolicy {
    fn default() -> Self {
        Self {
            due_soon_days: vec![3],
            overdue_days: vec![3],
            quiet_until: TimeOfDay::hour(8),
            quiet_from: TimeOfDay::hour(20),
        }
    }
}
