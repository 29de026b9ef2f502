//! The RouterOS client on tokio: the only place in this crate that does network I/O (the simulator aside).
//!
//! One connection carries many commands at once, each under its own tag. A command is registered before its bytes
//! leave; a sentence leaves in one write; a reader task hands each reply to its caller. A caller that gives up
//! (deadline, dropped future) cancels its own tag only. What an error promises is told in [`crate::error`].

mod options;
mod tls;
mod transport;

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::{Instant, timeout, timeout_at};

use crate::error::{Cause, Error, Refusal, RefusalKind, Stage};
use crate::proto::connection::{Connection, Event, Reply, Tag};
use crate::proto::login;
use crate::proto::sentence::{Command, Row};

pub use options::{ConnectOptions, Fingerprint, Tls};
use transport::Direct;

/// A connection to one router, logged in. Clones share the connection; it closes when the last clone is dropped.
#[derive(Clone)]
pub struct Client {
    handle: Arc<Handle>,
}

impl Client {
    /// Connects and logs in. Bounded by [`ConnectOptions::connect_timeout`] for each of TCP, TLS and login.
    ///
    /// # Errors
    ///
    /// [`Error::NotSent`] with the stage that failed, or [`Error::Login`].
    pub async fn connect(options: ConnectOptions) -> Result<Client, Error> {
        let stream = transport::connect(&options).await?;
        let shared = Arc::new(Shared {
            core: Mutex::new(Core { connection: Connection::default(), writing: false, closed: None, reap: None }),
            window: Arc::new(Semaphore::new(options.window)),
            wake_writer: Notify::new(),
            wake_reader: Notify::new(),
            direct: stream.direct(),
            options,
        });
        let tasks = stream.spawn(&shared);
        let client = Client { handle: Arc::new(Handle { shared, tasks }) };
        client.log_in().await?;
        Ok(client)
    }

    /// Sends one command and waits for its whole reply, within the deadline of the options.
    ///
    /// Dropping the future cancels the command on the router and harms nothing else on the connection.
    ///
    /// # Errors
    ///
    /// See [`crate::error`].
    pub async fn call(&self, command: &Command) -> Result<Reply, Error> {
        self.call_within(command, self.shared().options.deadline).await
    }

    /// [`call`](Self::call) with its own deadline, which includes the wait for a place in the window.
    ///
    /// # Errors
    ///
    /// See [`crate::error`].
    pub async fn call_within(&self, command: &Command, deadline: Duration) -> Result<Reply, Error> {
        let deadline = Instant::now() + deadline;
        let permit = self.permit(deadline).await?;
        let mut flight = self.submit(command, permit)?;
        flight.wait(deadline).await
    }

    /// Sends many commands, as many at once as the window allows, and returns their replies in the same order. One
    /// that is refused does not stop the others; each has its own deadline, which starts when it is sent.
    pub async fn call_all(&self, commands: &[Command]) -> Vec<Result<Reply, Error>> {
        let mut results: Vec<Result<Reply, Error>> = Vec::with_capacity(commands.len());
        let mut flights = VecDeque::new();
        let mut waiting = commands.iter();
        loop {
            self.fill(&mut waiting, &mut flights).await;
            let Some(first) = flights.pop_front() else { return results };
            results.push(finish(first).await);
            let stalled = matches!(results.last(), Some(Err(Error::Unknown { cause: Cause::Deadline, .. })));
            while let Some(true) = flights.front().map(Launched::is_ready) {
                if let Some(next) = flights.pop_front() {
                    results.push(finish(next).await);
                }
            }
            if stalled {
                let behind =
                    || Error::NotSent { stage: Stage::Window, detail: "an earlier command got no answer".to_owned() };
                flights.extend(waiting.by_ref().map(|_| Launched::Failed(behind())));
            }
        }
    }

