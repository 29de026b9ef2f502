//! Credit notes (*nota kredit*): what is given back of an invoice, and why.
//!
//! An invoice never changes. What is given back of it is a note of its own, at the invoice's own prices and PPN, line by
//! line. The amount becomes the customer's credit at once and pays what is open, oldest first (rule P2).
//!
//! # Days
//!
//! A line of an invoice for days of service is spread over them by rule C5: up to any day, `amount x days / all days` is
//! rounded, and a span has the difference of two such sums. So all spans of an invoice add up to it, to the rupiah, and
//! what a note has given back for some days is not given back again.
//!
//! ```
//! use isp_core::{billing::credit::share, calendar::{Date, Period}, money::Money};
//! let day = |text| Date::parse(text).unwrap();
//! let january = day("2026-01-01").month().period();
//! // Rp150.000 for January, given up on the 11th: 10 days were used, Rp48.387; 21 are given back, Rp101.613.
//! let used = Period { start: day("2026-01-01"), end: day("2026-01-11") };
//! let unused = Period { start: day("2026-01-11"), end: day("2026-02-01") };
//! assert_eq!(share(Money::rupiah(150_000), january, used), Money::rupiah(48_387));
//! assert_eq!(share(Money::rupiah(150_000), january, unused), Money::rupiah(101_613));
//! ```

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::billing::invoice::{Invoice, InvoiceKind, InvoiceLine, LineKind};
use crate::calendar::{Date, Period};
use crate::error::Error;
use crate::ids::{CreditNoteId, Ids, InstallationOrderId, InvoiceId, Known, PaymentId, derive};
use crate::money::Money;
use crate::payment::{Channel, Payment};
use crate::text::{Code, Reference};

/// The name under which credit notes stand among the payments.
pub const PROVIDER: &str = "credit-note";

/// What is given back of an invoice. It never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct CreditNote<I: Ids = Known> {
    /// The row; follows from the invoice and what is given back of it, so that it is made once.
    pub id: CreditNoteId,
    /// The number people use, given by the store when it is written; 0 before.
    pub number: u64,
    /// Of which invoice.
    pub invoice_id: InvoiceId,
    /// Whose.
    pub customer_id: I::Customer,
    /// For which subscription.
    pub subscription_id: I::Subscription,
    /// Where it is served, for reports.
    pub site_id: I::Site,
    /// Which package, for reports.
    pub package_id: I::Package,
    /// Why.
    pub reason: CreditReason,
    /// The days that it is for, all of them days of the invoice.
    pub period: Period,
    /// Day of issue.
    pub issue_date: Date,
    /// The moment of issue, by which credit is used in order.
    pub at: DateTime<Utc>,
    /// What is given back, line by line; a share of a discount is negative.
    pub lines: Vec<InvoiceLine>,
    /// Sum of the lines that PPN was computed on.
    pub dpp: Money,
    /// The tax in what is given back, in whole rupiah.
    pub ppn: Money,
    /// What the customer is given.
    pub total: Money,
    /// In words.
    pub note: String,
    /// Who decided: `engine` or an officer's name.
    pub by: String,
}

impl CreditNote {
    /// The id of the note that gives something back of an invoice for a reason; `key` tells several apart.
    #[must_use]
    pub fn id_of(invoice: InvoiceId, reason: CreditReason, key: &str) -> CreditNoteId {
        CreditNoteId(derive(invoice.0, &["credit", reason.code(), key]))
    }

    /// `NK-202601-000042`.
    #[must_use]
    pub fn display_number(&self) -> String {
        let (year, month, _) = self.issue_date.ymd();
        format!("NK-{year:04}{month:02}-{:06}", self.number)
    }

    /// The payment that holds its amount as the customer's credit.
    #[must_use]
    pub fn payment_id(&self) -> PaymentId {
        PaymentId(derive(self.id.0, &["payment"]))
    }

    /// The payment that holds its amount as the customer's credit, once it has a number.
    ///
    /// # Errors
    /// [`Error::TooLong`] for a number that is no code.
    pub fn payment(&self) -> Result<Payment, Error> {
        Ok(Payment {
            id: self.payment_id(),
            customer_id: self.customer_id,
            provider: Code::parse("provider", PROVIDER)?,
            reference: Reference::parse("reference", &self.display_number())?,
            channel: Channel::CreditNote,
            collector: None,
            amount: self.total,
            paid_at: self.at,
            received_at: self.at,
        })
    }
}

