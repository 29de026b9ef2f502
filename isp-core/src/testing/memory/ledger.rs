//! Invoices, payments, allocations, the journal.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::billing::{Invoice, InvoiceBalance, Statement};
use crate::calendar::Date;
use crate::customer::Invoicing;
use crate::ending::RecordId;
use crate::ids::{CustomerId, InvoiceId, PaymentId, SubscriptionId};
use crate::installation::InvoicedFee;
use crate::ledger::kept::Sums;
use crate::ledger::{Account, JournalEntry, JournalTotal, entries_for_invoices};
use crate::money::Money;
use crate::payment::{Allocation, CreditSource, Payment, withheld};
use crate::ports::{ChangeSet, CommitReport, InvoiceQuery, PaymentRow, StoreError};
use crate::text::{Code, Reference};

use super::state::{KeptInvoice, KeptPayment, State, must_exist};

impl State {
    pub(super) fn write_invoices(
        &mut self,
        invoices: Vec<Invoice>,
        fees: Vec<InvoicedFee>,
        report: &mut CommitReport,
    ) -> Result<(), StoreError> {
        let mut inserted = Vec::with_capacity(invoices.len());
        for mut invoice in invoices {
            let key = (invoice.subscription_id, invoice.kind, invoice.period.start);
            if self.invoices.has(&invoice.id) || self.invoice_of.has(&key) {
                report.invoices_known += 1;
                continue;
            }
            self.must_have_customer(invoice.customer_id)?;
            self.must_have_subscription(invoice.subscription_id)?;
            if !invoice.adds_up() {
                return Err(StoreError::Rejected { reason: "the lines of an invoice do not add up".into() });
            }
            self.last_number += 1;
            invoice.number = self.last_number;
            report.invoices += 1;
            report.invoiced += invoice.total;
            self.invoice_of.put(key, invoice.id);
            self.put_invoice(KeptInvoice { invoice: invoice.clone(), paid: Money::ZERO });
            inserted.push(invoice);
        }
        for invoice in &inserted {
            self.put_on_statement(invoice);
        }
        for fee in fees.into_iter().filter(|fee| inserted.iter().any(|i| i.id == fee.invoice_id)) {
            must_exist(self.installation_orders.has(&fee.order_id), "installation order")?;
            if self.invoiced_fees.has(&fee.order_id) {
                return Err(StoreError::Conflict);
            }
            self.invoiced_fees.put(fee.order_id, fee);
        }
        self.write_journal(entries_for_invoices(&inserted))
    }

    fn put_on_statement(&mut self, invoice: &Invoice) {
        let per_customer = |c: &crate::customer::Customer| c.invoicing == Invoicing::PerCustomer;
        if !self.customers.get(&invoice.customer_id).is_some_and(per_customer) {
            return;
        }
        let (customer_id, issue_date, due_date) = (invoice.customer_id, invoice.issue_date, invoice.due_date);
        let id = Statement::id_of(customer_id, issue_date, due_date);
        if !self.statements.has(&id) {
            self.last_statement += 1;
            self.statements.put(id, Statement { customer_id, issue_date, due_date, number: self.last_statement });
        }
    }

    pub(super) fn statements_of(&self, customers: &[CustomerId]) -> Vec<Statement> {
        let mut all: Vec<Statement> =
            self.statements.values().filter(|s| customers.contains(&s.customer_id)).copied().collect();
        all.sort_by_key(|s| s.number);
        all
    }

    /// The statements that some invoices of a customer stand on.
    pub(super) fn statements_holding(&self, customer: CustomerId, invoices: &[InvoiceBalance]) -> Vec<Statement> {
        let mut all = self.statements_of(&[customer]);
        all.retain(|s| invoices.iter().any(|i| s.holds(i)));
        all
    }

