//! Installation fees that go with the first periodic invoice: recorded by officers, invoiced by the billing run (rule B9).

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::billing::plan::installation_invoice;
use crate::billing::{Invoice, InvoiceKind, Problem, add_fee};
use crate::calendar::{Date, Period};
use crate::engine::{BillReport, Engine, EngineError};
use crate::error::Error;
use crate::ids::{InvoiceId, SubscriptionId};
use crate::installation::{InstallationOrder, InvoicedFee};
use crate::ports::{ChangeSet, CommitReport, InstalmentRow};

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
        let others = self.store.installation_orders(self.tenant, Some(order.customer_id)).await?;
        let others = others.iter().map(|row| &row.order).filter(|other| other.id != order.id);
        let of_line = others.filter(|other| other.subscription_id == order.subscription_id);
        let taken: BTreeSet<Date> = of_line.flat_map(InstallationOrder::schedule).map(|part| part.on).collect();
        if let Some(part) = order.schedule().iter().find(|part| taken.contains(&part.on)) {
            return Err(Error::InstallationClash { on: part.on }.into());
        }
        let changes = ChangeSet { installation_orders: vec![order], ..ChangeSet::default() };
        self.store.commit(self.tenant, changes).await?;
        Ok(())
    }

    /// Makes waiting fees lines of the first planned invoices of their subscriptions, and takes them off the list. A plan
    /// that is made again names invoices that are there already: those take nothing up.
    pub(crate) async fn add_waiting_fees(
        &self,
        invoices: &mut [Invoice],
        waiting: &mut Vec<InstalmentRow>,
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
        waiting.retain(|row| {
            let own = invoices.iter_mut().filter(|i| i.subscription_id == row.order.subscription_id);
            let Some(first) = own.filter(|i| !known.contains(&i.id)).min_by_key(|i| i.period.start) else {
                return true;
            };
            match add_fee(first, &row.order, &self.policy.tax) {
                Ok(fee) => {
                    fees.push(fee);
                    false
                }
                Err(error) => {
                    report.problems.push(Problem { subscription_id: row.order.subscription_id, error });
                    true
                }
            }
        });
        Ok(fees)
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
            let Some(end) = row.ends_on.filter(|end| *end <= row.zone.date_of(now)) else { continue };
            let (order, part) = (&row.order, row.order.alone(end));
            let (billing, tax) = (&self.policy.billing, &self.policy.tax);
            match installation_invoice(order, &part, row.site_id, row.package_id, billing, tax) {
                Ok(invoice) => {
                    let (order_id, invoice_id, amount) = (order.id, invoice.id, invoice.total);
                    changes.invoiced_fees.push(InvoicedFee { order_id, invoice_id, amount });
                    changes.invoices.push(invoice);
                }
                Err(error) => report.problems.push(Problem { subscription_id: order.subscription_id, error }),
            }
        }
        if !changes.is_empty() {
            let commit = self.store.commit(self.tenant, changes).await?;
            report.add(CommitReport { invoices_known: 0, ..commit });
        }
        Ok(())
    }
}
