//! Money that comes in by the bank: cut off at any moment, told twice, late, and with the same amount for two.

use crate::support::*;
use chrono::{DateTime, Utc};
use isp_core::Money;
use isp_core::bank::{BankFile, account_code};
use isp_core::calendar::Cycle;
use isp_core::engine::{EngineError, Looked, Matched, NewPayment};
use isp_core::ids::PaymentRequestId;
use isp_core::isolation::Access;
use isp_core::payment::PaymentRequest;
use isp_core::ports::{MoneyStore, PageQuery, RequestQuery};
use isp_core::testing::Moment;

/// Customers 2 and 4, both isolated for Rp166.500.
async fn two() -> World {
    let world = one().await;
    world.add(4, date("2026-01-01"), 1, Cycle::Monthly, at("2026-01-01", 7)).await;
    run_days(&world, "2026-01-01", "2026-01-20").await;
    assert_eq!(world.routers.access("r0", "user2"), Some(Access::Isolated));
    world
}

fn file(rows: &[(&str, &str, i64)]) -> String {
    let mut text = "Tanggal Transaksi,Uraian Transaksi,Teller,Debet,Kredit,Saldo\n".to_owned();
    let mut balance = 0;
    for (day, told, amount) in rows {
        balance += amount;
        text += &format!("{day},{told},8888,0,{amount}.00,{balance}.00\n");
    }
    text
}

async fn ask(world: &World, n: u32, now: DateTime<Utc>) -> Result<PaymentRequest, EngineError> {
    let id = PaymentRequestId(uuid::Uuid::from_u128(u128::from(n) << 64 | now.timestamp() as u128));
    Ok(world.engine().request_payment(id, customer_id(n), None, now).await?.0)
}

async fn import(world: &World, text: &str, now: DateTime<Utc>) -> Result<Vec<Looked>, EngineError> {
    let (file, account) = (BankFile::read(text).unwrap(), account_code("BRI-1").unwrap());
    let report = world.engine().import_bank_file(&file, &account, text, "kasir", now).await?;
    world.engine().match_mutations(&report.compared.order, "kasir", now).await
}

/// What a person books for customer 2.
fn by_hand(provider: &str, rupiah: i64, paid_at: DateTime<Utc>) -> NewPayment {
    let (provider, reference) = (code(provider), code("BUKTI-1").into());
    NewPayment { customer_id: customer_id(2), provider, reference, amount: rp(rupiah), paid_at, collector: None }
}

fn booked(looked: &[Looked]) -> Vec<u32> {
    let of = |one: &Looked| match &one.matched {
        Matched::Booked(id, _) => (1..9).find(|n| customer_id(*n) == *id),
        _ => None,
    };
    let mut all: Vec<u32> = looked.iter().filter_map(of).collect();
    all.sort_unstable();
    all
}

/// The process dies before and after every call to the store, again and again: everything is there once in the end.
#[tokio::test]
async fn a_process_that_dies_anywhere_books_each_mutation_once() {
    let (night, morning) = (at("2026-01-20", 23), at("2026-01-21", 7));
    for moment in [Moment::Before, Moment::After] {
        let mut finished = false;
        for call in 1..200 {
            let world = two().await;
            let (a, b) = (ask(&world, 2, night).await.unwrap(), ask(&world, 4, night).await.unwrap());
            assert_eq!((a.amount, b.amount), (rp(166_501), rp(166_502)));
            // Out of order: the later request is paid first.
            let text = file(&[("21/01/26", "QRIS", 166_502), ("21/01/26", "QRIS", 166_501), ("21/01/26", "LAIN", 9)]);
            world.store.fuse().blow_at(call, moment);
            let answer = import(&world, &text, morning).await;
            let died = world.store.fuse().is_blown();
            assert_eq!(answer.is_err(), died, "call {call}");
            world.store.restart();
            let again = import(&world, &text, morning).await.unwrap();
            assert!(again.iter().all(|one| !matches!(one.matched, Matched::Failed(_))), "call {call}");
            let books = books::check(&world.store.snapshot(TENANT));
            assert_eq!((books.received, books.owed, books.credit), (rp(333_003), Money::ZERO, rp(3)), "call {call}");
            world.deliver(morning).await;
            assert_eq!(world.routers.access("r0", "user2"), Some(Access::Open), "call {call}");
            assert_eq!(world.routers.access("r0", "user4"), Some(Access::Open), "call {call}");
            let all = RequestQuery::default();
            let requests = world.store.payment_requests(TENANT, all, PageQuery::first(9)).await.unwrap();
            assert!(requests.iter().all(|r| r.state(morning).code() == "paid"), "call {call}");
            finished = !died;
            if finished {
                break;
            }
        }
        assert!(finished, "it never came to its end");
    }
}

