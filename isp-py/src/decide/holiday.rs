//! `public_holidays`.

use isp_core::holiday::{self, HolidayKind};
use isp_core::text::Language;
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::LANGUAGES;
use crate::convert::{Kind, Value, Writer};

pub(crate) const KINDS: [HolidayKind; 2] = [HolidayKind::National, HolidayKind::JointLeave];

/// The Indonesian public holidays that are known, in order: the days that a policy's ``public_holidays`` keeps.
#[pyfunction]
#[pyo3(signature = (language = None))]
pub(crate) fn public_holidays<'py>(
    py: Python<'py>,
    language: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let language = language.map(|l| Value::argument("language", l)?.word(&LANGUAGES)).transpose()?;
    let language = language.unwrap_or(Language::Id);
    let mut writer = Writer::new(py)?;
    let mut answer = Vec::new();
    for day in holiday::all() {
        let name = writer.text(day.name(language));
        let fields = [writer.date(day.date)?, writer.word(day.kind.code()), name, writer.bool(day.estimated)];
        answer.push(writer.record(Kind::PublicHoliday, fields)?);
    }
    PyList::new(py, answer)
}
