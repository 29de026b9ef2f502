//! The port over the tables, and the faults.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::bank::{ImportedFile, MutationRow, PayerAlias};
use crate::billing::{Billable, Charge, CreditNote, Invoice, InvoiceBalance, Statement};
use crate::calendar::{Date, Period, Zone};
use crate::customer::Customer;
use crate::device::{Cpe, DeviceHistory};
use crate::ending::RecordId;
use crate::ids::{
    BankFileId, CreditNoteId, CustomerId, InvoiceId, JournalEntryId, MutationId, OutboxId, PaymentId, PaymentRequestId,
    RouterId, SubscriptionId, TenantId, WorkerId,
};
use crate::installation::InstallationKind;
use crate::isolation::{AccessEffect, AccessEvent, AccessFacts, AccessTarget, ServiceAccess};
use crate::ledger::{Expense, JournalEntry, JournalTotal};
use crate::message::{DunningFacts, MessageFacts, Notification};
use crate::money::Money;
use crate::package::Package;
use crate::payment::{Allocation, CollectorBalance, CreditSource, Deposit, PaymentRequest, WriteOff};
use crate::place::{KnownMachine, Router, Site};
use crate::ports::{
    AccessQuery, AccessStore, BillableQuery, BillingStore, ChangeSet, Claim, Claimed, CommitReport, DirectoryStore,
    DunningQuery, ExpenseRow, InstallationRow, InstalmentRow, InvoiceQuery, Lease, MoneyStore, MutationQuery, Observed,
    OutboxQuery, OutboxRow, OutboxState, OutboxStore, Outcome, PageQuery, PaymentRow, Recorded, RequestQuery,
    RouterHold, RunGuard, Settled, Store, StoreError,
};
use crate::protection::{Exemption, Outage, Promise};
use crate::subscription::{Account, Subscription};
use crate::terms::FormerTerms;
use crate::testing::fuse::Fuse;
use crate::text::{Code, Reference};

use super::bank::mutation_matches;
use super::ledger::invoice_matches;
use super::outbox::row_matches;
use super::request::request_matches;
use super::snapshot::Snapshot;
use super::state::State;
use super::table::Table;

/// A store in memory. Clones share what is kept.
///
/// Every call goes through its [`Fuse`], so that a test makes any of them fail, before or after its effect.
///
/// ```
/// use isp_core::{ids::TenantId, ports::{BillingStore, ChangeSet, Store}, testing::{MemoryStore, Moment}};
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let store = MemoryStore::new();
/// store.fuse().blow_at(1, Moment::After);
/// let day = isp_core::Date::parse("2026-01-31").unwrap();
/// let changes = ChangeSet { billing_position: Some(day), ..ChangeSet::default() };
/// assert!(store.commit(TenantId::DEFAULT, changes).await.is_err());
/// store.restart();
/// assert_eq!(store.billing_position(TenantId::DEFAULT).await, Ok(Some(day)));
/// # });
/// ```
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    tenants: Arc<Mutex<BTreeMap<TenantId, State>>>,
    runs: Arc<Mutex<Runs>>,
    fuse: Fuse,
}

#[derive(Debug, Default)]
struct Runs {
    last: u64,
    held: BTreeMap<TenantId, u64>,
}

