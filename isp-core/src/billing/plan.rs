//! Planning a billing run: a page of subscriptions in, invoices out (rules B1 to B8, C1 to C5).
//!
//! # The position of the run
//!
//! A tenant has one position: every period whose trigger day (its start when prepaid, its end when postpaid) is on or
//! before it has been billed. A run bills the window after the position up to today plus the lead days, and moves the
//! position when all pages are written. A subscription that this does not describe carries `billed_from`: a new one, one
//! that was changed, one that could not be billed. It is billed from that day, and the commit that writes its invoices
//! moves the mark to the day after the window, or takes it off when the position has come up to it. So a run touches no
//! row of a subscription that has nothing due, and a crash between pages costs a repeated plan whose invoices are there
//! already (rule B3), never a missed period and never one from before the mark.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use smallvec::smallvec;

use crate::billing::invoice::{Invoice, InvoiceKind, InvoiceLine, InvoiceLines, LineKind, apply_tax};
use crate::billing::policy::BillingPolicy;
use crate::billing::proration::{clip, prorate};
use crate::billing::window::Window;
use crate::calendar::{Cycle, Date, Period, Zone};
use crate::error::Error;
use crate::ids::{Ids, InvoiceId, Known, LineIds, PackageId, SiteId, SubscriptionId};
use crate::installation::{InstallationOrder, Instalment};
use crate::money::Money;
use crate::package::{Package, PriceList};
use crate::subscription::{BillingTerms, Off, Timing};
use crate::tax::{Tax, TaxMode, TaxRule, Taxed};

/// What billing needs to know of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Billable<I: Ids = Known> {
    /// Which subscription.
    pub subscription_id: I::Subscription,
    /// Who pays.
    pub customer_id: I::Customer,
    /// Where it is served.
    pub site_id: I::Site,
    /// In which zone.
    pub zone: Zone,
    /// What the line is billed by: package, day, cycle, and from when to when.
    pub terms: BillingTerms,
}

/// The packages by id, for looking prices up.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    /// In the order of their ids.
    packages: Vec<(PackageId, PriceList, TaxMode)>,
}

impl Catalog {
    /// A catalogue of these packages.
    #[must_use]
    pub fn new(packages: &[Package]) -> Self {
        packages.iter().map(|p| (p.id, p.prices.clone(), p.tax_mode)).collect()
    }

    pub(crate) fn find(&self, id: PackageId) -> Result<(&PriceList, TaxMode), Error> {
        self.entry(id).map(|(_, prices, mode)| (prices, mode))
    }

    /// A package's place in the catalogue, with what is known of it.
    fn entry(&self, id: PackageId) -> Result<(usize, &PriceList, TaxMode), Error> {
        let at = self.packages.binary_search_by_key(&id, |p| p.0).map_err(|_| Error::UnknownPackage)?;
        self.packages.get(at).map(|(_, prices, mode)| (at, prices, *mode)).ok_or(Error::UnknownPackage)
    }
}

impl FromIterator<(PackageId, PriceList, TaxMode)> for Catalog {
    /// For a caller that knows only what billing needs of a package.
    fn from_iter<I: IntoIterator<Item = (PackageId, PriceList, TaxMode)>>(packages: I) -> Self {
        let mut packages: Vec<_> = packages.into_iter().collect();
        packages.sort_by_key(|p| p.0);
        Self { packages }
    }
}

/// What a plan comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BillingPlan<I: Ids = Known> {
    /// The invoices to write.
    pub invoices: Vec<Invoice<I>>,
    /// New values of `billed_from`.
    pub billed_from: Vec<(SubscriptionId, Option<Date>)>,
    /// Subscriptions that could not be billed; the rest of the run goes on (rule B8).
    pub problems: Vec<Problem>,
}

/// A subscription that could not be billed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Which one.
    pub subscription_id: SubscriptionId,
    /// Why.
    #[serde(serialize_with = "as_code")]
    pub error: Error,
}

fn as_code<S: serde::Serializer>(error: &Error, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(error.code())
}

/// The settings and the moment of a plan.
#[derive(Debug, Clone, Copy)]
pub struct BillingContext<'a> {
    /// The packages.
    pub catalog: &'a Catalog,
    /// Settings of billing.
    pub policy: &'a BillingPolicy,
    /// PPN.
    pub tax: &'a Tax,
    /// The position of the run; `None` before the first.
    pub position: Option<Date>,
    /// The moment of the run.
    pub now: DateTime<Utc>,
}

