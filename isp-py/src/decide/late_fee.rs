//! `late_fees`.

use isp_core::billing::{self, InvoiceBalance, InvoiceKind};
use isp_core::calendar::{Period, Zone};
use isp_core::ids::{CustomerId, InvoiceId, PackageId, SiteId, SubscriptionId};
use isp_core::money::Money;
use pyo3::prelude::*;
use pyo3::types::PyList;
use uuid::Uuid;

use crate::convert::{Keys, Kind, Place, Value, Writer};
use crate::decide::lines::read_period;
use crate::decide::terms::REASONS;
use crate::error::Refused;
use crate::policy::{BillingPolicy, LateFeePolicy, TaxPolicy, given_or_default};

/// The late fees (*denda*, rule B10) of invoices for a period: those to charge now, and those that are coming.
///
/// One whose days were ``given`` back from its ``period_start`` on, of a pause or after the end, bears none (rule B12).
///
/// Each row tells what was unpaid when the day of its fee began, ``LateFeePolicy.day(due_date)``, or is unpaid now when
/// that day is still to come. A fee is dated on its day, however late the run. ``due`` fees are to be written, one for an
/// invoice; a fee whose day lies on or before ``since``, the last day that was charged through or the one before the
/// policy was set, is not charged any more. ``since`` is yesterday when it is not given.
#[pyfunction]
#[pyo3(signature = (invoices, now, policy, *, since=None, tax=None, billing=None))]
pub(crate) fn late_fees<'py>(
    invoices: &Bound<'py, PyAny>,
    now: &Bound<'py, PyAny>,
    policy: &Bound<'py, PyAny>,
    since: Option<&Bound<'py, PyAny>>,
    tax: Option<&Bound<'py, PyAny>>,
    billing: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let py = invoices.py();
    let policy = LateFeePolicy::of("policy", policy)?.0;
    let tax = given_or_default::<TaxPolicy>("tax", "TaxPolicy", tax)?.0;
    let terms = given_or_default::<BillingPolicy>("billing", "BillingPolicy", billing)?.0;
    let now = Value::argument("now", now)?.moment()?;
    let since = since.map(|day| Value::argument("since", day)?.date()).transpose()?;
    let mut keys = Keys::default();
    let rows = Value::argument("invoices", invoices)?.rows(|_, row| read_late(&row, &mut keys))?;
    let fees = py.detach(|| {
        let one = |(at, Late { invoice, zone, unserved }): (usize, &Late)| {
            let fee = billing::LateFee::on(*invoice, &policy).filter(|_| !unserved)?;
            let today = zone.date_of(now);
            let charged_through = since.unwrap_or(today.plus_days(-1));
            let counts = fee.on > charged_through && invoice.due_date < today;
            counts.then(|| {
                fee.invoice(&policy, &terms, &tax).map(|bill| (fee, bill, fee.on <= today)).map_err(|e| (at, e))
            })
        };
        rows.iter().enumerate().filter_map(one).collect::<Result<Vec<_>, _>>()
    });
    let fees = fees.map_err(|(at, error)| Refused::from(error).at(Place::nth_row(at)))?;
    let mut writer = Writer::new(py)?;
    let mut answer = Vec::with_capacity(fees.len());
    for (fee, bill, due) in &fees {
        let fields = [
            keys.name(fee.invoice.invoice_id.0)?.clone(),
            writer.date(fee.on)?,
            writer.money(bill.dpp)?,
            writer.money(bill.ppn)?,
            writer.money(bill.total)?,
            writer.bool(*due),
            writer.date(bill.due_date)?,
        ];
        answer.push(writer.record(Kind::LateFee, fields)?);
    }
    PyList::new(py, answer)
}

/// A late invoice as it was given.
struct Late {
    invoice: InvoiceBalance,
    zone: Zone,
    /// Its days were given back from the first on: it was not owed, whatever stood there then (rule B12).
    unserved: bool,
}

fn read_late<'py>(row: &Value<'_, 'py>, keys: &mut Keys<'py>) -> PyResult<Late> {
    let fields = row.record(Kind::LateInvoice)?;
    let invoice_id = InvoiceId(keys.add(&fields.take()?)?);
    let due_date = fields.take()?.date()?;
    let unpaid = fields.take()?.money_from_zero()?;
    let nobody = Uuid::nil();
    let invoice = InvoiceBalance {
        invoice_id,
        number: 0,
        customer_id: CustomerId(nobody),
        subscription_id: SubscriptionId(nobody),
        site_id: SiteId(nobody),
        package_id: PackageId(nobody),
        kind: InvoiceKind::Subscription,
        period: Period { start: due_date, end: due_date.plus_days(1) },
        issue_date: due_date,
        due_date,
        total: unpaid,
        paid: Money::ZERO,
    };
    let zone = fields.take()?.zone()?;
    let first = fields.take()?.optional_date()?;
    let given = fields.take()?.each(|_, note| {
        let fields = note.record(Kind::NoteGiven)?;
        Ok((fields.take()?.word(&REASONS)?, read_period(&fields.take()?, &fields.take()?)?))
    })?;
    let unserved = first.is_some_and(|day| given.iter().any(|(reason, days)| reason.leaves_unserved(*days, day)));
    Ok(Late { invoice, zone, unserved })
}
