//! The three ports of the engine: [`Store`], [`AccessControl`], [`Messenger`].
//!
//! `Ok` means that the other side answered. An error tells what is known of the effect, see [`PortError`]. Only
//! [`crate::engine::deliver`] tries again. Clock and ids are arguments, not ports.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::billing::{Billable, Charge, CreditNote, Invoice, InvoiceBalance, InvoiceKind};
use crate::calendar::{Date, Period, Zone};
use crate::customer::{Code, Customer};
use crate::device::{Cpe, DeviceHistory};
use crate::dunning::notification::OutgoingMessage;
use crate::dunning::{DunningFacts, Notification, NotificationKind};
use crate::ids::{
    CreditNoteId, CustomerId, InvoiceId, JournalEntryId, OutboxId, PackageId, PaymentId, RouterId, SubscriptionId,
    TenantId,
};
use crate::installation::{InstallationKind, InstallationOrder};
use crate::isolation::access::ObservedAccess;
use crate::isolation::{AccessEvent, AccessFacts, AccessTarget, Exemption, Outage, Promise, ServiceAccess};
use crate::ledger::{Expense, JournalEntry, JournalTotal};
use crate::package::Package;
use crate::payment::{Allocation, CollectorBalance, CreditSource, Deposit, Payment, PaymentReversal, WriteOff};
use crate::place::{Router, RouterEndpoint, Site};
use crate::subscription::{BillingTerms, Subscription};

/// Why a port did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PortError {
    /// The effect certainly did not happen: no connection, refused at login. Safe to try again.
    #[error("not sent: {reason}")]
    NotSent {
        /// What went wrong, without secrets.
        reason: String,
    },
    /// Nobody knows whether the effect happened: a time-out, a lost reply. A router is read again before a repeat;
    /// a message is never sent again by itself.
    #[error("outcome unknown: {reason}")]
    Unknown {
        /// What went wrong, without secrets.
        reason: String,
    },
    /// The other side is set up wrongly for us (credentials, rights, version); trying again does not help until a
    /// person acts.
    #[error("refused ({code}): {reason}")]
    Refused {
        /// A stable code of the adapter.
        code: &'static str,
        /// What it said, without secrets.
        reason: String,
    },
}

impl PortError {
    /// A stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotSent { .. } => "port.not_sent",
            Self::Unknown { .. } => "port.unknown",
            Self::Refused { .. } => "port.refused",
        }
    }

    /// True when the same call may succeed later without anybody's help.
    #[must_use]
    pub fn retryable(&self) -> bool {
        !matches!(self, Self::Refused { .. })
    }
}

/// Brings accounts on a router to their desired state.
#[async_trait]
pub trait AccessControl: Send + Sync {
    /// Brings these accounts of one router to what is wanted, reads them back, and ends sessions that still run
    /// under the old terms.
    ///
    /// `Ok` holds one outcome a target, in order: the router answered for each. `Err` concerns the whole router; an
    /// account may then be in either state, and the call is repeated later: applying twice changes nothing.
    /// Accounts that are not ours are never touched.
    async fn apply(&self, router: &RouterEndpoint, targets: &[AccessTarget]) -> Result<Vec<ApplyOutcome>, PortError>;

    /// What the router says of these accounts, without changing anything, in order. `ObservedAccess::revision` is 0.
    async fn observe(
        &self,
        router: &RouterEndpoint,
        targets: &[AccessTarget],
        now: DateTime<Utc>,
    ) -> Result<Vec<ObservedAccess>, PortError>;
}

/// What a router said to one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApplyOutcome {
    /// Read back after the change: this is so now. `changed` is false when it was so before.
    Done {
        /// What it allows now.
        access: crate::isolation::Access,
        /// Whether anything was written.
        changed: bool,
        /// Its words, short and without secrets.
        answer: String,
    },
    /// It refused this account: a name that belongs to somebody else, a missing profile.
    Refused {
        /// A stable code of the adapter.
        code: &'static str,
        /// What it said, without secrets.
        reason: String,
    },
}

/// Sends messages.
#[async_trait]
pub trait Messenger: Send + Sync {
    /// Sends one message. `Err(Unknown)` must be returned whenever it may have gone out.
    async fn send(&self, message: &OutgoingMessage) -> Result<SendOutcome, PortError>;
}

