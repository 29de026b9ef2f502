//! Strict reading: the types of style rule "guard the door", since an ERP's money fields are floats.

use std::cell::Cell;
use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use isp_core::calendar::TimeOfDay;
use isp_core::{Date, Money, Zone};
use pyo3::exceptions::{PyOverflowError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyInt, PyList, PyString, PyTuple};

use crate::convert::place::Place;
use crate::convert::types::{Kind, Types};
use crate::error::Refused;

/// The longest deadline that a call takes.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Python's ordinal of 1970-01-01.
pub(super) const EPOCH_ORDINAL: i32 = 719_163;

/// A value with its place.
pub(crate) struct Value<'a, 'py> {
    object: Bound<'py, PyAny>,
    place: Place<'a>,
    types: &'static Types,
}

impl<'a, 'py> Value<'a, 'py> {
    /// An argument of a call.
    pub(crate) fn argument(name: &'static str, object: &Bound<'py, PyAny>) -> PyResult<Self> {
        Self::new(Place::argument(name), object)
    }

    /// A value at a place.
    pub(crate) fn new(place: Place<'a>, object: &Bound<'py, PyAny>) -> PyResult<Self> {
        Ok(Self { object: object.clone(), place, types: Types::of(object.py())? })
    }

    /// The Python object.
    pub(crate) fn object(&self) -> &Bound<'py, PyAny> {
        &self.object
    }

    /// The exception that refuses this value.
    pub(crate) fn refuse(&self, why: impl Into<Refused>) -> PyErr {
        why.into().at(self.place)
    }

    /// `None` for Python's `None`.
    pub(crate) fn optional(self) -> Option<Self> {
        (!self.object.is_none()).then_some(self)
    }

    /// An amount: int or Decimal, whole, in range. A float, a bool and a str are none.
    pub(crate) fn money(&self) -> PyResult<Money> {
        if let Some(rupiah) = self.exact_int()? {
            return Money::try_new(rupiah).map_err(|e| self.refuse(e));
        }
        if !self.object.is_instance(self.types.decimal.bind(self.py()))? {
            return Err(self.wrong_type("int or Decimal"));
        }
        let py = self.py();
        // Beyond 10^15 the ratio below would build a number of that many digits.
        let exponent: i64 = self.object.call_method0("adjusted")?.extract()?;
        if exponent > 15 {
            return Err(self.refuse(isp_core::Error::MoneyRange));
        }
        if exponent < -15 && self.object.is_truthy()? {
            return Err(self.refuse(isp_core::Error::MoneyFraction));
        }
        let ratio = match self.object.call_method0("as_integer_ratio") {
            Ok(ratio) => ratio,
            // NaN and the infinities.
            Err(e) if e.is_instance_of::<PyValueError>(py) || e.is_instance_of::<PyOverflowError>(py) => {
                return Err(self.refuse(isp_core::Error::MoneyFormat));
            }
            Err(e) => return Err(e),
        };
        let whole = ratio.get_item(1)?.eq(1)?;
        if !whole {
            return Err(self.refuse(isp_core::Error::MoneyFraction));
        }
        let rupiah = ratio.get_item(0)?.extract::<i64>().map_err(|_| self.refuse(isp_core::Error::MoneyRange))?;
        Money::try_new(rupiah).map_err(|e| self.refuse(e))
    }

    /// An amount that is not below zero.
    pub(crate) fn money_from_zero(&self) -> PyResult<Money> {
        let amount = self.money()?;
        if amount < Money::ZERO { Err(self.refuse(Refused::Negative)) } else { Ok(amount) }
    }

    /// A day: `datetime.date`, never a `datetime`.
    pub(crate) fn date(&self) -> PyResult<Date> {
        let py = self.py();
        let class = self.object.get_type();
        if !class.is(&self.types.date)
            && (!self.object.is_instance(self.types.date.bind(py))?
                || self.object.is_instance(self.types.datetime.bind(py))?)
        {
            return Err(self.wrong_type("date"));
        }
        let ordinal: i32 = self.object.call_method0(&self.types.to_ordinal)?.extract()?;
        let date = Date::from_day_number(ordinal - EPOCH_ORDINAL);
        if (Date::MIN..=Date::MAX).contains(&date) { Ok(date) } else { Err(self.refuse(Refused::DateRange)) }
    }

    /// A day or `None`.
    pub(crate) fn optional_date(self) -> PyResult<Option<Date>> {
        self.optional().map(|v| v.date()).transpose()
    }

    /// A moment: an aware `datetime`.
    pub(crate) fn moment(&self) -> PyResult<DateTime<Utc>> {
        let py = self.py();
        if !self.object.is_instance(self.types.datetime.bind(py))? {
            return Err(self.wrong_type("aware datetime"));
        }
        if self.object.call_method0("utcoffset")?.is_none() {
            return Err(self.refuse(Refused::Naive));
        }
        let utc = match self.object.call_method1("astimezone", (&self.types.utc,)) {
            Ok(utc) => utc,
            Err(e) if e.is_instance_of::<PyOverflowError>(py) => return Err(self.refuse(Refused::DateRange)),
            Err(e) => return Err(e),
        };
        let part = |name: &str| -> PyResult<u32> { utc.getattr(name)?.extract() };
        let (year, month, day) = (part("year")?, part("month")?, part("day")?);
        let (hour, minute, second, micro) = (part("hour")?, part("minute")?, part("second")?, part("microsecond")?);
        let moment = i32::try_from(year)
            .ok()
            .and_then(|year| NaiveDate::from_ymd_opt(year, month, day))
            .and_then(|day| day.and_hms_micro_opt(hour, minute, second, micro))
            .map(|naive| naive.and_utc());
        let known = |m: &DateTime<Utc>| (Date::MIN.midnight(Zone::Wit)..Date::MAX.midnight(Zone::Wib)).contains(m);
        moment.filter(known).ok_or_else(|| self.refuse(Refused::DateRange))
    }

    /// A local time in whole minutes: a naive `datetime.time`.
    pub(crate) fn time_of_day(&self) -> PyResult<TimeOfDay> {
        if !self.object.is_instance(self.types.time.bind(self.py()))? {
            return Err(self.wrong_type("time"));
        }
        let part = |name| -> PyResult<u16> { self.object.getattr(name)?.extract() };
        let seconds = part("second")? != 0 || self.object.getattr("microsecond")?.is_truthy()?;
        if seconds || !self.object.getattr("tzinfo")?.is_none() {
            return Err(self.refuse(Refused::TimeOfDay));
        }
        TimeOfDay::new(part("hour")?, part("minute")?).ok_or_else(|| self.refuse(Refused::TimeOfDay))
    }

    /// A whole number in a range.
    pub(crate) fn int<T: TryFrom<i64>>(&self, min: i64, max: i64) -> PyResult<T> {
        let number = match self.exact_int() {
            Ok(Some(number)) => number,
            Ok(None) => return Err(self.wrong_type("int")),
            Err(_) => return Err(self.refuse(Refused::Range { min, max })),
        };
        let in_range = (min..=max).contains(&number).then_some(number);
        in_range.and_then(|n| T::try_from(n).ok()).ok_or_else(|| self.refuse(Refused::Range { min, max }))
    }

    /// A truth value.
    pub(crate) fn bool(&self) -> PyResult<bool> {
        self.object.cast::<PyBool>().map(|b| b.is_true()).map_err(|_| self.wrong_type("bool"))
    }

    /// A text, handed to `use_it` so that it is not copied.
    pub(crate) fn text<T>(&self, use_it: impl FnOnce(&str) -> T) -> PyResult<T> {
        let text = self.object.cast::<PyString>().map_err(|_| self.wrong_type("str"))?;
        let seen = text.to_cow().map_err(|_| self.refuse(Refused::HalfSign))?;
        Ok(use_it(&seen))
    }

    /// A text of one's own.
    pub(crate) fn string(&self) -> PyResult<String> {
        self.text(str::to_owned)
    }

    /// A text or `None`.
    pub(crate) fn optional_string(self) -> PyResult<Option<String>> {
        self.optional().map(|v| v.string()).transpose()
    }

    /// A text that the engine parses.
    pub(crate) fn parsed<T, E: Into<Refused>>(&self, parse: impl FnOnce(&str) -> Result<T, E>) -> PyResult<T> {
        self.text(parse)?.map_err(|error| self.refuse(error))
    }

    /// Bytes as they came over a wire.
    pub(crate) fn bytes(&self) -> PyResult<Vec<u8>> {
        self.object.cast::<PyBytes>().map(|b| b.as_bytes().to_vec()).map_err(|_| self.wrong_type("bytes"))
    }

    /// A span of time in seconds, more than zero, at most a day: int or float, which is no money.
    pub(crate) fn seconds(&self) -> PyResult<Duration> {
        if self.object.is_instance_of::<PyBool>() {
            return Err(self.wrong_type("int or float"));
        }
        let seconds: f64 = self.object.extract().map_err(|_| self.wrong_type("int or float"))?;
        let span = Duration::try_from_secs_f64(seconds).ok().filter(|s| !s.is_zero() && *s <= LONGEST);
        span.ok_or_else(|| self.refuse(Refused::Range { min: 0, max: LONGEST.as_secs() as i64 }))
    }

    /// Which of these records it is.
    pub(crate) fn kind_of(&self, kinds: &[Kind]) -> PyResult<Option<Kind>> {
        for kind in kinds {
            if self.object.is_instance(self.types.class(*kind).bind(self.py()))? {
                return Ok(Some(*kind));
            }
        }
        Ok(None)
    }

    /// One word of a closed list.
    pub(crate) fn word<T: Copy>(&self, words: &[(&str, T)]) -> PyResult<T> {
        self.text(|text| words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning))?.ok_or_else(|| {
            let expected = words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
            self.refuse(Refused::Word { expected })
        })
    }

    /// A time zone: `WIB`, `WITA` or `WIT`.
    pub(crate) fn zone(&self) -> PyResult<Zone> {
        self.word(&Zone::ALL.map(|zone| (zone.name(), zone)))
    }

    /// The caller's name for a row.
    pub(crate) fn key(&self) -> PyResult<Key> {
        match self.exact_int() {
            Ok(Some(number)) => return Ok(Key::Int(number)),
            Ok(None) => {}
            Err(_) => return Err(self.refuse(Refused::Range { min: i64::MIN, max: i64::MAX })),
        }
        let text = self.object.cast::<PyString>().map_err(|_| self.wrong_type("int or str"))?;
        let seen = text.to_cow().map_err(|_| self.refuse(Refused::HalfSign))?;
        Ok(Key::Text(seen.into_owned()))
    }

    /// The fields of a record.
    pub(crate) fn record(&self, kind: Kind) -> PyResult<Fields<'a, 'py>> {
        let class = self.types.class(kind);
        if !self.object.get_type().is(class) && !self.object.is_instance(class.bind(self.py()))? {
            return Err(self.wrong_type(kind.name()));
        }
        let tuple = self.object.cast::<PyTuple>().map_err(|_| self.wrong_type(kind.name()))?.clone();
        if tuple.len() != kind.fields().len() {
            return Err(self.wrong_type(kind.name()));
        }
        Ok(Fields { tuple, names: kind.fields(), next: Cell::new(0), place: self.place, types: self.types })
    }

    /// Reads each item of a list or tuple.
    pub(crate) fn each<T>(&self, read: impl FnMut(usize, Value<'_, 'py>) -> PyResult<T>) -> PyResult<Vec<T>> {
        self.items(|place, index| place.item(index), read)
    }

    /// Reads each row of the main list of a call.
    pub(crate) fn rows<T>(&self, read: impl FnMut(usize, Value<'_, 'py>) -> PyResult<T>) -> PyResult<Vec<T>> {
        self.items(|_, index| Place::nth_row(index), read)
    }

    fn items<T>(
        &self,
        place: impl for<'p> Fn(&'p Place<'a>, usize) -> Place<'p>,
        mut read: impl FnMut(usize, Value<'_, 'py>) -> PyResult<T>,
    ) -> PyResult<Vec<T>> {
        let types = self.types;
        let mut one = |(index, object)| read(index, Value { object, place: place(&self.place, index), types });
        if let Ok(list) = self.object.cast::<PyList>() {
            list.iter().enumerate().map(one).collect()
        } else if let Ok(tuple) = self.object.cast_exact::<PyTuple>() {
            // A record is a tuple, too, and one record is no list of them.
            tuple.iter().enumerate().map(&mut one).collect()
        } else {
            Err(self.wrong_type("list or tuple"))
        }
    }

    fn py(&self) -> Python<'py> {
        self.object.py()
    }

    /// The number in an `int` that is no `bool`; an error when it does not fit 64 bits.
    fn exact_int(&self) -> PyResult<Option<i64>> {
        if !self.object.is_instance_of::<PyInt>() || self.object.is_instance_of::<PyBool>() {
            return Ok(None);
        }
        self.object.extract().map(Some).map_err(|_: PyErr| self.refuse(isp_core::Error::MoneyRange))
    }

    /// The exception for a value of another type.
    pub(crate) fn wrong_type(&self, expected: &'static str) -> PyErr {
        let name = self.object.get_type().name().map(|n| n.to_string());
        self.refuse(Refused::Type { expected, got: name.unwrap_or_else(|_| "something else".to_owned()) })
    }
}

