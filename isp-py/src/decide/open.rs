//! Open invoices, which three of the calls read.

use isp_core::billing::{Debt, InvoiceBalance, InvoiceKind};
use isp_core::calendar::Period;
use isp_core::ids::{CustomerId, InvoiceId, PackageId, SiteId, SubscriptionId};
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

/// Reads the open invoices of one customer or line. Equal due and issue dates keep the order given: the position
/// stands for the number.
pub(crate) fn balances<'py>(list: &Value<'_, 'py>, keys: &mut Keys<'py>) -> PyResult<Vec<InvoiceBalance>> {
    list.each(|index, row| {
        let fields = row.record(Kind::OpenInvoice)?;
        let invoice_id = InvoiceId(keys.add(&fields.take()?)?);
        let issue_date = fields.take()?.date()?;
        Ok(InvoiceBalance {
            invoice_id,
            number: index as u64,
            customer_id: CustomerId(uuid::Uuid::nil()),
            subscription_id: SubscriptionId(uuid::Uuid::nil()),
            site_id: SiteId(uuid::Uuid::nil()),
            package_id: PackageId(uuid::Uuid::nil()),
            kind: InvoiceKind::Subscription,
            period: Period { start: issue_date, end: issue_date.plus_days(1) },
            issue_date,
            due_date: fields.take()?.date()?,
            total: fields.take()?.money()?,
            paid: fields.take()?.money()?,
        })
    })
}