/// What the channel said to one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendOutcome {
    /// Taken; `provider_id` is the channel's own id. Taken is not yet delivered.
    Accepted {
        /// The channel's id of the message.
        provider_id: String,
    },
    /// Taken, but held back by the channel for a check of quality.
    Held {
        /// The channel's id of the message.
        provider_id: String,
    },
    /// Not taken now; not before so many seconds.
    RetryAfter {
        /// Seconds to wait.
        seconds: u32,
        /// What it said.
        reason: String,
    },
    /// Not taken, and never for this recipient.
    RecipientRejected {
        /// What it said, without the number.
        reason: String,
    },
    /// Our message or set-up is wrong; a person must act.
    ConfigError {
        /// What it said.
        reason: String,
    },
    /// The channel as a whole is stopped (token, billing, quality); keep messages until a person acts.
    ChannelDown {
        /// What it said.
        reason: String,
    },
}

/// Why a store did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A row with this key is there already.
    #[error("{what} is there already")]
    Duplicate {
        /// Which key, such as `customer.code` or `payment.reference`.
        what: &'static str,
    },
    /// The facts changed since they were loaded; load and decide again.
    #[error("facts changed while deciding")]
    Conflict,
    /// No such row.
    #[error("{what} not found")]
    NotFound {
        /// What was looked for.
        what: &'static str,
    },
    /// A change that names a row that does not exist, or breaks a rule of the tables.
    #[error("refused by the database: {reason}")]
    Rejected {
        /// Which rule.
        reason: String,
    },
    /// The database does not answer, or its disk is full; nothing of the commit was written.
    #[error("database unavailable: {reason}")]
    Unavailable {
        /// What it said, without secrets.
        reason: String,
    },
    /// What is stored cannot be read: another version's row, a wrong key, a damaged file.
    #[error("stored {what} cannot be read: {reason}")]
    Corrupt {
        /// Which kind of row.
        what: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// Another process is doing this tenant's run.
    #[error("another run is under way")]
    Busy,
}

impl StoreError {
    /// A stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Duplicate { .. } => "store.duplicate",
            Self::Conflict => "store.conflict",
            Self::NotFound { .. } => "store.not_found",
            Self::Rejected { .. } => "store.rejected",
            Self::Unavailable { .. } => "store.unavailable",
            Self::Corrupt { .. } => "store.corrupt",
            Self::Busy => "store.busy",
        }
    }

    /// True when the same call may succeed later without anybody's help.
    #[must_use]
    pub fn retryable(&self) -> bool {
        matches!(self, Self::Conflict | Self::Unavailable { .. } | Self::Busy)
    }
}

/// A page: rows after `after` in id order, at most `limit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageQuery<I> {
    /// The last id of the page before; `None` for the first page.
    pub after: Option<I>,
    /// At most so many rows. A page with fewer is the last.
    pub limit: u32,
}

impl<I> PageQuery<I> {
    /// The first page.
    #[must_use]
    pub const fn first(limit: u32) -> Self {
        Self { after: None, limit }
    }
}

/// Which subscriptions to load for billing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BillableQuery {
    /// Bit `d` is set when a period that starts on billing day `d` may come due in the window; those with
    /// `billed_from` set are loaded whatever their day.
    pub days: u32,
    /// Those whose `terms.end` is on or after this day are loaded whatever their day: a last, short period ends there.
    pub ends_from: Date,
}

/// Which customers to load for reminders: those with an open invoice in one of these spans of due dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DunningQuery {
    /// Earliest due date.
    pub due_from: Date,
    /// Latest due date.
    pub due_until: Date,
}

/// Which subscriptions to load for the isolation decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessQuery {
    /// Those that a run must look at: with an open invoice due on or before the day, or with desired access other than
    /// open, or whose terms end, pause or change package by `today`, or start after it. Closed lines whose terms have
    /// ended are left out.
    Due {
        /// Open invoices due on or before this day.
        due_until: Date,
        /// The latest civil day in any zone.
        today: Date,
    },
    /// All of these customers.
    Customers(Vec<CustomerId>),
    /// These.
    Subscriptions(Vec<SubscriptionId>),
}