impl BillingContext<'_> {
    /// The position that holds after a run at this moment: the last trigger day that is reached in every zone.
    #[must_use]
    pub fn next_position(&self) -> Date {
        self.horizon(Zone::Wib)
    }

    /// The last trigger day that is due in a zone.
    #[must_use]
    pub fn horizon(&self, zone: Zone) -> Date {
        zone.date_of(self.now).plus_days(i32::from(self.policy.issue_lead_days))
    }

    /// The billing days that may have a trigger in the window, a bit each, for [`crate::ports::BillableQuery`].
    #[must_use]
    pub fn days(&self) -> u32 {
        self.window(Zone::Wit).days()
    }

    fn window(&self, zone: Zone) -> Window {
        Window::new(self.position, self.horizon(zone))
    }
}

/// Plans the invoices of a page of subscriptions.
///
/// Every period of a subscription whose trigger day lies in its window is billed, in order, at most
/// `catch_up_periods` of them; what exceeds it is reported and waits for the next run (rule B4). Periods are cut at
/// the start and the end of service and prorated (rules C4, C5); periods that start in a pause are left out (rule B7).
///
/// An invoice is issued on its trigger day less the lead, on a catch-up the day it would have been issued: what a
/// customer owes does not depend on when the run happened. When it is due does, see [`BillingPolicy::due_date`].
#[must_use]
pub fn plan_billing<I: LineIds>(rows: &[Billable<I>], context: &BillingContext<'_>) -> BillingPlan<I> {
    let mut run = Run::new(context);
    for (at, row) in rows.iter().enumerate() {
        let window = &run.windows[row.zone as usize];
        let terms = &row.terms;
        if window.days() >> terms.day.day() & 1 == 0 && terms.billed_from.is_none() && terms.end.is_none() {
            continue;
        }
        run.make_room(at, rows.len());
        run.bill(row);
    }
    run.plan
}

/// One call of [`plan_billing`].
struct Run<'a, I: Ids> {
    context: &'a BillingContext<'a>,
    /// In the order of [`Zone::ALL`].
    windows: [Window; 3],
    /// The civil day of the run, in the same order.
    today: [Date; 3],
    /// The rule of PPN on the day that was last asked for: nearly all invoices of a run have the same.
    tax_rule: Option<(Date, Option<&'a TaxRule>)>,
    /// What a whole period of each package of the catalogue came to when it was last asked for. Whoever is billed today with the
    /// same package and cycle pays the same, unless a price is held or something is taken off.
    whole: Vec<Option<Whole>>,
    plan: BillingPlan<I>,
}

/// A whole period at the package's own price.
#[derive(Clone, Copy)]
struct Whole {
    cycle: Cycle,
    start: Date,
    issue_date: Date,
    amount: Money,
    taxed: Taxed,
}

/// Invoices for which there is room at first; by then it shows how many there will be.
const FIRST_ROOM: usize = 64;

impl<'a, I: LineIds> Run<'a, I> {
    fn new(context: &'a BillingContext<'a>) -> Self {
        Self {
            context,
            windows: Zone::ALL.map(|zone| context.window(zone)),
            today: Zone::ALL.map(|zone| zone.date_of(context.now)),
            tax_rule: None,
            whole: vec![None; context.catalog.packages.len()],
            plan: BillingPlan::default(),
        }
    }

    /// Makes room for the invoices of a page of so many rows, as many of them as so far: written once, they are moved to no other
    /// place.
    #[inline]
    fn make_room(&mut self, row: usize, of: usize) {
        let invoices = &mut self.plan.invoices;
        if invoices.len() < invoices.capacity() {
            return;
        }
        let expected = match invoices.len() {
            0 => FIRST_ROOM,
            written => written * (of - row) / row.max(1) + FIRST_ROOM,
        };
        invoices.reserve_exact(expected.min(of - row));
    }

    fn bill(&mut self, row: &Billable<I>) {
        let context = self.context;
        let terms = &row.terms;
        let written = self.plan.invoices.len();
        let from = match (terms.billed_from, context.position) {
            (Some(from), _) => from,
            (None, Some(position)) => position.plus_days(1),
            (None, None) => terms.start,
        };
        if let Some(due) = self.windows[row.zone as usize].only_period(terms) {
            let outcome = due.map_or(Ok(()), |(period, trigger)| self.invoice(row, period, period, trigger));
            if let Err(error) = outcome {
                self.failed(row, from, written, error);
            }
            return;
        }
        let horizon = self.windows[row.zone as usize].horizon();
        match self.periods(row, from, horizon) {
            Ok(None) => {
                if terms.billed_from.is_some_and(|from| from <= horizon) {
                    // Until the position has come up to the mark, it does not describe this subscription: a run that
                    // dies before it moves the position would leave it to be billed from the position on.
                    let described = context.position.is_some_and(|position| from <= position.plus_days(1));
                    self.plan.billed_from.push((row.subscription_id, (!described).then(|| horizon.plus_days(1))));
                }
            }
            Ok(Some((left, error))) => {
                self.plan.billed_from.push((row.subscription_id, Some(left)));
                self.plan.problems.push(Problem { subscription_id: row.subscription_id, error });
            }
            Err(error) => self.failed(row, from, written, error),
        }
    }

