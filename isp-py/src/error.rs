//! Why a value is refused, and how Python hears of it.

use pyo3::prelude::*;

use crate::convert::Place;

pyo3::import_exception!(isp_engine.errors, InvalidValue);

/// Why a value is refused. The text never holds the value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Refused {
    /// It has another type.
    #[error("expected {expected}, got {got}")]
    Type {
        /// What is taken.
        expected: &'static str,
        /// The name of its type.
        got: String,
    },
    /// A word is not in the list.
    #[error("is not one of: {expected}")]
    Word {
        /// The words that are taken.
        expected: String,
    },
    /// A whole number is outside its range.
    #[error("is not between {min} and {max}")]
    Range {
        /// Smallest accepted.
        min: i64,
        /// Largest accepted.
        max: i64,
    },
    /// An amount is below zero where that makes no sense.
    #[error("is less than zero")]
    Negative,
    /// A day outside the years that the engine knows.
    #[error("is not between 1970-01-01 and 2199-12-31")]
    DateRange,
    /// A moment without a time zone.
    #[error("has no time zone")]
    Naive,
    /// A time of day with seconds or a time zone.
    #[error("has seconds or a time zone")]
    TimeOfDay,
    /// The same key names two rows of one list.
    #[error("names an earlier row too")]
    Duplicate,
    /// The engine refuses it.
    #[error(transparent)]
    Engine(#[from] isp_core::Error),
}

impl Refused {
    /// A stable code for programs; listed in the README of the wheel.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Type { .. } => "value.type",
            Self::Word { .. } => "value.not_one_of",
            Self::Range { .. } => "value.range",
            Self::Negative => "money.negative",
            Self::DateRange => "date.range",
            Self::Naive => "datetime.naive",
            Self::TimeOfDay => "time.format",
            Self::Duplicate => "value.duplicate",
            Self::Engine(error) => error.code(),
        }
    }

    /// The exception for a value at `place`.
    pub(crate) fn at(&self, place: Place<'_>) -> PyErr {
        let (field, row) = (place.field(), place.row());
        InvalidValue::new_err((format!("{place}: {self}"), self.code(), field, row))
    }
}