/// Everything that one commit writes, all or nothing.
#[derive(Debug, Clone, Default)]
pub struct ChangeSet {
    /// Sites, inserted or replaced by id.
    pub sites: Vec<Site>,
    /// Routers, inserted or replaced by id.
    pub routers: Vec<Router>,
    /// Packages, inserted or replaced by id.
    pub packages: Vec<Package>,
    /// Customers, inserted or replaced by id.
    pub customers: Vec<Customer>,
    /// Subscriptions, inserted or replaced by id.
    pub subscriptions: Vec<Subscription>,
    /// Kinds of installation, inserted or replaced by id.
    pub installation_kinds: Vec<InstallationKind>,
    /// Installation orders, inserted or replaced by id.
    pub installation_orders: Vec<InstallationOrder>,
    /// Devices, inserted or replaced by id.
    pub cpes: Vec<Cpe>,
    /// Device history, appended.
    pub device_history: Vec<DeviceHistory>,
    /// Expenses, appended.
    pub expenses: Vec<Expense>,
    /// Promises, appended.
    pub promises: Vec<Promise>,
    /// Exemptions, appended.
    pub exemptions: Vec<Exemption>,
    /// Outages, inserted or replaced by id.
    pub outages: Vec<Outage>,
    /// Invoices. One whose id or (subscription, kind, period start) is there already is left out and counted, not an
    /// error (rule B3). The store gives those it writes their numbers, in order, and books them with
    /// [`crate::ledger::entries_for_invoices`]. A commit that fails uses up no number. One whose lines do not add up
    /// fails the commit with `Rejected`.
    pub invoices: Vec<Invoice>,
    /// Credit notes, written after the invoices. One whose id is there already is left out and counted, not an error. The
    /// store gives those it writes their numbers, in order, keeps their amount as a payment of the customer (id
    /// [`CreditNote::payment_id`], provider [`crate::billing::credit::PROVIDER`], the number as reference) and books them
    /// with [`crate::ledger::entry_for_credit_note`]. One that does not add up fails the commit with `Rejected`; one with
    /// which more would be given back of an invoice than its total, with `Conflict`.
    pub credit_notes: Vec<CreditNote>,
    /// What is said about payments that are write-offs, appended with them.
    pub write_offs: Vec<WriteOff>,
    /// Collectors' deposits, appended.
    pub deposits: Vec<Deposit>,
    /// Replaces the terms of these subscriptions.
    pub terms: Vec<(SubscriptionId, BillingTerms)>,
    /// Sets `billed_from` of these subscriptions; written after `terms`.
    pub billed_from: Vec<(SubscriptionId, Option<Date>)>,
    /// Moves the position of the billing run forward to this day; a day before it is ignored.
    pub billing_position: Option<Date>,
    /// Payments. One whose (provider, reference) is there already fails the commit with
    /// `Duplicate { what: "payment.reference" }` (rule P1).
    pub payments: Vec<Payment>,
    /// Allocations. When all of a commit are made, each of their invoices is paid between zero and its total and each
    /// of their payments used between zero and its amount, else the commit fails with `Conflict`.
    pub allocations: Vec<Allocation>,
    /// Reversals; a second one of a payment fails with `Duplicate { what: "payment.reversal" }`. The allocations that it
    /// takes back are among `allocations`: one that leaves something paid fails with `Conflict`, as does a later
    /// allocation of a reversed payment, which has nothing left.
    pub reversals: Vec<PaymentReversal>,
    /// Subscriptions whose facts changed: their access `version` rises by one, after `access` is written. One without a
    /// row stays so.
    pub touched: Vec<SubscriptionId>,
    /// New desired access, each replacing the row that still has `version`; a newer row fails the commit with
    /// `Conflict`. `observed` in it is ignored; what is stored of it stays. For a subscription without a row, `version` is 0 and a row is inserted.
    /// The stored version becomes `version + 1`.
    pub access: Vec<ServiceAccess>,
    /// What happened to access, appended.
    pub access_events: Vec<AccessEvent>,
    /// Wishes to bring routers to the new revision; a row of the outbox each, with topic `access`, id
    /// [`effect_id`]. One that is there already is left out.
    pub effects: Vec<AccessEffect>,
    /// Messages; a row of the outbox each, with topic `message`. One of which any key is there already, be it from a
    /// message before it in the same set, is left out and counted (rule N2); none of its keys is taken then.
    pub messages: Vec<Notification>,
    /// Journal entries other than those of `invoices`. An id that is there already fails with
    /// `Duplicate { what: "journal.id" }`, one that does not balance with `Rejected`.
    pub journal: Vec<JournalEntry>,
}

