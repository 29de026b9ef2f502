//! Payments as people and machines tell of them: spelled differently, taken back and booked again, told late.

use crate::support::*;
use isp_core::Money;
use isp_core::billing::{CreditReason, InvoiceKind, LateFeeAmount, LateFeePolicy};
use isp_core::calendar::{Cycle, Date, Zone};
use isp_core::engine::{EngineError, NewPayment, Told};
use isp_core::isolation::Access;
use isp_core::ports::MoneyStore;
use isp_core::text::Reference;

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
    let mut again = booked.clone();
    again.known = true;
    assert_eq!(engine.pay(&right, now).await.unwrap(), again);
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

/// A provider that charges Rp10.000 a week after the due date; customer 2's January is due on the 11th and was run to the 20th.
async fn late() -> World {
    let mut world = one().await;
    let amount = LateFeeAmount::Fixed(rp(10_000));
    world.policy.late_fee = Some(LateFeePolicy { after_days: 7, amount, with_ppn: false });
    run_days(&world, "2026-01-01", "2026-01-20").await;
    assert_eq!(world.routers.access("r0", "user2"), Some(Access::Isolated));
    assert_eq!(books::check(&world.store.snapshot(TENANT)).owed, rp(176_500), "with the fee");
    world
}

#[tokio::test]
async fn a_payment_counts_from_the_day_it_was_paid_p7() {
    let world = late().await;
    let recorded = at("2026-01-20", 15);
    let paid = NewPayment { paid_at: at("2026-01-10", 12), ..transfer(2, "bca", "TRX-1", 166_500) };
    let report = world.engine().pay(&paid, recorded).await.unwrap();
    assert_eq!((report.owed, report.overdue, report.credit), (Money::ZERO, Money::ZERO, Money::ZERO));
    assert_eq!((report.reopened.len(), report.still_isolated.len()), (1, 0));
    world.deliver(recorded).await;
    assert_eq!(world.routers.access("r0", "user2"), Some(Access::Open));
    let snapshot = world.store.snapshot(TENANT);
    let notes: Vec<_> = snapshot.credit_notes.iter().map(|n| (n.reason, n.total, n.by.as_str())).collect();
    assert_eq!(notes, [(CreditReason::Correction, rp(10_000), "engine")]);
    let books = books::check(&snapshot);
    assert_eq!((books.received, books.owed, books.credit), (rp(166_500), Money::ZERO, Money::ZERO));
    // It stays so: no fee follows, and the same said again gives nothing back again.
    assert!(world.engine().pay(&paid, recorded).await.unwrap().known);
    run_days(&world, "2026-01-21", "2026-01-31").await;
    let snapshot = world.store.snapshot(TENANT);
    assert_eq!((snapshot.credit_notes.len(), books::check(&snapshot).owed), (1, Money::ZERO));
}

#[tokio::test]
async fn a_fee_is_given_back_once_all_of_it_was_paid_in_time_and_not_before_p7() {
    let world = late().await;
    let part = |n: u32, day: &str, rupiah| NewPayment {
        paid_at: at(day, 12),
        ..transfer(2, "bca", &format!("TRX-{n}"), rupiah)
    };
    let recorded = at("2026-01-20", 15);
    world.engine().pay(&part(1, "2026-01-09", 100_000), recorded).await.unwrap();
    assert_eq!(books::check(&world.store.snapshot(TENANT)).owed, rp(76_500), "a part was late");
    // The last part, with the fee, which is credit then.
    let report = world.engine().pay(&part(2, "2026-01-17", 76_500), recorded).await.unwrap();
    assert_eq!((report.owed, report.credit), (Money::ZERO, rp(10_000)));
    let books = books::check(&world.store.snapshot(TENANT));
    assert_eq!((books.owed, books.credit), (Money::ZERO, rp(10_000)));
    // One that was paid on the day of the fee is late.
    let world = late().await;
    world.engine().pay(&part(3, "2026-01-18", 166_500), recorded).await.unwrap();
    let snapshot = world.store.snapshot(TENANT);
    assert!(snapshot.credit_notes.is_empty());
    assert_eq!(books::check(&snapshot).owed, rp(10_000));
}

