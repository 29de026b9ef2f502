//! The port [`Store`] over an engine: opens a transaction, runs the statements of the noun, ends it.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use isp_core::bank::{ImportedFile, MutationRow, PayerAlias};
use isp_core::billing::{Billable, Charge, CreditNote, Invoice, InvoiceBalance, Statement};
use isp_core::calendar::{Date, Period, Zone};
use isp_core::customer::{Customer, Nik};
use isp_core::device::{Cpe, DeviceHistory};
use isp_core::ids::{
    BankFileId, CreditNoteId, CustomerId, InvoiceId, JournalEntryId, MutationId, OutboxId, PaymentId, PaymentRequestId,
    RouterId, SubscriptionId, TenantId, WorkerId,
};
use isp_core::installation::InstallationKind;
use isp_core::isolation::{AccessEffect, AccessEvent, AccessFacts, AccessTarget, ServiceAccess};
use isp_core::ledger::{JournalEntry, JournalTotal};
use isp_core::message::{DunningFacts, MessageFacts, Notification};
use isp_core::money::Money;
use isp_core::package::Package;
use isp_core::payment::{Allocation, CollectorBalance, CreditSource, Deposit, PaymentRequest, WriteOff};
use isp_core::place::{KnownMachine, Router, Site};
use isp_core::ports::{
    AccessQuery, AccessStore, BillableQuery, BillingStore, ChangeSet, Claim, Claimed, CommitReport, DamagedRow,
    DirectoryStore, DunningQuery, ExpenseRow, InstallationRow, InstalmentRow, InvoiceQuery, Lease, MoneyStore,
    MutationQuery, Observed, OutboxQuery, OutboxRow, OutboxState, OutboxStore, Outcome, PageQuery, PaymentRow,
    Recorded, RequestQuery, RouterHold, RunGuard, Settled, Store, StoreError,
};
use isp_core::protection::{Exemption, Outage, Promise};
use isp_core::subscription::{Account, Subscription};
use isp_core::terms::FormerTerms;
use isp_core::text::{Code, Reference};

use crate::doctor::{self, Finding};
use crate::error::unavailable;
use crate::reseal::{self, AllRuns, KeyUse, Resealed};
use crate::session::{Engine, Session};
use crate::value::Value;
use crate::vault::Vault;
use crate::{
    access, bank, commit, credit, customer, device, dunning, former, installation, invoice, ledger, master, outbox,
    payment, protection, request, router_hold, statement, subscription, wishes,
};

/// Opens a store: `sqlite:FILE`, `sqlite://FILE`, `postgres://...`, `postgres:///NAME?host=/SOCKET/DIRECTORY`.
///
/// # Errors
/// [`StoreError::Rejected`] for a URL of another kind; [`StoreError::Missing`], [`StoreError::Outdated`],
/// [`StoreError::Newer`] and [`StoreError::Migration`] for a database that is not one of this version;
/// [`StoreError::WrongKey`] when the vault's keys are not those that sealed what is in it; [`StoreError::Damaged`];
/// [`StoreError::Unavailable`], [`StoreError::Tls`].
pub async fn open(url: &str, vault: Vault) -> Result<Arc<dyn Store>, StoreError> {
    Ok(Arc::new(SqlStore::open(url, vault).await?))
}

/// A store in a SQLite file or a PostgreSQL database.
pub struct SqlStore {
    engine: Arc<dyn Engine>,
    vault: Vault,
}

impl std::fmt::Debug for SqlStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqlStore")
    }
}

impl SqlStore {
    /// Opens a store, see [`crate::open()`].
    ///
    /// # Errors
    /// As [`crate::open()`].
    pub async fn open(url: &str, vault: Vault) -> Result<Self, StoreError> {
        let engine = crate::open::engine(url, &vault).await?;
        Ok(Self { engine: engine.into(), vault })
    }

