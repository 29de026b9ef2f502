//! The client against the simulator: what it sends, how it waits, what its errors promise.

use std::time::{Duration, Instant};

use isp_mikrotik::client::Backoff;
use isp_mikrotik::error::{Cause, RefusalKind, Stage};
use isp_mikrotik::proto::Command;
use isp_mikrotik::proto::login::LoginError;
use isp_mikrotik::simulator::{Fault, FaultKind, SimulatedRouter, Simulation, Version};
use isp_mikrotik::{Client, ConnectOptions, Error};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

async fn router() -> SimulatedRouter {
    SimulatedRouter::start(Simulation::default()).await.unwrap()
}

fn add(name: &str) -> Command {
    Command::new("/ppp/secret/add").arg("name", name).arg("password", "x")
}

fn names() -> Command {
    Command::new("/ppp/secret/print").proplist(&["name"])
}

#[tokio::test]
async fn a_command_gets_its_rows_and_its_ret() {
    let router = router().await;
    let client = Client::connect(router.options()).await.unwrap();
    let reply = client.call(&add("budi")).await.unwrap();
    assert_eq!(reply.ret(), Some(&b"*1"[..]));
    let reply = client.call(&names()).await.unwrap();
    assert_eq!(reply.rows().len(), 1);
    assert_eq!(reply.rows()[0].value("name"), Some(&b"budi"[..]));
    assert_eq!(reply.rows()[0].value(".id"), None, "the id is not implied by a proplist");
}

#[tokio::test]
async fn an_empty_table_is_no_error_on_either_version() {
    for version in Version::ALL {
        let router = SimulatedRouter::start(Simulation { version, ..Simulation::default() }).await.unwrap();
        let client = Client::connect(router.options()).await.unwrap();
        assert_eq!(client.call(&names()).await.unwrap().rows().len(), 0);
    }
}

#[tokio::test]
async fn replies_in_one_byte_segments_are_read() {
    let router = router().await;
    let client = Client::connect(router.options()).await.unwrap();
    client.call(&add("budi")).await.unwrap();
    router.inject(Fault::new(FaultKind::Segments(1)).always());
    for _ in 0..5 {
        assert_eq!(client.call(&names()).await.unwrap().rows().len(), 1);
    }
}