#[tokio::test]
async fn a_fee_is_not_charged_by_a_late_run_for_what_was_paid_in_time_p7() {
    let mut world = one().await;
    let amount = LateFeeAmount::Fixed(rp(10_000));
    world.policy.late_fee = Some(LateFeePolicy { after_days: 7, amount, with_ppn: false });
    run_days(&world, "2026-01-01", "2026-01-16").await;
    // No run on the 17th to the 20th; meanwhile it becomes known that it was paid on the 12th.
    let paid = NewPayment { paid_at: at("2026-01-12", 12), ..transfer(2, "bca", "TRX-1", 166_500) };
    world.engine().pay(&paid, at("2026-01-20", 15)).await.unwrap();
    run_days(&world, "2026-01-21", "2026-01-25").await;
    let snapshot = world.store.snapshot(TENANT);
    assert!(snapshot.invoices.iter().all(|(i, _)| i.kind == InvoiceKind::Subscription));
}

#[tokio::test]
async fn a_fee_that_a_payment_took_back_is_charged_again_when_the_payment_is_reversed_p4_p7() {
    let world = late().await;
    let engine = world.engine();
    let paid = NewPayment { paid_at: at("2026-01-10", 12), ..transfer(2, "bca", "TRX-1", 166_500) };
    let booked = engine.pay(&paid, at("2026-01-20", 15)).await.unwrap();
    assert_eq!(booked.owed, Money::ZERO);
    let back = engine.reverse(booked.payment_id, "kasir", "salah orang", at("2026-01-21", 9)).await.unwrap();
    assert_eq!((back.amount, back.fees_again), (rp(166_500), rp(10_000)));
    let books = books::check(&world.store.snapshot(TENANT));
    assert_eq!((books.owed, books.credit), (rp(176_500), Money::ZERO), "as before the payment");
    // Runs charge nothing more, and taking back once more is refused as ever.
    run_days(&world, "2026-01-21", "2026-01-30").await;
    assert_eq!(books::check(&world.store.snapshot(TENANT)).owed, rp(176_500));
    engine.reverse(booked.payment_id, "kasir", "lagi", at("2026-01-30", 9)).await.unwrap_err();
    // The right payment of that day spares the fee again, and its reversal brings it again: as often as it is said.
    for n in 2..4 {
        let again = NewPayment { paid_at: at("2026-01-11", 12), ..transfer(2, "bca", &format!("TRX-{n}"), 166_500) };
        let booked = engine.pay(&again, at("2026-01-30", 10)).await.unwrap();
        assert_eq!((booked.owed, booked.credit), (Money::ZERO, Money::ZERO));
        let back = engine.reverse(booked.payment_id, "kasir", "salah orang", at("2026-01-30", 11)).await.unwrap();
        assert_eq!(back.fees_again, rp(10_000));
        assert_eq!(books::check(&world.store.snapshot(TENANT)).owed, rp(176_500));
    }
}

#[tokio::test]
async fn a_fee_that_two_payments_spared_together_is_due_when_either_is_reversed_p4_p7() {
    let recorded = at("2026-01-20", 15);
    for first in [0, 1] {
        let world = late().await;
        let engine = world.engine();
        let mut booked = Vec::new();
        for (n, rupiah) in [(1, 100_000), (2, 66_500)] {
            let part = NewPayment { paid_at: at("2026-01-09", 12), ..transfer(2, "bca", &format!("TRX-{n}"), rupiah) };
            booked.push(engine.pay(&part, recorded).await.unwrap().payment_id);
        }
        assert_eq!(books::check(&world.store.snapshot(TENANT)).owed, Money::ZERO);
        let back = engine.reverse(booked[first], "kasir", "salah", at("2026-01-21", 9)).await.unwrap();
        assert_eq!(back.fees_again, rp(10_000));
        let back = engine.reverse(booked[1 - first], "kasir", "salah", at("2026-01-21", 10)).await.unwrap();
        assert_eq!(back.fees_again, Money::ZERO, "it is charged already");
        assert_eq!(books::check(&world.store.snapshot(TENANT)).owed, rp(176_500));
    }
}

