//! What was paid and booked: payments, credit, write-offs, collectors, the journal.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{
    DepositRow, ExpenseRow, GatewayQuery, GatewayRefundQuery, MutationQuery, PageQuery, PaymentRow, PayoutRow,
    RefundRow, RequestQuery, StoreError, TellingQuery,
};
use crate::bank::{ImportedFile, MutationRow, PayerAlias, Telling};
use crate::calendar::Date;
use crate::ids::{BankFileId, CustomerId, JournalEntryId, MutationId, PaymentId, PaymentRequestId, TenantId};
use crate::ledger::kept::Sums;
use crate::ledger::{Account, EntryKind, JournalEntry, JournalTotal};
use crate::money::Money;
use crate::payment::{
    Allocation, CollectorBalance, CreditSource, GatewayBalance, GatewayRefund, GatewayRequest, PaymentRequest, Purse,
    WriteOff,
};
use crate::report::Received;
use crate::text::{Code, Reference};

/// What was paid and booked: payments, credit, write-offs, collectors, the journal.
///
/// A role of [`super::Store`], whose contract holds here too.
#[async_trait]
pub trait MoneyStore: Send + Sync {
    /// Customers who have credit and an open invoice, in id order.
    async fn customers_with_credit(
        &self,
        tenant: TenantId,
        page: PageQuery<CustomerId>,
    ) -> Result<Vec<CustomerId>, StoreError>;

    /// The payments of a customer with money left, first received first, then by id.
    async fn credit(&self, tenant: TenantId, customer: CustomerId) -> Result<Vec<CreditSource>, StoreError>;

    /// What each of these customers has left of payments, of those that have something left, in the order of customers. A store with an own
    /// way to it is faster than this, which asks for each customer.
    async fn credit_of(
        &self,
        tenant: TenantId,
        customers: &[CustomerId],
    ) -> Result<Vec<(CustomerId, Money)>, StoreError> {
        let customers: BTreeSet<CustomerId> = customers.iter().copied().collect();
        let mut found = Vec::new();
        for customer in customers {
            let left: Money = self.credit(tenant, customer).await?.iter().map(|source| source.left).sum();
            found.extend(left.is_positive().then_some((customer, left)));
        }
        Ok(found)
    }

    /// What was left at a moment of the payments that these customers had made by then, of each that has something left, in the
    /// order of customers, then first received first, then by id. One that was reversed, whenever that was, is left out, and so is
    /// what allocations made later. A customer who is named twice is told once. The list is as long as a page.
    async fn credit_at(
        &self,
        tenant: TenantId,
        customers: &[CustomerId],
        at: DateTime<Utc>,
    ) -> Result<Vec<(CustomerId, CreditSource)>, StoreError>;

    /// A payment, with what is left of it and its reversal.
    async fn payment(&self, tenant: TenantId, id: PaymentId) -> Result<Option<PaymentRow>, StoreError>;

    /// The payments that go by this provider and reference (rule P6), in the order they were booked: at most one that is
    /// not reversed, but for those of a database of old that differed in case.
    async fn payments_known_as(
        &self,
        tenant: TenantId,
        provider: &Code,
        reference: &Reference,
    ) -> Result<Vec<PaymentRow>, StoreError>;

    /// The allocations of a payment, in the order they were made.
    async fn allocations(&self, tenant: TenantId, id: PaymentId) -> Result<Vec<Allocation>, StoreError>;

    /// Write-offs, of one customer or of all, in the order of their payments' ids.
    async fn write_offs(&self, tenant: TenantId, customer: Option<CustomerId>) -> Result<Vec<WriteOff>, StoreError>;

    /// Credit that was paid out, of one customer or of all, oldest day first, then by id.
    async fn refunds(&self, tenant: TenantId, customer: Option<CustomerId>) -> Result<Vec<RefundRow>, StoreError>;