#[tokio::test]
async fn many_commands_at_once_find_their_own_replies() {
    let router = router().await;
    let client = Client::connect(router.options().window(16)).await.unwrap();
    let adds: Vec<_> = (0..200).map(|number| add(&format!("user-{number}"))).collect();
    for reply in client.call_all(&adds).await {
        assert!(reply.unwrap().ret().is_some());
    }
    router.inject(Fault::new(FaultKind::Latency(Duration::from_millis(30))).times(3));
    let tasks: Vec<_> = (0..20)
        .map(|number| {
            let client = client.clone();
            tokio::spawn(async move {
                let name = format!("user-{number}");
                let reply = client.call(&names().where_any("name", &[&name])).await.unwrap();
                assert_eq!(reply.rows().len(), 1);
                assert_eq!(reply.rows()[0].utf8("name"), Some(name.as_str()));
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn slow_commands_do_not_hold_the_places_of_a_batch() {
    let router = router().await;
    let client = Client::connect(router.options().window(4)).await.unwrap();
    router.inject(Fault::new(FaultKind::Hang).on("/ppp/active/print").times(3));
    let mut commands = vec![Command::new("/ppp/active/print"); 3];
    commands.extend((0..40).map(|number| add(&format!("user-{number}"))));
    let batch = tokio::spawn({
        let client = client.clone();
        async move { client.call_all(&commands).await }
    });
    let started = Instant::now();
    while router.secrets().len() < 40 {
        assert!(started.elapsed() < Duration::from_secs(15), "{} of 40", router.secrets().len());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    batch.abort();
    assert!(batch.await.unwrap_err().is_cancelled());
    assert_eq!(client.call(&names()).await.unwrap().rows().len(), 40, "the connection lives");
    assert_eq!(router.counters().connections, 1);
}

#[tokio::test]
async fn a_batch_leaves_in_few_writes_though_its_replies_come_one_by_one() {
    const COMMANDS: usize = 400;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut decoder = isp_mikrotik::proto::Decoder::default();
        let mut buffer = [0_u8; 16 << 10];
        let mut reads = 0;
        loop {
            let count = stream.read(&mut buffer).await.unwrap();
            if count == 0 {
                return reads;
            }
            reads += 1;
            decoder.feed(&buffer[..count]);
            while let Some(sentence) = decoder.next_sentence().unwrap() {
                let tag = [b".tag=", sentence.tag().unwrap()].concat();
                let mut out = Vec::new();
                isp_mikrotik::proto::word::put_word(&mut out, b"!done");
                isp_mikrotik::proto::word::put_word(&mut out, &tag);
                out.push(0);
                stream.write_all(&out).await.unwrap();
                tokio::task::yield_now().await;
            }
        }
    });
    let options = ConnectOptions::new(address, "api", "x".to_owned().into()).window(16);
    let client = Client::connect(options).await.unwrap();
    let commands: Vec<_> = (0..COMMANDS).map(|number| add(&format!("user-{number}"))).collect();
    assert!(client.call_all(&commands).await.iter().all(Result::is_ok));
    drop(client);
    let reads: usize = server.await.unwrap();
    assert!(reads < COMMANDS / 2, "{reads} writes for {COMMANDS} commands");
}

#[tokio::test]
async fn a_refused_command_stops_no_other() {
    let router = router().await;
    let client = Client::connect(router.options()).await.unwrap();
    let results = client.call_all(&[add("a"), add("a"), Command::new("/ip/adress/print"), add("b")]).await;
    assert!(results[0].is_ok() && results[3].is_ok());
    assert_eq!(results[1].as_ref().unwrap_err().refusal(), Some(RefusalKind::AlreadyExists));
    let twice = results[2].as_ref().unwrap_err().to_string();
    assert!(twice.contains("no such command or directory (adress); no such command prefix"), "{twice}");
}

#[tokio::test]
async fn a_wrong_password_an_old_router_and_a_closed_port_are_told_apart() {
    let router = router().await;
    let mut options = router.options();
    options.password = "wrong".to_owned().into();
    let error = Client::connect(options).await.unwrap_err();
    assert_eq!(error, Error::Login(LoginError::BadCredentials));
    assert!(!error.retryable());

    let old = SimulatedRouter::start(Simulation { too_old: true, ..Simulation::default() }).await.unwrap();
    assert_eq!(Client::connect(old.options()).await.unwrap_err(), Error::Login(LoginError::TooOld));

    router.down();
    tokio::task::yield_now().await;
    let error = Client::connect(router.options().connect_timeout(Duration::from_secs(2))).await.unwrap_err();
    assert!(matches!(error, Error::NotSent { .. }) && error.retryable(), "{error}");
    router.up().unwrap();
    Client::connect(router.options()).await.unwrap();
}

#[tokio::test]
async fn the_fifth_failed_login_on_one_connection_is_fatal() {
    let router = router().await;
    let mut stream = tokio::net::TcpStream::connect(router.address()).await.unwrap();
    let mut login = Vec::new();
    for word in ["/login", "=name=api", "=password=wrong", ""] {
        isp_mikrotik::proto::word::put_word(&mut login, word.as_bytes());
    }
    for _ in 0..5 {
        stream.write_all(&login).await.unwrap();
    }
    let mut answer = Vec::new();
    tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    let text = String::from_utf8_lossy(&answer).into_owned();
    assert_eq!(text.matches("invalid user name or password (6)").count(), 4);
    assert!(text.contains("!fatal\u{1e}too many commands before login"), "{text:?}");
    assert_eq!(router.counters().failed_logins, 5);
}

#[tokio::test]
async fn a_command_over_its_deadline_is_cancelled_and_the_connection_lives() {
    let router = router().await;
    let client = Client::connect(router.options()).await.unwrap();
    router.inject(Fault::new(FaultKind::Hang).on("/ppp/secret/add"));
    let started = Instant::now();
    let error = client.call_within(&add("slow"), Duration::from_millis(60)).await.unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(2));
    assert!(matches!(&error, Error::Unknown { cause: Cause::Deadline, .. }), "{error}");
    assert_eq!(client.call(&names()).await.unwrap().rows().len(), 0);
    assert_eq!(client.closed(), None);
}

#[tokio::test]
async fn dropped_futures_leave_the_connection_clean() {
    let router = router().await;
    let client = Client::connect(router.options().window(2)).await.unwrap();
    for _ in 0..10 {
        router.inject(Fault::new(FaultKind::Hang).on("/ppp/secret/print"));
        let _ = tokio::time::timeout(Duration::from_millis(5), client.call(&names())).await;
    }
    router.clear_faults();
    client.call(&add("after")).await.unwrap();
    assert_eq!(client.call(&names()).await.unwrap().rows().len(), 1);
    assert_eq!(router.counters().connections, 1);
}

#[tokio::test]
async fn a_router_that_does_not_answer_a_cancel_is_given_up() {
    let router = router().await;
    let mut options = router.options().without_reconnect();
    options.cancel_grace = Duration::from_millis(100);
    let client = Client::connect(options).await.unwrap();
    router.inject(Fault::new(FaultKind::Freeze));
    let frozen = client.call_within(&names(), Duration::from_millis(30)).await.unwrap_err();
    assert!(matches!(frozen, Error::Unknown { cause: Cause::Deadline, .. }));
    let started = Instant::now();
    let error = client.call(&add("late")).await.unwrap_err();
    assert!(matches!(&error, Error::Unknown { cause: Cause::Lost(_), .. }), "{error}");
    assert!(started.elapsed() < Duration::from_secs(5));
    let error = client.call(&names()).await.unwrap_err();
    assert!(matches!(&error, Error::NotSent { stage: Stage::Closed, .. }), "{error}");
}

#[tokio::test]
async fn a_silent_peer_is_noticed_by_keep_alive() {
    let router = router().await;
    let mut options = router.options();
    options.keep_alive = Duration::from_millis(40);
    let client = Client::connect(options).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(client.closed(), None, "an answered ping keeps the connection");
    router.inject(Fault::new(FaultKind::Freeze));
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(client.closed().as_deref(), Some("router is silent"));
}

#[tokio::test]
async fn a_lost_reply_is_unknown_and_a_lost_request_too() {
    for (kind, there) in [
        (FaultKind::ReplyLost, true),
        (FaultKind::CutReply(3), true),
        (FaultKind::CutRequest, false),
        (FaultKind::Fatal("session terminated on request".to_owned()), false),
        (FaultKind::Garbage, false),
        (FaultKind::Reboot(Duration::ZERO), false),
    ] {
        let router = router().await;
        let client = Client::connect(router.options()).await.unwrap();
        router.inject(Fault::new(kind.clone()).on("/ppp/secret/add"));
        let error = client.call(&add("budi")).await.unwrap_err();
        assert!(matches!(&error, Error::Unknown { .. }), "{kind:?}: {error}");
        assert!(!error.connection_survives());
        assert_eq!(router.secret("budi").is_some(), there, "{kind:?}");
    }
}

#[tokio::test]
async fn a_broken_connection_is_made_again_and_nothing_is_sent_twice() {
    let router = router().await;
    let client = Client::connect(router.options()).await.unwrap();
    router.inject(Fault::new(FaultKind::ReplyLost).on("/ppp/secret/add"));
    let error = client.call(&add("budi")).await.unwrap_err();
    assert!(matches!(&error, Error::Unknown { .. }), "{error}");
    assert_eq!(client.call(&names()).await.unwrap().rows().len(), 1);
    assert_eq!(client.call_all(&[add("siti"), names()]).await.iter().filter(|end| end.is_ok()).count(), 2);
    let counters = router.counters();
    assert_eq!((counters.by_command["/ppp/secret/add"], counters.connections), (2, 2));
    client.close();
    let error = client.call(&names()).await.unwrap_err();
    assert!(matches!(&error, Error::NotSent { stage: Stage::Closed, .. }), "{error}");
}

#[tokio::test]
async fn a_router_that_is_away_is_asked_again_with_growing_pauses() {
    let router = router().await;
    let backoff = Backoff { first: Duration::from_millis(200), longest: Duration::from_secs(1) };
    let client = Client::connect(router.options().reconnect(backoff)).await.unwrap();
    router.down();
    while client.closed().is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(client.call(&names()).await.unwrap_err().code(), "router.unreachable");
    let started = Instant::now();
    let hasty = client.call_within(&names(), Duration::from_millis(20)).await.unwrap_err();
    assert!(matches!(&hasty, Error::NotSent { stage: Stage::Connect, .. }), "{hasty}");
    assert!(
        started.elapsed() < Duration::from_millis(90),
        "fails at once, the next attempt is later than its deadline"
    );
    router.up().unwrap();
    let callers: Vec<_> = (0..5)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.call(&names()).await })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap().unwrap();
    }
    assert!(started.elapsed() >= Duration::from_millis(60), "{:?}", started.elapsed());
    assert_eq!(router.counters().connections, 2, "one of them connected for all");
}

