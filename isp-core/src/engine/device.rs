//! Devices at customers' places: put in, exchanged, taken back, corrected. Their history is only added to.

use crate::calendar::Date;
use crate::device::{Cpe, DeviceAction, DeviceHistory};
use crate::engine::retry::until_written;
use crate::engine::{Engine, EngineError};
use crate::error::Error;
use crate::ids::{CpeId, DeviceHistoryId, derive};
use crate::money::Money;
use crate::payment::{Channel, Told};
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
    /// What it cost the provider.
    pub cost: Money,
    /// From which money.
    pub paid_from: Channel,
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
        until_written(|| async {
            let known = self.history_of(cpe.id).await?;
            let mut changes = ChangeSet::default();
            step(&mut changes, &cpe, DeviceAction::Installed, note, note.cost, &known)?;
            changes.cpes.push(Cpe { installed: true, ..cpe.clone() });
            self.commit_covered(changes, note.told).await
        })
        .await
    }

    /// Exchanges a device for another at the same customer's place; the cost is written once, with the new one.
    ///
    /// # Errors
    /// [`Error::DeviceNotInstalled`], [`Error::CashShort`], [`crate::ports::StoreError::Duplicate`].
    pub async fn replace_device(&self, old: Cpe, new: Cpe, note: &DeviceNote) -> Result<(), EngineError> {
        until_written(|| async {
            let changes = self.exchange(old.clone(), new.clone(), note).await?;
            self.store.commit(self.tenant, changes).await?;
            Ok(())
        })
        .await
    }

    /// What an exchange writes.
    pub(super) async fn exchange(&self, old: Cpe, new: Cpe, note: &DeviceNote) -> Result<ChangeSet, EngineError> {
        if !old.installed || old.customer_id != new.customer_id {
            return Err(Error::DeviceNotInstalled.into());
        }
        let known = [self.history_of(old.id).await?, self.history_of(new.id).await?];
        let mut changes = ChangeSet::default();
        step(&mut changes, &old, DeviceAction::Replaced, note, Money::ZERO, &known[0])?;
        step(&mut changes, &new, DeviceAction::Installed, note, note.cost, &known[1])?;
        changes.cpes.extend([Cpe { installed: false, ..old }, Cpe { installed: true, ..new }]);
        self.ask_for_cover(&mut changes, note.told).await?;
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
        until_written(|| async {
            let known = self.history_of(cpe.id).await?;
            let mut changes = ChangeSet::default();
            step(&mut changes, &cpe, DeviceAction::Returned, note, note.cost, &known)?;
            changes.cpes.push(Cpe { installed: false, ..cpe.clone() });
            self.commit_covered(changes, note.told).await
        })
        .await
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

    /// Says what an entry of a device's history really cost, and from which money it was paid. What differs is booked on the
    /// entry's day, so that the month comes out right; all entries stay. How much more was spent is returned.
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
        until_written(|| async {
            let known = self.history_of(cpe.id).await?;
            let id = |nth: usize| DeviceHistoryId(derive(entry.id.0, &["corrected", &nth.to_string()]));
            let earlier = (0..).map_while(|nth| known.iter().find(|h| h.id == id(nth)));
            let booked: Vec<&DeviceHistory> = std::iter::once(entry).chain(earlier).collect();
            let booked_from = |money| booked.iter().filter(|h| h.paid_from == money).map(|h| h.cost).sum::<Money>();
            let mut changes = ChangeSet::default();
            for paid_from in Channel::ALL.into_iter().filter(|channel| channel.is_money()) {
                let wanted = if paid_from == note.paid_from { note.cost } else { Money::ZERO };
                let difference = wanted - booked_from(paid_from);
                if difference.is_zero() {
                    continue;
                }
                let history = DeviceHistory {
                    id: id(booked.len() - 1 + changes.device_history.len()),
                    action: DeviceAction::Corrected,
                    reason: note.reason.clone(),
                    officer: note.officer.clone(),
                    cost: difference,
                    paid_from,
                    ..entry.clone()
                }
                .checked()?;
                changes.journal.extend(history.entry());
                changes.device_history.push(history);
            }
            let more = changes.device_history.iter().map(|h| h.cost).sum();
            self.commit_covered(changes, note.told).await?;
            Ok(more)
        })
        .await
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
        paid_from: note.paid_from,
    }
    .checked()?;
    changes.journal.extend(history.entry());
    changes.device_history.push(history);
    Ok(())
}
