//! New subscriptions, devices, promises, exemptions and outages: what officers do day by day.

use chrono::{DateTime, Utc};

use crate::calendar::{Date, Zone};
use crate::device::{Cpe, DeviceAction, DeviceHistory};
use crate::engine::{Engine, EngineError};
use crate::error::Error;
use crate::ids::{DeviceHistoryId, SubscriptionId, derive};
use crate::ledger::{Expense, entry_for_device};
use crate::money::Money;
use crate::ports::ChangeSet;
use crate::protection::{Exemption, Outage, Promise};
use crate::subscription::Subscription;
use crate::terms::start::{Started, start};
use crate::text::Name;

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

    /// Puts a device in at a customer's place and writes its history and cost.
    ///
    /// # Errors
    /// [`crate::ports::StoreError::Duplicate`] for a serial that is there already.
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
    /// [`Error::DeviceNotInstalled`], [`crate::ports::StoreError::Duplicate`].
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
    /// [`Error::EmptyPeriod`] when it ends before it is made; [`Error::PromiseTooLong`], [`Error::TooManyPromises`] by the
    /// policy.
    pub async fn promise(&self, promise: Promise) -> Result<(), EngineError> {
        let facts = self.access_of(promise.customer_id).await?;
        let made: Vec<Date> = facts.first().map_or(&[][..], |f| &f.promises).iter().map(|p| p.made_on).collect();
        let check = |period| self.policy.promise.check(promise.made_on, promise.until, period, &made);
        // Of several lines, the one whose period began last decides.
        let period = facts.iter().map(|f| f.terms.anchor()).map(|a| a.period(a.index_of(promise.made_on)));
        check(period.max_by_key(|p| p.start).unwrap_or_else(|| promise.made_on.month().period()))?;
        let touched = facts.iter().map(|f| f.subscription_id).collect();
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
    /// [`Error::NotPositive`]; [`crate::ports::StoreError::Duplicate`] for an id that is there already.
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
    let Started { access, event, effect } = start(&subscription, zone, now);
    changes.access.push(access);
    changes.access_events.push(event);
    changes.effects.extend(effect);
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