impl ChangeSet {
    /// True when there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self {
            sites,
            routers,
            packages,
            customers,
            subscriptions,
            installation_kinds,
            installation_orders,
            cpes,
            device_history,
            expenses,
            promises,
            exemptions,
            outages,
            invoices,
            credit_notes,
            write_offs,
            deposits,
            terms,
            billed_from,
            billing_position,
            payments,
            allocations,
            reversals,
            touched,
            access,
            access_events,
            effects,
            messages,
            journal,
        } = self;
        sites.is_empty()
            && routers.is_empty()
            && packages.is_empty()
            && customers.is_empty()
            && subscriptions.is_empty()
            && installation_kinds.is_empty()
            && installation_orders.is_empty()
            && cpes.is_empty()
            && device_history.is_empty()
            && expenses.is_empty()
            && promises.is_empty()
            && exemptions.is_empty()
            && outages.is_empty()
            && invoices.is_empty()
            && credit_notes.is_empty()
            && write_offs.is_empty()
            && deposits.is_empty()
            && terms.is_empty()
            && billed_from.is_empty()
            && billing_position.is_none()
            && payments.is_empty()
            && allocations.is_empty()
            && reversals.is_empty()
            && touched.is_empty()
            && access.is_empty()
            && access_events.is_empty()
            && effects.is_empty()
            && messages.is_empty()
            && journal.is_empty()
    }
}

/// What a commit wrote of the things that are written once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CommitReport {
    /// Invoices written.
    pub invoices: u64,
    /// Their sum in rupiah.
    pub invoiced: crate::money::Money,
    /// Invoices that were there already.
    pub invoices_known: u64,
    /// Credit notes written.
    pub credit_notes: u64,
    /// Their sum in rupiah.
    pub credited: crate::money::Money,
    /// Messages written.
    pub messages: u64,
    /// Messages that were there already.
    pub messages_known: u64,
    /// Wishes to routers written.
    pub effects: u64,
}

/// A wish to bring one subscription's account to a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessEffect {
    /// Whose account.
    pub subscription_id: SubscriptionId,
    /// On which router.
    pub router_id: RouterId,
    /// The revision of its [`ServiceAccess`].
    pub revision: u64,
    /// Not before this moment.
    pub not_before: DateTime<Utc>,
}

/// The id of the outbox row for an access effect: the same wish is the same row.
#[must_use]
pub fn effect_id(subscription: SubscriptionId, router: RouterId, revision: u64) -> OutboxId {
    OutboxId(crate::ids::derive(subscription.0, &["effect", &router.to_string(), &revision.to_string()]))
}

/// What an outbox row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Topic {
    /// A router.
    Access,
    /// A message.
    Message,
}

/// Where an outbox row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutboxState {
    /// Waiting for its moment.
    Pending,
    /// Taken by a worker that has done nothing with it yet; free again when the claim runs out.
    Claimed,
    /// A worker is calling the other side: when it dies now, a message's outcome is unknown.
    Attempting,
    /// Done.
    Done,
    /// No longer true or wanted; not sent.
    Dropped,
    /// Refused for good, or tried too often; a person must look.
    Failed,
    /// A message of which nobody knows whether it went out.
    Unknown,
}

impl OutboxState {
    /// All states.
    pub const ALL: [Self; 7] =
        [Self::Pending, Self::Claimed, Self::Attempting, Self::Done, Self::Dropped, Self::Failed, Self::Unknown];

