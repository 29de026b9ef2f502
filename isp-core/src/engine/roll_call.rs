//! Calling routers before they are needed, so that one that stays silent holds nobody up.
//!
//! A run calls all routers when it begins, and bills meanwhile. A router that has answered is served at once. One that is
//! silent for [`PATIENCE_MILLISECONDS`] stands behind the others; has it not answered when they are done, it counts as down
//! for this run. One that was silent when it was last asked, less than its rest ago, stands behind the others at once. Where none
//! has answered, there is nobody to hold up, and the adapter's own time-outs decide.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};

use chrono::TimeDelta;
use futures::future::{BoxFuture, Either, Shared, join_all, select};
use futures::{FutureExt, StreamExt};

use crate::ids::RouterId;
use crate::place::{Machine, Router};
use crate::ports::{AccessControl, PortError, Worker};

/// How long a router may be silent before the others stop waiting for it.
const PATIENCE_MILLISECONDS: i64 = 1_000;

/// Routers at work at once.
const ROUTERS_AT_ONCE: usize = 16;

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

    /// Does the work of each router, with what it answered: of those that answer soon first, then of the silent ones. Those of
    /// `behind` stand with the silent ones from the beginning, unless they have answered by now.
    pub(crate) async fn visit<'r, I, T, F>(
        &self,
        work: Vec<(&'r Router, I)>,
        behind: &BTreeSet<RouterId>,
        visit: impl Fn(&'r Router, I, Answer) -> F,
    ) -> Vec<T>
    where
        F: Future<Output = T>,
    {
        work.iter().for_each(|(router, _)| self.call(router));
        let visit = &visit;
        let soon = futures::stream::iter(work).map(|(router, item)| async move {
            match self.soon(router, behind.contains(&router.id)).await {
                Some(answer) => Either::Left(visit(router, item, answer).await),
                None => Either::Right((router, item)),
            }
        });
        let soon: Vec<_> = self.along(soon.buffer_unordered(ROUTERS_AT_ONCE).collect()).await;
        let (mut done, mut silent) = (Vec::with_capacity(soon.len()), Vec::new());
        for visited in soon {
            match visited {
                Either::Left(visited) => done.push(visited),
                Either::Right(waiting) => silent.push(waiting),
            }
        }
        let late = futures::stream::iter(silent).map(|(router, item)| async move {
            let answer = self.at_last(router).await;
            visit(router, item, answer).await
        });
        done.extend(self.along(late.buffer_unordered(ROUTERS_AT_ONCE).collect::<Vec<_>>()).await);
        done
    }

    /// What a router answers; `None` when it is silent for too long, or has not answered and is not waited for.
    async fn soon(&self, router: &Router, behind: bool) -> Option<Answer> {
        let Called { answer, patience } = self.called(router);
        if behind {
            return answer.peek().cloned();
        }
        match select(answer, patience).await {
            Either::Left((answer, _)) => Some(answer),
            Either::Right(((), answer)) => answer.peek().cloned(),
        }
    }

    /// What a router has answered by the time the others are done. Where none has answered, it is waited for.
    async fn at_last(&self, router: &Router) -> Answer {
        let answer = self.called(router).answer;
        let any = || {
            let all = self.called.lock().unwrap_or_else(PoisonError::into_inner);
            all.values().any(|called| matches!(called.answer.peek(), Some(Ok(_))))
        };
        match answer.peek() {
            Some(known) => known.clone(),
            None if any() => Err(PortError::NotSent { reason: "no answer while the other routers were served".into() }),
            None => answer.await,
        }
    }
}
