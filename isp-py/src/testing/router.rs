//! `SimulatedRouter`.

use std::collections::BTreeMap;
use std::time::Duration;

use isp_mikrotik::mark::Mark;
use isp_mikrotik::simulator::{self, Fault, FaultKind, Simulation, Version};
use pyo3::prelude::*;
use pyo3::types::PyList;
use secrecy::ExposeSecret;

use crate::convert::{Kind, Value, Writer};
use crate::error;
use crate::testing::held::{Held, no_fault, no_port};

/// A MikroTik router on a loopback port, as strict as the real thing, with customers' boxes that dial.
///
/// A context manager; it stops at the end of the block, or with ``close``. Without ``serial`` it is a virtual router that
/// tells no number. ``redial`` is how many seconds a box waits
/// before it dials again after its session ended.
#[pyclass(frozen, module = "isp_engine.testing")]
pub(crate) struct SimulatedRouter(Held<simulator::SimulatedRouter>);

#[pymethods]
impl SimulatedRouter {
    #[new]
    #[pyo3(signature = (*, identity="simulated", username="api", password="simulated", version="7.21.5", port=0, auto_dial=true, serial=None))]
    #[expect(clippy::too_many_arguments, reason = "the parts of one router")]
    fn new(
        py: Python<'_>,
        identity: &str,
        username: &str,
        password: &str,
        version: &str,
        port: u16,
        auto_dial: bool,
        serial: Option<&str>,
    ) -> PyResult<Self> {
        let version = match version {
            "7.21.5" => Version::V7_21_5,
            "7.9" => Version::V7_9,
            _ => return Err(error::simulator("simulator.version", "version is 7.21.5 or 7.9")),
        };
        let simulation = Simulation {
            version,
            identity: identity.to_owned(),
            user: username.to_owned(),
            password: password.to_owned(),
            auto_dial,
            serial: serial.map(str::to_owned),
            ..Simulation::default()
        };
        Ok(Self(Held::start(py, simulator::SimulatedRouter::start_on(simulation, port))?))
    }

    /// Where it listens, ``127.0.0.1:40123``.
    #[getter]
    fn address(&self, py: Python<'_>) -> PyResult<String> {
        self.0.with(py, |router| Ok(router.address().to_string()))
    }

    /// Its API user.
    #[getter]
    fn username(&self, py: Python<'_>) -> PyResult<String> {
        self.0.with(py, |router| Ok(router.credentials().0.to_owned()))
    }

    /// The password of its API user.
    #[getter]
    fn password(&self, py: Python<'_>) -> PyResult<String> {
        self.0.with(py, |router| Ok(router.credentials().1.expose_secret().to_owned()))
    }

