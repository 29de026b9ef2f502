//! The tables of one tenant.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::bank::{ImportedFile, MutationRow, PayerAlias, Telling};
use crate::billing::{CreditNote, Invoice, InvoiceBalance, InvoiceKind, Statement};
use crate::calendar::{Date, Zone};
use crate::customer::Customer;
use crate::device::{Cpe, DeviceHistory};
use crate::ending::{Ending, RecordId};
use crate::ids::{
    BankFileId, CpeId, CreditNoteId, CustomerId, DepositId, DeviceHistoryId, ExemptionId, ExpenseId,
    InstallationKindId, InstallationOrderId, InvoiceId, JournalEntryId, MutationId, OutageId, OutboxId, PackageId,
    PageLinkId, PaymentId, PaymentRequestId, PayoutId, PromiseId, ProofId, RefundId, RouterId, SiteId, StatementId,
    SubscriptionId, TellingId, WebhookId, WorkerId,
};
use crate::installation::{InstallationKind, InstallationOrder, InvoicedFee};
use crate::isolation::{Access, AccessEvent, ServiceAccess};
use crate::ledger::{Expense, JournalEntry};
use crate::message::NotificationKey;
use crate::money::Money;
use crate::package::Package;
use crate::payment::{
    Allocation, Deposit, GatewayRefund, GatewayRequest, PageLink, Payment, PaymentRequest, PaymentReversal, Payout,
    Refund, WriteOff,
};
use crate::place::{KnownMachine, Router, Site};
use crate::ports::{ChangeSet, CommitReport, Heard, OutboxRow, RouterRest, StoreError, Topic};
use crate::privacy::Erased;
use crate::protection::{Exemption, Outage, Promise, Proof, ProofContent, Review};
use crate::subscription::{Service, Subscription};
use crate::terms::FormerTerms;
use crate::terms::account::FormerAccount;
use crate::text::RouterName;

use super::inbox::KeptWebhook;
use super::table::Table;

/// An invoice with what was paid of it.
#[derive(Debug, Clone)]
pub(super) struct KeptInvoice {
    pub(super) invoice: Invoice,
    pub(super) paid: Money,
}

impl KeptInvoice {
    pub(super) fn balance(&self) -> InvoiceBalance {
        self.invoice.balance(self.paid)
    }

    pub(super) fn is_open(&self) -> bool {
        (self.invoice.total - self.paid).is_positive()
    }
}

/// A payment with what it paid.
#[derive(Debug, Clone)]
pub(super) struct KeptPayment {
    pub(super) payment: Payment,
    pub(super) used: Money,
    pub(super) reversal: Option<PaymentReversal>,
}

impl KeptPayment {
    pub(super) fn left(&self) -> Money {
        if self.reversal.is_some() { Money::ZERO } else { self.payment.amount - self.used }
    }
}

/// A row of the outbox with its claim.
#[derive(Debug, Clone)]
pub(super) struct KeptRow {
    pub(super) row: OutboxRow,
    pub(super) claimed_until: Option<DateTime<Utc>>,
    pub(super) owner: Option<WorkerId>,
}

/// Who may write to a router.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeptHold {
    pub(super) owner: WorkerId,
    pub(super) until: DateTime<Utc>,
    pub(super) fence: u64,
}

