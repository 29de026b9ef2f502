//! `SimulatedGateway`.

use chrono::{DateTime, Utc};
use isp_core::money::Money;
use isp_core::payment::NoticeState;
use isp_payment::GatewayKind;
use isp_payment::simulator::{Fault, Simulator, Transaction};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::convert::{Kind, Value, Writer};
use crate::error;
use crate::gateways::{KINDS, STATES, write_settings};
use crate::testing::held::{Held, no_fault};

/// Names and values, as they came.
type Headers = Vec<(String, String)>;

/// A payment gateway on a loopback port: checks requests as the gateway's documentation says, remembers what it was asked to
/// collect, signs webhooks. A context manager; it stops at the end of the block, or with ``close``.
#[pyclass(frozen, module = "isp_engine.testing")]
pub(crate) struct SimulatedGateway(Held<Simulator>);

#[pymethods]
impl SimulatedGateway {
    #[new]
    fn new(py: Python<'_>, kind: &Bound<'_, PyAny>) -> PyResult<Self> {
        let kind: GatewayKind = Value::argument("kind", kind)?.word(&KINDS)?;
        Ok(Self(Held::start(py, Simulator::start(kind))?))
    }

    /// Settings that fit: address, keys, merchant.
    #[getter]
    fn settings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let settings = self
            .0
            .with(py, |gateway| gateway.settings().map_err(|reason| error::simulator("simulator.settings", reason)))?;
        write_settings(&settings, &mut Writer::new(py)?)
    }

    /// All that it was asked to collect, in the order of references.
    fn transactions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.0.list(py, Simulator::transactions, write_transaction)
    }

    /// How many requests came in, taken or not.
    fn requests(&self, py: Python<'_>) -> PyResult<u64> {
        self.0.with(py, |gateway| Ok(gateway.requests()))
    }

    /// A customer pays ``amount`` for a reference, of which the gateway keeps ``fee``.
    #[pyo3(signature = (reference, amount, at, *, fee=None))]
    fn pay(
        &self,
        py: Python<'_>,
        reference: &str,
        amount: &Bound<'_, PyAny>,
        at: &Bound<'_, PyAny>,
        fee: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let amount: Money = Value::argument("amount", amount)?.money()?;
        let at: DateTime<Utc> = Value::argument("at", at)?.moment()?;
        let fee = fee.map_or(Ok(Money::ZERO), |fee| Value::argument("fee", fee)?.money())?;
        let known = self.0.with(py, |gateway| Ok(gateway.pay(reference, amount, fee, at)))?;
        if known { Ok(()) } else { Err(unknown()) }
    }

    /// Something else becomes of a reference: ``pending``, ``expired``, ``cancelled`` or ``refunded``.
    fn set(&self, py: Python<'_>, reference: &str, state: &Bound<'_, PyAny>) -> PyResult<()> {
        let state: NoticeState = Value::argument("state", state)?.word(&STATES.map(|state| (state.code(), state)))?;
        let known = self.0.with(py, |gateway| Ok(gateway.set(reference, state)))?;
        if known { Ok(()) } else { Err(unknown()) }
    }

    /// The webhook that it sends now about a reference: its headers as pairs, and its body.
    fn webhook<'py>(&self, py: Python<'py>, reference: &str) -> PyResult<(Headers, Bound<'py, PyAny>)> {
        let webhook = self.0.with(py, |gateway| Ok(gateway.webhook(reference)))?.ok_or_else(unknown)?;
        Ok((webhook.headers, Writer::new(py)?.bytes(&webhook.body)))
    }

    /// Makes the next ``times`` requests fail: ``reset`` (nothing is done), ``reply_lost`` (done, no answer), ``hang``, ``html``
    /// (a page of a proxy with HTTP status ``code``; nothing is done) or ``html_after`` (done, and such a page).
    #[pyo3(signature = (fault, *, code=502, times=1))]
    fn fail(&self, py: Python<'_>, fault: &str, code: u16, times: usize) -> PyResult<()> {
        let fault = read_fault(fault, code)?;
        self.0.with(py, |gateway| {
            gateway.fail_next(times, fault);
            Ok(())
        })
    }

    /// Makes the next request for a refund fail in such a way; what is asked before it does not.
    #[pyo3(signature = (fault, *, code=502))]
    fn fail_refund(&self, py: Python<'_>, fault: &str, code: u16) -> PyResult<()> {
        let fault = read_fault(fault, code)?;
        self.0.with(py, |gateway| {
            gateway.fail_next_refund(fault);
            Ok(())
        })
    }

    /// All refunds that wait end: they are paid as far as ``balance`` covers them, or fail.
    #[pyo3(signature = (*, balance=None))]
    fn settle_refunds(&self, py: Python<'_>, balance: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let balance = balance.map(|balance| Value::argument("balance", balance)?.money()).transpose()?;
        self.0.with(py, |gateway| {
            if let Some(balance) = balance {
                gateway.set_balance(balance);
            }
            gateway.settle_refunds();
            Ok(())
        })
    }

    /// What it gave back of a reference, or is about to.
    fn given_back<'py>(&self, py: Python<'py>, reference: &str) -> PyResult<Bound<'py, PyAny>> {
        let all = self.0.with(py, |gateway| Ok(gateway.transactions()))?;
        let found = all.iter().find(|one| one.reference == reference).ok_or_else(unknown)?;
        Writer::new(py)?.money(found.given_back())
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

fn read_fault(fault: &str, code: u16) -> PyResult<Fault> {
    Ok(match fault {
        "reset" => Fault::Reset,
        "reply_lost" => Fault::ReplyLost,
        "hang" => Fault::Hang,
        "html" => Fault::Html(code),
        "html_after" => Fault::HtmlAfter(code),
        _ => return Err(no_fault()),
    })
}

fn unknown() -> PyErr {
    error::simulator("simulator.reference", "the gateway was never asked under this reference")
}

fn write_transaction<'py>(transaction: &Transaction, writer: &Writer<'py>) -> PyResult<Bound<'py, PyAny>> {
    let fields = [
        writer.text(&transaction.reference),
        writer.text(&transaction.id),
        writer.money(transaction.asked)?,
        writer.money(transaction.paid)?,
        writer.text(&transaction.method),
        writer.text(transaction.state.code()),
    ];
    writer.record(Kind::GatewayTransaction, fields)
}