    /// Takes back what was written of a subscription, and marks it, as the position would pass it by.
    fn failed(&mut self, row: &Billable<I>, from: Date, written: usize, error: Error) {
        self.plan.invoices.truncate(written);
        if row.terms.billed_from != Some(from) {
            self.plan.billed_from.push((row.subscription_id, Some(from)));
        }
        self.plan.problems.push(Problem { subscription_id: row.subscription_id, error });
    }

    /// Bills every period that is due; `Some` with the first trigger day that is left over, when more is due than a
    /// run may bill.
    fn periods(&mut self, row: &Billable<I>, from: Date, horizon: Date) -> Result<Option<(Date, Error)>, Error> {
        let terms = &row.terms;
        if from > horizon || terms.start > horizon {
            return Ok(None);
        }
        let limit = self.context.policy.catch_up_periods;
        let anchor = terms.anchor();
        let mut due: u32 = 0;
        let mut left = None;
        // A postpaid trigger is a period's end, so the period before the window may end in it.
        let mut k = anchor.index_of(from.max(terms.start)) - i32::from(terms.timing == Timing::Postpaid);
        let mut full = anchor.period(k);
        while terms.end.is_none_or(|end| full.start < end) {
            if let Some(period) = clip(full, terms.first_day(), terms.end) {
                let trigger = match terms.timing {
                    Timing::Prepaid => period.start,
                    Timing::Postpaid => period.end,
                };
                let paused = terms.paused_from.is_some_and(|paused| paused <= period.start);
                if from <= trigger && trigger <= horizon && !paused {
                    due += 1;
                    if due <= limit {
                        self.invoice(row, full, period, trigger)?;
                    } else {
                        left.get_or_insert(trigger);
                    }
                }
            }
            if full.end > horizon {
                break;
            }
            k += 1;
            full = anchor.period(k);
        }
        Ok(left.map(|from| (from, Error::CatchUpLimit { due, limit })))
    }

    /// Writes the invoice for a period, or for the part of the `full` period that is served.
    fn invoice(&mut self, row: &Billable<I>, full: Period, period: Period, trigger: Date) -> Result<(), Error> {
        let terms = &row.terms;
        let package_id = terms.package_on(period.start);
        let issue_date = trigger.plus_days(-i32::from(self.context.policy.issue_lead_days));
        let prorated = (period != full).then(|| (period.days() as u16, full.days() as u16));
        let ordinary = prorated.is_none() && terms.held_price.is_none() && terms.discount.is_none();
        let (at, prices, tax_mode) = self.context.catalog.entry(package_id)?;
        let known = self.whole.get(at).copied().flatten().filter(|whole| {
            ordinary && (whole.cycle, whole.start, whole.issue_date) == (terms.cycle, period.start, issue_date)
        });
        let (amount, off, taxed) = match known {
            Some(whole) => (whole.amount, Money::ZERO, whole.taxed),
            None => {
                let held = terms.held_price_on(period.start);
                let monthly = held.or_else(|| prices.on(period.start)).ok_or(Error::NoPrice { on: period.start })?;
                let months = i64::from(terms.cycle.months());
                let amount = prorate(monthly.ratio(months, 1), period, full);
                let off = match terms.discount_on(period.start) {
                    Some(Off::Percent(percent)) => amount.ratio(i64::from(percent.min(100)), 100),
                    Some(Off::Amount(off)) => prorate(off.ratio(months, 1), period, full).min(amount),
                    None => Money::ZERO,
                };
                let off = off.max(Money::ZERO);
                let taxed = Tax::apply_rule(self.tax_rule_on(issue_date)?, amount - off, tax_mode);
                if let Some(whole) = self.whole.get_mut(at).filter(|_| ordinary) {
                    *whole = Some(Whole { cycle: terms.cycle, start: period.start, issue_date, amount, taxed });
                }
                (amount, off, taxed)
            }
        };
        let written = self.today[row.zone as usize];
        let due_date = self.context.policy.due_date(issue_date, written);
        let invoices = &mut self.plan.invoices;
        invoices.push(Invoice {
            id: InvoiceId::of_period(row.subscription_id, period.start),
            number: 0,
            customer_id: row.customer_id,
            subscription_id: row.subscription_id,
            site_id: row.site_id,
            package_id,
            kind: InvoiceKind::Subscription,
            period,
            issue_date,
            due_date,
            lines: InvoiceLines::new(),
            dpp: taxed.dpp,
            ppn: taxed.ppn,
            total: taxed.total(),
        });
        // Written where they stay: they are the greater part of an invoice.
        if let Some(Invoice { lines, .. }) = invoices.last_mut() {
            lines.push(InvoiceLine { kind: LineKind::Subscription, amount, prorated });
            if off.is_positive() {
                lines.push(InvoiceLine { kind: LineKind::Discount, amount: -off, prorated });
            }
            apply_tax(lines, taxed);
        }
        Ok(())
    }

