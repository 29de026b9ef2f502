//! Refunds asked of each gateway over real HTTP, before its simulator.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use isp_core::Money;
use isp_core::payment::{NoticeState, PayChannel, RefundState};
use isp_core::ports::{Asked, Created, GatewayAsk, PaymentGateway, PortError, RefundAsk};
use isp_core::text::{Name, Reference};
use isp_payment::simulator::{Fault, Simulator};
use isp_payment::{GatewayKind, gateway};

const KEY: &str = "000102030405060708090a0b0c0d0e0f";
const REFERENCE: &str = "INV-1-AB12";

struct Paid {
    simulator: Simulator,
    gateway: Box<dyn PaymentGateway>,
    ask: GatewayAsk,
    created: Created,
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_316_400, 0).unwrap()
}

async fn paid(kind: GatewayKind, channel: PayChannel) -> Paid {
    let simulator = Simulator::start(kind).await.unwrap();
    let mut settings = simulator.settings().unwrap();
    settings.deadline = Duration::from_millis(700);
    let gateway = gateway(settings).unwrap();
    let ask = GatewayAsk {
        reference: Reference::parse("reference", REFERENCE).unwrap(),
        amount: Money::rupiah(166_500),
        channel,
        description: "Internet INV-202601-000042".to_owned(),
        payer: Name::parse("name", "Pelanggan Contoh").unwrap(),
        now: now(),
        expires_at: now() + TimeDelta::hours(24),
    };
    let created = gateway.create(&ask).await.unwrap();
    assert!(simulator.pay(REFERENCE, ask.amount, Money::ZERO, now()));
    Paid { simulator, gateway, ask, created }
}

impl Paid {
    fn wish<'a>(&'a self, key: &'a str, amount: i64) -> RefundAsk<'a> {
        RefundAsk { of: self.of(), key, amount: Money::rupiah(amount), provider_id: None }
    }

    fn of(&self) -> Asked<'_> {
        Asked {
            reference: &self.ask.reference,
            provider_id: self.created.provider_id.as_deref(),
            channel: Some(self.ask.channel),
        }
    }

    fn given_back(&self) -> i64 {
        self.simulator.transactions()[0].given_back().as_i64()
    }
}

#[tokio::test]
async fn midtrans_gives_qris_back_at_once_and_tells_parts_and_the_whole() {
    let shop = paid(GatewayKind::Midtrans, PayChannel::Qris).await;
    let first = shop.gateway.refund(&shop.wish(KEY, 66_500)).await.unwrap();
    assert_eq!((first.state, first.provider_id.as_deref()), (RefundState::Done, Some("1")));
    let told =
        |webhook: isp_payment::simulator::SignedWebhook| shop.gateway.read(&webhook.headers, &webhook.body).unwrap();
    let part = told(shop.simulator.webhook(REFERENCE).unwrap());
    assert_eq!((part.state, part.gross.as_i64()), (NoticeState::Refunded, 66_500));
    shop.gateway.refund(&shop.wish(&KEY.replace('0', "f"), 100_000)).await.unwrap();
    let whole = told(shop.simulator.webhook(REFERENCE).unwrap());
    assert_eq!((whole.state, whole.gross.as_i64()), (NoticeState::Refunded, 166_500));
    let asked = shop.gateway.status(&shop.of()).await.unwrap().unwrap();
    assert_eq!((asked.state, asked.gross.as_i64()), (NoticeState::Refunded, 166_500));
    assert_eq!(shop.simulator.holds(), Money::ZERO);
}

#[tokio::test]
async fn what_midtrans_gives_back_itself_waits_until_the_bank_confirms() {
    let shop = paid(GatewayKind::Midtrans, PayChannel::Page).await;
    assert!(shop.simulator.choose(REFERENCE, "dana"));
    let first = shop.gateway.refund(&shop.wish(KEY, 10_000)).await.unwrap();
    assert_eq!(first.state, RefundState::Pending);
    let state = async || shop.gateway.refund_status(&shop.wish(KEY, 10_000)).await.unwrap().unwrap().state;
    assert_eq!(state().await, RefundState::Pending);
    shop.simulator.settle_refunds();
    assert_eq!(state().await, RefundState::Done);
}

#[tokio::test]
async fn xendit_takes_a_refund_and_tells_later_what_became_of_it() {
    for channel in [PayChannel::Qris, PayChannel::Page] {
        let shop = paid(GatewayKind::Xendit, channel).await;
        let first = shop.gateway.refund(&shop.wish(KEY, 66_500)).await.unwrap();
        assert_eq!((first.state, first.provider_id), (RefundState::Pending, Some(format!("rfd-{KEY}"))));
        shop.simulator.settle_refunds();
        let other = KEY.replace('0', "f");
        let second = shop.wish(&other, 100_000);
        shop.gateway.refund(&second).await.unwrap();
        shop.simulator.set_balance(Money::rupiah(99_999));
        shop.simulator.settle_refunds();
        let done = shop.gateway.refund_status(&shop.wish(KEY, 66_500)).await.unwrap().unwrap();
        let failed = shop.gateway.refund_status(&second).await.unwrap().unwrap();
        assert_eq!(done.state, RefundState::Done, "{channel:?}");
        assert_eq!(
            (failed.state, failed.reason.as_str()),
            (RefundState::Refused, "INSUFFICIENT_BALANCE"),
            "{channel:?}"
        );
        assert_eq!(shop.given_back(), 66_500, "{channel:?}");
    }
}

