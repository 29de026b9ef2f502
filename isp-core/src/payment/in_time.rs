//! What was unpaid at a moment, by the facts: when money was paid, never when it was typed (rule P7).
//!
//! What an allocation says depends on the order in which payments were recorded. A late fee must not: it is decided by what
//! would have been unpaid if each payment had been recorded when it was made.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::billing::Debt;
use crate::ids::InvoiceId;
use crate::money::Money;
use crate::payment::allocate::oldest_first;

/// An invoice of a customer, and when it is asked what was unpaid of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Issued {
    /// The invoice; what it says to be paid is not looked at.
    pub invoice: Debt,
    /// When the day of its issue began.
    pub at: DateTime<Utc>,
    /// The moment that is asked about; `None` for one that only takes its part of the money.
    pub asked: Option<DateTime<Utc>>,
}

/// Money of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Came {
    /// When it was paid, or given by a note.
    pub at: DateTime<Utc>,
    /// How much.
    pub amount: Money,
    /// The invoice that a credit note or a write-off was used for; `None` for a payment, which pays the oldest.
    pub only: Option<InvoiceId>,
}

enum Event<'a> {
    Issue(&'a Issued),
    Ask(&'a Debt),
    Money(&'a Came),
}

/// What was unpaid of the invoices that are asked about, each at its moment, before what came in that very moment.
///
/// ```
/// # use isp_core::{billing::*, calendar::*, ids::*, money::Money, payment::in_time::*};
/// # let id = |n: u128| uuid::Uuid::from_u128(n);
/// # let day = |text: &str| Date::parse(text).unwrap();
/// # let invoice = |n: u128, issued: &str, due: &str| Debt { invoice_id: InvoiceId(id(n)), number: n as u64,
/// #   issue_date: day(issued), due_date: day(due), total: Money::rupiah(166_500), paid: Money::ZERO };
/// let midnight = |text| day(text).midnight(Zone::Wib);
/// // January's and February's fees are decided a week after the due dates, the 11th.
/// let january = invoice(1, "2026-01-01", "2026-01-11");
/// let february = invoice(2, "2026-02-01", "2026-02-11");
/// let issued = [
///     Issued { invoice: january, at: midnight("2026-01-01"), asked: Some(midnight("2026-01-18")) },
///     Issued { invoice: february, at: midnight("2026-02-01"), asked: Some(midnight("2026-02-18")) },
/// ];
/// let paid = |day, rupiah| Came { at: midnight(day), amount: Money::rupiah(rupiah), only: None };
/// let unpaid = |came: &[Came]| unpaid_when(&issued, came).into_values().map(|m| m.as_i64()).collect::<Vec<_>>();
/// // On 20 January it is too late for January; nothing is left for February.
/// assert_eq!(unpaid(&[paid("2026-01-20", 166_500)]), [166_500, 166_500]);
/// // With one of 5 January, whichever was typed first, January was paid in time, and the other is ahead of February.
/// assert_eq!(unpaid(&[paid("2026-01-20", 166_500), paid("2026-01-05", 166_500)]), [0, 0]);
/// ```
#[must_use]
pub fn unpaid_when(issued: &[Issued], came: &[Came]) -> BTreeMap<InvoiceId, Money> {
    let mut events: Vec<(DateTime<Utc>, u8, Event<'_>)> = Vec::new();
    for one in issued {
        events.push((one.at, 0, Event::Issue(one)));
        events.extend(one.asked.map(|at| (at, 1, Event::Ask(&one.invoice))));
    }
    events.extend(came.iter().map(|money| (money.at, 2, Event::Money(money))));
    events.sort_by_key(|(at, rank, _)| (*at, *rank));
    let mut open: Vec<Debt> = Vec::new();
    // What came for an invoice that is not issued yet, and what is left of all else.
    let mut ahead: BTreeMap<InvoiceId, Money> = BTreeMap::new();
    let (mut credit, mut unpaid) = (Money::ZERO, BTreeMap::new());
    for (.., event) in events {
        match event {
            Event::Issue(one) => {
                let paid = ahead.remove(&one.invoice.invoice_id).unwrap_or_default();
                open.push(Debt { paid, ..one.invoice });
            }
            Event::Ask(asked) => {
                let rest = open.iter().find(|i| i.invoice_id == asked.invoice_id).map(Debt::residual);
                unpaid.insert(asked.invoice_id, rest.unwrap_or(asked.total).max(Money::ZERO));
                continue;
            }
            Event::Money(Came { amount, only: Some(id), .. }) => match open.iter_mut().find(|i| i.invoice_id == *id) {
                Some(invoice) => invoice.paid += *amount,
                None => *ahead.entry(*id).or_default() += *amount,
            },
            Event::Money(money) => credit += money.amount,
        }
        // An invoice that a note made smaller after it was paid leaves the rest to others.
        for invoice in &mut open {
            let over = (Money::ZERO - invoice.residual()).max(Money::ZERO);
            (credit, invoice.paid) = (credit + over, invoice.paid - over);
        }
        for oldest in oldest_first(&open) {
            let pays = oldest.residual().min(credit);
            credit -= pays;
            open.iter_mut().filter(|i| i.invoice_id == oldest.invoice_id).for_each(|i| i.paid += pays);
        }
    }
    unpaid
}
