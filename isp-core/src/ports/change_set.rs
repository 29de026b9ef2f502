//! What one commit writes, and what became of it.

use chrono::{DateTime, Utc};

use crate::bank::{ImportedFile, Mutation, MutationMark, PayerAlias, Telling};
use crate::billing::{CreditNote, Invoice};
use crate::calendar::Date;
use crate::customer::Customer;
use crate::device::{Cpe, DeviceHistory};
use crate::ending::{Ending, RecordId};
use crate::ids::{CustomerId, MasterId, MutationId, PaymentRequestId, ProofId, SubscriptionId};
use crate::installation::{InstallationKind, InstallationOrder, InvoicedFee};
use crate::isolation::AccessEffect;
use crate::isolation::{AccessEvent, ServiceAccess};
use crate::ledger::{Expense, JournalEntry};
use crate::message::Notification;
use crate::package::Package;
use crate::payment::{
    Allocation, Closing, Deposit, GatewayRefund, GatewayRequest, Payment, PaymentRequest, PaymentReversal, Payout,
    Refund, WriteOff,
};
use crate::place::{KnownMachine, Router, Site};
use crate::ports::Expectation;
use crate::privacy::Erasure;
use crate::protection::{Exemption, Outage, Promise, Proof, ProofContent, Review};
use crate::subscription::{BillingTerms, Subscription};
use crate::terms::FormerTerms;
use crate::terms::account::FormerAccount;

