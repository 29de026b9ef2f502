//! Payments as people and machines tell of them: spelled differently, taken back and booked again, told late.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use isp_core::Money;
use isp_core::calendar::{Cycle, Date, Zone};
use isp_core::engine::{EngineError, NewPayment, Told};
use isp_core::ports::MoneyStore;
use isp_core::text::Reference;
use support::*;

/// Customers 2 and 4, both in Jakarta, each with an invoice of Rp166.500 of January.
async fn two() -> World {
    let world = one().await;
    world.add(4, date("2026-01-01"), 1, Cycle::Monthly, at("2026-01-01", 7)).await;
    run_days(&world, "2026-01-01", "2026-01-02").await;
    world
}

fn transfer(customer: u32, provider: &str, reference: &str, rupiah: i64) -> NewPayment {
    NewPayment {
        customer_id: customer_id(customer),
        provider: code(provider),
        reference: Reference::parse("reference", reference).unwrap(),
        amount: rp(rupiah),
        paid_at: at("2026-01-03", 9),
        collector: None,
    }
}

#[tokio::test]
async fn one_transfer_in_three_spellings_is_one_payment_p6() {
    let world = two().await;
    let (engine, now) = (world.engine(), at("2026-01-03", 9));
    for (n, (provider, reference)) in
        [("bca", "TRX-77"), ("BCA", " TRX-77 "), ("Bca", "trx-77")].into_iter().enumerate()
    {
        let report = engine.pay(&transfer(2, provider, reference, 166_500), now).await.unwrap();
        assert_eq!((report.known, report.taken_back), (n > 0, false), "{provider} {reference}");
    }
    let books = books::check(&world.store.snapshot(TENANT));
    assert_eq!((books.received, books.owed, books.credit), (rp(166_500), rp(166_500), Money::ZERO));
    for reserved in ["credit-note", "Credit-Note", "WRITE-OFF"] {
        let error = engine.pay(&transfer(2, reserved, "X", 1), now).await.unwrap_err();
        assert_eq!(error.code(), "payment.reserved_provider");
    }
}

#[tokio::test]
async fn a_reversal_frees_the_reference_for_the_right_payer_and_for_the_same_one_p6() {
    let world = two().await;
    let (engine, now) = (world.engine(), at("2026-01-03", 9));
    let wrong = engine.pay(&transfer(4, "bca", "TRX-77", 166_500), now).await.unwrap();
    engine.reverse(wrong.payment_id, "kasir", "salah orang", now).await.unwrap();
    // The right payer; told again, it is the same.
    let right = transfer(2, "BCA", "trx-77", 166_500);
    let booked = engine.pay(&right, now).await.unwrap();
    assert!(!booked.known && booked.payment_id != wrong.payment_id && booked.paid.len() == 1);
    assert_eq!(engine.pay(&right, now).await.unwrap(), isp_core::engine::PayReport { known: true, ..booked.clone() });
    let other = engine.pay(&transfer(4, "bca", "TRX-77", 166_500), now).await.unwrap_err();
    assert_eq!(other, EngineError::PaymentMismatch);
    // Reversed by mistake: the money did come, and the same payer is booked once more.
    engine.reverse(booked.payment_id, "kasir", "salah baca mutasi", now).await.unwrap();
    let again = engine.pay(&right, now).await.unwrap();
    assert!(!again.known && again.paid == booked.paid);
    let rows = world.store.payments_known_as(TENANT, &right.provider, &right.reference).await.unwrap();
    assert_eq!(rows.iter().filter(|row| row.reversal.is_none()).count(), 1);
    let books = books::check(&world.store.snapshot(TENANT));
    assert_eq!(books.received, rp(166_500));
}

