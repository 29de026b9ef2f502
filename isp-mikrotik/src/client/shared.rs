//! One connection: what is in flight on it, who waits for what, and how it ends.

use std::io::ErrorKind;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::time::{Instant, timeout_at};

use super::options::ConnectOptions;
use super::socket::Direct;
use super::watch::Watch;
use crate::error::{Cause, Error, Stage};
use crate::proto::ProtoError;
use crate::proto::command::Command;
use crate::proto::connection::{Connection, Event, Reply, Tag};
use crate::proto::numbered::Numbered;
use crate::proto::sentence::Row;

const READ_BUFFER: usize = 64 << 10;

/// What callers, reader and writer share.
pub(super) struct Shared {
    /// Where bytes are read into. Held until the core has them, so that they stay in order whoever reads.
    inlet: Mutex<Vec<u8>>,
    core: Mutex<Core>,
    /// Places for commands in flight. A place is taken when a command is sent and comes back with its last word.
    pub(super) window: Semaphore,
    pub(super) wake_writer: Notify,
    pub(super) wake_reader: Notify,
    pub(super) direct: Option<Direct>,
    pub(super) watch: Watch,
    pub(super) options: ConnectOptions,
}

pub(super) struct Core {
    pub(super) connection: Connection<Waiter>,
    callers: Numbered<Caller>,
    /// The writer task has been asked to write; until it has, nobody writes directly.
    pub(super) writing: bool,
    pub(super) closed: Option<CloseReason>,
    /// The tag that must be gone by this time, or the router is taken for dead.
    reap: Option<(Tag, Instant)>,
    /// When the last byte came.
    pub(super) heard: Instant,
}

/// Where the reply of a command in flight goes.
pub(super) struct Waiter {
    /// `None`: nobody waits for it.
    pub(super) caller: Option<u32>,
    /// Which of the caller's commands it is.
    pub(super) index: u32,
    /// Whether it holds a place in the window.
    pub(super) placed: bool,
    /// Takes the rows of a command that never ends by itself.
    pub(super) rows: Option<mpsc::Sender<Row>>,
}

impl Waiter {
    fn nobody() -> Waiter {
        Waiter { caller: None, index: 0, placed: false, rows: None }
    }
}

/// Somebody who waits for one or many replies.
#[derive(Default)]
pub(super) struct Caller {
    pub(super) waker: Option<Waker>,
    pub(super) landed: Vec<Landed>,
}

/// A command that ended, by its index.
pub(super) type Landed = (u32, Result<Reply, Broken>);

/// How a command ended without a whole reply.
#[derive(Debug, Clone)]
pub(super) enum Broken {
    NotSent(String),
    Unknown(Cause),
}

