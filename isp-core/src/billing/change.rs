//! Package change in the middle of a paid period (rule B6, on request at once).
//!
//! The days that are left are given back at what they were billed at, and charged at the new package's price, both by rule
//! C5. What comes out above zero is one adjustment invoice with a charge line and a credit line; below zero, a credit note.

use std::collections::BTreeMap;

use crate::billing::credit::{Charge, CreditNote, CreditReason, Written, share};
use crate::billing::invoice::{Invoice, InvoiceKind, InvoiceLine, LineKind, apply_tax};
use crate::billing::plan::{Billable, Catalog};
use crate::billing::policy::BillingPolicy;
use crate::billing::proration::prorate;
use crate::calendar::{Date, Period};
use crate::error::Error;
use crate::ids::{Ids, InvoiceId, JournalEntryId, Known, LineIds, PackageId, derive};
use crate::ledger::{Account, EntryKind, JournalEntry, JournalLine};
use crate::money::Money;
use crate::package::PriceList;
use crate::subscription::Off;
use crate::tax::{Tax, TaxMode, TaxRule};

/// What a change at once comes to, for one billed period.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Adjustment<I: Ids = Known> {
    /// What the customer is to pay more.
    pub invoice: Option<Invoice<I>>,
    /// What the customer gets back, of the invoices that the days were charged with, the latest first.
    pub notes: Vec<CreditNote<I>>,
    /// Moves revenue between the packages, so that each has what it served: a document is booked on one of them.
    pub entry: Option<JournalEntry>,
}

/// What is changed, and into what.
#[derive(Debug, Clone, Copy)]
pub struct ChangeAtOnce<'a, I: Ids = Known> {
    /// The subscription with its terms as they were.
    pub row: &'a Billable<I>,
    /// What it was charged.
    pub charges: &'a [Charge<I>],
    /// The new package, one of the catalogue.
    pub package: PackageId,
    /// The packages.
    pub catalog: &'a Catalog,
    /// The first day of the new package.
    pub from: Date,
    /// Settings of billing.
    pub policy: &'a BillingPolicy,
    /// PPN.
    pub tax: &'a Tax,
    /// When and by whom.
    pub written: Written<'a>,
}

/// Works out what a change at once comes to: one adjustment for the period that holds its first day, and one for each that was
/// billed after it. Days that were not billed cost nothing here: they are billed at the new price when they come due.
///
/// # Errors
/// [`Error::ChangedToday`] when the day has a change at once already; [`Error::NoPrice`], [`Error::NoTaxRule`].
pub fn change_at_once<I: LineIds>(change: &ChangeAtOnce<'_, I>) -> Result<Vec<Adjustment<I>>, Error> {
    let on = change.written.on;
    let again = change.charges.iter().any(|c| {
        (c.invoice.kind == InvoiceKind::Adjustment && !c.is_for_service() && c.invoice.issue_date == on)
            || c.notes.iter().any(|n| n.reason == CreditReason::PackageChange && n.issue_date == on)
    });
    if again {
        return Err(Error::ChangedToday);
    }
    // A period that was billed ahead and given back whole is none any more.
    let counts = |c: &&Charge<I>| c.is_for_service() && !c.is_unserved(c.invoice.period.start);
    let mut bases: Vec<&Charge<I>> = change.charges.iter().filter(counts).collect();
    bases.sort_by_key(|c| c.invoice.period.start);
    // After a pause that was given back, a period is billed anew from the day of the resumption: the later one counts.
    let next = bases.iter().skip(1).map(|c| c.invoice.period.start).chain([Date::MAX]);
    let mut adjustments = Vec::new();
    // Days after a known end are not served by either package.
    let served_until = change.row.terms.end.unwrap_or(Date::MAX);
    for (base, next) in bases.iter().zip(next) {
        let start = change.from.max(base.invoice.period.start);
        let end = base.paid_until(start).min(next).min(served_until);
        let days = Period::try_new(start, end).ok().filter(|days| !base.is_unserved(days.start));
        if let Some(days) = days {
            adjustments.push(adjust(change, base, days)?);
        }
    }
    Ok(adjustments)
}

