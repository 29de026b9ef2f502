//! Refunds through payment gateways: replies lost, refusals, notices about what was asked here, a process that dies.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::support::*;
use chrono::{DateTime, TimeDelta, Utc};
use isp_core::Money;
use isp_core::ending::{Ending, EndingKind};
use isp_core::engine::{EngineError, GatewayWish, RefundWish, Taken};
use isp_core::ids::{PaymentId, PaymentRequestId, RefundId};
use isp_core::ledger::Account;
use isp_core::payment::{GatewayRefund, PayChannel, RefundState};
use isp_core::ports::{GatewayRefundQuery, MoneyStore, PageQuery, PortError};
use isp_core::testing::{FakeGateway, GatewayFault, Moment};
use isp_core::text::Reference;

/// Customer 2 has paid the same debt twice: at the counter, and Rp166.500 at the gateway, which is all credit.
async fn twice(gateway: &FakeGateway) -> (World, PaymentId, Reference) {
    let (world, now) = (one().await, at("2026-01-20", 22));
    run_days(&world, "2026-01-01", "2026-01-20").await;
    let id = PaymentRequestId(uuid::Uuid::from_u128(4711));
    let wish = GatewayWish { id, customer: customer_id(2), invoice: None, channel: PayChannel::Qris };
    let (asked, _) = world.engine().request_at_gateway(gateway, wish, now).await.unwrap();
    world.pay(2, "KW-1", 166_500, now).await.unwrap();
    let paid = gateway.pay(&asked.reference, rp(166_500), Money::ZERO, now).unwrap();
    assert!(matches!(world.engine().take_notice(gateway, &paid, now).await.unwrap(), Taken::Booked(_)));
    let payments = world.store.payments(TENANT, Some(customer_id(2)), PageQuery::first(9)).await.unwrap();
    let payment = payments.iter().find(|row| row.payment.reference == paid.provider_id).unwrap().payment.id;
    (world, payment, asked.reference)
}

fn midtrans() -> FakeGateway {
    FakeGateway::new(code("midtrans"))
}

fn wish(payment: PaymentId, amount: impl Into<Option<i64>>) -> RefundWish {
    static LAST: AtomicU64 = AtomicU64::new(1);
    let id = RefundId(uuid::Uuid::from_u128(LAST.fetch_add(1, Ordering::Relaxed).into()));
    RefundWish { id, payment, amount: amount.into().map(rp), by: "Sari".into(), note: "bayar dua kali".into() }
}

async fn rows(world: &World) -> Vec<GatewayRefund> {
    world.store.gateway_refunds(TENANT, GatewayRefundQuery::default()).await.unwrap()
}

async fn credit(world: &World) -> Money {
    world.store.credit(TENANT, customer_id(2)).await.unwrap().iter().map(|of| of.left).sum()
}

/// What the books say that the gateway holds, and what its balance says.
async fn held(world: &World) -> [Money; 2] {
    let lines = world.store.snapshot(TENANT).journal.into_iter().flat_map(|e| e.lines);
    let booked = lines.filter(|l| l.account == Account::Gateway).map(|l| l.amount).sum();
    [booked, world.store.gateway_balances(TENANT).await.unwrap()[0].holds()]
}

#[tokio::test]
async fn a_payment_goes_back_in_parts_and_its_notices_book_nothing_again() {
    let (gateway, now) = (midtrans(), at("2026-01-21", 9));
    let (world, payment, reference) = twice(&gateway).await;
    let engine = world.engine();
    let (refund, row) = engine.refund_at_gateway(&gateway, &wish(payment, 66_500), now).await.unwrap();
    assert_eq!((refund.amount, row.state, row.poll_at), (rp(66_500), RefundState::Done, None));
    assert_eq!((credit(&world).await, held(&world).await), (rp(100_000), [rp(100_000); 2]));
    let told = gateway.refunded(&reference).unwrap();
    for _ in 0..3 {
        assert_eq!(engine.take_notice(&gateway, &told, now).await.unwrap(), Taken::Known);
    }
    // More than is left is never asked for.
    let more = engine.refund_at_gateway(&gateway, &wish(payment, 100_001), now).await.unwrap_err();
    assert_eq!(more.code(), "credit.less");
    let (rest, _) = engine.refund_at_gateway(&gateway, &wish(payment, None), now).await.unwrap();
    assert_eq!(rest.amount, rp(100_000));
    let told = gateway.refunded(&reference).unwrap();
    assert_eq!(told.gross, rp(166_500), "all of it");
    assert_eq!(engine.take_notice(&gateway, &told, now).await.unwrap(), Taken::Known);
    assert_eq!((credit(&world).await, held(&world).await), (Money::ZERO, [Money::ZERO; 2]));
    assert_eq!(gateway.given_back(&reference), rp(166_500));
    // What somebody gives back at the gateway itself is not among what was asked here.
    let told = isp_core::payment::PaymentNotice { gross: rp(166_501), ..told };
    assert_eq!(engine.take_notice(&gateway, &told, now).await.unwrap(), Taken::PartRefunded(rp(1)));
    // What went back is no mistake of ours that could be taken back.
    let ending = Ending { kind: EndingKind::TakenBack, at: now, by: "Sari".into(), reason: "salah".into() };
    let back = engine.take_refund_back(customer_id(2), rest.id, ending).await.unwrap_err();
    assert_eq!(back.code(), "refund.at_gateway");
    let empty = engine.refund_at_gateway(&gateway, &wish(payment, None), now).await.unwrap_err();
    assert_eq!(empty.code(), "credit.less");
}

