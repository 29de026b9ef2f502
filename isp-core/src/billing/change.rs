//! Package change in the middle of a paid period (rule B6, on request at once).
//!
//! The days that are left are given back at what they were billed at, and charged at the new package's price, both by rule
//! C5. What comes out above zero is one adjustment invoice with a charge line and a credit line; below zero, a credit note.

use crate::billing::credit::{Charge, CreditNote, CreditReason, Written, share};
use crate::billing::invoice::{Invoice, InvoiceKind, InvoiceLine, LineKind, apply_tax};
use crate::billing::plan::Billable;
use crate::billing::policy::BillingPolicy;
use crate::calendar::{Date, Period};
use crate::error::Error;
use crate::ids::{InvoiceId, JournalEntryId, PackageId, derive};
use crate::ledger::{Account, EntryKind, JournalEntry, JournalLine};
use crate::money::Money;
use crate::package::Package;
use crate::subscription::Off;
use crate::tax::Tax;

/// What a change at once comes to, for one billed period.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Adjustment {
    /// What the customer is to pay more.
    pub invoice: Option<Invoice>,
    /// What the customer gets back.
    pub note: Option<CreditNote>,
    /// Moves revenue between the two packages, so that each has what it served: the document is booked on one of them.
    pub entry: Option<JournalEntry>,
}

/// What is changed, and into what.
#[derive(Debug, Clone, Copy)]
pub struct ChangeAtOnce<'a> {
    /// The subscription with its terms as they were.
    pub row: &'a Billable,
    /// What it was charged from today on.
    pub charges: &'a [Charge],
    /// The new package.
    pub package: &'a Package,
    /// Settings of billing.
    pub policy: &'a BillingPolicy,
    /// PPN.
    pub tax: &'a Tax,
    /// When and by whom.
    pub written: Written<'a>,
}

/// Works out what a change at once comes to: one adjustment for the period that runs, and one for each that was billed
/// ahead. Days that were not billed cost nothing here: they are billed at the new price when they come due.
///
/// # Errors
/// [`Error::ChangedToday`] when the day has a change at once already; [`Error::NoPrice`], [`Error::NoTaxRule`].
pub fn change_at_once(change: &ChangeAtOnce<'_>) -> Result<Vec<Adjustment>, Error> {
    let on = change.written.on;
    let again = change.charges.iter().any(|c| {
        (c.invoice.kind == InvoiceKind::Adjustment && c.invoice.issue_date == on)
            || c.notes.iter().any(|n| n.reason == CreditReason::PackageChange && n.issue_date == on)
    });
    if again {
        return Err(Error::ChangedToday);
    }
    let rest = Period { start: on, end: Date::MAX };
    change
        .charges
        .iter()
        .filter(|c| c.invoice.kind == InvoiceKind::Subscription)
        .filter_map(|base| base.days_in(rest).map(|days| adjust(change, base, days)))
        .collect()
}

