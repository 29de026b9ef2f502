//! `installation_fees` and `fee_paid`.

use isp_core::billing::plan::installation_lines;
use isp_core::billing::{InvoiceLines, policy};
use isp_core::calendar::Date;
use isp_core::installation::{self, Part};
use isp_core::money::Money;
use isp_core::tax::{Tax, Taxed};
use isp_core::{Error, billing};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::convert::{Keys, Kind, Place, Value, Writer};
use crate::decide::lines::write_line;
use crate::decide::refusal;
use crate::policy::{BillingPolicy, TaxPolicy, given_or_default};

/// A fee as it was given.
struct Fee {
    amount: Money,
    on: Date,
    instalments: u8,
    with_first_invoice: bool,
    first_invoice_issued: bool,
    taken: Vec<Date>,
}

type Invoiced = (Part, InvoiceLines, Taxed, Date);

impl Fee {
    /// The fields that are wrong, or the invoices that it becomes.
    fn invoices(&self, policy: &policy::BillingPolicy, tax: &Tax) -> Result<Vec<Invoiced>, (&'static str, Error)> {
        installation::check(self.instalments, self.with_first_invoice).map_err(|e| ("instalments", e))?;
        if self.with_first_invoice {
            let late = self.first_invoice_issued.then_some(("with_first_invoice", Error::FirstInvoiceIssued));
            return late.map_or(Ok(Vec::new()), Err);
        }
        let parts = installation::parts(self.amount, self.on, self.instalments, installation::part_step(self.amount));
        if let Some(part) = parts.iter().find(|part| self.taken.contains(&part.on)) {
            return Err(("taken", Error::InstallationClash { on: part.on }));
        }
        let invoice = |part: Part| {
            let (lines, taxed) = installation_lines(part.amount, part.on, tax).map_err(|e| ("on", e))?;
            Ok((part, lines, taxed, policy.due_date(part.on, part.on)))
        };
        parts.into_iter().map(invoice).collect()
    }
}

/// The invoices that each installation fee (PSB, rule B9) becomes: one, or one for each monthly instalment, never prorated.
/// None for a fee that goes with the first periodic invoice; give that to ``plan_billing`` as a ``FirstFee``.
///
/// What is refused is an ``InvalidValue`` in its place: a fee that goes with the first invoice in instalments, or when that
/// invoice is out already; a part on a day on which another installation of the line is invoiced (``taken``).
#[pyfunction]
#[pyo3(signature = (fees, *, policy=None, tax=None))]
pub(crate) fn installation_fees<'py>(
    fees: &Bound<'py, PyAny>,
    policy: Option<&Bound<'py, PyAny>>,
    tax: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let py = fees.py();
    let policy: billing::BillingPolicy = given_or_default::<BillingPolicy>("policy", "BillingPolicy", policy)?.0;
    let tax = given_or_default::<TaxPolicy>("tax", "TaxPolicy", tax)?.0;
    let mut keys = Keys::default();
    let rows = Value::argument("fees", fees)?.rows(|_, row| {
        let fields = row.record(Kind::InstallationFee)?;
        let key = keys.add(&fields.take()?)?;
        let fee = Fee {
            amount: fields.take()?.money_from_zero()?,
            on: fields.take()?.date()?,
            instalments: fields.take()?.int(1, 12)?,
            with_first_invoice: fields.take()?.bool()?,
            first_invoice_issued: fields.take()?.bool()?,
            taken: fields.take()?.each(|_, day| day.date())?,
        };
        Ok((key, fee))
    })?;
    let invoiced: Vec<_> = py.detach(|| rows.iter().map(|(_, fee)| fee.invoices(&policy, &tax)).collect());
    let mut writer = Writer::new(py)?;
    let mut answer = Vec::with_capacity(rows.len());
    for (index, ((key, _), invoiced)) in rows.iter().zip(invoiced).enumerate() {
        let parts = match invoiced {
            Ok(parts) => parts,
            Err((field, error)) => {
                answer.push(refusal(py, error, Place::nth_row(index).then(field)));
                continue;
            }
        };
        let parts = parts.iter().map(|part| write_part(part, &mut writer)).collect::<PyResult<Vec<_>>>()?;
        answer.push(writer.record(Kind::FeeSchedule, [keys.name(*key)?.clone(), writer.tuple(parts)?])?);
    }
    PyList::new(py, answer)
}

fn write_part<'py>((part, lines, taxed, due): &Invoiced, writer: &mut Writer<'py>) -> PyResult<Bound<'py, PyAny>> {
    let lines = lines.iter().map(|line| write_line(line, writer)).collect::<PyResult<Vec<_>>>()?;
    let fields = [
        writer.int(i64::from(part.number))?,
        writer.date(part.on)?,
        writer.date(*due)?,
        writer.tuple(lines)?,
        writer.money(taxed.dpp)?,
        writer.money(taxed.ppn)?,
        writer.money(taxed.total())?,
    ];
    writer.record(Kind::FeePart, fields)
}

/// What is paid of a fee, with PPN, that stands on an invoice with other things, when ``paid`` of its ``total`` is paid: the
/// same share, rounded down, so that the fee is paid when the invoice is, not before.
#[pyfunction]
pub(crate) fn fee_paid(fee: &Bound<'_, PyAny>, total: &Bound<'_, PyAny>, paid: &Bound<'_, PyAny>) -> PyResult<i64> {
    let fee = Value::argument("fee", fee)?.money_from_zero()?;
    let total = Value::argument("total", total)?.money_from_zero()?;
    let paid = Value::argument("paid", paid)?.money_from_zero()?;
    Ok(installation::paid_share(fee, total, paid).as_i64())
}