    /// Every account, in the order in which they were made.
    fn secrets<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.0.list(py, |router| router.secrets(), write_secret)
    }

    /// What a line feels that is known by this address: its limit (``up/down``, or ``None``), and whether it is in the list.
    #[pyo3(signature = (address, list="ISOLIR"))]
    fn felt(&self, py: Python<'_>, address: &str, list: &str) -> PyResult<(Option<String>, bool)> {
        self.0.with(py, |router| Ok(router.felt(address, list)))
    }

    /// A customer's box asks for an address by DHCP: that of its lease, else this one of the pool.
    fn plug_dhcp(&self, py: Python<'_>, mac: &str, pool_address: &str) -> PyResult<()> {
        self.0.with(py, |router| {
            router.plug_dhcp(mac, pool_address);
            Ok(())
        })
    }

    /// The account of exactly this name, or ``None``.
    fn secret<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        let secret = self.0.with(py, |router| Ok(router.secret(name)))?;
        let writer = Writer::new(py)?;
        secret.map(|secret| write_secret(&secret, &writer)).transpose()
    }

    /// Whether the account has this password; passwords are never shown.
    fn password_is(&self, py: Python<'_>, name: &str, password: &str) -> PyResult<bool> {
        self.0.with(py, |router| Ok(router.secret(name).is_some_and(|secret| secret.password_is(password))))
    }

    /// Every profile.
    fn profiles<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let write = |profile: &simulator::SimProfile, writer: &Writer<'py>| {
            let fields = [
                writer.text(&profile.name),
                writer.optional_text(profile.rate_limit.as_deref()),
                writer.optional_text(profile.address_list.as_deref()),
            ];
            writer.record(Kind::SimulatedProfile, fields)
        };
        self.0.list(py, |router| router.profiles(), write)
    }

    /// Every running session, by name.
    fn sessions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let write = |session: &simulator::SimSession, writer: &Writer<'py>| {
            let fields = [
                writer.text(&session.name),
                writer.text(&session.profile),
                writer.optional_text(session.rate_limit.as_deref()),
                writer.optional_text(session.address.as_deref()),
                writer.optional_text(session.address_list.as_deref()),
            ];
            writer.record(Kind::SimulatedSession, fields)
        };
        self.0.list(py, |router| router.sessions(), write)
    }

    /// Puts an account there round the API, as people did before us; ``profile`` must be a name that exists.
    #[pyo3(signature = (name, password, *, profile="default", comment="", remote_address=None, disabled=false))]
    #[expect(clippy::too_many_arguments, reason = "the fields of one account")]
    fn add_secret(
        &self,
        py: Python<'_>,
        name: &str,
        password: &str,
        profile: &str,
        comment: &str,
        remote_address: Option<&str>,
        disabled: bool,
    ) -> PyResult<()> {
        let mut values = vec![
            ("name", name.as_bytes()),
            ("password", password.as_bytes()),
            ("profile", profile.as_bytes()),
            ("service", b"pppoe"),
            ("comment", comment.as_bytes()),
            ("disabled", if disabled { b"true".as_slice() } else { b"false" }),
        ];
        values.extend(remote_address.map(|address| ("remote-address", address.as_bytes())));
        self.force(py, "/ppp/secret", &values)
    }

    /// Puts a hotspot user there round the API.
    #[pyo3(signature = (name, password, *, profile="default", comment=""))]
    fn add_hotspot_user(
        &self,
        py: Python<'_>,
        name: &str,
        password: &str,
        profile: &str,
        comment: &str,
    ) -> PyResult<()> {
        let values = [
            ("name", name.as_bytes()),
            ("password", password.as_bytes()),
            ("profile", profile.as_bytes()),
            ("comment", comment.as_bytes()),
        ];
        self.force(py, "/ip/hotspot/user", &values)
    }

    /// Puts a profile there round the API; ``rate_limit`` is upload/download as RouterOS writes it.
    #[pyo3(signature = (name, rate_limit=None))]
    fn add_profile(&self, py: Python<'_>, name: &str, rate_limit: Option<&str>) -> PyResult<()> {
        let mut values = vec![("name", name.as_bytes())];
        values.extend(rate_limit.map(|rate| ("rate-limit", rate.as_bytes())));
        self.force(py, "/ppp/profile", &values)
    }

    /// Puts a pool there; ``ranges`` like ``10.20.0.2-10.20.3.250``.
    fn add_pool(&self, py: Python<'_>, name: &str, ranges: &str) -> PyResult<()> {
        self.force(py, "/ip/pool", &[("name", name.as_bytes()), ("ranges", ranges.as_bytes())])
    }

    /// Takes an account away round the API.
    fn remove_secret(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        self.0.with(py, |router| {
            router.force_remove("/ppp/secret", name);
            Ok(())
        })
    }

    /// A customer plugs a box in that dials with this password.
    fn plug(&self, py: Python<'_>, name: &str, password: &str) -> PyResult<()> {
        self.0.with(py, |router| {
            router.plug(name, password);
            Ok(())
        })
    }

    /// The customer's box is taken away.
    fn unplug(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        self.0.with(py, |router| {
            router.unplug(name);
            Ok(())
        })
    }

    /// Cuts the API off: connections end, new ones are refused. Customers stay online.
    fn down(&self, py: Python<'_>) -> PyResult<()> {
        self.0.with(py, |router| {
            router.down();
            Ok(())
        })
    }

    /// Ends ``down``, on the same port.
    fn up(&self, py: Python<'_>) -> PyResult<()> {
        self.0.with(py, |router| router.up().map_err(no_port))
    }

    /// Restarts the router: every session ends, and for so many seconds it refuses connections.
    fn reboot(&self, py: Python<'_>, seconds: &Bound<'_, PyAny>) -> PyResult<()> {
        let down = Value::argument("seconds", seconds)?.seconds()?;
        self.0.with(py, |router| {
            router.reboot(down);
            Ok(())
        })
    }

    /// Makes something go wrong with the next commands.
    ///
    /// ``fault`` is ``hang`` (never answered, no effect), ``hang_after_effect``, ``freeze`` (the connection is never
    /// answered again), ``reply_lost`` (takes effect, the connection closes), ``cut_request`` (closes before it takes
    /// effect), ``garbage``, ``latency`` (``detail`` seconds), ``trap`` or ``fatal`` (``detail`` is the text).
    /// ``on`` is the beginning of the command's path, ``after`` lets so many pass first, ``times`` is how often
    /// (0: until ``heal``).
    #[pyo3(signature = (fault, *, detail=None, on=None, after=0, times=1))]
    fn fail(
        &self,
        py: Python<'_>,
        fault: &str,
        detail: Option<&Bound<'_, PyAny>>,
        on: Option<&str>,
        after: usize,
        times: usize,
    ) -> PyResult<()> {
        let mut made = Fault::new(kind(fault, detail)?).after(after).times(if times == 0 { usize::MAX } else { times });
        if let Some(path) = on {
            made = made.on(path);
        }
        self.0.with(py, |router| {
            router.inject(made);
            Ok(())
        })
    }

    /// Forgets every fault that has not struck yet.
    fn heal(&self, py: Python<'_>) -> PyResult<()> {
        self.0.with(py, |router| {
            router.clear_faults();
            Ok(())
        })
    }

    /// What clients did so far: ``connections``, ``logins``, ``failed_logins``, ``commands``, ``writes``.
    fn counters(&self, py: Python<'_>) -> PyResult<BTreeMap<&'static str, u64>> {
        let counters = self.0.with(py, |router| Ok(router.counters()))?;
        Ok(BTreeMap::from([
            ("connections", counters.connections),
            ("logins", counters.logins),
            ("failed_logins", counters.failed_logins),
            ("commands", counters.commands),
            ("writes", counters.writes),
        ]))
    }

    /// Starts counting from zero.
    fn reset_counters(&self, py: Python<'_>) -> PyResult<()> {
        self.0.with(py, |router| {
            router.reset_counters();
            Ok(())
        })
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

impl SimulatedRouter {
    fn force(&self, py: Python<'_>, menu: &str, values: &[(&str, &[u8])]) -> PyResult<()> {
        let made = self.0.with(py, |router| Ok(router.force(menu, values)))?;
        made.map(drop).ok_or_else(|| error::simulator("simulator.menu", "the simulator has no such menu"))
    }
}

fn kind(fault: &str, detail: Option<&Bound<'_, PyAny>>) -> PyResult<FaultKind> {
    let text = || -> PyResult<String> { detail.map_or_else(|| Ok("simulated".to_owned()), |d| d.extract()) };
    let span = || detail.map_or(Ok(Duration::from_secs(1)), |d| Value::argument("detail", d)?.seconds());
    Ok(match fault {
        "hang" => FaultKind::Hang,
        "hang_after_effect" => FaultKind::HangAfterEffect,
        "freeze" => FaultKind::Freeze,
        "reply_lost" => FaultKind::ReplyLost,
        "cut_request" => FaultKind::CutRequest,
        "garbage" => FaultKind::Garbage,
        "latency" => FaultKind::Latency(span()?),
        "trap" => FaultKind::Trap(text()?),
        "fatal" => FaultKind::Fatal(text()?),
        _ => return Err(no_fault()),
    })
}

fn write_secret<'py>(secret: &simulator::SimSecret, writer: &Writer<'py>) -> PyResult<Bound<'py, PyAny>> {
    let (mark, human) = Mark::split(&secret.comment);
    let fields = [
        writer.text(&secret.name),
        writer.text(&secret.profile),
        writer.bool(secret.disabled),
        writer.optional_text(secret.remote_address.as_deref()),
        writer.optional_text(mark.as_ref().map(|mark| mark.owner.as_str())),
        writer.text(&String::from_utf8_lossy(human)),
    ];
    writer.record(Kind::SimulatedSecret, fields)
}
