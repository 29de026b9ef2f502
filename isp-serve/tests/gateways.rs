//! Money that gateways tell of, over real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::Arc;

use common::*;
use isp_core::engine::GatewayWish;
use isp_core::ids::PaymentRequestId;
use isp_core::isolation::Access;
use isp_core::payment::PayChannel;
use isp_core::ports::{MoneyStore as _, PageQuery};
use isp_core::testing::FakeGateway;
use isp_core::testing::sample::{code, id};
use isp_core::{Money, text::Reference};
use isp_serve::gateway::Gateway;

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
    let all = futures::future::join_all((0..10).map(|_| server.send("POST", "/hooks/fake", &headers, &body))).await;
    assert!(all.iter().all(|(status, _)| *status == 200), "{all:?}");
    assert_eq!(server.kept().await.len(), 1);
    for _ in 0..3 {
        server.read().await;
    }
    let payments = server.store.payments(TENANT, None, PageQuery::first(9)).await.unwrap();
    assert_eq!(payments.iter().map(|row| row.payment.amount.as_i64()).collect::<Vec<_>>(), [150_000]);
    assert_eq!(server.access(0).await, Access::Open, "the wish to reopen is written with the payment");
    assert_eq!(server.app.metrics.value("isp_payments_total", &[("channel", "fake")]), 1);
}