    pub(super) fn write_payments(&mut self, changes: &mut ChangeSet) -> Result<(), StoreError> {
        for payment in changes.payments.drain(..) {
            self.insert_payment(payment)?;
        }
        for written in changes.write_offs.drain(..) {
            self.must_have_payment(written.payment_id)?;
            must_exist(self.invoices.has(&written.invoice_id), "invoice")?;
            self.write_offs.put(written.payment_id, written);
        }
        for deposit in changes.deposits.drain(..) {
            if self.deposits.has(&deposit.id) {
                return Err(StoreError::Duplicate { what: "deposit.id" });
            }
            self.deposits.put(deposit.id, deposit);
        }
        let mut payments = BTreeSet::new();
        for reversal in changes.reversals.drain(..) {
            let id = reversal.payment_id;
            let mut kept = self.must_have_payment(id)?.clone();
            if kept.reversal.is_some() {
                return Err(StoreError::Duplicate { what: "payment.reversal" });
            }
            kept.reversal = Some(reversal);
            self.own("payment.reference", Some(identity(&kept.payment)), None, id.0)?;
            self.put_payment(kept);
            payments.insert(id);
        }
        let mut invoices = BTreeSet::new();
        for allocation in changes.allocations.drain(..) {
            payments.insert(allocation.payment_id);
            invoices.insert(allocation.invoice_id);
            self.insert_allocation(allocation)?;
        }
        let fits = |from: Money, amount: Money, to: Money| from <= amount && amount <= to;
        let invoices_fit = invoices.iter().filter_map(|id| self.invoices.get(id)).all(|kept| {
            let total = kept.invoice.total;
            fits(Money::ZERO, kept.paid, total)
        });
        let payments_fit = payments.iter().filter_map(|id| self.payments.get(id)).all(|kept| {
            let most = if kept.reversal.is_some() { Money::ZERO } else { kept.payment.amount };
            fits(Money::ZERO, kept.used, most)
        });
        if !(invoices_fit && payments_fit) {
            return Err(StoreError::Conflict);
        }
        for refund in changes.refunds.drain(..) {
            if self.refunds.has(&refund.id) {
                return Err(StoreError::Duplicate { what: "refund.id" });
            }
            self.must_have_customer(refund.customer_id)?;
            self.take_of_payments(refund.parts.iter().copied())?;
            self.refunds.put(refund.id, refund);
        }
        Ok(())
    }

    /// Takes amounts of what is left of payments.
    pub(super) fn take_of_payments(
        &mut self,
        parts: impl Iterator<Item = (PaymentId, Money)>,
    ) -> Result<(), StoreError> {
        for (payment, amount) in parts {
            let mut kept = self.must_have_payment(payment)?.clone();
            kept.used += amount;
            if kept.reversal.is_some() || kept.used < Money::ZERO || kept.used > kept.payment.amount {
                return Err(StoreError::Conflict);
            }
            self.put_payment(kept);
        }
        Ok(())
    }

    pub(super) fn insert_payment(&mut self, payment: Payment) -> Result<(), StoreError> {
        self.must_have_customer(payment.customer_id)?;
        self.own("payment.reference", None, Some(identity(&payment)), payment.id.0)?;
        if self.payments.has(&payment.id) {
            return Err(StoreError::Duplicate { what: "payment.reference" });
        }
        self.put_payment(KeptPayment { payment, used: Money::ZERO, reversal: None });
        Ok(())
    }

    fn insert_allocation(&mut self, allocation: Allocation) -> Result<(), StoreError> {
        let mut payment = self.must_have_payment(allocation.payment_id)?.clone();
        let invoice = self.invoices.get(&allocation.invoice_id).cloned();
        let mut invoice = invoice.ok_or_else(|| StoreError::Rejected { reason: "no such invoice".into() })?;
        payment.used += allocation.amount;
        invoice.paid += allocation.amount;
        self.put_payment(payment);
        self.put_invoice(invoice);
        self.last_allocation += 1;
        self.allocations_of_payment.put((allocation.payment_id, self.last_allocation), allocation);
        self.allocations_of_invoice.put((allocation.invoice_id, self.last_allocation), allocation);
        Ok(())
    }

