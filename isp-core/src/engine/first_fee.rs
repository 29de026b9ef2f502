//! Installation fees that go with the first periodic invoice: recorded by officers, invoiced by the billing run (rule B9).

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::billing::credit::installation_key;
use crate::billing::first_fee::{alone_on, invoice_for};
use crate::billing::plan::installation_invoice;
use crate::billing::{CreditNote, Invoice, InvoiceKind, Problem, Written, add_fee};
use crate::calendar::{Date, Period};
use crate::ending::{Ending, EndingKind, RecordId};
use crate::engine::retry::until_written;
use crate::engine::{BillReport, Engine, EngineError};
use crate::error::Error;
use crate::ids::{CustomerId, InstallationOrderId, InvoiceId, SubscriptionId};
use crate::installation::{InstallationOrder, InvoicedFee};
use crate::ports::{ChangeSet, CommitReport, Expectation, InstallationRow, InstalmentRow, StoreError};

impl Engine<'_> {
    /// Records an installation with its fee.
    ///
    /// # Errors
    /// [`Error::FeeTerms`]; [`Error::FirstInvoiceIssued`] for a fee that is to go with an invoice that is issued already;
    /// [`Error::InstallationClash`] when another installation of the line is invoiced on a day of this one, as a line has
    /// one invoice of a kind for a day (rule B3) and the second would never be written;
    /// [`EngineError::Store`].
    pub async fn add_installation(&self, order: InstallationOrder) -> Result<(), EngineError> {
        let order = order.checked()?;
        if order.with_first_invoice {
            let ever = Period { start: Date::MIN, end: Date::MAX };
            let charges = self.store.charges(self.tenant, &[order.subscription_id], ever).await?;
            if charges.iter().any(|c| c.invoice.kind == InvoiceKind::Subscription) {
                return Err(Error::FirstInvoiceIssued.into());
            }
        }
        until_written(|| async {
            let rows = self.store.installation_orders(self.tenant, Some(order.customer_id)).await?;
            self.check_clash(&order, &rows, &[]).await?;
            let expected = vec![Expectation::Installations(order.customer_id, rows.len() as u64)];
            let installation_orders = vec![order.clone()];
            self.store.commit(self.tenant, ChangeSet { expected, installation_orders, ..ChangeSet::default() }).await?;
            Ok(())
        })
        .await
    }

    /// Fails when another installation of the line is, or will be, invoiced on a day of this one. `rows` are all of the customer,
    /// `leaving` those that are taken back with the same commit.
    async fn check_clash(
        &self,
        order: &InstallationOrder,
        rows: &[InstallationRow],
        leaving: &[InstallationOrderId],
    ) -> Result<(), EngineError> {
        let mut taken: BTreeSet<Date> = BTreeSet::new();
        for row in rows.iter().filter(|r| r.order.subscription_id == order.subscription_id && r.order.id != order.id) {
            let mut parts = row.order.schedule();
            if row.ending.is_some() || leaving.contains(&row.order.id) {
                // Of one that was taken back, the invoices that were issued stay.
                let ids: Vec<InvoiceId> = parts.iter().map(|part| part.invoice_id).collect();
                let issued = self.store.balances(self.tenant, &ids).await?;
                parts.retain(|part| issued.iter().any(|i| i.invoice_id == part.invoice_id));
            }
            taken.extend(parts.iter().map(|part| part.on));
        }
        match order.schedule().iter().find(|part| taken.contains(&part.on)) {
            Some(part) => Err(Error::InstallationClash { on: part.on }.into()),
            None => Ok(()),
        }
    }

    /// Takes an installation back that was recorded wrongly, and puts another one in its place, if there is one. What was
    /// invoiced of it is given back by credit notes, which are returned; nothing of it comes due any more. All of it is one
    /// commit, so that the fee is never charged twice.
    ///
    /// # Errors
    /// [`Error::AlreadyEnded`] when it was taken back before; [`Error::InstallationClash`] when the other one would be
    /// invoiced on a day of an invoice that stays; [`Error::FeeTerms`], [`Error::FirstInvoiceIssued`];
    /// [`StoreError::NotFound`].
    pub async fn correct_installation(
        &self,
        customer: CustomerId,
        id: InstallationOrderId,
        instead: Option<InstallationOrder>,
        ending: Ending,
        now: DateTime<Utc>,
    ) -> Result<Vec<CreditNote>, EngineError> {
        until_written(|| self.correct_installation_once(customer, id, instead.clone(), &ending, now)).await
    }

    async fn correct_installation_once(
        &self,
        customer: CustomerId,
        id: InstallationOrderId,
        instead: Option<InstallationOrder>,
        ending: &Ending,
        now: DateTime<Utc>,
    ) -> Result<Vec<CreditNote>, EngineError> {
        let rows = self.store.installation_orders(self.tenant, Some(customer)).await?;
        let row = rows.iter().find(|row| row.order.id == id).ok_or(StoreError::NotFound { what: "installation" })?;
        if row.ending.is_some() {
            return Err(Error::AlreadyEnded.into());
        }
        let ending = Ending { kind: EndingKind::TakenBack, ..ending.clone() };
        let on = self.zone_of(customer).await?.date_of(now);
        let written = Written { on, at: now, by: &ending.by, note: &ending.reason };
        let key = installation_key(id);
        let mut notes = Vec::new();
        let parts: Vec<InvoiceId> = row.order.schedule().iter().map(|part| part.invoice_id).collect();
        for issued in self.store.balances(self.tenant, &parts).await? {
            let charge = self.charge_of(customer, issued.invoice_id).await?;
            if charge.left().is_positive() {
                notes.push(charge.correct(charge.left(), &key, written)?);
            }
        }
        if let Some(fee) = &row.fee {
            notes.extend(self.charge_of(customer, fee.invoice_id).await?.give_fee(&key, written));
        }
        if let Some(order) = &instead {
            let order = order.clone().checked()?;
            if order.with_first_invoice && row.fee.is_some() {
                return Err(Error::FirstInvoiceIssued.into());
            }
            self.check_clash(&order, &rows, &[id]).await?;
        }
        let changes = ChangeSet {
            expected: vec![Expectation::Installations(customer, rows.len() as u64)],
            installation_orders: instead.into_iter().collect(),
            credit_notes: notes.clone(),
            endings: vec![(RecordId::Installation(id), ending)],
            ..ChangeSet::default()
        };
        self.store.commit(self.tenant, changes).await.map_err(super::ended_meanwhile)?;
        self.apply_credit_of(customer, now).await?;
        let written = self.credit_notes_of(customer).await?;
        Ok(written.into_iter().filter(|n| notes.iter().any(|given| given.id == n.id)).collect())
    }

    /// Makes waiting fees lines of the first planned invoices of their subscriptions.
    pub(crate) async fn add_waiting_fees(
        &self,
        invoices: &mut [Invoice],
        waiting: &[InstalmentRow],
        report: &mut BillReport,
    ) -> Result<Vec<InvoicedFee>, EngineError> {
        if waiting.is_empty() {
            return Ok(Vec::new());
        }
        let wanted: BTreeSet<SubscriptionId> = waiting.iter().map(|row| row.order.subscription_id).collect();
        let planned: Vec<InvoiceId> =
            invoices.iter().filter(|i| wanted.contains(&i.subscription_id)).map(|i| i.id).collect();
        if planned.is_empty() {
            return Ok(Vec::new());
        }
        let known = self.store.balances(self.tenant, &planned).await?;
        let known: BTreeSet<InvoiceId> = known.into_iter().map(|i| i.invoice_id).collect();
        let mut fees = Vec::new();
        for row in waiting {
            let line = row.order.subscription_id;
            let Some(first) = invoice_for(invoices, line, |id| known.contains(&id)) else { continue };
            match add_fee(first, &row.order, &self.policy.tax) {
                Ok(fee) => fees.push(fee),
                Err(error) => report.problems.push(Problem { subscription_id: line, error }),
            }
        }
        Ok(fees)
    }

    /// Takes off the list of waiting fees those that stand on an invoice.
    pub(crate) fn take_off(waiting: &mut Vec<InstalmentRow>, fees: &[InvoicedFee]) {
        if !fees.is_empty() {
            let invoiced: BTreeSet<InstallationOrderId> = fees.iter().map(|fee| fee.order_id).collect();
            waiting.retain(|row| !invoiced.contains(&row.order.id));
        }
    }

    /// Invoices the fees of lines that ended before they had a periodic invoice.
    pub(crate) async fn bill_fees_alone(
        &self,
        waiting: &[InstalmentRow],
        now: DateTime<Utc>,
        report: &mut BillReport,
    ) -> Result<(), EngineError> {
        let mut changes = ChangeSet::default();
        for row in waiting {
            if let Some((invoice, fee)) = self.fee_alone(row, now, report) {
                changes.invoiced_fees.push(fee);
                changes.invoices.push(invoice);
            }
        }
        if !changes.is_empty() {
            let commit = self.store.commit(self.tenant, changes).await?;
            report.add(CommitReport { invoices_known: 0, ..commit });
        }
        Ok(())
    }

    /// The invoice for the fee of a line that has ended before it had a periodic invoice.
    pub(crate) fn fee_alone(
        &self,
        row: &InstalmentRow,
        now: DateTime<Utc>,
        report: &mut BillReport,
    ) -> Option<(Invoice, InvoicedFee)> {
        let today = row.zone.date_of(now);
        let end = alone_on(row.ends_on, today)?;
        let (order, part) = (&row.order, row.order.alone(end));
        let (billing, tax) = (&self.policy.billing, &self.policy.tax);
        match installation_invoice(order, &part, row.site_id, row.package_id, billing, tax, today) {
            Ok(invoice) => {
                let (order_id, invoice_id, amount) = (order.id, invoice.id, invoice.total);
                Some((invoice, InvoicedFee { order_id, invoice_id, amount }))
            }
            Err(error) => {
                report.problems.push(Problem { subscription_id: order.subscription_id, error });
                None
            }
        }
    }
}
