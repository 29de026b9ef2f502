//! `ask_payments` and `match_requests`.

use chrono::DateTime;
use isp_core::bank::{BankFormat, Clue, Mutation, Payer, candidates, choose};
use isp_core::ids::{BankFileId, CustomerId, MutationId, PaymentId, PaymentRequestId};
use isp_core::money::Money;
use isp_core::payment::{Closing, PaymentRequest, RequestPolicy};
use isp_core::text::{Code, Name};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::convert::{Keys, Kind, Place, Value, Writer, nth};
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
        let made = PaymentRequest::try_new(PaymentRequestId(key), CustomerId(key), None, debt, &kept, policy, now);
        answer.push(match made {
            Ok(asked) => {
                given.push(asked.amount);
                let (debt, amount) = (writer.money(asked.debt)?, writer.money(asked.amount)?);
                let (expires, kept) = (writer.moment(asked.expires_at)?, writer.moment(asked.kept_until)?);
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
    let (mut keys, mut customers, mut sums) = (Keys::default(), Keys::default(), Keys::default());
    let mut asked = Value::argument("requests", requests)?.rows(|_, row| {
        let fields = row.record(Kind::AskedPayment)?;
        let id = PaymentRequestId(keys.add(&fields.take()?)?);
        let customer_id = CustomerId(customers.known_or_add(&fields.take()?)?);
        let (amount, made_at, kept_until) =
            (fields.take()?.money()?, fields.take()?.moment()?, fields.take()?.moment()?);
        let (paid, cancelled) = (fields.take()?.bool()?, fields.take()?.bool()?);
        let closing = (paid || cancelled).then(|| closed(paid, made_at));
        Ok(PaymentRequest {
            id,
            customer_id,
            invoice_id: None,
            debt: amount,
            amount,
            made_at,
            expires_at: kept_until,
            kept_until,
            closing,
        })
    })?;
    let mut known = Vec::new();
    if let Some(payers) = payers {
        known = Value::argument("payers", payers)?.rows(|_, row| {
            let fields = row.record(Kind::BankPayer)?;
            let customer_id = CustomerId(customers.known_or_add(&fields.take()?)?);
            let code = fields.take()?.parsed(|text| Code::parse("code", text))?;
            // The ID alone is looked for: a name of one word never counts.
            let name = Name::parse("name", "-").map_err(|why| row.refuse(why))?;
            Ok(Payer::new(customer_id, &code, &name, None))
        })?;
    }
    let mutations = Value::argument("money", money)?.rows(|_, row| {
        let fields = row.record(Kind::BankMoney)?;
        let id = MutationId(sums.add(&fields.take()?)?);
        let (amount, on, text) = (fields.take()?.money()?, fields.take()?.date()?, fields.take()?.string()?);
        let account = Code::parse("account", "bank").map_err(|why| row.refuse(why))?;
        let file_id = BankFileId(nth(0));
        Ok(Mutation { id, account, format: BankFormat::Mt940, on, amount, text, balance: None, file_id })
    })?;
    let writer = Writer::new(py)?;
    let mut answer = Vec::with_capacity(mutations.len());
    for mutation in &mutations {
        let found = candidates(mutation, &asked, &known, &[]);
        let paid = choose(&found, mutation.amount, |_| Vec::new()).filter(|one| one.clue == Clue::Request);
        let request = paid.and_then(|one| asked.iter_mut().find(|request| Some(request.id) == one.request));
        answer.push(match request {
            Some(request) => {
                request.closing = Some(closed(true, request.made_at));
                keys.name(request.id.0)?.clone()
            }
            None => writer.none(),
        });
    }
    PyList::new(py, answer)
}

fn closed(paid: bool, at: DateTime<chrono::Utc>) -> Closing {
    Closing { at, payment_id: paid.then(|| PaymentId(nth(0))) }
}
