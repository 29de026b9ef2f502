//! Channels, templates and messages as Python gives them.

use isp_core::customer::Phone;
use isp_core::ids::{OutboxId, TenantId};
use isp_core::message::notification::{MessageContent, OutgoingMessage};
use isp_core::message::{Demand, Owed, Sender};
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

use crate::convert::{Keys, Kind, Place, Value};
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

/// Which placeholders a text of each kind may have, with those that need a sender or not.
pub(crate) fn parameters_of(py: Python<'_>, with_sender: bool) -> PyResult<Bound<'_, PyDict>> {
    let table = PyDict::new(py);
    for (word, kind) in TEMPLATE_KINDS {
        let names = if with_sender { kind.parameters() } else { kind.told().to_vec() };
        table.set_item(word, PyTuple::new(py, names)?)?;
    }
    Ok(table)
}

/// A message with the text that comes back with its statuses.
pub(super) struct Letter {
    /// What is sent.
    pub(super) message: OutgoingMessage,
    /// What comes back.
    pub(super) callback: String,
    /// How often it was tried before.
    pub(super) attempts: u32,
}

/// The texts that the messages would have, as the customers would read them. Nothing is sent.
///
/// ``templates`` take the place of the standard texts of their kind and language; with a ``sender`` the standard texts are those
/// that name it, everything that is owed and how to pay.
#[pyfunction]
#[pyo3(signature = (messages, *, templates=None, sender=None))]
pub(crate) fn preview_messages<'py>(
    messages: &Bound<'py, PyAny>,
    templates: Option<&Bound<'py, PyAny>>,
    sender: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let py = messages.py();
    let sender = sender.map(read_sender_argument).transpose()?.flatten();
    let catalog = catalog_or_standard(templates, sender.is_some())?;
    let mut keys = Keys::default();
    let letters = self::messages(&Value::argument("messages", messages)?, &mut keys, sender.as_ref())?;
    let texts: Vec<Result<String, ConfigFault>> = py.detach(|| {
        let text = |letter: &Letter| Ok(TemplateMessage::compose(&catalog, &letter.message)?.text().to_owned());
        letters.iter().map(text).collect()
    });
    let mut answer = Vec::with_capacity(texts.len());
    for (row, text) in texts.into_iter().enumerate() {
        // A text that asks for all that is owed, and a message that does not say it.
        let unsaid = |fault| match fault {
            ConfigFault::NoValue { parameter } => Refused::NoValue { parameter }.at(Place::nth_row(row).then("demand")),
            fault => pyo3::exceptions::PyRuntimeError::new_err(format!("no text: {fault:?}")),
        };
        answer.push(text.map_err(unsaid)?);
    }
    PyList::new(py, answer)
}

/// The request body, as JSON, that registers each text with Meta: the standard ones, or ``templates`` in their place. With
/// ``sender`` (true) the standard texts are those that name the provider.
#[pyfunction]
#[pyo3(signature = (templates=None, *, sender=false))]
pub(crate) fn template_registrations(templates: Option<&Bound<'_, PyAny>>, sender: bool) -> PyResult<Vec<String>> {
    Ok(catalog_or_standard(templates, sender)?
        .templates()
        .map(|template| template.registration().to_string())
        .collect())
}

/// Reads the argument `channel`, and who asks in its messages.
pub(super) fn channel(given: &Bound<'_, PyAny>) -> PyResult<(CloudConfig, Option<Sender>)> {
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
    let templates = fields.take()?;
    let sender = read_sender(fields.take()?)?;
    let config = config.with_templates(catalog(&templates, sender.is_some())?);
    Ok((config, sender))
}

/// Reads the argument `sender`.
pub(crate) fn read_sender_argument(given: &Bound<'_, PyAny>) -> PyResult<Option<Sender>> {
    read_sender(Value::argument("sender", given)?)
}

