//! Open invoices, which several calls read.

use isp_core::billing::Debt;
use isp_core::ids::InvoiceId;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::convert::{Keys, Kind, Value};

/// The open invoices that are past their due date on a day (rule A1), by their keys.
#[pyfunction]
#[pyo3(signature = (invoices, today))]
pub(crate) fn overdue<'py>(invoices: &Bound<'py, PyAny>, today: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
    let py = invoices.py();
    let (today, mut keys) = (Value::argument("today", today)?.date()?, Keys::default());
    let open = self::invoices(&Value::argument("invoices", invoices)?, &mut keys)?;
    let late = open.iter().filter(|invoice| invoice.is_overdue(today));
    PyList::new(py, late.map(|invoice| keys.name(invoice.invoice_id.0)).collect::<PyResult<Vec<_>>>()?)
}

/// Reads the open invoices of one customer or line. Equal due and issue dates keep the order given: the position
/// stands for the number.
pub(crate) fn invoices<'py>(list: &Value<'_, 'py>, keys: &mut Keys<'py>) -> PyResult<Vec<Debt>> {
    list.each(|index, row| {
        let fields = row.record(Kind::OpenInvoice)?;
        let invoice_id = InvoiceId(keys.add(&fields.take()?)?);
        let issue_date = fields.take()?.date()?;
        Ok(Debt {
            invoice_id,
            number: index as u64,
            issue_date,
            due_date: fields.take()?.date()?,
            total: fields.take()?.money()?,
            paid: fields.take()?.money()?,
        })
    })
}