/// A fault of others: what comes 15 minutes late is lost. Ours is kept for three days more; after that a person is asked.
#[tokio::test]
async fn late_money_and_money_for_a_cancelled_request_still_is_its_customers() {
    for (day, expected) in [("22/01/26", vec![2]), ("24/01/26", vec![2]), ("25/01/26", vec![])] {
        let world = two().await;
        ask(&world, 2, at("2026-01-20", 23)).await.unwrap();
        let looked = import(&world, &file(&[(day, "QRIS", 166_501)]), at("2026-01-26", 7)).await.unwrap();
        assert_eq!(booked(&looked), expected, "{day}");
    }
    let world = two().await;
    ask(&world, 2, at("2026-01-20", 22)).await.unwrap();
    // The customer pays at the counter, and the QRIS all the same: one is credit.
    let cash = by_hand("cash", 166_500, at("2026-01-20", 23));
    world.engine().pay(&cash, at("2026-01-20", 23)).await.unwrap();
    let looked = import(&world, &file(&[("21/01/26", "QRIS", 166_501)]), at("2026-01-21", 7)).await.unwrap();
    assert_eq!(booked(&looked), [2]);
    assert_eq!(books::check(&world.store.snapshot(TENANT)).credit, rp(166_501));
}

/// A fault of others: two who pay the same amount minutes apart count as one. And a code that is scanned twice is asked about.
#[tokio::test]
async fn the_same_amount_twice_is_two_mutations() {
    let world = two().await;
    ask(&world, 2, at("2026-01-20", 23)).await.unwrap();
    let text = file(&[("21/01/26", "QRIS", 166_501), ("21/01/26", "QRIS", 166_501)]);
    let looked = import(&world, &text, at("2026-01-21", 7)).await.unwrap();
    assert_eq!((looked.len(), booked(&looked)), (2, vec![2]));
    let waits = world.engine().match_mutations(&[], "kasir", at("2026-01-21", 8)).await.unwrap();
    assert_eq!((waits.len(), booked(&waits)), (1, vec![]));
    let id = waits[0].mutation.id;
    world.engine().match_mutation(id, customer_id(2), "kasir", at("2026-01-21", 9)).await.unwrap();
    assert_eq!(books::check(&world.store.snapshot(TENANT)).received, rp(333_002));
    let again = world.engine().match_mutation(id, customer_id(4), "kasir", at("2026-01-21", 9)).await.unwrap_err();
    assert_eq!(again.code(), "mutation.settled");
}

/// The day that the bank tells counts, so that a file that is imported late takes back what it makes wrong.
#[tokio::test]
async fn a_file_that_is_imported_late_counts_from_its_days() {
    let world = two().await;
    let text = file(&[("10/01/26", "TRF C0002", 166_500)]);
    let looked = import(&world, &text, at("2026-01-21", 7)).await.unwrap();
    assert_eq!(booked(&looked), [2]);
    let row = world.store.payments(TENANT, None, PageQuery::first(9)).await.unwrap().remove(0);
    assert_eq!(row.payment.paid_at, at("2026-01-10", 12));
    world.deliver(at("2026-01-21", 7)).await;
    assert_eq!(world.routers.access("r0", "user2"), Some(Access::Open));
}

/// Why a mutation waits.
fn doubts(looked: &[Looked]) -> Vec<&'static str> {
    let of = |one: &Looked| match one.matched {
        Matched::Asks(doubt) => Some(doubt.code()),
        _ => None,
    };
    looked.iter().filter_map(of).collect()
}

/// A proof over the plain debt, booked at the counter, and the bank that tells of the amount that was asked: one transfer.
#[tokio::test]
async fn a_transfer_that_was_booked_before_its_bank_told_of_it_is_booked_once() {
    for (bank, booked_by_hand, expected) in [
        ("bri", 166_500, vec!["looks_booked"]),
        ("bri", 166_501, vec![]),
        ("transfer", 166_501, vec![]),
        // Of another account, or the payer's bank was named.
        ("bca", 166_501, vec!["looks_booked"]),
    ] {
        let world = two().await;
        ask(&world, 2, at("2026-01-20", 22)).await.unwrap();
        let transfer = by_hand(bank, booked_by_hand, at("2026-01-20", 23));
        world.engine().pay(&transfer, at("2026-01-20", 23)).await.unwrap();
        let text = file(&[("21/01/26", "QRIS", 166_501)]);
        let looked = import(&world, &text, at("2026-01-21", 7)).await.unwrap();
        assert_eq!((booked(&looked), doubts(&looked)), (vec![], expected), "{bank}, {booked_by_hand}");
        assert_eq!(books::check(&world.store.snapshot(TENANT)).received, rp(booked_by_hand));
    }
}

