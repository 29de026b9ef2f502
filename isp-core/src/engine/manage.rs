//! Subscriptions, devices, promises, exemptions and outages: what officers do day by day.

use chrono::{DateTime, Utc};

use crate::billing::{Billable, Catalog, plan_billing};
use crate::calendar::{Date, Zone};
use crate::customer::Name;
use crate::device::{Cpe, DeviceAction, DeviceHistory};
use crate::engine::{CONFLICT_RETRIES, Engine, EngineError};
use crate::error::Error;
use crate::ids::{DeviceHistoryId, PackageId, SubscriptionId, derive};
use crate::isolation::transition::{Decider, transition};
use crate::isolation::{Access, AccessEvent, AccessEventKind, AccessFacts, Exemption, Outage, Promise, ServiceAccess};
use crate::ledger::{Expense, entry_for_device};
use crate::money::Money;
use crate::ports::{AccessEffect, AccessQuery, ChangeSet, PageQuery, StoreError};
use crate::subscription::{BillingTerms, Subscription, SubscriptionStatus};

/// What is said about a device that was put in, exchanged or taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceNote {
    /// When.
    pub on: Date,
    /// Why.
    pub reason: Name,
    /// Who did it.
    pub officer: Name,
    /// What it cost the provider.
    pub cost: Money,
}