    /// Refunds that gateways were asked for, in id order.
    async fn gateway_refunds(
        &self,
        tenant: TenantId,
        query: GatewayRefundQuery,
    ) -> Result<Vec<GatewayRefund>, StoreError>;

    /// Deposits, oldest day first, then by id, those that were booked back among them.
    async fn deposits(&self, tenant: TenantId) -> Result<Vec<DepositRow>, StoreError>;

    /// What each collector took (payments that were not reversed) and handed over (deposits that were not booked back), by name.
    async fn collectors(&self, tenant: TenantId) -> Result<Vec<CollectorBalance>, StoreError>;

    /// What was put into a purse on each day on which customers paid (by the clock of WIB), less the fees that a gateway kept of it,
    /// and what was taken out of it by deposits, payouts or refunds through the gateway, below zero. What was reversed or booked back is left out, but a fee that
    /// was kept stays. In no particular order, and a day may be there more than once.
    async fn purse_days(&self, tenant: TenantId, purse: &Purse) -> Result<Vec<(Date, Money)>, StoreError>;

    /// Payments, of one customer or of all, in id order.
    async fn payments(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
        page: PageQuery<PaymentId>,
    ) -> Result<Vec<PaymentRow>, StoreError>;

    /// The payments of a span of time by when they were made, from a moment and before another one, those that were reversed among
    /// them, in the order in which they were made. A store with an own way to find them is faster than this, which reads all.
    async fn payments_between(
        &self,
        tenant: TenantId,
        from: DateTime<Utc>,
        before: DateTime<Utc>,
    ) -> Result<Vec<PaymentRow>, StoreError> {
        let mut found = self.payments(tenant, None, PageQuery::first(u32::MAX)).await?;
        found.retain(|row| row.payment.paid_at >= from && row.payment.paid_at < before);
        found.sort_by_key(|row| (row.payment.paid_at, row.payment.id));
        Ok(found)
    }

    /// The payments of a span of time by when they were made, from a moment and before another one, that were not reversed: how many and
    /// how much by channel, in no particular order. A store with an own way to count them is faster than this, which looks at each.
    async fn received_between(
        &self,
        tenant: TenantId,
        from: DateTime<Utc>,
        before: DateTime<Utc>,
    ) -> Result<Vec<Received>, StoreError> {
        let found = self.payments_between(tenant, from, before).await?;
        let stands = found.iter().filter(|row| row.reversal.is_none());
        Ok(stands.map(|row| Received::new(row.payment.channel, 1, row.payment.amount)).collect())
    }

    /// Payment requests, in id order.
    async fn payment_requests(
        &self,
        tenant: TenantId,
        query: RequestQuery,
        page: PageQuery<PaymentRequestId>,
    ) -> Result<Vec<PaymentRequest>, StoreError>;

    /// Requests at gateways, in id order.
    async fn gateway_requests(
        &self,
        tenant: TenantId,
        query: &GatewayQuery,
        page: PageQuery<PaymentRequestId>,
    ) -> Result<Vec<GatewayRequest>, StoreError>;

    /// Payouts of gateways, oldest day first, then by id, those that were booked back among them.
    async fn payouts(&self, tenant: TenantId) -> Result<Vec<PayoutRow>, StoreError>;

    /// What each gateway took (payments through [`Channel::Gateway`](crate::payment::Channel) that were not reversed, less what it
    /// gave back to customers), kept as fees, and paid out (payouts that were not booked back), by name.
    async fn gateway_balances(&self, tenant: TenantId) -> Result<Vec<GatewayBalance>, StoreError>;

    /// A bank's file that was imported.
    async fn bank_file(&self, tenant: TenantId, id: BankFileId) -> Result<Option<ImportedFile>, StoreError>;

    /// Mutations, in id order.
    async fn mutations(
        &self,
        tenant: TenantId,
        query: &MutationQuery,
        page: PageQuery<MutationId>,
    ) -> Result<Vec<MutationRow>, StoreError>;

