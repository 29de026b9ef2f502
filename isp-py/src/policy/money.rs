//! Settings of late fees and of what an outage gives back.

use isp_core::billing::{self, LateFeeAmount};
use isp_core::money::Money;
use isp_core::policy::Policy;
use isp_core::protection::OutageCredit;
use pyo3::prelude::*;

use crate::convert::{Value, Writer};
use crate::policy::{checked, set_int};

/// When a late fee (*denda*) is charged, and how much: ``fixed``, or ``percent`` of what is unpaid and at least
/// ``minimum``.
#[pyclass(frozen, eq, module = "isp_engine")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LateFeePolicy(pub(crate) billing::LateFeePolicy);

#[pymethods]
impl LateFeePolicy {
    #[new]
    #[pyo3(signature = (*, after_days, fixed=None, percent=None, minimum=None, with_ppn=None))]
    fn new(
        after_days: &Bound<'_, PyAny>,
        fixed: Option<&Bound<'_, PyAny>>,
        percent: Option<&Bound<'_, PyAny>>,
        minimum: Option<&Bound<'_, PyAny>>,
        with_ppn: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let after_days = Value::argument("after_days", after_days)?.int(0, 365)?;
        let amount = match (fixed, percent) {
            (Some(fixed), None) => {
                if let Some(minimum) = minimum {
                    return Err(Value::argument("minimum", minimum)?.wrong_type("nothing beside fixed"));
                }
                LateFeeAmount::Fixed(Value::argument("fixed", fixed)?.money_from_zero()?)
            }
            (None, Some(percent)) => LateFeeAmount::Percent {
                percent: Value::argument("percent", percent)?.int(1, 100)?,
                minimum: minimum.map_or(Ok(Money::ZERO), |m| Value::argument("minimum", m)?.money_from_zero())?,
            },
            (Some(_), Some(percent)) => {
                return Err(Value::argument("percent", percent)?.wrong_type("nothing beside fixed"));
            }
            (None, None) => LateFeeAmount::Fixed(Money::ZERO),
        };
        let with_ppn = with_ppn.map_or(Ok(false), |given| Value::argument("with_ppn", given)?.bool())?;
        let policy = billing::LateFeePolicy { after_days, amount, with_ppn };
        checked("amount", Policy { late_fee: Some(policy), ..Policy::default() })?;
        Ok(Self(policy))
    }

    /// Days past the due date on which it is charged.
    #[getter]
    fn after_days(&self) -> u16 {
        self.0.after_days
    }

    /// The same for every invoice, or ``None``.
    #[getter]
    fn fixed(&self) -> Option<i64> {
        match self.0.amount {
            LateFeeAmount::Fixed(amount) => Some(amount.as_i64()),
            LateFeeAmount::Percent { .. } => None,
        }
    }

    /// Percent of what is unpaid, or ``None``.
    #[getter]
    fn percent(&self) -> Option<u8> {
        match self.0.amount {
            LateFeeAmount::Fixed(_) => None,
            LateFeeAmount::Percent { percent, .. } => Some(percent),
        }
    }

    /// The least that a share of what is unpaid may be.
    #[getter]
    fn minimum(&self) -> i64 {
        match self.0.amount {
            LateFeeAmount::Fixed(_) => 0,
            LateFeeAmount::Percent { minimum, .. } => minimum.as_i64(),
        }
    }

    /// Whether PPN is added; by default none is, as a fee for paying late is no price of a service.
    #[getter]
    fn with_ppn(&self) -> bool {
        self.0.with_ppn
    }

    /// The fee on what is unpaid, before PPN.
    fn fee(&self, unpaid: &Bound<'_, PyAny>) -> PyResult<i64> {
        Ok(self.0.fee(Value::argument("unpaid", unpaid)?.money_from_zero()?).as_i64())
    }

    /// The day on which the fee on an invoice with this due date is charged.
    fn day<'py>(&self, due_date: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let day = self.0.day(Value::argument("due_date", due_date)?.date()?);
        Writer::new(due_date.py())?.date(day)
    }

    /// The due date of the invoices whose fee is charged on a day.
    fn due_on<'py>(&self, day: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let due = self.0.due_on(Value::argument("day", day)?.date()?);
        Writer::new(day.py())?.date(due)
    }

    fn __repr__(&self) -> String {
        let p = &self.0;
        let amount = match p.amount {
            LateFeeAmount::Fixed(amount) => format!("fixed={}", amount.as_i64()),
            LateFeeAmount::Percent { percent, minimum } => format!("percent={percent}, minimum={}", minimum.as_i64()),
        };
        let with_ppn = if p.with_ppn { "True" } else { "False" };
        format!("LateFeePolicy(after_days={}, {amount}, with_ppn={with_ppn})", p.after_days)
    }
}

impl LateFeePolicy {
    /// The policy that a call was given.
    pub(crate) fn of(name: &'static str, given: &Bound<'_, PyAny>) -> PyResult<Self> {
        match given.cast::<Self>() {
            Ok(policy) => Ok(policy.borrow().clone()),
            Err(_) => Err(Value::argument(name, given)?.wrong_type("LateFeePolicy")),
        }
    }
}

const CREDITS: [(&str, OutageCredit); 2] = [("day", OutageCredit::Day), ("hour", OutageCredit::Hour)];

/// From when on an outage gives something back (*restitusi*), and how it is counted: by stretches of 24 hours (``day``)
/// or to the minute (``hour``). Every setting has the engine's default.
#[pyclass(frozen, eq, module = "isp_engine")]
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct OutagePolicy(pub(crate) isp_core::protection::OutagePolicy);

#[pymethods]
impl OutagePolicy {
    #[new]
    #[pyo3(signature = (*, min_hours=None, by=None))]
    fn new(min_hours: Option<&Bound<'_, PyAny>>, by: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let mut policy = isp_core::protection::OutagePolicy::default();
        set_int("min_hours", min_hours, 8_784, &mut policy.min_hours)?;
        if let Some(by) = by {
            policy.by = Value::argument("by", by)?.word(&CREDITS)?;
        }
        Ok(Self(checked("outage", Policy { outage: policy, ..Policy::default() })?.outage))
    }

    /// A shorter outage gives nothing back.
    #[getter]
    fn min_hours(&self) -> u16 {
        self.0.min_hours
    }

    /// ``day`` or ``hour``.
    #[getter]
    fn by(&self) -> &'static str {
        CREDITS.iter().find(|(_, by)| *by == self.0.by).map_or("day", |(word, _)| word)
    }

    fn __repr__(&self) -> String {
        format!("OutagePolicy(min_hours={}, by={})", self.0.min_hours, self.by())
    }
}
