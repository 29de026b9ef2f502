//! Devices at customers' places: put in, exchanged, taken back, corrected. Their history is only added to.

use crate::calendar::Date;
use crate::device::{Cpe, DeviceAction, DeviceHistory};
use crate::engine::{Engine, EngineError};
use crate::error::Error;
use crate::ids::{CpeId, DeviceHistoryId, derive};
use crate::ledger::entry_for_device;
use crate::money::Money;
use crate::payment::Told;
use crate::ports::ChangeSet;
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
    /// What it cost the provider, in cash.
    pub cost: Money,
    /// Who says so: a person is asked about cash that is not there.
    pub told: Told,
}

impl Engine<'_> {
    /// Puts a device in at a customer's place and writes its history and cost. One that came back, given with the id it
    /// had, goes to its new customer and keeps its history.
    ///
    /// # Errors
    /// [`Error::CashShort`], on which a person can insist; [`crate::ports::StoreError::Duplicate`] for a serial that another device has.
    pub async fn install_device(&self, cpe: Cpe, note: &DeviceNote) -> Result<(), EngineError> {
        self.ask_for_cash(note.cost, Money::ZERO, note.told).await?;
        let known = self.history_of(cpe.id).await?;
        let mut changes = ChangeSet::default();
        step(&mut changes, &cpe, DeviceAction::Installed, note, note.cost, &known)?;
        changes.cpes.push(Cpe { installed: true, ..cpe });
        self.store.commit(self.tenant, changes).await?;
        Ok(())
    }

    /// Exchanges a device for another at the same customer's place; the cost is written once, with the new one.
    ///
    /// # Errors
    /// [`Error::DeviceNotInstalled`], [`Error::CashShort`], [`crate::ports::StoreError::Duplicate`].
    pub async fn replace_device(&self, old: Cpe, new: Cpe, note: &DeviceNote) -> Result<(), EngineError> {
        let changes = self.exchange(old, new, note).await?;
        self.store.commit(self.tenant, changes).await?;
        Ok(())
    }

    /// What an exchange writes.
    pub(super) async fn exchange(&self, old: Cpe, new: Cpe, note: &DeviceNote) -> Result<ChangeSet, EngineError> {
        if !old.installed || old.customer_id != new.customer_id {
            return Err(Error::DeviceNotInstalled.into());
        }
        self.ask_for_cash(note.cost, Money::ZERO, note.told).await?;
        let known = [self.history_of(old.id).await?, self.history_of(new.id).await?];
        let mut changes = ChangeSet::default();
        step(&mut changes, &old, DeviceAction::Replaced, note, Money::ZERO, &known[0])?;
        step(&mut changes, &new, DeviceAction::Installed, note, note.cost, &known[1])?;
        changes.cpes.extend([Cpe { installed: false, ..old }, Cpe { installed: true, ..new }]);
        Ok(changes)
    }

    /// Takes a device back.
    ///
    /// # Errors
    /// [`Error::DeviceNotInstalled`], [`Error::CashShort`].
    pub async fn return_device(&self, cpe: Cpe, note: &DeviceNote) -> Result<(), EngineError> {
        if !cpe.installed {
            return Err(Error::DeviceNotInstalled.into());
        }
        self.ask_for_cash(note.cost, Money::ZERO, note.told).await?;
        let known = self.history_of(cpe.id).await?;
        let mut changes = ChangeSet::default();
        step(&mut changes, &cpe, DeviceAction::Returned, note, note.cost, &known)?;
        changes.cpes.push(Cpe { installed: false, ..cpe });
        self.store.commit(self.tenant, changes).await?;
        Ok(())
    }

    /// Replaces what is recorded of a device, and writes that into its history. The cost of the note is what is booked
    /// more, or less when it is negative.
    ///
    /// # Errors
    /// [`crate::ports::StoreError::Duplicate`] for a serial that another device has.
    pub async fn edit_device(&self, cpe: Cpe, note: &DeviceNote) -> Result<(), EngineError> {
        let known = self.history_of(cpe.id).await?;
        let mut changes = ChangeSet::default();
        step(&mut changes, &cpe, DeviceAction::Corrected, note, note.cost, &known)?;
        changes.cpes.push(cpe);
        self.store.commit(self.tenant, changes).await?;
        Ok(())
    }

    /// Says what an entry of a device's history really cost. The difference is booked on the entry's day, so that the month
    /// comes out right; both entries stay. The difference is returned, zero when there is none.
    ///
    /// # Errors
    /// [`Error::NotPositive`] for a cost below zero; [`Error::CashShort`].
    pub async fn correct_device_cost(
        &self,
        cpe: &Cpe,
        entry: &DeviceHistory,
        note: &DeviceNote,
    ) -> Result<Money, EngineError> {
        if note.cost < Money::ZERO {
            return Err(Error::NotPositive { field: "cost" }.into());
        }
        let known = self.history_of(cpe.id).await?;
        let id = |nth: usize| DeviceHistoryId(derive(entry.id.0, &["corrected", &nth.to_string()]));
        let (mut booked, mut nth) = (entry.cost, 0);
        while let Some(earlier) = known.iter().find(|h| h.id == id(nth)) {
            booked += earlier.cost;
            nth += 1;
        }
        let difference = note.cost - booked;
        if difference.is_zero() {
            return Ok(difference);
        }
        self.ask_for_cash(difference, Money::ZERO, note.told).await?;
        let history = DeviceHistory {
            id: id(nth),
            action: DeviceAction::Corrected,
            reason: note.reason.clone(),
            officer: note.officer.clone(),
            cost: difference,
            ..entry.clone()
        }
        .checked()?;
        let journal = entry_for_device(&history).into_iter().collect();
        let changes = ChangeSet { device_history: vec![history], journal, ..ChangeSet::default() };
        self.store.commit(self.tenant, changes).await?;
        Ok(difference)
    }

    /// What happened to a device so far, at whosever place.
    async fn history_of(&self, cpe: CpeId) -> Result<Vec<DeviceHistory>, EngineError> {
        let mut history = self.store.device_history(self.tenant, None).await?;
        history.retain(|entry| entry.cpe_id == cpe);
        Ok(history)
    }
}

/// Adds what happened to a new device to a change set: its history, and the entry for its cost.
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
    step(changes, cpe, action, note, cost, &[])
}

/// The same for a device with a history: a day may hold the same thing twice, such as two visits.
fn step(
    changes: &mut ChangeSet,
    cpe: &Cpe,
    action: DeviceAction,
    note: &DeviceNote,
    cost: Money,
    known: &[DeviceHistory],
) -> Result<(), Error> {
    let words: Vec<&str> = [&cpe.outdoor_unit, &cpe.router].into_iter().flatten().map(Name::as_str).collect();
    let described = format!("{} {}", cpe.serial, words.join(" / "));
    let on = note.on.to_string();
    let id = |nth: usize| match nth {
        0 => DeviceHistoryId(derive(cpe.id.0, &[action.code(), &on])),
        nth => DeviceHistoryId(derive(cpe.id.0, &[action.code(), &on, &nth.to_string()])),
    };
    let nth = (0..=known.len()).find(|nth| known.iter().all(|h| h.id != id(*nth))).unwrap_or(known.len());
    let history = DeviceHistory {
        id: id(nth),
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