impl<I: Ids> CreditNote<I> {
    /// True when the lines add up to the header, and something is given back.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        let sum = |wanted: &dyn Fn(LineKind) -> bool| -> Money {
            self.lines.iter().filter(|l| wanted(l.kind)).map(|l| l.amount).sum()
        };
        sum(&|_| true) == self.total
            && sum(&LineKind::is_taxed) == self.dpp
            && sum(&LineKind::is_ppn) == self.ppn
            && self.total.is_positive()
    }
}

/// Why something is given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreditReason {
    /// Unused days of a package that was changed for a cheaper one.
    PackageChange,
    /// Unused days of a pause (*cuti*).
    Pause,
    /// Unused days after the end.
    Termination,
    /// An outage (*restitusi*).
    Outage,
    /// Days in isolation, where the policy does not charge them.
    Isolation,
    /// Something was billed wrongly.
    Correction,
}

impl CreditReason {
    /// All reasons.
    pub const ALL: [Self; 6] =
        [Self::PackageChange, Self::Pause, Self::Termination, Self::Outage, Self::Isolation, Self::Correction];

    /// Its code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::PackageChange => "package_change",
            Self::Pause => "pause",
            Self::Termination => "termination",
            Self::Outage => "outage",
            Self::Isolation => "isolation",
            Self::Correction => "correction",
        }
    }

    /// True when a note with this reason about these days says that a day was not served: of a pause, or after the end.
    #[must_use]
    pub fn leaves_unserved(self, days: Period, day: Date) -> bool {
        matches!(self, Self::Pause | Self::Termination) && days.contains(day)
    }

    /// Reads its code.
    ///
    /// # Errors
    /// [`Error::NotOneOf`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|r| r.code() == text).ok_or(Error::NotOneOf {
            field: "reason",
            expected: "package_change, pause, termination, outage, isolation, correction",
        })
    }
}

/// An invoice for days of service with all credit notes about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Charge<I: Ids = Known> {
    /// The invoice, of a kind that is for days of service.
    pub invoice: Invoice<I>,
    /// What was given back of it.
    pub notes: Vec<CreditNote<I>>,
}

/// When and by whom a note is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written<'a> {
    /// Day of issue.
    pub on: Date,
    /// The moment.
    pub at: DateTime<Utc>,
    /// `engine` or an officer's name.
    pub by: &'a str,
    /// In words.
    pub note: &'a str,
}

impl<I: Ids> Charge<I> {
    /// A charge of which nothing was given back.
    #[must_use]
    pub const fn new(invoice: Invoice<I>) -> Self {
        Self { invoice, notes: Vec::new() }
    }

    /// The days of a span that the invoice is for.
    #[must_use]
    pub fn days_in(&self, span: Period) -> Option<Period> {
        crate::billing::proration::clip(self.invoice.period, span.start, Some(span.end))
    }

    /// What is still charged for a span of days, by kind of line: the invoice's share less that of its notes. An
    /// installation fee that went with the invoice is for no days.
    #[must_use]
    pub fn charged_for(&self, span: Period) -> BTreeMap<LineKind, Money> {
        self.charged(span, |kind| !kind.is_installation())
    }

    fn charged(&self, span: Period, counts: impl Fn(LineKind) -> bool) -> BTreeMap<LineKind, Money> {
        let mut sums = BTreeMap::new();
        for line in self.invoice.lines.iter().filter(|l| counts(l.kind)) {
            *sums.entry(line.kind).or_default() += share(line.amount, self.invoice.period, span);
        }
        for note in &self.notes {
            for line in note.lines.iter().filter(|l| counts(l.kind)) {
                *sums.entry(line.kind).or_default() -= share(line.amount, note.period, span);
            }
        }
        sums.retain(|_, amount: &mut Money| !amount.is_zero());
        sums
    }

    /// True when a pause or the end of service has given a day back: it is charged anew when service goes on.
    #[must_use]
    pub fn is_unserved(&self, day: Date) -> bool {
        self.notes.iter().any(|n| n.reason.leaves_unserved(n.period, day))
    }

    /// The first day from `day` on that is not paid for by this invoice: its end, or a day that was given back as unserved.
    #[must_use]
    pub fn paid_until(&self, day: Date) -> Date {
        let stops = |n: &&CreditNote<I>| matches!(n.reason, CreditReason::Pause | CreditReason::Termination);
        let unserved = self.notes.iter().filter(stops).filter(|n| n.period.end > day).map(|n| n.period.start.max(day));
        unserved.min().map_or(self.invoice.period.end, |first| first.min(self.invoice.period.end))
    }

