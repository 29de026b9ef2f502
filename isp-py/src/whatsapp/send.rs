//! `send_messages`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use futures::StreamExt;
use isp_core::ids::{CustomerId, NAMES, derive};
use isp_core::message::channel::{Consequence, Fate, Held, Resting};
use isp_core::ports::{Messenger, SendOutcome};
use isp_whatsapp::cloud::CloudClient;
use isp_whatsapp::graph::GraphCode;
use isp_whatsapp::notification::TemplateMessage;
use isp_whatsapp::outcome::{ConfigFault, DownCause, Outcome, RetryScope, Unreachable};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::convert::{Keys, Kind, Place, Value, Writer};
use crate::error::Refused;
use crate::runtime;
use crate::whatsapp::message::{self, Letter};

/// Messages on the way at the same time: at 0.2 s an answer this keeps below Meta's 80 a second.
const AT_ONCE: usize = 8;
const DEADLINE: Duration = Duration::from_secs(20);

/// Sends each message once through Meta's Cloud API; what became of them is in the order of the messages.
///
/// Nothing is repeated and nothing raised on behalf of one message. The channel is asked first, without a message, and one goes
/// alone. What rests (rule N8) is not tried: every message once the number or the account does not take any, those of a template or
/// to a recipient that has to wait. ``fate`` says what to do with each. ``deadline`` is in seconds for each message (20).
/// Write down what is about to be sent before the call: Ctrl-C, or a crash, leaves the messages on the way unknown.
#[pyfunction]
#[pyo3(signature = (channel, messages, *, deadline=None))]
pub(crate) fn send_messages<'py>(
    channel: &Bound<'py, PyAny>,
    messages: &Bound<'py, PyAny>,
    deadline: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let py = messages.py();
    let deadline = deadline.map_or(Ok(DEADLINE), |given| Value::argument("deadline", given)?.seconds())?;
    let (config, sender) = message::channel(channel)?;
    let config = config.with_deadline(deadline);
    let mut keys = Keys::default();
    let letters = message::messages(&Value::argument("messages", messages)?, &mut keys, sender.as_ref())?;
    let refuse = |error| Refused::from(error).at(Place::argument("channel"));
    // Its connections are of this process, and end with the call.
    let client = py.detach(|| CloudClient::try_new(config)).map_err(refuse)?;
    let told = runtime::wait(py, send(client, letters))?;
    let mut writer = Writer::new(py)?;
    let mut rows = Vec::with_capacity(told.len());
    for (told, key) in told.iter().zip(keys.objects()) {
        rows.push(write_told(told, key.clone(), &mut writer)?);
    }
    PyList::new(py, rows)
}

/// What became of one message.
struct Told {
    outcome: Outcome,
    consequence: Consequence,
    /// The template that a person may have to put in order.
    template: Option<String>,
    tried: bool,
}

/// Who rests, and what the channel said when it began to.
#[derive(Default)]
struct Rest {
    resting: Resting,
    channel: Option<Outcome>,
    recipients: BTreeMap<CustomerId, Outcome>,
    templates: BTreeMap<String, Outcome>,
}

impl Rest {
    /// What stands for an attempt that is not made.
    fn holds(&self, recipient: CustomerId, template: Option<&str>) -> Option<Told> {
        let (said, wait, of) = match self.resting.holds(recipient, template)? {
            Held::Channel(_) => (self.channel.as_ref(), TimeDelta::zero(), RetryScope::Number),
            Held::Template(wait, _) => (template.and_then(|name| self.templates.get(name)), wait, RetryScope::Template),
            Held::Recipient(wait) => (self.recipients.get(&recipient), wait, RetryScope::Recipient),
        };
        let outcome = match said {
            // Of this one nothing is unknown: it was not sent.
            Some(Outcome::Unknown(_)) | None => Outcome::ChannelDown(DownCause::Unreachable(Unreachable::NoAnswer)),
            Some(said) => said.clone(),
        };
        let template = template.filter(|_| of == RetryScope::Template).map(str::to_owned);
        let consequence = Consequence { fate: Fate::Wait(wait), rests: Some(of) };
        Some(Told { outcome, consequence, template, tried: false })
    }

    /// Takes notice of what the channel said to a message, or to nobody's.
    fn after(
        &mut self,
        outcome: &Outcome,
        attempts: u32,
        recipient: Option<CustomerId>,
        template: Option<&str>,
    ) -> Told {
        let said = outcome.clone().into_port();
        let consequence = self.resting.after(SendOutcome::answer(&said), attempts, recipient, template, "");
        match consequence.rests {
            Some(RetryScope::Recipient) => {
                self.recipients.extend(recipient.map(|recipient| (recipient, outcome.clone())));
            }
            Some(RetryScope::Template) => {
                self.templates.extend(template.map(|name| (name.to_owned(), outcome.clone())));
            }
            Some(scope) if scope.is_channel() => {
                self.channel.get_or_insert_with(|| outcome.clone());
            }
            _ => {}
        }
        let of_template = SendOutcome::to_correct(&said) || consequence.rests == Some(RetryScope::Template);
        let template = template.filter(|_| of_template).map(str::to_owned);
        Told { outcome: outcome.clone(), consequence, template, tried: true }
    }
}

