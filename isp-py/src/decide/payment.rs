//! `payment_identity`, `receive_payments`, `write_offs` and `correct_invoices`.

use chrono::DateTime;
use isp_core::billing::credit::correction_key;
use isp_core::billing::{Charge, CreditNote, Written};
use isp_core::calendar::Date;
use isp_core::ids::{CustomerId, OfNobody};
use isp_core::money::Money;
use isp_core::payment::withheld::{self, Withholding};
use isp_core::payment::{Heard, KnownPayment, Payment, Received, Told, write_off};
use isp_core::text::{Code, Reference, given};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::convert::{Key, Keys, Kind, Place, Value, Writer, nth};
use crate::decide::credit::{read_charge, write_note};
use crate::decide::refusal;
use crate::error::Refused;

pub(crate) const TOLD: [(&str, Told); 3] =
    [("person", Told::ByPerson), ("insisting", Told::ByPersonWhoInsists), ("machine", Told::ByMachine)];

/// What a payment is known by (rule P6): provider and reference, trimmed and without case. Keep it unique among the payments
/// that are not reversed. Slips of PPh 23 are numbered by who hands them over: where ``customer`` is given, theirs have it in them.
#[pyfunction]
#[pyo3(signature = (provider, reference, customer = None))]
pub(crate) fn payment_identity(
    provider: &Bound<'_, PyAny>,
    reference: &Bound<'_, PyAny>,
    customer: Option<&Bound<'_, PyAny>>,
) -> PyResult<String> {
    let provider = Value::argument("provider", provider)?.parsed(|text| Code::parse("provider", text))?;
    let reference = Value::argument("reference", reference)?.parsed(|text| Reference::parse("reference", text))?;
    let identity = Payment::identity(&provider, &reference);
    match customer.filter(|_| withheld::is_slip(&provider)) {
        Some(customer) => Ok(format!("{identity} {}", customer.str()?)),
        None => Ok(identity),
    }
}

/// What each payment that somebody tells of comes to: a new one, or one that is known and is not written again.
///
/// ``known`` are the payments with the same ``payment_identity``, oldest first. One that was reversed leaves the reference
/// free for a person; a machine that says the same again means the reversed one. What is refused is an ``InvalidValue`` in its
/// place: an amount of nothing, a provider's name that the program keeps, a day in the future or more than a year ago (unless
/// ``told`` is ``insisting``), a slip of PPh 23 that is no usual one (the same), a reference that is known with another customer or amount (``payment.mismatch``).
#[pyfunction]
pub(crate) fn receive_payments<'py>(
    notices: &Bound<'py, PyAny>,
    now: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyList>> {
    let py = notices.py();
    let now = Value::argument("now", now)?.moment()?;
    let rows = Value::argument("notices", notices)?.rows(|_, row| read_notice(&row))?;
    // Without the caller's names, which belong to the interpreter.
    let facts: Vec<_> = rows.iter().map(|row| (row.heard(), &row.known, &row.invoices)).collect();
    let one = |(heard, known, invoices): &(Heard<'_>, &Vec<KnownPayment>, &Vec<Withholding>)| {
        heard.received(known, invoices, now)
    };
    let told: Vec<_> = py.detach(|| facts.iter().map(one).collect());
    let mut writer = Writer::new(py)?;
    let mut answer = Vec::with_capacity(rows.len());
    for (index, (row, told)) in rows.iter().zip(told).enumerate() {
        let place = Place::nth_row(index);
        let (outcome, payment) = match told {
            Err(error) => {
                let field = match error.code() {
                    "value.not_positive" | "payment.slip_odd" | "payment.slip_twice" | "payment.slip_above_debt" => {
                        "amount"
                    }
                    "payment.reserved_provider" => "provider",
                    _ => "paid_at",
                };
                answer.push(refusal(py, error, place.then(field)));
                continue;
            }
            Ok(Received::Differs(_)) => {
                answer.push(refusal(py, Refused::PaymentMismatch, place.then("reference")));
                continue;
            }
            Ok(Received::New) => ("new", writer.none()),
            Ok(Received::Known(at)) => ("known", row.names[at].clone()),
            Ok(Received::TakenBack(at)) => ("taken_back", row.names[at].clone()),
        };
        let fields = [row.key.clone(), writer.word(outcome), payment, writer.text(&row.identity)];
        answer.push(writer.record(Kind::ReceivedPayment, fields)?);
    }
    PyList::new(py, answer)
}

/// A payment as it was given, with the caller's names.
struct Notice<'py> {
    key: Bound<'py, PyAny>,
    customer_id: CustomerId,
    provider: Code,
    identity: String,
    amount: Money,
    paid_at: DateTime<chrono::Utc>,
    told: Told,
    owed: Money,
    known: Vec<KnownPayment>,
    invoices: Vec<Withholding>,
    names: Vec<Bound<'py, PyAny>>,
}

impl Notice<'_> {
    fn heard(&self) -> Heard<'_> {
        let Self { customer_id, ref provider, amount, paid_at, told, owed, .. } = *self;
        Heard { customer_id, provider, amount, paid_at, told, owed }
    }
}