    /// True for an invoice that charges days of service whole; false for what a package change at once costs more.
    #[must_use]
    pub fn is_for_service(&self) -> bool {
        match self.invoice.kind {
            InvoiceKind::Subscription => true,
            InvoiceKind::Adjustment => self.invoice.lines.iter().all(|l| l.kind != LineKind::Credit),
            InvoiceKind::Installation | InvoiceKind::LateFee => false,
        }
    }

    /// What is left of the invoice once all notes are taken off.
    #[must_use]
    pub fn left(&self) -> Money {
        self.invoice.total - self.notes.iter().map(|n| n.total).sum()
    }

    /// The notes that give back what is still charged for a span of days, or `part` of it (such as hours of all hours).
    /// None when nothing is.
    ///
    /// `key` tells apart what may be given back of one invoice for the same reason: the first day, an outage.
    #[must_use]
    pub fn give_back(
        &self,
        span: Period,
        part: (i64, i64),
        reason: CreditReason,
        key: &str,
        written: Written<'_>,
    ) -> Vec<CreditNote<I>> {
        let charged: Money = self.stretches(span).into_iter().map(|(_, charged)| charged).sum();
        self.give_amount(span, charged.ratio(part.0, part.1), reason, key, written)
    }

    /// The notes that give back an amount, PPN included, of what is still charged for a span of days, in proportion;
    /// never more than is charged for these days, or left of the invoice.
    ///
    /// There is one for each stretch of days of which as much was given back before, so that no day is ever given back
    /// twice; nearly always that is one. The first has `key`, those after it the key and their first day.
    #[must_use]
    pub fn give_amount(
        &self,
        span: Period,
        amount: Money,
        reason: CreditReason,
        key: &str,
        written: Written<'_>,
    ) -> Vec<CreditNote<I>> {
        let stretches = self.stretches(span);
        let all: Money = stretches.iter().map(|(_, charged)| *charged).sum();
        // Shares of several notes are rounded each, so the last may meet a rupiah less than its days are charged.
        let amount = amount.min(all).min(self.left());
        let (mut reached, mut given) = (Money::ZERO, Money::ZERO);
        let mut notes: Vec<CreditNote<I>> = Vec::new();
        for (period, charged) in stretches {
            reached += charged;
            let now = amount.ratio(reached.as_i64(), all.as_i64()) - given;
            let key = if notes.is_empty() { key.to_owned() } else { format!("{key} {}", period.start) };
            let note = self.note(period, now, reason, &key, written);
            given += note.as_ref().map_or(Money::ZERO, |n| n.total);
            notes.extend(note);
        }
        notes
    }

    /// The note that gives back an amount of the whole invoice, PPN included, spread over its lines.
    ///
    /// # Errors
    /// [`Error::NotPositive`], [`Error::MoreThanLeft`].
    pub fn correct(&self, amount: Money, key: &str, written: Written<'_>) -> Result<CreditNote<I>, Error> {
        if !amount.is_positive() {
            return Err(Error::NotPositive { field: "amount" });
        }
        let more = Error::MoreThanLeft { left: self.left() };
        if amount > self.left() {
            return Err(more);
        }
        self.note(self.invoice.period, amount, CreditReason::Correction, key, written).ok_or(more)
    }

    /// The parts of a span for which something is still charged, cut where a note begins or ends, with what that is.
    fn stretches(&self, span: Period) -> Vec<(Period, Money)> {
        let Some(period) = self.days_in(span) else { return Vec::new() };
        let ends = self.notes.iter().flat_map(|n| [n.period.start, n.period.end]);
        let cuts: BTreeSet<Date> = ends.filter(|day| period.contains(*day)).chain([period.start, period.end]).collect();
        let cuts: Vec<Date> = cuts.into_iter().collect();
        cuts.windows(2)
            .filter_map(|cut| Period::try_new(cut[0], cut[1]).ok())
            .map(|stretch| (stretch, self.charged_for(stretch).into_values().sum::<Money>()))
            .filter(|(_, charged)| charged.is_positive())
            .collect()
    }

    /// The note that gives back an amount of what days are charged, line by line; `None` when it is nothing.
    fn note(
        &self,
        period: Period,
        amount: Money,
        reason: CreditReason,
        key: &str,
        written: Written<'_>,
    ) -> Option<CreditNote<I>> {
        // A correction is of the whole invoice, an installation fee with it.
        let whole = reason == CreditReason::Correction;
        let charged = self.charged(period, |kind| whole || !kind.is_installation());
        self.note_of(charged, period, amount, reason, key, written)
    }