#[tokio::test]
async fn what_a_gateway_does_not_give_back_is_refused_with_its_reason() {
    let refused = async |shop: &Paid, amount| match shop.gateway.refund(&shop.wish(KEY, amount)).await {
        Err(PortError::Refused { code: "gateway.refused", reason }) => reason,
        other => panic!("{other:?}"),
    };
    for channel in [PayChannel::VaBca, PayChannel::VaMandiri, PayChannel::Alfamart] {
        let midtrans = paid(GatewayKind::Midtrans, channel).await;
        assert!(refused(&midtrans, 1_000).await.contains("412"), "{channel:?}");
        let xendit = paid(GatewayKind::Xendit, channel).await;
        assert!(refused(&xendit, 1_000).await.contains("REFUND_NOT_SUPPORTED"), "{channel:?}");
        assert_eq!([midtrans.given_back(), xendit.given_back()], [0, 0]);
    }
    let midtrans = paid(GatewayKind::Midtrans, PayChannel::Qris).await;
    midtrans.simulator.set_balance(Money::rupiah(999));
    assert!(refused(&midtrans, 1_000).await.contains("Insufficient balance"));
    assert!(refused(&midtrans, 166_501).await.contains("exceeds"));
    let xendit = paid(GatewayKind::Xendit, PayChannel::Qris).await;
    assert!(refused(&xendit, 166_501).await.contains("MAXIMUM_REFUND_AMOUNT_REACHED"));
    for kind in [GatewayKind::Tripay, GatewayKind::Duitku, GatewayKind::DuitkuPop, GatewayKind::TripayOpen] {
        let channel = if kind == GatewayKind::TripayOpen { PayChannel::VaBri } else { PayChannel::Qris };
        let shop = paid(kind, channel).await;
        let before = shop.simulator.requests();
        assert!(!shop.gateway.refunds(), "{kind:?}");
        let answer = shop.gateway.refund(&shop.wish(KEY, 1_000)).await;
        assert!(matches!(answer, Err(PortError::Refused { code: "gateway.no_refund", .. })), "{kind:?}: {answer:?}");
        assert_eq!(shop.simulator.requests(), before, "{kind:?}: it was asked");
    }
}

/// Whatever happens to the answer, the question by our key settles it, and the same key once more gives nothing back twice.
#[tokio::test]
async fn a_lost_answer_is_settled_by_the_question_and_the_same_key_gives_back_once() {
    let done = [Fault::ReplyLost, Fault::HtmlAfter(502), Fault::HtmlAfter(200)];
    let not_done = [Fault::Reset, Fault::Hang, Fault::Html(502), Fault::Html(200)];
    for kind in [GatewayKind::Midtrans, GatewayKind::Xendit] {
        for fault in done.into_iter().chain(not_done) {
            let shop = paid(kind, PayChannel::Qris).await;
            let wish = shop.wish(KEY, 50_000);
            shop.simulator.fail_next_refund(fault);
            let answer = shop.gateway.refund(&wish).await;
            assert!(matches!(answer, Err(PortError::Unknown { .. })), "{kind:?} {fault:?}: {answer:?}");
            let there = done.contains(&fault);
            assert_eq!(shop.given_back(), if there { 50_000 } else { 0 }, "{kind:?} {fault:?}");
            let found = shop.gateway.refund_status(&wish).await.unwrap();
            assert_eq!(found.is_some(), there, "{kind:?} {fault:?}");
            shop.gateway.refund(&wish).await.unwrap();
            assert_eq!(shop.given_back(), 50_000, "{kind:?} {fault:?}: the same key once more");
        }
        // A question that goes wrong changed nothing, and is no answer.
        let shop = paid(kind, PayChannel::Qris).await;
        for fault in not_done {
            shop.simulator.fail_next(1, fault);
            let answer = shop.gateway.refund_status(&shop.wish(KEY, 1_000)).await;
            assert!(matches!(answer, Err(PortError::NotSent { .. })), "{kind:?} {fault:?}: {answer:?}");
        }
        // A turned-away request gave nothing back.
        shop.simulator.fail_next_refund(Fault::Html(403));
        let answer = shop.gateway.refund(&shop.wish(KEY, 1_000)).await;
        assert!(matches!(answer, Err(PortError::NotSent { .. })), "{kind:?}: {answer:?}");
        assert_eq!(shop.given_back(), 0);
    }
}
