//! Payments, credit, the journal.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use isp_core::bank::{ImportedFile, MutationRow, PayerAlias, Telling};
use isp_core::calendar::Date;
use isp_core::ids::{BankFileId, CustomerId, JournalEntryId, MutationId, PaymentId, PaymentRequestId, TenantId};
use isp_core::ledger::kept::Sums;
use isp_core::ledger::{Account, EntryKind, JournalEntry, JournalTotal};
use isp_core::money::Money;
use isp_core::payment::{
    Allocation, CollectorBalance, CreditSource, GatewayBalance, GatewayRefund, GatewayRequest, PaymentRequest, Purse,
    WriteOff,
};
use isp_core::ports::{
    DepositRow, ExpenseRow, GatewayQuery, GatewayRefundQuery, MoneyStore, MutationQuery, PageQuery, PaymentRow,
    PayoutRow, RefundRow, RequestQuery, StoreError, TellingQuery,
};
use isp_core::report::Received;
use isp_core::text::{Code, Reference};

use crate::{bank, credit, gateway, gateway_refund, ledger, payment, purse, refund, request, sums};

use super::SqlStore;

#[async_trait]
impl MoneyStore for SqlStore {
    async fn customers_with_credit(
        &self,
        tenant: TenantId,
        page: PageQuery<CustomerId>,
    ) -> Result<Vec<CustomerId>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        payment::customers_with_credit(session.as_mut(), tenant, page).await
    }

    async fn credit(&self, tenant: TenantId, customer: CustomerId) -> Result<Vec<CreditSource>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        payment::credit(session.as_mut(), tenant, customer).await
    }

    async fn credit_at(
        &self,
        tenant: TenantId,
        customers: &[CustomerId],
        at: DateTime<Utc>,
    ) -> Result<Vec<(CustomerId, CreditSource)>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        payment::credit_at(session.as_mut(), tenant, customers, at).await
    }

    async fn payment(&self, tenant: TenantId, id: PaymentId) -> Result<Option<PaymentRow>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        payment::by_id(session.as_mut(), tenant, id).await
    }

    async fn payments_known_as(
        &self,
        tenant: TenantId,
        provider: &Code,
        reference: &Reference,
    ) -> Result<Vec<PaymentRow>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        payment::known_as(session.as_mut(), tenant, provider, reference).await
    }

    async fn allocations(&self, tenant: TenantId, id: PaymentId) -> Result<Vec<Allocation>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        payment::allocations(session.as_mut(), tenant, id).await
    }

    async fn write_offs(&self, tenant: TenantId, customer: Option<CustomerId>) -> Result<Vec<WriteOff>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        credit::write_offs(session.as_mut(), tenant, customer).await
    }

    async fn deposits(&self, tenant: TenantId) -> Result<Vec<DepositRow>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        credit::deposits(session.as_mut(), tenant).await
    }

    async fn collectors(&self, tenant: TenantId) -> Result<Vec<CollectorBalance>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        credit::collectors(session.as_mut(), tenant).await
    }

    async fn purse_days(&self, tenant: TenantId, purse: &Purse) -> Result<Vec<(Date, Money)>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        purse::days(session.as_mut(), tenant, purse).await
    }

    async fn payments(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
        page: PageQuery<PaymentId>,
    ) -> Result<Vec<PaymentRow>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        payment::page(session.as_mut(), tenant, customer, page).await
    }

    async fn payments_between(
        &self,
        tenant: TenantId,
        from: DateTime<Utc>,
        before: DateTime<Utc>,
    ) -> Result<Vec<PaymentRow>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        payment::between(session.as_mut(), tenant, (from, before)).await
    }

    async fn received_between(
        &self,
        tenant: TenantId,
        from: DateTime<Utc>,
        before: DateTime<Utc>,
    ) -> Result<Vec<Received>, StoreError> {
        let counted = {
            let mut session = self.engine.read(tenant).await?;
            payment::received(session.as_mut(), tenant, (from, before)).await
        };
        match counted {
            // One of them cannot be read: row by row the others can, and it is named.
            Err(StoreError::Corrupt { .. }) => {
                let found = self.payments_between(tenant, from, before).await?;
                let stands = found.iter().filter(|row| row.reversal.is_none());
                Ok(stands.map(|row| Received::new(row.payment.channel, 1, row.payment.amount)).collect())
            }
            other => other,
        }
    }

    async fn payment_requests(
        &self,
        tenant: TenantId,
        query: RequestQuery,
        page: PageQuery<PaymentRequestId>,
    ) -> Result<Vec<PaymentRequest>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        request::page(session.as_mut(), tenant, query, page).await
    }

    async fn gateway_requests(
        &self,
        tenant: TenantId,
        query: &GatewayQuery,
        page: PageQuery<PaymentRequestId>,
    ) -> Result<Vec<GatewayRequest>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        gateway::page(session.as_mut(), tenant, query, page).await
    }

    async fn refunds(&self, tenant: TenantId, customer: Option<CustomerId>) -> Result<Vec<RefundRow>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        refund::of(session.as_mut(), tenant, customer).await
    }

    async fn gateway_refunds(
        &self,
        tenant: TenantId,
        query: GatewayRefundQuery,
    ) -> Result<Vec<GatewayRefund>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        gateway_refund::of(session.as_mut(), tenant, query).await
    }

    async fn payouts(&self, tenant: TenantId) -> Result<Vec<PayoutRow>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        gateway::payouts(session.as_mut(), tenant).await
    }

    async fn gateway_balances(&self, tenant: TenantId) -> Result<Vec<GatewayBalance>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        gateway::balances(session.as_mut(), tenant).await
    }

    async fn bank_file(&self, tenant: TenantId, id: BankFileId) -> Result<Option<ImportedFile>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        bank::file(session.as_mut(), tenant, id).await
    }

    async fn mutations(
        &self,
        tenant: TenantId,
        query: &MutationQuery,
        page: PageQuery<MutationId>,
    ) -> Result<Vec<MutationRow>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        bank::page(session.as_mut(), tenant, query, page).await
    }

    async fn waiting_mutations(&self, tenant: TenantId) -> Result<(u64, Money), StoreError> {
        let mut session = self.engine.read(tenant).await?;
        bank::waiting(session.as_mut(), tenant).await
    }

    async fn tellings(&self, tenant: TenantId, query: &TellingQuery) -> Result<Vec<Telling>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        bank::tellings(session.as_mut(), tenant, query).await
    }

    async fn payer_aliases(&self, tenant: TenantId) -> Result<Vec<PayerAlias>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        bank::aliases(session.as_mut(), tenant).await
    }

    async fn expenses(&self, tenant: TenantId) -> Result<Vec<ExpenseRow>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        ledger::expenses(session.as_mut(), tenant).await
    }

    async fn journal_totals(
        &self,
        tenant: TenantId,
        from: Date,
        before: Date,
    ) -> Result<Vec<JournalTotal>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        ledger::totals(session.as_mut(), tenant, from, before).await
    }

    async fn credit_of(
        &self,
        tenant: TenantId,
        customers: &[CustomerId],
    ) -> Result<Vec<(CustomerId, Money)>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        payment::credit_of(session.as_mut(), tenant, customers).await
    }

    async fn kept_sums(&self, tenant: TenantId) -> Result<Sums, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        sums::read(session.as_mut(), tenant).await
    }

    async fn entries_of(&self, tenant: TenantId, ids: &[JournalEntryId]) -> Result<Vec<JournalEntry>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        ledger::of(session.as_mut(), tenant, ids.iter().map(|id| id.0).collect()).await
    }

    async fn entries_counted(&self, tenant: TenantId) -> Result<Vec<(EntryKind, u64)>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        ledger::counted(session.as_mut(), tenant).await
    }

    async fn booked_days(&self, tenant: TenantId, kind: EntryKind) -> Result<Vec<(Date, Account, Money)>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        ledger::booked_days(session.as_mut(), tenant, kind).await
    }

    async fn torn_entries(&self, tenant: TenantId, limit: u32) -> Result<Vec<JournalEntry>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        ledger::torn(session.as_mut(), tenant, limit).await
    }

    async fn account_days(
        &self,
        tenant: TenantId,
        account: Account,
        from: Date,
    ) -> Result<Vec<(Date, Money)>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        ledger::account_days(session.as_mut(), tenant, account, from).await
    }

    async fn journal(
        &self,
        tenant: TenantId,
        page: PageQuery<JournalEntryId>,
    ) -> Result<Vec<JournalEntry>, StoreError> {
        let mut session = self.engine.read(tenant).await?;
        ledger::page(session.as_mut(), tenant, page).await
    }
}
