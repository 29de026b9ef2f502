//! The billing run.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::billing::plan::{BillingContext, installation_invoice};
use crate::billing::policy::WhileIsolated;
use crate::billing::{Billable, Catalog, Invoice, Problem, plan_billing};
use crate::calendar::{Date, Zone};
use crate::engine::retry::{ATTEMPTS, until_written};
use crate::engine::{Engine, EngineError};
use crate::ids::{CustomerId, SubscriptionId};
use crate::ledger::entry_for_credit;
use crate::money::Money;
use crate::package::Package;
use crate::payment::allocate;
use crate::ports::{
    BillableQuery, ChangeSet, CommitReport, DamagedRow, Expectation, InstalmentRow, PageQuery, StoreError,
};

/// Lines that a run reads, decides and writes at once, for one row of the engine's page. A line is small, and each commit says a dozen
/// statements beside its rows.
const LINES_A_ROW: u32 = 2;

/// What a billing run did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BillReport {
    /// Invoices written.
    pub invoices: u64,
    /// Their sum.
    pub amount: Money,
    /// Invoices that were there already.
    pub known: u64,
    /// Customers whose credit paid an invoice.
    pub credited: u64,
    /// Late fees among the invoices.
    pub late_fees: u64,
    /// Periods that were left out because the line is isolated (rule B7).
    pub skipped: u64,
    /// Credit notes written for isolated days (rule B7).
    pub credit_notes: u64,
    /// Subscriptions that could not be billed (rule B8).
    pub problems: Vec<Problem>,
}

impl BillReport {
    pub(crate) fn add(&mut self, commit: CommitReport) {
        self.credit_notes += commit.credit_notes;
        self.invoices += commit.invoices;
        self.amount += commit.invoiced;
        self.known += commit.invoices_known;
    }

    /// Adds what was planned for a page that is written now.
    fn take(&mut self, planned: Self) {
        self.skipped += planned.skipped;
        self.problems.extend(planned.problems);
    }
}

/// What a run bills by.
struct Prices {
    packages: Arc<Vec<Package>>,
    catalog: Catalog,
}

/// A page that is planned again, because its lines or packages were changed between reading and writing it.
#[derive(Default)]
struct Again {
    /// How often it was.
    times: u32,
    /// Invoices of it that were written all the same, by the first of its two commits.
    written: u64,
}

impl Again {
    /// Whether it may be planned once more.
    fn may(&mut self) -> bool {
        self.times += 1;
        self.times < ATTEMPTS
    }

    /// What a commit of the page came to, without what an attempt before it had written.
    fn without_known(&mut self, commit: CommitReport) -> CommitReport {
        let invoices_known = commit.invoices_known.saturating_sub(self.written);
        self.written += commit.invoices;
        CommitReport { invoices_known, ..commit }
    }
}

