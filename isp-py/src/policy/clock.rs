//! When a run asks whether the clock is right.

use isp_core::clock;
use pyo3::prelude::*;

use crate::policy::set_int;

/// When a run asks whether the clock is right (rule I9). Every setting has the engine's default.
#[pyclass(frozen, eq, module = "isp_engine")]
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ClockPolicy(pub(crate) clock::ClockPolicy);

#[pymethods]
impl ClockPolicy {
    #[new]
    #[pyo3(signature = (*, max_days_between_runs=None))]
    fn new(max_days_between_runs: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let mut policy = clock::ClockPolicy::default();
        set_int("max_days_between_runs", max_days_between_runs, 3_650, &mut policy.max_days_between_runs)?;
        let whole = isp_core::policy::Policy { clock: policy, ..isp_core::policy::Policy::default() };
        Ok(Self(super::checked("max_days_between_runs", whole)?.clock))
    }

    /// A run more days than this after the last one asks.
    #[getter]
    fn max_days_between_runs(&self) -> u16 {
        self.0.max_days_between_runs
    }

    fn __repr__(&self) -> String {
        format!("ClockPolicy(max_days_between_runs={})", self.0.max_days_between_runs)
    }
}
