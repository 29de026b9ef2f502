//! Calling routers before they are needed, so that one that stays silent holds nobody up.
//!
//! A run calls all routers when it begins, and bills meanwhile. A router that has answered is served at once, however late it
//! answers. One that was silent for [`PATIENCE_MILLISECONDS`] and has not answered when the others are done counts as down
//! for this run. One that was silent when it was last asked, less than its rest ago, stands behind the others at once. Where none
//! has answered, there is nobody to hold up, and the adapter's own time-outs decide.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use chrono::TimeDelta;
use futures::future::{BoxFuture, Either, Shared, join_all, select};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};

use crate::ids::RouterId;
use crate::place::{Machine, Router};
use crate::ports::{AccessControl, PortError, Worker};

/// How long a router may be silent before the others stop waiting for it.
const PATIENCE_MILLISECONDS: i64 = 1_000;

/// Routers at work at once.
const ROUTERS_AT_ONCE: usize = 16;

/// Routers at work at once while some of them take long.
const ROUTERS_AT_MOST: usize = 256;

/// Who a router says it is, or what keeps it from saying so.
pub(crate) type Answer = Result<Option<Machine>, PortError>;

/// What is waited for, by whoever asks for it.
type Awaited<'a, T> = Shared<BoxFuture<'a, T>>;

/// The routers that were called, and what they answered.
pub(crate) struct RollCall<'a> {
    pub(crate) worker: &'a Worker<'a>,
    pub(crate) control: &'a dyn AccessControl,
    called: Mutex<BTreeMap<RouterId, Called<'a>>>,
}

#[derive(Clone)]
struct Called<'a> {
    answer: Awaited<'a, Answer>,
    patience: Awaited<'a, ()>,
}

impl<'a> RollCall<'a> {
    /// Nobody is called yet.
    pub(crate) fn new(worker: &'a Worker<'a>, control: &'a dyn AccessControl) -> Self {
        Self { worker, control, called: Mutex::default() }
    }

    /// Calls a router, unless it was called before.
    pub(crate) fn call(&self, router: &Router) {
        self.called(router);
    }

