//! `late_fees_back`, `late_fees_again` and `unpaid_when_late`: late fees by when payments were made.

use isp_core::billing::Debt;
use isp_core::ids::{InvoiceId, PaymentId};
use isp_core::payment::Books;
use isp_core::payment::books::{Billed, FeeAgain, FeeBack, FeeCharged};
use isp_core::payment::in_time::Came;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::convert::{Keys, Kind, Place, Value, Writer};
use crate::decide::late_fee::read_unserved;
use crate::error::Refused;
use crate::policy::{BillingPolicy, LateFeePolicy, TaxPolicy, given_or_default};

/// What is given back of late fees because the ``payment`` of each row, which is among its ``money``, became known after they were
/// charged, and was made before (rule P7). ``correct_invoices`` spreads an amount over the lines of its fee.
#[pyfunction]
#[pyo3(signature = (rows, now, policy=None))]
pub(crate) fn late_fees_back<'py>(
    rows: &Bound<'py, PyAny>,
    now: &Bound<'py, PyAny>,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let py = rows.py();
    let now = Value::argument("now", now)?.moment()?;
    let policy = policy_of(policy)?;
    let mut names = Names::default();
    let rows = names.read(rows, true)?;
    let back: Vec<FeeBack> = py.detach(|| {
        rows.iter()
            .filter_map(|row| row.payment.map(|p| row.books.fees_back(p, policy.as_ref(), now)))
            .flatten()
            .collect()
    });
    let writer = Writer::new(py)?;
    let mut answer = Vec::with_capacity(back.len());
    for FeeBack { late, fee, amount } in back {
        let fields = [names.invoices.name(late.0)?.clone(), names.fees.name(fee.0)?.clone(), writer.money(amount)?];
        answer.push(writer.record(Kind::FeeBack, fields)?);
    }
    PyList::new(py, answer)
}

/// The late fees that are due because the ``payment`` of each row, which is among its ``money``, is taken back and had spared them
/// (rule P4): those that were charged, as they were, and those whose day was passed by since. A fee whose day lies after
/// ``charged_through``, the last day of which fees were charged, is left to ``late_fees``.
#[pyfunction]
#[pyo3(signature = (rows, now, policy=None, *, charged_through=None, tax=None, billing=None))]
pub(crate) fn late_fees_again<'py>(
    rows: &Bound<'py, PyAny>,
    now: &Bound<'py, PyAny>,
    policy: Option<&Bound<'py, PyAny>>,
    charged_through: Option<&Bound<'py, PyAny>>,
    tax: Option<&Bound<'py, PyAny>>,
    billing: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let py = rows.py();
    let now = Value::argument("now", now)?.moment()?;
    let policy = policy_of(policy)?;
    let through = charged_through.map(|day| Value::argument("charged_through", day)?.date()).transpose()?;
    let tax = given_or_default::<TaxPolicy>("tax", "TaxPolicy", tax)?.0;
    let billing = given_or_default::<BillingPolicy>("billing", "BillingPolicy", billing)?.0;
    let mut names = Names::default();
    let rows = names.read(rows, true)?;
    let due = py.detach(|| {
        let one = |(at, row): (usize, &Row)| {
            let payment = row.payment?;
            let due = row.books.fees_again(payment, policy.as_ref(), &billing, &tax, through, now);
            Some(due.map_err(|error| (at, error)))
        };
        rows.iter().enumerate().filter_map(one).collect::<Result<Vec<_>, _>>()
    });
    let due = due.map_err(|(at, error)| Refused::from(error).at(Place::nth_row(at)))?;
    let mut writer = Writer::new(py)?;
    let mut answer = Vec::new();
    for FeeAgain { late, nth, bill } in due.into_iter().flatten() {
        let fields = [
            names.invoices.name(late.0)?.clone(),
            writer.int(i64::from(nth))?,
            writer.date(bill.on)?,
            writer.money(bill.dpp)?,
            writer.money(bill.ppn)?,
            writer.money(bill.total())?,
            writer.date(bill.due_date)?,
        ];
        answer.push(writer.record(Kind::FeeAgain, fields)?);
    }
    PyList::new(py, answer)
}

