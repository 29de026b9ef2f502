//! `SimulatedWhatsApp`.

use std::collections::BTreeMap;

use isp_whatsapp::graph::GraphCode;
use isp_whatsapp::simulator::{AcceptedMessage, Fault, Simulator};
use isp_whatsapp::webhook::Status;
use pyo3::prelude::*;
use pyo3::types::PyList;
use secrecy::ExposeSecret;

use crate::convert::{Kind, Value, Writer};
use crate::error;
use crate::runtime;
use crate::testing::held::{Held, no_fault, no_port};
use crate::whatsapp::{STATUSES, read_code, templates, with_code};

/// Meta's Cloud API on a loopback port: checks requests as Meta does, remembers what it took, signs webhooks.
///
/// A context manager; it stops at the end of the block, or with ``close``. It knows the standard texts, or those that name a
/// ``sender`` (true), and ``templates`` in their place.
#[pyclass(frozen, module = "isp_engine.testing")]
pub(crate) struct SimulatedWhatsApp(Held<Simulator>);

#[pymethods]
impl SimulatedWhatsApp {
    #[new]
    #[pyo3(signature = (*, templates=None, sender=false))]
    fn new(py: Python<'_>, templates: Option<&Bound<'_, PyAny>>, sender: bool) -> PyResult<Self> {
        let catalog = self::templates(templates, sender)?;
        Ok(Self(Held::start(py, Simulator::start_with(catalog))?))
    }

    /// Where it listens, ``http://127.0.0.1:40123``.
    #[getter]
    fn base_url(&self, py: Python<'_>) -> PyResult<String> {
        self.0.with(py, |simulator| Ok(simulator.base_url()))
    }

    /// The id of its sending number.
    #[getter]
    fn phone_number_id(&self, py: Python<'_>) -> PyResult<String> {
        self.0.with(py, |simulator| Ok(simulator.phone_number_id().to_owned()))
    }

    /// The token that it takes.
    #[getter]
    fn access_token(&self, py: Python<'_>) -> PyResult<String> {
        self.0.with(py, |simulator| Ok(simulator.access_token().expose_secret().to_owned()))
    }

    /// The secret that signs its webhooks.
    #[getter]
    fn app_secret(&self, py: Python<'_>) -> PyResult<String> {
        self.0.with(py, |simulator| Ok(simulator.app_secret().expose_secret().to_owned()))
    }