#[tokio::test]
async fn a_fee_with_ppn_is_due_again_with_its_ppn_p4_p7() {
    let mut world = one().await;
    let amount = LateFeeAmount::Percent { percent: 2, minimum: rp(5_000) };
    world.policy.late_fee = Some(LateFeePolicy { after_days: 7, amount, with_ppn: true });
    run_days(&world, "2026-01-01", "2026-01-20").await;
    // 2 % of Rp166.500 are less than the minimum: Rp5.000 with Rp550 of PPN.
    assert_eq!(books::check(&world.store.snapshot(TENANT)).owed, rp(172_050));
    let engine = world.engine();
    let mut booked = Vec::new();
    for (n, rupiah) in [(1, 100_000), (2, 66_500)] {
        let part = NewPayment { paid_at: at("2026-01-09", 12), ..transfer(2, "bca", &format!("TRX-{n}"), rupiah) };
        booked.push(engine.pay(&part, at("2026-01-20", 15)).await.unwrap().payment_id);
    }
    assert_eq!(books::check(&world.store.snapshot(TENANT)).owed, Money::ZERO);
    let back = engine.reverse(booked[0], "kasir", "salah", at("2026-01-21", 9)).await.unwrap();
    assert_eq!(back.fees_again, rp(5_550));
    let back = engine.reverse(booked[1], "kasir", "salah", at("2026-01-21", 10)).await.unwrap();
    assert_eq!(back.fees_again, Money::ZERO, "it is charged already");
    assert_eq!(books::check(&world.store.snapshot(TENANT)).owed, rp(172_050));
}

/// What the provider knows of a customer's money in the end: owed, credit, and the late fees that stand.
fn end_state(world: &World) -> (Money, Money, Money) {
    let snapshot = world.store.snapshot(TENANT);
    let books = books::check(&snapshot);
    let is_fee = |id| snapshot.invoices.iter().any(|(i, _)| i.id == id && i.kind == InvoiceKind::LateFee);
    let charged: Money =
        snapshot.invoices.iter().filter(|(i, _)| i.kind == InvoiceKind::LateFee).map(|(i, _)| i.total).sum();
    let back: Money = snapshot.credit_notes.iter().filter(|n| is_fee(n.invoice_id)).map(|n| n.total).sum();
    (books.owed, books.credit, charged - back)
}

/// Lives January and February with payments that are all typed on one day, in each order, and some of them taken back.
async fn in_each_order(amount: LateFeeAmount, typed_on: &str, paid: &[(&str, i64, bool)]) -> (Money, Money, Money) {
    let mut ends = Vec::new();
    for order in orders(paid.len()) {
        let mut world = one().await;
        world.policy.late_fee = Some(LateFeePolicy { after_days: 7, amount, with_ppn: false });
        run_days(&world, "2026-01-01", typed_on).await;
        let mut booked = Vec::new();
        for n in &order {
            let (day, rupiah, _) = paid[*n];
            let payment = NewPayment { paid_at: at(day, 12), ..transfer(2, "bca", &format!("TRX-{n}"), rupiah) };
            booked.push((*n, world.engine().pay(&payment, at(typed_on, 15)).await.unwrap().payment_id));
        }
        for (n, id) in booked {
            if paid[n].2 {
                world.engine().reverse(id, "kasir", "giro kosong", at(typed_on, 16)).await.unwrap();
            }
        }
        run_days(&world, &date(typed_on).plus_days(1).to_string(), "2026-02-25").await;
        ends.push((order, end_state(&world)));
    }
    for (order, end) in &ends {
        assert_eq!(*end, ends[0].1, "typed in the order {order:?}, not {:?}", ends[0].0);
    }
    ends[0].1
}