async fn send(client: CloudClient, letters: Vec<Letter>) -> Vec<Told> {
    let rest = Arc::new(Mutex::new(Rest::default()));
    if !letters.is_empty()
        && let Some(said) = client.look().await
    {
        locked(&rest).after(&said, 0, None, None);
    }
    let mut letters = letters.into_iter();
    let mut told = Vec::with_capacity(letters.len());
    // A channel that swallows messages gets one and not eight: they go one by one until one is taken.
    while !told.iter().any(|told: &Told| told.consequence.fate == Fate::Sent)
        && let Some(letter) = letters.next()
    {
        told.push(send_one(&client, letter, &rest).await);
    }
    let others = futures::stream::iter(letters).map(|letter| send_one(&client, letter, &rest)).buffered(AT_ONCE);
    told.extend(others.collect::<Vec<_>>().await);
    told
}

async fn send_one(client: &CloudClient, letter: Letter, rest: &Mutex<Rest>) -> Told {
    let recipient = CustomerId(derive(NAMES, &["recipient", letter.message.to.digits()]));
    let text = match TemplateMessage::compose(client.templates(), &letter.message) {
        Ok(text) => text,
        Err(fault) => return locked(rest).after(&Outcome::ConfigError(fault), letter.attempts, Some(recipient), None),
    };
    let template = client.template(&letter.message);
    let held = locked(rest).holds(recipient, template.as_deref());
    if let Some(told) = held {
        return told;
    }
    let outcome = client.send_template(letter.message.to.digits(), &letter.callback, &text).await;
    locked(rest).after(&outcome, letter.attempts, Some(recipient), template.as_deref())
}

/// Nobody holds it while something can go wrong.
fn locked(rest: &Mutex<Rest>) -> MutexGuard<'_, Rest> {
    rest.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write_told<'py>(told: &Told, key: Bound<'py, PyAny>, writer: &mut Writer<'py>) -> PyResult<Bound<'py, PyAny>> {
    let outcome = &told.outcome;
    let (fate, wait) = match told.consequence.fate {
        Fate::Sent => ("sent", None),
        Fate::Wait(time) => ("wait", Some(time.num_seconds())),
        Fate::Failed => ("failed", None),
        Fate::Unknown => ("unknown", None),
    };
    let rests = told.consequence.rests.and_then(|scope| match scope {
        RetryScope::Template => Some("template"),
        RetryScope::Recipient => Some("recipient"),
        scope => scope.is_channel().then_some("channel"),
    });
    let nothing = (None, None, None, None);
    let (word, (provider, after, scope, code)) = match outcome {
        Outcome::Accepted { message_id } => ("accepted", (Some(message_id), None, None, None)),
        Outcome::Held { message_id } => ("held", (Some(message_id), None, None, None)),
        Outcome::RetryAfter { at_least, scope, code } => {
            let scope = match scope {
                RetryScope::Number | RetryScope::Account => "number",
                RetryScope::Recipient => "recipient",
                _ => "message",
            };
            ("retry_after", (None, i64::try_from(at_least.as_secs()).ok(), Some(scope), Some(*code)))
        }
        Outcome::RecipientRejected { code } => ("recipient_rejected", (None, None, None, Some(*code))),
        Outcome::ConfigError(fault) => ("config_error", (None, None, None, code_of(fault))),
        Outcome::ChannelDown(DownCause::Account(code) | DownCause::Quality(code)) => {
            ("channel_down", (None, None, None, Some(*code)))
        }
        Outcome::ChannelDown(_) => ("channel_down", nothing),
        _ => ("unknown", nothing),
    };
    let fields = [
        key,
        writer.word(word),
        writer.optional_text(provider.map(String::as_str)),
        writer.optional_int(after)?,
        writer.optional_text(scope),
        writer.optional_int(code.map(|GraphCode(code)| code))?,
        writer.text(&outcome.to_string()),
        writer.bool(outcome.retryable()),
        writer.bool(told.tried),
        writer.word(fate),
        writer.optional_int(wait)?,
        writer.optional_text(rests),
        writer.optional_text(told.template.as_deref()),
    ];
    writer.record(Kind::Sent, fields)
}

fn code_of(fault: &ConfigFault) -> Option<GraphCode> {
    match fault {
        ConfigFault::Graph(code) => Some(*code),
        _ => None,
    }
}
