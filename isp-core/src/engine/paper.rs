//! Papers for customers: bills and receipts, made of what was charged and paid. Nothing is written.

use std::collections::{BTreeMap, BTreeSet};

use crate::billing::{Bill, BillState, Invoice, Statement};
use crate::calendar::{Month, Zone};
use crate::customer::Customer;
use crate::engine::{Engine, EngineError};
use crate::ids::{CustomerId, InvoiceId, PackageId, SubscriptionId};
use crate::money::Money;
use crate::payment::Receipt;
use crate::ports::{InvoiceQuery, PageQuery, PaymentRow, StoreError};
use crate::text::{Name, RouterName};

/// A bill with the words that are on it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BillPaper {
    /// Who owes.
    pub customer: Customer,
    /// The figures.
    pub bill: Bill,
    /// The names of the packages of its invoices.
    pub packages: BTreeMap<PackageId, Name>,
    /// What the lines of its invoices are called.
    pub lines: BTreeMap<SubscriptionId, RouterName>,
    /// Where it stands.
    pub state: BillState,
}

/// What settles invoices without money.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct WithoutMoney {
    /// What was given up of each invoice, and not taken back.
    pub written_off: BTreeMap<InvoiceId, Money>,
    /// What credit notes that stand gave back of each.
    pub given_back: BTreeMap<InvoiceId, Money>,
}

impl WithoutMoney {
    /// Where invoices stand together, of whose total so much is settled.
    #[must_use]
    pub fn state(&self, invoices: &[InvoiceId], total: Money, settled: Money) -> BillState {
        let sum = |of: &BTreeMap<InvoiceId, Money>| invoices.iter().filter_map(|id| of.get(id).copied()).sum();
        BillState::of(total, settled, sum(&self.written_off), sum(&self.given_back))
    }
}

/// A receipt with the words that are on it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceiptPaper {
    /// Who paid.
    pub customer: Customer,
    /// The customer's zone, in which the day of the payment is counted.
    pub zone: Zone,
    /// The figures.
    pub receipt: Receipt,
}

