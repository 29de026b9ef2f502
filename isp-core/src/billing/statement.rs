//! One document for the subscriptions of a customer (*tagihan gabungan*), for customers who want it.
//!
//! Each subscription has its own invoices, numbers and periods (rule B3), is paid oldest first and isolated by its own debts:
//! none of that changes. Where a customer is invoiced [`PerCustomer`](crate::customer::Invoicing::PerCustomer), invoices that are issued and due on the
//! same days stand on one statement, under one number. The customer gets one reminder for it with one amount, one notice
//! when its lines are isolated or reopened, and may pay it with one payment. Its totals are those of its invoices, whatever
//! they are for; so a late fee or an instalment of that day stands on it too. Nothing of it is changed later: an invoice
//! that is issued late for the same days is added under the same number.
//!
//! A customer with an office and a house, both billed on the first, Rp150.000 and Rp200.000 before PPN:
//!
//! | statement TG-202601-000007 | rupiah |
//! | --- | ---: |
//! | INV-202601-000041, the office | 166.500 |
//! | INV-202601-000042, the house | 222.000 |
//! | to be paid | 388.500 |
//!
//! ```
//! use isp_core::{billing::*, calendar::*, ids::*, money::Money};
//! # let id = |n: u128| uuid::Uuid::from_u128(n);
//! # let day = |text: &str| Date::parse(text).unwrap();
//! # let invoice = |n: u64, total, due: &str| Debt { invoice_id: InvoiceId(id(n.into())), number: n,
//! #   issue_date: day("2026-01-01"), due_date: day(due), total: Money::rupiah(total), paid: Money::ZERO };
//! let (office, house) = (invoice(41, 166_500, "2026-01-11"), invoice(42, 222_000, "2026-01-11"));
//! let statement = Statement { customer_id: CustomerId(id(1)), issue_date: day("2026-01-01"), due_date: day("2026-01-11"), number: 7 };
//! assert_eq!(statement.display_number(), "TG-202601-000007");
//! let on_it: Vec<_> = [office, house].into_iter().filter(|i| statement.holds(i)).collect();
//! assert_eq!(on_it.iter().map(Debt::residual).sum::<Money>(), Money::rupiah(388_500));
//! // One that is due on another day does not stand on it.
//! assert!(!statement.holds(&invoice(43, 166_500, "2026-01-21")));
//! // Messages name it once.
//! assert_eq!(Statement::numbers(&[office, house], &[statement]), ["TG-202601-000007"]);
//! assert_eq!(Statement::numbers(&[office, house], &[]), ["INV-202601-000041", "INV-202601-000042"]);
//! ```

use serde::{Deserialize, Serialize};

use crate::billing::invoice::{Owing, display_number};
use crate::calendar::Date;
use crate::ids::{CustomerId, StatementId, derive};

/// The invoices of one customer that are issued and due on the same days, as one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// Whose.
    pub customer_id: CustomerId,
    /// Day of issue of its invoices.
    pub issue_date: Date,
    /// Day by which they are to be paid.
    pub due_date: Date,
    /// The number people use, given by the store: 1, 2, 3 and so on in a tenant.
    pub number: u64,
}

impl Statement {
    /// The id of the statement of a customer for these days.
    #[must_use]
    pub fn id_of(customer: CustomerId, issue_date: Date, due_date: Date) -> StatementId {
        StatementId(derive(customer.0, &["statement", &issue_date.to_string(), &due_date.to_string()]))
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> StatementId {
        Self::id_of(self.customer_id, self.issue_date, self.due_date)
    }

    /// True for the invoices that stand on it.
    #[must_use]
    pub fn holds<D: Owing>(&self, invoice: &D) -> bool {
        let of_customer = invoice.owner().is_none_or(|(customer, _)| customer == self.customer_id);
        let debt = invoice.debt();
        of_customer && (self.issue_date, self.due_date) == (debt.issue_date, debt.due_date)
    }

    /// The one of several that an invoice stands on.
    #[must_use]
    pub fn of<'s, D: Owing>(statements: &'s [Self], invoice: &D) -> Option<&'s Self> {
        statements.iter().find(|s| s.holds(invoice))
    }

    /// `TG-202601-000007`.
    #[must_use]
    pub fn display_number(&self) -> String {
        let (year, month, _) = self.issue_date.ymd();
        format!("TG-{year:04}{month:02}-{:06}", self.number)
    }

    /// The number in what [`Statement::display_number`] shows; `None` for anything else.
    #[must_use]
    pub fn parse_number(text: &str) -> Option<u64> {
        let (prefix, rest) = text.trim().split_once('-')?;
        let (month, number) = rest.split_once('-').filter(|_| prefix.eq_ignore_ascii_case("TG"))?;
        let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
        (month.len() == 6 && digits(month) && digits(number)).then(|| number.parse().ok())?
    }

    /// The numbers by which a customer knows invoices: that of the statement for those on one, once each.
    #[must_use]
    pub fn numbers<D: Owing>(invoices: &[D], statements: &[Self]) -> Vec<String> {
        let mut numbers: Vec<String> = Vec::new();
        for invoice in invoices {
            let number = match Self::of(statements, invoice) {
                Some(statement) => statement.display_number(),
                None => display_number(invoice.debt().number, invoice.debt().issue_date),
            };
            if !numbers.contains(&number) {
                numbers.push(number);
            }
        }
        numbers
    }
}
