//! `ask_gateway`, `gateway_status`, `cancel_at_gateway`, and refunds.

use isp_core::money::Money;
use isp_core::payment::{PayChannel, RefundState};
use isp_core::ports::{Asked, CancelOutcome, GatewayAsk, PortError, RefundAnswer, RefundAsk};
use isp_core::text::{Name, Reference};
use pyo3::prelude::*;

use super::read_settings;
use super::webhook::write_notice;
use crate::convert::{Kind, Value, Writer};
use crate::error::{Failure, Refused};
use crate::runtime;

pub(crate) const CHANNELS: [(&str, PayChannel); 11] = [
    ("qris", PayChannel::Qris),
    ("va-bca", PayChannel::VaBca),
    ("va-bni", PayChannel::VaBni),
    ("va-bri", PayChannel::VaBri),
    ("va-mandiri", PayChannel::VaMandiri),
    ("va-permata", PayChannel::VaPermata),
    ("va-cimb", PayChannel::VaCimb),
    ("va-bsi", PayChannel::VaBsi),
    ("alfamart", PayChannel::Alfamart),
    ("indomaret", PayChannel::Indomaret),
    ("page", PayChannel::Page),
];

pub(crate) const CANCELLED: [(&str, CancelOutcome); 3] =
    [("cancelled", CancelOutcome::Cancelled), ("cannot", CancelOutcome::Cannot), ("too_late", CancelOutcome::TooLate)];

/// How a refund stands that a gateway answered for.
pub(crate) const REFUNDS: [(&str, RefundState); 3] =
    [("pending", RefundState::Pending), ("done", RefundState::Done), ("refused", RefundState::Refused)];

/// Asks a gateway, once, to collect an amount under your reference; says with what the customer pays.
///
/// Write down what is about to be asked before the call. ``NotReached`` and ``Refused``: nothing happened. ``OutcomeUnknown``: it
/// may have; ask ``status`` with the same reference then, and never for the money again. ``deadline`` is in seconds (20).
#[pyfunction]
#[pyo3(signature = (gateway, ask, now, *, deadline=None))]
pub(crate) fn ask_gateway<'py>(
    gateway: &Bound<'py, PyAny>,
    ask: &Bound<'py, PyAny>,
    now: &Bound<'py, PyAny>,
    deadline: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = gateway.py();
    let port = read_settings(gateway, deadline)?;
    let now = Value::argument("now", now)?.moment()?;
    let value = Value::argument("ask", ask)?;
    let fields = value.record(Kind::GatewayAsk)?;
    let reference = fields.take()?.parsed(|text| Reference::parse("reference", text))?;
    let amount = fields.take()?;
    let whole: Money = amount.money()?;
    if !whole.is_positive() {
        return Err(amount.refuse(Refused::Range { min: 1, max: i64::MAX }));
    }
    let channel = fields.take()?.word(&CHANNELS)?;
    let description = fields.take()?.string()?;
    let payer = fields.take()?.parsed(|text| Name::parse("payer", text))?;
    let expires_at = fields.take()?.moment()?;
    let ask = GatewayAsk { reference, amount: whole, channel, description, payer, now, expires_at };
    let created = runtime::wait(py, async move { port.create(&ask).await })?.map_err(raised)?;
    let mut writer = Writer::new(py)?;
    let instructions = &created.instructions;
    let fields = [
        writer.optional_text(created.provider_id.as_deref()),
        writer.optional_text(instructions.number.as_deref()),
        writer.optional_text(instructions.biller.as_deref()),
        writer.optional_text(instructions.qris.as_deref()),
        writer.optional_text(instructions.url.as_deref()),
        writer.optional_moment(created.expires_at)?,
        writer.optional_money(created.fee)?,
    ];
    writer.record(Kind::GatewayAnswer, fields)
}

/// How a request with your reference stands at a gateway; ``None`` when the gateway does not have it.
#[pyfunction]
#[pyo3(signature = (gateway, reference, *, provider_id=None, channel=None, deadline=None))]
pub(crate) fn gateway_status<'py>(
    gateway: &Bound<'py, PyAny>,
    reference: &Bound<'py, PyAny>,
    provider_id: Option<&Bound<'py, PyAny>>,
    channel: Option<&Bound<'py, PyAny>>,
    deadline: Option<&Bound<'py, PyAny>>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = gateway.py();
    let port = read_settings(gateway, deadline)?;
    let asked = read_asked(reference, provider_id, channel)?;
    let told = runtime::wait(py, async move { port.status(&asked.borrowed()).await })?.map_err(raised)?;
    told.map(|notice| write_notice(&notice, &mut Writer::new(py)?)).transpose()
}