/// Everything that one commit writes, all or nothing.
#[derive(Debug, Clone, Default)]
pub struct ChangeSet {
    /// What was read for it and is no row of it: a commit of which any no longer holds fails with `Conflict`.
    pub expected: Vec<Expectation>,
    /// Sites, inserted or replaced by id.
    pub sites: Vec<Site>,
    /// Routers, inserted or replaced by id.
    pub routers: Vec<Router>,
    /// The machines that serve routers, inserted or replaced by router.
    pub machines: Vec<KnownMachine>,
    /// Packages, inserted or replaced by id.
    pub packages: Vec<Package>,
    /// Customers, inserted or replaced by id.
    pub customers: Vec<Customer>,
    /// Rows to remove, after the ones above are written. One that any other row names, such as a line or a payment, fails the
    /// commit with `Rejected`, as does a package or site that an invoice or the former terms of a line name. One that is not
    /// there changes nothing.
    pub removed: Vec<MasterId>,
    /// Customers whose data is erased: what is said of it is kept, and the person is taken out of everything else that stays, see
    /// [`crate::privacy`]. The customer, lines and devices without the person are written with it. It is written last. One of a
    /// customer of whom anything is not over fails the commit with `Conflict`, a second one with `Erased`; so does, from then
    /// on, whatever is written of the person ([`ChangeSet::persons`]).
    pub erasures: Vec<Erasure>,
    /// Subscriptions, inserted or replaced by id.
    pub subscriptions: Vec<Subscription>,
    /// Accounts that subscriptions have left, inserted or replaced; they are to be closed.
    pub former_accounts: Vec<FormerAccount>,
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
    /// Promises, appended. What stands in `ending` of a row is ignored, here and elsewhere; `endings` writes it.
    pub promises: Vec<Promise>,
    /// Exemptions, appended.
    pub exemptions: Vec<Exemption>,
    /// Outages, inserted or replaced by id.
    pub outages: Vec<Outage>,
    /// Proofs of transfer with their files, appended. One whose id is there already fails the commit with
    /// `Duplicate { what: "proof.id" }`. What stands in `review` of a row is ignored; `proof_reviews` writes it.
    pub proofs: Vec<(Proof, ProofContent)>,
    /// Reviews of proofs, appended. A second one of a proof fails with `Duplicate { what: "proof.review" }`.
    pub proof_reviews: Vec<(ProofId, Review)>,
    /// Endings of records, appended. A second one of a record fails with `Duplicate { what: "record.ending" }`.
    pub endings: Vec<(RecordId, Ending)>,
    /// Invoices. One whose id or (subscription, kind, period start) is there already is left out and counted, not an
    /// error (rule B3). The store gives those it writes their numbers, in order, and books them with
    /// [`crate::ledger::entries_for_invoices`]. A commit that fails uses up no number. One whose lines do not add up
    /// fails the commit with `Rejected`. Those of a customer who is invoiced
    /// [`PerCustomer`](crate::customer::Invoicing::PerCustomer) stand on the [`Statement`](crate::billing::Statement) of their
    /// days, which the store makes and numbers when there is none.
    pub invoices: Vec<Invoice>,
    /// Installation fees that stand on invoices of this change set: kept for those that the commit writes, and left out
    /// with those that it leaves out. A second one of an order fails the commit with `Conflict`.
    pub invoiced_fees: Vec<InvoicedFee>,
    /// Credit notes, written after the invoices. One whose id is there already is left out and counted, not an error. The
    /// store gives those it writes their numbers, in order, keeps their amount as a payment of the customer (id
    /// [`CreditNote::payment_id`], provider [`crate::billing::credit::PROVIDER`], the number as reference) and books them
    /// with [`crate::ledger::entry_for_credit_note`]. One that does not add up fails the commit with `Rejected`; one with
    /// which more would be given back of an invoice than its total, with `Conflict`. The reversal of its payment takes a note back:
    /// it is told, and counts no more.
    pub credit_notes: Vec<CreditNote>,
    /// What is said about payments that are write-offs, appended with them.
    pub write_offs: Vec<WriteOff>,
    /// Collectors' deposits, appended.
    pub deposits: Vec<Deposit>,
    /// Replaces the terms of these subscriptions.
    pub terms: Vec<(SubscriptionId, BillingTerms)>,
    /// Terms that are replaced by [`ChangeSet::terms`], to be told of the past; only added to.
    pub former_terms: Vec<FormerTerms>,
    /// Sets `billed_from` of these subscriptions; written after `terms`.
    pub billed_from: Vec<(SubscriptionId, Option<Date>)>,
    /// Subscriptions that could not be read: from this day on they are billed when they can be, unless they are marked
    /// with an earlier one already.
    pub not_billed: Vec<(SubscriptionId, Date)>,
    /// Moves the position of the billing run forward to this day; a day before it is ignored.
    pub billing_position: Option<Date>,
    /// The moment of a run that begins (rule I9); it replaces the one before, also by an earlier one.
    pub last_run: Option<DateTime<Utc>>,
    /// Payments. One whose (provider, reference), compared without case, a payment has that is not reversed fails the
    /// commit with `Duplicate { what: "payment.reference" }` (rules P1, P6).
    pub payments: Vec<Payment>,
    /// Allocations. When all of a commit are made, each of their invoices is paid between zero and its total and each
    /// of their payments used between zero and its amount, else the commit fails with `Conflict`.
    pub allocations: Vec<Allocation>,
    /// Reversals; a second one of a payment fails with `Duplicate { what: "payment.reversal" }`. The allocations that it
    /// takes back are among `allocations`: one that leaves something paid fails with `Conflict`, as does a later
    /// allocation of a reversed payment, which has nothing left.
    pub reversals: Vec<PaymentReversal>,
    /// Payment requests, appended. One whose amount another has at its `made_at`, or whose customer has one that is neither paid
    /// nor cancelled, fails the commit with `Duplicate { what: "payment_request" }`.
    pub payment_requests: Vec<PaymentRequest>,
    /// Closings of payment requests, written before new ones. A request that is paid stays so until its payment is reversed, in this
    /// change set or before: then it may be cancelled. One that is cancelled is closed again only by its payment. Anything else fails
    /// the commit with `Conflict`.
    pub request_closings: Vec<(PaymentRequestId, Closing)>,
    /// Requests at gateways. One with revision 0 is new: if another has its gateway and reference, or its document, gateway and
    /// channel while both are live, the commit fails with `Duplicate { what: "gateway_request" }`. Any other one replaces
    /// the row that still has its revision, else the commit fails with `Conflict`. The revision rises by one.
    pub gateway_requests: Vec<GatewayRequest>,
    /// Refunds that gateways were asked for; the refund itself is among `refunds` or was written before. One with revision 0 is new:
    /// one whose id is there already fails the commit with `Duplicate { what: "gateway_refund" }`. Any other one replaces the row
    /// that still has its revision, else the commit fails with `Conflict`. The revision rises by one.
    pub gateway_refunds: Vec<GatewayRefund>,
    /// Credit that is paid out, appended; what is taken of a payment is left of it no more. More than is left, or of a reversed
    /// payment, fails the commit with `Conflict`. One whose id is there already fails with `Duplicate { what: "refund.id" }`. The
    /// ending of one gives each payment back what was taken.
    pub refunds: Vec<Refund>,
    /// Payouts of gateways, appended. One whose id is there already fails the commit with `Duplicate { what: "payout.id" }`.
    pub payouts: Vec<Payout>,
    /// Files of banks, appended. One whose id is there already fails the commit with `Duplicate { what: "bank_file" }`.
    pub bank_files: Vec<ImportedFile>,
    /// Mutations, appended; accounts are kept in small letters. One whose id is there already fails the commit with
    /// `Duplicate { what: "mutation" }`.
    pub mutations: Vec<Mutation>,
    /// Who told of mutations, appended. One whose id is there already, or whose source has told of the mutation, fails the commit with
    /// `Duplicate { what: "mutation_telling" }`.
    pub tellings: Vec<Telling>,
    /// What becomes of mutations that still have this revision; another one fails the commit with `Conflict`, as does a
    /// payment that another mutation has. The revision rises by one.
    pub mutation_marks: Vec<(MutationId, u32, MutationMark)>,
    /// Mutations from which nothing is learnt any more; written before new aliases.
    pub forgotten_aliases: Vec<MutationId>,
    /// What is learnt of payers, one a mutation.
    pub payer_aliases: Vec<PayerAlias>,
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
    /// [`crate::isolation::effect_id`]. One that is there already is left out.
    pub effects: Vec<AccessEffect>,
    /// Messages; a row of the outbox each, with topic `message`. One of which any key is there already, be it from a
    /// message before it in the same set, is left out and counted (rule N2); none of its keys is taken then.
    pub messages: Vec<Notification>,
    /// Journal entries other than those of `invoices`. An id that is there already fails with
    /// `Duplicate { what: "journal.id" }`, one that does not balance with `Rejected`.
    pub journal: Vec<JournalEntry>,
}

