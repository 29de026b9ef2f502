//! `receive_gateway_webhook` and `gateway_acknowledgement`.

use isp_core::payment::{NoticeRefused, NoticeState, PaymentNotice};
use pyo3::prelude::*;

use super::read_settings;
use crate::convert::{Kind, Value, Writer};
use crate::error::not_believed;

pub(crate) const STATES: [NoticeState; 5] =
    [NoticeState::Pending, NoticeState::Paid, NoticeState::Expired, NoticeState::Cancelled, NoticeState::Refunded];

/// What a webhook of a gateway says, checked over the bytes as they came; ``None`` when it is about no payment, and there is
/// nothing to do.
///
/// ``headers`` are pairs of name and value, as they came. Only a notice that is ``sure`` may be acted upon: of another one ask
/// ``status``. Raises ``NotVerified``: answer 401 for ``webhook.signature_missing`` and ``webhook.signature_mismatch``, 503 for
/// ``webhook.not_set_up``, else 400. Answer what was read with ``acknowledgement``.
#[pyfunction]
pub(crate) fn receive_gateway_webhook<'py>(
    gateway: &Bound<'py, PyAny>,
    headers: Vec<(String, String)>,
    body: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let port = read_settings(gateway, None)?;
    let body = Value::argument("body", body)?.bytes()?;
    match port.read(&headers, &body) {
        Ok(notice) => Ok(Some(write_notice(&notice, &mut Writer::new(gateway.py())?)?)),
        Err(NoticeRefused::NotAPayment) => Ok(None),
        Err(refused) => Err(not_believed(refused)),
    }
}

/// The body of the answer, with status 200, by which a gateway knows that its webhook arrived.
#[pyfunction]
pub(crate) fn gateway_acknowledgement(gateway: &Bound<'_, PyAny>) -> PyResult<&'static str> {
    Ok(read_settings(gateway, None)?.acknowledgement())
}

/// A notice as Python has it.
pub(super) fn write_notice<'py>(notice: &PaymentNotice, writer: &mut Writer<'py>) -> PyResult<Bound<'py, PyAny>> {
    let fields = [
        writer.text(notice.reference.as_str()),
        writer.text(notice.provider_id.as_str()),
        writer.word(notice.state.code()),
        writer.money(notice.gross)?,
        writer.money(notice.payer_fee)?,
        writer.optional_money(notice.fee)?,
        writer.optional_moment(notice.paid_at)?,
        writer.optional_text(notice.channel.as_deref()),
        writer.bool(notice.sure),
    ];
    writer.record(Kind::GatewayNotice, fields)
}
