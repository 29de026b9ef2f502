//! `ppn`.

use isp_core::tax::{TaxMode, TaxRule, Taxed};
use isp_core::{Error, Money};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::convert::{Kind, Place, Value, Writer};
use crate::error::Refused;
use crate::policy::{TaxPolicy, given_or_default};

/// The words for a tax mode.
pub(crate) const TAX_MODES: [(&str, TaxMode); 2] =
    [("exclusive", TaxMode::Exclusive), ("inclusive", TaxMode::Inclusive)];

/// The PPN in or on each price, by the rule of its day.
///
/// ``base`` is what the rate is taken of (*DPP nilai lain*). An inclusive price is met to the rupiah: where no whole ``dpp`` fits, ``rounding`` is Rp1. A day before the first
/// rule raises ``InvalidValue`` with code ``tax.no_rule``.
#[pyfunction]
#[pyo3(signature = (prices, *, tax=None))]
pub(crate) fn ppn<'py>(prices: &Bound<'py, PyAny>, tax: Option<&Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyList>> {
    let py = prices.py();
    let tax = given_or_default::<TaxPolicy>("tax", "TaxPolicy", tax)?.0;
    let prices = Value::argument("prices", prices)?.rows(|_, row| {
        let fields = row.record(Kind::Taxable)?;
        Ok((fields.take()?.money()?, fields.take()?.date()?, fields.take()?.word(&TAX_MODES)?))
    })?;
    let one = |(price, on, mode)| -> Result<(Taxed, Money), Error> {
        let taxed = tax.apply(price, mode, on)?;
        let base = |rule: &TaxRule| taxed.dpp.ratio(rule.base_numerator, rule.base_denominator);
        Ok((taxed, tax.rule_on(on)?.map_or(Money::ZERO, base)))
    };
    let taxed: Vec<_> = py.detach(|| prices.into_iter().map(one).collect());
    let writer = Writer::new(py)?;
    let mut answer = Vec::with_capacity(taxed.len());
    for (index, taxed) in taxed.into_iter().enumerate() {
        let (taxed, base) = taxed.map_err(|error| Refused::from(error).at(Place::nth_row(index).then("on")))?;
        let fields = [taxed.dpp, taxed.ppn, taxed.rounding, taxed.total(), base].map(|amount| writer.money(amount));
        let [dpp, ppn, rounding, total, base] = fields;
        answer.push(writer.record(Kind::Taxed, [dpp?, ppn?, rounding?, total?, base?])?);
    }
    PyList::new(py, answer)
}
