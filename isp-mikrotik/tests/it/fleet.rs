//! Many routers: one that is dead, slow or silent delays nobody else.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::common::{endpoint, target};
use isp_core::isolation::Access::{Isolated, Open};
use isp_core::place::RouterEndpoint;
use isp_core::ports::{AccessControl, PortError};
use isp_core::secret::Secret;
use isp_mikrotik::access::Guarded;
use isp_mikrotik::simulator::{Fault, FaultKind, SimulatedRouter, Simulation};
use isp_mikrotik::{MikrotikAccess, Settings};

/// A host that takes connections and never says a word.
async fn silent() -> (tokio::net::TcpListener, RouterEndpoint) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, RouterEndpoint::parse(&address, "api", Secret::new("x")).unwrap())
}

#[tokio::test]
async fn a_silent_router_delays_nobody_and_is_left_alone_for_a_while() {
    let (_listener, dead) = silent().await;
    let routers = [
        SimulatedRouter::start(Simulation::default()).await.unwrap(),
        SimulatedRouter::start(Simulation::default()).await.unwrap(),
    ];
    let settings = Settings {
        connect_timeout: Duration::from_millis(1500),
        rest: Duration::from_millis(300),
        ..Settings::default()
    };
    let access = Arc::new(MikrotikAccess::new(settings));
    let accounts: Vec<_> = (0..10).map(|number| target(number, &format!("user-{number}"), Open)).collect();
    let dead_task = tokio::spawn({
        let (access, dead, accounts) = (access.clone(), dead.clone(), accounts.clone());
        async move { access.apply(&dead, &accounts).await }
    });
    let started = Instant::now();
    let work = routers.iter().map(|router| (endpoint(router), accounts.clone(), Some(0))).collect();
    for outcome in access.apply_many(work, 8).await {
        assert!(matches!(&outcome, Ok(Guarded::Applied(outcomes)) if outcomes.len() == 10), "{outcome:?}");
    }
    assert!(started.elapsed() < Duration::from_millis(1200), "{:?}", started.elapsed());
    assert!(matches!(dead_task.await.unwrap(), Err(PortError::NotSent { .. })));

    let started = Instant::now();
    let error = access.apply(&dead, &accounts).await.unwrap_err();
    assert!(started.elapsed() < Duration::from_millis(200), "{:?}", started.elapsed());
    assert!(error.to_string().contains("left alone"), "{error}");
    tokio::time::sleep(Duration::from_millis(320)).await;
    let started = Instant::now();
    assert!(access.apply(&dead, &accounts).await.is_err());
    assert!(started.elapsed() >= Duration::from_millis(1400), "it is asked again");
}

#[tokio::test]
async fn only_the_routers_that_may_be_called_are_called() {
    let routers = [
        SimulatedRouter::start(Simulation::default()).await.unwrap(),
        SimulatedRouter::start(Simulation::default()).await.unwrap(),
    ];
    let only = Some(vec![routers[0].address().to_string()]);
    let access = MikrotikAccess::new(Settings { only, ..Settings::default() });
    let accounts = [target(1, "budi", Open)];
    assert!(access.apply(&endpoint(&routers[0]), &accounts).await.is_ok());
    let error = access.apply(&endpoint(&routers[1]), &accounts).await.unwrap_err();
    assert!(matches!(&error, PortError::NotSent { reason } if reason.contains("may be called")), "{error}");
    assert!(access.machine(&endpoint(&routers[1])).await.is_err());
    assert_eq!(routers[1].counters().connections, 0);
}

#[tokio::test]
async fn each_router_has_its_own_breaker() {
    let mut routers = Vec::new();
    for _ in 0..3 {
        routers.push(SimulatedRouter::start(Simulation::default()).await.unwrap());
    }
    let access = Arc::new(MikrotikAccess::new(Settings::default()));
    let accounts = |desired| (0..4).map(|number| target(number, &format!("user-{number}"), desired)).collect();
    let work = |desired, limits: [Option<usize>; 3]| {
        routers.iter().zip(limits).map(|(router, limit)| (endpoint(router), accounts(desired), limit)).collect()
    };
    access.apply_many(work(Open, [Some(0); 3]), 2).await;
    let ends = access.apply_many(work(Isolated, [Some(4), Some(3), None]), 2).await;
    let held: Vec<_> = ends.iter().map(|end| matches!(end, Ok(Guarded::Held(_)))).collect();
    assert_eq!(held, [false, true, false], "{ends:?}");
    for (router, held) in routers.iter().zip(held) {
        let isolated = router.secrets().iter().filter(|secret| secret.profile == "isolir").count();
        assert_eq!(isolated, if held { 0 } else { 4 });
    }
}

#[tokio::test]
async fn many_sessions_are_ended_in_batches_with_pauses() {
    let router = SimulatedRouter::start(Simulation::default()).await.unwrap();
    let settings = Settings { kick_batch: 10, kick_pause: Duration::from_millis(60), ..Settings::default() };
    let access = MikrotikAccess::new(settings);
    let mut accounts: Vec<_> = (0..35).map(|number| target(number, &format!("user-{number}"), Open)).collect();
    access.apply(&endpoint(&router), &accounts).await.unwrap();
    accounts.iter_mut().for_each(|account| account.desired = Isolated);
    let started = Instant::now();
    access.apply(&endpoint(&router), &accounts).await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(180), "three pauses between four batches");
    assert_eq!(router.counters().by_command["/ppp/active/remove"], 4);
    assert!(router.sessions().iter().all(|session| session.profile == "isolir"));
}

#[tokio::test]
async fn a_router_that_missed_a_deadline_is_served_on_a_new_connection() {
    let router = SimulatedRouter::start(Simulation::default()).await.unwrap();
    let access = MikrotikAccess::new(Settings { deadline: Duration::from_millis(150), ..Settings::default() });
    let account = [target(1, "budi", Open)];
    router.inject(Fault::new(FaultKind::Latency(Duration::from_millis(600))).on("/ppp/secret/print"));
    let error = access.apply(&endpoint(&router), &account).await.unwrap_err();
    assert!(matches!(error, PortError::Unknown { .. }), "{error}");
    access.apply(&endpoint(&router), &account).await.unwrap();
    assert_eq!(router.counters().connections, 2);
}
