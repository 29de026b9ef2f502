//! Commands on their way: one, or a batch.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::task::yield_now;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::shared::{Broken, Core, Landed, Shared, Waiter};
use crate::error::{Cause, Error, Refusal, RefusalKind, Stage};
use crate::proto::ProtoError;
use crate::proto::command::Command;
use crate::proto::connection::{Reply, RowSink, RowsGo, Tag};

impl Shared {
    /// Sends a command and waits for its reply, traps and all.
    pub(super) async fn call_raw(self: &Arc<Self>, command: &Command, deadline: Instant) -> Result<Reply, Error> {
        self.place(deadline).await?;
        let mut flights = Flights::new(self.clone());
        {
            let mut core = self.lock();
            flights.send(&mut core, command, 0, deadline)?;
            let alone = core.connection.in_flight() == 1;
            self.flush(&mut core, alone);
        }
        if !flights.watch(deadline).await && timeout_at(deadline, poll_fn(|cx| flights.poll_landed(cx))).await.is_err()
        {
            return Err(Error::Unknown { command: command.path().to_owned(), cause: Cause::Deadline });
        }
        let end = flights.settle().ok_or_else(|| lost(command))?;
        end.map_err(|broken| broken.error(command))
    }

    /// Sends many commands, as many at once as the window allows, and hands over the end of each when it comes. The rows of
    /// those that have a sink go there.
    pub(super) async fn call_each(
        self: &Arc<Self>,
        commands: &[Command],
        sinks: Vec<Option<RowSink>>,
        take: &mut Take<'_>,
    ) {
        let mut batch = Batch {
            flights: Flights::new(self.clone()),
            commands,
            sinks,
            ended: vec![false; commands.len()],
            take,
            sent: 0,
            open: 0,
            landed: Vec::new(),
        };
        let mut alarm = pin!(sleep_until(Instant::now() + self.options.deadline));
        let mut linger = pin!(sleep(LINGER));
        let (mut lingers, mut lingered) = (false, false);
        loop {
            if batch.send_more(lingered) {
                (lingers, lingered) = (false, false);
            }
            if batch.open == 0 {
                if batch.sent == commands.len() {
                    for (index, command) in commands.iter().enumerate() {
                        batch.end(index, Err(lost(command)));
                    }
                    return;
                }
                // Others hold every place; the first one that comes back carries the next command.
                if let Err(error) = self.place(Instant::now() + self.options.deadline).await {
                    batch.fail_next(error);
                } else {
                    batch.send_placed();
                }
                continue;
            }
            if batch.flights.watch(alarm.deadline()).await {
                batch.take_landed();
                continue;
            }
            if !lingers && !lingered && batch.has_room() {
                lingers = true;
                linger.as_mut().reset(Instant::now() + LINGER);
            }
            let event = poll_fn(|cx| {
                if batch.flights.poll_landed(cx).is_ready() {
                    return Poll::Ready(Ring::Landed);
                }
                if lingers && linger.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Ring::Lingered);
                }
                alarm.as_mut().poll(cx).map(|()| Ring::Overdue)
            });
            match event.await {
                Ring::Landed => batch.take_landed(),
                Ring::Lingered => (lingers, lingered) = (false, true),
                Ring::Overdue => alarm.as_mut().reset(batch.give_up_overdue(Instant::now())),
            }
        }
    }
}

/// Takes the end of a command, by its place among the commands.
pub(super) type Take<'a> = dyn FnMut(usize, Result<Reply, Error>) + Send + 'a;

/// How long a batch that waits for more places leaves one unused.
const LINGER: Duration = Duration::from_millis(1);

/// What a batch waits for.
enum Ring {
    Landed,
    Lingered,
    Overdue,
}

/// Commands of one caller that are on their way. Those that have not landed when this is dropped are cancelled.
pub(super) struct Flights {
    shared: Arc<Shared>,
    caller: u32,
    flying: VecDeque<Flying>,
}

struct Flying {
    index: u32,
    tag: Tag,
    deadline: Instant,
}

impl Flights {
    pub(super) fn new(shared: Arc<Shared>) -> Flights {
        let caller = shared.lock().enroll();
        Flights { shared, caller, flying: VecDeque::new() }
    }

