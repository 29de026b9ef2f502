//! Money that gateways tell of, over real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use common::*;
use isp_core::engine::{EngineError, GatewayWish};
use isp_core::ids::PaymentRequestId;
use isp_core::isolation::Access;
use isp_core::payment::PayChannel;
use isp_core::ports::{MoneyStore as _, PageQuery, PortError, Webhook, WebhookState};
use isp_core::testing::sample::{code, id};
use isp_core::testing::{FakeGateway, fakes::gateway::SIGNATURE};
use isp_core::{Money, text::Reference};
use isp_serve::Provider;
use isp_serve::gateway::Gateway;
use isp_serve::hooks::{Acted, Refused, Source};

#[tokio::test]
async fn a_payment_books_itself_once_however_often_it_is_told_and_opens_the_line() {
    let gateway = FakeGateway::new(code("fake"));
    let source = Gateway::new(Arc::new(gateway.clone()));
    let server = Server::start_all(1, |_| {}, vec![Arc::new(source)]).await;
    server.isolate(0).await;
    let wish = GatewayWish {
        id: PaymentRequestId(id(60, 1)),
        customer: server.world.customers[0].id,
        invoice: None,
        channel: PayChannel::Qris,
    };
    let (request, _) = server.app.provider.engine().request_at_gateway(&gateway, wish, server.now()).await.unwrap();
    let reference: Reference = request.reference.clone();
    let notice = gateway.pay(&reference, Money::rupiah(150_000), Money::rupiah(1_050), server.now()).unwrap();
    let (headers, body) = FakeGateway::webhook(&notice);
    let headers: Vec<(&str, &str)> = headers.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let mut flipped = body.clone();
    let last = flipped.len() / 2;
    flipped[last] ^= 1;
    assert_eq!(server.send("POST", "/hooks/fake", &[], &body).await.0, 401, "unsigned");
    let more =
        [&headers[..], &[("authorization", "Basic c2VjcmV0"), ("x-api-key", "secret"), ("cookie", "a=b")]].concat();
    let all = futures::future::join_all((0..10).map(|_| server.send("POST", "/hooks/fake", &more, &body))).await;
    assert!(all.iter().all(|(status, _)| *status == 200), "{all:?}");
    let kept = server.kept().await;
    assert_eq!(kept.len(), 1);
    let names: Vec<&str> = kept[0].webhook.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, [SIGNATURE], "neither cookies nor anything else of the request");
    for _ in 0..3 {
        server.read().await;
    }
    let payments = server.store.payments(TENANT, None, PageQuery::first(9)).await.unwrap();
    assert_eq!(payments.iter().map(|row| row.payment.amount.as_i64()).collect::<Vec<_>>(), [150_000]);
    assert_eq!(server.access(0).await, Access::Open, "the wish to reopen is written with the payment");
    assert_eq!(server.app.metrics.value("isp_payments_total", &[("channel", "fake")]), 1);
}

/// A sender whose gateway gives no answer, after a while.
#[derive(Default)]
struct Silent(AtomicU64);

#[async_trait]
impl Source for Silent {
    fn name(&self) -> &str {
        "silent"
    }

    fn kept(&self, _: &Webhook) -> Vec<(String, String)> {
        Vec::new()
    }

    fn admit(&self, _: &Webhook) -> Result<(), Refused> {
        Ok(())
    }

    async fn act(&self, _: &Provider, _: &Webhook, _: DateTime<Utc>) -> Result<Acted, EngineError> {
        if self.0.fetch_add(1, Ordering::Relaxed) < 60 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(PortError::NotSent { reason: "no connection to the gateway".to_owned() }.into())
    }
}

/// A gateway that is away for an hour: what others send is read all the same, and nothing of its own is lost.
#[tokio::test]
async fn a_gateway_without_an_answer_holds_up_nobody_and_loses_nothing() {
    let silent = Arc::new(Silent::default());
    let server = Server::start_all(1, |_| {}, vec![Arc::clone(&silent) as Arc<dyn Source>]).await;
    server.isolate(0).await;
    for number in 0..60 {
        assert_eq!(server.send("POST", "/hooks/silent", &[], format!("{number}").as_bytes()).await.0, 200);
    }
    let promise = inbound(&server, 0, "wamid.a", "JANJI 3");
    assert_eq!(server.hook(&promise, Some(&signed(&promise))).await, 200);
    let started = Instant::now();
    server.read().await;
    assert!(started.elapsed() < Duration::from_secs(3), "60 questions would take 6 seconds");
    assert_eq!(server.access(0).await, Access::Open, "what WhatsApp sent was read");
    assert_eq!(silent.0.load(Ordering::Relaxed), 3, "then it is left alone");
    let waiting = async || server.kept().await.iter().filter(|row| row.state == WebhookState::Waiting).count();
    assert_eq!(waiting().await, 60);
    // An hour later all of them still wait, each of them is tried again and again, and none has used up its tries.
    for _ in 0..120 {
        server.later(31);
        server.read().await;
    }
    assert_eq!(waiting().await, 60, "{:?}", server.kept().await.iter().map(|row| row.tries).max());
}

#[tokio::test]
async fn what_is_read_in_vain_for_too_long_is_for_a_person() {
    let server = Server::start_all(1, |_| {}, vec![Arc::new(Silent::default())]).await;
    assert_eq!(server.send("POST", "/hooks/silent", &[], b"1").await.0, 200);
    for _ in 0..12 {
        server.later(700);
        server.read().await;
    }
    let kept = server.kept().await;
    assert_eq!(kept[0].state, WebhookState::Unread);
    assert!(kept[0].note.contains("no connection to the gateway"), "{}", kept[0].note);
}