fn orders(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![Vec::new()];
    }
    let shorter = orders(n - 1).into_iter();
    shorter.flat_map(|order| (0..n).map(move |at| [&order[..at], &[n - 1], &order[at..]].concat())).collect()
}

#[tokio::test]
async fn the_order_in_which_payments_are_typed_decides_no_fee_p7() {
    let fixed = LateFeeAmount::Fixed(rp(10_000));
    let share = LateFeeAmount::Percent { percent: 2, minimum: Money::ZERO };
    for amount in [fixed, share] {
        // Late and too much, and one in time: January has no fee, and February was paid ahead.
        let paid = [("2026-01-20", 176_500, false), ("2026-01-10", 166_500, false)];
        assert_eq!(in_each_order(amount, "2026-01-21", &paid).await, (Money::ZERO, rp(10_000), Money::ZERO));
        // Typed before the run that comes to the day of the fee.
        assert_eq!(
            in_each_order(amount, "2026-01-17", &[("2026-01-10", 166_500, false)]).await.2,
            fee_of(amount, 166_500)
        );
        // Three of which one comes back: Rp100.000 of January were late, and of February what is not left of the others.
        let paid = [("2026-01-20", 176_500, false), ("2026-01-10", 166_500, true), ("2026-01-05", 66_500, false)];
        let both = if amount == fixed { rp(20_000) } else { rp(2_000 + 1_840) };
        assert_eq!(in_each_order(amount, "2026-01-21", &paid).await.2, both);
        // All were in time, one of them bounced, and the others cover it.
        let paid = [("2026-01-12", 100_000, false), ("2026-01-10", 166_500, true), ("2026-01-05", 66_500, false)];
        assert_eq!(in_each_order(amount, "2026-02-01", &paid).await.2, fee_of(amount, 166_500));
    }
}

fn fee_of(amount: LateFeeAmount, unpaid: i64) -> Money {
    match amount {
        LateFeeAmount::Fixed(fee) => fee,
        LateFeeAmount::Percent { percent, .. } => rp(unpaid).ratio(i64::from(percent), 100),
    }
}

#[tokio::test]
async fn a_run_that_comes_late_to_the_day_of_a_fee_decides_by_when_it_was_paid_p7() {
    for order in [[0, 1], [1, 0]] {
        let mut world = one().await;
        let amount = LateFeeAmount::Fixed(rp(10_000));
        world.policy.late_fee = Some(LateFeePolicy { after_days: 7, amount, with_ppn: false });
        run_days(&world, "2026-01-01", "2026-01-16").await;
        // No run on the 17th to the 20th.
        let paid = [("2026-01-19", 166_500), ("2026-01-10", 100_000)];
        for n in order {
            let payment =
                NewPayment { paid_at: at(paid[n].0, 12), ..transfer(2, "bca", &format!("TRX-{n}"), paid[n].1) };
            world.engine().pay(&payment, at("2026-01-20", 15)).await.unwrap();
        }
        let rest = NewPayment { paid_at: at("2026-01-11", 12), ..transfer(2, "bca", "TRX-9", 66_500) };
        world.engine().pay(&rest, at("2026-01-20", 16)).await.unwrap();
        run_days(&world, "2026-01-21", "2026-01-25").await;
        assert_eq!(end_state(&world), (Money::ZERO, rp(166_500), Money::ZERO), "{order:?}");
    }
}