macro_rules! state {
    ($($(#[$doc:meta])* $name:ident: $key:ty => $row:ty,)*) => {
        /// All that one tenant has.
        #[derive(Debug, Clone, Default)]
        pub(super) struct State {
            $($(#[$doc])* pub(super) $name: Table<$key, $row>,)*
            pub(super) last_number: u64,
            pub(super) last_note: u64,
            pub(super) last_statement: u64,
            pub(super) last_allocation: u64,
            pub(super) position: Option<Date>,
            /// Lines whose user names the commit has still to compare.
            pub(super) written_names: Vec<SubscriptionId>,
            pub(super) last_run: Option<DateTime<Utc>>,
        }

        impl State {
            fn keep(&mut self) {
                $(self.$name.keep();)*
            }

            fn take_back(&mut self) {
                $(self.$name.take_back();)*
            }
        }
    };
}

state! {
    sites: SiteId => Site,
    routers: RouterId => Router,
    machines: RouterId => KnownMachine,
    packages: PackageId => Package,
    customers: CustomerId => Customer,
    subscriptions: SubscriptionId => Subscription,
    subscriptions_of: (CustomerId, SubscriptionId) => (),
    subscriptions_on: (RouterId, SubscriptionId) => (),
    /// User names on routers, with who has or had them.
    usernames: (RouterId, String, SubscriptionId) => (),
    /// Accounts that lines have left, and whether they are closed.
    former_accounts: (RouterId, SubscriptionId, Service, RouterName) => (FormerAccount, bool),
    /// Terms that were replaced, in order.
    former_terms: (SubscriptionId, u64) => FormerTerms,
    installation_kinds: InstallationKindId => InstallationKind,
    installation_orders: InstallationOrderId => InstallationOrder,
    /// Fees that stand on invoices with other things.
    invoiced_fees: InstallationOrderId => InvoicedFee,
    cpes: CpeId => Cpe,
    /// Who has a unique key: which key, its value, the owner's id.
    keys: (&'static str, String) => Uuid,
    device_history: DeviceHistoryId => DeviceHistory,
    expenses: ExpenseId => Expense,
    promises: (CustomerId, PromiseId) => Promise,
    exemptions: (CustomerId, ExemptionId) => Exemption,
    proofs: (CustomerId, ProofId) => Proof,
    proof_contents: ProofId => ProofContent,
    proof_reviews: ProofId => Review,
    outages: OutageId => Outage,
    endings: RecordId => Ending,
    invoices: InvoiceId => KeptInvoice,
    invoice_of: (SubscriptionId, InvoiceKind, Date) => InvoiceId,
    open_of_customer: (CustomerId, InvoiceId) => (),
    open_of_subscription: (SubscriptionId, InvoiceId) => (),
    statements: StatementId => Statement,
    credit_notes: CreditNoteId => CreditNote,
    notes_of_invoice: (InvoiceId, CreditNoteId) => (),
    write_offs: PaymentId => WriteOff,
    deposits: DepositId => Deposit,
    payments: PaymentId => KeptPayment,
    payment_requests: PaymentRequestId => PaymentRequest,
    gateway_requests: PaymentRequestId => GatewayRequest,
    payouts: PayoutId => Payout,
    refunds: RefundId => Refund,
    gateway_refunds: RefundId => GatewayRefund,
    bank_files: BankFileId => ImportedFile,
    mutations: MutationId => MutationRow,
    tellings: TellingId => Telling,
    payer_aliases: MutationId => PayerAlias,
    /// Payments with money left, the oldest of a customer first.
    credit: (CustomerId, DateTime<Utc>, PaymentId) => (),
    allocations_of_payment: (PaymentId, u64) => Allocation,
    allocations_of_invoice: (InvoiceId, u64) => Allocation,
    access: SubscriptionId => ServiceAccess,
    access_events: (SubscriptionId, u64) => AccessEvent,
    outbox: OutboxId => KeptRow,
    /// Rows that are not at their end, in the order of their moment.
    queue: (Topic, DateTime<Utc>, OutboxId) => (),
    messages: NotificationKey => OutboxId,
    holds: RouterId => KeptHold,
    rests: RouterId => RouterRest,
    journal: JournalEntryId => JournalEntry,
    webhooks: WebhookId => KeptWebhook,
    /// What was heard of messages.
    heard: OutboxId => Heard,
    /// Who wants no messages, and since when.
    opt_outs: CustomerId => (DateTime<Utc>, bool),
    page_links: PageLinkId => PageLink,
    erased: CustomerId => Erased,
}

impl State {
    /// Writes all of a change set, or nothing.
    pub(super) fn commit(&mut self, changes: ChangeSet) -> Result<CommitReport, StoreError> {
        let before = (self.last_number, self.last_note, self.last_statement, self.last_allocation, self.position);
        let written = self.write(changes);
        if written.is_ok() {
            self.keep();
        } else {
            self.take_back();
            self.written_names.clear();
            (self.last_number, self.last_note, self.last_statement, self.last_allocation, self.position) = before;
        }
        written
    }

    fn write(&mut self, mut changes: ChangeSet) -> Result<CommitReport, StoreError> {
        if !changes.expected.iter().all(|expected| self.holds(expected, &changes.journal)) {
            return Err(StoreError::Conflict);
        }
        self.must_not_be_erased(&changes)?;
        let mut report = CommitReport::default();
        self.write_master(&mut changes)?;
        let fees = std::mem::take(&mut changes.invoiced_fees);
        self.write_invoices(std::mem::take(&mut changes.invoices), fees, &mut report)?;
        self.write_credit_notes(std::mem::take(&mut changes.credit_notes), &mut report)?;
        self.position = self.position.max(changes.billing_position);
        let last_run = changes.last_run.or(self.last_run);
        self.write_payments(&mut changes)?;
        self.write_requests(&mut changes)?;
        self.write_gateways(&mut changes)?;
        self.write_bank(&mut changes)?;
        self.write_access(&mut changes)?;
        self.write_effects(&changes.effects, &mut report)?;
        self.write_messages(std::mem::take(&mut changes.messages), &mut report)?;
        self.write_journal(std::mem::take(&mut changes.journal))?;
        self.write_erasures(std::mem::take(&mut changes.erasures))?;
        self.last_run = last_run;
        Ok(report)
    }

    /// Changes that cannot fail, outside a commit.
    pub(super) fn at_once<T>(&mut self, change: impl FnOnce(&mut Self) -> T) -> T {
        let answer = change(self);
        self.keep();
        answer
    }

    /// Gives a unique key to an owner, and takes back the one it had.
    pub(super) fn own(
        &mut self,
        what: &'static str,
        old: Option<String>,
        new: Option<String>,
        owner: Uuid,
    ) -> Result<(), StoreError> {
        if old == new {
            return Ok(());
        }
        if let Some(old) = old {
            self.keys.remove(&(what, old));
        }
        if let Some(new) = new {
            let key = (what, new);
            if self.keys.has(&key) {
                return Err(StoreError::Duplicate { what });
            }
            self.keys.put(key, owner);
        }
        Ok(())
    }

    pub(super) fn zone_of(&self, subscription: &Subscription) -> Zone {
        self.sites.get(&subscription.site_id).map_or(Zone::Wib, |site| site.zone)
    }

    /// The access of a subscription; closed and never decided on without a row.
    pub(super) fn access_of(&self, id: SubscriptionId) -> ServiceAccess {
        self.access
            .get(&id)
            .cloned()
            .unwrap_or_else(|| ServiceAccess { revision: 0, ..ServiceAccess::new(id, Access::Closed) })
    }
}

/// Fails unless a row that a change names is there.
pub(super) fn must_exist(there: bool, what: &str) -> Result<(), StoreError> {
    if there { Ok(()) } else { Err(StoreError::Rejected { reason: format!("no such {what}") }) }
}