struct Held {
    runs: Arc<Mutex<Runs>>,
    tenant: TenantId,
    run: u64,
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        if runs.held.get(&self.tenant) == Some(&self.run) {
            runs.held.remove(&self.tenant);
        }
    }
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty store that shares a fuse with other doubles, so that a kill may fall between any two calls.
    #[must_use]
    pub fn with_fuse(fuse: Fuse) -> Self {
        Self { fuse, ..Self::default() }
    }

    /// The fuse of its calls.
    #[must_use]
    pub fn fuse(&self) -> &Fuse {
        &self.fuse
    }

    /// A new process over the same data, some time later: the fuse holds again, no run is under way, and the claims of
    /// before have run out.
    pub fn restart(&self) {
        self.fuse.mend();
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        tenants.values_mut().for_each(|state| state.at_once(State::run_out));
        drop(tenants);
        self.runs.lock().unwrap_or_else(PoisonError::into_inner).held.clear();
    }

    /// Everything that runs wrote for a tenant. It does not count as a call.
    #[must_use]
    pub fn snapshot(&self, tenant: TenantId) -> Snapshot {
        let tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        tenants.get(&tenant).map(Snapshot::of).unwrap_or_default()
    }

    fn write<T>(
        &self,
        tenant: TenantId,
        call: impl FnOnce(&mut State) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let answer = self.fuse.run(|| {
            let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
            call(tenants.entry(tenant).or_default())
        });
        answer.unwrap_or_else(|_| Err(StoreError::Unavailable { reason: "the test says so".into() }))
    }

    fn read<T>(&self, tenant: TenantId, call: impl FnOnce(&State) -> T) -> Result<T, StoreError> {
        self.write(tenant, |state| Ok(call(state)))
    }
}

/// The rows after an id.
pub(super) fn after<I>(id: Option<I>) -> (Bound<I>, Bound<I>) {
    (id.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded)
}

fn all<K: Ord + Clone, V: Clone>(table: &Table<K, V>) -> Vec<V> {
    table.values().cloned().collect()
}

#[async_trait]
impl Store for MemoryStore {
    async fn commit(&self, tenant: TenantId, changes: ChangeSet) -> Result<CommitReport, StoreError> {
        self.write(tenant, |s| s.commit(changes))
    }

    async fn begin_run(&self, tenant: TenantId) -> Result<RunGuard, StoreError> {
        self.write(tenant, |_| {
            let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
            if runs.held.contains_key(&tenant) {
                return Err(StoreError::Busy);
            }
            runs.last += 1;
            let run = runs.last;
            runs.held.insert(tenant, run);
            Ok(RunGuard::new(Held { runs: Arc::clone(&self.runs), tenant, run }))
        })
    }
}

#[async_trait]
impl DirectoryStore for MemoryStore {
    async fn sites(&self, tenant: TenantId) -> Result<Vec<Site>, StoreError> {
        self.read(tenant, |s| all(&s.sites))
    }

    async fn routers(&self, tenant: TenantId) -> Result<Vec<Router>, StoreError> {
        self.read(tenant, |s| all(&s.routers))
    }

    async fn machines(&self, tenant: TenantId) -> Result<Vec<KnownMachine>, StoreError> {
        self.read(tenant, |s| all(&s.machines))
    }

    async fn packages(&self, tenant: TenantId) -> Result<Vec<Package>, StoreError> {
        self.read(tenant, |s| all(&s.packages))
    }

    async fn installation_kinds(&self, tenant: TenantId) -> Result<Vec<InstallationKind>, StoreError> {
        self.read(tenant, |s| all(&s.installation_kinds))
    }

    async fn customer(&self, tenant: TenantId, id: CustomerId) -> Result<Option<Customer>, StoreError> {
        self.read(tenant, |s| s.customers.get(&id).cloned())
    }

    async fn customer_by_code(&self, tenant: TenantId, code: &Code) -> Result<Option<Customer>, StoreError> {
        self.read(tenant, |s| {
            let id = s.keys.get(&("customer.code", code.folded()))?;
            s.customers.get(&CustomerId(*id)).cloned()
        })
    }

    async fn customer_codes(
        &self,
        tenant: TenantId,
        ids: &[CustomerId],
    ) -> Result<Vec<(CustomerId, Code)>, StoreError> {
        self.read(tenant, |s| {
            s.customers.values().filter(|c| ids.contains(&c.id)).map(|c| (c.id, c.code.clone())).collect()
        })
    }

    async fn customers(&self, tenant: TenantId, page: PageQuery<CustomerId>) -> Result<Vec<Customer>, StoreError> {
        self.read(tenant, |s| {
            s.customers.range(after(page.after)).take(page.limit as usize).map(|(_, c)| c.clone()).collect()
        })
    }