fn adjust(change: &ChangeAtOnce<'_>, base: &Charge, days: Period) -> Result<Adjustment, Error> {
    let ChangeAtOnce { row, package, .. } = *change;
    let on = change.written.on;
    let billed = change.charges.iter().filter(|c| {
        c.invoice.id == base.invoice.id
            || c.invoice.kind == InvoiceKind::Adjustment && base.invoice.period.contains(c.invoice.period.start)
    });
    let given: Vec<(LineKind, Money)> = billed.flat_map(|c| c.charged_for(days)).collect();
    let sum = |wanted: &dyn Fn(LineKind) -> bool| -> Money {
        given.iter().filter(|(kind, _)| wanted(*kind)).map(|(_, amount)| *amount).sum()
    };
    let (back, back_ppn) = (sum(&LineKind::is_taxed), sum(&|kind| kind == LineKind::Ppn));
    let back_rounding = sum(&|kind| kind == LineKind::Rounding);

    let priced = prices(change, days)?;
    let net: Money = priced.iter().map(|l| l.amount).sum();
    let taxed = change.tax.apply(net, package.tax_mode, on)?;
    let mut lines = priced.into_iter().collect();
    apply_tax(&mut lines, taxed);
    let mut lines: Vec<InvoiceLine> = lines.into_iter().filter(|l| l.kind.is_taxed()).collect();
    let prorated = Some((days.days() as u16, base.invoice.period.days() as u16));
    lines.push(InvoiceLine { kind: LineKind::Credit, amount: -back, prorated });
    lines.push(InvoiceLine::new(LineKind::Ppn, taxed.ppn - back_ppn));
    lines.push(InvoiceLine::new(LineKind::Rounding, taxed.rounding - back_rounding));
    lines.retain(|l| !l.amount.is_zero());
    let total: Money = lines.iter().map(|l| l.amount).sum();

    let packages = (package.id, base.invoice.package_id);
    let mut adjustment = Adjustment::default();
    if total.is_positive() {
        let id = InvoiceId(derive(row.subscription_id.0, &["adjustment", &days.start.to_string(), &on.to_string()]));
        adjustment.invoice = Some(Invoice {
            id,
            number: 0,
            customer_id: row.customer_id,
            subscription_id: row.subscription_id,
            site_id: row.site_id,
            package_id: package.id,
            kind: InvoiceKind::Adjustment,
            period: days,
            issue_date: on,
            due_date: on.plus_days(i32::from(change.policy.payment_terms_days)),
            lines: lines.into_iter().collect(),
            dpp: taxed.dpp - back,
            ppn: taxed.ppn - back_ppn,
            total,
        });
        adjustment.entry = between(id.0, row, on, packages, back);
    } else if total < Money::ZERO {
        for line in &mut lines {
            line.amount = -line.amount;
        }
        let key = days.start.to_string();
        adjustment.note = base.note(days, lines, CreditReason::PackageChange, &key, change.written);
        let id = adjustment.note.as_ref().map_or(base.invoice.id.0, |note| note.id.0);
        adjustment.entry = between(id, row, on, packages, taxed.dpp);
    }
    Ok(adjustment)
}

/// The price lines of the new package for the days that are left of a billed period, as listed.
fn prices(change: &ChangeAtOnce<'_>, days: Period) -> Result<Vec<InvoiceLine>, Error> {
    let terms = &change.row.terms;
    let (anchor, months) = (terms.anchor(), i64::from(terms.cycle.months()));
    let full = anchor.period(anchor.index_of(days.start));
    let monthly = change.package.prices.on(days.start).ok_or(Error::NoPrice { on: days.start })?;
    let price = share(monthly.ratio(months, 1), full, days);
    let prorated = (days != full).then(|| (days.days() as u16, full.days() as u16));
    let mut lines = vec![InvoiceLine { kind: LineKind::Subscription, amount: price, prorated }];
    if let Some(discount) = terms.discount.filter(|d| d.until.is_none_or(|until| days.start < until)) {
        let off = match discount.off {
            Off::Percent(percent) => price.ratio(i64::from(percent.min(100)), 100),
            Off::Amount(off) => share(off.ratio(months, 1), full, days).min(price),
        };
        lines.push(InvoiceLine { kind: LineKind::Discount, amount: -off, prorated });
    }
    lines.retain(|l| !l.amount.is_zero());
    Ok(lines)
}

/// Moves revenue from the old package to the new one: `amount` was booked on the wrong one of them.
fn between(
    id: uuid::Uuid,
    row: &Billable,
    on: Date,
    (new, old): (PackageId, PackageId),
    amount: Money,
) -> Option<JournalEntry> {
    let line = |package_id, amount| JournalLine {
        account: Account::RevenueSubscription,
        amount,
        package_id: Some(package_id),
        site_id: Some(row.site_id),
    };
    (!amount.is_zero() && new != old).then(|| JournalEntry {
        id: JournalEntryId(derive(id, &["between"])),
        date: on,
        kind: EntryKind::PackageChange,
        lines: vec![line(old, amount), line(new, -amount)],
    })
}
