//! `plan_billing`.

use std::collections::HashMap;

use isp_core::Error;
use isp_core::billing::first_fee::{add_amount, alone_on, invoice_for};
use isp_core::billing::plan::{self, BillingContext};
use isp_core::billing::{Billable, BillingPlan, Catalog, Invoice, Problem, WhileIsolated};
use isp_core::calendar::{BillingDay, Cycle, Date, Zone};
use isp_core::ids::{OfLine, PackageId, SubscriptionId, Unknown};
use isp_core::isolation::Happened;
use isp_core::isolation::given_back::is_left_out;
use isp_core::money::Money;
use isp_core::package::{PriceList, PriceVersion};
use isp_core::subscription::{BillingTerms, Discount, HeldPrice, Off, PackageChange, Timing};
use isp_core::tax::TaxMode;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use crate::convert::{Keys, Kind, Value, Writer};
use crate::decide::lines::{read_isolated, write_line};
use crate::decide::tax::TAX_MODES;
use crate::policy::{BillingPolicy, TaxPolicy, given_or_default};

pub(crate) const CYCLES: [(&str, Cycle); 4] = [
    ("monthly", Cycle::Monthly),
    ("quarterly", Cycle::Quarterly),
    ("semiannual", Cycle::SemiAnnual),
    ("annual", Cycle::Annual),
];
pub(crate) const TIMINGS: [(&str, Timing); 2] = [("prepaid", Timing::Prepaid), ("postpaid", Timing::Postpaid)];

/// Plans the invoices of a page of subscriptions that are due at ``now``.
///
/// Every period whose trigger day lies after ``position`` (or from ``billed_from`` on) and is reached is billed, in
/// order. A subscription that cannot be billed, or not wholly, is a ``Problem``; the rest of the run goes on. Under
/// ``while_isolated="skip"`` a period whose trigger day begins in isolation is ``skipped``: not billed, and passed by.
///
/// An installation fee of ``first_fees`` goes with the first invoice that is planned of its subscription, with PPN of its own;
/// those of other subscriptions wait. ``fees`` says which found their invoice, or whose line has ended before it had one.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "keyword arguments, in Python")]
#[pyo3(signature = (subscriptions, packages, now, *, position=None, policy=None, tax=None, first_fees=None))]
pub(crate) fn plan_billing<'py>(
    subscriptions: &Bound<'py, PyAny>,
    packages: &Bound<'py, PyAny>,
    now: &Bound<'py, PyAny>,
    position: Option<&Bound<'py, PyAny>>,
    policy: Option<&Bound<'py, PyAny>>,
    tax: Option<&Bound<'py, PyAny>>,
    first_fees: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = subscriptions.py();
    let policy = given_or_default::<BillingPolicy>("policy", "BillingPolicy", policy)?.0;
    let tax = given_or_default::<TaxPolicy>("tax", "TaxPolicy", tax)?.0;
    let now = Value::argument("now", now)?.moment()?;
    let position = position.map(|day| Value::argument("position", day)?.date()).transpose()?;
    let mut package_keys = Keys::default();
    let catalog = read_packages(&Value::argument("packages", packages)?, &mut package_keys)?;
    let mut keys = Keys::default();
    let mut isolated = HashMap::new();
    let rows = Value::argument("subscriptions", subscriptions)?
        .rows(|_, row| read_subscription(&row, &mut keys, &package_keys, &mut isolated))?;
    let fees = match first_fees {
        Some(fees) => Value::argument("first_fees", fees)?.each(|_, fee| {
            let fields = fee.record(Kind::FirstFee)?;
            let key = fields.take()?.object().clone();
            let line = SubscriptionId(keys.find(&fields.take()?)?);
            Ok((key, WaitingFee { line, amount: fields.take()?.money_from_zero()? }))
        })?,
        None => Vec::new(),
    };
    let context = BillingContext { catalog: &catalog, policy: &policy, tax: &tax, position, now };
    let (fee_keys, waiting): (Vec<_>, Vec<WaitingFee>) = fees.into_iter().unzip();
    let (plan, skipped, invoiced, next_position) = py.detach(|| {
        let mut plan = plan::plan_billing(&rows, &context);
        let mut skipped = Vec::new();
        if policy.while_isolated == WhileIsolated::Skip && !isolated.is_empty() {
            let zones: HashMap<_, _> = rows.iter().map(|r| (r.subscription_id, r.zone)).collect();
            let is_skipped = |invoice: &Invoice<OfLine>| {
                let id = invoice.subscription_id;
                isolated
                    .get(&id)
                    .zip(zones.get(&id))
                    .is_some_and(|(events, zone)| is_left_out(invoice, policy.issue_lead_days, events, *zone))
            };
            (skipped, plan.invoices) = plan.invoices.into_iter().partition(is_skipped);
        }
        let mut invoiced = Vec::with_capacity(waiting.len());
        for fee in &waiting {
            match fee.invoiced(&rows, &mut plan.invoices, &context) {
                Ok(found) => invoiced.push(found),
                Err(error) => {
                    invoiced.push(None);
                    plan.problems.push(Problem { subscription_id: fee.line, error });
                }
            }
        }
        (plan, skipped, invoiced, context.next_position())
    });
    let mut writer = Writer::new(py)?;
    let lists = write_plan(py, &plan, &keys, &package_keys, &mut writer)?;
    let [invoices, billed_from, problems] = lists.map(Bound::into_any);
    let next_position = writer.date(next_position)?;
    let mut passed = Vec::with_capacity(skipped.len());
    for invoice in &skipped {
        let days = [writer.date(invoice.period.start)?, writer.date(invoice.period.end)?];
        let [start, end] = days;
        passed.push(writer.record(Kind::SkippedPeriod, [keys.name(invoice.subscription_id.0)?.clone(), start, end])?);
    }
    let passed = PyList::new(py, passed)?.into_any();
    let mut fees = Vec::new();
    for ((key, fee), invoiced) in fee_keys.iter().zip(&waiting).zip(invoiced) {
        let Some((period_start, on, total)) = invoiced else { continue };
        let line = keys.name(fee.line.0)?.clone();
        let days = (writer.optional_date(period_start)?, writer.date(on)?);
        fees.push(writer.record(Kind::InvoicedFee, [key.clone(), line, days.0, days.1, writer.money(total)?])?);
    }
    let fees = PyList::new(py, fees)?.into_any();
    writer.record(Kind::BillingPlan, [invoices, billed_from, problems, next_position, passed, fees])
}

