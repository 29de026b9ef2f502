//! `ask_payments`, `sums_owed` and `match_requests`.

use std::collections::BTreeMap;

use isp_core::bank::{Doubt, Incoming, Payer, Payers, Verdict, candidates, decide};
use isp_core::billing::Debt;
use isp_core::customer::Phone;
use isp_core::ids::{CustomerId, InvoiceId, PaymentId, PaymentRequestId};
use isp_core::money::Money;
use isp_core::payment::{self, AskedAmount, RequestPolicy, Transfer};
use isp_core::text::{Code, Name};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

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

/// The sums that each customer may be paying: those that an own amount must not be, and by which ``BankMoney`` is ``owed_by``.
#[pyfunction]
pub(crate) fn sums_owed<'py>(debts: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
    let py = debts.py();
    let mut customers = Keys::default();
    let open = Value::argument("debts", debts)?.rows(|nth, row| {
        let fields = row.record(Kind::OwedDebt)?;
        let customer_id = CustomerId(customers.known_or_add(&fields.take()?)?);
        let (issue_date, due_date) = (fields.take()?.date()?, fields.take()?.date()?);
        let (total, number) = (fields.take()?.money_from_zero()?, nth as u64);
        let invoice_id = InvoiceId(uuid::Uuid::from_u128(nth as u128));
        Ok((customer_id, Debt { invoice_id, number, issue_date, due_date, total, paid: Money::ZERO }))
    })?;
    let writer = Writer::new(py)?;
    let mut answer = Vec::new();
    for (sum, of) in payment::sums_owed(open.iter().map(|(customer_id, debt)| (*customer_id, debt))) {
        for customer_id in of {
            let amount = writer.money(sum)?;
            answer.push(writer.record(Kind::OwedSum, [customers.name(customer_id.0)?.clone(), amount])?);
        }
    }
    PyList::new(py, answer)
}

/// What becomes of each sum of money that came to an account: the request whose money it is, the payment that it is when that was
/// booked before its bank told of it, or why a person is asked. A request is paid once.
#[pyfunction]
#[pyo3(signature = (money, requests, payers = None))]
pub(crate) fn match_requests<'py>(
    money: &Bound<'py, PyAny>,
    requests: &Bound<'py, PyAny>,
    payers: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let py = money.py();
    let (mut keys, mut customers, mut payments) = (Keys::default(), Keys::default(), Keys::default());
    let mut transfers: BTreeMap<PaymentRequestId, Vec<Transfer>> = BTreeMap::new();
    let mut asked = Value::argument("requests", requests)?.rows(|_, row| {
        let fields = row.record(Kind::AskedPayment)?;
        let id = PaymentRequestId(keys.add(&fields.take()?)?);
        let customer_id = CustomerId(customers.known_or_add(&fields.take()?)?);
        let (amount, made_at, kept_until) =
            (fields.take()?.money()?, fields.take()?.moment()?, fields.take()?.moment()?);
        let (paid, cancelled) = (fields.take()?.bool()?, fields.take()?.bool()?);
        let of = fields.take()?.each(|_, row| {
            let fields = row.record(Kind::Transfer)?;
            let payment_id = PaymentId(payments.known_or_add(&fields.take()?)?);
            let (amount, on, booked_at) = (fields.take()?.money()?, fields.take()?.date()?, fields.take()?.moment()?);
            Ok(Transfer { payment_id, amount, on, booked_at })
        })?;
        transfers.insert(id, of);
        Ok(AskedAmount { id, customer_id, amount, made_at, kept_until, cancelled, paid })
    })?;
    let mut known = Payers::default();
    if let Some(payers) = payers {
        known = Value::argument("payers", payers)?
            .rows(|_, row| {
                let fields = row.record(Kind::BankPayer)?;
                let customer_id = CustomerId(customers.known_or_add(&fields.take()?)?);
                let code = fields.take()?.parsed(|text| Code::parse("code", text))?;
                // A name or a number that is none says nothing.
                let name = fields.take()?.text(|text| Name::parse("name", text).ok())?;
                let phone = fields.take()?.text(|text| Phone::parse(text).ok())?;
                Ok(Payer::new(customer_id, &code, name.as_ref(), phone))
            })?
            .into_iter()
            .collect();
    }
    let mut sums = Keys::default();
    let came = Value::argument("money", money)?.rows(|_, row| {
        let fields = row.record(Kind::BankMoney)?;
        let key = sums.add(&fields.take()?)?;
        let (amount, on, text) = (fields.take()?.money()?, fields.take()?.date()?, fields.take()?.string()?);
        let mut each = |list: Value<'_, 'py>| list.each(|_, key| Ok(CustomerId(customers.known_or_add(&key)?)));
        let said = fields.take()?.optional().map(&mut each).transpose()?;
        Ok((key, amount, on, text, said, each(fields.take()?)?))
    })?;
    let writer = Writer::new(py)?;
    let mut answer = Vec::with_capacity(came.len());
    for (key, amount, on, text, said, owed_by) in &came {
        let money = Incoming { amount: *amount, on: *on, text, said: said.as_deref(), owed_by };
        let found = candidates(&money, &asked, &known, &[]);
        let request = found.first().and_then(|one| one.request);
        let of = request.and_then(|request| transfers.get(&request.id)).map_or(&[][..], Vec::as_slice);
        let (pays, payment, doubt) = match decide(&found, &money, of) {
            // Nobody was asked for this amount: it is no matter of requests.
            _ if request.is_none() => (None, None, None),
            Verdict::Pays(_) => (request, None, None),
            Verdict::Is(_, payment) => (request, Some(payment), None),
            Verdict::Asks(doubt, payment) => (None, payment, Some(doubt)),
        };
        if let Some(pays) = pays {
            asked.iter_mut().filter(|one| one.id == pays.id).for_each(|one| one.paid = true);
            transfers.values_mut().for_each(|of| of.retain(|transfer| Some(transfer.payment_id) != payment));
        }
        let named = |known: &Keys<'py>, id: Option<uuid::Uuid>| {
            id.map_or_else(|| Ok(writer.none()), |id| known.name(id).cloned())
        };
        let whose = found.iter().map(|one| customers.name(one.customer_id.0).cloned()).collect::<PyResult<Vec<_>>>()?;
        let fields = [
            sums.name(*key)?.clone(),
            named(&keys, pays.map(|one| one.id.0))?,
            named(&payments, payment.map(|one| one.0))?,
            writer.optional_text(doubt.map(Doubt::code)),
            PyTuple::new(py, whose)?.into_any(),
        ];
        answer.push(writer.record(Kind::MoneyMatch, fields)?);
    }
    PyList::new(py, answer)
}