    /// Registers a command and queues its bytes. It has a place in the window, which goes back if it cannot be sent.
    pub(super) fn send(
        &mut self,
        core: &mut Core,
        command: &Command,
        index: u32,
        deadline: Instant,
    ) -> Result<(), Error> {
        let waiter = Waiter { caller: None, index, placed: true, rows: None };
        self.send_waiter(core, command, deadline, waiter, RowsGo::Reply)
    }

    /// As [`send`](Self::send), for a waiter whose rows go elsewhere.
    pub(super) fn send_waiter(
        &mut self,
        core: &mut Core,
        command: &Command,
        deadline: Instant,
        mut waiter: Waiter,
        rows: RowsGo,
    ) -> Result<(), Error> {
        waiter.caller = Some(self.caller);
        let index = waiter.index;
        let registered = core.ensure_open().and_then(|()| {
            core.connection.submit_rows(command, waiter, rows).map_err(|(error, _)| not_a_command(error))
        });
        match registered {
            Ok(tag) => {
                self.flying.push_back(Flying { index, tag, deadline });
                Ok(())
            }
            Err(error) => {
                self.shared.window.add_permits(1);
                Err(error)
            }
        }
    }

    /// Waits awake for a moment, if that is worth it, but not beyond a deadline; whether something has landed meanwhile.
    async fn watch(&self, deadline: Instant) -> bool {
        let shared = &self.shared;
        let Some(direct) = &shared.direct else { return false };
        let moment = shared.options.spin.min(deadline.saturating_duration_since(Instant::now()));
        let Some(turn) = shared.watch.begin(moment) else { return false };
        loop {
            yield_now().await;
            shared.look(direct);
            if shared.lock().caller_mut(self.caller).is_none_or(|caller| !caller.landed.is_empty()) {
                turn.landed();
                return true;
            }
            if turn.is_over() {
                return false;
            }
        }
    }

    /// Ready when something has landed.
    pub(super) fn poll_landed(&mut self, cx: &Context<'_>) -> Poll<()> {
        let mut core = self.shared.lock();
        let Some(caller) = core.caller_mut(self.caller) else { return Poll::Ready(()) };
        if !caller.landed.is_empty() {
            return Poll::Ready(());
        }
        match &mut caller.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// Puts what has landed since the last look into an empty list.
    fn take_landed(&self, landed: &mut Vec<Landed>) {
        if let Some(caller) = self.shared.lock().caller_mut(self.caller) {
            std::mem::swap(landed, &mut caller.landed);
        }
    }

    /// How the only command ended; there is nothing to cancel any more.
    pub(super) fn settle(&mut self) -> Option<Result<Reply, Broken>> {
        self.flying.clear();
        let mut landed = Vec::new();
        self.take_landed(&mut landed);
        landed.pop().map(|(_, end)| end)
    }
}

impl Drop for Flights {
    fn drop(&mut self) {
        let mut core = self.shared.lock();
        core.dismiss(self.caller);
        for flying in &self.flying {
            self.shared.cancel(&mut core, flying.tag);
        }
    }
}

struct Batch<'a> {
    flights: Flights,
    commands: &'a [Command],
    /// Where the rows of each go, until it is sent.
    sinks: Vec<Option<RowSink>>,
    /// Which commands ended and were handed over.
    ended: Vec<bool>,
    take: &'a mut Take<'a>,
    /// How many commands were sent or given up.
    sent: usize,
    /// How many of them have not landed.
    open: usize,
    /// Kept for its memory.
    landed: Vec<Landed>,
}