/// The fields of one record, taken in their order.
pub(crate) struct Fields<'a, 'py> {
    tuple: Bound<'py, PyTuple>,
    names: &'static [&'static str],
    next: Cell<usize>,
    place: Place<'a>,
    types: &'static Types,
}

impl<'py> Fields<'_, 'py> {
    /// The next field.
    pub(crate) fn take(&self) -> PyResult<Value<'_, 'py>> {
        let index = self.next.get();
        self.next.set(index + 1);
        let name = self.names.get(index).copied().unwrap_or("");
        Ok(Value { object: self.tuple.get_item(index)?, place: self.place.then(name), types: self.types })
    }
}

/// The caller's name for a row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    /// A number, as Odoo's ids.
    Int(i64),
    /// A text.
    Text(String),
}

/// The id of a row by its position: the first is 1, so none is nil.
pub(crate) fn nth(position: usize) -> uuid::Uuid {
    uuid::Uuid::from_u128(position as u128 + 1)
}

/// The keys of one list: each names one row, and the engine's ids are their positions.
#[derive(Default)]
pub(crate) struct Keys<'py> {
    positions: HashMap<Key, usize>,
    objects: Vec<Bound<'py, PyAny>>,
}

impl<'py> Keys<'py> {
    /// The id of a new row.
    pub(crate) fn add(&mut self, value: &Value<'_, 'py>) -> PyResult<uuid::Uuid> {
        let position = self.objects.len();
        if self.positions.insert(value.key()?, position).is_some() {
            return Err(value.refuse(Refused::Duplicate));
        }
        self.objects.push(value.object().clone());
        Ok(nth(position))
    }

    /// The id of a row that several name.
    pub(crate) fn known_or_add(&mut self, value: &Value<'_, 'py>) -> PyResult<uuid::Uuid> {
        match self.positions.get(&value.key()?) {
            Some(position) => Ok(nth(*position)),
            None => self.add(value),
        }
    }

    /// The id of a row named elsewhere; one that belongs to no row when it is unknown.
    pub(crate) fn find(&self, value: &Value<'_, 'py>) -> PyResult<uuid::Uuid> {
        Ok(self.positions.get(&value.key()?).map_or(uuid::Uuid::max(), |position| nth(*position)))
    }

    /// The caller's names, in order.
    pub(crate) fn objects(&self) -> &[Bound<'py, PyAny>] {
        &self.objects
    }

    /// The caller's name for an id.
    pub(crate) fn name(&self, id: uuid::Uuid) -> PyResult<&Bound<'py, PyAny>> {
        let position = id.as_u128().checked_sub(1).and_then(|before| usize::try_from(before).ok());
        position.and_then(|p| self.objects.get(p)).ok_or_else(|| PyValueError::new_err("id without a row"))
    }
}