fn adjust<I: LineIds>(change: &ChangeAtOnce<'_, I>, base: &Charge<I>, days: Period) -> Result<Adjustment<I>, Error> {
    let row = change.row;
    let (prices, tax_mode) = change.catalog.find(change.package)?;
    let on = change.written.on;
    let billed: Vec<&Charge<I>> = change.charges.iter().filter(|c| c.days_in(days).is_some()).collect();
    // What an outage gave back stays with the customer.
    let gross: Vec<Charge<I>> = billed
        .iter()
        .map(|c| {
            let notes = c.notes.iter().filter(|n| n.reason != CreditReason::Outage).cloned().collect();
            Charge { invoice: c.invoice.clone(), notes }
        })
        .collect();
    let sum = |wanted: &dyn Fn(LineKind) -> bool| -> Money {
        let given = gross.iter().flat_map(|c| c.charged_for(days));
        given.filter(|(kind, _)| wanted(*kind)).map(|(_, amount)| amount).sum()
    };
    let (back, back_ppn) = (sum(&LineKind::is_taxed), sum(&|kind| kind == LineKind::Ppn));
    let back_rounding = sum(&|kind| kind == LineKind::Rounding);

    let priced = price_lines(change, prices, days)?;
    let net: Money = priced.iter().map(|l| l.amount).sum();
    let taxed = change.tax.apply(net, tax_mode, on)?;
    let mut lines = priced.into_iter().collect();
    apply_tax(&mut lines, taxed);
    let mut lines: Vec<InvoiceLine> = lines.into_iter().filter(|l| l.kind.is_taxed()).collect();
    let prorated = Some((days.days() as u16, base.invoice.period.days() as u16));
    lines.push(InvoiceLine { kind: LineKind::Credit, amount: -back, prorated });
    let dpp = taxed.dpp - back;
    let (mut ppn, mut rounding) = (taxed.ppn - back_ppn, taxed.rounding - back_rounding);
    if let Some(rule) = change.tax.rule_on(on)?.filter(|rule| billed.iter().all(|c| is_taxed_by(c, rule))) {
        // The difference of two taxes that were rounded each is not the tax on the difference, which the document has to show.
        let difference = rule.ppn_on(dpp) - ppn;
        ppn += difference;
        // A price that contains PPN stays what it is.
        if tax_mode == TaxMode::Inclusive {
            rounding -= difference;
        }
    }
    lines.push(InvoiceLine::new(LineKind::Ppn, ppn));
    lines.push(InvoiceLine::new(LineKind::Rounding, rounding));
    lines.retain(|l| !l.amount.is_zero());
    let total: Money = lines.iter().map(|l| l.amount).sum();

    let mut adjustment = Adjustment::default();
    if total.is_positive() {
        let id = InvoiceId::of_adjustment(row.subscription_id, days.start, on);
        adjustment.invoice = Some(Invoice {
            id,
            number: 0,
            customer_id: row.customer_id,
            subscription_id: row.subscription_id,
            site_id: row.site_id,
            package_id: change.package,
            kind: InvoiceKind::Adjustment,
            period: days,
            issue_date: on,
            due_date: change.policy.due_date(on, on),
            lines: lines.into_iter().collect(),
            dpp,
            ppn,
            total,
        });
    }
    let mut rest = -total;
    for charge in billed.iter().rev() {
        let key = format!("{} {on}", days.start);
        let notes = charge.give_amount(days, rest, CreditReason::PackageChange, &key, change.written);
        rest -= notes.iter().map(|n| n.total).sum();
        adjustment.notes.extend(notes);
    }
    adjustment.entry = between(change, days, &gross, &adjustment.notes);
    Ok(adjustment)
}

/// True when a charge bears the PPN of this rule.
fn is_taxed_by<I: Ids>(charge: &Charge<I>, rule: &TaxRule) -> bool {
    // The fee that may stand on it has PPN of its own.
    let sum = |wanted: &dyn Fn(LineKind) -> bool| -> Money {
        charge.invoice.lines.iter().filter(|l| wanted(l.kind)).map(|l| l.amount).sum()
    };
    let dpp = sum(&|kind| kind.is_taxed() && !kind.is_installation());
    rule.ppn_on(dpp) == sum(&|kind| kind == LineKind::Ppn)
}

/// The price lines of the new package for the days that are left of a billed period, as listed.
fn price_lines<I: Ids>(
    change: &ChangeAtOnce<'_, I>,
    prices: &PriceList,
    days: Period,
) -> Result<Vec<InvoiceLine>, Error> {
    let terms = &change.row.terms;
    let (anchor, months) = (terms.anchor(), i64::from(terms.cycle.months()));
    let full = anchor.period(anchor.index_of(days.start));
    let monthly = prices.on(days.start).ok_or(Error::NoPrice { on: days.start })?;
    // Days that were billed before the billing day moved may reach beyond the period that now holds their first one.
    let of_days = |amount: Money| match days.end <= full.end {
        true => share(amount, full, days),
        false => prorate(amount, days, full),
    };
    let price = of_days(monthly.ratio(months, 1));
    let prorated = (days != full).then(|| (days.days() as u16, full.days() as u16));
    let mut lines = vec![InvoiceLine { kind: LineKind::Subscription, amount: price, prorated }];
    if let Some(off) = terms.discount_on(days.start) {
        let off = match off {
            Off::Percent(percent) => price.ratio(i64::from(percent.min(100)), 100),
            Off::Amount(off) => of_days(off.ratio(months, 1)).min(price),
        };
        lines.push(InvoiceLine { kind: LineKind::Discount, amount: -off, prorated });
    }
    lines.retain(|l| !l.amount.is_zero());
    Ok(lines)
}

/// Moves revenue between the packages: each charge gives the days to the new package, less what a note has taken off it.
fn between<I: LineIds>(
    change: &ChangeAtOnce<'_, I>,
    days: Period,
    billed: &[Charge<I>],
    notes: &[CreditNote<I>],
) -> Option<JournalEntry> {
    let (row, new) = (change.row, change.package);
    let mut moved: BTreeMap<PackageId, Money> = BTreeMap::new();
    for charge in billed {
        let taxed = charge.charged_for(days).into_iter().filter(|(kind, _)| kind.is_taxed());
        let noted = notes.iter().filter(|n| n.invoice_id == charge.invoice.id).map(|n| n.dpp);
        let amount = taxed.map(|(_, amount)| amount).sum::<Money>() - noted.sum();
        *moved.entry(charge.invoice.package_id).or_default() += amount;
        *moved.entry(new).or_default() -= amount;
    }
    let lines: Vec<JournalLine> = moved
        .into_iter()
        .filter(|(_, amount)| !amount.is_zero())
        .map(|(package_id, amount)| JournalLine {
            account: Account::RevenueSubscription,
            amount,
            package_id: Some(package_id),
            site_id: row.site_id.into(),
        })
        .collect();
    let (start, on) = (days.start.to_string(), change.written.on.to_string());
    (!lines.is_empty()).then(|| JournalEntry {
        id: JournalEntryId(derive(row.subscription_id.0, &["between", &start, &on])),
        date: change.written.on,
        kind: EntryKind::PackageChange,
        lines,
    })
}
