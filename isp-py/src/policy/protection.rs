//! How often and for how long a promise holds isolation off.

use isp_core::policy::Policy;
use isp_core::protection;
use pyo3::prelude::*;

use crate::policy::{checked, set_int};

/// How long a promise to pay (*janji bayar*) may run and how many a customer may make in one period of billing. Every
/// setting has the engine's default.
#[pyclass(frozen, eq, module = "isp_engine")]
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct PromisePolicy(pub(crate) protection::PromisePolicy);

#[pymethods]
impl PromisePolicy {
    #[new]
    #[pyo3(signature = (*, max_days=None, per_period=None))]
    fn new(max_days: Option<&Bound<'_, PyAny>>, per_period: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let mut policy = protection::PromisePolicy::default();
        set_int("max_days", max_days, 365, &mut policy.max_days)?;
        set_int("per_period", per_period, 1_000, &mut policy.per_period)?;
        Ok(Self(checked("promise", Policy { promise: policy, ..Policy::default() })?.promise))
    }

    /// How many days from the day it is made a promise may run.
    #[getter]
    fn max_days(&self) -> u16 {
        self.0.max_days
    }

    /// How many promises a customer may make in one period of billing.
    #[getter]
    fn per_period(&self) -> u32 {
        self.0.per_period
    }

    fn __repr__(&self) -> String {
        format!("PromisePolicy(max_days={}, per_period={})", self.0.max_days, self.0.per_period)
    }
}
