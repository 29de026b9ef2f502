//! Credit notes: corrections by hand, outages, and days in isolation.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::billing::credit::correction_key;
use crate::billing::policy::WhileIsolated;
use crate::billing::{Billable, Charge, CreditNote, CreditReason, Invoice, NoteBack, Written};
use crate::calendar::{Date, Period, Zone};
use crate::engine::pages::all_pages;
use crate::engine::retry::until_written;
use crate::engine::{BillReport, Engine, EngineError};
use crate::error::Error;
use crate::ids::{
    CreditNoteId, CustomerId, InstallationOrderId, InvoiceId, JournalEntryId, OutageId, SiteId, SubscriptionId, derive,
};
use crate::isolation::AccessEvent;
use crate::isolation::given_back::{self, give_isolated_back, is_left_out, looked_at_since};
use crate::ledger::{JournalEntry, entry_for_credit};
use crate::money::Money;
use crate::payment::PaymentReversal;
use crate::ports::{ChangeSet, CreditNoteRow, Expectation, InvoiceQuery, PageQuery, StoreError};
use crate::protection::Outage;
use crate::text::given;

impl Engine<'_> {
    /// Gives back a part of an invoice that was wrong, PPN included. It becomes the customer's credit and pays what is
    /// open. The same amount of the same invoice on the same day is one correction, whoever asks again.
    ///
    /// # Errors
    /// [`crate::Error::Empty`] without a reason, [`crate::Error::NotPositive`], [`crate::Error::MoreThanLeft`]; [`StoreError::NotFound`].
    pub async fn correct(
        &self,
        customer: CustomerId,
        invoice: InvoiceId,
        amount: Money,
        by: &str,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<CreditNote, EngineError> {
        given("reason", reason)?;
        let on = self.zone_of(customer).await?.date_of(now);
        let written = Written { on, at: now, by, note: reason };
        until_written(|| async {
            let rows = self.note_rows(Some(customer)).await?;
            let known = rows.len() as u64;
            let charge = self.charge_of(customer, invoice).await?;
            let gone: BTreeSet<CreditNoteId> =
                rows.into_iter().filter(|row| row.taken_back.is_some()).map(|row| row.note.id).collect();
            let mut key = correction_key(on, amount);
            // One that was taken back can be given again on the same day, and so can one for another reason.
            let id = |key: &str| CreditNote::id_of(invoice, CreditReason::Correction, key);
            let another = |id| charge.notes.iter().any(|n| n.id == id && n.note.trim() != reason.trim());
            while gone.contains(&id(&key)) || another(id(&key)) {
                key.push_str(" again");
            }
            if let Some(there) = charge.notes.iter().find(|n| n.id == id(&key)) {
                return Ok(there.clone());
            }
            let note = charge.correct(amount, &key, written)?;
            // The key is that of no other note. One that is given meanwhile may have it, for another reason.
            let expected = vec![Expectation::CreditNotes(customer, known)];
            let mut changes = ChangeSet { expected, credit_notes: vec![note.clone()], ..ChangeSet::default() };
            self.withdraw_requests(&mut changes, customer, now).await?;
            self.store.commit(self.tenant, changes).await?;
            self.apply_credit_of(customer, now).await?;
            let written = self.charge_of(customer, invoice).await?.notes.into_iter().find(|n| n.id == note.id);
            written.ok_or_else(|| StoreError::NotFound { what: "credit note" }.into())
        })
        .await
    }

    /// An invoice of a customer with all that was given back of it.
    pub(crate) async fn charge_of(&self, customer: CustomerId, id: InvoiceId) -> Result<Charge, EngineError> {
        let query = InvoiceQuery { customer: Some(customer), ..InvoiceQuery::default() };
        let mut page = PageQuery::first(self.page);
        let invoice = loop {
            let rows = self.store.invoices(self.tenant, query, page).await?;
            let more = page.advance(&rows, |(last, _)| last.id);
            match rows.into_iter().find(|(i, _)| i.id == id) {
                Some((invoice, _)) => break invoice,
                None if more => {}
                None => return Err(StoreError::NotFound { what: "invoice" }.into()),
            }
        };
        let mut notes = self.credit_notes_of(customer).await?;
        notes.retain(|n| n.invoice_id == id);
        Ok(Charge { invoice, notes })
    }

    /// All credit notes of a customer that stand.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn credit_notes_of(&self, customer: CustomerId) -> Result<Vec<CreditNote>, EngineError> {
        let mut rows = self.note_rows(Some(customer)).await?;
        rows.retain(|row| row.taken_back.is_none());
        Ok(rows.into_iter().map(|row| row.note).collect())
    }

    /// All credit notes, of one customer or of all, with those that were taken back.
    pub(crate) async fn note_rows(&self, customer: Option<CustomerId>) -> Result<Vec<CreditNoteRow>, EngineError> {
        let load = |page| self.store.credit_notes(self.tenant, customer, page);
        all_pages(self.page, load, |row| row.note.id).await
    }

    /// The credit notes that were taken back.
    async fn notes_taken_back(&self) -> Result<BTreeSet<CreditNoteId>, EngineError> {
        let rows = self.note_rows(None).await?;
        Ok(rows.into_iter().filter(|row| row.taken_back.is_some()).map(|row| row.note.id).collect())
    }

    /// Takes a credit note back that a person gave by mistake, or that an outage gave: what it gave back is charged again, and what
    /// it paid is open again, as far as the customer's other credit does not pay it. What an outage gave and a person took back is
    /// not given again. No late fee follows, since the customer could rely on the note.
    ///
    /// # Errors
    /// [`Error::Empty`] without a reason or an officer; [`Error::AlreadyEnded`] when it was taken back before; as
    /// [`NoteBack::entry`]; [`StoreError::NotFound`] when the customer has none with this id.
    pub async fn take_note_back(
        &self,
        customer: CustomerId,
        id: CreditNoteId,
        by: &str,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<CreditNote, EngineError> {
        given("reason", reason)?;
        given("by", by)?;
        until_written(|| async {
            let rows = self.note_rows(Some(customer)).await?;
            let row = rows.into_iter().find(|row| row.note.id == id);
            let CreditNoteRow { note, taken_back } = row.ok_or(StoreError::NotFound { what: "credit note" })?;
            if taken_back.is_some() {
                return Err(Error::AlreadyEnded.into());
            }
            let payment_id = note.payment_id();
            let held = self.store.payment(self.tenant, payment_id).await?;
            let held = held.ok_or(StoreError::NotFound { what: "payment" })?;
            let pays = self.store.allocations(self.tenant, payment_id).await?;
            let orders = self.store.installation_orders(self.tenant, Some(customer)).await?;
            let gone = orders.into_iter().filter(|row| row.ending.is_some()).map(|row| row.order.id);
            let installations: Vec<InstallationOrderId> = gone.collect();
            let used = pays.iter().map(|a| a.amount).sum();
            let zone = self.zone_at(note.site_id).await?;
            let charges = self.store.charges(self.tenant, &[note.subscription_id], note.period).await?;
            let (left, charges) = (held.left, charges.as_slice());
            let back = NoteBack { note: &note, left, used, installations: &installations, charges };
            let entry = back.entry(now, zone)?;
            let on = entry.date;
            let (moved, balances) = self.unsettle(&held.payment, &pays, now).await?;
            let mut changes = ChangeSet { journal: vec![entry], ..ChangeSet::default() };
            // A name of its own: what the note paid may have been booked at this very moment.
            let id = JournalEntryId(derive(note.id.0, &["reversal", "credit"]));
            let credit = entry_for_credit(self.tenant, customer, &moved, &balances, on);
            changes.journal.extend(credit.map(|entry| JournalEntry { id, ..entry }));
            changes.allocations = moved;
            let (by, reason) = (by.to_owned(), reason.to_owned());
            changes.reversals = vec![PaymentReversal { payment_id, at: now, reason, by }];
            changes.touched = self.subscriptions_of(customer).await?;
            // What was asked for is another debt now.
            self.withdraw_requests(&mut changes, customer, now).await?;
            match self.store.commit(self.tenant, changes).await {
                Ok(_) => Ok(note),
                Err(StoreError::Duplicate { what: "payment.reversal" }) => Err(Error::AlreadyEnded.into()),
                Err(other) => Err(other.into()),
            }
        })
        .await
    }

    /// The zone of a site.
    pub(crate) async fn zone_at(&self, site: SiteId) -> Result<Zone, EngineError> {
        let sites = self.store.sites(self.tenant).await?;
        Ok(sites.iter().find(|s| s.id == site).map_or(Zone::Wib, |s| s.zone))
    }

    /// What outages of a site that are over give back (*restitusi*), of the invoices there are; with `write`, the notes are
    /// written and become credit at once. Days that are billed later are given back when it is asked again: once for each
    /// outage and invoice. Where outages overlap, the later one gives back what the earlier one left, shown as written.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn credit_outages(
        &self,
        outages: &[Outage],
        zone: Zone,
        write: bool,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<Vec<CreditNote>, EngineError> {
        let policy = self.policy.outage;
        let gone = self.notes_taken_back().await?;
        let mut given: Vec<CreditNote> = Vec::new();
        for outage in outages {
            let Some(days) = policy.credited(&outage.times(), zone) else { continue };
            let written = Written { on: zone.date_of(now), at: now, by, note: &outage.note };
            let before = given.len();
            let mut page = PageQuery::first(self.page);
            loop {
                let rows = self.store.subscriptions(self.tenant, None, page).await?;
                let hit: Vec<SubscriptionId> =
                    rows.iter().filter(|(s, _)| s.site_id == outage.site_id).map(|(s, _)| s.id).collect();
                let mut charges = self.store.charges(self.tenant, &hit, days).await?;
                if !write {
                    // What is only shown is in no store: the next outage decides as if it were.
                    let shown: BTreeMap<InvoiceId, Vec<&CreditNote>> = by_invoice(&given[..before]);
                    for charge in &mut charges {
                        let notes = shown.get(&charge.invoice.id).into_iter().flatten();
                        charge.notes.extend(notes.map(|note| (*note).clone()));
                    }
                }
                let mut notes: Vec<CreditNote> =
                    charges.iter().flat_map(|charge| policy.notes(outage, charge, zone, written)).collect();
                notes.retain(|note| !gone.contains(&note.id));
                if write {
                    self.write_notes(notes.clone(), now).await?;
                }
                given.extend(notes);
                if !page.advance(&rows, |(last, _)| last.id) {
                    break;
                }
            }
        }
        Ok(given)
    }

    /// [`Engine::credit_outages`] of one.
    ///
    /// # Errors
    /// As [`Engine::credit_outages`].
    pub async fn credit_outage(
        &self,
        outage: &Outage,
        zone: Zone,
        write: bool,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<Vec<CreditNote>, EngineError> {
        self.credit_outages(std::slice::from_ref(outage), zone, write, by, now).await
    }

    /// The outage with an id, and the zone of its site.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn find_outage(&self, id: OutageId) -> Result<(Outage, Zone), EngineError> {
        let outages = self.store.outages(self.tenant).await?;
        let outage = outages.into_iter().find(|o| o.id == id).ok_or(StoreError::NotFound { what: "outage" })?;
        let zone = self.zone_at(outage.site_id).await?;
        Ok((outage, zone))
    }

    /// Writes notes and lets the credit that they are pay what is open.
    async fn write_notes(&self, notes: Vec<CreditNote>, now: DateTime<Utc>) -> Result<(), EngineError> {
        let mut customers: Vec<CustomerId> = notes.iter().map(|n| n.customer_id).collect();
        customers.sort_unstable();
        customers.dedup();
        if customers.is_empty() {
            return Ok(());
        }
        until_written(|| async {
            let mut changes = ChangeSet { credit_notes: notes.clone(), ..ChangeSet::default() };
            // What they were asked to pay is another debt now.
            for customer in &customers {
                self.withdraw_requests(&mut changes, *customer, now).await?;
            }
            Ok(self.store.commit(self.tenant, changes).await?)
        })
        .await?;
        for customer in customers {
            self.apply_credit_of(customer, now).await?;
        }
        Ok(())
    }

    /// Leaves out the planned invoices of lines that are isolated, where the policy says so (rule B7).
    pub(crate) async fn without_isolated(
        &self,
        mut invoices: Vec<Invoice>,
        rows: &[Billable],
        report: &mut BillReport,
    ) -> Result<Vec<Invoice>, EngineError> {
        let policy = &self.policy.billing;
        if policy.while_isolated != WhileIsolated::Skip || invoices.is_empty() {
            return Ok(invoices);
        }
        let ids: Vec<SubscriptionId> = invoices.iter().map(|i| i.subscription_id).collect();
        let events = self.store.access_events_of(self.tenant, &ids).await?;
        let planned = invoices.len();
        invoices.retain(|invoice| {
            let events = given_back::of(&events, invoice.subscription_id);
            !is_left_out(invoice, policy.issue_lead_days, &events, zone_of(rows, invoice.subscription_id))
        });
        report.skipped += (planned - invoices.len()) as u64;
        Ok(invoices)
    }

    /// The notes that give back the isolated days up to yesterday of the lines that a run looks at (rule B7): a line is
    /// looked at whenever it is billed, and when it ends.
    pub(crate) async fn isolated_days_back(
        &self,
        rows: &[Billable],
        position: Option<Date>,
        now: DateTime<Utc>,
    ) -> Result<Vec<CreditNote>, EngineError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<SubscriptionId> = rows.iter().map(|r| r.subscription_id).collect();
        let events: Vec<AccessEvent> = self.store.access_events_of(self.tenant, &ids).await?;
        let mut isolated: Vec<SubscriptionId> = events
            .iter()
            .filter(|e| matches!(e.kind.leads_to(), Some((crate::isolation::Access::Isolated, _))))
            .map(|e| e.subscription_id)
            .collect();
        isolated.sort_unstable();
        isolated.dedup();
        let all = Period { start: Date::MIN, end: Date::MAX };
        let charges = self.store.charges(self.tenant, &isolated, all).await?;
        let mut notes = Vec::new();
        for row in rows.iter().filter(|r| isolated.binary_search(&r.subscription_id).is_ok()) {
            let of = |c: &&Charge| c.invoice.subscription_id == row.subscription_id;
            let own: Vec<Charge> = charges.iter().filter(of).cloned().collect();
            let lead = self.policy.billing.issue_lead_days;
            let since = looked_at_since(row.terms.start, row.terms.billed_from, position, lead);
            let today = row.zone.date_of(now);
            let written = Written { on: today, at: now, by: "engine", note: "" };
            notes.extend(give_isolated_back(
                &own,
                &given_back::of(&events, row.subscription_id),
                row.zone,
                since,
                written,
            ));
        }
        Ok(notes)
    }
}

fn by_invoice(notes: &[CreditNote]) -> BTreeMap<InvoiceId, Vec<&CreditNote>> {
    let mut by_invoice: BTreeMap<InvoiceId, Vec<&CreditNote>> = BTreeMap::new();
    for note in notes {
        by_invoice.entry(note.invoice_id).or_default().push(note);
    }
    by_invoice
}

fn zone_of(rows: &[Billable], id: SubscriptionId) -> Zone {
    rows.iter().find(|r| r.subscription_id == id).map_or(Zone::Wib, |r| r.zone)
}