    fn called(&self, router: &Router) -> Called<'a> {
        let mut all = self.called.lock().unwrap_or_else(PoisonError::into_inner);
        let (control, watch) = (self.control, self.worker.watch);
        let call = || {
            let endpoint = router.endpoint.clone();
            let pause = async move { watch.pause(TimeDelta::milliseconds(PATIENCE_MILLISECONDS)).await };
            Called {
                answer: async move { control.machine(&endpoint).await }.boxed().shared(),
                patience: pause.boxed().shared(),
            }
        };
        all.entry(router.id).or_insert_with(call).clone()
    }

    /// Does the work, and listens to those who were called by now.
    pub(crate) async fn along<T>(&self, work: impl Future<Output = T>) -> T {
        let called: Vec<Called<'a>> =
            self.called.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        let listen = async {
            let (answers, pauses) = called.into_iter().map(|c| (c.answer, c.patience)).unzip::<_, _, Vec<_>, Vec<_>>();
            futures::join!(join_all(answers), join_all(pauses));
            std::future::pending::<Infallible>().await
        };
        // Listening comes first, so that whoever is to be called is called before the work begins.
        match select(pin!(listen), pin!(work)).await {
            Either::Left((never, _)) => match never {},
            Either::Right((done, _)) => done,
        }
    }

    /// Does the work of each router, with what it answered. Those of `behind` are not waited for, unless they have answered by now.
    pub(crate) async fn visit<'r, I, T, F>(
        &self,
        work: Vec<(&'r Router, I)>,
        behind: &BTreeSet<RouterId>,
        visit: impl Fn(&'r Router, I, Answer) -> F,
    ) -> Vec<T>
    where
        F: Future<Output = T>,
    {
        let mut visits = self.visits(visit);
        for (router, item) in work {
            visits.add(router, item, behind.contains(&router.id));
        }
        let all = async {
            let mut done = Vec::new();
            while let Some(visited) = visits.next().await {
                done.push(visited);
            }
            done
        };
        self.along(all).await
    }

    /// Visits, to which work may be added while others are under way.
    pub(crate) fn visits<'v, 'r, I, V, F>(&'v self, visit: V) -> Visits<'v, 'a, 'r, I, V, F> {
        Visits {
            roll: self,
            visit,
            came: 0,
            called: BTreeMap::new(),
            hoped: FuturesUnordered::new(),
            silent: FuturesUnordered::new(),
            ready: VecDeque::new(),
            at_work: FuturesUnordered::new(),
            at_once: ROUTERS_AT_ONCE,
            last_call: false,
        }
    }

    /// True when one of those that were called has answered.
    fn is_answered(&self) -> bool {
        let all = self.called.lock().unwrap_or_else(PoisonError::into_inner);
        all.values().any(|called| matches!(called.answer.peek(), Some(Ok(_))))
    }
}

/// What a router answers; `None` when it is silent for too long, or has not answered and is not waited for.
async fn soon(Called { answer, patience }: Called<'_>, behind: bool) -> Option<Answer> {
    if behind {
        return answer.peek().cloned();
    }
    match select(answer, patience).await {
        Either::Left((answer, _)) => Some(answer),
        Either::Right(((), answer)) => answer.peek().cloned(),
    }
}

/// Visits under way. The work of each router begins when it has answered, however late. Those that are silent are given up when
/// nobody is at work and nobody may still answer soon; where none has answered, they are waited for.
pub(crate) struct Visits<'v, 'a, 'r, I, V, F> {
    roll: &'v RollCall<'a>,
    visit: V,
    /// How many have come.
    came: usize,
    /// Those that have not answered, in the order in which they came.
    called: BTreeMap<usize, (&'r Router, I)>,
    /// Of these, those that may still answer soon.
    hoped: FuturesUnordered<BoxFuture<'a, (usize, Option<Answer>)>>,
    /// Of these, those that were silent for too long.
    silent: FuturesUnordered<BoxFuture<'a, (usize, Answer)>>,
    /// Those that have answered.
    ready: VecDeque<(&'r Router, I, Answer)>,
    /// The visits that were begun.
    at_work: FuturesUnordered<F>,
    /// How many may be.
    at_once: usize,
    /// Those that are silent had a last chance to be heard.
    last_call: bool,
}

impl<'r, I, T, V, F> Visits<'_, '_, 'r, I, V, F>
where
    V: Fn(&'r Router, I, Answer) -> F,
    F: Future<Output = T>,
{
    /// Calls a router and visits it when it answers; one that stands `behind` is not waited for.
    pub(crate) fn add(&mut self, router: &'r Router, item: I, behind: bool) {
        let (number, called) = (self.came, self.roll.called(router));
        self.came += 1;
        self.called.insert(number, (router, item));
        self.last_call = false;
        self.hoped.push(async move { (number, soon(called, behind).await) }.boxed());
    }

    /// Lets more routers be visited at once, because those at work take long.
    pub(crate) fn widen(&mut self) {
        self.at_once = (self.at_once + ROUTERS_AT_ONCE).min(ROUTERS_AT_MOST);
    }

    /// What came of the next visit that is over; `None` when all are. It may be dropped before its end, and loses nothing.
    pub(crate) async fn next(&mut self) -> Option<T> {
        poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<T>> {
        loop {
            while let Poll::Ready(Some((number, answer))) = self.hoped.poll_next_unpin(context) {
                self.heard(number, answer);
            }
            while let Poll::Ready(Some((number, answer))) = self.silent.poll_next_unpin(context) {
                self.heard(number, Some(answer));
            }
            while self.at_work.len() < self.at_once
                && let Some((router, item, answer)) = self.ready.pop_front()
            {
                self.at_work.push((self.visit)(router, item, answer));
            }
            if let Poll::Ready(Some(done)) = self.at_work.poll_next_unpin(context) {
                return Poll::Ready(Some(done));
            }
            if !self.at_work.is_empty() || !self.hoped.is_empty() {
                return Poll::Pending;
            }
            if self.called.is_empty() {
                return Poll::Ready(None);
            }
            if !self.roll.is_answered() {
                return Poll::Pending;
            }
            // An answer that has come by now is heard when the executor has had a turn.
            if !std::mem::replace(&mut self.last_call, true) {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            self.give_up();
        }
    }

    fn heard(&mut self, number: usize, answer: Option<Answer>) {
        let Some(answer) = answer else {
            if let Some((router, _)) = self.called.get(&number) {
                let answer = self.roll.called(router).answer;
                self.silent.push(async move { (number, answer.await) }.boxed());
            }
            return;
        };
        self.last_call = false;
        if let Some((router, item)) = self.called.remove(&number) {
            self.ready.push_back((router, item, answer));
        }
    }

    /// The others are done: whoever has not answered counts as down.
    fn give_up(&mut self) {
        self.silent.clear();
        let down = || Err(PortError::NotSent { reason: "no answer while the other routers were served".into() });
        self.ready.extend(std::mem::take(&mut self.called).into_values().map(|(router, item)| (router, item, down())));
    }
}
