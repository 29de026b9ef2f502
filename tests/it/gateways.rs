//! Money that comes through payment gateways: notices late, twice and out of order, replies lost, a process that dies.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::support::*;
use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt as _;
use isp_core::Money;
use isp_core::calendar::Cycle;
use isp_core::engine::{Engine, EngineError, GatewayWish, Taken};
use isp_core::ids::{PaymentRequestId, PayoutId};
use isp_core::isolation::Access;
use isp_core::ledger::Account;
use isp_core::payment::{GatewayRequest, GatewayState, NoticeState, PayChannel, PaymentNotice, Payout};
use isp_core::ports::{GatewayQuery, MoneyStore, PaymentGateway};
use isp_core::testing::{FakeGateway, GatewayFault, Moment};
use isp_core::text::Reference;

/// Customers 2 and 4, both isolated for Rp166.500.
async fn two() -> World {
    let world = one().await;
    world.add(4, date("2026-01-01"), 1, Cycle::Monthly, at("2026-01-01", 7)).await;
    run_days(&world, "2026-01-01", "2026-01-20").await;
    assert_eq!(world.routers.access("r0", "user2"), Some(Access::Isolated));
    world
}

fn tripay() -> FakeGateway {
    FakeGateway::new(code("tripay"))
}

async fn ask(
    world: &World,
    gateway: &FakeGateway,
    n: u32,
    now: DateTime<Utc>,
) -> Result<(GatewayRequest, bool), EngineError> {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let id = PaymentRequestId(uuid::Uuid::from_u128(LAST.fetch_add(1, Ordering::Relaxed).into()));
    let wish = GatewayWish { id, customer: customer_id(n), invoice: None, channel: PayChannel::VaBca };
    world.engine().request_at_gateway(gateway, wish, now).await
}

async fn take(world: &World, gateway: &FakeGateway, notice: &PaymentNotice, now: DateTime<Utc>) -> Taken {
    world.engine().take_notice(gateway, notice, now).await.unwrap()
}

async fn state(world: &World, gateway: &FakeGateway, reference: &Reference) -> GatewayState {
    world.engine().gateway_request(gateway.name(), reference).await.unwrap().unwrap().state
}

fn gateway_account(world: &World) -> Money {
    let lines = world.store.snapshot(TENANT).journal.into_iter().flat_map(|e| e.lines);
    lines.filter(|l| l.account == Account::Gateway).map(|l| l.amount).sum()
}

/// The process dies before and after every call to the store: the money is booked once, and the line opens.
#[tokio::test]
async fn a_process_that_dies_anywhere_collects_once_and_books_once() {
    let (night, later) = (at("2026-01-20", 23), at("2026-01-21", 1));
    for moment in [Moment::Before, Moment::After] {
        let mut finished = false;
        for call in 1..200 {
            let (world, gateway) = (two().await, tripay());
            world.store.fuse().blow_at(call, moment);
            let journey = async || {
                let (asked, _) = ask(&world, &gateway, 2, night).await?;
                let paid = gateway.pay(&asked.reference, asked.amount, rp(4_000), night).unwrap();
                world.engine().take_notice(&gateway, &paid, night).await
            };
            let died = journey().await.is_err();
            assert_eq!(died, world.store.fuse().is_blown(), "call {call}");
            world.store.restart();
            // A later process: it asks for what the first one left, and the customer pays what is shown then.
            world.engine().poll_gateways(&[&gateway], night + TimeDelta::minutes(1)).await.unwrap();
            if gateway.all().iter().all(|n| n.state != NoticeState::Paid) {
                let (asked, _) = ask(&world, &gateway, 2, later).await.unwrap();
                gateway.pay(&asked.reference, asked.amount, rp(4_000), later).unwrap();
            }
            world.engine().poll_gateways(&[&gateway], later + TimeDelta::hours(2)).await.unwrap();
            let books = books::check(&world.store.snapshot(TENANT));
            assert_eq!((books.received, books.credit), (rp(166_500), Money::ZERO), "call {call} {moment:?}");
            assert_eq!(gateway_account(&world), rp(162_500), "call {call}");
            world.deliver(later + TimeDelta::hours(2)).await;
            assert_eq!(world.routers.access("r0", "user2"), Some(Access::Open), "call {call}");
            finished = !died;
            if finished {
                break;
            }
        }
        assert!(finished, "it never came to its end");
    }
}

