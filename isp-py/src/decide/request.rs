//! `ask_payments` and `match_requests`.

use isp_core::bank::{Incoming, Payer, candidates, choose};
use isp_core::ids::{CustomerId, PaymentRequestId};
use isp_core::money::Money;
use isp_core::payment::{RequestPolicy, UnpaidRequest};
use isp_core::text::Code;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::convert::{Keys, Kind, Place, Value, Writer};
use crate::decide::refusal;

/// An amount for each debt, which only one customer is asked for: the debt and the smallest of Rp1 to Rp999 that no other request
/// keeps. What one wish gets is kept from those that follow. What is refused is an ``InvalidValue`` in its place: nothing is owed
/// (``request.nothing_owed``), or all 999 amounts are kept (``request.no_free_amount``).
#[pyfunction]
#[pyo3(signature = (wishes, now, *, valid_hours = None))]
pub(crate) fn ask_payments<'py>(
    wishes: &Bound<'py, PyAny>,
    now: &Bound<'py, PyAny>,
    valid_hours: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let py = wishes.py();
    let now = Value::argument("now", now)?.moment()?;
    let policy = match valid_hours {
        Some(hours) => RequestPolicy { valid_hours: Value::argument("valid_hours", hours)?.int(1, 8_760)? },
        None => RequestPolicy::default(),
    };
    let mut keys = Keys::default();
    let rows = Value::argument("wishes", wishes)?.rows(|_, row| {
        let fields = row.record(Kind::RequestWish)?;
        let key = keys.add(&fields.take()?)?;
        let debt = fields.take()?.money_from_zero()?;
        Ok((key, debt, fields.take()?.each(|_, kept| kept.money_from_zero())?))
    })?;
    let mut writer = Writer::new(py)?;
    let mut answer = Vec::with_capacity(rows.len());
    let mut given: Vec<Money> = Vec::new();
    for (index, (key, debt, kept)) in rows.into_iter().enumerate() {
        let kept: Vec<Money> = kept.into_iter().chain(given.iter().copied()).collect();
        answer.push(match policy.own_amount(debt, &kept, now) {
            Ok(own) => {
                given.push(own.amount);
                let (debt, amount) = (writer.money(debt)?, writer.money(own.amount)?);
                let (expires, kept) = (writer.moment(own.expires_at)?, writer.moment(own.kept_until)?);
                writer.record(Kind::PaymentRequest, [keys.name(key)?.clone(), debt, amount, expires, kept])?
            }
            Err(error) => refusal(py, error, Place::nth_row(index).then("debt")),
        });
    }
    PyList::new(py, answer)
}

/// Which request each sum of money that came to an account pays; ``None`` where that is a matter for a person: no request, or
/// those of several customers, have the amount, or the bank's text names the ID of another of the ``payers``. A request is paid once.
#[pyfunction]
#[pyo3(signature = (money, requests, payers = None))]
pub(crate) fn match_requests<'py>(
    money: &Bound<'py, PyAny>,
    requests: &Bound<'py, PyAny>,
    payers: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let py = money.py();
    let (mut keys, mut customers) = (Keys::default(), Keys::default());
    let asked = Value::argument("requests", requests)?.rows(|_, row| {
        let fields = row.record(Kind::AskedPayment)?;
        let id = PaymentRequestId(keys.add(&fields.take()?)?);
        let customer_id = CustomerId(customers.known_or_add(&fields.take()?)?);
        let (amount, made_at, kept_until) =
            (fields.take()?.money()?, fields.take()?.moment()?, fields.take()?.moment()?);
        let (paid, cancelled) = (fields.take()?.bool()?, fields.take()?.bool()?);
        Ok((!paid).then_some(UnpaidRequest { id, customer_id, amount, made_at, kept_until, cancelled }))
    })?;
    let mut asked: Vec<UnpaidRequest> = asked.into_iter().flatten().collect();
    let mut known = Vec::new();
    if let Some(payers) = payers {
        known = Value::argument("payers", payers)?.rows(|_, row| {
            let fields = row.record(Kind::BankPayer)?;
            let customer_id = CustomerId(customers.known_or_add(&fields.take()?)?);
            Ok(Payer::by_code(customer_id, &fields.take()?.parsed(|text| Code::parse("code", text))?))
        })?;
    }
    let mut sums = Keys::default();
    let came = Value::argument("money", money)?.rows(|_, row| {
        let fields = row.record(Kind::BankMoney)?;
        sums.add(&fields.take()?)?;
        Ok((fields.take()?.money()?, fields.take()?.date()?, fields.take()?.string()?))
    })?;
    let writer = Writer::new(py)?;
    let mut answer = Vec::with_capacity(came.len());
    for (amount, on, text) in &came {
        let found = candidates(&Incoming { amount: *amount, on: *on, text }, &asked, &known, &[]);
        let paid = choose(&found, *amount, |_| Vec::new()).and_then(|one| one.request);
        answer.push(match paid {
            Some(id) => {
                asked.retain(|request| request.id != id);
                keys.name(id.0)?.clone()
            }
            None => writer.none(),
        });
    }
    PyList::new(py, answer)
}