impl Broken {
    pub(super) fn error(self, command: &Command) -> Error {
        match self {
            Broken::NotSent(detail) => Error::NotSent { stage: Stage::Closed, detail },
            Broken::Unknown(cause) => Error::Unknown { command: command.path().to_owned(), cause },
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct CloseReason {
    text: String,
    unreadable: Option<ProtoError>,
}

impl CloseReason {
    pub(super) fn new(text: impl Into<String>) -> CloseReason {
        CloseReason { text: text.into(), unreadable: None }
    }

    fn cause(&self) -> Cause {
        self.unreadable.map_or_else(|| Cause::Lost(self.text.clone()), Cause::Unreadable)
    }
}

/// Callers to wake once the lock is released; nearly always one.
#[derive(Default)]
struct Wakes(Option<Waker>, Vec<Waker>);

impl Wakes {
    fn push(&mut self, waker: Option<Waker>) {
        match (&self.0, waker) {
            (None, waker) => self.0 = waker,
            (Some(_), Some(waker)) => self.1.push(waker),
            (Some(_), None) => {}
        }
    }

    fn wake(self) {
        self.0.into_iter().chain(self.1).for_each(Waker::wake);
    }
}

impl Core {
    pub(super) fn enroll(&mut self) -> u32 {
        let id = self.callers.next_number();
        self.callers.insert(id, Caller::default());
        id
    }

    pub(super) fn caller_mut(&mut self, id: u32) -> Option<&mut Caller> {
        self.callers.get_mut(id)
    }

    pub(super) fn dismiss(&mut self, id: u32) {
        self.callers.remove(id);
    }

    /// Fails when the connection is closed.
    pub(super) fn ensure_open(&self) -> Result<(), Error> {
        match &self.closed {
            None => Ok(()),
            Some(reason) => Err(Error::NotSent { stage: Stage::Closed, detail: reason.text.clone() }),
        }
    }

    fn land(&mut self, waiter: &Waiter, end: Result<Reply, Broken>) -> Option<Waker> {
        let caller = self.callers.get_mut(waiter.caller?)?;
        caller.landed.push((waiter.index, end));
        caller.waker.take()
    }
}

impl Shared {
    /// Nothing is in flight yet.
    pub(super) fn new(options: &ConnectOptions, direct: Option<Direct>) -> Shared {
        Shared {
            inlet: Mutex::new(vec![0; READ_BUFFER]),
            core: Mutex::new(Core {
                connection: Connection::default(),
                callers: Numbered::default(),
                writing: false,
                closed: None,
                reap: None,
                heard: Instant::now(),
            }),
            window: Semaphore::new(options.window),
            wake_writer: Notify::new(),
            wake_reader: Notify::new(),
            direct,
            watch: Watch::default(),
            options: options.clone(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the connection is closed, if it is.
    pub(super) fn closed(&self) -> Option<String> {
        self.lock().closed.as_ref().map(|reason| reason.text.clone())
    }

    /// Takes a place in the window, waiting for one if need be.
    pub(super) async fn place(&self, deadline: Instant) -> Result<(), Error> {
        if let Ok(permit) = self.window.try_acquire() {
            permit.forget();
            return Ok(());
        }
        match timeout_at(deadline, self.window.acquire()).await {
            Ok(Ok(permit)) => {
                permit.forget();
                Ok(())
            }
            Ok(Err(_)) => Err(Error::NotSent {
                stage: Stage::Closed,
                detail: self.closed().unwrap_or_else(|| "closed".to_owned()),
            }),
            Err(_) => {
                let detail = "no place in the window before the deadline".to_owned();
                Err(Error::NotSent { stage: Stage::Window, detail })
            }
        }
    }

    /// Gets the output on its way: at once if asked and possible, else through the writer task, which writes in one
    /// go what several callers have queued by then.
    pub(super) fn flush(&self, core: &mut Core, directly: bool) {
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

    /// Takes what arrives, as the reader task.
    pub(super) fn poll_read(
        &self,
        socket: &mut (impl AsyncRead + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), CloseReason>> {
        let mut inlet = self.inlet.lock().unwrap_or_else(PoisonError::into_inner);
        let mut buffer = ReadBuf::new(&mut inlet);
        ready!(Pin::new(socket).poll_read(cx, &mut buffer)).map_err(|error| CloseReason::new(error.to_string()))?;
        Poll::Ready(match buffer.filled() {
            [] => Err(CloseReason::new("closed by the router")),
            bytes => self.receive(bytes),
        })
    }

    /// Takes what has arrived, if anything, in the task of a caller that waits awake.
    pub(super) fn look(&self, direct: &Direct) {
        let Ok(mut inlet) = self.inlet.try_lock() else { return };
        let end = match direct.try_read(&mut inlet) {
            // The reader hears of the end too.
            Ok(0) => Ok(()),
            Ok(count) => self.receive(inlet.get(..count).unwrap_or_default()),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(()),
            Err(error) => Err(CloseReason::new(error.to_string())),
        };
        drop(inlet);
        if let Err(reason) = end {
            self.shut(&reason);
        }
    }

    /// Takes received bytes and gives each reply to whom it belongs.
    fn receive(&self, bytes: &[u8]) -> Result<(), CloseReason> {
        let (mut places, mut wakes) = (0, Wakes::default());
        let mut core = self.lock();
        core.connection.receive(bytes);
        core.heard = Instant::now();
        let end = loop {
            match core.connection.poll() {
                Ok(None) => break Ok(()),
                Ok(Some(Event::Finished { value, reply, .. })) => {
                    places += usize::from(value.placed);
                    wakes.push(core.land(&value, Ok(reply)));
                }
                Ok(Some(Event::Row { tag, row })) => self.hand_row(&mut core, tag, row),
                Ok(Some(Event::Fatal { message })) => break Err(CloseReason::new(format!("router said: {message}"))),
                Err(error) => break Err(CloseReason { text: error.to_string(), unreadable: Some(error) }),
            }
        };
        drop(core);
        if places > 0 {
            self.window.add_permits(places);
        }
        wakes.wake();
        end
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
    pub(super) fn cancel(&self, core: &mut Core, tag: Tag) {
        if core.closed.is_some() || !core.connection.is_in_flight(tag) {
            return;
        }
        if core.connection.cancel(tag, Waiter::nobody()).is_ok() {
            core.reap.get_or_insert((tag, Instant::now() + self.options.cancel_grace));
            self.flush(core, true);
            self.wake_reader.notify_one();
        }
    }

    /// Whether a cancelled command outlived its grace time; forgets it when it ended.
    pub(super) fn overdue(&self, now: Instant) -> bool {
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

    pub(super) fn reap_at(&self) -> Option<Instant> {
        self.lock().reap.map(|(_, at)| at)
    }

    /// Sends a harmless command that nobody waits for, so that a dead peer is noticed.
    pub(super) fn ping(&self) {
        let mut core = self.lock();
        if core.closed.is_none()
            && core.connection.in_flight() == 0
            && core.connection.submit(&Command::new("/system/identity/print"), Waiter::nobody()).is_ok()
        {
            self.flush(&mut core, true);
        }
    }

    /// Ends the connection and everything in flight on it. Never waits.
    pub(super) fn shut(&self, reason: &CloseReason) {
        let mut wakes = Wakes::default();
        {
            let mut core = self.lock();
            if core.closed.is_none() {
                core.closed = Some(reason.clone());
            }
            for (waiter, sent) in core.connection.drain() {
                let broken = match sent {
                    true => Broken::Unknown(reason.cause()),
                    false => Broken::NotSent(reason.text.clone()),
                };
                wakes.push(core.land(&waiter, Err(broken)));
            }
        }
        self.window.close();
        self.wake_writer.notify_one();
        self.wake_reader.notify_one();
        wakes.wake();
    }
}