    /// A store on an engine that is open.
    #[cfg(test)]
    pub(crate) fn new(engine: Box<dyn Engine>, vault: Vault) -> Self {
        Self { engine: engine.into(), vault }
    }

    /// The customers with a NIK, found by its blind index.
    ///
    /// # Errors
    /// As every method of [`Store`].
    pub async fn customers_by_nik(&self, tenant: TenantId, nik: &Nik) -> Result<Vec<Customer>, StoreError> {
        let mut session = self.engine.read().await?;
        customer::by_nik(session.as_mut(), &self.vault, tenant, nik).await
    }

    /// Lets run out what workers hold who are certainly dead, and says that this one lives.
    async fn bury_the_dead(&self, s: &mut dyn Session, tenant: TenantId, lease: Lease) -> Result<(), StoreError> {
        if self.engine.sees_workers(lease.owner)? {
            let owners = outbox::owners(s, tenant, lease.now).await?;
            let dead = self.engine.dead_workers(owners)?;
            if !dead.is_empty() {
                outbox::bury(s, tenant, &dead, lease.now).await?;
            }
        }
        Ok(())
    }

    /// Fails for a store that was opened without a key: it is only read, because what is hidden in what it read would be
    /// lost by writing it.
    fn unlocked(&self) -> Result<(), StoreError> {
        if self.vault.is_locked() { Err(StoreError::NoKey) } else { Ok(()) }
    }

    /// A transaction that writes.
    async fn writer(&self) -> Result<Box<dyn Session>, StoreError> {
        self.unlocked()?;
        self.engine.write().await
    }

    /// Which key of the ring sealed how many values, and how many do not open.
    ///
    /// # Errors
    /// As every method of [`Store`].
    pub async fn key_uses(&self) -> Result<Vec<KeyUse>, StoreError> {
        reseal::key_uses(self.engine.as_ref(), &self.vault).await
    }

    /// Holds the right to run of every provider, so that no run is under way and no other process changes the keys. It is
    /// taken before the key file is changed, and needs no key.
    ///
    /// # Errors
    /// [`StoreError::Busy`] while a run is under way; as every method of [`Store`].
    pub async fn hold_runs(&self) -> Result<AllRuns, StoreError> {
        reseal::hold_runs(self.engine.as_ref()).await
    }

    /// Seals everything with the first key of the ring, row by row. Killed anywhere, it is done again and goes on. From its
    /// beginning on, a process that does not know that key seals nothing. No run may be under way: it could not read any
    /// more what it needs.
    ///
    /// # Errors
    /// As every method of [`Store`].
    pub async fn reseal(&self, _held: &AllRuns) -> Result<Resealed, StoreError> {
        self.unlocked()?;
        reseal::reseal(self.engine.as_ref(), &self.vault).await
    }

    /// Looks through the database for what must not be; it changes nothing and needs no key.
    ///
    /// # Errors
    /// As every method of [`Store`].
    pub async fn examine(&self, now: DateTime<Utc>) -> Result<Vec<Finding>, StoreError> {
        doctor::examine(self.engine.as_ref(), now).await
    }

    /// Waits until the connections are closed. What is called afterwards is [`StoreError::Unavailable`].
    pub async fn close(&self) {
        self.engine.close().await;
    }
}

#[async_trait]
impl Store for SqlStore {
    async fn commit(&self, tenant: TenantId, changes: ChangeSet) -> Result<CommitReport, StoreError> {
        if changes.is_empty() {
            return Ok(CommitReport::default());
        }
        self.unlocked()?;
        let (engine, vault) = (Arc::clone(&self.engine), self.vault.clone());
        // On a task of its own, so that a caller that is cut off does not cut a COPY off: the driver would count the
        // server's answers wrongly afterwards, on a connection that goes back to the pool.
        let commit = tokio::spawn(async move {
            let mut session = engine.write().await?;
            engine.check_run(session.as_mut(), tenant).await?;
            let report = commit::write(session.as_mut(), &vault, tenant, changes).await?;
            session.commit().await?;
            Ok(report)
        });
        commit.await.unwrap_or_else(|_| Err(unavailable("the program is going down")))
    }

