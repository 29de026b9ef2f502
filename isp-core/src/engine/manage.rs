//! New subscriptions; rows of the master data that were added by mistake.

use chrono::{DateTime, Utc};

use crate::calendar::Zone;
use crate::engine::{Engine, EngineError};
use crate::error::Error;
use crate::ids::MasterId;
use crate::ports::{ChangeSet, StoreError};
use crate::subscription::Subscription;
use crate::terms::start::{Started, start};

pub use crate::engine::device::{DeviceNote, device_step};

impl Engine<'_> {
    /// Removes a row of the master data that was added by mistake.
    ///
    /// # Errors
    /// [`Error::CustomerHasHistory`] when there is a line, a payment, a device or anything else of a customer,
    /// [`Error::StillNamed`] when anything names another row.
    pub async fn remove(&self, row: MasterId) -> Result<(), EngineError> {
        let changes = ChangeSet { removed: vec![row], ..ChangeSet::default() };
        match (self.store.commit(self.tenant, changes).await, row) {
            (Err(StoreError::Rejected { .. }), MasterId::Customer(_)) => Err(Error::CustomerHasHistory.into()),
            (Err(StoreError::Rejected { .. }), _) => Err(Error::StillNamed { what: row.kind() }.into()),
            (other, _) => Ok(other.map(drop)?),
        }
    }

    /// Adds subscriptions with their access: open when service has started in the zone of `zone`, closed before that, and
    /// the wish to register the accounts on their routers.
    ///
    /// # Errors
    /// [`Error::Archived`] for a site or router that takes no lines;
    /// [`crate::ports::StoreError::Duplicate`] for a user name that its router has already, [`crate::ports::StoreError::Conflict`] for an id whose
    /// access is there already; nothing of the list is written then.
    pub async fn subscribe(
        &self,
        subscriptions: Vec<(Subscription, Zone)>,
        now: DateTime<Utc>,
    ) -> Result<(), EngineError> {
        let mut changes = ChangeSet::default();
        self.must_take(subscriptions.iter().map(|(line, _)| line)).await?;
        for (subscription, zone) in subscriptions {
            add_subscription(&mut changes, subscription, zone, now);
        }
        self.store.commit(self.tenant, changes).await?;
        Ok(())
    }
}

/// Adds a new subscription to a change set: the row, its access, the first event, and the wish to its router.
pub fn add_subscription(changes: &mut ChangeSet, subscription: Subscription, zone: Zone, now: DateTime<Utc>) {
    let Started { access, event, effect } = start(&subscription, zone, now);
    changes.access.push(access);
    changes.access_events.push(event);
    changes.effects.extend(effect);
    changes.subscriptions.push(subscription);
}