#[tokio::test]
async fn a_fee_that_a_payment_spared_is_charged_when_it_comes_back_p4_p7() {
    let mut world = one().await;
    let amount = LateFeeAmount::Fixed(rp(10_000));
    world.policy.late_fee = Some(LateFeePolicy { after_days: 7, amount, with_ppn: true });
    run_days(&world, "2026-01-01", "2026-01-05").await;
    let paid = NewPayment { paid_at: at("2026-01-05", 12), ..transfer(2, "bca", "TRX-1", 166_500) };
    let booked = world.engine().pay(&paid, at("2026-01-05", 15)).await.unwrap();
    run_days(&world, "2026-01-06", "2026-01-19").await;
    assert_eq!(end_state(&world), (Money::ZERO, Money::ZERO, Money::ZERO));
    // The 18th passed by; the payment bounces on the 19th.
    let back = world.engine().reverse(booked.payment_id, "kasir", "giro kosong", at("2026-01-19", 15)).await.unwrap();
    assert_eq!(back.fees_again, rp(11_100));
    let fee =
        world.store.snapshot(TENANT).invoices.into_iter().find(|(i, _)| i.kind == InvoiceKind::LateFee).unwrap().0;
    assert_eq!((fee.issue_date, fee.due_date, fee.ppn), (date("2026-01-19"), date("2026-01-29"), rp(1_100)));
    run_days(&world, "2026-01-20", "2026-01-25").await;
    assert_eq!(end_state(&world), (rp(177_600), Money::ZERO, rp(11_100)), "once");
    // The right payment was made on the 18th, which is late; one of the 17th is in time.
    for (n, day, fee) in [(2, "2026-01-18", 11_100), (3, "2026-01-17", 0)] {
        let right = NewPayment { paid_at: at(day, 12), ..transfer(2, "bca", &format!("TRX-{n}"), 166_500) };
        world.engine().pay(&right, at("2026-01-25", 15)).await.unwrap();
        assert_eq!(end_state(&world).2, rp(fee), "{day}");
    }
}

#[tokio::test]
async fn a_payment_that_comes_back_before_the_day_of_the_fee_leaves_it_to_the_run_p4() {
    for missed in [false, true] {
        let mut world = one().await;
        let amount = LateFeeAmount::Fixed(rp(10_000));
        world.policy.late_fee = Some(LateFeePolicy { after_days: 7, amount, with_ppn: false });
        run_days(&world, "2026-01-01", "2026-01-05").await;
        let paid = NewPayment { paid_at: at("2026-01-05", 12), ..transfer(2, "bca", "TRX-1", 166_500) };
        let booked = world.engine().pay(&paid, at("2026-01-05", 15)).await.unwrap();
        let last = if missed { "2026-01-10" } else { "2026-01-16" };
        run_days(&world, "2026-01-06", last).await;
        // With the days missed, the reversal is recorded after the day of the fee, and the run comes later.
        let on = if missed { "2026-01-20" } else { "2026-01-16" };
        let back = world.engine().reverse(booked.payment_id, "kasir", "giro kosong", at(on, 15)).await.unwrap();
        assert_eq!(back.fees_again, Money::ZERO);
        run_days(&world, &date(on).plus_days(1).to_string(), "2026-01-25").await;
        assert_eq!(end_state(&world), (rp(176_500), Money::ZERO, rp(10_000)));
    }
}

#[tokio::test]
async fn a_fee_of_before_the_policy_is_not_charged_by_a_payment_or_its_return() {
    let mut world = one().await;
    run_days(&world, "2026-01-01", "2026-01-25").await;
    let amount = LateFeeAmount::Percent { percent: 2, minimum: Money::ZERO };
    world.policy.late_fee = Some(LateFeePolicy { after_days: 7, amount, with_ppn: false });
    let part = NewPayment { paid_at: at("2026-01-10", 12), ..transfer(2, "bca", "TRX-1", 66_500) };
    let booked = world.engine().pay(&part, at("2026-01-25", 15)).await.unwrap();
    world.engine().reverse(booked.payment_id, "kasir", "salah", at("2026-01-25", 16)).await.unwrap();
    run_days(&world, "2026-01-26", "2026-01-31").await;
    assert_eq!(end_state(&world).2, Money::ZERO);
}