    /// Starts a command that never ends by itself, such as `/ppp/active/listen`, and gives its rows as they come.
    /// Dropping the [`Listener`] cancels it.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub async fn listen(&self, command: &Command) -> Result<Listener, Error> {
        let permit = self.permit(Instant::now() + self.shared().options.deadline).await?;
        let (rows, receiver) = mpsc::channel(LISTEN_BUFFER);
        let (sender, end) = oneshot::channel();
        let waiter = Waiter { path: command.path().to_owned(), reply: Some(sender), rows: Some(rows), _permit: permit };
        let shared = self.shared();
        let tag = {
            let mut core = shared.lock();
            shared.ensure_open(&core)?;
            let tag = core.connection.submit_stream(command, waiter).map_err(|(error, _)| not_a_command(error))?;
            shared.flush(&mut core, true);
            tag
        };
        let flight = Flight { shared: shared.clone(), tag, end, command: command.path().to_owned(), settled: false };
        Ok(Listener { rows: receiver, flight })
    }

    /// Closes the connection; commands in flight end as unknown. Never waits for the router.
    pub fn close(&self) {
        self.shared().shut(&CloseReason::new("closed by this side"));
    }

    /// Whether the connection is closed, and why.
    pub fn closed(&self) -> Option<String> {
        self.shared().lock().closed.as_ref().map(|reason| reason.text.clone())
    }

    /// The address of the router, for logs.
    pub fn address(&self) -> &str {
        &self.shared().options.address
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.handle.shared
    }

    async fn log_in(&self) -> Result<(), Error> {
        let options = &self.shared().options;
        let command = login::command(&options.user, secrecy::ExposeSecret::expose_secret(&options.password));
        let within = options.connect_timeout;
        let outcome = match timeout(within, self.exchange(&command)).await {
            Ok(Ok(reply)) => login::outcome(&reply).map_err(Error::from),
            Ok(Err(error)) => Err(Error::NotSent { stage: Stage::Login, detail: error.to_string() }),
            Err(_) => {
                let detail = format!("no answer from {} within {within:?}", options.address);
                Err(Error::NotSent { stage: Stage::Login, detail })
            }
        };
        if outcome.is_err() {
            self.close();
        }
        outcome
    }

    /// One command whose traps the caller wants to see as they are.
    async fn exchange(&self, command: &Command) -> Result<Reply, Error> {
        let mut flight = self.submit(command, None)?;
        flight.settled = true;
        match (&mut flight.end).await {
            Ok(end) => end,
            Err(_) => Err(flight.lost()),
        }
    }

    async fn permit(&self, deadline: Instant) -> Result<Option<OwnedSemaphorePermit>, Error> {
        let window = &self.shared().window;
        if let Ok(permit) = window.clone().try_acquire_owned() {
            return Ok(Some(permit));
        }
        match timeout_at(deadline, window.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Some(permit)),
            Ok(Err(_)) => Err(self.shared().closed_error()),
            Err(_) => {
                let detail = "no place in the window before the deadline".to_owned();
                Err(Error::NotSent { stage: Stage::Window, detail })
            }
        }
    }

    fn submit(&self, command: &Command, permit: Option<OwnedSemaphorePermit>) -> Result<Flight, Error> {
        let shared = self.shared();
        let mut core = shared.lock();
        let flight = shared.register(&mut core, command, permit)?;
        let alone = core.connection.in_flight() == 1;
        shared.flush(&mut core, alone);
        Ok(flight)
    }

    /// Sends as many of the waiting commands as the window has places for, half a window in one write, so that the
    /// router works on one half while the replies of the other are read.
    async fn fill(&self, waiting: &mut std::slice::Iter<'_, Command>, flights: &mut VecDeque<Launched>) {
        if waiting.as_slice().is_empty() {
            return;
        }
        let shared = self.shared();
        let within = shared.options.deadline;
        let first = match shared.window.clone().try_acquire_owned() {
            Ok(permit) => Ok(Some(permit)),
            Err(_) if !flights.is_empty() => return,
            Err(_) => self.permit(Instant::now() + within).await,
        };
        let mut permit = match first {
            Ok(permit) => permit,
            Err(error) => {
                waiting.next();
                flights.push_back(Launched::Failed(error));
                return;
            }
        };
        let deadline = Instant::now() + within;
        let half = shared.options.window.div_ceil(2);
        let mut core = shared.lock();
        let mut since_flush = 0;
        while let Some(command) = permit.is_some().then(|| waiting.next()).flatten() {
            flights.push_back(match shared.register(&mut core, command, permit.take()) {
                Ok(flight) => Launched::Sent(flight, deadline),
                Err(error) => Launched::Failed(error),
            });
            since_flush += 1;
            if since_flush == half {
                shared.flush(&mut core, true);
                since_flush = 0;
            }
            permit = shared.window.clone().try_acquire_owned().ok();
        }
        shared.flush(&mut core, true);
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("address", &self.address()).field("closed", &self.closed()).finish()
    }
}

/// Rows of a command that never ends; see [`Client::listen`].
#[derive(Debug)]
pub struct Listener {
    rows: mpsc::Receiver<Row>,
    flight: Flight,
}

/// A listener that falls this many rows behind is cancelled instead of filling the memory.
const LISTEN_BUFFER: usize = 4096;

