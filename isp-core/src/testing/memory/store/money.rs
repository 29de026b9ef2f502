//! Payments, credit, the journal.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::bank::{ImportedFile, MutationRow, PayerAlias, Telling};
use crate::calendar::Date;
use crate::ending::RecordId;
use crate::ids::{BankFileId, CustomerId, JournalEntryId, MutationId, PaymentId, PaymentRequestId, TenantId};
use crate::ledger::kept::Sums;
use crate::ledger::{Account, Expense, JournalEntry, JournalTotal};
use crate::money::Money;
use crate::payment::{
    Allocation, CollectorBalance, CreditSource, GatewayBalance, GatewayRefund, GatewayRequest, PaymentRequest, Purse,
    WriteOff,
};
use crate::ports::{
    DepositRow, ExpenseRow, GatewayQuery, GatewayRefundQuery, MoneyStore, MutationQuery, PageQuery, PaymentRow,
    PayoutRow, RefundRow, RequestQuery, StoreError, TellingQuery,
};
use crate::text::{Code, Reference};

use super::super::bank::mutation_matches;
use super::super::gateway::{gateway_matches, refund_matches};
use super::super::request::request_matches;
use super::super::state::State;
use super::{MemoryStore, after, all};

#[async_trait]
impl MoneyStore for MemoryStore {
    async fn customers_with_credit(
        &self,
        tenant: TenantId,
        page: PageQuery<CustomerId>,
    ) -> Result<Vec<CustomerId>, StoreError> {
        self.read(tenant, |s| s.customers_with_credit(page))
    }

    async fn credit(&self, tenant: TenantId, customer: CustomerId) -> Result<Vec<CreditSource>, StoreError> {
        self.read(tenant, |s| s.credit(customer))
    }

    async fn credit_at(
        &self,
        tenant: TenantId,
        customers: &[CustomerId],
        at: DateTime<Utc>,
    ) -> Result<Vec<(CustomerId, CreditSource)>, StoreError> {
        self.read(tenant, |s| s.credit_at(customers, at))
    }

    async fn payment(&self, tenant: TenantId, id: PaymentId) -> Result<Option<PaymentRow>, StoreError> {
        self.read(tenant, |s| s.payments.get(&id).map(State::payment_row))
    }

    async fn payments_known_as(
        &self,
        tenant: TenantId,
        provider: &Code,
        reference: &Reference,
    ) -> Result<Vec<PaymentRow>, StoreError> {
        self.read(tenant, |s| s.payments_known_as(provider, reference))
    }

    async fn allocations(&self, tenant: TenantId, id: PaymentId) -> Result<Vec<Allocation>, StoreError> {
        self.read(tenant, |s| s.allocations(id))
    }

    async fn write_offs(&self, tenant: TenantId, customer: Option<CustomerId>) -> Result<Vec<WriteOff>, StoreError> {
        self.read(tenant, |s| {
            s.write_offs.values().filter(|w| customer.is_none_or(|c| c == w.customer_id)).cloned().collect()
        })
    }

    async fn deposits(&self, tenant: TenantId) -> Result<Vec<DepositRow>, StoreError> {
        self.read(tenant, |s| {
            let mut all: Vec<DepositRow> = s.deposits.values().map(|d| s.deposit_row(d)).collect();
            all.sort_by_key(|row| (row.deposit.on, row.deposit.id));
            all
        })
    }

    async fn collectors(&self, tenant: TenantId) -> Result<Vec<CollectorBalance>, StoreError> {
        self.read(tenant, State::collectors)
    }

    async fn payments(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
        page: PageQuery<PaymentId>,
    ) -> Result<Vec<PaymentRow>, StoreError> {
        self.read(tenant, |s| {
            s.payments
                .range(after(page.after))
                .filter(|(_, kept)| customer.is_none_or(|c| c == kept.payment.customer_id))
                .take(page.limit as usize)
                .map(|(_, kept)| State::payment_row(kept))
                .collect()
        })
    }

    async fn payment_requests(
        &self,
        tenant: TenantId,
        query: RequestQuery,
        page: PageQuery<PaymentRequestId>,
    ) -> Result<Vec<PaymentRequest>, StoreError> {
        self.read(tenant, |s| {
            let rows = s.payment_requests.range(after(page.after)).map(|(_, request)| request);
            rows.filter(|r| request_matches(r, &query)).take(page.limit as usize).cloned().collect()
        })
    }

    async fn gateway_requests(
        &self,
        tenant: TenantId,
        query: &GatewayQuery,
        page: PageQuery<PaymentRequestId>,
    ) -> Result<Vec<GatewayRequest>, StoreError> {
        self.read(tenant, |s| {
            let rows = s.gateway_requests.range(after(page.after)).map(|(_, row)| row);
            rows.filter(|row| gateway_matches(row, query)).take(page.limit as usize).cloned().collect()
        })
    }