/// An installation fee that waits for the first invoice of a line.
struct WaitingFee {
    line: SubscriptionId,
    amount: Money,
}

/// The period whose invoice a fee stands on, `None` when it is one of its own; the day of that invoice; the fee with PPN.
type FeeInvoiced = (Option<Date>, Date, Money);

impl WaitingFee {
    /// Where the fee goes; `None` while it waits.
    fn invoiced(
        &self,
        rows: &[Billable<OfLine>],
        planned: &mut [Invoice<OfLine>],
        context: &BillingContext<'_>,
    ) -> Result<Option<FeeInvoiced>, Error> {
        if let Some(first) = invoice_for(planned, self.line, |_| false) {
            let total = add_amount(first, self.amount, context.tax)?;
            return Ok(Some((Some(first.period.start), first.issue_date, total)));
        }
        let Some(row) = rows.iter().find(|row| row.subscription_id == self.line) else { return Ok(None) };
        let Some(on) = alone_on(row.terms.end, row.zone.date_of(context.now)) else { return Ok(None) };
        let taxed = context.tax.apply(self.amount, TaxMode::Exclusive, on)?;
        Ok(Some((None, on, taxed.total())))
    }
}

/// The monthly price of each package that is in force on a day (rule B5); ``None`` before its first.
#[pyfunction]
pub(crate) fn prices_on<'py>(packages: &Bound<'py, PyAny>, day: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
    let py = packages.py();
    let day = Value::argument("day", day)?.date()?;
    let rows = Value::argument("packages", packages)?.rows(|_, row| {
        let fields = row.record(Kind::Package)?;
        fields.take()?;
        read_prices(&fields.take()?)
    })?;
    let writer = Writer::new(py)?;
    let prices = rows.iter().map(|prices| writer.optional_int(prices.on(day).map(Money::as_i64)));
    PyList::new(py, prices.collect::<PyResult<Vec<_>>>()?)
}

