//! Channels, templates and messages as Python gives them.

use isp_core::customer::Phone;
use isp_core::ids::{OutboxId, TenantId};
use isp_core::message::notification::{MessageContent, OutgoingMessage};
use isp_core::text::Name;
use isp_core::{Date, Error};
use isp_whatsapp::catalog::TemplateCatalog;
use isp_whatsapp::cloud::CloudConfig;
use isp_whatsapp::error::WhatsAppError;
use isp_whatsapp::notification::{TemplateKind, TemplateMessage};
use isp_whatsapp::outcome::ConfigFault;
use isp_whatsapp::template::{ParameterFormat, Template};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use crate::convert::{Keys, Kind, Value};
use crate::decide::LANGUAGES;
use crate::error::Refused;

pub(crate) const TEMPLATE_KINDS: [(&str, TemplateKind); 6] = [
    ("due_soon", TemplateKind::DueSoon),
    ("overdue", TemplateKind::Overdue),
    ("isolated", TemplateKind::Isolated),
    ("isolated_by_hand", TemplateKind::IsolatedByHand),
    ("payment_received", TemplateKind::PaymentReceived),
    ("reopened", TemplateKind::Reopened),
];
const CONTENTS: [Kind; 5] = [Kind::DueSoon, Kind::Overdue, Kind::Isolated, Kind::PaymentReceived, Kind::Reopened];

/// The longest text that Meta gives back with a status.
const CALLBACK_LIMIT: usize = 512;

/// Which placeholders a text of each kind may have.
pub(crate) fn parameters_of(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let table = PyDict::new(py);
    for (word, kind) in TEMPLATE_KINDS {
        table.set_item(word, PyTuple::new(py, kind.told())?)?;
    }
    Ok(table)
}

/// A message with the text that comes back with its statuses.
pub(super) struct Letter {
    /// What is sent.
    pub(super) message: OutgoingMessage,
    /// What comes back.
    pub(super) callback: String,
}

/// The texts that the messages would have, as the customers would read them. Nothing is sent.
///
/// ``templates`` take the place of the standard texts of their kind and language.
#[pyfunction]
#[pyo3(signature = (messages, *, templates=None))]
pub(crate) fn preview_messages<'py>(
    messages: &Bound<'py, PyAny>,
    templates: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let py = messages.py();
    let catalog = catalog_or_standard(templates)?;
    let mut keys = Keys::default();
    let letters = self::messages(&Value::argument("messages", messages)?, &mut keys)?;
    let texts: Vec<Result<String, ConfigFault>> = py.detach(|| {
        let text = |letter: &Letter| Ok(TemplateMessage::compose(&catalog, &letter.message)?.text().to_owned());
        letters.iter().map(text).collect()
    });
    let text = |text: Result<String, ConfigFault>| {
        // Both kinds of fault are found when the catalog is read.
        text.map_err(|fault| pyo3::exceptions::PyRuntimeError::new_err(format!("no text: {fault:?}")))
    };
    PyList::new(py, texts.into_iter().map(text).collect::<PyResult<Vec<_>>>()?)
}

/// The request body, as JSON, that registers each text with Meta: the standard ones, or ``templates`` in their place.
#[pyfunction]
#[pyo3(signature = (templates=None))]
pub(crate) fn template_registrations(templates: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<String>> {
    Ok(catalog_or_standard(templates)?.templates().map(|template| template.registration().to_string()).collect())
}

/// Reads the argument `channel`.
pub(super) fn channel(given: &Bound<'_, PyAny>) -> PyResult<CloudConfig> {
    let given = Value::argument("channel", given)?;
    let fields = given.record(Kind::Channel)?;
    let number = fields.take()?.string()?;
    let mut config = CloudConfig::new(number, fields.take()?.string()?.into());
    if let Some(address) = fields.take()?.optional_string()? {
        config = config.with_base_url(address);
    }
    if let Some(version) = fields.take()?.optional_string()? {
        config = config.with_graph_version(version);
    }
    Ok(config.with_templates(catalog(&fields.take()?)?))
}

/// Reads messages.
pub(super) fn messages<'py>(list: &Value<'_, 'py>, keys: &mut Keys<'py>) -> PyResult<Vec<Letter>> {
    list.rows(|_, row| {
        let fields = row.record(Kind::Message)?;
        keys.add(&fields.take()?)?;
        let callback = fields.take()?;
        let text = callback.string()?;
        if text.is_empty() {
            return Err(callback.refuse(Error::Empty { field: "callback" }));
        }
        if text.len() > CALLBACK_LIMIT {
            return Err(callback.refuse(Error::TooLong { field: "callback", max: CALLBACK_LIMIT }));
        }
        let to = fields.take()?.parsed(Phone::parse)?;
        let name = fields.take()?.parsed(|text| Name::parse("name", text))?;
        let content = read_content(&fields.take()?)?;
        let language = fields.take()?.word(&LANGUAGES)?;
        // The callback stands for both ids.
        let id = OutboxId(uuid::Uuid::nil());
        Ok(Letter {
            message: OutgoingMessage {
                id,
                tenant: TenantId::DEFAULT,
                to,
                language,
                name,
                content,
                demand: None,
                sender: None,
            },
            callback: text,
        })
    })
}