    /// Its code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Claimed => "claimed",
            Self::Attempting => "attempting",
            Self::Done => "done",
            Self::Dropped => "dropped",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// What an outbox row asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "topic", rename_all = "lowercase")]
pub enum Effect {
    /// Bring an account to its desired state.
    Access(AccessEffect),
    /// Send a message.
    Message(Notification),
}

impl Effect {
    /// Its topic.
    #[must_use]
    pub const fn topic(&self) -> Topic {
        match self {
            Self::Access(_) => Topic::Access,
            Self::Message(_) => Topic::Message,
        }
    }
}

/// A row of the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// The row.
    pub id: OutboxId,
    /// What it asks for.
    pub effect: Effect,
    /// Where it stands.
    pub state: OutboxState,
    /// How often the other side was called for it.
    pub attempts: u32,
    /// Not before this moment.
    pub next_attempt: DateTime<Utc>,
    /// What the last attempt came to, without secrets.
    pub note: String,
    /// The other side's id, for a message that it took.
    pub provider_id: Option<String>,
    /// When it came to its end.
    pub finished_at: Option<DateTime<Utc>>,
}

/// A claim on outbox rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Rows of this topic.
    pub topic: Topic,
    /// Those whose `next_attempt` is not after this moment.
    pub now: DateTime<Utc>,
    /// The claim runs out at this moment.
    pub until: DateTime<Utc>,
    /// At most so many rows, the earliest first.
    pub limit: u32,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Which row.
    pub id: OutboxId,
    /// Its new state; [`OutboxState::Pending`] to try again at `next_attempt`.
    pub state: OutboxState,
    /// When to try again.
    pub next_attempt: DateTime<Utc>,
    /// What it came to, without secrets.
    pub note: String,
    /// The other side's id.
    pub provider_id: Option<String>,
    /// When it ended.
    pub at: DateTime<Utc>,
}

/// Which outbox rows to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutboxQuery {
    /// Only this topic.
    pub topic: Option<Topic>,
    /// Only this state.
    pub state: Option<OutboxState>,
    /// Only messages to this customer.
    pub customer: Option<CustomerId>,
}

/// Which invoices to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InvoiceQuery {
    /// Only this customer's.
    pub customer: Option<CustomerId>,
    /// Only those issued on or after this day.
    pub issued_from: Option<Date>,
    /// Only those issued before this day.
    pub issued_before: Option<Date>,
    /// Only those with a residual.
    pub open: bool,
    /// Only this kind.
    pub kind: Option<InvoiceKind>,
}

/// What a message needs at the moment of sending (rule N3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageFacts {
    /// To whom.
    pub customer: Customer,
    /// Name of the package of the customer's subscription that it is about (or of the first).
    pub package: Option<crate::customer::Name>,
    /// The invoices that it names, as they are now.
    pub invoices: Vec<InvoiceBalance>,
    /// All open invoices of the customer.
    pub open: Vec<InvoiceBalance>,
    /// The payment that it names, and whether it was reversed.
    pub payment: Option<(Payment, bool)>,
    /// The access of the subscription that it names.
    pub access: Option<ServiceAccess>,
    /// True when that subscription is served by a router, whose answer a message about it waits for.
    pub routed: bool,
}

/// A payment with what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRow {
    /// As it arrived.
    pub payment: Payment,
    /// What is left of it as credit.
    pub left: crate::money::Money,
    /// Its reversal.
    pub reversal: Option<PaymentReversal>,
}

/// Where everything is kept, for one tenant a call.
///
/// Contract, proved for each implementation by [`crate::testing::contract::store`]:
/// * [`Store::commit`] writes all of a change set or nothing, and is durable when it returns.
/// * What is written once (invoices, messages, payments) is so by unique keys: it holds for two callers at once.
/// * No call holds a transaction after it returns.
/// * Lists come in id order and page by the last id.
/// * A row that names one that is not there (a subscription its customer, an allocation its payment) fails the commit
///   with [`StoreError::Rejected`]; rows of the same change set may name each other.
/// * Keys that people give are unique in a tenant, to the letter: a second owner fails the commit with
///   [`StoreError::Duplicate`] naming `site.code`, `router.code`, `package.code`, `customer.code`,
///   `installation_kind.code`, `cpe.serial`, or `subscription.username` (on one router; lines without a router share
///   freely). A row that is only appended has a new id, else `Duplicate` names `device_history.id`, `expense.id`,
///   `promise.id`, `exemption.id`, `deposit.id` or `access_event.id`.
/// * Open invoices come oldest due date first, then oldest issue date, then lowest number.
/// * A subscription without an access row reads as [`crate::isolation::Access::Closed`] with revision 0 and version 0.
/// * Moments are kept to the microsecond.
#[async_trait]
pub trait Store: Send + Sync {
    /// Writes a change set, all or nothing.
    async fn commit(&self, tenant: TenantId, changes: ChangeSet) -> Result<CommitReport, StoreError>;