fn read_prices(prices: &Value<'_, '_>) -> PyResult<PriceList> {
    let versions = prices.each(|_, price| {
        let fields = price.record(Kind::Price)?;
        Ok(PriceVersion { from: fields.take()?.date()?, price: fields.take()?.money()? })
    })?;
    PriceList::try_new(versions).map_err(|error| prices.refuse(error))
}

pub(super) fn read_packages<'py>(packages: &Value<'_, 'py>, keys: &mut Keys<'py>) -> PyResult<Catalog> {
    let rows = packages.each(|_, row| {
        let fields = row.record(Kind::Package)?;
        let id = PackageId(keys.add(&fields.take()?)?);
        Ok((id, read_prices(&fields.take()?)?, fields.take()?.word(&TAX_MODES)?))
    })?;
    Ok(rows.into_iter().collect())
}

pub(super) fn read_subscription<'py>(
    row: &Value<'_, 'py>,
    keys: &mut Keys<'py>,
    packages: &Keys<'py>,
    isolated: &mut HashMap<SubscriptionId, Vec<Happened>>,
) -> PyResult<Billable<OfLine>> {
    let fields = row.record(Kind::Subscription)?;
    let subscription_id = SubscriptionId(keys.add(&fields.take()?)?);
    let package_id = PackageId(packages.find(&fields.take()?)?);
    let start = fields.take()?.date()?;
    let day = fields.take()?;
    let day = BillingDay::try_new(day.int(0, 255)?).map_err(|error| day.refuse(error))?;
    let cycle = fields.take()?.word(&CYCLES)?;
    let timing = fields.take()?.word(&TIMINGS)?;
    let zone = fields.take()?.zone()?;
    let terms = BillingTerms {
        timing,
        billed_from: fields.take()?.optional_date()?,
        end: fields.take()?.optional_date()?,
        paused_from: fields.take()?.optional_date()?,
        change: fields.take()?.optional().map(|v| read_change(&v, packages)).transpose()?,
        held_price: fields.take()?.optional().map(|v| read_held(&v)).transpose()?,
        discount: fields.take()?.optional().map(|v| read_discount(&v)).transpose()?,
        ..BillingTerms::new(package_id, start, day, cycle)
    };
    let events = read_isolated(&fields.take()?)?;
    if !events.is_empty() {
        isolated.insert(subscription_id, events);
    }
    let terms = BillingTerms { charged_until: fields.take()?.optional_date()?, ..terms };
    Ok(Billable { subscription_id, customer_id: Unknown, site_id: Unknown, zone, terms })
}

fn read_change<'py>(change: &Value<'_, 'py>, packages: &Keys<'py>) -> PyResult<PackageChange> {
    let fields = change.record(Kind::PackageChange)?;
    Ok(PackageChange { package_id: PackageId(packages.find(&fields.take()?)?), from: fields.take()?.date()? })
}

pub(crate) fn read_held(held: &Value<'_, '_>) -> PyResult<HeldPrice> {
    let fields = held.record(Kind::HeldPrice)?;
    Ok(HeldPrice { price: fields.take()?.money_from_zero()?, until: fields.take()?.optional_date()? })
}

pub(crate) fn read_discount(discount: &Value<'_, '_>) -> PyResult<Discount> {
    let fields = discount.record(Kind::Discount)?;
    let percent = fields.take()?.word(&[("amount", false), ("percent", true)])?;
    let value = fields.take()?;
    let off = if percent { Off::Percent(value.int(1, 100)?) } else { Off::Amount(value.money_from_zero()?) };
    Ok(Discount { off, until: fields.take()?.optional_date()? })
}

