//! `qris_shop` and `qris_asking`.

use isp_core::money::Money;
use isp_core::payment::Qris;
use pyo3::prelude::*;

use crate::convert::Value;

/// The name of the shop in its static QRIS code, as the payer's app shows it. A code that is damaged, not static or not in
/// rupiah is refused.
#[pyfunction]
pub(crate) fn qris_shop(code: &Bound<'_, PyAny>) -> PyResult<String> {
    Ok(read(code)?.merchant().to_owned())
}

/// The code that asks for ``amount``, made of the shop's static one. At most Rp10.000.000, as Bank Indonesia has it.
#[pyfunction]
pub(crate) fn qris_asking(code: &Bound<'_, PyAny>, amount: &Bound<'_, PyAny>) -> PyResult<String> {
    let (code, value) = (read(code)?, Value::argument("amount", amount)?);
    let amount: Money = value.money()?;
    code.with_amount(amount).map_err(|why| value.refuse(why))
}

fn read(code: &Bound<'_, PyAny>) -> PyResult<Qris> {
    Value::argument("code", code)?.parsed(Qris::parse)
}