#[tokio::test]
async fn a_webhook_that_comes_late_does_not_book_what_was_taken_back_p1_p6() {
    let world = two().await;
    let (engine, now) = (world.engine(), at("2026-01-03", 9));
    let notice = transfer(2, "midtrans", "order-7", 166_500);
    for time in 0..10 {
        let report = engine.pay_as(&notice, Told::ByMachine, now).await.unwrap();
        assert_eq!(report.known, time > 0);
    }
    let rows = world.store.payments_known_as(TENANT, &notice.provider, &notice.reference).await.unwrap();
    engine.reverse(rows[0].payment.id, "kasir", "chargeback", at("2026-01-04", 9)).await.unwrap();
    for _ in 0..3 {
        let report = engine.pay_as(&notice, Told::ByMachine, at("2026-01-05", 9)).await.unwrap();
        assert!(report.known && report.taken_back, "it says that it was taken back");
        assert!(report.paid.is_empty() && report.credit.is_zero() && report.payment_id == rows[0].payment.id);
    }
    assert_eq!(books::check(&world.store.snapshot(TENANT)).received, Money::ZERO);
    // Paid once more under the same order at another moment, it is another payment; so it is when an officer books it.
    let later = NewPayment { paid_at: at("2026-01-05", 8), ..notice.clone() };
    let second = engine.pay_as(&later, Told::ByMachine, at("2026-01-05", 9)).await.unwrap();
    assert!(!second.known);
    engine.reverse(second.payment_id, "kasir", "chargeback", at("2026-01-05", 10)).await.unwrap();
    assert!(!engine.pay(&notice, at("2026-01-06", 9)).await.unwrap().known);
    assert_eq!(books::check(&world.store.snapshot(TENANT)).received, rp(166_500));
}

#[tokio::test]
async fn cash_of_a_collector_can_be_booked_again_once_it_was_taken_back() {
    let world = two().await;
    let (engine, now) = (world.engine(), at("2026-01-03", 9));
    let cash = |customer, collector: &str| NewPayment {
        collector: Some(code(collector)),
        ..transfer(customer, "cash", "KW-1", 166_500)
    };
    let wrong = engine.pay(&cash(4, "ANTON"), now).await.unwrap();
    engine.reverse(wrong.payment_id, "kasir", "salah orang", now).await.unwrap();
    assert!(!engine.pay(&cash(2, "Anton"), now).await.unwrap().known);
    let purses = world.store.collectors(TENANT).await.unwrap();
    assert_eq!(purses.iter().map(|p| p.holds()).collect::<Vec<_>>(), [rp(166_500)]);
}

#[tokio::test]
async fn a_day_of_paying_out_of_the_world_is_asked_p7() {
    let world = two().await;
    let (engine, now) = (world.engine(), at("2026-01-03", 9));
    let on = |day: &str| NewPayment { paid_at: date(day).at(12, 0, Zone::Wib), ..transfer(2, "bca", day, 1_000) };
    for (day, code) in [
        ("2062-01-03", "payment.paid_in_future"),
        ("2026-01-04", "payment.paid_in_future"),
        ("2025-01-01", "payment.paid_long_ago"),
        ("1999-01-05", "payment.paid_long_ago"),
    ] {
        for told in [Told::ByPerson, Told::ByMachine] {
            let error = engine.pay_as(&on(day), told, now).await.unwrap_err();
            assert!(error.code() == code && error.to_string().contains(day), "{error}");
        }
    }
    assert_eq!(books::check(&world.store.snapshot(TENANT)).received, Money::ZERO);
    for day in ["2026-01-03", "2026-01-02", "2025-01-02"] {
        assert!(!engine.pay(&on(day), now).await.unwrap().known, "{day}");
    }
    let insisted = engine.pay_as(&on("2024-01-05"), Told::ByPersonWhoInsists, now).await.unwrap();
    let row = world.store.payment(TENANT, insisted.payment_id).await.unwrap().unwrap();
    assert_eq!(Zone::Wib.date_of(row.payment.paid_at), Date::parse("2024-01-05").unwrap());
}
