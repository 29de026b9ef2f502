//! Making Python's values: keys as they came, days and words shared, money as int.

use std::collections::HashMap;

use chrono::{DateTime, Datelike, Timelike, Utc};
use isp_core::{Date, Money};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyString, PyTuple};

use crate::convert::read::EPOCH_ORDINAL;
use crate::convert::types::{Kind, Types};
use crate::error::Failure;

/// Makes the answer of one call.
pub(crate) struct Writer<'py> {
    py: Python<'py>,
    types: &'static Types,
    dates: HashMap<Date, Bound<'py, PyAny>>,
    moments: HashMap<DateTime<Utc>, Bound<'py, PyAny>>,
    words: HashMap<&'static str, Bound<'py, PyAny>>,
}

impl<'py> Writer<'py> {
    /// A writer.
    pub(crate) fn new(py: Python<'py>) -> PyResult<Self> {
        let (dates, moments, words) = (HashMap::new(), HashMap::new(), HashMap::new());
        Ok(Self { py, types: Types::of(py)?, dates, moments, words })
    }

    /// A record from its fields.
    pub(crate) fn record<const N: usize>(
        &self,
        kind: Kind,
        fields: [Bound<'py, PyAny>; N],
    ) -> PyResult<Bound<'py, PyAny>> {
        let fields = PyTuple::new(self.py, fields)?;
        self.types.new_tuple.bind(self.py).call1((self.types.class(kind), fields))
    }

    /// A day.
    pub(crate) fn date(&mut self, date: Date) -> PyResult<Bound<'py, PyAny>> {
        if let Some(made) = self.dates.get(&date) {
            return Ok(made.clone());
        }
        let made = self.types.from_ordinal.bind(self.py).call1((date.day_number() + EPOCH_ORDINAL,))?;
        self.dates.insert(date, made.clone());
        Ok(made)
    }

    /// A day or `None`.
    pub(crate) fn optional_date(&mut self, date: Option<Date>) -> PyResult<Bound<'py, PyAny>> {
        match date {
            Some(date) => self.date(date),
            None => Ok(self.none()),
        }
    }

    /// A moment in UTC.
    pub(crate) fn moment(&mut self, at: DateTime<Utc>) -> PyResult<Bound<'py, PyAny>> {
        if let Some(made) = self.moments.get(&at) {
            return Ok(made.clone());
        }
        let (date, time) = ((at.year(), at.month(), at.day()), (at.hour(), at.minute(), at.second()));
        let micros = at.timestamp_subsec_micros();
        let arguments = (date.0, date.1, date.2, time.0, time.1, time.2, micros, &self.types.utc);
        let made = self.types.datetime.bind(self.py).call1(arguments)?;
        self.moments.insert(at, made.clone());
        Ok(made)
    }

    /// A moment in UTC or `None`.
    pub(crate) fn optional_moment(&mut self, at: Option<DateTime<Utc>>) -> PyResult<Bound<'py, PyAny>> {
        match at {
            Some(at) => self.moment(at),
            None => Ok(self.none()),
        }
    }

    /// An amount or `None`.
    pub(crate) fn optional_money(&self, amount: Option<Money>) -> PyResult<Bound<'py, PyAny>> {
        amount.map_or_else(|| Ok(self.none()), |amount| self.money(amount))
    }

    /// An amount, as int.
    pub(crate) fn money(&self, amount: Money) -> PyResult<Bound<'py, PyAny>> {
        self.int(amount.as_i64())
    }

    /// A whole number.
    pub(crate) fn int(&self, number: i64) -> PyResult<Bound<'py, PyAny>> {
        Ok(number.into_pyobject(self.py)?.into_any())
    }

    /// A code.
    pub(crate) fn word(&mut self, word: &'static str) -> Bound<'py, PyAny> {
        self.words.entry(word).or_insert_with(|| PyString::intern(self.py, word).into_any()).clone()
    }

    /// A text.
    pub(crate) fn text(&self, text: &str) -> Bound<'py, PyAny> {
        PyString::new(self.py, text).into_any()
    }

    /// A text or `None`.
    pub(crate) fn optional_text(&self, text: Option<&str>) -> Bound<'py, PyAny> {
        text.map_or_else(|| self.none(), |text| self.text(text))
    }

    /// A whole number or `None`.
    pub(crate) fn optional_int(&self, number: Option<i64>) -> PyResult<Bound<'py, PyAny>> {
        number.map_or_else(|| Ok(self.none()), |number| self.int(number))
    }

    /// A count.
    pub(crate) fn count(&self, count: usize) -> PyResult<Bound<'py, PyAny>> {
        Ok(count.into_pyobject(self.py)?.into_any())
    }

    /// A truth value.
    pub(crate) fn bool(&self, truth: bool) -> Bound<'py, PyAny> {
        PyBool::new(self.py, truth).to_owned().into_any()
    }

    /// A tuple.
    pub(crate) fn tuple(&self, items: Vec<Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>> {
        Ok(PyTuple::new(self.py, items)?.into_any())
    }

    /// Bytes.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Bound<'py, PyAny> {
        PyBytes::new(self.py, bytes).into_any()
    }

    /// An exception as a value, or `None`.
    pub(crate) fn exception(&self, failure: Option<&Failure>) -> Bound<'py, PyAny> {
        failure.map_or_else(|| self.none(), |f| f.exception().into_value(self.py).into_bound(self.py).into_any())
    }

    /// `None`.
    pub(crate) fn none(&self) -> Bound<'py, PyAny> {
        self.py.None().into_bound(self.py)
    }
}