    /// The note that gives back the installation fee that stands on the invoice, PPN included; `None` when nothing is left of
    /// it.
    #[must_use]
    pub fn give_fee(&self, key: &str, written: Written<'_>) -> Option<CreditNote<I>> {
        let period = self.invoice.period;
        let charged = self.charged(period, LineKind::is_installation);
        let amount = charged.values().sum::<Money>().min(self.left());
        self.note_of(charged, period, amount, CreditReason::Correction, key, written)
    }

    /// The note that gives back an amount of what is charged, line by line in proportion.
    fn note_of(
        &self,
        charged: BTreeMap<LineKind, Money>,
        period: Period,
        amount: Money,
        reason: CreditReason,
        key: &str,
        written: Written<'_>,
    ) -> Option<CreditNote<I>> {
        let invoice = &self.invoice;
        let all: Money = charged.values().sum();
        if !amount.is_positive() || !all.is_positive() {
            return None;
        }
        let days = (period.days() as u16, invoice.period.days() as u16);
        let mut rest = amount;
        let mut lines: Vec<InvoiceLine> = charged
            .into_iter()
            .map(|(kind, charged)| InvoiceLine {
                kind,
                amount: charged.ratio(amount.as_i64(), all.as_i64()),
                prorated: (kind.is_taxed() && days.0 != days.1).then_some(days),
            })
            .collect();
        lines.iter().for_each(|l| rest -= l.amount);
        // What rounding leaves goes to the first line, which is the price.
        if let Some(first) = lines.first_mut() {
            first.amount += rest;
        }
        lines.retain(|l| !l.amount.is_zero());
        Some(CreditNote {
            id: CreditNote::id_of(invoice.id, reason, key),
            number: 0,
            invoice_id: invoice.id,
            customer_id: invoice.customer_id,
            subscription_id: invoice.subscription_id,
            site_id: invoice.site_id,
            package_id: invoice.package_id,
            reason,
            period,
            issue_date: written.on,
            at: written.at,
            dpp: lines.iter().filter(|l| l.kind.is_taxed()).map(|l| l.amount).sum(),
            ppn: lines.iter().filter(|l| l.kind.is_ppn()).map(|l| l.amount).sum(),
            lines,
            total: amount,
            note: written.note.to_owned(),
            by: written.by.to_owned(),
        })
    }
}

/// What tells corrections of one invoice apart: the same amount on the same day is one correction, whoever asks again.
#[must_use]
pub fn correction_key(on: Date, amount: Money) -> String {
    format!("{on} {}", amount.as_i64())
}

/// What tells apart what is given back of an installation that was taken back.
#[must_use]
pub fn installation_key(order: InstallationOrderId) -> String {
    format!("installation {order}")
}

/// The first day from `day` on that none of these charges pays for; `None` when they do not pay for that day itself
/// (rule B11).
///
/// A period that was billed ahead counts, and so does one that follows it. Days that a pause gave back do not.
#[must_use]
pub fn paid_until<I: Ids>(charges: &[Charge<I>], day: Date) -> Option<Date> {
    let mut reached = day;
    loop {
        let holds = charges.iter().filter(|c| c.is_for_service() && c.invoice.period.contains(reached));
        match holds.map(|c| c.paid_until(reached)).max() {
            Some(until) if until > reached => reached = until,
            _ => return (reached > day).then_some(reached),
        }
    }
}

/// The share that a span of days has in an amount for a period (rule C5).
#[must_use]
pub fn share(amount: Money, period: Period, span: Period) -> Money {
    let up_to = |day: Date| {
        let days = day.min(period.end).max(period.start).days_since(period.start);
        amount.ratio(i64::from(days), i64::from(period.days()))
    };
    up_to(span.end.max(span.start)) - up_to(span.start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_spans_of_a_period_add_up_to_it(
            amount in -5_000_000_i64..5_000_000,
            start in 20_000_i32..24_000,
            days in 1_i32..400,
            mut cuts in proptest::collection::vec(-10_i32..420, 0..8),
        ) {
            let day = |n| Date::from_day_number(start + n);
            let period = Period { start: day(0), end: day(days) };
            cuts.extend([-20, 500]);
            cuts.sort_unstable();
            let parts: Money = cuts.windows(2)
                .map(|w| share(Money::rupiah(amount), period, Period { start: day(w[0]), end: day(w[1]) }))
                .sum();
            prop_assert_eq!(parts, Money::rupiah(amount));
        }
    }
}