/// Writes terms as the record that `given` was, with its spans of isolation.
pub(super) fn write_terms<'py>(
    key: Bound<'py, PyAny>,
    terms: &BillingTerms,
    zone: Zone,
    given: &Bound<'py, PyAny>,
    packages: &Keys<'py>,
    writer: &mut Writer<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let change = match terms.change {
        Some(change) => {
            let fields = [packages.name(change.package_id.0)?.clone(), writer.date(change.from)?];
            writer.record(Kind::PackageChange, fields)?
        }
        None => writer.none(),
    };
    let held = match terms.held_price {
        Some(held) => {
            let fields = [writer.money(held.price)?, writer.optional_date(held.until)?];
            writer.record(Kind::HeldPrice, fields)?
        }
        None => writer.none(),
    };
    let discount = match terms.discount {
        Some(discount) => {
            let (kind, value) = match discount.off {
                Off::Amount(amount) => ("amount", writer.money(amount)?),
                Off::Percent(percent) => ("percent", writer.int(i64::from(percent))?),
            };
            let fields = [writer.word(kind), value, writer.optional_date(discount.until)?];
            writer.record(Kind::Discount, fields)?
        }
        None => writer.none(),
    };
    let cycle = CYCLES.iter().find(|(_, cycle)| *cycle == terms.cycle).map_or("monthly", |(word, _)| word);
    let timing = TIMINGS.iter().find(|(_, timing)| *timing == terms.timing).map_or("prepaid", |(word, _)| word);
    let fields = [
        key,
        packages.name(terms.package_id.0)?.clone(),
        writer.date(terms.start)?,
        writer.int(i64::from(terms.day.day()))?,
        writer.word(cycle),
        writer.word(timing),
        writer.word(zone.name()),
        writer.optional_date(terms.billed_from)?,
        writer.optional_date(terms.end)?,
        writer.optional_date(terms.paused_from)?,
        change,
        held,
        discount,
        given.getattr("isolated")?,
        writer.optional_date(terms.charged_until)?,
    ];
    writer.record(Kind::Subscription, fields)
}

fn write_plan<'py>(
    py: Python<'py>,
    plan: &BillingPlan<OfLine>,
    keys: &Keys<'py>,
    packages: &Keys<'py>,
    writer: &mut Writer<'py>,
) -> PyResult<[Bound<'py, PyList>; 3]> {
    let name = |id: SubscriptionId| keys.name(id.0).cloned();
    let mut invoices = Vec::with_capacity(plan.invoices.len());
    for invoice in &plan.invoices {
        invoices.push(write_invoice(py, invoice, keys, packages, writer)?);
    }
    let mut marks = Vec::with_capacity(plan.billed_from.len());
    for (id, from) in &plan.billed_from {
        let from = writer.optional_date(*from)?;
        marks.push(writer.record(Kind::BilledFrom, [name(*id)?, from])?);
    }
    let mut problems = Vec::with_capacity(plan.problems.len());
    for problem in &plan.problems {
        let code = writer.word(problem.error.code());
        let message = writer.text(&problem.error.to_string());
        problems.push(writer.record(Kind::Problem, [name(problem.subscription_id)?, code, message])?);
    }
    Ok([PyList::new(py, invoices)?, PyList::new(py, marks)?, PyList::new(py, problems)?])
}

pub(super) fn write_invoice<'py>(
    py: Python<'py>,
    invoice: &Invoice<OfLine>,
    keys: &Keys<'py>,
    packages: &Keys<'py>,
    writer: &mut Writer<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let lines = invoice.lines.iter().map(|line| write_line(line, writer)).collect::<PyResult<Vec<_>>>()?;
    let fields = [
        keys.name(invoice.subscription_id.0)?.clone(),
        packages.name(invoice.package_id.0)?.clone(),
        writer.date(invoice.period.start)?,
        writer.date(invoice.period.end)?,
        writer.date(invoice.issue_date)?,
        writer.date(invoice.due_date)?,
        PyTuple::new(py, lines)?.into_any(),
        writer.money(invoice.dpp)?,
        writer.money(invoice.ppn)?,
        writer.money(invoice.total)?,
    ];
    writer.record(Kind::Invoice, fields)
}
