//! What a message asks for (rule N6): everything that is owed, oldest first, what happens when, how to pay and who asks.
//!
//! ```
//! # use isp_core::{billing::*, calendar::*, ids::*, isolation::*, message::Demand, money::Money, protection::ProtectedDays, subscription::*};
//! # let id = |n: u128| uuid::Uuid::from_u128(n);
//! # let day = |text: &str| Date::parse(text).unwrap();
//! # let invoice = |n: u128, due: &str| Debt { invoice_id: InvoiceId(id(n)), number: n as u64, issue_date: day(due).month().first(),
//! #   due_date: day(due), total: Money::rupiah(165_000), paid: Money::ZERO };
//! # let service = ServiceDates { start: day("2025-01-01"), end: None, paused_from: None };
//! # let line = |open: &[Debt]| IsolationFacts { zone: Zone::Wib, service, desired: Access::Open, cause: None, isolated: None,
//! #   open: open.to_vec(), promises: vec![], exemptions: vec![], outages: vec![], proofs: vec![] };
//! // January is not paid when February is reminded of: both are asked for, or who pays what is asked is isolated.
//! let open = [invoice(2, "2026-02-11"), invoice(1, "2026-01-11")];
//! let (policy, now) = (IsolationPolicy::default(), day("2026-02-08").at(9, 0, Zone::Wib));
//! let of = |lines: &[IsolationFacts]| Demand::of(&open, &[], lines, &policy, Zone::Wib, now);
//! let demand = of(&[line(&open)]);
//! assert_eq!(demand.owed[0].number, "INV-202601-000001");
//! assert_eq!((demand.total, demand.overdue), (Money::rupiah(330_000), Money::rupiah(165_000)));
//! // Sunday the 8th: the next day on which lines are isolated is Monday.
//! assert_eq!(demand.isolation_date, Some(day("2026-02-09")));
//! // The customer has promised to pay by the 20th, a Friday, and what belongs to no line isolates nobody.
//! let promise = ProtectedDays { from: day("2026-02-08"), until: day("2026-02-20"), reason: String::new(), ending: None };
//! let promised = IsolationFacts { promises: vec![promise], ..line(&open) };
//! assert_eq!(of(&[promised]).isolation_date, Some(day("2026-02-23")));
//! assert_eq!(of(&[line(&[])]).isolation_date, None);
//! ```

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::billing::invoice::display_number;
use crate::billing::{Arrears, Debt, Owing, Statement};
use crate::calendar::{Date, Zone};
use crate::error::Error;
use crate::isolation::{Decidable, Decision, IsolationPolicy, Reason, decide_isolation, first_isolation};
use crate::money::Money;
use crate::text::{Name, one_line};

/// One document that is owed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owed {
    /// Its number, as shown: of an invoice, or of the statement that it stands on.
    pub number: String,
    /// What is unpaid of it.
    pub amount: Money,
    /// By when it is to be paid.
    pub due_date: Date,
}

/// All that a customer owes at a moment, in the order in which a payment settles it (rule P2).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Demand {
    /// Each document, oldest due date first.
    pub owed: Vec<Owed>,
    /// All of it.
    pub total: Money,
    /// The part that is past its due date: with it paid, nobody is in arrears.
    pub overdue: Money,
    /// The first day on which a line of the customer is isolated if nothing is paid, see [`first_isolation`]; `None` when none is: too
    /// little is owed (rule A2), the customer is exempt, the line has ended, is paused or is isolated already, what is owed is of no line.
    pub isolation_date: Option<Date>,
    /// True when a line of the customer is isolated for arrears, and stays so until they are paid.
    pub isolated: bool,
}

impl Demand {
    /// What a customer with these open invoices and lines owes at a moment, on the day of the customer's zone.
    #[must_use]
    pub fn of<D: Owing, L: Decidable>(
        open: &[D],
        statements: &[Statement],
        lines: &[L],
        policy: &IsolationPolicy,
        zone: Zone,
        now: DateTime<Utc>,
    ) -> Self {
        let mut unpaid: Vec<(&Debt, &D)> =
            open.iter().map(|of| (of.debt(), of)).filter(|(i, _)| i.residual().is_positive()).collect();
        unpaid.sort_by_key(|(i, _)| (i.due_date, i.issue_date, i.number, i.invoice_id));
        let mut owed: Vec<Owed> = Vec::new();
        for (invoice, of) in &unpaid {
            let number = match Statement::of(statements, *of) {
                Some(statement) => statement.display_number(),
                None => display_number(invoice.number, invoice.issue_date),
            };
            let amount = invoice.residual();
            match owed.iter_mut().find(|one| one.number == number) {
                Some(one) => one.amount += amount,
                None => owed.push(Owed { number, amount, due_date: invoice.due_date }),
            }
        }
        let stays = |line: &L| decide_isolation(line, policy, now) == Decision::Keep(Reason::StillOverdue);
        Self {
            owed,
            total: unpaid.iter().map(|(i, _)| i.residual()).sum(),
            overdue: Arrears::of(open, zone.date_of(now)).overdue,
            isolation_date: lines.iter().filter_map(|line| first_isolation(line, policy, now)).min(),
            isolated: lines.iter().any(stays),
        }
    }
}

/// Who asks, and how to pay: from the provider's settings. Every text names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sender {
    /// The provider's name, as customers know it.
    pub name: Name,
    /// How to pay, one way each: a bank account with its holder, a counter, a link.
    #[serde(default)]
    pub pay_to: Vec<String>,
    /// Where to ask: a number or an address.
    #[serde(default)]
    pub contact: Option<String>,
}

impl Sender {
    /// The longest name, way to pay and contact, in characters.
    pub const LONGEST: usize = 60;
    /// At most so many ways to pay: a message has 1,024 characters.
    pub const WAYS: usize = 3;

    /// Checks what the types cannot.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::TooLong`] for the name, a way to pay or the contact; [`Error::Policy`] for too many ways.
    pub fn checked(mut self) -> Result<Self, Error> {
        if self.pay_to.len() > Self::WAYS {
            return Err(Error::Policy { field: "provider.pay_to", reason: "holds more than 3 ways to pay" });
        }
        if self.name.as_str().chars().count() > Self::LONGEST {
            return Err(Error::TooLong { field: "provider.name", max: Self::LONGEST });
        }
        for way in &mut self.pay_to {
            *way = one_line("provider.pay_to", way, Self::LONGEST)?;
        }
        self.contact = self.contact.map(|text| one_line("provider.contact", &text, Self::LONGEST)).transpose()?;
        Ok(self)
    }
}
