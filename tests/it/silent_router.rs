//! A router that stays silent: what is done before, after and without it. The order is proved by what waits for what, not
//! by the time that passes: whoever would wait for the wrong side would wait without end.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{Routers, TENANT, World, at, date, router_id};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use isp_core::calendar::Cycle;
use isp_core::clock::ClockWord;
use isp_core::engine::{Approval, DayReport, DayStep, Outside, Said};
use isp_core::ids::WorkerId;
use isp_core::isolation::survey::Survey;
use isp_core::isolation::{Access, AccessTarget, access::ObservedAccess};
use isp_core::place::{Machine, RouterEndpoint};
use isp_core::ports::{
    AccessControl, ApplyOutcome, Capabilities, OutboxQuery, OutboxState, OutboxStore as _, PageQuery, PortError, Topic,
    Watch, Worker,
};

/// What happened, in order.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    fn note(&self, what: &str, of: &str) {
        self.0.lock().unwrap().push(format!("{what} {of}"));
    }

    fn has(&self, entry: &str) -> bool {
        self.0.lock().unwrap().iter().any(|noted| noted == entry)
    }

    /// Waits until it is noted.
    async fn until(&self, entry: &str) {
        while !self.has(entry) {
            tokio::task::yield_now().await;
        }
    }
}

/// The routers of the world; r0 answers when the diary has an entry.
#[derive(Clone)]
struct Slow {
    inner: Routers,
    diary: Diary,
    answers_after: &'static str,
}

#[async_trait]
impl AccessControl for Slow {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn machine(&self, router: &RouterEndpoint) -> Result<Option<Machine>, PortError> {
        self.diary.note("called", &router.host);
        if router.host == "r0" {
            self.diary.until(self.answers_after).await;
        }
        self.diary.note("answered", &router.host);
        Ok(None)
    }

    async fn apply(&self, router: &RouterEndpoint, targets: &[AccessTarget]) -> Result<Vec<ApplyOutcome>, PortError> {
        self.diary.note("applied", &router.host);
        self.inner.apply(router, targets).await
    }

    async fn observe(
        &self,
        router: &RouterEndpoint,
        targets: &[AccessTarget],
        now: DateTime<Utc>,
    ) -> Result<Vec<ObservedAccess>, PortError> {
        self.inner.observe(router, targets, now).await
    }

    async fn survey(
        &self,
        router: &RouterEndpoint,
        targets: &[AccessTarget],
        now: DateTime<Utc>,
    ) -> Result<Survey, PortError> {
        let survey = self.inner.survey(router, targets, now).await?;
        self.diary.note("surveyed", &router.host);
        Ok(survey)
    }
}

/// A watch on which the patience with a router ends when the diary has an entry; nothing else ever runs out.
struct Patience(Diary, &'static str, DateTime<Utc>);

#[async_trait]
impl Watch for Patience {
    fn now(&self) -> DateTime<Utc> {
        self.2
    }

    async fn pause(&self, time: TimeDelta) {
        match time == TimeDelta::seconds(1) {
            true => self.0.until(self.1).await,
            false => std::future::pending().await,
        }
    }
}

/// Lives up to the day on which all four lines, two on each router, are isolated; r0 answers after one entry, the patience with
/// it ends after another.
async fn isolation_day(answers_after: &'static str, patience: &'static str) -> (World, DayReport, Diary) {
    let world = World::new().await;
    for n in 0..4 {
        world.add(n, date("2026-01-01"), 1, Cycle::Monthly, at("2026-01-01", 8)).await;
    }
    world.run(at("2026-01-01", 9)).await.unwrap();
    let diary = Diary::default();
    let day = run(&world, &diary, answers_after, patience, at("2026-01-20", 13)).await;
    (world, day, diary)
}

async fn run(
    world: &World,
    diary: &Diary,
    answers_after: &'static str,
    patience: &'static str,
    now: DateTime<Utc>,
) -> DayReport {
    let routers = Slow { inner: world.routers.clone(), diary: diary.clone(), answers_after };
    let watch = Patience(diary.clone(), patience, now);
    let said = Said { approval: Approval::All, clock: ClockWord::Right };
    let worker = Worker::new(WorkerId(uuid::Uuid::from_u128(7)), &watch);
    let (engine, outside) = (world.engine(), Outside::new(&worker, &routers, &world.messenger));
    let mut tell = |step: DayStep<'_>| {
        if matches!(step, DayStep::Billed(_)) {
            diary.note("billed", "all");
        }
    };
    let day = engine.run_day_watched(&outside, &said, now, &mut tell);
    tokio::time::timeout(Duration::from_secs(20), day).await.expect("somebody waits for the wrong side").unwrap()
}