    async fn begin_run(&self, tenant: TenantId) -> Result<RunGuard, StoreError> {
        self.unlocked()?;
        self.engine.hold_run(tenant).await
    }

    fn damaged(&self) -> Vec<DamagedRow> {
        self.engine.parked().all()
    }
}

#[async_trait]
impl DirectoryStore for SqlStore {
    async fn sites(&self, tenant: TenantId) -> Result<Vec<Site>, StoreError> {
        let mut session = self.engine.read().await?;
        master::sites(session.as_mut(), tenant).await
    }

    async fn routers(&self, tenant: TenantId) -> Result<Vec<Router>, StoreError> {
        let mut session = self.engine.read().await?;
        master::routers(session.as_mut(), &self.vault, tenant).await
    }

    async fn machines(&self, tenant: TenantId) -> Result<Vec<KnownMachine>, StoreError> {
        let mut session = self.engine.read().await?;
        master::machines(session.as_mut(), tenant).await
    }

    async fn packages(&self, tenant: TenantId) -> Result<Vec<Package>, StoreError> {
        let mut session = self.engine.read().await?;
        master::packages(session.as_mut(), tenant).await
    }

    async fn installation_kinds(&self, tenant: TenantId) -> Result<Vec<InstallationKind>, StoreError> {
        let mut session = self.engine.read().await?;
        master::kinds(session.as_mut(), tenant).await
    }

    async fn customer(&self, tenant: TenantId, id: CustomerId) -> Result<Option<Customer>, StoreError> {
        let mut session = self.engine.read().await?;
        customer::by_id(session.as_mut(), &self.vault, tenant, id).await
    }

    async fn customer_by_code(&self, tenant: TenantId, code: &Code) -> Result<Option<Customer>, StoreError> {
        let mut session = self.engine.read().await?;
        customer::by_code(session.as_mut(), &self.vault, tenant, code).await
    }

    async fn customer_codes(
        &self,
        tenant: TenantId,
        ids: &[CustomerId],
    ) -> Result<Vec<(CustomerId, Code)>, StoreError> {
        let mut session = self.engine.read().await?;
        customer::codes(session.as_mut(), tenant, ids).await
    }

    async fn customers(&self, tenant: TenantId, page: PageQuery<CustomerId>) -> Result<Vec<Customer>, StoreError> {
        let mut session = self.engine.read().await?;
        customer::page(session.as_mut(), &self.vault, tenant, page).await
    }

    async fn subscriptions(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
        page: PageQuery<SubscriptionId>,
    ) -> Result<Vec<(Subscription, ServiceAccess)>, StoreError> {
        let mut session = self.engine.read().await?;
        subscription::page(session.as_mut(), &self.vault, tenant, customer, page).await
    }

    async fn former_terms(
        &self,
        tenant: TenantId,
        subscriptions: &[SubscriptionId],
    ) -> Result<Vec<FormerTerms>, StoreError> {
        let mut session = self.engine.read().await?;
        subscription::former_terms(session.as_mut(), tenant, subscriptions).await
    }

    async fn cpes(&self, tenant: TenantId, customer: Option<CustomerId>) -> Result<Vec<Cpe>, StoreError> {
        let mut session = self.engine.read().await?;
        device::list(session.as_mut(), &self.vault, tenant, customer).await
    }

    async fn device_history(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
    ) -> Result<Vec<DeviceHistory>, StoreError> {
        let mut session = self.engine.read().await?;
        device::history(session.as_mut(), tenant, customer).await
    }

    async fn installation_orders(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
    ) -> Result<Vec<InstallationRow>, StoreError> {
        let mut session = self.engine.read().await?;
        installation::list(session.as_mut(), tenant, customer).await
    }
}

