//! Loads what the reports are made of, a page at a time.

use chrono::{DateTime, Utc};

use crate::billing::InvoiceBalance;
use crate::calendar::{Month, Zone};
use crate::customer::Customer;
use crate::engine::list::CustomerPages;
use crate::engine::{Engine, EngineError};
use crate::ids::CustomerId;
use crate::isolation::ServiceAccess;
use crate::ledger::kept::{OpenSum, Sums};
use crate::ports::{InvoiceQuery, PageQuery};
use crate::report::cash::{CashRow, cash};
use crate::report::finance::{Finance, FinanceInput, finance};
use crate::report::profit_loss::{Codes, GroupBy, ProfitLoss, profit_loss};
use crate::report::{Alike, CpeRow, CustomerRow, PackageRow, packages};
use crate::subscription::Subscription;

/// About how many customers or lines the past is asked for at a time: the history of so many is in memory at once.
const PAGE: u32 = 1_000;

async fn all_of(mut pages: CustomerPages<'_>) -> Result<Vec<CustomerRow>, EngineError> {
    let mut all = Vec::new();
    while let Some(page) = pages.next().await? {
        all.extend(page);
    }
    Ok(all)
}

impl Engine<'_> {
    /// The customers' report as of `now`, counted on the calendar of WIB.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn report_customers(&self, now: DateTime<Utc>) -> Result<Vec<CustomerRow>, EngineError> {
        all_of(self.customer_pages(now).await?).await
    }

    /// The customers' report as it stood at a moment of the past: terms, access, debts and credit as they were then. What the
    /// routers said then is not kept, so nothing is said of it; names, addresses and numbers are those of today.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn report_customers_at(&self, at: DateTime<Utc>) -> Result<Vec<CustomerRow>, EngineError> {
        all_of(self.customer_pages_at(at).await?).await
    }

    /// All lines with the terms and the access of a moment of the past, and what was open then, those of some customers at a time.
    async fn lines_at(
        &self,
        at: DateTime<Utc>,
        mut each: impl FnMut(Vec<(Subscription, ServiceAccess)>, Vec<InvoiceBalance>),
    ) -> Result<(), EngineError> {
        let mut page = PageQuery::first(self.page.min(PAGE));
        loop {
            let people = self.store.customers(self.tenant, page).await?;
            let ids: Vec<CustomerId> = people.iter().map(|customer| customer.id).collect();
            let lines = self.store.subscriptions_of(self.tenant, &ids).await?;
            let (then, open) = self.lines_then(&ids, &lines, at).await?;
            each(then, open);
            if !page.advance(&people, |last| last.id) {
                return Ok(());
            }
        }
    }

    /// The devices' report as it stood at a moment of the past: where each device was then; one that came later is left out.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn report_cpe_at(&self, at: DateTime<Utc>) -> Result<Vec<CpeRow>, EngineError> {
        let (mut pages, mut all) = (self.cpe_pages_at(at), Vec::new());
        while let Some(page) = pages.next().await? {
            all.extend(page);
        }
        Ok(all)
    }

    /// The packages' report as it stood at a moment of the past, with the terms and the access of then.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn report_packages_at(&self, at: DateTime<Utc>) -> Result<Vec<PackageRow>, EngineError> {
        let all = self.store.packages(self.tenant).await?;
        let today = Zone::Wib.date_of(at);
        let mut rows = packages::packages(&all, [], today);
        self.lines_at(at, |lines, _| {
            let alike = |(line, access): (Subscription, ServiceAccess)| Alike {
                terms: line.terms,
                desired: access.desired,
                count: 1,
            };
            let page = packages::packages(&all, lines.into_iter().map(alike), today);
            rows.iter_mut().zip(page).for_each(|(row, more)| row.add(&more));
        })
        .await?;
        Ok(rows)
    }

    /// The devices' report as of `now`.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn report_cpe(&self, now: DateTime<Utc>) -> Result<Vec<CpeRow>, EngineError> {
        let (mut pages, mut all) = (self.cpe_pages(now), Vec::new());
        while let Some(page) = pages.next().await? {
            all.extend(page);
        }
        Ok(all)
    }

    /// The packages' report as of `now`.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn report_packages(&self, now: DateTime<Utc>) -> Result<Vec<PackageRow>, EngineError> {
        let all = self.store.packages(self.tenant).await?;
        Ok(packages::packages(&all, self.store.alike(self.tenant).await?, Zone::Wib.date_of(now)))
    }

    /// Monthly finance from `first` to `last`, with the age of what is open at `now`.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn report_finance(
        &self,
        first: Month,
        last: Month,
        by: GroupBy,
        now: DateTime<Utc>,
    ) -> Result<Finance, EngineError> {
        let sums = self.store.kept_sums(self.tenant).await?;
        self.finance_with(&sums, &sums.all_open(), (first, last), by, now).await
    }

    /// Monthly finance with the age of what was open at a moment of the past: what was issued or paid after it does not count.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn report_finance_at(
        &self,
        first: Month,
        last: Month,
        by: GroupBy,
        at: DateTime<Utc>,
    ) -> Result<Finance, EngineError> {
        let mut sums = Sums::default();
        self.lines_at(at, |_, open| {
            for open in open.iter().map(OpenSum::of) {
                sums.open((open.due_date, open.package_id, open.site_id), open.amount);
            }
        })
        .await?;
        let open = sums.all_open();
        self.finance_with(&self.store.kept_sums(self.tenant).await?, &open, (first, last), by, at).await
    }

    async fn finance_with(
        &self,
        sums: &Sums,
        open: &[OpenSum],
        (first, last): (Month, Month),
        by: GroupBy,
        now: DateTime<Utc>,
    ) -> Result<Finance, EngineError> {
        let totals = sums.totals();
        let (codes, today) = (self.codes().await?, Zone::Wib.date_of(now));
        Ok(finance(&FinanceInput { totals: &totals, open, by, codes: &codes, today }, first, last))
    }

    /// Where the money is, from `first` to `last`.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn report_cash(&self, first: Month, last: Month) -> Result<Vec<CashRow>, EngineError> {
        Ok(cash(&self.store.kept_sums(self.tenant).await?.totals(), first, last))
    }

    /// Profit and loss from `first` to `last`.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn report_profit_loss(&self, first: Month, last: Month, by: GroupBy) -> Result<ProfitLoss, EngineError> {
        let mut totals = self.store.kept_sums(self.tenant).await?.totals();
        totals.retain(|total| (first..=last).contains(&total.month()));
        Ok(profit_loss(&totals, by, &self.codes().await?))
    }

    async fn codes(&self) -> Result<Codes, EngineError> {
        let packages = self.store.packages(self.tenant).await?;
        let sites = self.store.sites(self.tenant).await?;
        Ok(Codes {
            packages: packages.into_iter().map(|p| (p.id, p.code.to_string())).collect(),
            sites: sites.into_iter().map(|s| (s.id, s.code.to_string())).collect(),
        })
    }

    /// All customers.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn all_customers(&self) -> Result<Vec<Customer>, EngineError> {
        let mut all = Vec::new();
        loop {
            let page = PageQuery { after: all.last().map(|c: &Customer| c.id), limit: self.page };
            let rows = self.store.customers(self.tenant, page).await?;
            let last = (rows.len() as u64) < u64::from(self.page);
            all.extend(rows);
            if last {
                return Ok(all);
            }
        }
    }

    /// All subscriptions with their access.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn all_subscriptions(&self) -> Result<Vec<(Subscription, ServiceAccess)>, EngineError> {
        let mut all: Vec<(Subscription, ServiceAccess)> = Vec::new();
        loop {
            let page = PageQuery { after: all.last().map(|(s, _)| s.id), limit: self.page };
            let rows = self.store.subscriptions(self.tenant, None, page).await?;
            let last = (rows.len() as u64) < u64::from(self.page);
            all.extend(rows);
            if last {
                return Ok(all);
            }
        }
    }

    /// All open invoices.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn all_open(&self) -> Result<Vec<InvoiceBalance>, EngineError> {
        let query = InvoiceQuery { open: true, ..InvoiceQuery::default() };
        let mut all = Vec::new();
        let mut page = PageQuery::first(self.page);
        loop {
            let rows = self.store.invoices(self.tenant, query, page).await?;
            all.extend(rows.iter().map(|(invoice, paid)| invoice.balance(*paid)));
            if !page.advance(&rows, |(last, _)| last.id) {
                return Ok(all);
            }
        }
    }
}
