//! `due_reminders`.

use isp_core::ids::{CustomerId, InvoiceId, TenantId};
use isp_core::message;
use isp_core::message::{DunningFacts, NotificationKind, join_reminders};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use crate::convert::{Keys, Kind, Value, Writer};
use crate::decide::open;
use crate::policy::{DunningPolicy, given_or_default};

pub(crate) const KINDS: [(&str, NotificationKind); 2] =
    [("due_soon", NotificationKind::DueSoon), ("overdue", NotificationKind::Overdue)];

/// The reminders that are due at ``now``, one message for a customer (rule N5).
///
/// The gravest says it all, since each asks for everything that is owed; ``keys`` are the reminders that it stands for, to be
/// remembered as ``Notified``. Of several levels reached at once only the latest is sent; a missed day is caught up while the reminder is still
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
    let messages = py.detach(|| join_reminders(message::due_reminders(TenantId::DEFAULT, &facts, &policy, now)));
    let mut writer = Writer::new(py)?;
    let mut answer = Vec::with_capacity(messages.len());
    for message in &messages {
        let names = message.invoices.iter().map(|id| invoices.name(id.0)).collect::<PyResult<Vec<_>>>()?;
        let mut stands_for = Vec::with_capacity(message.keys.len());
        for key in &message.keys {
            // Without statements each subject is an invoice.
            let fields =
                [invoices.name(key.subject)?.clone(), writer.word(key.kind.code()), writer.int(i64::from(key.level))?];
            stands_for.push(writer.record(Kind::Notified, fields)?);
        }
        let fields = [
            keys.name(message.customer_id.0)?.clone(),
            writer.word(message.kind.code()),
            writer.int(i64::from(message.level))?,
            PyTuple::new(py, names)?.into_any(),
            writer.moment(message.not_before)?,
            writer.tuple(stands_for)?,
        ];
        answer.push(writer.record(Kind::Reminder, fields)?);
    }
    PyList::new(py, answer)
}