#[async_trait]
impl BillingStore for SqlStore {
    async fn billing_position(&self, tenant: TenantId) -> Result<Option<Date>, StoreError> {
        let mut session = self.engine.read().await?;
        commit::billing_position(session.as_mut(), tenant).await
    }

    async fn last_run(&self, tenant: TenantId) -> Result<Option<DateTime<Utc>>, StoreError> {
        let mut session = self.engine.read().await?;
        commit::last_run(session.as_mut(), tenant).await
    }

    async fn load_billable(
        &self,
        tenant: TenantId,
        query: BillableQuery,
        page: PageQuery<SubscriptionId>,
    ) -> Result<Vec<Billable>, StoreError> {
        let mut session = self.engine.read().await?;
        subscription::billable(session.as_mut(), tenant, query, page).await
    }

    async fn load_instalments(&self, tenant: TenantId, due_until: Date) -> Result<Vec<InstalmentRow>, StoreError> {
        let mut session = self.engine.read().await?;
        installation::due(session.as_mut(), tenant, due_until).await
    }

    async fn load_waiting_fees(&self, tenant: TenantId) -> Result<Vec<InstalmentRow>, StoreError> {
        let mut session = self.engine.read().await?;
        installation::waiting(session.as_mut(), tenant).await
    }

    async fn open_invoices(&self, tenant: TenantId, customer: CustomerId) -> Result<Vec<InvoiceBalance>, StoreError> {
        let mut session = self.engine.read().await?;
        invoice::open_of(session.as_mut(), tenant, Value::Ids(vec![customer.0])).await
    }

    async fn invoices(
        &self,
        tenant: TenantId,
        query: InvoiceQuery,
        page: PageQuery<InvoiceId>,
    ) -> Result<Vec<(Invoice, Money)>, StoreError> {
        let mut session = self.engine.read().await?;
        invoice::page(session.as_mut(), tenant, query, page).await
    }

    async fn credit_notes(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
        page: PageQuery<CreditNoteId>,
    ) -> Result<Vec<CreditNote>, StoreError> {
        let mut session = self.engine.read().await?;
        credit::page(session.as_mut(), tenant, customer, page).await
    }

    async fn balances(&self, tenant: TenantId, ids: &[InvoiceId]) -> Result<Vec<InvoiceBalance>, StoreError> {
        let mut session = self.engine.read().await?;
        invoice::by_ids(session.as_mut(), tenant, ids).await
    }

    async fn statements(&self, tenant: TenantId, customers: &[CustomerId]) -> Result<Vec<Statement>, StoreError> {
        let mut session = self.engine.read().await?;
        statement::of(session.as_mut(), tenant, customers).await
    }

    async fn statement(&self, tenant: TenantId, number: u64) -> Result<Option<Statement>, StoreError> {
        let mut session = self.engine.read().await?;
        statement::by_number(session.as_mut(), tenant, number).await
    }

    async fn charges(
        &self,
        tenant: TenantId,
        subscriptions: &[SubscriptionId],
        days: Period,
    ) -> Result<Vec<Charge>, StoreError> {
        let mut session = self.engine.read().await?;
        credit::charges(session.as_mut(), tenant, subscriptions, days).await
    }

    async fn unpaid_at(
        &self,
        tenant: TenantId,
        due: Date,
        zone: Zone,
        at: DateTime<Utc>,
        page: PageQuery<InvoiceId>,
    ) -> Result<Vec<InvoiceBalance>, StoreError> {
        let mut session = self.engine.read().await?;
        credit::unpaid_at(session.as_mut(), tenant, due, zone, at, page).await
    }
}

#[async_trait]
impl AccessStore for SqlStore {
    async fn load_access(
        &self,
        tenant: TenantId,
        query: &AccessQuery,
        page: PageQuery<SubscriptionId>,
    ) -> Result<Vec<AccessFacts>, StoreError> {
        let mut session = self.engine.read().await?;
        access::load(session.as_mut(), tenant, query, page).await
    }

