//! Dated cases of a provider for hosts in Python: reading them, and comparing what a host saw. See `isp_engine.cases`.

use isp_cases::{Case, Lacks, Report, compare};
use pyo3::prelude::*;

use crate::convert::Place;
use crate::error::Refused;

fn parse(file: &str, text: &str) -> PyResult<Case> {
    Case::parse(file, text).map_err(|bad| refused("text", bad))
}

fn refused(argument: &'static str, reason: impl std::fmt::Display) -> PyErr {
    Refused::Case(reason.to_string()).at(Place::argument(argument))
}

/// Reads a case, ``text`` of the TOML file ``file``, into JSON with every name resolved and every moment known.
///
/// What is no case raises ``InvalidValue`` with code ``case.invalid``, naming file, table and key.
#[pyfunction]
pub(crate) fn read_case(file: &str, text: &str) -> PyResult<String> {
    serde_json::to_string(&parse(file, text)?).map_err(|error| refused("text", error))
}

/// Compares what a host told, as JSON, with a case: one text for each difference, expected and actual side by side.
#[pyfunction]
pub(crate) fn compare_case(file: &str, text: &str, report: &str) -> PyResult<Vec<String>> {
    let report: Report = serde_json::from_str(report).map_err(|error| refused("report", error))?;
    Ok(compare(&parse(file, text)?, &report).iter().map(ToString::to_string).collect())
}

/// Why a host cannot live a case, by the text of ``hosts.toml``; ``None`` when it can.
#[pyfunction]
pub(crate) fn case_lacks(hosts: &str, host: &str, file: &str, text: &str) -> PyResult<Option<String>> {
    let lacks = Lacks::parse(hosts).map_err(|bad| refused("hosts", bad))?;
    Ok(lacks.why(host, &parse(file, text)?).map(str::to_owned))
}
