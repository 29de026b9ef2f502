//! `GatewaySettings`.

use std::time::Duration;

use isp_core::ports::PaymentGateway;
use isp_core::text::Code;
use isp_payment::{GatewayKind, GatewaySettings};
use pyo3::prelude::*;
use secrecy::ExposeSecret;

use crate::convert::{Kind, Value, Writer};

pub(crate) const KINDS: [(&str, GatewayKind); 4] = [
    ("midtrans", GatewayKind::Midtrans),
    ("xendit", GatewayKind::Xendit),
    ("tripay", GatewayKind::Tripay),
    ("duitku", GatewayKind::Duitku),
];

/// The gateway of these settings; connects to nothing.
pub(crate) fn read_settings(
    gateway: &Bound<'_, PyAny>,
    deadline: Option<&Bound<'_, PyAny>>,
) -> PyResult<Box<dyn PaymentGateway>> {
    let value = Value::argument("gateway", gateway)?;
    let fields = value.record(Kind::GatewaySettings)?;
    let name = fields.take()?.parsed(|text| Code::parse("name", text))?;
    let kind = fields.take()?.word(&KINDS)?;
    let mut settings = GatewaySettings::new(name, kind, fields.take()?.string()?.into());
    settings.sandbox = fields.take()?.bool()?;
    settings.merchant = fields.take()?.string()?;
    settings.webhook_key = fields.take()?.string()?.into();
    settings.email = fields.take()?.string()?;
    settings.callback_url = fields.take()?.optional_string()?;
    settings.base_url = fields.take()?.optional_string()?;
    if let Some(deadline) = deadline {
        settings.deadline = seconds(deadline)?;
    }
    isp_payment::gateway(settings).map_err(|error| value.refuse(error))
}

fn seconds(deadline: &Bound<'_, PyAny>) -> PyResult<Duration> {
    Value::argument("deadline", deadline)?.seconds()
}

/// Settings as Python has them: of a simulator.
pub(crate) fn write_settings<'py>(settings: &GatewaySettings, writer: &mut Writer<'py>) -> PyResult<Bound<'py, PyAny>> {
    let fields = [
        writer.text(settings.name.as_str()),
        writer.word(settings.kind.name()),
        writer.text(settings.key.expose_secret()),
        writer.bool(settings.sandbox),
        writer.text(&settings.merchant),
        writer.text(settings.webhook_key.expose_secret()),
        writer.text(&settings.email),
        writer.optional_text(settings.callback_url.as_deref()),
        writer.optional_text(settings.base_url.as_deref()),
    ];
    writer.record(Kind::GatewaySettings, fields)
}