#[tokio::test]
async fn a_port_that_is_no_routeros_does_not_hold_the_caller() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let options =
        ConnectOptions::new(address, "api", "x".to_owned().into()).connect_timeout(Duration::from_millis(100));
    let error = Client::connect(options).await.unwrap_err();
    assert!(matches!(&error, Error::NotSent { stage: Stage::Login, .. }), "{error}");
}

#[tokio::test]
async fn closing_never_waits_and_ends_what_is_in_flight() {
    let router = router().await;
    let client = Client::connect(router.options()).await.unwrap();
    router.inject(Fault::new(FaultKind::Hang));
    let call = tokio::spawn({
        let client = client.clone();
        async move { client.call(&names()).await }
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    let started = Instant::now();
    client.close();
    assert!(started.elapsed() < Duration::from_millis(100));
    assert!(matches!(call.await.unwrap().unwrap_err(), Error::Unknown { cause: Cause::Lost(_), .. }));
}

#[tokio::test]
async fn a_listener_gets_rows_until_it_is_dropped() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut decoder = isp_mikrotik::proto::Decoder::default();
        let mut seen = Vec::new();
        let mut buffer = [0_u8; 1024];
        loop {
            let count = stream.read(&mut buffer).await.unwrap();
            if count == 0 {
                return seen;
            }
            decoder.feed(&buffer[..count]);
            while let Some(sentence) = decoder.next_sentence().unwrap() {
                let tag = format!(".tag={}", String::from_utf8_lossy(sentence.tag().unwrap()));
                let path = String::from_utf8_lossy(sentence.words().next().unwrap()).into_owned();
                let mut out = Vec::new();
                let mut say = |words: &[&str]| {
                    words.iter().for_each(|word| isp_mikrotik::proto::word::put_word(&mut out, word.as_bytes()));
                    out.push(0);
                };
                match path.as_str() {
                    "/ppp/active/listen" => {
                        say(&["!re", &tag, "=.id=*1", "=name=budi"]);
                        say(&["!re", &tag, "=.id=*1", "=.dead=true"]);
                    }
                    _ => say(&["!done", &tag]),
                }
                seen.push(path);
                stream.write_all(&out).await.unwrap();
            }
        }
    });
    let client = Client::connect(ConnectOptions::new(address, "api", "x".to_owned().into())).await.unwrap();
    let mut listener = client.listen(&Command::new("/ppp/active/listen")).await.unwrap();
    assert_eq!(listener.next().await.unwrap().unwrap().utf8("name"), Some("budi"));
    assert_eq!(listener.next().await.unwrap().unwrap().utf8(".dead"), Some("true"));
    drop(listener);
    tokio::time::sleep(Duration::from_millis(30)).await;
    drop(client);
    assert_eq!(server.await.unwrap(), ["/login", "/ppp/active/listen", "/cancel"]);
}

#[tokio::test]
async fn passwords_are_in_no_debug_text() {
    let router = router().await;
    let mut options = router.options();
    options.password = "hunter2".to_owned().into();
    let command = add("budi").arg("password", "hunter2");
    let error = Client::connect(options.clone()).await.unwrap_err();
    for text in [format!("{options:?}"), format!("{command:?}"), format!("{error:?}"), error.to_string()] {
        assert!(!text.contains("hunter2"), "{text}");
    }
}