/// Stops a gateway from taking money for a request: ``cancelled`` (it takes none any more), ``cannot`` (it ends when its time
/// runs out) or ``too_late`` (it was paid, or its state changed: ask how it stands).
#[pyfunction]
#[pyo3(signature = (gateway, reference, *, provider_id=None, channel=None, deadline=None))]
pub(crate) fn cancel_at_gateway(
    gateway: &Bound<'_, PyAny>,
    reference: &Bound<'_, PyAny>,
    provider_id: Option<&Bound<'_, PyAny>>,
    channel: Option<&Bound<'_, PyAny>>,
    deadline: Option<&Bound<'_, PyAny>>,
) -> PyResult<&'static str> {
    let py = gateway.py();
    let port = read_settings(gateway, deadline)?;
    let asked = read_asked(reference, provider_id, channel)?;
    let outcome = runtime::wait(py, async move { port.cancel(&asked.borrowed()).await })?.map_err(raised)?;
    Ok(CANCELLED.iter().find(|(_, known)| *known == outcome).map_or("cannot", |(word, _)| word))
}

/// Asks a gateway to give a payment back, or ``amount`` of it, under ``key``, which is yours and one of all refunds: the same key
/// again gives nothing back a second time. ``reference`` is that of the request that was paid.
///
/// Write down what is about to be asked before the call. ``NotReached`` and ``Refused``: nothing was given back.
/// ``OutcomeUnknown``: it may have been; ask ``refund_status`` with the same key then. ``deadline`` is in seconds (20).
#[pyfunction]
#[pyo3(signature = (gateway, reference, key, amount, *, provider_id=None, channel=None, deadline=None))]
pub(crate) fn refund_at_gateway<'py>(
    gateway: &Bound<'py, PyAny>,
    reference: &Bound<'py, PyAny>,
    key: &Bound<'py, PyAny>,
    amount: &Bound<'py, PyAny>,
    provider_id: Option<&Bound<'py, PyAny>>,
    channel: Option<&Bound<'py, PyAny>>,
    deadline: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = gateway.py();
    let port = read_settings(gateway, deadline)?;
    let of = read_asked(reference, provider_id, channel)?;
    let key = read_key(key)?;
    let value = Value::argument("amount", amount)?;
    let amount: Money = value.money()?;
    if !amount.is_positive() {
        return Err(value.refuse(Refused::Range { min: 1, max: i64::MAX }));
    }
    let told = runtime::wait(py, async move {
        port.refund(&RefundAsk { of: of.borrowed(), key: &key, amount, provider_id: None }).await
    })?;
    write_refund(&told.map_err(raised)?, &mut Writer::new(py)?)
}

/// How the refund with your key stands; ``None`` when the gateway does not have it.
#[pyfunction]
#[pyo3(signature = (gateway, reference, key, *, provider_id=None, channel=None, deadline=None))]
pub(crate) fn gateway_refund_status<'py>(
    gateway: &Bound<'py, PyAny>,
    reference: &Bound<'py, PyAny>,
    key: &Bound<'py, PyAny>,
    provider_id: Option<&Bound<'py, PyAny>>,
    channel: Option<&Bound<'py, PyAny>>,
    deadline: Option<&Bound<'py, PyAny>>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = gateway.py();
    let port = read_settings(gateway, deadline)?;
    let of = read_asked(reference, provider_id, channel)?;
    let key = read_key(key)?;
    let told = runtime::wait(py, async move {
        port.refund_status(&RefundAsk { of: of.borrowed(), key: &key, amount: Money::ZERO, provider_id: None }).await
    })?;
    told.map_err(raised)?.map(|told| write_refund(&told, &mut Writer::new(py)?)).transpose()
}

/// What a gateway takes for a key: letters, digits, dashes and underscores, at most 36.
fn read_key(key: &Bound<'_, PyAny>) -> PyResult<String> {
    let value = Value::argument("key", key)?;
    let key = value.string()?;
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if key.is_empty() || key.len() > 36 || !key.chars().all(fits) {
        let expected = "1 to 36 letters, digits, dashes and underscores".to_owned();
        return Err(value.refuse(Refused::Word { expected }));
    }
    Ok(key)
}

fn write_refund<'py>(told: &RefundAnswer, writer: &mut Writer<'py>) -> PyResult<Bound<'py, PyAny>> {
    let state = REFUNDS.iter().find(|(_, known)| *known == told.state).map_or("pending", |(word, _)| word);
    let fields = [writer.word(state), writer.optional_text(told.provider_id.as_deref()), writer.text(&told.reason)];
    writer.record(Kind::GatewayRefund, fields)
}

/// A request that is asked about.
struct Request {
    reference: Reference,
    provider_id: Option<String>,
    channel: Option<PayChannel>,
}

impl Request {
    fn borrowed(&self) -> Asked<'_> {
        Asked { reference: &self.reference, provider_id: self.provider_id.as_deref(), channel: self.channel }
    }
}

fn read_asked(
    reference: &Bound<'_, PyAny>,
    provider_id: Option<&Bound<'_, PyAny>>,
    channel: Option<&Bound<'_, PyAny>>,
) -> PyResult<Request> {
    let reference = Value::argument("reference", reference)?.parsed(|text| Reference::parse("reference", text))?;
    let provider_id = provider_id.map(|id| Value::argument("provider_id", id)?.string()).transpose()?;
    let channel = channel.map(|channel| Value::argument("channel", channel)?.word(&CHANNELS)).transpose()?;
    Ok(Request { reference, provider_id, channel })
}

fn raised(error: PortError) -> PyErr {
    Failure::from(error).exception()
}
