//! `due_reminders`.

use isp_core::ids::{CustomerId, InvoiceId, TenantId};
use isp_core::message;
use isp_core::message::{DunningFacts, NotificationKind};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use crate::convert::{Keys, Kind, Value, Writer};
use crate::decide::open;
use crate::policy::{DunningPolicy, given_or_default};

pub(crate) const KINDS: [(&str, NotificationKind); 2] =
    [("due_soon", NotificationKind::DueSoon), ("overdue", NotificationKind::Overdue)];

/// The reminders that are due at ``now``, one message for a customer and kind.
///
/// Of several levels reached at once only the latest is sent; a missed day is caught up while the reminder is still
/// true. ``not_before`` waits for the end of quiet hours.
#[pyfunction]
#[pyo3(signature = (customers, now, *, policy=None))]
pub(crate) fn due_reminders<'py>(
    customers: &Bound<'py, PyAny>,
    now: &Bound<'py, PyAny>,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let py = customers.py();
    let policy = given_or_default::<DunningPolicy>("policy", "DunningPolicy", policy)?.0;
    let now = Value::argument("now", now)?.moment()?;
    let (mut keys, mut invoices) = (Keys::default(), Keys::default());
    let facts = Value::argument("customers", customers)?.rows(|_, row| {
        let fields = row.record(Kind::DunningFacts)?;
        let customer_id = CustomerId(keys.add(&fields.take()?)?);
        let open = open::invoices(&fields.take()?, &mut invoices)?;
        let notified = fields.take()?.each(|_, sent| {
            let fields = sent.record(Kind::Notified)?;
            let invoice = InvoiceId(invoices.find(&fields.take()?)?);
            Ok((invoice, fields.take()?.word(&KINDS)?, fields.take()?.int(0, 365)?))
        })?;
        Ok(DunningFacts {
            customer_id,
            reachable: fields.take()?.bool()?,
            zone: fields.take()?.zone()?,
            open,
            notified,
            statements: Vec::new(),
        })
    })?;
    let messages = py.detach(|| message::due_reminders(TenantId::DEFAULT, &facts, &policy, now));
    let mut writer = Writer::new(py)?;
    let mut answer = Vec::with_capacity(messages.len());
    for message in &messages {
        let names = message.invoices.iter().map(|id| invoices.name(id.0)).collect::<PyResult<Vec<_>>>()?;
        let fields = [
            keys.name(message.customer_id.0)?.clone(),
            writer.word(message.kind.code()),
            writer.int(i64::from(message.level))?,
            PyTuple::new(py, names)?.into_any(),
            writer.moment(message.not_before)?,
        ];
        answer.push(writer.record(Kind::Reminder, fields)?);
    }
    PyList::new(py, answer)
}
