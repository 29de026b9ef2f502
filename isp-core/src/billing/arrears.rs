//! Arrears, derived from invoices each time (rule A1): no stored flag says "overdue".

use serde::{Deserialize, Serialize};

use crate::billing::Owing;
use crate::calendar::Date;
use crate::money::Money;

/// What is overdue and unpaid on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Arrears {
    /// Sum of the residuals past their due date.
    pub overdue: Money,
    /// Days past the earliest due date among them; 0 without any.
    pub days_late: i32,
    /// How many invoices.
    pub invoices: u32,
}

impl Arrears {
    /// The arrears in these invoices on `today`. An invoice is overdue from the day after its due date.
    ///
    /// ```
    /// # use isp_core::{billing::*, calendar::Date, ids::InvoiceId, money::Money};
    /// # let day = |t| Date::parse(t).unwrap();
    /// let invoice = Debt { invoice_id: InvoiceId(uuid::Uuid::from_u128(1)), number: 1, issue_date: day("2026-01-01"),
    ///     due_date: day("2026-01-11"), total: Money::rupiah(166_500), paid: Money::rupiah(66_500) };
    /// assert_eq!(Arrears::of(&[invoice], day("2026-01-11")), Arrears::default());
    /// let arrears = Arrears::of(&[invoice], day("2026-01-16"));
    /// assert_eq!((arrears.overdue.as_i64(), arrears.days_late), (100_000, 5));
    /// ```
    #[must_use]
    pub fn of<D: Owing>(invoices: &[D], today: Date) -> Self {
        invoices.iter().map(D::debt).filter(|i| i.is_overdue(today)).fold(Self::default(), |sum, i| Self {
            overdue: sum.overdue + i.residual(),
            days_late: sum.days_late.max(i.days_late(today)),
            invoices: sum.invoices + 1,
        })
    }
}
