//! The server over real sockets, with a store in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::time::{Duration, Instant};

use common::*;
use isp_core::isolation::Access;
use isp_core::message::inbound::Answer;
use isp_core::ports::{Effect, InboxStore as _, OutboxQuery, OutboxStore as _, PageQuery, WebhookState};
use isp_core::testing::Moment;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

#[tokio::test]
async fn what_is_signed_is_kept_before_it_is_answered_and_nothing_else_is() {
    let server = Server::start(1).await;
    let body = fixture("meta-webhook-status-delivered.json");
    assert_eq!(server.hook(&body, Some(&signed(&body))).await, 200);
    let mut flipped = body.clone();
    flipped[20] ^= 1;
    assert_eq!(server.hook(&flipped, Some(&signed(&body))).await, 401);
    assert_eq!(server.hook(&body, None).await, 401);
    assert_eq!(server.hook(&body, Some("sha256=00")).await, 401);
    // Signed, and no notification; signed, and broken JSON.
    for bad in [&b"{\"object\":\"page\",\"entry\":[]}"[..], b"{\"object\":", b""] {
        assert_eq!(server.hook(bad, Some(&signed(bad))).await, 400, "{}", String::from_utf8_lossy(bad));
    }
    assert_eq!(server.send("PUT", "/hooks/whatsapp", &[], b"").await.0, 405);
    assert_eq!(server.send("POST", "/hooks/nobody", &[], b"{}").await.0, 404);
    assert_eq!(server.kept().await.len(), 1, "nothing but what was signed is kept");
    let metrics = &server.app.metrics;
    assert_eq!(metrics.value("isp_webhook_requests_total", &[("provider", "whatsapp"), ("result", "200")]), 1);
    assert_eq!(metrics.value("isp_webhook_rejected_total", &[("reason", "signature")]), 1);
    assert_eq!(metrics.value("isp_webhook_rejected_total", &[("reason", "malformed")]), 3);
}

#[tokio::test]
async fn every_fixture_of_meta_passes_and_the_subscription_is_answered() {
    let server = Server::start(1).await;
    let names = [
        "batch-out-of-order-duplicate",
        "inbound-button-optout",
        "inbound-text-escapes",
        "status-bsuid-no-phone",
        "status-delivered",
        "status-failed-131026",
        "status-failed-131049",
        "status-read",
        "status-sent",
        "template-status",
    ];
    for name in names {
        let (body, signature) = fixture_signed(&format!("meta-webhook-{name}.json"));
        assert_eq!(server.hook(&body, Some(&signature)).await, 200, "{name}");
    }
    server.read().await;
    let states: Vec<_> = server.kept().await.into_iter().map(|row| row.state).collect();
    assert_eq!(states, [WebhookState::Read; 10]);
    let ask =
        |token: &str| format!("/hooks/whatsapp?hub.mode=subscribe&hub.verify_token={token}&hub.challenge=1158201444");
    let (status, answer) = server.send("GET", &ask("meatyhamhock"), &[], b"").await;
    assert_eq!((status, answer.split("\r\n\r\n").nth(1)), (200, Some("1158201444")));
    assert_eq!(server.send("GET", &ask("wrong"), &[], b"").await.0, 403);
}

#[tokio::test]
async fn the_same_webhook_a_hundred_times_at_once_is_one() {
    let server = Server::start(1).await;
    let body = fixture("meta-webhook-status-read.json");
    let signature = signed(&body);
    let answers = futures::future::join_all((0..100).map(|_| server.hook(&body, Some(&signature)))).await;
    assert!(answers.iter().all(|status| *status == 200), "{answers:?}");
    assert_eq!(server.kept().await.len(), 1);
}