#[tokio::test]
async fn notices_ten_times_and_out_of_order_book_once() {
    let (world, gateway, now) = (two().await, tripay(), at("2026-01-20", 22));
    let (asked, known) = ask(&world, &gateway, 2, now).await.unwrap();
    assert!(!known && asked.state == GatewayState::Open && asked.instructions.number.is_some());
    let (again, known) = ask(&world, &gateway, 2, now).await.unwrap();
    assert!(known && again == asked, "the same debt has the same request");
    let pending = gateway.all().pop().unwrap();
    let paid = gateway.pay(&asked.reference, asked.amount, rp(4_000), now).unwrap();
    let expired = PaymentNotice { state: NoticeState::Expired, ..pending.clone() };
    assert_eq!(take(&world, &gateway, &expired, now).await, Taken::Moved(GatewayState::Expired));
    let Taken::Booked(report) = take(&world, &gateway, &paid, now).await else { panic!("not booked") };
    assert_eq!((report.credit, report.reopened.len()), (Money::ZERO, 1));
    // What the customer waited for the router is told once.
    let later = now + TimeDelta::seconds(7);
    assert_eq!(world.deliver(later).await.reopened, [now]);
    assert!(world.deliver(later).await.reopened.is_empty());
    for _ in 0..10 {
        assert_eq!(take(&world, &gateway, &paid, now).await, Taken::Known);
        assert_eq!(take(&world, &gateway, &pending, now).await, Taken::Nothing);
        assert_eq!(take(&world, &gateway, &expired, now).await, Taken::Nothing);
    }
    assert_eq!(books::check(&world.store.snapshot(TENANT)).received, rp(166_500));
    // It goes back to the customer, and the notice of before comes once more.
    let refunded = gateway.set(&asked.reference, NoticeState::Refunded).unwrap();
    assert!(matches!(take(&world, &gateway, &refunded, now).await, Taken::Refunded(_)));
    assert_eq!(take(&world, &gateway, &refunded, now).await, Taken::Nothing);
    assert_eq!(take(&world, &gateway, &paid, now).await, Taken::Known);
    let books = books::check(&world.store.snapshot(TENANT));
    assert_eq!((books.received, books.owed), (Money::ZERO, rp(333_000)));
}

/// Another process reads the same notice between any two calls to the store: money comes and goes back once, and who was slower learns
/// that it is known.
#[tokio::test]
async fn a_notice_that_two_processes_read_at_once_counts_once() {
    let now = at("2026-01-20", 22);
    for goes_back in [false, true] {
        let mut slower = 0;
        loop {
            let call = slower + 1;
            let (world, gateway) = (two().await, tripay());
            let (asked, _) = ask(&world, &gateway, 2, now).await.unwrap();
            let mut told = gateway.pay(&asked.reference, asked.amount, rp(4_000), now).unwrap();
            if goes_back {
                take(&world, &gateway, &told, now).await;
                told = gateway.set(&asked.reference, NoticeState::Refunded).unwrap();
            }
            let (store, policy, same) = (world.store.clone(), world.policy.clone(), told.clone());
            world.store.fuse().meanwhile(call, move || {
                let (engine, gateway) = (Engine::new(&store, TENANT, &policy), tripay());
                let taken = engine.take_notice(&gateway, &same, now).now_or_never().unwrap();
                assert!(matches!(taken, Ok(Taken::Booked(_) | Taken::Refunded(_))), "the other: {taken:?}");
            });
            let taken = world.engine().take_notice(&gateway, &told, now).await;
            let books = books::check(&world.store.snapshot(TENANT));
            let (received, held) = if goes_back { (0, -4_000) } else { (166_500, 162_500) };
            assert_eq!((books.received, books.credit), (rp(received), Money::ZERO), "call {call}: {taken:?}");
            assert_eq!(gateway_account(&world), rp(held), "call {call}: {taken:?}");
            match taken {
                Ok(Taken::Known | Taken::Nothing) => slower += 1,
                Ok(Taken::Booked(_) | Taken::Refunded(_)) => break,
                other => panic!("call {call}: {other:?}"),
            }
        }
        assert!(slower > 3, "the other came in between {slower} times only");
    }
}

