//! A router that stays silent: what is done before, after and without it. The order is proved by what waits for what, not
//! by the time that passes: whoever would wait for the wrong side would wait without end.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{Routers, TENANT, World, at, customer_id, date, router_id};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use isp_core::calendar::Cycle;
use isp_core::clock::ClockWord;
use isp_core::engine::{Approval, DayReport, DayStep, DeliverReport, Outside, Said};
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

/// The routers of the world; r0 answers when the diary has an entry, and r1 is done with what it is told when it has another.
#[derive(Clone)]
struct Slow {
    inner: Routers,
    diary: Diary,
    answers_after: &'static str,
    done_after: &'static str,
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
        if router.host == "r1" {
            self.diary.until(self.done_after).await;
        }
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
    let routers = Slow { inner: world.routers.clone(), diary: diary.clone(), answers_after, done_after: "applied r1" };
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

/// What becomes of four lines, two on each router, that are to be isolated, when a delivery takes its time.
async fn delivered_slowly(world: &World, routers: &dyn AccessControl, watch: &dyn Watch) -> DeliverReport {
    for n in 0..4 {
        world.add(n, date("2026-01-01"), 1, Cycle::Monthly, at("2026-01-01", 8)).await;
    }
    world.run(at("2026-01-01", 9)).await.unwrap();
    let now = watch.now();
    world.engine().enforce(now, &Approval::All).await.unwrap();
    let worker = Worker::new(WorkerId(uuid::Uuid::from_u128(7)), watch);
    let outside = Outside::new(&worker, routers, &world.messenger);
    let engine = world.engine();
    let delivered = tokio::time::timeout(Duration::from_secs(20), engine.deliver_outside(&outside, now)).await;
    delivered.expect("somebody waits for the wrong side").unwrap()
}

/// The patience with r0 is over, and it answers while the other router is at work: that one is done only when r0 was served.
#[tokio::test]
async fn a_router_that_answers_late_does_not_wait_for_one_that_takes_long() {
    let (world, diary) = (World::new().await, Diary::default());
    let (inner, answers_after) = (world.routers.clone(), "applied r1");
    let routers = Slow { inner, diary: diary.clone(), answers_after, done_after: "applied r0" };
    let watch = Patience(diary.clone(), "called r0", at("2026-01-20", 13));
    let delivered = delivered_slowly(&world, &routers, &watch).await;
    assert_eq!((delivered.applied, delivered.routers_down.len()), (4, 0));
    assert_eq!((isolated(&world, "r0"), isolated(&world, "r1"), waiting(&world).await), (2, 2, 0));
}

/// Routers of which r0 breaks off in the middle: it has answered, and says nothing to what it is told until all of `until` has
/// happened. A line of r1 is paid for as soon as r1 has isolated its lines; where r1 is `restless`, somebody opens or isolates it
/// by hand after each visit, and r0 breaks off for twenty minutes.
struct Stalling {
    world: World,
    diary: Diary,
    until: fn(&World, &Diary) -> bool,
    restless: Option<Moving>,
}

impl Stalling {
    fn new(world: &World, until: fn(&World, &Diary) -> bool) -> Self {
        Self { world: world.clone(), diary: Diary::default(), until, restless: None }
    }
}

#[async_trait]
impl AccessControl for Stalling {
    fn capabilities(&self) -> Capabilities {
        self.world.routers.capabilities()
    }

    async fn machine(&self, router: &RouterEndpoint) -> Result<Option<Machine>, PortError> {
        self.world.routers.machine(router).await
    }