    async fn access_at(
        &self,
        tenant: TenantId,
        customer: CustomerId,
        at: DateTime<Utc>,
    ) -> Result<Vec<AccessFacts>, StoreError> {
        let mut session = self.engine.read().await?;
        access::at(session.as_mut(), tenant, customer, at).await
    }

    async fn subscribers_per_router(&self, tenant: TenantId) -> Result<BTreeMap<RouterId, u64>, StoreError> {
        let mut session = self.engine.read().await?;
        access::per_router(session.as_mut(), tenant).await
    }

    async fn access_targets(
        &self,
        tenant: TenantId,
        subscriptions: &[SubscriptionId],
    ) -> Result<Vec<AccessTarget>, StoreError> {
        let mut session = self.engine.read().await?;
        access::targets(session.as_mut(), &self.vault, tenant, subscriptions).await
    }

    async fn router_targets(
        &self,
        tenant: TenantId,
        router: RouterId,
        page: PageQuery<SubscriptionId>,
    ) -> Result<Vec<AccessTarget>, StoreError> {
        let mut session = self.engine.read().await?;
        access::router_targets(session.as_mut(), &self.vault, tenant, router, page).await
    }

    async fn former_targets(
        &self,
        tenant: TenantId,
        router: RouterId,
        subscriptions: &[SubscriptionId],
    ) -> Result<Vec<AccessTarget>, StoreError> {
        let mut session = self.engine.read().await?;
        former::targets(session.as_mut(), &self.vault, tenant, router, subscriptions).await
    }

    async fn account_closed(
        &self,
        tenant: TenantId,
        router: RouterId,
        subscription: SubscriptionId,
        account: &Account,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut session = self.engine.write().await?;
        former::closed(session.as_mut(), tenant, router, subscription, account, at).await?;
        session.commit().await
    }

    async fn protections(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
    ) -> Result<(Vec<Promise>, Vec<Exemption>), StoreError> {
        let mut session = self.engine.read().await?;
        protection::of(session.as_mut(), tenant, customer).await
    }

    async fn outages(&self, tenant: TenantId) -> Result<Vec<Outage>, StoreError> {
        let mut session = self.engine.read().await?;
        protection::all_outages(session.as_mut(), tenant).await
    }

    async fn access_events_of(
        &self,
        tenant: TenantId,
        subscriptions: &[SubscriptionId],
    ) -> Result<Vec<AccessEvent>, StoreError> {
        let mut session = self.engine.read().await?;
        access::events_of(session.as_mut(), tenant, subscriptions.iter().map(|id| id.0).collect()).await
    }

    async fn access_events(
        &self,
        tenant: TenantId,
        subscription: SubscriptionId,
    ) -> Result<Vec<AccessEvent>, StoreError> {
        let mut session = self.engine.read().await?;
        access::events(session.as_mut(), tenant, subscription).await
    }
}

#[async_trait]
impl MoneyStore for SqlStore {
    async fn customers_with_credit(
        &self,
        tenant: TenantId,
        page: PageQuery<CustomerId>,
    ) -> Result<Vec<CustomerId>, StoreError> {
        let mut session = self.engine.read().await?;
        payment::customers_with_credit(session.as_mut(), tenant, page).await
    }

    async fn credit(&self, tenant: TenantId, customer: CustomerId) -> Result<Vec<CreditSource>, StoreError> {
        let mut session = self.engine.read().await?;
        payment::credit(session.as_mut(), tenant, customer).await
    }

    async fn payment(&self, tenant: TenantId, id: PaymentId) -> Result<Option<PaymentRow>, StoreError> {
        let mut session = self.engine.read().await?;
        payment::by_id(session.as_mut(), tenant, id).await
    }

    async fn payments_known_as(
        &self,
        tenant: TenantId,
        provider: &Code,
        reference: &Reference,
    ) -> Result<Vec<PaymentRow>, StoreError> {
        let mut session = self.engine.read().await?;
        payment::known_as(session.as_mut(), tenant, provider, reference).await
    }

