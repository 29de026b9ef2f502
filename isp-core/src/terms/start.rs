//! The start of a line.

use chrono::{DateTime, Utc};

use crate::calendar::Zone;
use crate::error::Error;
use crate::ids::LineIds;
use crate::isolation::{Access, AccessEffect, AccessEvent, AccessEventKind, ServiceAccess};
use crate::money::Money;
use crate::subscription::{Subscription, SubscriptionStatus};

use super::change::Change;
use super::draft::Draft;
use super::facts::LineFacts;

/// What a new line writes besides its row.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Started {
    /// Open when service has begun, closed before that.
    pub access: ServiceAccess,
    /// The first event.
    pub event: AccessEvent,
    /// The wish to register the account, for a line that has a router.
    pub effect: Option<AccessEffect>,
}

/// What the terms of a new line come to: nothing is written but the line, and the first invoice is named.
///
/// # Errors
/// [`Error::UnknownPackage`], [`Error::NoPrice`], [`Error::NoTaxRule`].
pub fn begin<I: LineIds>(facts: &LineFacts<'_, I>) -> Result<Change<I>, Error> {
    let terms = facts.line.terms;
    facts.catalog.find(terms.package_id)?;
    let draft = Draft { facts, charges: facts.charges.to_vec(), change: Change::new(facts) };
    draft.finish(terms, terms.start)
}

/// What a new line comes to besides. It is billed from its start by the next run; [`begin`] says what that comes to.
#[must_use]
pub fn start(subscription: &Subscription, zone: Zone, now: DateTime<Utc>) -> Started {
    let active = subscription.terms.status_on(zone.date_of(now)) == SubscriptionStatus::Active;
    let access = ServiceAccess::new(subscription.id, if active { Access::Open } else { Access::Closed });
    let event = AccessEvent {
        id: AccessEvent::id_of(subscription.id, access.revision),
        subscription_id: subscription.id,
        at: now,
        kind: if active { AccessEventKind::Registered } else { AccessEventKind::Closed },
        by: "engine".to_owned(),
        reason: if active { "in_service" } else { "pending" }.to_owned(),
        overdue: Money::ZERO,
        revision: access.revision,
    };
    let effect = subscription.router_id.map(|router_id| AccessEffect {
        subscription_id: subscription.id,
        router_id,
        revision: access.revision,
        not_before: now,
    });
    Started { access, event, effect }
}