    async fn apply(&self, router: &RouterEndpoint, targets: &[AccessTarget]) -> Result<Vec<ApplyOutcome>, PortError> {
        self.diary.note("told", &router.host);
        if router.host == "r0" {
            let begun = self.restless.as_ref().map(Moving::now);
            while !(self.until)(&self.world, &self.diary) {
                if self.restless.as_ref().map(Moving::now) > begun.map(|begun| begun + TimeDelta::minutes(20)) {
                    break;
                }
                tokio::task::yield_now().await;
            }
            return Err(PortError::Unknown { reason: "no answer".into() });
        }
        let outcomes = self.world.routers.apply(router, targets).await?;
        if let Some(watch) = &self.restless {
            let (engine, one) = (self.world.engine(), customer_id(1));
            match self.world.routers.access("r1", "user1") {
                Some(Access::Open) => drop(engine.isolate(one, "Sari", "uji", watch.now()).await.unwrap()),
                _ => drop(engine.reopen(one, "Sari", "uji", watch.now()).await.unwrap()),
            }
        } else if targets.iter().any(|target| target.desired == Access::Open) {
            self.diary.note("opened", &router.host);
        } else {
            self.world.pay(1, "p1", 1_000_000, at("2026-01-20", 13)).await.unwrap();
        }
        Ok(outcomes)
    }

    async fn observe(
        &self,
        router: &RouterEndpoint,
        targets: &[AccessTarget],
        now: DateTime<Utc>,
    ) -> Result<Vec<ObservedAccess>, PortError> {
        self.world.routers.observe(router, targets, now).await
    }

    async fn survey(
        &self,
        router: &RouterEndpoint,
        targets: &[AccessTarget],
        now: DateTime<Utc>,
    ) -> Result<Survey, PortError> {
        self.world.routers.survey(router, targets, now).await
    }
}

/// A watch on which nobody's lease or patience with a silent router ends; looks at the others, and the patience of messages, do.
struct Looks(DateTime<Utc>);

#[async_trait]
impl Watch for Looks {
    fn now(&self) -> DateTime<Utc> {
        self.0
    }

    async fn pause(&self, time: TimeDelta) {
        if ![TimeDelta::seconds(2), TimeDelta::seconds(10)].contains(&time) {
            std::future::pending::<()>().await;
        }
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }
}

/// A watch whose time goes on by a minute with every look.
#[derive(Clone)]
struct Moving(Arc<Mutex<DateTime<Utc>>>);

#[async_trait]
impl Watch for Moving {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }

    async fn pause(&self, time: TimeDelta) {
        Looks(self.now()).pause(time).await;
        *self.0.lock().unwrap() += TimeDelta::minutes(1);
    }
}

/// A delivery that would wait for the router that has broken off would never let the payer in, and never end.
#[tokio::test]
async fn a_router_that_breaks_off_holds_up_no_payer_of_another() {
    let world = World::new().await;
    let routers = Stalling::new(&world, |_, diary| diary.has("opened r1"));
    let delivered = delivered_slowly(&world, &routers, &Looks(at("2026-01-20", 13))).await;
    assert_eq!(isolated(&world, "r1"), 1, "who paid is let in");
    // Two were isolated and one was let in; what the other router was told is not known, and is tried again.
    assert_eq!((delivered.applied, delivered.routers_down[&router_id(0)].waiting), (3, 2));
    assert_eq!(delivered.reopened.len(), 1);
    assert_eq!(waiting(&world).await, 2);
}

/// The customers of the other router are told what it said while that one is still waited for.
#[tokio::test]
async fn a_router_that_breaks_off_holds_up_no_message() {
    let world = World::new().await;
    let routers = Stalling::new(&world, |world, _| !world.messenger.accepted().is_empty());
    let delivered = delivered_slowly(&world, &routers, &Looks(at("2026-01-20", 13))).await;
    assert!(delivered.sent > 0);
    assert_eq!(delivered.sent, world.messenger.accepted().len() as u64, "each was sent once");
    assert!(world.messenger.counts().values().all(|times| *times == 1));
}

/// Something becomes due at r1 without end, and r0 says nothing for twenty looks. A delivery takes new work for five minutes.
#[tokio::test]
async fn a_delivery_ends_though_new_work_never_does() {
    let (world, watch) = (World::new().await, Moving(Arc::new(Mutex::new(at("2026-01-20", 13)))));
    let visits = |diary: &Diary| diary.0.lock().unwrap().iter().filter(|noted| *noted == "told r1").count();
    let mut routers = Stalling::new(&world, |_, _| false);
    routers.restless = Some(watch.clone());
    let delivered = delivered_slowly(&world, &routers, &watch).await;
    assert!((2..=7).contains(&visits(&routers.diary)), "{}", visits(&routers.diary));
    assert!(delivered.applied > 2);
}
