//! What a message asks for (rule N6): everything that is owed, oldest first, what happens when, how to pay and who asks.
//!
//! ```
//! # use isp_core::{billing::*, calendar::*, ids::*, isolation::IsolationPolicy, message::Demand, money::Money};
//! # let id = |n: u128| uuid::Uuid::from_u128(n);
//! # let day = |text: &str| Date::parse(text).unwrap();
//! # let invoice = |n: u128, due: &str| Debt { invoice_id: InvoiceId(id(n)), number: n as u64, issue_date: day(due).month().first(),
//! #   due_date: day(due), total: Money::rupiah(165_000), paid: Money::ZERO };
//! // January is not paid when February is reminded of: both are asked for, or who pays what is asked is isolated.
//! let open = [invoice(2, "2026-02-11"), invoice(1, "2026-01-11")];
//! let demand = Demand::of(&open, &[], &IsolationPolicy::default(), day("2026-02-08"));
//! assert_eq!(demand.owed[0].number, "INV-202601-000001");
//! assert_eq!((demand.total, demand.overdue), (Money::rupiah(330_000), Money::rupiah(165_000)));
//! // Sunday the 8th: the next day on which lines are isolated is Monday.
//! assert_eq!(demand.isolation_date, Some(day("2026-02-09")));
//! ```

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::billing::invoice::display_number;
use crate::billing::{Arrears, Debt, Owing, Statement};
use crate::calendar::{Date, Zone};
use crate::error::Error;
use crate::isolation::{IsolationPolicy, held_by_proof};
use crate::money::Money;
use crate::protection::ProofTimes;
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
    /// The first day on which it may lead to isolation; `None` when nothing is owed, or too little (rule A2).
    pub isolation_date: Option<Date>,
    /// True when a line of the customer is isolated for arrears, and stays so until they are paid.
    pub isolated: bool,
}

impl Demand {
    /// What a customer with these open invoices owes on a day.
    #[must_use]
    pub fn of<D: Owing>(open: &[D], statements: &[Statement], policy: &IsolationPolicy, today: Date) -> Self {
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
        let total: Money = unpaid.iter().map(|(i, _)| i.residual()).sum();
        let oldest = unpaid.first().filter(|_| total >= policy.isolate_from);
        Self {
            owed,
            total,
            overdue: Arrears::of(open, today).overdue,
            isolation_date: oldest.map(|(i, _)| policy.isolation_day(i.due_date).max(policy.next_allowed_day(today))),
            isolated: false,
        }
    }

    /// The same while proofs of transfer wait (rule P8): what they hold back leads to isolation no earlier than they hold.
    ///
    /// ```
    /// # use isp_core::{billing::*, calendar::*, ids::*, isolation::IsolationPolicy, message::Demand, money::Money, protection::ProofTimes};
    /// # let id = InvoiceId(uuid::Uuid::from_u128(1));
    /// # let day = |text: &str| Date::parse(text).unwrap();
    /// # let open = [Debt { invoice_id: id, number: 1, issue_date: day("2026-01-01"), due_date: day("2026-01-11"),
    /// #   total: Money::rupiah(165_000), paid: Money::ZERO }];
    /// let (policy, now) = (IsolationPolicy::default(), day("2026-01-19").at(11, 0, Zone::Wib));
    /// let proof = ProofTimes { invoice_id: id, arrived_at: day("2026-01-19").at(9, 0, Zone::Wib), reviewed_at: None, taken_back: false };
    /// let demand = |proofs: &[ProofTimes]| Demand::of(&open, &[], &policy, day("2026-01-19")).held(&open, proofs, &policy, Zone::Wib, now);
    /// assert_eq!(demand(&[]).isolation_date, Some(day("2026-01-19")));
    /// assert_eq!(demand(&[proof]).isolation_date, Some(day("2026-01-21")));
    /// assert_eq!(demand(&[ProofTimes { reviewed_at: Some(now), ..proof }]).isolation_date, Some(day("2026-01-19")));
    /// ```
    #[must_use]
    pub fn held<D: Owing>(
        mut self,
        open: &[D],
        proofs: &[ProofTimes],
        policy: &IsolationPolicy,
        zone: Zone,
        now: DateTime<Utc>,
    ) -> Self {
        if proofs.is_empty() || self.isolation_date.is_none() {
            return self;
        }
        let leads_on = |debt: &Debt| {
            let day = policy.isolation_day(debt.due_date).max(policy.next_allowed_day(zone.date_of(now)));
            let held = held_by_proof(std::slice::from_ref(debt), proofs, policy, zone, now);
            held.map_or(day, |until| day.max(policy.next_allowed_day(zone.date_of(until))))
        };
        let unpaid = open.iter().map(Owing::debt).filter(|debt| debt.residual().is_positive());
        self.isolation_date = unpaid.map(leads_on).min();
        self
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
