//! Late fees (rule B10): charged by the billing run, and shown before.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::billing::{Charge, Debt, Invoice, InvoiceBalance, InvoiceKind, LateFee, LateFeePolicy, Problem};
use crate::calendar::{Date, Period, Zone};
use crate::engine::pages::all_pages;
use crate::engine::{BillReport, Engine, EngineError};
use crate::ids::{CustomerId, InvoiceId, SubscriptionId};
use crate::ports::{ChangeSet, CommitReport, InvoiceQuery, PageQuery};

impl Engine<'_> {
    /// The late fees that are coming as things stand at `now`: one for each period that is overdue and has none yet, with
    /// the day on which it will be charged. A payment before that day spares it.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn late_fees(&self, now: DateTime<Utc>) -> Result<Vec<LateFee>, EngineError> {
        let Some(policy) = &self.policy.late_fee else { return Ok(Vec::new()) };
        let today = Zone::Wib.date_of(now);
        let overdue = self.all_open().await?.into_iter().filter(|i| i.due_date < today);
        let mut fees: Vec<LateFee> = overdue.filter_map(|i| LateFee::on(i, policy)).collect();
        let ids: Vec<_> = fees.iter().map(|fee| LateFee::id_for(fee.invoice.invoice_id)).collect();
        let charged = self.store.balances(self.tenant, &ids).await?;
        // One whose day was passed by before the policy was set is not charged any more.
        let last = self.store.billing_position(self.tenant).await?.map(|p| self.fee_window(p)).unwrap_or(today);
        fees.retain(|fee| {
            let id = LateFee::id_for(fee.invoice.invoice_id);
            fee.on > last.min(today.plus_days(-1)) && charged.iter().all(|c| c.invoice_id != id)
        });
        fees.sort_by_key(|fee| (fee.on, fee.invoice.number));
        Ok(fees)
    }

    /// The late fees that a customer was charged, with what was given back of them.
    pub(crate) async fn late_fees_of(&self, customer: CustomerId) -> Result<Vec<Charge>, EngineError> {
        let kind = Some(InvoiceKind::LateFee);
        let query = InvoiceQuery { customer: Some(customer), kind, ..InvoiceQuery::default() };
        let load = |page| self.store.invoices(self.tenant, query, page);
        let rows = all_pages(self.page, load, |(invoice, _)| invoice.id).await?;
        let mut fees: Vec<Charge> = rows.into_iter().map(|(invoice, _)| Charge::new(invoice)).collect();
        if !fees.is_empty() {
            for note in self.credit_notes_of(customer).await? {
                if let Some(fee) = fees.iter_mut().find(|f| f.invoice.id == note.invoice_id) {
                    fee.notes.push(note);
                }
            }
        }
        Ok(fees)
    }

    /// Charges the fees whose day lies after the position of the billing run: those of days that were missed too, by what
    /// was unpaid when each day began, and none of the time before the policy was set.
    pub(crate) async fn charge_late_fees(
        &self,
        position: Option<Date>,
        now: DateTime<Utc>,
        report: &mut BillReport,
    ) -> Result<(), EngineError> {
        for (day, zone) in self.days_of_fees(position, now) {
            let mut page = Some(PageQuery::first(self.page));
            while let Some(this) = page {
                let invoices;
                (invoices, page) = self.fees_of(day, zone, this, now, &mut report.problems).await?;
                if !invoices.is_empty() {
                    let commit = self.store.commit(self.tenant, ChangeSet { invoices, ..ChangeSet::default() }).await?;
                    report.late_fees += commit.invoices;
                    report.add(CommitReport { invoices_known: 0, ..commit });
                }
            }
        }
        Ok(())
    }

    /// The fees that the run of `now` would charge, and those that it could not. Nothing is written; a fee that stands is among them.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub(crate) async fn foresee_late_fees(
        &self,
        now: DateTime<Utc>,
    ) -> Result<(Vec<Invoice>, Vec<Problem>), EngineError> {
        let (mut fees, mut problems) = (Vec::new(), Vec::new());
        let position = self.store.billing_position(self.tenant).await?;
        for (day, zone) in self.days_of_fees(position, now) {
            let mut page = Some(PageQuery::first(self.page));
            while let Some(this) = page {
                let found;
                (found, page) = self.fees_of(day, zone, this, now, &mut problems).await?;
                fees.extend(found);
            }
        }
        Ok((fees, problems))
    }

    /// The fees of a day for a page of what was unpaid as it began in a zone, and the next page.
    async fn fees_of(
        &self,
        day: Date,
        zone: Zone,
        mut page: PageQuery<InvoiceId>,
        now: DateTime<Utc>,
        problems: &mut Vec<Problem>,
    ) -> Result<(Vec<Invoice>, Option<PageQuery<InvoiceId>>), EngineError> {
        let Some(policy) = &self.policy.late_fee else { return Ok((Vec::new(), None)) };
        let due = policy.due_on(day);
        let late = self.store.unpaid_at(self.tenant, due, zone, day.midnight(zone), page).await?;
        let fees = self.fees_on(&late, policy, zone.date_of(now), problems).await?;
        Ok((fees, page.advance(&late, |last| last.invoice_id).then_some(page)))
    }

    /// The days of which the run of `now` charges fees, in each zone.
    fn days_of_fees(&self, position: Option<Date>, now: DateTime<Utc>) -> Vec<(Date, Zone)> {
        let of = |zone: Zone| {
            let today = zone.date_of(now);
            let first = position.map_or(today, |p| self.fee_window(p).plus_days(1));
            (0..=today.days_since(first)).map(move |i| (first.plus_days(i), zone))
        };
        if self.policy.late_fee.is_none() { Vec::new() } else { Zone::ALL.into_iter().flat_map(of).collect() }
    }

    /// The fees on invoices of one zone, `written` on a day of it.
    async fn fees_on(
        &self,
        late: &[InvoiceBalance],
        policy: &LateFeePolicy,
        written: Date,
        problems: &mut Vec<Problem>,
    ) -> Result<Vec<Invoice>, EngineError> {
        let mut invoices = Vec::new();
        let unserved = self.unserved(late).await?;
        let by_facts = self.unpaid_by_the_facts(late, policy).await?;
        let late = late.iter().filter(|i| !unserved.contains(&i.invoice_id)).map(|i| {
            let unpaid = by_facts.get(&i.invoice_id).copied().unwrap_or(i.residual());
            InvoiceBalance { debt: Debt { paid: i.total - unpaid, ..i.debt }, ..*i }
        });
        for fee in late.filter_map(|i| LateFee::on(i, policy)) {
            match fee.invoice(policy, &self.policy.billing, &self.policy.tax, written) {
                Ok(invoice) => invoices.push(invoice),
                Err(error) => problems.push(Problem { subscription_id: fee.invoice.subscription_id, error }),
            }
        }
        debug_assert!(invoices.iter().all(|i| i.kind == InvoiceKind::LateFee));
        Ok(invoices)
    }

    /// Those whose days were given back from the first on, as an end or a pause was said afterwards: they were not owed when the
    /// day of their fee began, whatever stood there then (rule B12).
    pub(crate) async fn unserved(&self, late: &[InvoiceBalance]) -> Result<BTreeSet<InvoiceId>, EngineError> {
        let Some(start) = late.iter().map(|i| i.period.start).min() else { return Ok(BTreeSet::new()) };
        let days = Period { start, end: Date::MAX };
        let lines: Vec<SubscriptionId> = late.iter().map(|i| i.subscription_id).collect();
        let charges = self.store.charges(self.tenant, &lines, days).await?;
        Ok(charges.iter().filter(|c| c.is_unserved(c.invoice.period.start)).map(|c| c.invoice.id).collect())
    }

    /// The last day of which fees were charged, from the position of the billing run, which is ahead by the lead.
    pub(crate) fn fee_window(&self, position: Date) -> Date {
        position.plus_days(-i32::from(self.policy.billing.issue_lead_days))
    }
}