    /// Takes the right to be the only run of this tenant until the guard is dropped or the process dies; then claims
    /// that a dead run left are freed: a message that was being sent becomes [`OutboxState::Unknown`], everything
    /// else pending. [`StoreError::Busy`] when another run has it.
    async fn begin_run(&self, tenant: TenantId) -> Result<RunGuard, StoreError>;

    // ---- billing ----

    /// The day up to which triggers were billed; `None` before the first run.
    async fn billing_position(&self, tenant: TenantId) -> Result<Option<Date>, StoreError>;

    /// A page of the subscriptions that a billing run must look at, in id order: those that `query` names and no others.
    async fn load_billable(
        &self,
        tenant: TenantId,
        query: BillableQuery,
        page: PageQuery<SubscriptionId>,
    ) -> Result<Vec<Billable>, StoreError>;

    /// Installation orders with an instalment due on or before the day that has no invoice yet, with the facts that
    /// their invoices need, in id order.
    async fn load_instalments(&self, tenant: TenantId, due_until: Date) -> Result<Vec<InstalmentRow>, StoreError>;

    /// Customers who have credit and an open invoice, in id order.
    async fn customers_with_credit(
        &self,
        tenant: TenantId,
        page: PageQuery<CustomerId>,
    ) -> Result<Vec<CustomerId>, StoreError>;

    // ---- decisions ----

    /// A page of customers to consider for reminders, in id order, each with all its open invoices and the keys of
    /// reminders that were already written for them.
    async fn load_dunning(
        &self,
        tenant: TenantId,
        query: DunningQuery,
        page: PageQuery<CustomerId>,
    ) -> Result<Vec<DunningFacts>, StoreError>;

    /// A page of subscriptions to decide on, in id order, each once, with all promises and exemptions of the customer and
    /// all outages of the site, in id order.
    async fn load_access(
        &self,
        tenant: TenantId,
        query: &AccessQuery,
        page: PageQuery<SubscriptionId>,
    ) -> Result<Vec<AccessFacts>, StoreError>;

    /// The facts about one customer's subscriptions as they were at a past moment, for explaining: invoices issued and
    /// allocations made by then, terms as they are now. Promises, exemptions and outages count once they have begun.
    /// Access is rebuilt from its events up to and including the moment, and nothing is observed in it; an isolation that
    /// was reopened with something still overdue keeps its beginning, as in [`crate::isolation::transition`].
    async fn access_at(
        &self,
        tenant: TenantId,
        customer: CustomerId,
        at: DateTime<Utc>,
    ) -> Result<Vec<AccessFacts>, StoreError>;

    /// How many subscriptions each router serves (desired access other than closed); a router that serves none is left
    /// out.
    async fn subscribers_per_router(&self, tenant: TenantId) -> Result<BTreeMap<RouterId, u64>, StoreError>;

    /// The open invoices of a customer.
    async fn open_invoices(&self, tenant: TenantId, customer: CustomerId) -> Result<Vec<InvoiceBalance>, StoreError>;

    /// Invoices by id, in the order asked; unknown ones are left out.
    async fn balances(&self, tenant: TenantId, ids: &[InvoiceId]) -> Result<Vec<InvoiceBalance>, StoreError>;

    /// The invoices for days of service ([`InvoiceKind::Subscription`] and [`InvoiceKind::Adjustment`]) of these
    /// subscriptions that have a day in common with `days`, each with all its credit notes, in the order of subscriptions,
    /// then of their first day, then by id.
    async fn charges(
        &self,
        tenant: TenantId,
        subscriptions: &[SubscriptionId],
        days: Period,
    ) -> Result<Vec<Charge>, StoreError>;

    /// The invoices of kind [`InvoiceKind::Subscription`] at sites of a zone that are due on a day and had a residual at a
    /// moment, with what was paid of them before it, in id order.
    async fn unpaid_at(
        &self,
        tenant: TenantId,
        due: Date,
        zone: Zone,
        at: DateTime<Utc>,
        page: PageQuery<InvoiceId>,
    ) -> Result<Vec<InvoiceBalance>, StoreError>;