impl Listener {
    /// The next row; `None` when the router ended the command. A deleted object comes with `=.dead=`.
    ///
    /// # Errors
    ///
    /// What ended the command, if it was not the router's `!done`.
    pub async fn next(&mut self) -> Result<Option<Row>, Error> {
        if let Some(row) = self.rows.recv().await {
            return Ok(Some(row));
        }
        if self.flight.settled {
            return Ok(None);
        }
        self.flight.settled = true;
        match (&mut self.flight.end).await {
            Ok(end) => end.and_then(|reply| settle(&self.flight.command, reply)).map(|_| None),
            Err(_) => Err(self.flight.lost()),
        }
    }
}

struct Handle {
    shared: Arc<Shared>,
    tasks: [tokio::task::AbortHandle; 2],
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.shut(&CloseReason::new("closed by this side"));
        for task in &self.tasks {
            task.abort();
        }
    }
}

struct Shared {
    core: Mutex<Core>,
    window: Arc<Semaphore>,
    wake_writer: Notify,
    wake_reader: Notify,
    direct: Option<Direct>,
    options: ConnectOptions,
}

struct Core {
    connection: Connection<Waiter>,
    /// The writer task has been asked to write; until it has, nobody writes directly.
    writing: bool,
    closed: Option<CloseReason>,
    /// The tag that must be gone by this time, or the router is taken for dead.
    reap: Option<(Tag, Instant)>,
}

struct Waiter {
    path: String,
    reply: Option<oneshot::Sender<Result<Reply, Error>>>,
    rows: Option<mpsc::Sender<Row>>,
    _permit: Option<OwnedSemaphorePermit>,
}

#[derive(Debug, Clone)]
struct CloseReason {
    text: String,
    unreadable: Option<crate::proto::ProtoError>,
}

impl CloseReason {
    fn new(text: impl Into<String>) -> CloseReason {
        CloseReason { text: text.into(), unreadable: None }
    }