    pub(super) fn write_journal(&mut self, entries: Vec<JournalEntry>) -> Result<(), StoreError> {
        for entry in entries {
            if !entry.balances() {
                return Err(StoreError::Rejected { reason: "a journal entry does not balance".into() });
            }
            if self.journal.has(&entry.id) {
                return Err(StoreError::Duplicate { what: "journal.id" });
            }
            self.journal.put(entry.id, entry);
        }
        Ok(())
    }

    fn put_invoice(&mut self, kept: KeptInvoice) {
        let (id, open) = (kept.invoice.id, kept.is_open());
        let (of_customer, of_subscription) = ((kept.invoice.customer_id, id), (kept.invoice.subscription_id, id));
        if open {
            self.open_of_customer.put(of_customer, ());
            self.open_of_subscription.put(of_subscription, ());
        } else {
            self.open_of_customer.remove(&of_customer);
            self.open_of_subscription.remove(&of_subscription);
        }
        self.invoices.put(id, kept);
    }

    fn put_payment(&mut self, kept: KeptPayment) {
        let key = (kept.payment.customer_id, kept.payment.received_at, kept.payment.id);
        if kept.left().is_positive() {
            self.credit.put(key, ());
        } else {
            self.credit.remove(&key);
        }
        self.payments.put(kept.payment.id, kept);
    }

    pub(super) fn must_have_payment(&self, id: PaymentId) -> Result<&KeptPayment, StoreError> {
        must_exist(self.payments.has(&id), "payment")?;
        self.payments.get(&id).ok_or(StoreError::NotFound { what: "payment" })
    }

    pub(super) fn open_of_customer(&self, customer: CustomerId) -> Vec<InvoiceBalance> {
        let (first, last) = (InvoiceId(uuid::Uuid::nil()), InvoiceId(uuid::Uuid::max()));
        let ids = self.open_of_customer.range((customer, first)..=(customer, last));
        self.balances(ids.map(|((_, id), ())| *id))
    }

    pub(super) fn all_open(&self) -> Vec<InvoiceBalance> {
        self.balances(self.open_of_customer.keys().map(|(_, id)| *id))
    }

    pub(super) fn open_of_subscription(&self, subscription: SubscriptionId) -> Vec<InvoiceBalance> {
        let (first, last) = (InvoiceId(uuid::Uuid::nil()), InvoiceId(uuid::Uuid::max()));
        let ids = self.open_of_subscription.range((subscription, first)..=(subscription, last));
        self.balances(ids.map(|((_, id), ())| *id))
    }

    fn balances(&self, ids: impl Iterator<Item = InvoiceId>) -> Vec<InvoiceBalance> {
        let mut found: Vec<_> = ids.filter_map(|id| self.invoices.get(&id)).map(KeptInvoice::balance).collect();
        sort_by_due(&mut found);
        found
    }

    pub(super) fn credit(&self, customer: CustomerId) -> Vec<CreditSource> {
        self.credit
            .range((customer, chrono::DateTime::<chrono::Utc>::MIN_UTC, PaymentId(uuid::Uuid::nil()))..)
            .take_while(|((of, _, _), ())| *of == customer)
            .filter_map(|((_, _, id), ())| self.payments.get(id))
            .map(|kept| CreditSource {
                payment_id: kept.payment.id,
                since: kept.payment.received_at,
                left: kept.left(),
            })
            .collect()
    }

    pub(super) fn credit_at(&self, customers: &[CustomerId], at: DateTime<Utc>) -> Vec<(CustomerId, CreditSource)> {
        let customers: BTreeSet<CustomerId> = customers.iter().copied().collect();
        let stands = |kept: &&KeptPayment| {
            let payment = &kept.payment;
            customers.contains(&payment.customer_id) && payment.received_at <= at && kept.reversal.is_none()
        };
        let mut found: Vec<(CustomerId, CreditSource)> = self
            .payments
            .values()
            .filter(stands)
            .map(|kept| {
                let Payment { id: payment_id, customer_id, received_at: since, amount, .. } = kept.payment;
                let used = self.allocations(payment_id).into_iter().filter(|a| a.at <= at);
                let used: Money = used.map(|a| a.amount).sum();
                (customer_id, CreditSource { payment_id, since, left: amount - used })
            })
            .filter(|(_, source)| source.left.is_positive())
            .collect();
        found.sort_by_key(|(customer, source)| (*customer, source.since, source.payment_id));
        found
    }