fn isolated(world: &World, host: &str) -> usize {
    (0..4).filter(|n| world.routers.access(host, &format!("user{n}")) == Some(Access::Isolated)).count()
}

async fn waiting(world: &World) -> usize {
    let query = OutboxQuery { topic: Some(Topic::Access), state: Some(OutboxState::Pending), ..OutboxQuery::default() };
    world.store.outbox(TENANT, query, PageQuery::first(100)).await.unwrap().len()
}

#[tokio::test]
async fn the_others_are_served_before_a_silent_router_is_given_up() {
    // The patience ends only when the other router was served: that may not wait for the silent one.
    let (world, day, diary) = isolation_day("never", "applied r1").await;
    assert!(diary.has("surveyed r1"));
    assert!(!diary.has("answered r0") && !diary.has("applied r0"));
    assert_eq!((isolated(&world, "r1"), isolated(&world, "r0")), (2, 0));
    let down = &day.delivered.routers_down[&router_id(0)];
    assert_eq!(down.waiting, 2, "what waits is told");
    assert_eq!(waiting(&world).await, 2, "and queued");
    assert!(day.delivered.sent > 0, "messages leave all the same");

    // When it answers again, the next run brings it all.
    let day = run(&world, &Diary::default(), "called r0", "never", at("2026-01-20", 14)).await;
    assert!(day.delivered.routers_down.is_empty() && day.surveyed.unread.is_empty());
    assert_eq!((isolated(&world, "r0"), waiting(&world).await), (2, 0));
}

#[tokio::test]
async fn a_router_is_called_before_anything_is_billed_and_only_once() {
    let (_, _, diary) = isolation_day("called r1", "never").await;
    let calls = |host: &str| diary.0.lock().unwrap().iter().filter(|noted| **noted == format!("called {host}")).count();
    assert_eq!((calls("r0"), calls("r1")), (1, 1));
    let place = |entry: &str| diary.0.lock().unwrap().iter().position(|noted| noted == entry).unwrap();
    assert!(place("called r0") < place("billed all") && place("called r1") < place("billed all"));
}

#[tokio::test]
async fn a_router_that_answers_while_the_others_are_served_is_served_too() {
    let (world, day, _) = isolation_day("applied r1", "called r0").await;
    assert!(day.delivered.routers_down.is_empty(), "{:?}", day.delivered.routers_down);
    assert!(day.surveyed.unread.is_empty());
    assert_eq!((isolated(&world, "r1"), isolated(&world, "r0"), waiting(&world).await), (2, 2, 0));
}

#[tokio::test]
async fn where_no_other_router_has_answered_the_only_one_is_waited_for() {
    let world = World::new().await;
    world.add(0, date("2026-01-01"), 1, Cycle::Monthly, at("2026-01-01", 8)).await;
    world.run(at("2026-01-01", 9)).await.unwrap();
    // The other one's address is refused at once, which says nothing of this one.
    world.routers.set_down("r1", true);
    let diary = Diary::default();
    let day = run(&world, &diary, "answered r1", "called r0", at("2026-01-20", 13)).await;
    assert!(day.delivered.routers_down.is_empty());
    assert_eq!(isolated(&world, "r0"), 1);
}