    async fn subscriptions(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
        page: PageQuery<SubscriptionId>,
    ) -> Result<Vec<(Subscription, ServiceAccess)>, StoreError> {
        self.read(tenant, |s| {
            s.subscriptions
                .range(after(page.after))
                .filter(|(_, row)| customer.is_none_or(|c| c == row.customer_id))
                .take(page.limit as usize)
                .map(|(id, row)| (row.clone(), s.access_of(*id)))
                .collect()
        })
    }

    async fn former_terms(
        &self,
        tenant: TenantId,
        subscriptions: &[SubscriptionId],
    ) -> Result<Vec<FormerTerms>, StoreError> {
        let wanted: std::collections::BTreeSet<SubscriptionId> = subscriptions.iter().copied().collect();
        self.read(tenant, |s| {
            let of = |id: &SubscriptionId| s.former_terms.range((*id, 0)..=(*id, u64::MAX));
            wanted.iter().flat_map(of).map(|(_, former)| *former).collect()
        })
    }

    async fn cpes(&self, tenant: TenantId, customer: Option<CustomerId>) -> Result<Vec<Cpe>, StoreError> {
        self.read(tenant, |s| {
            s.cpes.values().filter(|c| customer.is_none_or(|id| id == c.customer_id)).cloned().collect()
        })
    }

    async fn device_history(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
    ) -> Result<Vec<DeviceHistory>, StoreError> {
        self.read(tenant, |s| {
            let entries = s.device_history.values().filter(|h| customer.is_none_or(|id| id == h.customer_id));
            let mut entries: Vec<DeviceHistory> = entries.cloned().collect();
            entries.sort_by_key(|h| (h.on, h.id));
            entries
        })
    }

    async fn installation_orders(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
    ) -> Result<Vec<InstallationRow>, StoreError> {
        self.read(tenant, |s| s.installation_rows(customer))
    }
}

#[async_trait]
impl BillingStore for MemoryStore {
    async fn billing_position(&self, tenant: TenantId) -> Result<Option<Date>, StoreError> {
        self.read(tenant, |s| s.position)
    }

    async fn last_run(&self, tenant: TenantId) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.read(tenant, |s| s.last_run)
    }

    async fn load_billable(
        &self,
        tenant: TenantId,
        query: BillableQuery,
        page: PageQuery<SubscriptionId>,
    ) -> Result<Vec<Billable>, StoreError> {
        self.read(tenant, |s| s.billable(query, page))
    }

    async fn load_instalments(&self, tenant: TenantId, due_until: Date) -> Result<Vec<InstalmentRow>, StoreError> {
        self.read(tenant, |s| s.instalments(due_until))
    }

    async fn load_waiting_fees(&self, tenant: TenantId) -> Result<Vec<InstalmentRow>, StoreError> {
        self.read(tenant, State::waiting_fees)
    }

    async fn open_invoices(&self, tenant: TenantId, customer: CustomerId) -> Result<Vec<InvoiceBalance>, StoreError> {
        self.read(tenant, |s| s.open_of_customer(customer))
    }

    async fn balances(&self, tenant: TenantId, ids: &[InvoiceId]) -> Result<Vec<InvoiceBalance>, StoreError> {
        self.read(tenant, |s| s.balances_of(ids))
    }

    async fn statements(&self, tenant: TenantId, customers: &[CustomerId]) -> Result<Vec<Statement>, StoreError> {
        self.read(tenant, |s| s.statements_of(customers))
    }

    async fn statement(&self, tenant: TenantId, number: u64) -> Result<Option<Statement>, StoreError> {
        self.read(tenant, |s| s.statements.values().find(|t| t.number == number).copied())
    }

    async fn charges(
        &self,
        tenant: TenantId,
        subscriptions: &[SubscriptionId],
        days: Period,
    ) -> Result<Vec<Charge>, StoreError> {
        self.read(tenant, |s| s.charges(subscriptions, days))
    }

    async fn unpaid_at(
        &self,
        tenant: TenantId,
        due: Date,
        zone: Zone,
        at: DateTime<Utc>,
        page: PageQuery<InvoiceId>,
    ) -> Result<Vec<InvoiceBalance>, StoreError> {
        self.read(tenant, |s| s.unpaid_at(due, zone, at, page))
    }

    async fn invoices(
        &self,
        tenant: TenantId,
        query: InvoiceQuery,
        page: PageQuery<InvoiceId>,
    ) -> Result<Vec<(Invoice, Money)>, StoreError> {
        self.read(tenant, |s| {
            s.invoices
                .range(after(page.after))
                .filter(|(_, kept)| invoice_matches(kept, &query))
                .take(page.limit as usize)
                .map(|(_, kept)| (kept.invoice.clone(), kept.paid))
                .collect()
        })
    }

    async fn credit_notes(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
        page: PageQuery<CreditNoteId>,
    ) -> Result<Vec<CreditNote>, StoreError> {
        self.read(tenant, |s| s.notes_page(customer, page))
    }
}