/// What was really unpaid of each invoice that bears a late fee when the day of its fee began, whatever was allocated: by when the
/// ``money`` came. It is what ``late_fees`` takes as ``unpaid``.
#[pyfunction]
pub(crate) fn unpaid_when_late<'py>(
    rows: &Bound<'py, PyAny>,
    policy: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyList>> {
    let py = rows.py();
    let policy = LateFeePolicy::of("policy", policy)?.0;
    let mut names = Names::default();
    let rows = names.read(rows, false)?;
    let unpaid: Vec<_> = py.detach(|| rows.iter().flat_map(|row| row.books.unpaid(&policy)).collect());
    let writer = Writer::new(py)?;
    let mut answer = Vec::with_capacity(unpaid.len());
    for (invoice, amount) in unpaid {
        answer.push(
            writer.record(Kind::UnpaidWhenLate, [names.invoices.name(invoice.0)?.clone(), writer.money(amount)?])?,
        );
    }
    PyList::new(py, answer)
}

fn policy_of(policy: Option<&Bound<'_, PyAny>>) -> PyResult<Option<isp_core::billing::LateFeePolicy>> {
    Ok(policy.map(|given| LateFeePolicy::of("policy", given)).transpose()?.map(|policy| policy.0))
}

/// A customer's books as they were given, and the payment that they are asked about.
struct Row {
    books: Books,
    payment: Option<PaymentId>,
}

/// The caller's names.
#[derive(Default)]
struct Names<'py> {
    invoices: Keys<'py>,
    fees: Keys<'py>,
    payments: Keys<'py>,
}

impl<'py> Names<'py> {
    fn read(&mut self, rows: &Bound<'py, PyAny>, about_a_payment: bool) -> PyResult<Vec<Row>> {
        Value::argument("rows", rows)?.rows(|_, row| {
            let fields = row.record(Kind::LateFeeFacts)?;
            let invoices = fields.take()?.each(|index, of| self.billed(index, &of))?;
            let money = fields.take()?.each(|_, of| {
                let fields = of.record(Kind::Came)?;
                let id = PaymentId(self.payments.known_or_add(&fields.take()?)?);
                let (at, amount) = (fields.take()?.moment()?, fields.take()?.money()?);
                let only = fields.take()?.optional().map(|of| self.invoices.find(&of)).transpose()?.map(InvoiceId);
                Ok((id, Came { at, amount, only }))
            })?;
            let named = fields.take()?;
            let wrong = named.refuse(Refused::NoRow);
            let payment = named.optional().map(|of| self.payments.find(&of)).transpose()?.map(PaymentId);
            let known = payment.is_some_and(|id| money.iter().any(|(of, _)| *of == id));
            if about_a_payment && !known {
                return Err(wrong);
            }
            Ok(Row { books: Books { invoices, money }, payment })
        })
    }

    /// Equal due and issue dates keep the order given: the position stands for the number.
    fn billed(&mut self, index: usize, row: &Value<'_, 'py>) -> PyResult<Billed> {
        let fields = row.record(Kind::BilledInvoice)?;
        let debt = Debt {
            invoice_id: InvoiceId(self.invoices.add(&fields.take()?)?),
            number: index as u64,
            issue_date: fields.take()?.date()?,
            due_date: fields.take()?.date()?,
            total: fields.take()?.money()?,
            paid: isp_core::Money::ZERO,
        };
        let zone = fields.take()?.zone()?;
        let first = fields.take()?.optional_date()?;
        let bears = !read_unserved(&fields.take()?, first)? && first.is_some();
        let fees = fields.take()?.each(|_, fee| {
            let fields = fee.record(Kind::FeeCharged)?;
            Ok(FeeCharged {
                invoice_id: InvoiceId(self.fees.add(&fields.take()?)?),
                on: fields.take()?.date()?,
                total: fields.take()?.money_from_zero()?,
                ppn: fields.take()?.money_from_zero()?,
                back: fields.take()?.money_from_zero()?,
                for_payments: fields.take()?.money_from_zero()?,
            })
        })?;
        Ok(Billed { debt, zone, bears, fees })
    }
}