    async fn refunds(&self, tenant: TenantId, customer: Option<CustomerId>) -> Result<Vec<RefundRow>, StoreError> {
        self.read(tenant, |s| {
            let meant = s.refunds.values().filter(|r| customer.is_none_or(|id| id == r.customer_id));
            let mut all: Vec<RefundRow> = meant
                .map(|r| RefundRow {
                    refund: r.clone(),
                    ending: s.endings.get(&crate::ending::RecordId::Refund(r.id)).cloned(),
                })
                .collect();
            all.sort_by_key(|row| (row.refund.on, row.refund.id));
            all
        })
    }

    async fn gateway_refunds(
        &self,
        tenant: TenantId,
        query: GatewayRefundQuery,
    ) -> Result<Vec<GatewayRefund>, StoreError> {
        self.read(tenant, |s| s.gateway_refunds.values().filter(|row| refund_matches(row, query)).cloned().collect())
    }

    async fn payouts(&self, tenant: TenantId) -> Result<Vec<PayoutRow>, StoreError> {
        self.read(tenant, |s| {
            let mut all: Vec<PayoutRow> = s.payouts.values().map(|p| s.payout_row(p)).collect();
            all.sort_by_key(|row| (row.payout.on, row.payout.id));
            all
        })
    }

    async fn gateway_balances(&self, tenant: TenantId) -> Result<Vec<GatewayBalance>, StoreError> {
        self.read(tenant, State::gateway_balances)
    }

    async fn bank_file(&self, tenant: TenantId, id: BankFileId) -> Result<Option<ImportedFile>, StoreError> {
        self.read(tenant, |s| s.bank_files.get(&id).cloned())
    }

    async fn mutations(
        &self,
        tenant: TenantId,
        query: &MutationQuery,
        page: PageQuery<MutationId>,
    ) -> Result<Vec<MutationRow>, StoreError> {
        self.read(tenant, |s| {
            let rows = s.mutations.range(after(page.after)).map(|(_, row)| row);
            rows.filter(|row| mutation_matches(row, query)).take(page.limit as usize).cloned().collect()
        })
    }

    async fn waiting_mutations(&self, tenant: TenantId) -> Result<(u64, Money), StoreError> {
        self.read(tenant, |s| {
            let query = MutationQuery { waiting: true, ..MutationQuery::default() };
            let waiting = s.mutations.values().filter(|row| mutation_matches(row, &query));
            waiting.fold((0, Money::ZERO), |(count, sum), row| (count + 1, sum + row.mutation.amount))
        })
    }

    async fn tellings(&self, tenant: TenantId, query: &TellingQuery) -> Result<Vec<Telling>, StoreError> {
        self.read(tenant, |s| s.tellings_of(query))
    }

    async fn payer_aliases(&self, tenant: TenantId) -> Result<Vec<PayerAlias>, StoreError> {
        self.read(tenant, |s| all(&s.payer_aliases))
    }

    async fn expenses(&self, tenant: TenantId) -> Result<Vec<ExpenseRow>, StoreError> {
        self.read(tenant, |s| {
            let told = |e: &Expense| ExpenseRow {
                expense: e.clone(),
                ending: s.endings.get(&RecordId::Expense(e.id)).cloned(),
            };
            let mut rows: Vec<ExpenseRow> = s.expenses.values().map(told).collect();
            rows.sort_by_key(|row| (row.expense.on, row.expense.id));
            rows
        })
    }

    async fn journal_totals(
        &self,
        tenant: TenantId,
        from: Date,
        before: Date,
    ) -> Result<Vec<JournalTotal>, StoreError> {
        self.read(tenant, |s| s.journal_totals(from, before))
    }

    async fn kept_sums(&self, tenant: TenantId) -> Result<Sums, StoreError> {
        self.read(tenant, |s| s.sums())
    }

    async fn account_days(
        &self,
        tenant: TenantId,
        account: Account,
        from: Date,
    ) -> Result<Vec<(Date, Money)>, StoreError> {
        self.read(tenant, |s| s.account_days(account, from))
    }

    async fn purse_days(&self, tenant: TenantId, purse: &Purse) -> Result<Vec<(Date, Money)>, StoreError> {
        self.read(tenant, |s| s.purse_days(purse))
    }

    async fn journal(
        &self,
        tenant: TenantId,
        page: PageQuery<JournalEntryId>,
    ) -> Result<Vec<JournalEntry>, StoreError> {
        self.read(tenant, |s| {
            s.journal.range(after(page.after)).take(page.limit as usize).map(|(_, e)| e.clone()).collect()
        })
    }
}