fn read_notice<'py>(row: &Value<'_, 'py>) -> PyResult<Notice<'py>> {
    let fields = row.record(Kind::PaymentNotice)?;
    let key = fields.take()?;
    key.key()?;
    let mut customers: Vec<Key> = vec![fields.take()?.key()?];
    let provider = fields.take()?.parsed(|text| Code::parse("provider", text))?;
    let reference = fields.take()?.parsed(|text| Reference::parse("reference", text))?;
    let amount = fields.take()?.money()?;
    let paid_at = fields.take()?.moment()?;
    let told = fields.take()?.word(&TOLD)?;
    let mut names = Vec::new();
    let known = fields.take()?.each(|_, known| {
        let fields = known.record(Kind::KnownPayment)?;
        let name = fields.take()?;
        name.key()?;
        names.push(name.object().clone());
        let customer = fields.take()?.key()?;
        let place = customers.iter().position(|known| *known == customer).unwrap_or_else(|| {
            customers.push(customer);
            customers.len() - 1
        });
        Ok(KnownPayment {
            customer_id: CustomerId(nth(place)),
            amount: fields.take()?.money()?,
            paid_at: fields.take()?.moment()?,
            reversed: fields.take()?.bool()?,
        })
    })?;
    let owed = fields.take()?.money_from_zero()?;
    let invoices = fields.take()?.each(|_, invoice| {
        let fields = invoice.record(Kind::Withholding)?;
        let (dpp, withheld) = (fields.take()?.money_from_zero()?, fields.take()?.money_from_zero()?);
        Ok(Withholding { dpp, withheld, open: fields.take()?.bool()? })
    })?;
    Ok(Notice {
        key: key.object().clone(),
        customer_id: CustomerId(nth(0)),
        identity: Payment::identity(&provider, &reference),
        provider,
        amount,
        paid_at,
        told,
        owed,
        known,
        invoices,
        names,
    })
}

/// How much of each invoice is given up (*penghapusan piutang*): all that is open of it. What is refused is an
/// ``InvalidValue`` in its place: without a reason or an officer, or when nothing is open (``store.not_found``).
#[pyfunction]
pub(crate) fn write_offs<'py>(wishes: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
    let py = wishes.py();
    let mut keys = Keys::default();
    let rows = Value::argument("wishes", wishes)?.rows(|_, row| {
        let fields = row.record(Kind::WriteOffWish)?;
        let invoice = keys.add(&fields.take()?)?;
        Ok((invoice, fields.take()?.money_from_zero()?, fields.take()?.string()?, fields.take()?.string()?))
    })?;
    let writer = Writer::new(py)?;
    let mut answer = Vec::with_capacity(rows.len());
    for (index, (invoice, open, by, reason)) in rows.iter().enumerate() {
        let place = Place::nth_row(index);
        answer.push(match write_off::given_up(*open, by, reason) {
            Ok(Some(amount)) => writer.record(Kind::WriteOff, [keys.name(*invoice)?.clone(), writer.money(amount)?])?,
            Ok(None) => refusal(py, Refused::NothingOpen, place.then("open")),
            Err(error) => {
                refusal(py, error, place.then(if given("reason", reason).is_err() { "reason" } else { "by" }))
            }
        });
    }
    PyList::new(py, answer)
}

/// A correction that somebody wishes, and those that were made before.
struct Wish {
    charge: Charge<OfNobody>,
    amount: Money,
    on: Date,
    reason: String,
    before: Vec<(Date, Money)>,
}

/// What gives back a part of an invoice that was wrong, PPN included, spread over its lines. The same amount of an invoice on
/// the same day is one correction: then it is ``None``. What is refused is an ``InvalidValue`` in its place: without a
/// reason, for nothing, for more than is left of the invoice.
#[pyfunction]
pub(crate) fn correct_invoices<'py>(wishes: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
    let py = wishes.py();
    let mut keys = Keys::default();
    let rows = Value::argument("wishes", wishes)?.rows(|_, row| {
        let fields = row.record(Kind::CorrectionWish)?;
        let charge = read_charge(&fields.take()?, &mut keys)?.charge;
        let amount = fields.take()?.money()?;
        let on = fields.take()?.date()?;
        let reason = fields.take()?.string()?;
        let before = fields.take()?.each(|_, before| {
            let fields = before.record(Kind::Correction)?;
            Ok((fields.take()?.date()?, fields.take()?.money()?))
        })?;
        Ok(Wish { charge, amount, on, reason, before })
    })?;
    let one = |Wish { charge, amount, on, reason, before }: &Wish| {
        given("reason", reason).map_err(|error| ("reason", error))?;
        let key = correction_key(*on, *amount);
        if before.iter().any(|(on, amount)| correction_key(*on, *amount) == key) {
            return Ok(None);
        }
        charge.correct(*amount, &key, written(*on, reason)).map(Some).map_err(|error| ("amount", error))
    };
    let made: Vec<Result<Option<CreditNote<OfNobody>>, _>> = py.detach(|| rows.iter().map(one).collect());
    let mut writer = Writer::new(py)?;
    let mut answer = Vec::with_capacity(made.len());
    for (index, made) in made.into_iter().enumerate() {
        answer.push(match made {
            Ok(Some(note)) => write_note(&note, &keys, &mut writer)?,
            Ok(None) => writer.none(),
            Err((field, error)) => refusal(py, error, Place::nth_row(index).then(field)),
        });
    }
    PyList::new(py, answer)
}

fn written(on: Date, note: &str) -> Written<'_> {
    Written { on, at: DateTime::UNIX_EPOCH, by: "", note }
}