fn read_content(content: &Value<'_, '_>) -> PyResult<MessageContent> {
    let Some(kind) = content.kind_of(&CONTENTS)? else {
        return Err(content.wrong_type("DueSoon, Overdue, Isolated, PaymentReceived or Reopened"));
    };
    let fields = content.record(kind)?;
    let package = |value: Value<'_, '_>| value.parsed(|text| Name::parse("package", text));
    let numbers = |value: Value<'_, '_>| value.each(|_, number| number.string());
    let day = |value: Value<'_, '_>| -> PyResult<Date> { value.date() };
    Ok(match kind {
        Kind::DueSoon => MessageContent::DueSoon {
            package: package(fields.take()?)?,
            invoices: numbers(fields.take()?)?,
            amount: fields.take()?.money_from_zero()?,
            due_date: day(fields.take()?)?,
        },
        Kind::Overdue => MessageContent::Overdue {
            package: package(fields.take()?)?,
            invoices: numbers(fields.take()?)?,
            amount: fields.take()?.money_from_zero()?,
            due_date: day(fields.take()?)?,
            days_late: fields.take()?.int(0, i64::from(u16::MAX))?,
            isolation_date: day(fields.take()?)?,
        },
        Kind::Isolated => MessageContent::Isolated {
            package: package(fields.take()?)?,
            amount: fields.take()?.money_from_zero()?,
            since: day(fields.take()?)?,
        },
        Kind::PaymentReceived => MessageContent::PaymentReceived {
            amount: fields.take()?.money_from_zero()?,
            reference: fields.take()?.string()?,
            paid_on: day(fields.take()?)?,
            still_open: fields.take()?.money_from_zero()?,
        },
        _ => MessageContent::Reopened { package: package(fields.take()?)?, since: day(fields.take()?)? },
    })
}

/// The argument `templates`: the standard texts, and these in their place.
pub(crate) fn catalog_or_standard(templates: Option<&Bound<'_, PyAny>>) -> PyResult<TemplateCatalog> {
    templates.map_or_else(|| Ok(TemplateCatalog::standard()), |given| catalog(&Value::argument("templates", given)?))
}

fn catalog(templates: &Value<'_, '_>) -> PyResult<TemplateCatalog> {
    let mut catalog = TemplateCatalog::standard();
    templates.each(|_, row| {
        let fields = row.record(Kind::MessageTemplate)?;
        let kind = fields.take()?.word(&TEMPLATE_KINDS)?;
        let language = fields.take()?.word(&LANGUAGES)?;
        let (name, body) = (fields.take()?.string()?, fields.take()?);
        let format = if fields.take()?.bool()? { ParameterFormat::Positional } else { ParameterFormat::Named };
        let make = |text: &str| Template::try_new(name, language.code(), format, text);
        let template = body.parsed(make)?;
        if template.parameters().iter().any(|name| !kind.told().contains(&name.as_str())) {
            let unknown = WhatsAppError::BadTemplate("a parameter does not exist for this kind of message");
            return Err(body.refuse(Refused::from(unknown)));
        }
        let before = std::mem::replace(&mut catalog, TemplateCatalog::standard());
        catalog = before.with(kind, language, template).map_err(|error| body.refuse(Refused::from(error)))?;
        Ok(())
    })?;
    Ok(catalog)
}
