//! `end_records`: that something recorded holds no longer.

use isp_core::ending::{Ending, EndingKind};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::convert::{Keys, Kind, Place, Value, Writer};
use crate::error::Refused;

pub(crate) const KINDS: [(&str, EndingKind); 2] = [("ended", EndingKind::Ended), ("taken_back", EndingKind::TakenBack)];

/// The endings of promises, exemptions and outages, each with who said so and why: to be kept beside the record, which stays
/// as it was said.
///
/// ``ended``: it held until then; ``taken_back``: it was recorded by mistake. A wish without an officer or a reason, or about a
/// record that has an ending already (``known``), is refused: an ``InvalidValue`` in its place of the list.
#[pyfunction]
pub(crate) fn end_records<'py>(wishes: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
    let py = wishes.py();
    let mut keys = Keys::default();
    let read = Value::argument("wishes", wishes)?.rows(|_, row| {
        let fields = row.record(Kind::EndingWish)?;
        keys.add(&fields.take()?)?;
        let (kind, at) = (fields.take()?.word(&KINDS)?, fields.take()?.moment()?);
        let (by, reason) = (fields.take()?.string()?, fields.take()?.string()?);
        let known = self::read(fields.take()?)?;
        Ok(Ending::try_new(kind, at, &by, &reason).and_then(|ending| ending.after(known.as_ref())))
    })?;
    let mut writer = Writer::new(py)?;
    let mut answer = Vec::with_capacity(read.len());
    for (row, ending) in read.into_iter().enumerate() {
        answer.push(match ending {
            Ok(ending) => write(&ending, &mut writer)?,
            Err(error) => {
                let place = Place::nth_row(row);
                let field =
                    if let isp_core::Error::Empty { field } = error { place.then(field) } else { place.then("known") };
                Refused::from(error).at(field).into_value(py).into_bound(py).into_any()
            }
        });
    }
    PyList::new(py, answer)
}

/// Reads an ending, or none.
pub(super) fn read(value: Value<'_, '_>) -> PyResult<Option<Ending>> {
    let Some(value) = value.optional() else { return Ok(None) };
    let fields = value.record(Kind::Ending)?;
    let (kind, at) = (fields.take()?.word(&KINDS)?, fields.take()?.moment()?);
    Ok(Some(Ending { kind, at, by: fields.take()?.string()?, reason: fields.take()?.string()? }))
}

fn write<'py>(ending: &Ending, writer: &mut Writer<'py>) -> PyResult<Bound<'py, PyAny>> {
    let fields = [
        writer.word(ending.kind.code()),
        writer.moment(ending.at)?,
        writer.text(&ending.by),
        writer.text(&ending.reason),
    ];
    writer.record(Kind::Ending, fields)
}