    /// The payments of a customer with money left, first received first, then by id.
    async fn credit(&self, tenant: TenantId, customer: CustomerId) -> Result<Vec<CreditSource>, StoreError>;

    /// A payment, with what is left of it and its reversal.
    async fn payment(&self, tenant: TenantId, id: PaymentId) -> Result<Option<PaymentRow>, StoreError>;

    /// The allocations of a payment, in the order they were made.
    async fn allocations(&self, tenant: TenantId, id: PaymentId) -> Result<Vec<Allocation>, StoreError>;

    // ---- outbox ----

    /// Takes rows that are due, and those whose claim ran out (`until` is not after `now`), in the order of
    /// `next_attempt`; they come back as [`OutboxState::Claimed`]. A message whose worker died while calling becomes
    /// [`OutboxState::Unknown`] and is not returned; a wish to a router is claimed again.
    async fn claim(&self, tenant: TenantId, claim: Claim) -> Result<Vec<OutboxRow>, StoreError>;

    /// Says that the other side is about to be called for these claimed rows; raises `attempts`. `Conflict`, and nothing
    /// changed, when one of them is not claimed.
    async fn attempting(&self, tenant: TenantId, ids: &[OutboxId]) -> Result<(), StoreError>;

    /// Records how attempts ended, and with them what routers said, all or nothing; `NotFound { what: "outbox" }` for an
    /// unknown row. `finished_at` is set by every state but `Pending`; a `provider_id` stays when an outcome has none. An
    /// observation replaces one of a lower revision, or one of the same revision that is not later; it raises no version.
    async fn record(
        &self,
        tenant: TenantId,
        outcomes: &[Outcome],
        observed: &[(SubscriptionId, ObservedAccess)],
    ) -> Result<(), StoreError>;

    /// Frees all claims as [`Store::begin_run`] does, for a worker that stops early.
    async fn release(&self, tenant: TenantId) -> Result<(), StoreError>;

    /// What routers need to know of these subscriptions, in the order asked; unknown ones and those without a router are
    /// left out. The group is that of the package in the terms as they are, whatever change is to come; `adopt` is false.
    async fn access_targets(
        &self,
        tenant: TenantId,
        subscriptions: &[SubscriptionId],
    ) -> Result<Vec<AccessTarget>, StoreError>;

    /// All subscriptions on a router, in id order.
    async fn router_targets(
        &self,
        tenant: TenantId,
        router: RouterId,
        page: PageQuery<SubscriptionId>,
    ) -> Result<Vec<AccessTarget>, StoreError>;

    /// The facts that a message states, as they are now, its invoices in the order it names them. `NotFound { what:
    /// "customer" }` when the customer is unknown.
    async fn message_facts(&self, tenant: TenantId, message: &Notification) -> Result<MessageFacts, StoreError>;

    // ---- master data and lists ----

