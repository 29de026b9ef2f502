//! Webhooks: verified over the raw bytes, parsed, folded.

use isp_whatsapp::graph::GraphCode;
use isp_whatsapp::personal::Personal;
use isp_whatsapp::webhook::{Delivery, Event, InboundKind, InboundMessage, Status, StatusUpdate, Webhook};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::convert::{Keys, Kind, Value, Writer};
use crate::error::not_verified;

/// Checks ``signature`` (the ``X-Hub-Signature-256`` header, or ``None``) against the bytes of the body as they came.
///
/// Raises ``NotVerified`` with code ``webhook.signature_missing`` or ``webhook.signature_mismatch``: answer 401. A body
/// that was parsed and written again has other bytes and does not pass.
#[pyfunction]
pub(crate) fn verify_webhook(
    app_secret: &Bound<'_, PyAny>,
    signature: Option<&Bound<'_, PyAny>>,
    body: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let (webhook, signature, body) = read_request(app_secret, signature, body)?;
    app_secret.py().detach(|| webhook.verify(signature.as_deref(), &body)).map_err(not_verified)
}

/// Verifies, then reads what a webhook says, in the order of the body, duplicates included.
///
/// What this version does not act upon is left out. Raises ``NotVerified`` like ``verify``, and with code
/// ``webhook.malformed`` for a signed body that is no WhatsApp notification: answer 400.
#[pyfunction]
pub(crate) fn receive_webhook<'py>(
    app_secret: &Bound<'py, PyAny>,
    signature: Option<&Bound<'py, PyAny>>,
    body: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyList>> {
    let py = app_secret.py();
    let (webhook, signature, body) = read_request(app_secret, signature, body)?;
    let events = py.detach(|| webhook.receive(signature.as_deref(), &body)).map_err(not_verified)?;
    let mut writer = Writer::new(py)?;
    let mut rows = Vec::with_capacity(events.len());
    for event in &events {
        match event {
            Event::Status(status) => rows.push(write_status(status, &mut writer)?),
            Event::Inbound(message) => rows.push(write_inbound(message, &mut writer)?),
            Event::Template(template) => {
                let fields = [
                    writer.text(&template.name),
                    writer.text(&template.language),
                    writer.text(&template.event),
                    writer.optional_text(template.reason.as_deref()),
                ];
                rows.push(writer.record(Kind::TemplateEvent, fields)?);
            }
            _ => {}
        }
    }
    PyList::new(py, rows)
}

/// The text with which to answer Meta's GET request that subscribes a webhook, from its query string.
///
/// Raises ``NotVerified`` with code ``webhook.subscription_refused``: answer 403.
#[pyfunction]
pub(crate) fn answer_subscription(verify_token: &Bound<'_, PyAny>, query: &Bound<'_, PyAny>) -> PyResult<String> {
    let token = Value::argument("verify_token", verify_token)?.string()?;
    let query = Value::argument("query", query)?.string()?;
    Webhook::new(String::new().into(), token.into()).subscribe(&query).map_err(not_verified)
}

/// Where each message has got to after what was reported, whatever the order and however often.
///
/// A later word of a lower rank changes nothing: ``queued``, ``sent``, ``failed``, ``delivered``, ``read``.
#[pyfunction]
pub(crate) fn fold_statuses<'py>(messages: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
    let py = messages.py();
    let mut keys = Keys::default();
    let facts = Value::argument("messages", messages)?.rows(|_, row| {
        let fields = row.record(Kind::DeliveryFacts)?;
        keys.add(&fields.take()?)?;
        let statuses = fields.take()?.each(|_, reported| {
            let fields = reported.record(Kind::ReportedStatus)?;
            let word = fields.take()?.word(&STATUSES)?;
            Ok(with_code(word, read_code(fields.take()?)?))
        })?;
        let state = fields.take()?.word(&STATES)?;
        let code = read_code(fields.take()?)?;
        Ok((if let Delivery::Failed(_) = state { Delivery::Failed(code) } else { state }, statuses))
    })?;
    let folded: Vec<Delivery> =
        py.detach(|| facts.into_iter().map(|(state, all)| all.into_iter().fold(state, Delivery::fold)).collect());
    let mut writer = Writer::new(py)?;
    let mut rows = Vec::with_capacity(folded.len());
    for (state, key) in folded.into_iter().zip(keys.objects()) {
        let (word, code) = match state {
            Delivery::Queued => ("queued", None),
            Delivery::Sent => ("sent", None),
            Delivery::Failed(code) => ("failed", code),
            Delivery::Delivered => ("delivered", None),
            _ => ("read", None),
        };
        let fields = [key.clone(), writer.word(word), writer.optional_int(code.map(|GraphCode(code)| code))?];
        rows.push(writer.record(Kind::Delivery, fields)?);
    }
    PyList::new(py, rows)
}