    fn cause(&self) -> Cause {
        self.unreadable.map_or_else(|| Cause::Lost(self.text.clone()), Cause::Unreadable)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ensure_open(&self, core: &Core) -> Result<(), Error> {
        match &core.closed {
            None => Ok(()),
            Some(reason) => Err(Error::NotSent { stage: Stage::Closed, detail: reason.text.clone() }),
        }
    }

    fn closed_error(&self) -> Error {
        let detail = self.lock().closed.as_ref().map_or_else(|| "closed".to_owned(), |reason| reason.text.clone());
        Error::NotSent { stage: Stage::Closed, detail }
    }

    fn register(
        self: &Arc<Self>,
        core: &mut Core,
        command: &Command,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Result<Flight, Error> {
        self.ensure_open(core)?;
        let (sender, end) = oneshot::channel();
        let path = command.path().to_owned();
        let waiter = Waiter { path: path.clone(), reply: Some(sender), rows: None, _permit: permit };
        let tag = core.connection.submit(command, waiter).map_err(|(error, _)| not_a_command(error))?;
        Ok(Flight { shared: self.clone(), tag, end, command: path, settled: false })
    }

    /// Gets the output on its way: at once if asked and possible, else through the writer task, which writes in one
    /// go what several callers have queued by then.
    fn flush(&self, core: &mut Core, directly: bool) {
        if core.writing || core.connection.output().is_empty() {
            return;
        }
        if let (true, Some(direct)) = (directly, &self.direct)
            && let Ok(count) = direct.try_write(core.connection.output())
        {
            core.connection.wrote(count);
            if core.connection.output().is_empty() {
                return;
            }
        }
        core.writing = true;
        self.wake_writer.notify_one();
    }

    /// Takes received bytes and gives each reply to whom it belongs.
    fn receive(&self, bytes: &[u8]) -> Result<(), CloseReason> {
        let mut core = self.lock();
        core.connection.receive(bytes);
        loop {
            match core.connection.poll() {
                Ok(None) => return Ok(()),
                Ok(Some(Event::Finished { mut value, reply, .. })) => {
                    if let Some(sender) = value.reply.take() {
                        let _ = sender.send(Ok(reply));
                    }
                }
                Ok(Some(Event::Row { tag, row })) => self.hand_row(&mut core, tag, row),
                Ok(Some(Event::Fatal { message })) => return Err(CloseReason::new(format!("router said: {message}"))),
                Err(error) => return Err(CloseReason { text: error.to_string(), unreadable: Some(error) }),
            }
        }
    }

    fn hand_row(&self, core: &mut Core, tag: Tag, row: Row) {
        let Some(waiter) = core.connection.value_mut(tag) else { return };
        let gone = waiter.rows.as_ref().is_some_and(|rows| rows.try_send(row).is_err());
        if gone {
            waiter.rows = None;
            self.cancel(core, tag);
        }
    }

    /// Sends `/cancel` for a command that nobody waits for any more. If the router does not end it within the grace
    /// time the connection is closed, because its place in the window would be lost for ever.
    fn cancel(&self, core: &mut Core, tag: Tag) {
        if core.closed.is_some() || !core.connection.is_in_flight(tag) {
            return;
        }
        let waiter = Waiter { path: "/cancel".to_owned(), reply: None, rows: None, _permit: None };
        if core.connection.cancel(tag, waiter).is_ok() {
            core.reap.get_or_insert((tag, Instant::now() + self.options.cancel_grace));
            self.flush(core, true);
            self.wake_reader.notify_one();
        }
    }

    fn abandon(&self, tag: Tag) {
        let mut core = self.lock();
        self.cancel(&mut core, tag);
    }

    /// Whether a cancelled command outlived its grace time; forgets it when it ended.
    fn overdue(&self, now: Instant) -> bool {
        let mut core = self.lock();
        match core.reap {
            Some((tag, _)) if !core.connection.is_in_flight(tag) => {
                core.reap = None;
                false
            }
            Some((_, at)) => at <= now,
            None => false,
        }
    }

    fn reap_at(&self) -> Option<Instant> {
        self.lock().reap.map(|(_, at)| at)
    }

    /// Sends a harmless command that nobody waits for, so that a dead peer is noticed.
    fn ping(&self) {
        let mut core = self.lock();
        if core.closed.is_none() && core.connection.in_flight() == 0 {
            let waiter = Waiter { path: String::new(), reply: None, rows: None, _permit: None };
            if core.connection.submit(&Command::new("/system/identity/print"), waiter).is_ok() {
                self.flush(&mut core, true);
            }
        }
    }

    fn shut(&self, reason: &CloseReason) {
        let ended = {
            let mut core = self.lock();
            if core.closed.is_none() {
                core.closed = Some(reason.clone());
            }
            core.connection.drain()
        };
        self.window.close();
        self.wake_writer.notify_one();
        self.wake_reader.notify_one();
        for (mut waiter, sent) in ended {
            let error = if sent {
                Error::Unknown { command: waiter.path.clone(), cause: reason.cause() }
            } else {
                Error::NotSent { stage: Stage::Closed, detail: reason.text.clone() }
            };
            if let Some(sender) = waiter.reply.take() {
                let _ = sender.send(Err(error));
            }
        }
    }
}

/// A command on its way; dropping it before it is settled cancels it.
struct Flight {
    shared: Arc<Shared>,
    tag: Tag,
    end: oneshot::Receiver<Result<Reply, Error>>,
    command: String,
    settled: bool,
}

impl Flight {
    async fn wait(&mut self, deadline: Instant) -> Result<Reply, Error> {
        let end = timeout_at(deadline, &mut self.end).await;
        match end {
            Ok(end) => {
                self.settled = true;
                end.unwrap_or_else(|_| Err(self.lost())).and_then(|reply| settle(&self.command, reply))
            }
            Err(_) => Err(Error::Unknown { command: self.command.clone(), cause: Cause::Deadline }),
        }
    }

    fn lost(&self) -> Error {
        Error::Unknown { command: self.command.clone(), cause: Cause::Lost("the connection ended".to_owned()) }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if !self.settled {
            self.shared.abandon(self.tag);
        }
    }
}

impl fmt::Debug for Flight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flight").field("tag", &self.tag).field("command", &self.command).finish()
    }
}

enum Launched {
    Sent(Flight, Instant),
    Failed(Error),
}

impl Launched {
    fn is_ready(&self) -> bool {
        match self {
            Launched::Sent(flight, _) => !flight.end.is_empty() || flight.end.is_terminated(),
            Launched::Failed(_) => true,
        }
    }
}

async fn finish(launched: Launched) -> Result<Reply, Error> {
    match launched {
        Launched::Sent(mut flight, deadline) => flight.wait(deadline).await,
        Launched::Failed(error) => Err(error),
    }
}

fn settle(command: &str, reply: Reply) -> Result<Reply, Error> {
    if reply.traps().is_empty() {
        return Ok(reply);
    }
    let refusal = Refusal::from_traps(reply.traps());
    let command = command.to_owned();
    Err(match refusal.kind {
        RefusalKind::Interrupted => Error::Unknown { command, cause: Cause::Interrupted },
        _ => Error::Refused { command, refusal },
    })
}

fn not_a_command(error: crate::proto::ProtoError) -> Error {
    Error::NotSent { stage: Stage::Command, detail: error.to_string() }
}