impl Batch<'_> {
    /// Sends as many commands as there are free places, in one write, once there are as many of them as commands on
    /// their way or, after a while, if it is told so (`any`). To fill each place when it becomes free would soon give
    /// every command a write, a segment and two wake-ups of its own, because the router answers them as they come.
    fn send_more(&mut self, any: bool) -> bool {
        let shared = self.flights.shared.clone();
        let left = self.commands.len() - self.sent;
        let free = shared.window.available_permits().min(left);
        if free == 0 || (!any && free < self.open.min(left)) {
            return false;
        }
        let Ok(permits) = shared.window.try_acquire_many(u32::try_from(free).unwrap_or(u32::MAX)) else { return false };
        permits.forget();
        self.send_now(&shared, free);
        true
    }

    /// Whether there is a place for a command that was not sent yet.
    fn has_room(&self) -> bool {
        self.sent < self.commands.len() && self.flights.shared.window.available_permits() > 0
    }

    /// Sends one command whose place was waited for, and more if there is room by now.
    fn send_placed(&mut self) {
        let shared = self.flights.shared.clone();
        self.send_now(&shared, 1);
    }

    fn send_now(&mut self, shared: &Shared, count: usize) {
        let deadline = Instant::now() + shared.options.deadline;
        let mut core = shared.lock();
        for index in self.sent..self.sent + count {
            let Some(command) = self.commands.get(index) else { break };
            let number = u32::try_from(index).unwrap_or(u32::MAX);
            let waiter = Waiter { caller: None, index: number, placed: true, rows: None };
            let rows = self.sinks.get_mut(index).and_then(Option::take).map_or(RowsGo::Reply, RowsGo::Sink);
            match self.flights.send_waiter(&mut core, command, deadline, waiter, rows) {
                Ok(()) => self.open += 1,
                Err(error) => self.end(index, Err(error)),
            }
            self.sent += 1;
        }
        shared.flush(&mut core, true);
    }

    fn fail_next(&mut self, error: Error) {
        self.end(self.sent, Err(error));
        self.sent += 1;
    }

    fn take_landed(&mut self) {
        let mut landed = std::mem::take(&mut self.landed);
        self.flights.take_landed(&mut landed);
        for (number, end) in landed.drain(..) {
            let index = number as usize;
            let Some(command) = self.commands.get(index) else { continue };
            // One that was given up lands a second time when its `/cancel` is answered.
            if !self.ended(number) {
                self.open -= 1;
                let end = end.map_err(|broken| broken.error(command)).and_then(|reply| settle(command, reply));
                self.end(index, end);
            }
        }
        self.landed = landed;
        while self.flights.flying.front().is_some_and(|first| self.ended(first.index)) {
            self.flights.flying.pop_front();
        }
    }

    /// Gives up what is over its deadline, and with it everything that was not sent yet; returns when to look again.
    fn give_up_overdue(&mut self, now: Instant) -> Instant {
        let shared = self.flights.shared.clone();
        while let Some(first) = self.flights.flying.front() {
            let (index, tag, deadline) = (first.index, first.tag, first.deadline);
            if deadline > now && !self.ended(index) {
                return deadline;
            }
            self.flights.flying.pop_front();
            if self.ended(index) {
                continue;
            }
            shared.cancel(&mut shared.lock(), tag);
            self.open -= 1;
            let Some(command) = self.commands.get(index as usize) else { continue };
            self.end(
                index as usize,
                Err(Error::Unknown { command: command.path().to_owned(), cause: Cause::Deadline }),
            );
            while self.sent < self.commands.len() {
                let detail = "an earlier command got no answer".to_owned();
                self.fail_next(Error::NotSent { stage: Stage::Window, detail });
            }
        }
        now + shared.options.deadline
    }

    fn ended(&self, index: u32) -> bool {
        self.ended.get(index as usize).copied().unwrap_or(true)
    }

    /// Hands an end over, unless that command has had one.
    fn end(&mut self, index: usize, end: Result<Reply, Error>) {
        if let Some(ended) = self.ended.get_mut(index)
            && !std::mem::replace(ended, true)
        {
            (self.take)(index, end);
        }
    }
}

/// Turns traps into the error that they mean.
pub(super) fn settle(command: &Command, reply: Reply) -> Result<Reply, Error> {
    if reply.traps().is_empty() {
        return Ok(reply);
    }
    let refusal = Refusal::from_traps(reply.traps());
    let command = command.path().to_owned();
    Err(match refusal.kind {
        RefusalKind::Interrupted => Error::Unknown { command, cause: Cause::Interrupted },
        _ => Error::Refused { command, refusal },
    })
}

pub(super) fn lost(command: &Command) -> Error {
    let cause = Cause::Lost("the connection ended".to_owned());
    Error::Unknown { command: command.path().to_owned(), cause }
}

fn not_a_command(error: ProtoError) -> Error {
    Error::NotSent { stage: Stage::Command, detail: error.to_string() }
}
