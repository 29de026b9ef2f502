//! Phones, NIK, amounts and addresses of lines as people write them.

use isp_core::{Error, customer, subscription};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::convert::Value;
use crate::error::Refused;

/// An Indonesian mobile number. ``repr`` and ``str`` mask it.
#[pyclass(frozen, eq, ord, hash, module = "isp_engine")]
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Phone(customer::Phone);

#[pymethods]
impl Phone {
    /// The number in E.164 form, ``+62812...``.
    #[getter]
    fn e164(&self) -> &str {
        self.0.e164()
    }

    /// The digits without the plus, as WhatsApp wants them.
    #[getter]
    fn digits(&self) -> &str {
        self.0.digits()
    }

    /// Country code and the last three digits.
    #[getter]
    fn masked(&self) -> String {
        self.0.to_string()
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("Phone({})", self.0)
    }
}

/// The 16 digits of an identity card (KTP). ``repr`` and ``str`` mask them.
#[pyclass(frozen, eq, module = "isp_engine")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Nik(customer::Nik);

#[pymethods]
impl Nik {
    /// The 16 digits. Who shows them to a person records it.
    fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// Province and regency, the rest masked.
    #[getter]
    fn masked(&self) -> String {
        self.0.to_string()
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("Nik({})", self.0)
    }
}

/// Reads an Indonesian mobile number as people write it.
///
/// A landline or a foreign number raises ``InvalidValue`` with code ``customer.phone``.
#[pyfunction]
pub(crate) fn parse_phone(text: &Bound<'_, PyAny>) -> PyResult<Phone> {
    one(text, |t| customer::Phone::parse(t).map(Phone))
}

/// Reads many numbers; in place of one that is refused stands its ``InvalidValue``, not raised.
#[pyfunction]
pub(crate) fn parse_phones<'py>(texts: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
    many(texts, |t| customer::Phone::parse(t).map(Phone))
}

/// Reads the 16 digits of a NIK; what is none raises ``InvalidValue`` with code ``customer.nik``.
#[pyfunction]
pub(crate) fn parse_nik(text: &Bound<'_, PyAny>) -> PyResult<Nik> {
    one(text, |t| customer::Nik::parse(t).map(Nik))
}

/// Reads many NIK; in place of one that is refused stands its ``InvalidValue``, not raised.
#[pyfunction]
pub(crate) fn parse_niks<'py>(texts: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
    many(texts, |t| customer::Nik::parse(t).map(Nik))
}

/// Reads the MAC address of a box; the answer is as routers write it, ``AA:BB:CC:00:11:22``.
///
/// What no customer's box can have raises ``InvalidValue`` with code ``subscription.mac``.
#[pyfunction]
pub(crate) fn parse_mac(text: &Bound<'_, PyAny>) -> PyResult<String> {
    one(text, |t| subscription::Mac::parse(t).map(|mac| mac.to_string()))
}

/// Reads the IPv4 address of a line; ``/32`` behind it means the same.
///
/// What no customer can have raises ``InvalidValue`` with code ``subscription.ip_address``.
#[pyfunction]
pub(crate) fn parse_ip_address(text: &Bound<'_, PyAny>) -> PyResult<String> {
    one(text, |t| subscription::ip_address(t).map(|address| address.to_string()))
}

/// An amount as Indonesian invoices write it: ``Rp165.000``.
#[pyfunction]
pub(crate) fn format_rupiah(amount: &Bound<'_, PyAny>) -> PyResult<String> {
    Ok(Value::argument("amount", amount)?.money()?.to_string())
}

fn one<T>(text: &Bound<'_, PyAny>, parse: impl FnOnce(&str) -> Result<T, Error>) -> PyResult<T> {
    let value = Value::argument("text", text)?;
    value.text(parse)?.map_err(|error| value.refuse(error))
}

fn many<'py, T>(
    texts: &Bound<'py, PyAny>,
    parse: impl Fn(&str) -> Result<T, Error> + Copy,
) -> PyResult<Bound<'py, PyList>>
where
    T: IntoPyObject<'py, Output = Bound<'py, T>, Error = PyErr>,
{
    let py = texts.py();
    let read = Value::argument("texts", texts)?.rows(|_, value| match value.text(parse)? {
        Ok(parsed) => Ok(parsed.into_pyobject(py)?.into_any()),
        Err(error) => Ok(value.refuse(Refused::from(error)).into_value(py).into_bound(py).into_any()),
    })?;
    PyList::new(py, read)
}