#[tokio::test]
async fn what_a_gateway_refuses_is_credit_again_at_once_or_later() {
    let (gateway, now) = (midtrans(), at("2026-01-21", 9));
    let (world, payment, reference) = twice(&gateway).await;
    let engine = world.engine();
    for fault in [GatewayFault::Refused, GatewayFault::NoConnection] {
        gateway.fail_next(fault);
        let refused = engine.refund_at_gateway(&gateway, &wish(payment, 50_000), now).await.unwrap_err();
        assert!(matches!(refused, EngineError::Port(PortError::Refused { .. } | PortError::NotSent { .. })));
        assert_eq!((credit(&world).await, held(&world).await), (rp(166_500), [rp(166_500); 2]), "{fault:?}");
    }
    assert_eq!(rows(&world).await.iter().map(|row| row.state).collect::<Vec<_>>(), [RefundState::Refused; 2]);
    // It takes it first, and the bank of the customer does not.
    gateway.refunds_wait();
    let (refund, row) = engine.refund_at_gateway(&gateway, &wish(payment, 50_000), now).await.unwrap();
    assert_eq!((row.state, row.poll_at), (RefundState::Pending, Some(now + TimeDelta::minutes(1))));
    assert_eq!((credit(&world).await, held(&world).await), (rp(116_500), [rp(116_500); 2]));
    gateway.end_refunds(RefundState::Refused);
    let report = engine.poll_gateways(&[&gateway], now + TimeDelta::minutes(1)).await.unwrap();
    assert_eq!((report.asked, report.ended), (1, 1), "{report:?}");
    let ended = world.store.refunds(TENANT, None).await.unwrap().into_iter().find(|of| of.refund.id == refund.id);
    let ending = ended.unwrap().ending.unwrap();
    assert_eq!((ending.by.as_str(), ending.reason.as_str()), ("midtrans", "ACCOUNT_CLOSED"));
    assert_eq!((credit(&world).await, held(&world).await), (rp(166_500), [rp(166_500); 2]));
    assert_eq!(gateway.given_back(&reference), Money::ZERO);
    // Nothing is asked about any more.
    let later = engine.poll_gateways(&[&gateway], now + TimeDelta::days(9)).await.unwrap();
    assert_eq!(later.asked, 0);
}

#[tokio::test]
async fn a_lost_answer_is_asked_about_and_only_after_an_hour_taken_as_never_given() {
    let (gateway, now) = (midtrans(), at("2026-01-21", 9));
    let (world, payment, reference) = twice(&gateway).await;
    let engine = world.engine();
    // The reply was lost: the question settles it in the same command.
    gateway.fail_next(GatewayFault::LostReply);
    let (_, row) = engine.refund_at_gateway(&gateway, &wish(payment, 50_000), now).await.unwrap();
    assert_eq!((row.state, gateway.given_back(&reference)), (RefundState::Done, rp(50_000)));
    // The call never came there, and nobody knows.
    gateway.fail_next(GatewayFault::LostRequest);
    let lost = engine.refund_at_gateway(&gateway, &wish(payment, 40_000), now).await.unwrap_err();
    assert!(matches!(lost, EngineError::Port(PortError::Unknown { .. })), "{lost:?}");
    let poll = async |minutes| {
        engine.poll_gateways(&[&gateway], now + TimeDelta::minutes(minutes)).await.unwrap();
        credit(&world).await
    };
    for minutes in [1, 5, 15, 59] {
        assert_eq!(poll(minutes).await, rp(76_500), "{minutes}: it may still be on its way");
    }
    assert_eq!(poll(60).await, rp(116_500));
    assert_eq!(gateway.given_back(&reference), rp(50_000), "it was never asked for the money again");
    assert_eq!(held(&world).await, [rp(116_500); 2]);
    // A gateway that does not answer for days is no answer: the credit stays reserved.
    gateway.fail_always(Some(GatewayFault::LostRequest));
    engine.refund_at_gateway(&gateway, &wish(payment, 16_500), now).await.unwrap_err();
    assert_eq!(poll(60 * 24 * 9).await, rp(100_000));
    gateway.fail_always(None);
    assert_eq!(poll(60 * 24 * 11).await, rp(116_500));
}