#[tokio::test]
async fn long_slow_and_broken_requests_get_their_status_and_hold_nobody_up() {
    let server = Server::start_with(1, |settings| settings.slow_seconds = 1).await;
    let head = |more: &str| format!("POST /hooks/whatsapp HTTP/1.1\r\nhost: localhost\r\n{more}\r\n\r\n");
    // Ten megabytes, told beforehand; the same in chunks.
    let mut stream = server.connect().await;
    stream.write_all(head("content-length: 10485760").as_bytes()).await.unwrap();
    assert_eq!(status_of(&mut stream).await, 413);
    assert_eq!(
        server.hook(&vec![b'x'; 10 << 20], Some("sha256=00")).await,
        413,
        "who writes all of it sees the answer"
    );
    let mut stream = server.connect().await;
    stream.write_all(head("transfer-encoding: chunked").as_bytes()).await.unwrap();
    let chunk = [b"40000\r\n".as_slice(), &vec![b'x'; 0x40000], b"\r\n"].concat();
    let _ = stream.write_all(&chunk).await;
    let _ = stream.write_all(&chunk).await;
    assert_eq!(status_of(&mut stream).await, 413);
    // A body that drips, and one that breaks off.
    let mut stream = server.connect().await;
    stream.write_all((head("content-length: 100") + "{").as_bytes()).await.unwrap();
    assert_eq!(status_of(&mut stream).await, 408);
    let mut stream = server.connect().await;
    stream.write_all((head("content-length: 100") + "{").as_bytes()).await.unwrap();
    drop(stream);
    // Heads that drip: they are closed, and others were answered meanwhile.
    let mut drips = Vec::new();
    for _ in 0..50 {
        let mut stream = server.connect().await;
        stream.write_all(b"POST /hooks/whatsapp HTTP/1.1\r\nx-a: ").await.unwrap();
        drips.push(stream);
    }
    assert_eq!(server.send("GET", "/livez", &[], b"").await.0, 200);
    let started = Instant::now();
    for mut stream in drips {
        let closed = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut Vec::new())).await;
        assert!(closed.is_ok(), "it stays open");
    }
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(server.kept().await.is_empty());
}

#[tokio::test]
async fn a_store_that_is_gone_is_told_and_the_process_still_lives() {
    let server = Server::start(1).await;
    let body = fixture("meta-webhook-status-sent.json");
    server.store.fuse().blow_at(1, Moment::Before);
    assert_eq!(server.hook(&body, Some(&signed(&body))).await, 503, "it is sent again then");
    assert_eq!(server.send("GET", "/livez", &[], b"").await.0, 200);
    let (status, text) = server.send("GET", "/readyz?verbose", &[], b"").await;
    assert_eq!(status, 503);
    assert!(text.contains("[failed] database") && text.contains("[ok] migrations"), "{text}");
    let (status, text) = server.send("GET", "/metrics", &[], b"").await;
    assert_eq!(status, 200, "a scrape opens no store");
    assert!(text.contains("isp_build_info{version="), "{text}");
    server.store.restart();
    assert_eq!(server.hook(&body, Some(&signed(&body))).await, 200);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(server.send("GET", "/readyz", &[], b"").await.0, 200);
    server.app.stop();
    assert_eq!(server.send("GET", "/healthz", &[], b"").await.0, 503);
    let accept = [("accept", "application/openmetrics-text; version=1.0.0")];
    let (_, text) = server.send("GET", "/metrics", &accept, b"").await;
    assert!(text.ends_with("# EOF\n") && text.contains("# TYPE isp_webhook_requests counter"), "{text}");
}

#[tokio::test]
async fn wrong_signatures_are_limited_and_right_ones_never() {
    let server = Server::start_with(1, |settings| settings.per_minute = 5).await;
    let body = fixture("meta-webhook-status-sent.json");
    let mut answers = Vec::new();
    for _ in 0..7 {
        answers.push(server.hook(&body, Some("sha256=00")).await);
    }
    assert_eq!(answers, [401, 401, 401, 401, 401, 429, 429]);
    assert_eq!(server.hook(&body, Some(&signed(&body))).await, 200, "Meta is behind the same proxy");
}