    async fn allocations(&self, tenant: TenantId, id: PaymentId) -> Result<Vec<Allocation>, StoreError> {
        let mut session = self.engine.read().await?;
        payment::allocations(session.as_mut(), tenant, id).await
    }

    async fn write_offs(&self, tenant: TenantId, customer: Option<CustomerId>) -> Result<Vec<WriteOff>, StoreError> {
        let mut session = self.engine.read().await?;
        credit::write_offs(session.as_mut(), tenant, customer).await
    }

    async fn deposits(&self, tenant: TenantId) -> Result<Vec<Deposit>, StoreError> {
        let mut session = self.engine.read().await?;
        credit::deposits(session.as_mut(), tenant).await
    }

    async fn collectors(&self, tenant: TenantId) -> Result<Vec<CollectorBalance>, StoreError> {
        let mut session = self.engine.read().await?;
        credit::collectors(session.as_mut(), tenant).await
    }

    async fn payments(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
        page: PageQuery<PaymentId>,
    ) -> Result<Vec<PaymentRow>, StoreError> {
        let mut session = self.engine.read().await?;
        payment::page(session.as_mut(), tenant, customer, page).await
    }

    async fn payment_requests(
        &self,
        tenant: TenantId,
        query: RequestQuery,
        page: PageQuery<PaymentRequestId>,
    ) -> Result<Vec<PaymentRequest>, StoreError> {
        let mut session = self.engine.read().await?;
        request::page(session.as_mut(), tenant, query, page).await
    }

    async fn bank_file(&self, tenant: TenantId, id: BankFileId) -> Result<Option<ImportedFile>, StoreError> {
        let mut session = self.engine.read().await?;
        bank::file(session.as_mut(), tenant, id).await
    }

    async fn mutations(
        &self,
        tenant: TenantId,
        query: &MutationQuery,
        page: PageQuery<MutationId>,
    ) -> Result<Vec<MutationRow>, StoreError> {
        let mut session = self.engine.read().await?;
        bank::page(session.as_mut(), tenant, query, page).await
    }

    async fn payer_aliases(&self, tenant: TenantId) -> Result<Vec<PayerAlias>, StoreError> {
        let mut session = self.engine.read().await?;
        bank::aliases(session.as_mut(), tenant).await
    }

    async fn expenses(&self, tenant: TenantId) -> Result<Vec<ExpenseRow>, StoreError> {
        let mut session = self.engine.read().await?;
        ledger::expenses(session.as_mut(), tenant).await
    }

    async fn journal_totals(
        &self,
        tenant: TenantId,
        from: Date,
        before: Date,
    ) -> Result<Vec<JournalTotal>, StoreError> {
        let mut session = self.engine.read().await?;
        ledger::totals(session.as_mut(), tenant, from, before).await
    }

    async fn journal(
        &self,
        tenant: TenantId,
        page: PageQuery<JournalEntryId>,
    ) -> Result<Vec<JournalEntry>, StoreError> {
        let mut session = self.engine.read().await?;
        ledger::page(session.as_mut(), tenant, page).await
    }
}

#[async_trait]
impl OutboxStore for SqlStore {
    async fn record(
        &self,
        tenant: TenantId,
        owner: WorkerId,
        outcomes: &[Outcome],
        observed: Observed<'_>,
    ) -> Result<Recorded, StoreError> {
        let mut session = self.writer().await?;
        let s = session.as_mut();
        let lost = outbox::record(s, tenant, owner, outcomes).await?;
        let doubted = match observed.under {
            Some(hold) if !router_hold::holds(s, tenant, hold).await? => Some(hold.router),
            _ => None,
        };
        match doubted {
            Some(router) => router_hold::doubt(s, tenant, router, observed.lines).await?,
            None => access::observe(s, tenant, observed.lines).await?,
        }
        session.commit().await?;
        Ok(Recorded { lost, doubted: doubted.is_some() })
    }