    /// All sites.
    async fn sites(&self, tenant: TenantId) -> Result<Vec<Site>, StoreError>;
    /// All routers.
    async fn routers(&self, tenant: TenantId) -> Result<Vec<Router>, StoreError>;
    /// All packages.
    async fn packages(&self, tenant: TenantId) -> Result<Vec<Package>, StoreError>;
    /// All kinds of installation.
    async fn installation_kinds(&self, tenant: TenantId) -> Result<Vec<InstallationKind>, StoreError>;
    /// A customer by id.
    async fn customer(&self, tenant: TenantId, id: CustomerId) -> Result<Option<Customer>, StoreError>;
    /// A customer by the ID that people use.
    async fn customer_by_code(&self, tenant: TenantId, code: &Code) -> Result<Option<Customer>, StoreError>;
    /// Customers.
    async fn customers(&self, tenant: TenantId, page: PageQuery<CustomerId>) -> Result<Vec<Customer>, StoreError>;
    /// Subscriptions with their access, of one customer or of all.
    async fn subscriptions(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
        page: PageQuery<SubscriptionId>,
    ) -> Result<Vec<(Subscription, ServiceAccess)>, StoreError>;
    /// Devices, of one customer or of all.
    async fn cpes(&self, tenant: TenantId, customer: Option<CustomerId>) -> Result<Vec<Cpe>, StoreError>;
    /// Device history, of one customer or of all, oldest day first, then by id.
    async fn device_history(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
    ) -> Result<Vec<DeviceHistory>, StoreError>;
    /// Installation orders with the sum invoiced and paid of each, of one customer or of all.
    async fn installation_orders(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
    ) -> Result<Vec<InstallationRow>, StoreError>;
    /// Invoices with their lines, each with what was paid of it, in id order.
    async fn invoices(
        &self,
        tenant: TenantId,
        query: InvoiceQuery,
        page: PageQuery<InvoiceId>,
    ) -> Result<Vec<(Invoice, crate::money::Money)>, StoreError>;
    /// Credit notes, of one customer or of all, in id order.
    async fn credit_notes(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
        page: PageQuery<CreditNoteId>,
    ) -> Result<Vec<CreditNote>, StoreError>;
    /// All recorded outages.
    async fn outages(&self, tenant: TenantId) -> Result<Vec<Outage>, StoreError>;
    /// Write-offs, of one customer or of all, in the order of their payments' ids.
    async fn write_offs(&self, tenant: TenantId, customer: Option<CustomerId>) -> Result<Vec<WriteOff>, StoreError>;
    /// Deposits, oldest day first, then by id.
    async fn deposits(&self, tenant: TenantId) -> Result<Vec<Deposit>, StoreError>;
    /// What each collector took (payments that were not reversed) and handed over, by name.
    async fn collectors(&self, tenant: TenantId) -> Result<Vec<CollectorBalance>, StoreError>;
    /// Payments, of one customer or of all, in id order.
    async fn payments(
        &self,
        tenant: TenantId,
        customer: Option<CustomerId>,
        page: PageQuery<PaymentId>,
    ) -> Result<Vec<PaymentRow>, StoreError>;
    /// What happened to the access of these subscriptions, in the order of revisions.
    async fn access_events_of(
        &self,
        tenant: TenantId,
        subscriptions: &[SubscriptionId],
    ) -> Result<Vec<AccessEvent>, StoreError>;
    /// What happened to a subscription's access, in the order of revisions.
    async fn access_events(
        &self,
        tenant: TenantId,
        subscription: SubscriptionId,
    ) -> Result<Vec<AccessEvent>, StoreError>;
    /// Rows of the outbox, in id order.
    async fn outbox(
        &self,
        tenant: TenantId,
        query: OutboxQuery,
        page: PageQuery<OutboxId>,
    ) -> Result<Vec<OutboxRow>, StoreError>;
    /// Sums of the journal by month, account, kind, package and site, for entries booked from one day up to another (not
    /// included), one a combination, in no particular order.
    async fn journal_totals(&self, tenant: TenantId, from: Date, before: Date)
    -> Result<Vec<JournalTotal>, StoreError>;
    /// Journal entries, in id order.
    async fn journal(&self, tenant: TenantId, page: PageQuery<JournalEntryId>)
    -> Result<Vec<JournalEntry>, StoreError>;
}

/// The right to be the only run of a tenant; given up when dropped.
pub struct RunGuard(#[allow(dead_code, reason = "held for its drop")] Box<dyn Send + Sync>);

impl RunGuard {
    /// Wraps whatever gives the right up when dropped.
    #[must_use]
    pub fn new(held: impl Send + Sync + 'static) -> Self {
        Self(Box::new(held))
    }
}

impl std::fmt::Debug for RunGuard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RunGuard")
    }
}

/// An installation order with what its invoices need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalmentRow {
    /// The order.
    pub order: InstallationOrder,
    /// The site of its subscription.
    pub site_id: crate::ids::SiteId,
    /// The zone of that site.
    pub zone: Zone,
    /// The package of its subscription.
    pub package_id: PackageId,
}

/// An installation order with how far it is paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallationRow {
    /// The order.
    pub order: InstallationOrder,
    /// Sum of its invoices so far, with PPN.
    pub invoiced: crate::money::Money,
    /// What was paid of them.
    pub paid: crate::money::Money,
}

/// Reminder kinds with their levels, as a store finds them written for an invoice.
pub type NotifiedLevels = Vec<(InvoiceId, NotificationKind, u16)>;