fn read_sender(given: Value<'_, '_>) -> PyResult<Option<Sender>> {
    let Some(given) = given.optional() else { return Ok(None) };
    let fields = given.record(Kind::Sender)?;
    let name = fields.take()?.parsed(|text| Name::parse("provider.name", text))?;
    let pay_to = fields.take()?.each(|_, way| way.string())?;
    let contact = fields.take()?.optional_string()?;
    Sender { name, pay_to, contact }.checked().map(Some).map_err(|error| given.refuse(error))
}

fn read_demand(given: Value<'_, '_>) -> PyResult<Option<Demand>> {
    let Some(given) = given.optional() else { return Ok(None) };
    let fields = given.record(Kind::Demand)?;
    let owed = fields.take()?.each(|_, one| {
        let fields = one.record(Kind::Owed)?;
        let (number, amount) = (fields.take()?.string()?, fields.take()?.money_from_zero()?);
        Ok(Owed { number, amount, due_date: fields.take()?.date()? })
    })?;
    let (total, overdue) = (fields.take()?.money_from_zero()?, fields.take()?.money_from_zero()?);
    let (isolation_date, isolated) = (fields.take()?.optional_date()?, fields.take()?.bool()?);
    let demand = Demand { owed, total, overdue, isolation_date, isolated };
    Ok((!demand.owed.is_empty()).then_some(demand))
}

/// Reads messages of a sender.
pub(super) fn messages<'py>(
    list: &Value<'_, 'py>,
    keys: &mut Keys<'py>,
    sender: Option<&Sender>,
) -> PyResult<Vec<Letter>> {
    list.rows(|_, row| {
        let fields = row.record(Kind::Message)?;
        let id = OutboxId(keys.add(&fields.take()?)?);
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
        let demand = read_demand(fields.take()?)?;
        let attempts = fields.take()?.int(0, i64::from(u32::MAX))?;
        let link = fields.take()?.optional();
        let link = link.map(|link| link.parsed(|text| Name::parse("link", text))).transpose()?;
        let mut sender = sender.cloned();
        // A link to the customer's page stands beside the ways to pay of what asks for money.
        if let (Some(sender), Some(link), true) = (&mut sender, link, content.asks_for_money()) {
            sender.pay_to.push(link.to_string());
        }
        Ok(Letter {
            message: OutgoingMessage { id, tenant: TenantId::DEFAULT, to, language, name, content, demand, sender },
            callback: text,
            attempts,
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

/// The argument `templates`: the standard texts, with those that name a sender or not, and these in their place.
pub(crate) fn catalog_or_standard(
    templates: Option<&Bound<'_, PyAny>>,
    with_sender: bool,
) -> PyResult<TemplateCatalog> {
    let standard = || Ok(standard(with_sender));
    templates.map_or_else(standard, |given| catalog(&Value::argument("templates", given)?, with_sender))
}

fn standard(with_sender: bool) -> TemplateCatalog {
    if with_sender { TemplateCatalog::with_sender() } else { TemplateCatalog::standard() }
}

fn catalog(templates: &Value<'_, '_>, with_sender: bool) -> PyResult<TemplateCatalog> {
    let mut catalog = standard(with_sender);
    templates.each(|_, row| {
        let fields = row.record(Kind::MessageTemplate)?;
        let kind = fields.take()?.word(&TEMPLATE_KINDS)?;
        let language = fields.take()?.word(&LANGUAGES)?;
        let (name, body) = (fields.take()?.string()?, fields.take()?);
        let format = if fields.take()?.bool()? { ParameterFormat::Positional } else { ParameterFormat::Named };
        let make = |text: &str| Template::try_new(name, language.code(), format, text);
        let template = body.parsed(make)?;
        let known = if with_sender { kind.parameters() } else { kind.told().to_vec() };
        if template.parameters().iter().any(|name| !known.contains(&name.as_str())) {
            let unknown = WhatsAppError::BadTemplate("a parameter does not exist for this kind of message");
            return Err(body.refuse(Refused::from(unknown)));
        }
        let before = std::mem::replace(&mut catalog, TemplateCatalog::standard());
        catalog = before.with(kind, language, template).map_err(|error| body.refuse(Refused::from(error)))?;
        Ok(())
    })?;
    Ok(catalog)
}
