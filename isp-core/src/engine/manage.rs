//! New subscriptions; customers who were added by mistake.

use chrono::{DateTime, Utc};

use crate::calendar::Zone;
use crate::engine::{Engine, EngineError};
use crate::error::Error;
use crate::ids::CustomerId;
use crate::isolation::{Access, AccessEffect, AccessEvent, AccessEventKind, ServiceAccess};
use crate::money::Money;
use crate::ports::{ChangeSet, StoreError};
use crate::subscription::{Subscription, SubscriptionStatus};

pub use crate::engine::device::{DeviceNote, device_step};

impl Engine<'_> {
    /// Removes a customer who was added by mistake.
    ///
    /// # Errors
    /// [`Error::CustomerHasHistory`] when there is a line, a payment, a device or anything else of him.
    pub async fn remove_customer(&self, customer: CustomerId) -> Result<(), EngineError> {
        let changes = ChangeSet { removed_customers: vec![customer], ..ChangeSet::default() };
        match self.store.commit(self.tenant, changes).await {
            Err(StoreError::Rejected { .. }) => Err(Error::CustomerHasHistory.into()),
            other => Ok(other.map(drop)?),
        }
    }

    /// Adds subscriptions with their access: open when service has started in the zone of `zone`, closed before that, and
    /// the wish to register the accounts on their routers.
    ///
    /// # Errors
    /// [`crate::ports::StoreError::Duplicate`] for a user name that its router has already, [`crate::ports::StoreError::Conflict`] for an id whose
    /// access is there already; nothing of the list is written then.
    pub async fn subscribe(
        &self,
        subscriptions: Vec<(Subscription, Zone)>,
        now: DateTime<Utc>,
    ) -> Result<(), EngineError> {
        let mut changes = ChangeSet::default();
        for (subscription, zone) in subscriptions {
            add_subscription(&mut changes, subscription, zone, now);
        }
        self.store.commit(self.tenant, changes).await?;
        Ok(())
    }
}

/// Adds a new subscription to a change set: the row, its access, the first event, and the wish to its router.
pub fn add_subscription(changes: &mut ChangeSet, subscription: Subscription, zone: Zone, now: DateTime<Utc>) {
    let active = subscription.terms.status_on(zone.date_of(now)) == SubscriptionStatus::Active;
    let access = ServiceAccess::new(subscription.id, if active { Access::Open } else { Access::Closed });
    changes.access_events.push(AccessEvent {
        id: AccessEvent::id_of(subscription.id, access.revision),
        subscription_id: subscription.id,
        at: now,
        kind: if active { AccessEventKind::Registered } else { AccessEventKind::Closed },
        by: "engine".to_owned(),
        reason: if active { "in_service" } else { "pending" }.to_owned(),
        overdue: Money::ZERO,
        revision: access.revision,
    });
    if let Some(router_id) = subscription.router_id {
        changes.effects.push(AccessEffect {
            subscription_id: subscription.id,
            router_id,
            revision: access.revision,
            not_before: now,
        });
    }
    changes.access.push(access);
    changes.subscriptions.push(subscription);
}