    /// Every message that it took, in order.
    fn messages<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.0.list(py, |simulator| simulator.messages(), write_message)
    }

    /// Callback texts that were taken more than once, and how often. Empty: nobody got a message twice.
    fn duplicates(&self, py: Python<'_>) -> PyResult<BTreeMap<String, usize>> {
        let twice = self.0.with(py, |simulator| Ok(simulator.duplicates()))?;
        Ok(twice.into_iter().map(|twice| (twice.callback_data, twice.count)).collect())
    }

    /// How many requests came in, taken or not.
    fn requests(&self, py: Python<'_>) -> PyResult<u64> {
        self.0.with(py, |simulator| Ok(simulator.requests()))
    }

    /// Makes something go wrong with the next requests.
    ///
    /// ``fault`` is ``graph`` (``code`` is Meta's number), ``status`` (``code`` is the HTTP status; not taken),
    /// ``status_after_accept``, ``reply_lost`` (taken, no answer), ``reset`` (not taken, no answer), ``hang``, ``held`` or
    /// ``garbled`` (taken, unreadable answer). ``times`` is how often (0: until ``heal``); then ``after`` lets so many pass first.
    #[pyo3(signature = (fault, *, code=None, times=1, after=0))]
    fn fail(&self, py: Python<'_>, fault: &str, code: Option<i64>, times: usize, after: usize) -> PyResult<()> {
        let status = || u16::try_from(code.unwrap_or(500)).unwrap_or(500);
        let fault = match fault {
            "graph" => Fault::Graph(GraphCode(code.unwrap_or(131_000))),
            "status" => Fault::Status(status()),
            "status_after_accept" => Fault::StatusAfterAccept(status()),
            "reply_lost" => Fault::ReplyLost,
            "reset" => Fault::Reset,
            "hang" => Fault::Hang,
            "held" => Fault::Held,
            "garbled" => Fault::Garbled,
            _ => return Err(no_fault()),
        };
        self.0.with(py, |simulator| {
            match times {
                0 => simulator.fail_after(after, fault),
                count => simulator.fail_next(count, fault),
            }
            Ok(())
        })
    }

    /// Messages to this number (digits with country code) are refused with this code until ``heal``.
    fn fail_recipient(&self, py: Python<'_>, digits: &str, code: i64) -> PyResult<()> {
        self.0.with(py, |simulator| {
            simulator.fail_recipient(digits, GraphCode(code));
            Ok(())
        })
    }

    /// Forgets every fault. Does not end ``down``.
    fn heal(&self, py: Python<'_>) -> PyResult<()> {
        self.0.with(py, |simulator| {
            simulator.recover();
            Ok(())
        })
    }

    /// Cuts every connection and refuses new ones. What was taken stays known.
    fn down(&self, py: Python<'_>) -> PyResult<()> {
        let mut simulator = self.0.take(py)?;
        let (simulator, done) = runtime::wait(py, async move {
            let done = simulator.down().await;
            (simulator, done)
        })?;
        self.0.put(simulator);
        done.map_err(no_port)
    }

    /// Ends ``down``, on the same port.
    fn up(&self, py: Python<'_>) -> PyResult<()> {
        self.0.with(py, |simulator| simulator.up().map_err(no_port))
    }

    /// The request that reports these statuses of messages that it took, in this order: ``(message_id, status)`` with
    /// ``sent``, ``delivered``, ``read`` or ``failed``; ``code`` is Meta's number for the failed ones.
    #[pyo3(signature = (statuses, at, *, code=None))]
    fn status_webhook<'py>(
        &self,
        py: Python<'py>,
        statuses: Vec<(String, String)>,
        at: &Bound<'py, PyAny>,
        code: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let at = Value::argument("at", at)?.moment()?;
        let code = code.map(|code| read_code(Value::argument("code", code)?)).transpose()?.flatten();
        let mut read: Vec<(&str, Status)> = Vec::with_capacity(statuses.len());
        for (message, word) in &statuses {
            let status = STATUSES.iter().find(|(known, _)| known == word).map(|(_, status)| *status);
            let status = status.ok_or_else(|| error::simulator("simulator.status", "there is no such status"))?;
            read.push((message, with_code(status, code)));
        }
        let webhook = self.0.with(py, |simulator| {
            simulator.status_webhook(&read, at).map_err(|reason| error::simulator("simulator.message", reason))
        })?;
        let writer = Writer::new(py)?;
        writer.record(Kind::SignedWebhook, [writer.text(&webhook.signature), writer.bytes(&webhook.body)])
    }

    /// Stops it.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.0.close(py)
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __exit__(
        &self,
        py: Python<'_>,
        _kind: &Bound<'_, PyAny>,
        _error: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.close(py)
    }
}

fn write_message<'py>(message: &AcceptedMessage, writer: &Writer<'py>) -> PyResult<Bound<'py, PyAny>> {
    let mut parameters = Vec::with_capacity(message.parameters.len());
    for (name, value) in &message.parameters {
        parameters.push(writer.tuple(vec![writer.optional_text(name.as_deref()), writer.text(value.reveal())])?);
    }
    let fields = [
        writer.text(&message.message_id),
        writer.text(message.to.reveal()),
        writer.optional_text(message.callback_data.as_deref()),
        writer.text(&message.template),
        writer.text(&message.language),
        writer.tuple(parameters)?,
        writer.text(message.text.reveal()),
        writer.bool(message.held),
    ];
    writer.record(Kind::SentMessage, fields)
}