    pub(super) fn payment_row(kept: &KeptPayment) -> PaymentRow {
        PaymentRow { payment: kept.payment.clone(), left: kept.left(), reversal: kept.reversal.clone() }
    }

    pub(super) fn payments_known_as(&self, provider: &Code, reference: &Reference) -> Vec<PaymentRow> {
        let identity = Payment::identity(provider, reference);
        let of = |kept: &&KeptPayment| Payment::identity(&kept.payment.provider, &kept.payment.reference) == identity;
        let mut rows: Vec<PaymentRow> = self.payments.values().filter(of).map(Self::payment_row).collect();
        rows.sort_by_key(|row| (row.payment.received_at, row.payment.id));
        rows
    }

    pub(super) fn allocations(&self, id: PaymentId) -> Vec<Allocation> {
        self.allocations_of_payment.range((id, 0)..=(id, u64::MAX)).map(|(_, a)| *a).collect()
    }

    pub(super) fn account_days(&self, account: Account, from: Date) -> Vec<(Date, Money)> {
        let mut days: BTreeMap<Date, Money> = BTreeMap::new();
        for entry in self.journal.values() {
            for line in entry.lines.iter().filter(|line| line.account == account) {
                *days.entry(entry.date.max(from)).or_default() += line.amount;
            }
        }
        days.into_iter().collect()
    }

    /// Made of all rows each time: what another store keeps up has to be the same.
    pub(super) fn sums(&self) -> Sums {
        let mut sums = Sums::default();
        self.journal.values().for_each(|entry| sums.entry(entry));
        for KeptInvoice { invoice, paid } in self.invoices.values() {
            sums.invoice(invoice);
            sums.open((invoice.due_date, invoice.package_id, invoice.site_id), -*paid);
        }
        for kept in self.payments.values() {
            sums.payment(&kept.payment);
            sums.used(kept.used);
            if kept.reversal.is_some() {
                sums.reversed(&kept.payment);
            }
        }
        for expense in self.expenses.values() {
            sums.expense(expense);
            if self.endings.has(&RecordId::Expense(expense.id)) {
                sums.expense_back(expense);
            }
        }
        self.device_history.values().for_each(|step| sums.device(step.cost));
        sums
    }

    pub(super) fn journal_totals(&self, from: Date, before: Date) -> Vec<JournalTotal> {
        let mut sums: BTreeMap<_, Money> = BTreeMap::new();
        for entry in self.journal.values().filter(|e| from <= e.date && e.date < before) {
            for line in &entry.lines {
                let key = (entry.date.month_start(), line.account, entry.kind, line.package_id, line.site_id);
                *sums.entry(key).or_default() += line.amount;
            }
        }
        sums.into_iter()
            .map(|((month, account, kind, package_id, site_id), amount)| JournalTotal {
                month,
                account,
                kind,
                package_id,
                site_id,
                amount,
            })
            .collect()
    }
}

/// What only one payment is known by that stands.
fn identity(payment: &Payment) -> String {
    let whose = withheld::numbered_by(&payment.provider, payment.customer_id);
    let identity = Payment::identity(&payment.provider, &payment.reference);
    whose.map_or(identity.clone(), |customer| format!("{identity} {customer}"))
}

/// Oldest due date first, then oldest issue date, then lowest number.
pub(super) fn sort_by_due(invoices: &mut [InvoiceBalance]) {
    invoices.sort_by_key(|i| (i.due_date, i.issue_date, i.number));
}

pub(super) fn invoice_matches(kept: &KeptInvoice, query: &InvoiceQuery) -> bool {
    let i = &kept.invoice;
    query.customer.is_none_or(|c| c == i.customer_id)
        && query.issued_from.is_none_or(|from| from <= i.issue_date)
        && query.issued_before.is_none_or(|before| i.issue_date < before)
        && (!query.open || kept.is_open())
        && query.kind.is_none_or(|kind| kind == i.kind)
}
