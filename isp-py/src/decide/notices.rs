//! `join_notices`, and the statements that messages name.

use std::collections::HashMap;

use isp_core::billing::Statement;
use isp_core::ids::{CustomerId, StatementId};
use isp_core::message::NotificationKind;
use isp_core::message::notice::{Group, group};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::convert::{Keys, Kind, Value, Writer};
use crate::decide::open;

pub(crate) const KINDS: [(&str, NotificationKind); 2] =
    [("isolated", NotificationKind::Isolated), ("reopened", NotificationKind::Reopened)];

/// The statements of one customer, in the order given: the position stands for the number. `names` are the caller's names of
/// them.
pub(crate) fn statements<'py>(
    list: &Value<'_, 'py>,
    customer_id: CustomerId,
    names: &mut Vec<Bound<'py, PyAny>>,
) -> PyResult<Vec<Statement>> {
    list.each(|index, row| {
        let fields = row.record(Kind::Statement)?;
        names.push(fields.take()?.object().clone());
        let (issue_date, due_date) = (fields.take()?.date()?, fields.take()?.date()?);
        Ok(Statement { customer_id, issue_date, due_date, number: index as u64 })
    })
}

struct Notice {
    key: uuid::Uuid,
    group: Option<Group>,
}

/// Joins the notices that one decision asks for (rule N5): those about lines that one statement isolated, and those about all lines
/// of a customer that are reopened, where the customer has statements. Each other is said by itself.
///
/// A joined notice names its ``notices`` in the order given; the first says when it may leave. ``statement`` is the key of the
/// one that isolated the lines: tell no customer twice about one on a day.
#[pyfunction]
pub(crate) fn join_notices<'py>(notices: &Bound<'py, PyAny>, now: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
    let py = notices.py();
    let now = Value::argument("now", now)?.moment()?;
    let (mut keys, mut customers, mut invoices) = (Keys::default(), Keys::default(), Keys::default());
    let mut names: HashMap<StatementId, Bound<'py, PyAny>> = HashMap::new();
    let given = Value::argument("notices", notices)?.rows(|_, row| {
        let fields = row.record(Kind::Notice)?;
        let key = keys.add(&fields.take()?)?;
        let customer = CustomerId(customers.known_or_add(&fields.take()?)?);
        let kind = fields.take()?.word(&KINDS)?;
        let open = open::invoices(&fields.take()?, &mut invoices)?;
        let mut own = Vec::new();
        let statements = statements(&fields.take()?, customer, &mut own)?;
        names.extend(statements.iter().map(Statement::id).zip(own));
        let today = fields.take()?.zone()?.date_of(now);
        Ok(Notice { key, group: group(customer, kind, &open, &statements, today) })
    })?;
    let mut joined: Vec<(Option<Group>, Vec<uuid::Uuid>)> = Vec::with_capacity(given.len());
    for notice in given {
        match joined.iter_mut().find(|(group, _)| group.is_some() && *group == notice.group) {
            Some((_, with)) => with.push(notice.key),
            None => joined.push((notice.group, vec![notice.key])),
        }
    }
    let writer = Writer::new(py)?;
    let mut answer = Vec::with_capacity(joined.len());
    for (group, with) in &joined {
        let with = with.iter().map(|key| keys.name(*key).cloned()).collect::<PyResult<Vec<_>>>()?;
        let statement = group.and_then(|(_, _, statement)| names.get(&statement?).cloned());
        let statement = statement.unwrap_or_else(|| writer.none());
        answer.push(writer.record(Kind::JoinedNotice, [writer.tuple(with)?, statement])?);
    }
    PyList::new(py, answer)
}