#[async_trait]
impl AccessStore for MemoryStore {
    async fn load_access(
        &self,
        tenant: TenantId,
        query: &AccessQuery,
        page: PageQuery<SubscriptionId>,
    ) -> Result<Vec<AccessFacts>, StoreError> {
        self.read(tenant, |s| s.load_access(query, page))
    }

    async fn access_at(
        &self,
        tenant: TenantId,
        customer: CustomerId,
        at: DateTime<Utc>,
    ) -> Result<Vec<AccessFacts>, StoreError> {
        self.read(tenant, |s| s.access_at(customer, at))
    }

    async fn subscribers_per_router(&self, tenant: TenantId) -> Result<BTreeMap<RouterId, u64>, StoreError> {
        self.read(tenant, State::subscribers_per_router)
    }

    async fn access_targets(
        &self,
        tenant: TenantId,
        subscriptions: &[SubscriptionId],
    ) -> Result<Vec<AccessTarget>, StoreError> {
        self.read(tenant, |s| subscriptions.iter().filter_map(|id| s.target(*id)).collect())
    }

    async fn router_targets(
        &self,
        tenant: TenantId,
        router: RouterId,
        page: PageQuery<SubscriptionId>,
    ) -> Result<Vec<AccessTarget>, StoreError> {
        self.read(tenant, |s| s.router_targets(router, page))
    }

    async fn former_targets(
        &self,
        tenant: TenantId,
        router: RouterId,
        subscriptions: &[SubscriptionId],
    ) -> Result<Vec<AccessTarget>, StoreError> {
        self.read(tenant, |s| s.former_targets(router, subscriptions))
    }

    async fn account_closed(
        &self,
        tenant: TenantId,
        router: RouterId,
        subscription: SubscriptionId,
        account: &Account,
        _at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let key = (router, subscription, account.service, account.username.clone());
        self.write(tenant, |s| {
            s.at_once(|s| {
                if let Some((former, _)) = s.former_accounts.get(&key).cloned() {
                    s.former_accounts.put(key, (former, true));
                }
            });
            Ok(())
        })
    }

    async fn protections(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
    ) -> Result<(Vec<Promise>, Vec<Exemption>), StoreError> {
        self.read(tenant, |s| match customer {
            Some(id) => (s.promises_of(id).collect(), s.exemptions_of(id).collect()),
            None => {
                let mut promises: Vec<Promise> = s.promises.values().map(|p| s.told_promise(p)).collect();
                let mut exemptions: Vec<Exemption> = s.exemptions.values().map(|e| s.told_exemption(e)).collect();
                promises.sort_by_key(|p| p.id);
                exemptions.sort_by_key(|e| e.id);
                (promises, exemptions)
            }
        })
    }

    async fn outages(&self, tenant: TenantId) -> Result<Vec<Outage>, StoreError> {
        self.read(tenant, |s| s.outages.values().map(|o| s.told_outage(o)).collect())
    }

    async fn access_events_of(
        &self,
        tenant: TenantId,
        subscriptions: &[SubscriptionId],
    ) -> Result<Vec<AccessEvent>, StoreError> {
        self.read(tenant, |s| {
            let mut ids = subscriptions.to_vec();
            ids.sort_unstable();
            ids.dedup();
            ids.into_iter().flat_map(|id| s.access_events(id)).cloned().collect()
        })
    }