/// JANJI n: reopens until then, once a period, falls back to isolated; answered once, whatever comes how often.
#[tokio::test]
async fn a_promise_by_whatsapp_opens_the_line_once_and_falls_back() {
    let server = Server::start(2).await;
    server.isolate(0).await;
    assert_eq!(server.access(0).await, Access::Isolated);
    for _ in 0..3 {
        server.write(0, "wamid.a", "JANJI 3").await;
    }
    assert_eq!(server.access(0).await, Access::Open);
    let answers = server.answers().await;
    assert_eq!(answers.len(), 1, "{answers:?}");
    let Answer::Promised { until, owed, reopened, number } = &answers[0] else { panic!("{answers:?}") };
    assert_eq!((until.to_string().as_str(), owed.as_i64(), *reopened), ("2026-01-23", 150_000, true));
    assert!(number.starts_with("JB-"));
    // Said again on the same day it is the same promise.
    server.write(0, "wamid.b", "janji bayar 7 hari").await;
    let same = |a: &Answer| matches!(a, Answer::Promised { until, .. } if until.to_string() == "2026-01-23");
    assert!(server.answers().await.iter().all(same));
    // When its day is over, the line falls back; a second promise in the period is refused.
    server.at("2026-01-26T03:00:00Z");
    server.enforce().await;
    assert_eq!(server.access(0).await, Access::Isolated);
    server.write(0, "wamid.c", "JANJI 2").await;
    assert!(server.answers().await.contains(&Answer::PromiseUsed { limit: 1 }));
    assert_eq!(server.access(0).await, Access::Isolated);
}

#[tokio::test]
async fn who_says_stop_hears_nothing_and_strangers_are_left_alone() {
    let server = Server::start(2).await;
    for (id, customer, text) in [("wamid.1", 0, "STOP"), ("wamid.2", 1, "sudah bayar"), ("wamid.3", 1, "halo kak")] {
        server.write(customer, id, text).await;
    }
    let stranger = inbound_from("6281999999999", &server, "wamid.4", "JANJI 3");
    server.hook(&stranger, Some(&signed(&stranger))).await;
    server.read().await;
    assert_eq!(server.answers().await, [Answer::OptedOut, Answer::NothingOwed]);
    let rows = server.store.outbox(TENANT, OutboxQuery::default(), PageQuery::first(99)).await.unwrap();
    let stop = rows.iter().find_map(|row| match &row.effect {
        Effect::Message(message) if message.answer == Some(Answer::OptedOut) => Some(message.clone()),
        _ => None,
    });
    assert!(server.store.message_facts(TENANT, &stop.unwrap()).await.unwrap().opted_out);
}

/// One odd event never takes its neighbours with it, and what cannot be read is shown.
#[tokio::test]
async fn an_odd_event_discards_no_other_and_waits_for_a_person() {
    let server = Server::start(1).await;
    server.isolate(0).await;
    let body = String::from_utf8(inbound(&server, 0, "wamid.a", "JANJI 3")).unwrap();
    let odd = body.replacen("\"messages\":[", "\"messages\":[{\"id\":7},", 1);
    assert_eq!(server.hook(odd.as_bytes(), Some(&signed(odd.as_bytes()))).await, 200);
    server.read().await;
    assert_eq!(server.answers().await.len(), 1);
    let rows = server.store.webhooks(TENANT, Some(WebhookState::Unread), PageQuery::first(9)).await.unwrap();
    assert!(rows[0].note.starts_with("1 parts could not be read"), "{}", rows[0].note);
    assert!(!rows[0].note.contains("812"), "no number of anybody");
    server.store.retry_webhooks(TENANT, None, server.now()).await.unwrap();
    server.read().await;
    assert_eq!(server.answers().await.len(), 1, "read again, it does nothing twice");
}

#[tokio::test]
async fn a_reader_that_dies_leaves_what_it_had_to_the_next() {
    let server = Server::start(1).await;
    server.isolate(0).await;
    let body = inbound(&server, 0, "wamid.a", "JANJI 3");
    server.hook(&body, Some(&signed(&body))).await;
    // Between any two calls of the store, each time with the claims of before run out.
    for calls in 1..30 {
        server.store.fuse().blow_at(calls, Moment::After);
        let _ = server.try_read().await;
        server.store.restart();
        server.later(700);
    }
    server.store.retry_webhooks(TENANT, None, server.now()).await.unwrap();
    server.read().await;
    assert_eq!(server.kept().await[0].state, WebhookState::Read);
    assert_eq!((server.access(0).await, server.answers().await.len()), (Access::Open, 1));
}