impl ChangeSet {
    /// The customers of whom something is written that tells of the person: the customer, lines, devices, promises and so on.
    /// Money is not among it, since it may come late, and the books are to be right.
    pub fn persons(&self) -> impl Iterator<Item = CustomerId> + '_ {
        let lines = self.customers.iter().map(|c| c.id).chain(self.subscriptions.iter().map(|s| s.customer_id));
        let devices = self.cpes.iter().map(|c| c.customer_id).chain(self.device_history.iter().map(|h| h.customer_id));
        let said = self.promises.iter().map(|p| p.customer_id).chain(self.exemptions.iter().map(|e| e.customer_id));
        let asked =
            self.proofs.iter().map(|(p, _)| p.customer_id).chain(self.payment_requests.iter().map(|r| r.customer_id));
        let orders = self.installation_orders.iter().map(|o| o.customer_id);
        lines.chain(devices).chain(said).chain(asked).chain(orders)
    }

    /// Adds what another change set writes, behind what this one does. What either expects is looked at for both. They are decided
    /// from facts that neither of them changes.
    pub fn append(&mut self, other: Self) {
        let Self {
            expected,
            sites,
            routers,
            machines,
            packages,
            customers,
            removed,
            erasures,
            subscriptions,
            former_accounts,
            installation_kinds,
            installation_orders,
            cpes,
            device_history,
            expenses,
            promises,
            exemptions,
            outages,
            proofs,
            proof_reviews,
            endings,
            invoices,
            invoiced_fees,
            credit_notes,
            write_offs,
            deposits,
            terms,
            former_terms,
            billed_from,
            not_billed,
            payments,
            allocations,
            reversals,
            payment_requests,
            request_closings,
            gateway_requests,
            gateway_refunds,
            refunds,
            payouts,
            bank_files,
            mutations,
            tellings,
            mutation_marks,
            forgotten_aliases,
            payer_aliases,
            touched,
            access,
            access_events,
            effects,
            messages,
            journal,
            billing_position,
            last_run,
        } = other;
        self.expected.extend(expected);
        self.sites.extend(sites);
        self.routers.extend(routers);
        self.machines.extend(machines);
        self.packages.extend(packages);
        self.customers.extend(customers);
        self.removed.extend(removed);
        self.erasures.extend(erasures);
        self.subscriptions.extend(subscriptions);
        self.former_accounts.extend(former_accounts);
        self.installation_kinds.extend(installation_kinds);
        self.installation_orders.extend(installation_orders);
        self.cpes.extend(cpes);
        self.device_history.extend(device_history);
        self.expenses.extend(expenses);
        self.promises.extend(promises);
        self.exemptions.extend(exemptions);
        self.outages.extend(outages);
        self.proofs.extend(proofs);
        self.proof_reviews.extend(proof_reviews);
        self.endings.extend(endings);
        self.invoices.extend(invoices);
        self.invoiced_fees.extend(invoiced_fees);
        self.credit_notes.extend(credit_notes);
        self.write_offs.extend(write_offs);
        self.deposits.extend(deposits);
        self.terms.extend(terms);
        self.former_terms.extend(former_terms);
        self.billed_from.extend(billed_from);
        self.not_billed.extend(not_billed);
        self.payments.extend(payments);
        self.allocations.extend(allocations);
        self.reversals.extend(reversals);
        self.payment_requests.extend(payment_requests);
        self.request_closings.extend(request_closings);
        self.gateway_requests.extend(gateway_requests);
        self.gateway_refunds.extend(gateway_refunds);
        self.refunds.extend(refunds);
        self.payouts.extend(payouts);
        self.bank_files.extend(bank_files);
        self.mutations.extend(mutations);
        self.tellings.extend(tellings);
        self.mutation_marks.extend(mutation_marks);
        self.forgotten_aliases.extend(forgotten_aliases);
        self.payer_aliases.extend(payer_aliases);
        self.touched.extend(touched);
        self.access.extend(access);
        self.access_events.extend(access_events);
        self.effects.extend(effects);
        self.messages.extend(messages);
        self.journal.extend(journal);
        self.billing_position = self.billing_position.max(billing_position);
        self.last_run = self.last_run.max(last_run);
    }

    /// True when there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self {
            expected: _,
            sites,
            routers,
            machines,
            packages,
            customers,
            removed,
            erasures,
            subscriptions,
            former_accounts,
            installation_kinds,
            installation_orders,
            cpes,
            device_history,
            expenses,
            promises,
            exemptions,
            outages,
            proofs,
            proof_reviews,
            endings,
            invoices,
            invoiced_fees,
            credit_notes,
            write_offs,
            deposits,
            terms,
            former_terms,
            billed_from,
            not_billed,
            billing_position,
            last_run,
            payments,
            allocations,
            reversals,
            payment_requests,
            request_closings,
            gateway_requests,
            gateway_refunds,
            refunds,
            payouts,
            bank_files,
            mutations,
            tellings,
            mutation_marks,
            forgotten_aliases,
            payer_aliases,
            touched,
            access,
            access_events,
            effects,
            messages,
            journal,
        } = self;
        sites.is_empty()
            && routers.is_empty()
            && machines.is_empty()
            && packages.is_empty()
            && customers.is_empty()
            && removed.is_empty()
            && erasures.is_empty()
            && subscriptions.is_empty()
            && former_accounts.is_empty()
            && installation_kinds.is_empty()
            && installation_orders.is_empty()
            && cpes.is_empty()
            && device_history.is_empty()
            && expenses.is_empty()
            && promises.is_empty()
            && exemptions.is_empty()
            && outages.is_empty()
            && proofs.is_empty()
            && proof_reviews.is_empty()
            && endings.is_empty()
            && invoices.is_empty()
            && invoiced_fees.is_empty()
            && credit_notes.is_empty()
            && write_offs.is_empty()
            && deposits.is_empty()
            && terms.is_empty()
            && former_terms.is_empty()
            && billed_from.is_empty()
            && not_billed.is_empty()
            && billing_position.is_none()
            && last_run.is_none()
            && payments.is_empty()
            && allocations.is_empty()
            && reversals.is_empty()
            && payment_requests.is_empty()
            && request_closings.is_empty()
            && gateway_requests.is_empty()
            && gateway_refunds.is_empty()
            && refunds.is_empty()
            && payouts.is_empty()
            && bank_files.is_empty()
            && mutations.is_empty()
            && tellings.is_empty()
            && mutation_marks.is_empty()
            && forgotten_aliases.is_empty()
            && payer_aliases.is_empty()
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
#[non_exhaustive]
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

impl std::ops::AddAssign for CommitReport {
    fn add_assign(&mut self, more: Self) {
        self.invoices += more.invoices;
        self.invoiced += more.invoiced;
        self.invoices_known += more.invoices_known;
        self.credit_notes += more.credit_notes;
        self.credited += more.credited;
        self.messages += more.messages;
        self.messages_known += more.messages_known;
        self.effects += more.effects;
    }
}