/// The words for what Meta reports.
pub(crate) const STATUSES: [(&str, Status); 4] = [
    ("sent", Status::Sent),
    ("delivered", Status::Delivered),
    ("read", Status::Read),
    ("failed", Status::Failed(None)),
];
pub(crate) const STATES: [(&str, Delivery); 5] = [
    ("queued", Delivery::Queued),
    ("sent", Delivery::Sent),
    ("failed", Delivery::Failed(None)),
    ("delivered", Delivery::Delivered),
    ("read", Delivery::Read),
];

/// The status with the code that a failure has.
pub(crate) fn with_code(status: Status, code: Option<GraphCode>) -> Status {
    if let Status::Failed(_) = status { Status::Failed(code) } else { status }
}

/// Meta's number, or `None`.
pub(crate) fn read_code(code: Value<'_, '_>) -> PyResult<Option<GraphCode>> {
    code.optional().map(|v| Ok(GraphCode(v.int(0, i64::from(i32::MAX))?))).transpose()
}

type Request = (Webhook, Option<String>, Vec<u8>);

fn read_request(
    app_secret: &Bound<'_, PyAny>,
    signature: Option<&Bound<'_, PyAny>>,
    body: &Bound<'_, PyAny>,
) -> PyResult<Request> {
    let secret = Value::argument("app_secret", app_secret)?.string()?;
    let signature = signature.map(|s| Value::argument("signature", s)?.string()).transpose()?;
    let body = Value::argument("body", body)?.bytes()?;
    Ok((Webhook::new(secret.into(), String::new().into()), signature, body))
}

fn write_status<'py>(status: &StatusUpdate, writer: &mut Writer<'py>) -> PyResult<Bound<'py, PyAny>> {
    let word = STATUSES.iter().find(|(_, known)| with_code(*known, status.failure()) == status.status);
    let pricing = status.pricing.as_ref();
    let fields = [
        writer.text(&status.message_id),
        writer.word(word.map_or("sent", |(word, _)| word)),
        writer.moment(status.at)?,
        writer.optional_text(status.callback_data.as_deref()),
        writer.optional_int(status.failure().map(|GraphCode(code)| code))?,
        pricing.map_or_else(|| writer.none(), |pricing| writer.bool(pricing.billable)),
        writer.optional_text(pricing.map(|pricing| pricing.category.as_str())),
    ];
    writer.record(Kind::StatusEvent, fields)
}

fn write_inbound<'py>(message: &InboundMessage, writer: &mut Writer<'py>) -> PyResult<Bound<'py, PyAny>> {
    let (kind, text) = match &message.kind {
        InboundKind::Text(text) => ("text", Some(text.reveal())),
        InboundKind::Button(payload) => ("button", Some(payload.as_str())),
        InboundKind::Other(word) => (word.as_str(), None),
        _ => ("other", None),
    };
    let fields = [
        writer.text(&message.message_id),
        writer.moment(message.at)?,
        writer.optional_text(message.from.as_ref().map(Personal::reveal)),
        writer.text(kind),
        writer.optional_text(text),
        writer.optional_text(message.in_reply_to.as_deref()),
    ];
    writer.record(Kind::InboundEvent, fields)
}