/// What one life with a dead router looks like: the rows of its wishes are not touched, however often it is asked.
#[tokio::test]
async fn what_waits_for_a_dead_router_is_left_as_it_is_and_tells_until_when_it_waits() {
    let (world, _, _) = isolation_day("never", "applied r1").await;
    for minute in [1, 2, 3] {
        let now = at("2026-01-20", 13) + TimeDelta::minutes(minute);
        let diary = Diary::default();
        let day = run(&world, &diary, "never", "answered r1", now).await;
        let down = &day.delivered.routers_down[&router_id(0)];
        assert_eq!((down.waiting, down.reason.contains("no answer")), (2, true), "{}", down.reason);
        let query = OutboxQuery { topic: Some(Topic::Access), state: Some(OutboxState::Pending), customer: None };
        for row in world.store.outbox(TENANT, query, PageQuery::first(100)).await.unwrap() {
            assert_eq!((row.fence, row.attempts), (0, 0), "nobody has claimed it");
            assert_eq!((row.next_attempt, row.note.contains("no answer")), (now + TimeDelta::seconds(30), true));
        }
    }
    // It answers: all that waited is brought, and nothing tells of a rest any more.
    let day = run(&world, &Diary::default(), "called r0", "never", at("2026-01-20", 14)).await;
    assert!(day.delivered.routers_down.is_empty());
    assert_eq!((isolated(&world, "r0"), waiting(&world).await), (2, 0));
    assert_eq!(world.store.router_rests(TENANT).await.unwrap(), []);
}

/// A moment after a router stayed silent, with nothing new to do there, the patience with it ends never and nobody waits for it.
#[tokio::test]
async fn a_router_that_was_silent_a_moment_ago_costs_a_run_no_patience() {
    let (world, _, _) = isolation_day("never", "applied r1").await;
    let diary = Diary::default();
    let day = run(&world, &diary, "never", "never", at("2026-01-20", 13)).await;
    assert!(diary.has("called r0") && diary.has("surveyed r1") && !diary.has("applied r0"));
    assert!(day.surveyed.unread[&router_id(0)].contains("no answer"), "{:?}", day.surveyed.unread);
    assert!(day.delivered.routers_down.is_empty(), "nothing was due there");
    assert_eq!(waiting(&world).await, 2);

    // It is called all the same. Where it answers before the others are done, all that waited is brought at once.
    let diary = Diary::default();
    let day = run(&world, &diary, "called r1", "never", at("2026-01-20", 13)).await;
    assert!(day.surveyed.unread.is_empty(), "{:?}", day.surveyed.unread);
    assert_eq!((isolated(&world, "r0"), waiting(&world).await), (2, 0));
}

/// A payment at the very moment of the rest is due at once, and the router is asked for its sake.
#[tokio::test]
async fn a_payment_reopens_as_soon_as_the_router_is_back() {
    let (world, _, _) = isolation_day("called r0", "never").await;
    assert_eq!(isolated(&world, "r0"), 2);
    let now = at("2026-01-20", 14);
    world.routers.set_down("r0", true);
    // One pays while the router is dead.
    let line = (0..4).find(|n| world.routers.access("r0", &format!("user{n}")).is_some()).unwrap();
    let other = (line + 1..4).find(|n| world.routers.access("r0", &format!("user{n}")).is_some()).unwrap();
    world.pay(line, "p1", 1_000_000, now).await.unwrap();
    assert_eq!(world.deliver(now).await.routers_down[&router_id(0)].waiting, 1);
    // It is back. Nothing is due yet, and then the other one pays: both are let in at once.
    world.routers.all_up();
    assert_eq!(world.deliver(now).await.applied, 0);
    world.pay(other, "p2", 1_000_000, now).await.unwrap();
    let delivered = world.deliver(now).await;
    assert_eq!((delivered.applied, delivered.routers_down.len()), (2, 0));
    assert_eq!((isolated(&world, "r0"), waiting(&world).await), (0, 0));
}
