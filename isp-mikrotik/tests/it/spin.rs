//! Callers that wait awake and read for others: order, deadlines, ends and silence are as with the reader task alone.

use std::time::{Duration, Instant};

use isp_mikrotik::error::Cause;
use isp_mikrotik::proto::Command;
use isp_mikrotik::simulator::{Fault, FaultKind, SimulatedRouter, Simulation};
use isp_mikrotik::{Client, ConnectOptions, Error};

const USERS: usize = 40;

/// A router with some users, and options with which somebody is awake at all times.
async fn router() -> (SimulatedRouter, ConnectOptions) {
    let router = SimulatedRouter::start(Simulation::default()).await.unwrap();
    for number in 0..USERS {
        router.force("/ppp/secret", &[("name", format!("user-{number}").as_bytes())]);
    }
    let options = router.options().spin(Duration::from_secs(5));
    (router, options)
}

fn one(number: usize) -> Command {
    let name = format!("user-{number}");
    Command::new("/ppp/secret/print").proplist(&["name"]).where_any("name", &[&name])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn callers_on_many_threads_read_for_each_other_in_order() {
    let (router, options) = router().await;
    // Pieces of three bytes: a word is begun by one caller and ended by another, or by the reader task.
    router.inject(Fault::new(FaultKind::Segments(3)).always());
    let client = Client::connect(options.window(16)).await.unwrap();
    let listened = client.listen(&Command::new("/ppp/active/listen")).await.unwrap();
    let callers: Vec<_> = (0..12)
        .map(|caller| {
            let client = client.clone();
            tokio::spawn(async move {
                for number in (0..USERS).map(|number| (number + caller) % USERS) {
                    let name = format!("user-{number}");
                    let reply = client.call(&one(number)).await.unwrap();
                    assert_eq!((reply.rows().len(), reply.rows()[0].utf8("name")), (1, Some(name.as_str())));
                }
            })
        })
        .collect();
    let batch: Vec<_> = (0..USERS).map(one).collect();
    for (number, reply) in client.call_all(&batch).await.into_iter().enumerate() {
        assert_eq!(reply.unwrap().rows()[0].utf8("name"), Some(format!("user-{number}").as_str()));
    }
    for caller in callers {
        caller.await.unwrap();
    }
    drop(listened);
    assert_eq!(router.counters().connections, 1);
}

#[tokio::test]
async fn a_caller_awake_keeps_its_deadline_and_lets_others_run() {
    let (router, options) = router().await;
    let client = Client::connect(options).await.unwrap();
    router.inject(Fault::new(FaultKind::Hang).on("/ppp/secret/print"));
    let (command, started) = (one(1), Instant::now());
    let (hung, ticks) = tokio::join!(client.call_within(&command, Duration::from_millis(1_500)), async {
        let mut ticks = 0;
        while started.elapsed() < Duration::from_millis(1_000) {
            tokio::time::sleep(Duration::from_millis(5)).await;
            ticks += 1;
        }
        ticks
    });
    assert!(matches!(&hung, Err(Error::Unknown { cause: Cause::Deadline, .. })), "{hung:?}");
    assert!(started.elapsed() < Duration::from_secs(30) && ticks >= 3, "{ticks} in {:?}", started.elapsed());
    assert_eq!(client.call(&one(2)).await.unwrap().rows().len(), 1, "the connection lives");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_awake_hears_of_the_end() {
    let said = FaultKind::Fatal("session terminated on request".to_owned());
    for kind in [FaultKind::CutReply(7), FaultKind::ReplyLost, FaultKind::Garbage, said] {
        let (router, options) = router().await;
        let client = Client::connect(options).await.unwrap();
        router.inject(Fault::new(kind.clone()).on("/ppp/secret/print").after(5));
        let started = Instant::now();
        let batch: Vec<_> = (0..USERS).map(one).collect();
        let replies = client.call_all(&batch).await;
        assert!(started.elapsed() < Duration::from_secs(4), "{kind:?} after {:?}", started.elapsed());
        assert_eq!(replies.len(), USERS);
        assert!(replies[..5].iter().all(Result::is_ok), "{kind:?}");
        assert!(matches!(&replies[5], Err(Error::Unknown { .. })), "{kind:?}: {:?}", replies[5]);
        assert_eq!(client.call(&one(3)).await.unwrap().rows().len(), 1, "connected again after {kind:?}");
    }
}

#[tokio::test]
async fn what_callers_read_counts_as_heard() {
    let (router, mut options) = router().await;
    options.keep_alive = Duration::from_millis(400);
    let client = Client::connect(options).await.unwrap();
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(1_200) {
        client.call(&one(7)).await.unwrap();
    }
    assert_eq!(client.closed(), None);
    let pings = router.counters().by_command.get("/system/identity/print").copied().unwrap_or(0);
    assert_eq!(pings, 0, "a router that talks is not asked whether it is there");
}