/// What is not sure is asked first: who forges "paid" is told by the gateway that it is not so.
#[tokio::test]
async fn a_hint_alone_books_nothing() {
    let (world, gateway, now) = (two().await, tripay(), at("2026-01-20", 22));
    let (asked, _) = ask(&world, &gateway, 2, now).await.unwrap();
    let pending = gateway.all().pop().unwrap();
    let forged = PaymentNotice { state: NoticeState::Paid, paid_at: Some(now), sure: false, ..pending };
    assert_eq!(take(&world, &gateway, &forged, now).await, Taken::Nothing);
    let nowhere = PaymentNotice { reference: Reference::parse("reference", "INV-9").unwrap(), ..forged.clone() };
    assert_eq!(take(&world, &gateway, &nowhere, now).await, Taken::Nothing);
    gateway.pay(&asked.reference, asked.amount, Money::ZERO, now).unwrap();
    gateway.fail_next(GatewayFault::NoConnection);
    let error = world.engine().take_notice(&gateway, &forged, now).await.unwrap_err();
    assert!(error.retryable(), "{error:?}");
    assert!(matches!(take(&world, &gateway, &forged, now).await, Taken::Booked(_)));
}

#[tokio::test]
async fn another_amount_late_money_and_money_after_another_payment_is_booked_as_it_came() {
    let (world, gateway, now) = (two().await, tripay(), at("2026-01-20", 22));
    let (asked, _) = ask(&world, &gateway, 2, now).await.unwrap();
    // The customer pays at the counter: nobody is to pay the request any more.
    world.pay(2, "KW-1", 166_500, now).await.unwrap();
    assert_eq!(state(&world, &gateway, &asked.reference).await, GatewayState::Cancelling);
    let paid = gateway.pay(&asked.reference, rp(166_500), Money::ZERO, now).unwrap();
    // It could not be cancelled in time; the question tells.
    let report = world.engine().poll_gateways(&[&gateway], now).await.unwrap();
    assert_eq!((report.asked, report.booked, report.failed), (1, 1, vec![]));
    assert_eq!(take(&world, &gateway, &paid, now).await, Taken::Known);
    assert_eq!(books::check(&world.store.snapshot(TENANT)).credit, rp(166_500));
    // Another amount, three weeks after its end.
    let (asked, _) = ask(&world, &gateway, 4, now).await.unwrap();
    let late = at("2026-02-12", 9);
    let paid = gateway.pay(&asked.reference, rp(100_000), Money::ZERO, late).unwrap();
    let Taken::Booked(report) = take(&world, &gateway, &paid, late).await else { panic!("not booked") };
    assert_eq!(report.owed, rp(66_500));
    assert_eq!(gateway_account(&world), rp(266_500));
}

