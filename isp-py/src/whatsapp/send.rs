//! `send_messages`.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use isp_whatsapp::cloud::CloudClient;
use isp_whatsapp::graph::GraphCode;
use isp_whatsapp::notification::TemplateMessage;
use isp_whatsapp::outcome::{ConfigFault, DownCause, Outcome, RetryScope};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::convert::{Keys, Kind, Place, Value, Writer};
use crate::error::Refused;
use crate::runtime;
use crate::whatsapp::message::{self, Letter};

/// Messages on the way at the same time: at 0.2 s an answer this keeps below Meta's 80 a second.
const AT_ONCE: usize = 8;
const DEADLINE: Duration = Duration::from_secs(20);

/// Sends each message once through Meta's Cloud API; the outcomes are in the order of the messages.
///
/// Nothing is repeated and nothing raised on behalf of one message. When the channel is found down, the messages that
/// were not on the way yet are not tried and have the same outcome. ``deadline`` is in seconds for each message (20).
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
    let config = message::channel(channel)?.with_deadline(deadline);
    let mut keys = Keys::default();
    let letters = message::messages(&Value::argument("messages", messages)?, &mut keys)?;
    let refuse = |error| Refused::from(error).at(Place::argument("channel"));
    // Its connections are of this process, and end with the call.
    let client = py.detach(|| CloudClient::try_new(config)).map_err(refuse)?;
    let outcomes = runtime::wait(py, send(client, letters))?;
    let mut writer = Writer::new(py)?;
    let mut rows = Vec::with_capacity(outcomes.len());
    for (outcome, key) in outcomes.iter().zip(keys.objects()) {
        rows.push(write_outcome(outcome, key.clone(), &mut writer)?);
    }
    PyList::new(py, rows)
}

async fn send(client: CloudClient, letters: Vec<Letter>) -> Vec<Outcome> {
    let down: Arc<std::sync::OnceLock<DownCause>> = Arc::default();
    let one = |letter: Letter| {
        let (client, down) = (client.clone(), down.clone());
        async move {
            if let Some(cause) = down.get() {
                return Outcome::ChannelDown(*cause);
            }
            let outcome = match TemplateMessage::compose(client.templates(), &letter.message) {
                Ok(text) => client.send_template(letter.message.to.digits(), &letter.callback, &text).await,
                Err(fault) => Outcome::ConfigError(fault),
            };
            if let Outcome::ChannelDown(cause) = outcome {
                // Of several at once any will do.
                let _ = down.set(cause);
            }
            outcome
        }
    };
    futures::stream::iter(letters).map(one).buffered(AT_ONCE).collect().await
}

fn write_outcome<'py>(
    outcome: &Outcome,
    key: Bound<'py, PyAny>,
    writer: &mut Writer<'py>,
) -> PyResult<Bound<'py, PyAny>> {
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
    ];
    writer.record(Kind::Sent, fields)
}

fn code_of(fault: &ConfigFault) -> Option<GraphCode> {
    match fault {
        ConfigFault::Graph(code) => Some(*code),
        _ => None,
    }
}
