//! What a program calls.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

use super::flight::{lost, settle};
use super::listener::Listener;
use super::options::ConnectOptions;
use super::shared::CloseReason;
use super::wire::Wire;
use crate::error::{Error, Stage};
use crate::proto::command::Command;
use crate::proto::connection::{Reply, RowSink};

/// A line to one router, logged in. Clones share the connection; it closes when the last clone is dropped.
///
/// When the connection breaks, commands in flight end as [`Error::Unknown`] and the next call connects again, unless
/// [`ConnectOptions::without_reconnect`] says otherwise. While a router does not answer, calls wait for the next
/// attempt that its [`Backoff`](super::Backoff) allows, or fail as not sent when their deadline comes first.
///
/// On a runtime of many threads call from a spawned task. The main function of such a runtime runs on none of its threads,
/// so that each reply has to wake another one.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    options: ConnectOptions,
    line: Mutex<Line>,
    /// Held by the one call that connects.
    connecting: tokio::sync::Mutex<()>,
}

struct Line {
    wire: Arc<Wire>,
    failures: u32,
    not_before: Option<Instant>,
    closed: bool,
}

impl Client {
    /// Connects and logs in. Bounded by [`ConnectOptions::connect_timeout`] for each of TCP, TLS and login.
    ///
    /// # Errors
    ///
    /// [`Error::NotSent`] with the stage that failed, or [`Error::Login`].
    pub async fn connect(options: ConnectOptions) -> Result<Client, Error> {
        let wire = Arc::new(Wire::connect(&options).await?);
        let line = Mutex::new(Line { wire, failures: 0, not_before: None, closed: false });
        Ok(Client { inner: Arc::new(Inner { options, line, connecting: tokio::sync::Mutex::new(()) }) })
    }

    /// Sends one command and waits for its whole reply, within the deadline of the options.
    ///
    /// Dropping the future cancels the command on the router and harms nothing else on the connection.
    ///
    /// # Errors
    ///
    /// See [`crate::error`].
    pub async fn call(&self, command: &Command) -> Result<Reply, Error> {
        self.call_within(command, self.inner.options.deadline).await
    }

    /// [`call`](Self::call) with its own deadline, which includes the wait for a place in the window and, after a
    /// break, for the connection.
    ///
    /// # Errors
    ///
    /// See [`crate::error`].
    pub async fn call_within(&self, command: &Command, deadline: Duration) -> Result<Reply, Error> {
        let deadline = Instant::now() + deadline;
        let wire = self.wire(deadline).await?;
        let reply = wire.shared.call_raw(command, deadline).await?;
        settle(command, reply)
    }

    /// Sends many commands, as many at once as the window allows and as many in one write as have a place, and returns
    /// their replies in the same order. One that is refused does not stop the others; each has its own deadline, which
    /// starts when it is sent. When one misses it, what was not sent yet is not sent. The window is filled again when as
    /// many places are free as are taken, or after a millisecond, so that a batch leaves in few writes.
    pub async fn call_all(&self, commands: &[Command]) -> Vec<Result<Reply, Error>> {
        let mut ends: Vec<Option<Result<Reply, Error>>> = Vec::with_capacity(commands.len());
        ends.resize_with(commands.len(), || None);
        self.call_each(commands, |index, end| {
            if let Some(slot) = ends.get_mut(index) {
                *slot = Some(end);
            }
        })
        .await;
        ends.into_iter().zip(commands).map(|(end, command)| end.unwrap_or_else(|| Err(lost(command)))).collect()
    }

    /// [`call_all`](Self::call_all), but each end is handed over as soon as it is there, with its place among the commands:
    /// a large table is worked on while the next one comes.
    pub async fn call_each(&self, commands: &[Command], take: impl FnMut(usize, Result<Reply, Error>) + Send) {
        self.read_each(commands, Vec::new(), take).await;
    }

    /// [`call_each`](Self::call_each), but the rows of each command that has a sink go there as they come, and are not in
    /// its reply.
    pub async fn read_each(
        &self,
        commands: &[Command],
        sinks: Vec<Option<RowSink>>,
        mut take: impl FnMut(usize, Result<Reply, Error>) + Send,
    ) {
        match self.wire(Instant::now() + self.inner.options.deadline).await {
            Ok(wire) => wire.shared.call_each(commands, sinks, &mut take).await,
            Err(error) => (0..commands.len()).for_each(|index| take(index, Err(error.clone()))),
        }
    }

    /// Starts a command that never ends by itself, such as `/ppp/active/listen`, and gives its rows as they come.
    /// Dropping the [`Listener`] cancels it.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub async fn listen(&self, command: &Command) -> Result<Listener, Error> {
        let wire = self.wire(Instant::now() + self.inner.options.deadline).await?;
        Listener::start(&wire.shared, command).await
    }

    /// Closes the connection for good; commands in flight end as unknown, later ones are not sent. Never waits for the
    /// router.
    pub fn close(&self) {
        let wire = {
            let mut line = self.inner.lock();
            line.closed = true;
            line.wire.clone()
        };
        wire.shared.shut(&CloseReason::new("closed by this side"));
    }

    /// Whether the present connection is closed, and why.
    pub fn closed(&self) -> Option<String> {
        let wire = self.inner.lock().wire.clone();
        wire.shared.closed()
    }

    /// The address of the router, for logs.
    pub fn address(&self) -> &str {
        &self.inner.options.address
    }

    /// The connection, made again if it broke.
    async fn wire(&self, deadline: Instant) -> Result<Arc<Wire>, Error> {
        let wire = self.inner.lock().wire.clone();
        match wire.shared.closed() {
            None => Ok(wire),
            Some(reason) => self.reconnect(reason, deadline).await,
        }
    }

    async fn reconnect(&self, reason: String, deadline: Instant) -> Result<Arc<Wire>, Error> {
        let Some(backoff) = self.inner.options.reconnect else {
            return Err(Error::NotSent { stage: Stage::Closed, detail: reason });
        };
        let late = || Error::NotSent { stage: Stage::Connect, detail: format!("not connected again: {reason}") };
        let Ok(_turn) = timeout_at(deadline, self.inner.connecting.lock()).await else { return Err(late()) };
        let not_before = {
            let line = self.inner.lock();
            if line.closed {
                return Err(Error::NotSent { stage: Stage::Closed, detail: reason });
            }
            if line.wire.shared.closed().is_none() {
                return Ok(line.wire.clone());
            }
            line.not_before.filter(|at| *at > Instant::now())
        };
        if let Some(at) = not_before {
            if at > deadline {
                return Err(late());
            }
            sleep_until(at).await;
        }
        let connected = Wire::connect(&self.inner.options).await;
        let mut line = self.inner.lock();
        match connected {
            Ok(wire) if !line.closed => {
                let wire = Arc::new(wire);
                *line = Line { wire: wire.clone(), failures: 0, not_before: None, closed: false };
                tracing::info!(router = self.address(), "connected again");
                Ok(wire)
            }
            Ok(_) => Err(Error::NotSent { stage: Stage::Closed, detail: "closed by this side".to_owned() }),
            Err(error) => {
                line.failures = line.failures.saturating_add(1);
                line.not_before = Some(Instant::now() + backoff.pause(line.failures));
                tracing::debug!(router = self.address(), failures = line.failures, %error, "not connected");
                Err(error)
            }
        }
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("address", &self.address()).field("closed", &self.closed()).finish()
    }
}
