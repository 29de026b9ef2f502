//! `isp_engine._isp_engine`: the pure decisions of isp-core for Python.
//!
//! Each call converts what it was given, lets go of the interpreter while it decides, and converts the answer. No
//! rule lives here. Importing looks up the classes it needs and builds nothing else: no thread, no runtime, no
//! connection, so that a process may fork at any later moment (Odoo forks its workers after the import).
//!
//! | to find | look in |
//! |---|---|
//! | what a value may be, and how it is refused | [`convert`], [`error`] |
//! | the calls | [`decide`] |
//! | the settings | [`policy`] |
//! | phones and NIK | [`people`] |

mod convert;
mod decide;
mod error;
mod people;
mod policy;

use isp_core::isolation::Reason;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// The native part of `isp_engine`; import it from there.
#[pymodule]
fn _isp_engine(module: &Bound<'_, PyModule>) -> PyResult<()> {
    convert::Types::fill(module.py())?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("REASONS", PyTuple::new(module.py(), Reason::ALL.map(Reason::code))?)?;
    module.add_class::<policy::BillingPolicy>()?;
    module.add_class::<policy::DunningPolicy>()?;
    module.add_class::<policy::IsolationPolicy>()?;
    module.add_class::<policy::TaxPolicy>()?;
    module.add_class::<people::Phone>()?;
    module.add_class::<people::Nik>()?;
    module.add_function(wrap_pyfunction!(decide::plan_billing, module)?)?;
    module.add_function(wrap_pyfunction!(decide::ppn, module)?)?;
    module.add_function(wrap_pyfunction!(decide::due_reminders, module)?)?;
    module.add_function(wrap_pyfunction!(decide::decide_isolation, module)?)?;
    module.add_function(wrap_pyfunction!(decide::allocate, module)?)?;
    module.add_function(wrap_pyfunction!(people::parse_phone, module)?)?;
    module.add_function(wrap_pyfunction!(people::parse_phones, module)?)?;
    module.add_function(wrap_pyfunction!(people::parse_nik, module)?)?;
    module.add_function(wrap_pyfunction!(people::parse_niks, module)?)?;
    module.add_function(wrap_pyfunction!(people::format_rupiah, module)?)?;
    Ok(())
}