    fn tax_rule_on(&mut self, on: Date) -> Result<Option<&TaxRule>, Error> {
        if let Some((day, rule)) = self.tax_rule
            && day == on
        {
            return Ok(rule);
        }
        let rule = self.context.tax.rule_on(on)?;
        self.tax_rule = Some((on, rule));
        Ok(rule)
    }
}

/// The first invoice that is not there yet and will be written under these terms, as it will be written; `None` when none is
/// left.
///
/// # Errors
/// As those that [`plan_billing`] reports.
pub(crate) fn next_invoice<I: LineIds>(
    row: &Billable<I>,
    context: &BillingContext<'_>,
    known: impl Fn(InvoiceId) -> bool,
) -> Result<Option<Invoice<I>>, Error> {
    let terms = &row.terms;
    let from = match (terms.billed_from, context.position) {
        (Some(from), _) => from,
        (None, Some(position)) => position.plus_days(1),
        (None, None) => terms.start,
    };
    let anchor = terms.anchor();
    let first = anchor.index_of(from.max(terms.start)) - i32::from(terms.timing == Timing::Postpaid);
    for full in (first..).map(|k| anchor.period(k)) {
        if terms.end.is_some_and(|end| full.start >= end) || full.end > Date::MAX {
            return Ok(None);
        }
        let Some(period) = clip(full, terms.first_day(), terms.end) else { continue };
        let trigger = match terms.timing {
            Timing::Prepaid => period.start,
            Timing::Postpaid => period.end,
        };
        if terms.paused_from.is_some_and(|paused| paused <= period.start) {
            return Ok(None);
        }
        if trigger >= from && !known(InvoiceId::of_period(row.subscription_id, period.start)) {
            let issued = trigger.plus_days(-i32::from(context.policy.issue_lead_days));
            return part_invoice(row, full, period, issued, context).map(Some);
        }
    }
    Ok(None)
}

/// The invoice for a part of a period, issued on a day of its own rather than by a run.
///
/// # Errors
/// As those that [`plan_billing`] reports.
pub(crate) fn part_invoice<I: LineIds>(
    row: &Billable<I>,
    full: Period,
    part: Period,
    issue_date: Date,
    context: &BillingContext<'_>,
) -> Result<Invoice<I>, Error> {
    let mut run = Run::new(context);
    run.invoice(row, full, part, issue_date.plus_days(i32::from(context.policy.issue_lead_days)))?;
    run.plan.invoices.pop().ok_or(Error::EmptyPeriod)
}

/// The lines of an invoice for a part of an installation fee that is issued on a day.
///
/// # Errors
/// [`Error::NoTaxRule`].
pub fn installation_lines(amount: Money, on: Date, tax: &Tax) -> Result<(InvoiceLines, Taxed), Error> {
    let taxed = tax.apply(amount, TaxMode::Exclusive, on)?;
    let mut lines: InvoiceLines = smallvec![InvoiceLine::new(LineKind::Installation, amount)];
    apply_tax(&mut lines, taxed);
    Ok((lines, taxed))
}

/// The invoice for one instalment of an installation fee (rule B9), `written` on a day of its zone. The fee is before PPN.
///
/// # Errors
/// [`Error::NoTaxRule`].
pub fn installation_invoice(
    order: &InstallationOrder,
    part: &Instalment,
    site_id: SiteId,
    package_id: PackageId,
    policy: &BillingPolicy,
    tax: &Tax,
    written: Date,
) -> Result<Invoice, Error> {
    let (lines, taxed) = installation_lines(part.amount, part.on, tax)?;
    Ok(Invoice {
        id: part.invoice_id,
        number: 0,
        customer_id: order.customer_id,
        subscription_id: order.subscription_id,
        site_id,
        package_id,
        kind: InvoiceKind::Installation,
        period: Period { start: part.on, end: part.on.plus_days(1) },
        issue_date: part.on,
        due_date: policy.due_date(part.on, written),
        lines,
        dpp: taxed.dpp,
        ppn: taxed.ppn,
        total: taxed.total(),
    })
}