    async fn access_events(
        &self,
        tenant: TenantId,
        subscription: SubscriptionId,
    ) -> Result<Vec<AccessEvent>, StoreError> {
        self.read(tenant, |s| s.access_events(subscription).cloned().collect())
    }
}

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

    async fn deposits(&self, tenant: TenantId) -> Result<Vec<Deposit>, StoreError> {
        self.read(tenant, |s| {
            let mut all: Vec<Deposit> = s.deposits.values().cloned().collect();
            all.sort_by_key(|d| (d.on, d.id));
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

#[async_trait]
impl OutboxStore for MemoryStore {
    async fn load_dunning(
        &self,
        tenant: TenantId,
        query: DunningQuery,
        page: PageQuery<CustomerId>,
    ) -> Result<Vec<DunningFacts>, StoreError> {
        self.read(tenant, |s| s.dunning(query, page))
    }

    async fn claim(&self, tenant: TenantId, claim: Claim) -> Result<Vec<OutboxRow>, StoreError> {
        self.write(tenant, |s| Ok(s.at_once(|s| s.claim(claim))))
    }

    async fn attempting(&self, tenant: TenantId, lease: Lease, rows: &[Claimed]) -> Result<Vec<OutboxId>, StoreError> {
        self.write(tenant, |s| Ok(s.at_once(|s| s.attempting(lease, rows))))
    }

    async fn renew(&self, tenant: TenantId, lease: Lease) -> Result<(), StoreError> {
        self.write(tenant, |s| {
            s.at_once(|s| s.renew(lease));
            Ok(())
        })
    }

    async fn record(
        &self,
        tenant: TenantId,
        owner: WorkerId,
        outcomes: &[Outcome],
        observed: Observed<'_>,
    ) -> Result<Recorded, StoreError> {
        self.write(tenant, |s| Ok(s.at_once(|s| s.record(owner, outcomes, observed))))
    }

    async fn release(&self, tenant: TenantId, owner: WorkerId) -> Result<(), StoreError> {
        self.write(tenant, |s| {
            s.at_once(|s| s.release(owner));
            Ok(())
        })
    }

    async fn hold_router(
        &self,
        tenant: TenantId,
        router: RouterId,
        lease: Lease,
    ) -> Result<Option<RouterHold>, StoreError> {
        self.write(tenant, |s| Ok(s.at_once(|s| s.hold_router(router, lease))))
    }

    async fn free_router(&self, tenant: TenantId, hold: RouterHold) -> Result<(), StoreError> {
        self.write(tenant, |s| {
            s.at_once(|s| s.free_router(hold));
            Ok(())
        })
    }

    async fn wish_again(
        &self,
        tenant: TenantId,
        wishes: &[AccessEffect],
        now: DateTime<Utc>,
    ) -> Result<Vec<SubscriptionId>, StoreError> {
        self.write(tenant, |s| s.wish_again(wishes, now))
    }

    async fn settle(
        &self,
        tenant: TenantId,
        id: OutboxId,
        states: &[OutboxState],
        settled: Settled,
    ) -> Result<bool, StoreError> {
        self.write(tenant, |s| Ok(s.at_once(|s| s.settle(id, states, &settled))))
    }

    async fn retry_templates(
        &self,
        tenant: TenantId,
        only: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        self.write(tenant, |s| Ok(s.at_once(|s| s.retry_templates(only, now))))
    }

    async fn outbox_row(&self, tenant: TenantId, id: OutboxId) -> Result<Option<OutboxRow>, StoreError> {
        self.read(tenant, |s| s.outbox.get(&id).map(|kept| kept.row.clone()))
    }

    async fn message_facts(&self, tenant: TenantId, message: &Notification) -> Result<MessageFacts, StoreError> {
        self.write(tenant, |s| s.message_facts(message))
    }

    async fn outbox(
        &self,
        tenant: TenantId,
        query: OutboxQuery,
        page: PageQuery<OutboxId>,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        self.read(tenant, |s| {
            s.outbox
                .range(after(page.after))
                .map(|(_, kept)| &kept.row)
                .filter(|row| row_matches(row, &query))
                .take(page.limit as usize)
                .cloned()
                .collect()
        })
    }
}