impl Engine<'_> {
    /// Adds subscriptions with their access: open when service has started in the zone of `zone`, closed before that, and
    /// the wish to register the accounts on their routers.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] for a user name that its router has already, [`StoreError::Conflict`] for an id whose
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

    /// Changes the package from the next period on (rule B6). Returns the day from which it holds.
    ///
    /// # Errors
    /// [`Error::NotServing`], [`Error::UnknownPackage`], [`StoreError::NotFound`].
    pub async fn change_package(
        &self,
        subscription: SubscriptionId,
        package: PackageId,
        now: DateTime<Utc>,
    ) -> Result<Date, EngineError> {
        if !self.store.packages(self.tenant).await?.iter().any(|p| p.id == package) {
            return Err(Error::UnknownPackage.into());
        }
        let terms =
            self.change_terms(subscription, now, |terms, today| terms.change_next_period(package, today)).await?;
        Ok(terms.change.map_or(terms.start, |c| c.from))
    }

    /// Pauses service and billing from today on (rule B7).
    ///
    /// # Errors
    /// [`Error::NotServing`], [`StoreError::NotFound`].
    pub async fn pause(&self, subscription: SubscriptionId, now: DateTime<Utc>) -> Result<(), EngineError> {
        self.change_terms(subscription, now, |terms, today| terms.pause(today)).await?;
        Ok(())
    }

    /// Ends a pause today.
    ///
    /// # Errors
    /// [`Error::NotServing`], [`StoreError::NotFound`].
    pub async fn resume(&self, subscription: SubscriptionId, now: DateTime<Utc>) -> Result<(), EngineError> {
        self.change_terms(subscription, now, |terms, today| terms.resume(today)).await?;
        Ok(())
    }

    /// Ends a subscription: `end` is the day after the last day of service.
    ///
    /// # Errors
    /// [`Error::NotServing`], [`Error::EmptyPeriod`], [`StoreError::NotFound`].
    pub async fn terminate(
        &self,
        subscription: SubscriptionId,
        end: Date,
        now: DateTime<Utc>,
    ) -> Result<(), EngineError> {
        self.change_terms(subscription, now, |terms, _| terms.terminate(end)).await?;
        Ok(())
    }

    /// Bills what has come due under the old terms and writes the new ones, in one commit, so that a late billing run
    /// never applies new terms to old periods. Access follows at once when the new terms close or open it.
    async fn change_terms(
        &self,
        subscription: SubscriptionId,
        now: DateTime<Utc>,
        change: impl Fn(&BillingTerms, Date) -> Result<BillingTerms, Error>,
    ) -> Result<BillingTerms, EngineError> {
        for _ in 0..CONFLICT_RETRIES {
            let facts = self.facts_of(subscription).await?;
            let today = facts.zone.date_of(now);
            let terms = change(&facts.terms, today)?;
            let mut changes = self.settle(&facts, now).await?;
            changes.terms.push((subscription, terms));
            self.follow_status(&mut changes, AccessFacts { terms, ..facts }, now);
            match self.store.commit(self.tenant, changes).await {
                Ok(_) => return Ok(terms),
                Err(StoreError::Conflict) => {}
                Err(other) => return Err(other.into()),
            }
        }
        Err(StoreError::Conflict.into())
    }

    /// The invoices that have come due for one subscription under its present terms.
    async fn settle(&self, facts: &AccessFacts, now: DateTime<Utc>) -> Result<ChangeSet, EngineError> {
        let catalog = Catalog::new(&self.store.packages(self.tenant).await?);
        let position = self.store.billing_position(self.tenant).await?;
        let row = Billable {
            subscription_id: facts.subscription_id,
            customer_id: facts.customer_id,
            site_id: facts.site_id,
            zone: facts.zone,
            terms: facts.terms,
        };
        let mut plan = plan_billing(&[row], &self.billing_context(&catalog, position, now));
        match plan.problems.pop() {
            Some(problem) => Err(problem.error.into()),
            None => Ok(ChangeSet { invoices: plan.invoices, ..ChangeSet::default() }),
        }
    }

    fn follow_status(&self, changes: &mut ChangeSet, facts: AccessFacts, now: DateTime<Utc>) {
        let status = facts.terms.status_on(facts.zone.date_of(now));
        let (kind, reason) = match (status, facts.access.desired) {
            (SubscriptionStatus::Active, Access::Closed) => (AccessEventKind::Reopened, "in_service"),
            (SubscriptionStatus::Paused, Access::Open | Access::Isolated) => (AccessEventKind::Closed, "paused"),
            (SubscriptionStatus::Terminated, Access::Open | Access::Isolated) => {
                (AccessEventKind::Closed, "terminated")
            }
            _ => {
                changes.touched.push(facts.subscription_id);
                return;
            }
        };
        let decider = Decider { by: "engine", reason };
        transition(changes, self.tenant, &facts, kind, decider, &self.policy.dunning, now);
    }

    async fn facts_of(&self, subscription: SubscriptionId) -> Result<AccessFacts, EngineError> {
        let query = AccessQuery::Subscriptions(vec![subscription]);
        let mut facts = self.store.load_access(self.tenant, &query, PageQuery::first(1)).await?;
        facts.pop().ok_or_else(|| StoreError::NotFound { what: "subscription" }.into())
    }

    /// Puts a device in at a customer's place and writes its history and cost.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] for a serial that is there already.
    pub async fn install_device(&self, cpe: Cpe, note: &DeviceNote) -> Result<(), EngineError> {
        let mut changes = ChangeSet::default();
        device_step(&mut changes, &cpe, DeviceAction::Installed, note, note.cost)?;
        changes.cpes.push(Cpe { installed: true, ..cpe });
        self.store.commit(self.tenant, changes).await?;
        Ok(())
    }

    /// Exchanges a device for another at the same customer's place; the cost is written once, with the new one.
    ///
    /// # Errors
    /// [`Error::DeviceNotInstalled`], [`StoreError::Duplicate`].
    pub async fn replace_device(&self, old: Cpe, new: Cpe, note: &DeviceNote) -> Result<(), EngineError> {
        if !old.installed || old.customer_id != new.customer_id {
            return Err(Error::DeviceNotInstalled.into());
        }
        let mut changes = ChangeSet::default();
        device_step(&mut changes, &old, DeviceAction::Replaced, note, Money::ZERO)?;
        device_step(&mut changes, &new, DeviceAction::Installed, note, note.cost)?;
        changes.cpes.extend([Cpe { installed: false, ..old }, Cpe { installed: true, ..new }]);
        self.store.commit(self.tenant, changes).await?;
        Ok(())
    }

    /// Takes a device back.
    ///
    /// # Errors
    /// [`Error::DeviceNotInstalled`].
    pub async fn return_device(&self, cpe: Cpe, note: &DeviceNote) -> Result<(), EngineError> {
        if !cpe.installed {
            return Err(Error::DeviceNotInstalled.into());
        }
        let mut changes = ChangeSet::default();
        device_step(&mut changes, &cpe, DeviceAction::Returned, note, note.cost)?;
        changes.cpes.push(Cpe { installed: false, ..cpe });
        self.store.commit(self.tenant, changes).await?;
        Ok(())
    }

    /// Records a promise to pay.
    ///
    /// # Errors
    /// [`Error::EmptyPeriod`] when it ends before it is made.
    pub async fn promise(&self, promise: Promise) -> Result<(), EngineError> {
        if promise.until < promise.made_on {
            return Err(Error::EmptyPeriod.into());
        }
        let touched = self.subscriptions_of(promise.customer_id).await?;
        let changes = ChangeSet { promises: vec![promise], touched, ..ChangeSet::default() };
        self.store.commit(self.tenant, changes).await?;
        Ok(())
    }

    /// Records an exemption from isolation.
    ///
    /// # Errors
    /// [`Error::EmptyPeriod`] when it ends before it starts, [`Error::Empty`] without a reason.
    pub async fn exempt(&self, exemption: Exemption) -> Result<(), EngineError> {
        if exemption.until < exemption.from {
            return Err(Error::EmptyPeriod.into());
        }
        if exemption.reason.trim().is_empty() {
            return Err(Error::Empty { field: "reason" }.into());
        }
        let touched = self.subscriptions_of(exemption.customer_id).await?;
        let changes = ChangeSet { exemptions: vec![exemption], touched, ..ChangeSet::default() };
        self.store.commit(self.tenant, changes).await?;
        Ok(())
    }

    /// Records an outage of a site, or its end.
    ///
    /// # Errors
    /// [`Error::EmptyPeriod`] when it ends before it starts.
    pub async fn outage(&self, outage: Outage) -> Result<(), EngineError> {
        if outage.until.is_some_and(|until| until <= outage.from) {
            return Err(Error::EmptyPeriod.into());
        }
        self.store.commit(self.tenant, ChangeSet { outages: vec![outage], ..ChangeSet::default() }).await?;
        Ok(())
    }

    /// Books an expense.
    ///
    /// # Errors
    /// [`Error::NotPositive`]; [`StoreError::Duplicate`] for an id that is there already.
    pub async fn expense(&self, expense: Expense) -> Result<(), EngineError> {
        if !expense.amount.is_positive() {
            return Err(Error::NotPositive { field: "amount" }.into());
        }
        let journal = vec![expense.entry()];
        self.store.commit(self.tenant, ChangeSet { expenses: vec![expense], journal, ..ChangeSet::default() }).await?;
        Ok(())
    }

    async fn subscriptions_of(&self, customer: crate::ids::CustomerId) -> Result<Vec<SubscriptionId>, EngineError> {
        Ok(self.access_of(customer).await?.into_iter().map(|f| f.subscription_id).collect())
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

/// Adds what happened to a device to a change set: its history, and the entry for its cost.
///
/// # Errors
/// [`Error::TooLong`] when the device in words is, [`Error::NotPositive`] for a negative cost.
pub fn device_step(
    changes: &mut ChangeSet,
    cpe: &Cpe,
    action: DeviceAction,
    note: &DeviceNote,
    cost: Money,
) -> Result<(), Error> {
    let words: Vec<&str> = [&cpe.outdoor_unit, &cpe.router].into_iter().flatten().map(Name::as_str).collect();
    let described = format!("{} {}", cpe.serial, words.join(" / "));
    let history = DeviceHistory {
        id: DeviceHistoryId(derive(cpe.id.0, &[action.code(), &note.on.to_string()])),
        customer_id: cpe.customer_id,
        cpe_id: cpe.id,
        on: note.on,
        action,
        device: Name::parse("device", &described)?,
        reason: note.reason.clone(),
        ownership: cpe.ownership,
        officer: note.officer.clone(),
        cost,
    }
    .checked()?;
    changes.journal.extend(entry_for_device(&history));
    changes.device_history.push(history);
    Ok(())
}