    /// How many mutations wait for a person to say whose they are, and over how much.
    async fn waiting_mutations(&self, tenant: TenantId) -> Result<(u64, Money), StoreError>;

    /// Who told of mutations, in id order.
    async fn tellings(&self, tenant: TenantId, query: &TellingQuery) -> Result<Vec<Telling>, StoreError>;

    /// What was learnt of payers, in the order of mutations.
    async fn payer_aliases(&self, tenant: TenantId) -> Result<Vec<PayerAlias>, StoreError>;

    /// Expenses, oldest day first, then by id, those that were booked back among them.
    async fn expenses(&self, tenant: TenantId) -> Result<Vec<ExpenseRow>, StoreError>;

    /// Sums of the journal by month, account, kind, package and site, for entries booked from one day up to another (not
    /// included), one a combination, in no particular order.
    async fn journal_totals(&self, tenant: TenantId, from: Date, before: Date)
    -> Result<Vec<JournalTotal>, StoreError>;

    /// The sums of the books that are kept: after each commit those of all rows, and all of one moment. They are read without a look at
    /// the rows, so they say nothing of a row that was altered by hand; [`MoneyStore::journal_totals`] reads the journal itself.
    async fn kept_sums(&self, tenant: TenantId) -> Result<Sums, StoreError>;

    /// What moved on an account each day, oldest day first, from one day on. What moved before it counts on that day.
    async fn account_days(
        &self,
        tenant: TenantId,
        account: Account,
        from: Date,
    ) -> Result<Vec<(Date, Money)>, StoreError>;

    /// Journal entries by id, in id order; unknown ones are left out. A store with an own way to them is faster than this, which reads all.
    async fn entries_of(&self, tenant: TenantId, ids: &[JournalEntryId]) -> Result<Vec<JournalEntry>, StoreError> {
        let ids: BTreeSet<JournalEntryId> = ids.iter().copied().collect();
        let mut all = self.journal(tenant, PageQuery::first(u32::MAX)).await?;
        all.retain(|entry| ids.contains(&entry.id));
        Ok(all)
    }

    /// How many journal entries there are of each kind, of those that are there, in no particular order. A store with an own way to count
    /// them is faster than this, which reads all.
    async fn entries_counted(&self, tenant: TenantId) -> Result<Vec<(EntryKind, u64)>, StoreError> {
        let mut counts: BTreeMap<EntryKind, u64> = BTreeMap::new();
        for entry in self.journal(tenant, PageQuery::first(u32::MAX)).await? {
            *counts.entry(entry.kind).or_default() += 1;
        }
        Ok(counts.into_iter().collect())
    }

    /// What entries of a kind move on each account each day, in no particular order. A store with an own way to add them up is faster
    /// than this, which reads all.
    async fn booked_days(&self, tenant: TenantId, kind: EntryKind) -> Result<Vec<(Date, Account, Money)>, StoreError> {
        let mut days: BTreeMap<(Date, Account), Money> = BTreeMap::new();
        for entry in self.journal(tenant, PageQuery::first(u32::MAX)).await?.iter().filter(|entry| entry.kind == kind) {
            for line in &entry.lines {
                *days.entry((entry.date, line.account)).or_default() += line.amount;
            }
        }
        Ok(days.into_iter().map(|((day, account), amount)| (day, account, amount)).collect())
    }

    /// Entries of which a line says another day or kind than the entry itself, without their lines, in id order, at most so many. A store
    /// that keeps both once has none.
    async fn torn_entries(&self, _tenant: TenantId, _limit: u32) -> Result<Vec<JournalEntry>, StoreError> {
        Ok(Vec::new())
    }

    /// Journal entries, in id order.
    async fn journal(&self, tenant: TenantId, page: PageQuery<JournalEntryId>)
    -> Result<Vec<JournalEntry>, StoreError>;
}
