//! `allocate`.

use std::collections::BTreeMap;

use chrono::DateTime;
use isp_core::billing::Debt;
use isp_core::ids::{CustomerId, InvoiceId, PaymentId};
use isp_core::payment::{self, CreditSource, PaidPart};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::convert::{Keys, Kind, Value, Writer};
use crate::decide::open;
use crate::error::Refused;

/// Spreads each customer's credit over the customer's open invoices: oldest due date first, then oldest issue date,
/// then the order given. Of several payments the one recorded first, ``since``, is used first, else they are used in the order given.
/// What is left stays with the payment.
///
/// ``paid`` is given when a payment was taken back: what payments pay of newer invoices goes to the older ones that are open after
/// it, and a credit note comes back to its own invoice (``note_of``) first. Then the answer has negative parts, too. ``invoices`` are all that ``paid`` names, and those that are open.
#[pyfunction]
pub(crate) fn allocate<'py>(customers: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
    let py = customers.py();
    let (mut keys, mut invoices, mut payments) = (Keys::default(), Keys::default(), Keys::default());
    let facts = Value::argument("customers", customers)?.rows(|_, row| {
        let fields = row.record(Kind::AllocationFacts)?;
        let customer = CustomerId(keys.add(&fields.take()?)?);
        let open = open::invoices(&fields.take()?, &mut invoices)?;
        let mut own = BTreeMap::new();
        let credit = fields.take()?.each(|_, source| {
            let fields = source.record(Kind::Credit)?;
            let payment_id = PaymentId(payments.add(&fields.take()?)?);
            let left = fields.take()?.money_from_zero()?;
            let since = fields.take()?.optional().map(|at| at.moment()).transpose()?.unwrap_or(DateTime::UNIX_EPOCH);
            if let Some(invoice) = fields.take()?.optional() {
                own.insert(payment_id, one_of(&open, &invoice, &invoices)?.invoice_id);
            }
            Ok(CreditSource { payment_id, since, left })
        })?;
        let paid = fields.take()?.each(|_, part| {
            let fields = part.record(Kind::PaidPart)?;
            let invoice = one_of(&open, &fields.take()?, &invoices)?;
            let payment_id = PaymentId(payments.known_or_add(&fields.take()?)?);
            let amount = fields.take()?.money_from_zero()?;
            if let Some(invoice) = fields.take()?.optional() {
                own.insert(payment_id, one_of(&open, &invoice, &invoices)?.invoice_id);
            }
            Ok(PaidPart { invoice, payment_id, amount })
        })?;
        Ok((customer, open, credit, paid, own))
    })?;
    let made: Vec<_> = py.detach(|| {
        let each = |(customer, open, credit, paid, own): &(_, Vec<_>, Vec<_>, Vec<_>, _)| {
            (*customer, payment::settle_again(open, credit, paid, own, DateTime::UNIX_EPOCH))
        };
        facts.iter().map(each).collect()
    });
    let writer = Writer::new(py)?;
    let mut answer = Vec::new();
    for (customer, parts) in &made {
        let customer: &CustomerId = customer;
        for part in parts {
            let fields = [
                keys.name(customer.0)?.clone(),
                payments.name(part.payment_id.0)?.clone(),
                invoices.name(part.invoice_id.0)?.clone(),
                writer.money(part.amount)?,
            ];
            answer.push(writer.record(Kind::Allocation, fields)?);
        }
    }
    PyList::new(py, answer)
}

/// The invoice of this customer that a field names.
fn one_of<'py>(open: &[Debt], named: &Value<'_, 'py>, invoices: &Keys<'py>) -> PyResult<Debt> {
    let id = InvoiceId(invoices.find(named)?);
    open.iter().find(|i| i.invoice_id == id).copied().ok_or_else(|| named.refuse(Refused::NoRow))
}