/// A payment was typed for the account at another bank, and this bank tells of a transfer of the same customer and amount.
#[tokio::test]
async fn a_payment_that_was_typed_for_another_bank_swallows_no_transfer_of_this_one() {
    for (bank, doubt) in [("bca", vec!["looks_booked"]), ("bri", vec![]), ("bank", vec![])] {
        let world = two().await;
        world.engine().pay(&by_hand(bank, 166_500, at("2026-01-20", 9)), at("2026-01-20", 9)).await.unwrap();
        let text = file(&[("20/01/26", "TRF C0002", 166_500)]);
        let (read, account) = (BankFile::read(&text).unwrap(), account_code("BRI-1").unwrap());
        let seen = world.engine().look_at_bank_file(&read, &account, &text).await.unwrap();
        let foreseen = world.engine().foresee_mutations(&seen.compared, at("2026-01-21", 7)).await.unwrap();
        let looked = import(&world, &text, at("2026-01-21", 7)).await.unwrap();
        assert_eq!((doubts(&foreseen), doubts(&looked)), (doubt.clone(), doubt), "{bank}");
        assert_eq!(books::check(&world.store.snapshot(TENANT)).received, rp(166_500), "{bank}");
        if bank == "bca" {
            // There were two, a person says.
            let id = looked[0].mutation.id;
            world.engine().match_mutation(id, customer_id(2), "kasir", at("2026-01-21", 8)).await.unwrap();
            assert_eq!(books::check(&world.store.snapshot(TENANT)).received, rp(333_000));
        }
    }
}

/// The request that a transfer paid is paid no more when a person takes the transfer back, and paid again when it is matched.
#[tokio::test]
async fn a_request_is_paid_no_more_when_its_transfer_is_taken_back() {
    let (world, now) = (two().await, at("2026-01-21", 7));
    ask(&world, 2, at("2026-01-20", 23)).await.unwrap();
    let looked = import(&world, &file(&[("21/01/26", "QRIS", 166_501)]), now).await.unwrap();
    let id = looked[0].mutation.id;
    let state = || async {
        let all = world.store.payment_requests(TENANT, RequestQuery::default(), PageQuery::first(9)).await.unwrap();
        all.iter().map(|request| request.state(now).code()).collect::<Vec<_>>()
    };
    assert_eq!((booked(&looked), state().await), (vec![2], vec!["paid"]));
    world.engine().unmatch_mutation(id, "kasir", "salah pelanggan", now).await.unwrap();
    assert_eq!(state().await, ["cancelled"]);
    // The customer is asked anew for what is owed again, and the amount of the first request is still theirs.
    let again = ask(&world, 2, at("2026-01-21", 8)).await.unwrap();
    assert_eq!(again.debt, rp(166_500));
    world.engine().match_mutation(id, customer_id(2), "kasir", at("2026-01-21", 9)).await.unwrap();
    let all = world.store.payment_requests(TENANT, RequestQuery::default(), PageQuery::first(9)).await.unwrap();
    assert!(all.iter().any(|request| request.state(now).code() == "paid"), "{all:?}");
    assert!(all.iter().all(|request| request.state(now).code() != "open"), "{all:?}");
}

/// One account under two names: the file is refused, names the account that has its rows, and books nothing twice.
#[tokio::test]
async fn a_file_that_is_known_under_another_account_is_refused() {
    let (world, now) = (two().await, at("2026-01-21", 7));
    let text = file(&[("20/01/26", "TRF C0002", 166_500), ("21/01/26", "TRF C0004", 166_500)]);
    assert_eq!(booked(&import(&world, &text, now).await.unwrap()), [2, 4]);
    let (read, other) = (BankFile::read(&text).unwrap(), account_code("BRI-UTAMA").unwrap());
    let seen = world.engine().look_at_bank_file(&read, &other, &text).await.unwrap_err();
    let kept = world.engine().import_bank_file(&read, &other, &text, "kasir", now).await.unwrap_err();
    for error in [seen, kept] {
        assert!(error.code() == "bank.known_account" && error.to_string().to_lowercase().contains("bri-1"), "{error}");
    }
    // Under its own name it is known, and nothing is new.
    assert_eq!(booked(&import(&world, &text, now).await.unwrap()), Vec::<u32>::new());
    assert_eq!(books::check(&world.store.snapshot(TENANT)).received, rp(333_000));
}

/// A rupiah of credit, as each own amount leaves, makes the next debt Rp1 less than everybody else's.
#[tokio::test]
async fn nobody_is_asked_for_what_another_owes() {
    let world = two().await;
    world.pay(2, "KW-1", 1_001, at("2026-01-20", 8)).await.unwrap();
    world.pay(4, "KW-2", 1_000, at("2026-01-20", 8)).await.unwrap();
    let asked = ask(&world, 2, at("2026-01-20", 9)).await.unwrap();
    assert_eq!((asked.debt, asked.amount), (rp(165_499), rp(165_501)));
}

/// However another customer's ID is spelt, and by a name or a number too: a person is asked.
#[tokio::test]
async fn a_text_that_names_somebody_else_books_nothing_by_its_amount() {
    for told in ["C 0004", "TRFC0004WIFI", "C0.004", "C-0004 MARET"] {
        let world = two().await;
        ask(&world, 2, at("2026-01-20", 23)).await.unwrap();
        let looked = import(&world, &file(&[("21/01/26", told, 166_501)]), at("2026-01-21", 7)).await.unwrap();
        assert_eq!((booked(&looked), doubts(&looked)), (vec![], vec!["names_another"]), "{told}");
    }
}