impl Engine<'_> {
    /// The bill of this number, an invoice's or a statement's, of one customer or of any; `None` when there is none.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn bill_paper(
        &self,
        customer: Option<CustomerId>,
        number: &str,
    ) -> Result<Option<BillPaper>, EngineError> {
        let number = number.trim();
        let bill = match Statement::parse_number(number) {
            Some(n) => {
                let found = self.store.statement(self.tenant, n).await?;
                let found = found.filter(|s| s.display_number().eq_ignore_ascii_case(number));
                let Some(statement) = found.filter(|s| customer.is_none_or(|id| id == s.customer_id)) else {
                    return Ok(None);
                };
                let query = InvoiceQuery {
                    customer: Some(statement.customer_id),
                    issued_from: Some(statement.issue_date),
                    issued_before: Some(statement.issue_date.plus_days(1)),
                    ..InvoiceQuery::default()
                };
                Bill::of_statement(&statement, self.invoices_of(query).await?)
            }
            None => {
                let month = month_in(number);
                let query = InvoiceQuery {
                    customer,
                    issued_from: month.map(Month::first),
                    issued_before: month.map(|m| m.plus(1).first()),
                    ..InvoiceQuery::default()
                };
                let mut all = self.invoices_of(query).await?.into_iter();
                let Some((invoice, paid)) = all.find(|(i, _)| i.display_number().eq_ignore_ascii_case(number)) else {
                    return Ok(None);
                };
                Bill::of_invoice(invoice, paid)
            }
        };
        Ok(self.worded(vec![bill]).await?.pop())
    }

    /// The bills that were issued in a month: each statement once, and the invoices on none.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn bill_papers(&self, month: Month) -> Result<Vec<BillPaper>, EngineError> {
        let query = InvoiceQuery {
            issued_from: Some(month.first()),
            issued_before: Some(month.plus(1).first()),
            ..InvoiceQuery::default()
        };
        let invoices = self.invoices_of(query).await?;
        let of: BTreeSet<CustomerId> = invoices.iter().map(|(invoice, _)| invoice.customer_id).collect();
        let mut statements = Vec::new();
        for chunk in of.into_iter().collect::<Vec<_>>().chunks(1_000) {
            statements.extend(self.store.statements(self.tenant, chunk).await?);
        }
        self.worded(Bill::gathered(invoices, &statements)).await
    }

    /// The receipt of a payment. `None` when it was taken back, or is a slip of tax.
    ///
    /// # Errors
    /// [`EngineError::Store`]; [`StoreError::NotFound`] when who paid is not there.
    pub async fn receipt_paper(&self, row: &PaymentRow) -> Result<Option<ReceiptPaper>, EngineError> {
        if row.reversal.is_some() {
            return Ok(None);
        }
        let id = row.payment.customer_id;
        let customer = self.store.customer(self.tenant, id).await?.ok_or(StoreError::NotFound { what: "customer" })?;
        let query = InvoiceQuery { customer: Some(id), ..InvoiceQuery::default() };
        let invoices = self.invoices_of(query).await?;
        let numbers = invoices.iter().map(|(invoice, _)| (invoice.id, invoice.display_number())).collect();
        let allocations = self.store.allocations(self.tenant, row.payment.id).await?;
        let still_open = self.owed_by(id).await?;
        let receipt = Receipt::of(row.payment.clone(), &allocations, &numbers, row.left, still_open);
        let zone = self.zone_of(id).await?;
        Ok(receipt.map(|receipt| ReceiptPaper { customer, zone, receipt }))
    }

    /// What settles these invoices without money. `customer` is whose they are; `None` for invoices of several.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn without_money(
        &self,
        customer: Option<CustomerId>,
        invoices: &BTreeSet<InvoiceId>,
    ) -> Result<WithoutMoney, EngineError> {
        let mut found = WithoutMoney::default();
        let mut given_up = self.store.write_offs(self.tenant, customer).await?;
        given_up.retain(|off| invoices.contains(&off.invoice_id));
        for off in given_up {
            let payment = self.store.payment(self.tenant, off.payment_id).await?;
            if payment.is_some_and(|row| row.reversal.is_none()) {
                *found.written_off.entry(off.invoice_id).or_default() += off.amount;
            }
        }
        let mut notes = self.note_rows(customer).await?;
        notes.retain(|row| row.taken_back.is_none() && invoices.contains(&row.note.invoice_id));
        for row in notes {
            *found.given_back.entry(row.note.invoice_id).or_default() += row.note.total;
        }
        Ok(found)
    }

    /// Bills with names; one whose customer cannot be read is left out, and named by [`crate::ports::Store::damaged`].
    async fn worded(&self, bills: Vec<Bill>) -> Result<Vec<BillPaper>, EngineError> {
        let packages: BTreeMap<PackageId, Name> =
            self.store.packages(self.tenant).await?.into_iter().map(|package| (package.id, package.name)).collect();
        let all: BTreeSet<InvoiceId> = bills.iter().flat_map(|bill| bill.invoices.iter().map(|i| i.id)).collect();
        let only = match bills.as_slice() {
            [one] => Some(one.customer_id),
            _ => None,
        };
        let (people, lines) = match bills.as_slice() {
            [] => return Ok(Vec::new()),
            [one] => {
                let person = self.store.customer(self.tenant, one.customer_id).await?;
                let lines = self.store.subscriptions(self.tenant, Some(one.customer_id), PageQuery::first(self.page));
                (person.into_iter().collect(), lines.await?)
            }
            _ => (self.all_customers().await?, self.all_subscriptions().await?),
        };
        let without_money = self.without_money(only, &all).await?;
        let people: BTreeMap<CustomerId, Customer> = people.into_iter().map(|person| (person.id, person)).collect();
        let lines: BTreeMap<SubscriptionId, RouterName> =
            lines.into_iter().map(|(line, _)| (line.id, line.account.username)).collect();
        let paper = |bill: Bill| {
            let customer = people.get(&bill.customer_id)?.clone();
            let of = |invoice: &Invoice| Some((invoice.package_id, packages.get(&invoice.package_id)?.clone()));
            let named = bill.invoices.iter().filter_map(of).collect();
            let of = |invoice: &Invoice| Some((invoice.subscription_id, lines.get(&invoice.subscription_id)?.clone()));
            let lines = bill.invoices.iter().filter_map(of).collect();
            let invoices: Vec<InvoiceId> = bill.invoices.iter().map(|invoice| invoice.id).collect();
            let state = without_money.state(&invoices, bill.total, bill.paid);
            Some(BillPaper { customer, bill, packages: named, lines, state })
        };
        Ok(bills.into_iter().filter_map(paper).collect())
    }
}

/// The month that stands in an invoice's number.
fn month_in(number: &str) -> Option<Month> {
    let (year, month) = number.get(4..10)?.split_at_checked(4)?;
    Month::new(year.parse().ok()?, month.parse().ok()?)
}