/// While nobody knows whether the gateway took a refund, the same wish asks how it stands, and no other one is asked for.
#[tokio::test]
async fn the_same_wish_once_more_settles_the_refund_that_nobody_knows_of() {
    let (gateway, now) = (midtrans(), at("2026-01-21", 9));
    let (world, payment, reference) = twice(&gateway).await;
    let engine = world.engine();
    // The gateway does it, and neither its answer nor the question about it comes through.
    gateway.fail_always(Some(GatewayFault::LostReply));
    for amount in [50_000, 50_000, 40_000] {
        let lost = engine.refund_at_gateway(&gateway, &wish(payment, amount), now).await.unwrap_err();
        assert!(matches!(lost, EngineError::Port(PortError::Unknown { .. })), "{lost:?}");
    }
    assert_eq!((rows(&world).await.len(), credit(&world).await), (1, rp(116_500)));
    gateway.fail_always(None);
    let (refund, row) = engine.refund_at_gateway(&gateway, &wish(payment, 50_000), now).await.unwrap();
    assert_eq!((refund.amount, row.state), (rp(50_000), RefundState::Done));
    assert_eq!((rows(&world).await.len(), gateway.given_back(&reference)), (1, rp(50_000)));
    // It is known now: another wish is another refund.
    let (refund, _) = engine.refund_at_gateway(&gateway, &wish(payment, 40_000), now).await.unwrap();
    assert_eq!((refund.amount, gateway.given_back(&reference)), (rp(40_000), rp(90_000)));
    // One that never came there is refused after its hour by the same wish, which then asks anew.
    gateway.fail_next(GatewayFault::LostRequest);
    engine.refund_at_gateway(&gateway, &wish(payment, None), now).await.unwrap_err();
    let later = now + TimeDelta::minutes(61);
    let (refund, _) = engine.refund_at_gateway(&gateway, &wish(payment, None), later).await.unwrap();
    assert_eq!((refund.amount, gateway.given_back(&reference)), (rp(76_500), rp(166_500)));
    assert_eq!((credit(&world).await, held(&world).await), (Money::ZERO, [Money::ZERO; 2]));
}

#[tokio::test]
async fn a_gateway_without_refunds_and_one_that_was_not_paid_write_nothing() {
    let (gateway, now) = (FakeGateway::new(code("tripay")).without_refunds(), at("2026-01-21", 9));
    let (world, payment, _) = twice(&gateway).await;
    let refused = world.engine().refund_at_gateway(&gateway, &wish(payment, None), now).await.unwrap_err();
    assert!(matches!(&refused, EngineError::Port(PortError::Refused { code: "gateway.no_refund", .. })), "{refused:?}");
    let other = world.engine().refund_at_gateway(&midtrans(), &wish(payment, None), now).await.unwrap_err();
    assert_eq!(other.code(), "store.not_found");
    assert!(rows(&world).await.is_empty() && world.store.refunds(TENANT, None).await.unwrap().is_empty());
}

/// The process dies before and after every call to the store: the money goes back once, and the books say so once; or it does not,
/// and the customer has the credit again.
#[tokio::test]
async fn a_process_that_dies_anywhere_gives_back_once_and_books_once() {
    let now: DateTime<Utc> = at("2026-01-21", 9);
    for moment in [Moment::Before, Moment::After] {
        let mut finished = false;
        for call in 1..60 {
            let gateway = midtrans();
            let (world, payment, reference) = twice(&gateway).await;
            world.store.fuse().blow_at(call, moment);
            let died = world.engine().refund_at_gateway(&gateway, &wish(payment, 50_000), now).await.is_err();
            assert_eq!(died, world.store.fuse().is_blown(), "call {call}");
            world.store.restart();
            world.engine().poll_gateways(&[&gateway], now + TimeDelta::hours(2)).await.unwrap();
            let gone = gateway.given_back(&reference);
            assert!(gone == rp(50_000) || died && gone.is_zero(), "call {call} {moment:?}: {gone}");
            assert_eq!(credit(&world).await, rp(166_500) - gone, "call {call} {moment:?}");
            assert_eq!(held(&world).await, [rp(166_500) - gone; 2], "call {call} {moment:?}");
            assert!(rows(&world).await.iter().all(|row| row.state.is_over()), "call {call} {moment:?}");
            finished = !died;
            if finished {
                break;
            }
        }
        assert!(finished, "it never came to its end");
    }
}
