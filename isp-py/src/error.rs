//! Why a value is refused, and how Python hears of it.

use isp_core::engine::EngineError;
use isp_core::payment::NoticeRefused;
use isp_core::ports::{PortError, StoreError};
use isp_whatsapp::webhook::WebhookError;
use pyo3::prelude::*;

use crate::convert::Place;

mod python {
    //! The classes of `isp_engine.errors`.
    pyo3::import_exception!(isp_engine.errors, InvalidValue);
    pyo3::import_exception!(isp_engine.errors, IspError);
    pyo3::import_exception!(isp_engine.errors, NotReached);
    pyo3::import_exception!(isp_engine.errors, NotVerified);
    pyo3::import_exception!(isp_engine.errors, OutcomeUnknown);
    pyo3::import_exception!(isp_engine.errors, Refused);
}

/// Looks the exception classes up, when the module is imported; see `Types::fill`.
pub(crate) fn fill(py: Python<'_>) {
    py.get_type::<python::InvalidValue>();
    py.get_type::<python::IspError>();
    py.get_type::<python::NotReached>();
    py.get_type::<python::NotVerified>();
    py.get_type::<python::OutcomeUnknown>();
    py.get_type::<python::Refused>();
}

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
    /// A text with a lone surrogate: half of a sign, which is no text that can be stored or sent.
    #[error("holds half of a sign (a lone surrogate)")]
    HalfSign,
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
    /// A key that names a row of another list names none.
    #[error("names no row that was given")]
    NoRow,
    /// A payment with the reference is known with another customer or amount.
    #[error("is known with another customer or amount")]
    PaymentMismatch,
    /// Nothing is open of an invoice.
    #[error("nothing is open of it")]
    NothingOpen,
    /// No line is in a state that the wish could be about.
    #[error("no line is in that state")]
    NothingToDo,
    /// The engine refuses it.
    #[error(transparent)]
    Engine(#[from] isp_core::Error),
    /// A setting or a template with which WhatsApp cannot work.
    #[error(transparent)]
    WhatsApp(#[from] isp_whatsapp::error::WhatsAppError),
    /// Settings with which a payment gateway cannot work.
    #[error(transparent)]
    Gateway(#[from] isp_payment::SettingsError),
    /// A certificate's fingerprint that is not 64 hexadecimal digits.
    #[error("is not a SHA-256 fingerprint")]
    Fingerprint,
    /// A text asks for something that the message does not say.
    #[error("the text asks for {parameter}, which this message does not have")]
    NoValue {
        /// The placeholder.
        parameter: String,
    },
    /// A text that is no case, with file, table and key.
    #[error("{0}")]
    Case(String),
}

impl Refused {
    /// A stable code for programs; listed in the README of the wheel.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Type { .. } => "value.type",
            Self::Word { .. } => "value.not_one_of",
            Self::HalfSign => "value.half_sign",
            Self::Range { .. } => "value.range",
            Self::Negative => "money.negative",
            Self::DateRange => "date.range",
            Self::Naive => "datetime.naive",
            Self::TimeOfDay => "time.format",
            Self::Duplicate => "value.duplicate",
            Self::NoRow => "value.no_row",
            Self::PaymentMismatch => EngineError::PaymentMismatch.code(),
            Self::NothingOpen => StoreError::NotFound { what: "open invoice" }.code(),
            Self::NothingToDo => EngineError::NothingToDo.code(),
            Self::Engine(error) => error.code(),
            Self::WhatsApp(error) => error.code(),
            Self::Gateway(error) => error.code(),
            Self::Fingerprint => "value.fingerprint",
            Self::NoValue { .. } => "whatsapp.no_value",
            Self::Case(_) => "case.invalid",
        }
    }

    /// The exception for a value at `place`.
    pub(crate) fn at(&self, place: Place<'_>) -> PyErr {
        let (field, row) = (place.field(), place.row());
        python::InvalidValue::new_err((format!("{place}: {self}"), self.code(), field, row))
    }
}

/// Why the other side gave no answer that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Failure {
    /// Certainly nothing happened.
    #[error("{reason}")]
    NotReached {
        /// A code of the adapter or of the port.
        code: &'static str,
        /// What went wrong, without secrets.
        reason: String,
    },
    /// It may have happened.
    #[error("{reason}")]
    Unknown {
        /// A code of the adapter or of the port.
        code: &'static str,
        /// What went wrong, without secrets.
        reason: String,
    },
    /// The other side does not let us.
    #[error("{reason}")]
    Refused {
        /// A code of the adapter.
        code: &'static str,
        /// What it said, without secrets.
        reason: String,
    },
    /// The deadline of one router passed.
    #[error("no answer before the deadline")]
    Deadline {
        /// Whether something may have been written.
        wrote: bool,
    },
    /// The task that did the work ended before it.
    #[error("the work was cut off")]
    CutOff,
}

impl Failure {
    /// A stable code for programs.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::NotReached { code, .. } | Self::Unknown { code, .. } | Self::Refused { code, .. } => code,
            Self::Deadline { .. } => "router.timeout",
            Self::CutOff => "port.unknown",
        }
    }

    /// The exception, to be raised or put into an answer.
    pub(crate) fn exception(&self) -> PyErr {
        let arguments = (self.to_string(), self.code());
        match self {
            Self::NotReached { .. } | Self::Deadline { wrote: false } => python::NotReached::new_err(arguments),
            Self::Unknown { .. } | Self::Deadline { wrote: true } | Self::CutOff => {
                python::OutcomeUnknown::new_err(arguments)
            }
            Self::Refused { .. } => python::Refused::new_err(arguments),
        }
    }
}

impl From<PortError> for Failure {
    fn from(error: PortError) -> Self {
        let code = error.code();
        match error {
            PortError::NotSent { reason } => Self::NotReached { code, reason },
            PortError::Refused { code, reason } => Self::Refused { code, reason },
            PortError::Unknown { reason } => Self::Unknown { code, reason },
            other => Self::Unknown { code, reason: other.to_string() },
        }
    }
}

impl From<isp_mikrotik::Error> for Failure {
    /// Of a read: whatever happened, nothing was changed.
    fn from(error: isp_mikrotik::Error) -> Self {
        let (code, reason) = (error.code(), error.to_string());
        if error.retryable() { Self::NotReached { code, reason } } else { Self::Refused { code, reason } }
    }
}

/// The exception for a webhook that is not believed.
pub(crate) fn not_verified(error: WebhookError) -> PyErr {
    python::NotVerified::new_err((error.to_string(), error.code()))
}

/// The exception for a webhook of a gateway that is not believed or not understood.
pub(crate) fn not_believed(refused: NoticeRefused) -> PyErr {
    python::NotVerified::new_err((refused.to_string(), refused.code()))
}

/// The exception for a simulator that cannot do what it is asked.
pub(crate) fn simulator(code: &'static str, reason: impl std::fmt::Display) -> PyErr {
    python::IspError::new_err((reason.to_string(), code))
}