impl Engine<'_> {
    /// Bills everything that has come due by `now`: periods, instalments of installation fees, and lets credit pay.
    ///
    /// A run after a crash, a second run and two runs at once write nothing twice. A page of which somebody changes a line or a price after
    /// it was read is read and planned again. Memory is bounded by the page.
    ///
    /// # Errors
    /// [`EngineError::Store`]; what was committed by then stays, and the next run goes on from there.
    pub async fn bill(&self, now: DateTime<Utc>) -> Result<BillReport, EngineError> {
        self.bill_with_progress(now, &mut |_| {}).await
    }

    /// [`Engine::bill`], telling how many subscriptions were looked at so far after each page.
    ///
    /// # Errors
    /// As [`Engine::bill`].
    pub async fn bill_with_progress(
        &self,
        now: DateTime<Utc>,
        progress: &mut (dyn FnMut(u64) + Send),
    ) -> Result<BillReport, EngineError> {
        let mut report = BillReport::default();
        let position = self.store.billing_position(self.tenant).await?;
        let mut prices = self.prices().await?;
        let context = self.billing_context(&prices.catalog, position, now);
        let (days, next_position) = (context.days(), context.next_position());
        let query = BillableQuery { days, ends_from: position.map_or(Date::MIN, |position| position.plus_days(1)) };
        let mut waiting = self.store.load_waiting_fees(self.tenant).await?;
        let mut page = PageQuery::first(self.page.saturating_mul(LINES_A_ROW));
        let mut seen = 0;
        let mut rows = self.store.load_billable(self.tenant, query, page).await?;
        let mut again = Again::default();
        loop {
            // What this page adds to the report; nothing of it counts when the page is planned again.
            let mut planned = BillReport::default();
            let plan = plan_billing(&rows, &self.billing_context(&prices.catalog, position, now));
            planned.problems.extend(plan.problems);
            let mut invoices = self.without_isolated(plan.invoices, &rows, &mut planned).await?;
            let fees = self.add_waiting_fees(&mut invoices, &waiting, &mut planned).await?;
            let expected =
                vec![Expectation::Lines(Arc::clone(&rows)), Expectation::Packages(Arc::clone(&prices.packages))];
            let changes = ChangeSet {
                expected,
                invoices,
                invoiced_fees: fees.clone(),
                billed_from: plan.billed_from,
                ..ChangeSet::default()
            };
            let mut after = page;
            let more = after.advance(&rows, |last| last.subscription_id);
            // The next page is read while this one is written, which touches no line of it.
            let next = async {
                if more { self.store.load_billable(self.tenant, query, after).await.map(Some) } else { Ok(None) }
            };
            let mut written = CommitReport::default();
            let (done, next) = futures::join!(self.write_page(&rows, changes, position, now, &mut written), next);
            report.add(again.without_known(written));
            if let Err(EngineError::Store(StoreError::Conflict)) = done
                && again.may()
            {
                // Somebody has changed a line of the page, or a package, since it was read.
                prices = self.prices().await?;
                rows = self.store.load_billable(self.tenant, query, page).await?;
                continue;
            }
            done?;
            again = Again::default();
            report.take(planned);
            Self::take_off(&mut waiting, &fees);
            seen += rows.len() as u64;
            progress(seen);
            let Some(read) = next? else { break };
            (page, rows) = (after, read);
        }
        self.bill_fees_alone(&waiting, now, &mut report).await?;
        self.bill_instalments(now, &mut report).await?;
        self.charge_late_fees(position, now, &mut report).await?;
        self.apply_credit(now, &mut report).await?;
        if position.is_none_or(|position| position < next_position) {
            let not_billed = position.map(|position| self.not_billed(position.plus_days(1))).unwrap_or_default();
            let changes = ChangeSet { billing_position: Some(next_position), not_billed, ..ChangeSet::default() };
            self.store.commit(self.tenant, changes).await?;
        }
        Ok(report)
    }

    /// Writes what was planned for a page of lines.
    async fn write_page(
        &self,
        rows: &[Billable],
        mut changes: ChangeSet,
        position: Option<Date>,
        now: DateTime<Utc>,
        written: &mut CommitReport,
    ) -> Result<(), EngineError> {
        if self.policy.billing.while_isolated == WhileIsolated::Prorate {
            // Once its `billed_from` is written, a line may not be looked at again in this run or any soon, so that goes
            // with what is given back of it, and with the invoices when nothing is.
            let billed_from = std::mem::take(&mut changes.billed_from);
            let expected = changes.expected.clone();
            if !changes.is_empty() {
                *written += self.store.commit(self.tenant, changes).await?;
            }
            let credit_notes = self.isolated_days_back(rows, position, now).await?;
            changes = ChangeSet { expected, billed_from, credit_notes, ..ChangeSet::default() };
        }
        if !changes.is_empty() {
            *written += self.store.commit(self.tenant, changes).await?;
        }
        Ok(())
    }

    /// The packages, with what billing needs to know of them.
    async fn prices(&self) -> Result<Prices, EngineError> {
        let packages = Arc::new(self.store.packages(self.tenant).await?);
        Ok(Prices { catalog: Catalog::new(&packages), packages })
    }

    /// What the next run at `now` writes for lines and installations that are not in the books yet, such as those of an import: how
    /// many invoices, and what they come to. `packages` are those of the books and of the import. Nothing is written.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn foresee_bills(
        &self,
        lines: &[Billable],
        installations: &[InstalmentRow],
        packages: &[Package],
        now: DateTime<Utc>,
    ) -> Result<(u64, Money), EngineError> {
        let catalog = Catalog::new(packages);
        let position = self.store.billing_position(self.tenant).await?;
        let mut invoices = plan_billing(lines, &self.billing_context(&catalog, position, now)).invoices;
        let mut report = BillReport::default();
        let waits = |row: &&InstalmentRow| row.order.with_first_invoice && row.order.fee.is_positive();
        let mut waiting: Vec<InstalmentRow> = installations.iter().filter(waits).cloned().collect();
        let fees = self.add_waiting_fees(&mut invoices, &waiting, &mut report).await?;
        Self::take_off(&mut waiting, &fees);
        let alone = waiting.iter().filter_map(|row| self.fee_alone(row, now, &mut report));
        invoices.extend(alone.map(|(invoice, _)| invoice));
        for row in installations {
            invoices.extend(self.instalments_of(row, now, &mut report));
        }
        Ok((invoices.len() as u64, invoices.iter().map(|invoice| invoice.total).sum()))
    }

    /// The lines whose rows cannot be read: the position passes them by, so they wait with a mark of their own.
    fn not_billed(&self, from: Date) -> Vec<(SubscriptionId, Date)> {
        let damaged = self.store.damaged().into_iter();
        damaged.filter(|row| row.what == DamagedRow::SUBSCRIPTION).map(|row| (SubscriptionId(row.id), from)).collect()
    }

    pub(crate) fn billing_context<'c>(
        &'c self,
        catalog: &'c Catalog,
        position: Option<Date>,
        now: DateTime<Utc>,
    ) -> BillingContext<'c> {
        BillingContext { catalog, policy: &self.policy.billing, tax: &self.policy.tax, position, now }
    }

    async fn bill_instalments(&self, now: DateTime<Utc>, report: &mut BillReport) -> Result<(), EngineError> {
        let rows = self.store.load_instalments(self.tenant, Zone::Wit.date_of(now)).await?;
        for chunk in rows.chunks(self.page as usize) {
            let mut invoices = Vec::with_capacity(chunk.len());
            for row in chunk {
                invoices.extend(self.instalments_of(row, now, report));
            }
            if !invoices.is_empty() {
                let commit = self.store.commit(self.tenant, ChangeSet { invoices, ..ChangeSet::default() }).await?;
                // Earlier instalments are planned again each time; that they are there is no news.
                report.add(CommitReport { invoices_known: 0, ..commit });
            }
        }
        Ok(())
    }

    /// The invoices for the instalments of an installation that have come due.
    fn instalments_of(&self, row: &InstalmentRow, now: DateTime<Utc>, report: &mut BillReport) -> Vec<Invoice> {
        let today = row.zone.date_of(now);
        let (billing, tax) = (&self.policy.billing, &self.policy.tax);
        let mut invoices = Vec::new();
        for part in row.order.schedule().iter().filter(|part| part.on <= today) {
            match installation_invoice(&row.order, part, row.site_id, row.package_id, billing, tax, today) {
                Ok(invoice) => invoices.push(invoice),
                Err(error) => report.problems.push(Problem { subscription_id: row.order.subscription_id, error }),
            }
        }
        invoices
    }

    /// Lets the credit of customers pay their open invoices (rule P2).
    async fn apply_credit(&self, now: DateTime<Utc>, report: &mut BillReport) -> Result<(), EngineError> {
        let mut page = PageQuery::first(self.page);
        loop {
            let customers = self.store.customers_with_credit(self.tenant, page).await?;
            for customer in &customers {
                report.credited += u64::from(self.apply_credit_of(*customer, now).await?);
            }
            if !page.advance(&customers, |last| *last) {
                return Ok(());
            }
        }
    }

    /// Lets the credit of one customer pay; true when it paid something.
    pub(crate) async fn apply_credit_of(&self, customer: CustomerId, now: DateTime<Utc>) -> Result<bool, EngineError> {
        until_written(|| async {
            let open = self.store.open_invoices(self.tenant, customer).await?;
            let credit = self.store.credit(self.tenant, customer).await?;
            let allocations = allocate(&open, &credit, now);
            let date = self.zone_of(customer).await?.date_of(now);
            let Some(entry) = entry_for_credit(self.tenant, customer, &allocations, &open, date) else {
                return Ok(false);
            };
            let mut touched: Vec<_> = open.iter().map(|i| i.subscription_id).collect();
            touched.sort_unstable();
            touched.dedup();
            let changes = ChangeSet { allocations, touched, journal: vec![entry], ..ChangeSet::default() };
            self.store.commit(self.tenant, changes).await?;
            Ok(true)
        })
        .await
    }

    /// The zone of a customer's first subscription; WIB for one without.
    pub(crate) async fn zone_of(&self, customer: CustomerId) -> Result<Zone, EngineError> {
        let query = crate::ports::AccessQuery::Customers(vec![customer]);
        let facts = self.store.load_access(self.tenant, &query, PageQuery::first(1)).await?;
        Ok(facts.first().map_or(Zone::Wib, |f| f.zone))
    }
}