#[tokio::test]
async fn what_nobody_asked_for_waits_for_a_person() {
    let (world, gateway, now) = (two().await, tripay(), at("2026-01-20", 22));
    let (asked, _) = ask(&world, &gateway, 2, now).await.unwrap();
    let other = Reference::parse("reference", "TOKO-17").unwrap();
    let paid = gateway.pay(&asked.reference, rp(166_500), Money::ZERO, now).unwrap();
    let strange = PaymentNotice { provider_id: other.clone(), reference: other, ..paid };
    let Taken::Unmatched(id) = take(&world, &gateway, &strange, now).await else { panic!("not kept") };
    assert_eq!(take(&world, &gateway, &strange, now).await, Taken::Known, "it is kept once");
    // Nothing is guessed, although the amount is what customer 4 owes.
    assert!(world.engine().match_mutations(&[], "mesin", now).await.unwrap().iter().all(|l| l.candidates.is_empty()));
    world.engine().match_mutation(id, customer_id(4), "ani", now).await.unwrap();
    let payments = world.store.snapshot(TENANT).payments;
    assert_eq!(payments.iter().map(|p| p.payment.provider.as_str()).collect::<Vec<_>>(), ["tripay"]);
    assert_eq!(take(&world, &gateway, &strange, now).await, Taken::Known);
    assert_eq!(books::check(&world.store.snapshot(TENANT)).received, rp(166_500));
}

#[tokio::test]
async fn a_lost_reply_is_settled_by_asking_and_nothing_is_collected_twice() {
    for (fault, found) in [(GatewayFault::LostReply, true), (GatewayFault::LostRequest, false)] {
        let (world, gateway, now) = (two().await, tripay(), at("2026-01-20", 22));
        gateway.fail_next(fault);
        let first = ask(&world, &gateway, 2, now).await;
        assert_eq!(first.is_ok(), found, "{fault:?}");
        assert_eq!(gateway.created(), u64::from(found), "{fault:?}");
        let (second, known) = ask(&world, &gateway, 2, now + TimeDelta::seconds(5)).await.unwrap();
        assert_eq!((known, gateway.created()), (found, 1), "{fault:?}");
        assert_eq!(second.state, GatewayState::Open);
    }
    for fault in [GatewayFault::NoConnection, GatewayFault::Refused] {
        let (world, gateway, now) = (two().await, tripay(), at("2026-01-20", 22));
        gateway.fail_next(fault);
        assert!(matches!(ask(&world, &gateway, 2, now).await, Err(EngineError::Port(_))), "{fault:?}");
        assert_eq!(gateway.created(), 0);
        assert!(ask(&world, &gateway, 2, now).await.is_ok(), "{fault:?}");
    }
}

#[tokio::test]
async fn a_lost_webhook_is_found_by_the_question() {
    let (world, gateway, now) = (two().await, tripay(), at("2026-01-20", 22));
    let (asked, _) = ask(&world, &gateway, 2, now).await.unwrap();
    gateway.pay(&asked.reference, asked.amount, rp(750), now).unwrap();
    let poll =
        async |minutes| world.engine().poll_gateways(&[&gateway], now + TimeDelta::minutes(minutes)).await.unwrap();
    assert_eq!(poll(0).await.asked, 0, "not yet");
    gateway.fail_next(GatewayFault::NoConnection);
    let failed = poll(1).await;
    assert_eq!((failed.asked, failed.booked, failed.failed.len()), (1, 0, 1));
    assert_eq!(poll(2).await.asked, 0);
    assert_eq!(poll(5).await.booked, 1);
    assert_eq!(poll(600).await.asked, 0, "its end is certain");
    assert_eq!(books::check(&world.store.snapshot(TENANT)).received, rp(166_500));
}

/// A debt that has changed is another request; where the first cannot be cancelled and is paid all the same, it is credit.
#[tokio::test]
async fn another_debt_is_another_request() {
    let (world, now) = (two().await, at("2026-01-20", 22));
    for gateway in [tripay(), FakeGateway::new(code("duitku")).without_cancel()] {
        let (asked, _) = ask(&world, &gateway, 2, now).await.unwrap();
        world.pay(2, &format!("KW-{}", gateway.name()), 1_000, now).await.unwrap();
        let (next, known) = ask(&world, &gateway, 2, now + TimeDelta::minutes(1)).await.unwrap();
        assert!(!known && next.amount == asked.amount - rp(1_000) && next.reference != asked.reference);
        world.engine().poll_gateways(&[&gateway], now + TimeDelta::minutes(2)).await.unwrap();
        let before = state(&world, &gateway, &asked.reference).await;
        let cancels = gateway.name() == &code("tripay");
        assert_eq!(before, if cancels { GatewayState::Cancelled } else { GatewayState::Cancelling });
        let rows = world.engine().cancel_at_gateway(&gateway, customer_id(2), now).await.unwrap();
        assert_eq!(rows.len(), 1);
        assert!(!rows[0].state.is_live());
        let none = world.engine().cancel_at_gateway(&gateway, customer_id(2), now).await.unwrap_err();
        assert_eq!(none.code(), "store.not_found");
    }
    let rest = GatewayQuery { live: true, ..GatewayQuery::default() };
    assert!(world.engine().gateway_requests(&rest).await.unwrap().is_empty());
    assert_eq!(ask(&world, &tripay(), 9, now).await.unwrap_err().code(), "request.nothing_owed");
}