    async fn load_dunning(
        &self,
        tenant: TenantId,
        query: DunningQuery,
        page: PageQuery<CustomerId>,
    ) -> Result<Vec<DunningFacts>, StoreError> {
        let mut session = self.engine.read().await?;
        dunning::load(session.as_mut(), tenant, query, page).await
    }

    async fn claim(&self, tenant: TenantId, claim: Claim) -> Result<Vec<OutboxRow>, StoreError> {
        let mut session = self.writer().await?;
        self.bury_the_dead(session.as_mut(), tenant, claim.lease).await?;
        let done = outbox::claim(session.as_mut(), tenant, claim).await?;
        session.commit().await?;
        Ok(done)
    }

    async fn attempting(&self, tenant: TenantId, lease: Lease, rows: &[Claimed]) -> Result<Vec<OutboxId>, StoreError> {
        let mut session = self.writer().await?;
        let ours = outbox::attempting(session.as_mut(), tenant, lease, rows).await?;
        session.commit().await?;
        Ok(ours)
    }

    async fn renew(&self, tenant: TenantId, lease: Lease) -> Result<(), StoreError> {
        let mut session = self.writer().await?;
        outbox::renew(session.as_mut(), tenant, lease).await?;
        session.commit().await
    }

    async fn release(&self, tenant: TenantId, owner: WorkerId) -> Result<(), StoreError> {
        let mut session = self.writer().await?;
        outbox::release(session.as_mut(), tenant, owner).await?;
        session.commit().await
    }

    async fn hold_router(
        &self,
        tenant: TenantId,
        router: RouterId,
        lease: Lease,
    ) -> Result<Option<RouterHold>, StoreError> {
        let mut session = self.writer().await?;
        self.bury_the_dead(session.as_mut(), tenant, lease).await?;
        let hold = router_hold::hold(session.as_mut(), tenant, router, lease).await?;
        session.commit().await?;
        Ok(hold)
    }

    async fn free_router(&self, tenant: TenantId, hold: RouterHold) -> Result<(), StoreError> {
        let mut session = self.writer().await?;
        router_hold::free(session.as_mut(), tenant, hold).await?;
        session.commit().await
    }

    async fn wish_again(
        &self,
        tenant: TenantId,
        wishes: &[AccessEffect],
        now: DateTime<Utc>,
    ) -> Result<Vec<SubscriptionId>, StoreError> {
        let mut session = self.writer().await?;
        let anew = wishes::again(session.as_mut(), tenant, wishes, now).await?;
        session.commit().await?;
        Ok(anew)
    }

    async fn settle(
        &self,
        tenant: TenantId,
        id: OutboxId,
        states: &[OutboxState],
        settled: Settled,
    ) -> Result<bool, StoreError> {
        let mut session = self.writer().await?;
        let done = outbox::settle(session.as_mut(), tenant, id, states, &settled).await?;
        session.commit().await?;
        Ok(done)
    }

    async fn retry_templates(
        &self,
        tenant: TenantId,
        only: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        let mut session = self.writer().await?;
        let count = outbox::retry_templates(session.as_mut(), tenant, only, now).await?;
        session.commit().await?;
        Ok(count)
    }

    async fn outbox_row(&self, tenant: TenantId, id: OutboxId) -> Result<Option<OutboxRow>, StoreError> {
        let mut session = self.engine.read().await?;
        outbox::by_id(session.as_mut(), tenant, id).await
    }

    async fn message_facts(&self, tenant: TenantId, message: &Notification) -> Result<MessageFacts, StoreError> {
        let mut session = self.engine.read().await?;
        dunning::message_facts(session.as_mut(), &self.vault, tenant, message).await
    }

    async fn outbox(
        &self,
        tenant: TenantId,
        query: OutboxQuery,
        page: PageQuery<OutboxId>,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        let mut session = self.engine.read().await?;
        outbox::page(session.as_mut(), tenant, query, page).await
    }
}