#[tokio::test]
async fn a_payout_moves_what_the_gateway_holds_to_the_bank() {
    let (world, gateway, now) = (two().await, tripay(), at("2026-01-20", 22));
    for n in [2, 4] {
        let (asked, _) = ask(&world, &gateway, n, now).await.unwrap();
        let paid = gateway.pay(&asked.reference, asked.amount, rp(4_000), now).unwrap();
        take(&world, &gateway, &paid, now).await;
    }
    let payout = |id, net, fee| Payout {
        id: PayoutId(uuid::Uuid::from_u128(id)),
        gateway: code("Tripay"),
        net: rp(net),
        fee: rp(fee),
        on: date("2026-01-22"),
        by: "ani".into(),
        note: String::new(),
    };
    let engine = world.engine();
    let too_much = engine.pay_out(payout(1, 325_000, 1)).await.unwrap_err();
    assert_eq!(too_much.code(), "gateway.holds_less");
    engine.pay_out(payout(1, 320_000, 5_000)).await.unwrap();
    let again = engine.pay_out(payout(1, 1, 0)).await.unwrap_err();
    assert_eq!(again.code(), "gateway.holds_less", "nothing is left");
    assert_eq!(gateway_account(&world), Money::ZERO);
    let balances = world.store.gateway_balances(TENANT).await.unwrap();
    assert_eq!((balances.len(), balances[0].holds(), balances[0].fees), (1, Money::ZERO, rp(13_000)));
    let sum = |account| {
        let lines = world.store.snapshot(TENANT).journal.into_iter().flat_map(|e| e.lines);
        lines.filter(|l| l.account == account).map(|l| l.amount).sum::<Money>()
    };
    assert_eq!((sum(Account::Bank), sum(Account::ExpenseFees)), (rp(320_000), rp(13_000)));
    assert_eq!(world.store.snapshot(TENANT).journal_sum(), Money::ZERO);
}

/// A gateway that gives no answer takes as long as its deadline for each question: it is asked three times, and the rest the next time.
#[tokio::test]
async fn a_gateway_without_an_answer_is_left_alone_and_all_are_asked_in_the_end() {
    let (world, gateway) = (World::new().await, tripay());
    let (night, soon) = (at("2026-01-20", 22), at("2026-01-20", 23));
    for n in 1..=8 {
        world.add(n, date("2026-01-01"), 1, Cycle::Monthly, at("2026-01-01", 7)).await;
    }
    run_days(&world, "2026-01-01", "2026-01-20").await;
    for n in 1..=8 {
        let (asked, _) = ask(&world, &gateway, n, night).await.unwrap();
        gateway.pay(&asked.reference, asked.amount, Money::ZERO, night).unwrap();
    }
    gateway.fail_always(Some(GatewayFault::NoConnection));
    let report = world.engine().poll_gateways(&[&gateway], soon).await.unwrap();
    assert_eq!((report.asked, report.failed.len(), report.booked), (3, 3, 0));
    gateway.fail_always(None);
    let mut booked = 0;
    for minutes in [1, 2, 61, 62] {
        booked += world.engine().poll_gateways(&[&gateway], soon + TimeDelta::minutes(minutes)).await.unwrap().booked;
    }
    assert_eq!(booked, 8);
}
