//! What is given back, charged late and given up, as dated stories that a bookkeeper can follow. Each names its rule.

use crate::support::{
    TENANT, at, books, code, customer_id, date, domain, lines, one, package_id, rp, run_days, site_id, subscription_id,
};
use isp_core::billing::{Invoice, InvoiceKind, LateFeeAmount, LateFeePolicy, LineKind, WhileIsolated};
use isp_core::calendar::{BillingDay, Cycle, Zone};
use isp_core::engine::{Approval, NewPayment};
use isp_core::ids::{DepositId, OutageId, PromiseId};
use isp_core::isolation::{Access, AccessEventKind};
use isp_core::ledger::{Account, entry_for_payment};
use isp_core::payment::{Channel, Deposit};
use isp_core::ports::{ChangeSet, MoneyStore, Store, StoreError};
use isp_core::protection::{Outage, OutageCredit, OutagePolicy, Promise};
use isp_core::report::GroupBy;
use isp_core::testing::{Moment, sample};
use isp_core::{Error, Money};
use uuid::Uuid;

#[tokio::test]
async fn isolated_days_of_an_adjustment_come_back_while_a_mark_lies_ahead_b7() {
    let mut world = one().await;
    world.policy.billing.while_isolated = WhileIsolated::Prorate;
    run_days(&world, "2026-01-01", "2026-01-20").await;
    assert_eq!(world.routers.access("r0", "user2"), Some(Access::Isolated));
    let line = subscription_id(2);
    // 1 to 19 February are a short period after this; from the 29th the package costs more for three days of January.
    world.engine().change_billing_day(line, BillingDay::try_new(20).unwrap(), at("2026-01-21", 8)).await.unwrap();
    world.engine().change_package_at_once(line, package_id(2), "Sari", at("2026-01-29", 8)).await.unwrap();
    run_days(&world, "2026-01-29", "2026-02-25").await;
    let snapshot = world.store.snapshot(TENANT);
    let left = |i: &Invoice| -> Money {
        i.total - snapshot.credit_notes.iter().filter(|n| n.invoice_id == i.id).map(|n| n.total).sum()
    };
    let of = |wanted: &dyn Fn(&Invoice) -> bool| -> Vec<Money> {
        snapshot.invoices.iter().map(|(i, _)| i).filter(|i| wanted(i)).map(left).collect()
    };
    assert_eq!(of(&|i| i.kind == InvoiceKind::Adjustment), [Money::ZERO]);
    assert_eq!(of(&|i| i.period.start == date("2026-02-01")), [Money::ZERO], "isolated all the while");
}

#[tokio::test]
async fn isolated_days_come_back_whenever_the_run_dies_b7() {
    // Isolated from 16 January; on the 26th the billing day changes, so that the line is looked at once, by the next run.
    let isolated = async || {
        let mut world = one().await;
        world.policy.billing.while_isolated = WhileIsolated::Prorate;
        run_days(&world, "2026-01-01", "2026-01-25").await;
        let day = BillingDay::try_new(20).unwrap();
        world.engine().change_billing_day(subscription_id(2), day, at("2026-01-26", 8)).await.unwrap();
        world
    };
    let world = isolated().await;
    world.engine().bill(at("2026-01-26", 9)).await.unwrap();
    let expected: Vec<_> = world.store.snapshot(TENANT).credit_notes.iter().map(|n| (n.period, n.total)).collect();
    assert!(expected.iter().any(|(period, _)| period.days() == 9), "17 to 25 January: {expected:?}");
    for call in 1..60 {
        for moment in [Moment::Before, Moment::After] {
            let world = isolated().await;
            world.store.fuse().blow_at(call, moment);
            let first = world.engine().bill(at("2026-01-26", 9)).await;
            world.store.restart();
            world.engine().bill(at("2026-01-26", 9)).await.unwrap();
            let snapshot = world.store.snapshot(TENANT);
            let notes: Vec<_> = snapshot.credit_notes.iter().map(|n| (n.period, n.total)).collect();
            assert_eq!(notes, expected, "call {call} {moment:?}");
            books::check(&snapshot);
            if first.is_ok() && moment == Moment::After {
                assert!(call > 5, "the run is never cut");
                return;
            }
        }
    }
    panic!("the run makes more calls than are cut here");
}

#[tokio::test]
async fn isolated_days_are_billed_left_out_or_given_back_b7() {
    for (policy, invoices, notes) in
        [(WhileIsolated::Bill, 3, vec![]), (WhileIsolated::Skip, 1, vec![]), (WhileIsolated::Prorate, 3, vec![15, 28])]
    {
        let mut world = one().await;
        world.policy.billing.while_isolated = policy;
        // Due on 11 January, isolated on Friday the 16th at ten, never paid.
        run_days(&world, "2026-01-01", "2026-03-02").await;
        let snapshot = world.store.snapshot(TENANT);
        let isolated = snapshot.access_events.iter().find(|e| e.kind == AccessEventKind::IsolatedArrears).unwrap();
        assert_eq!(Zone::Wib.date_of(isolated.at), date("2026-01-16"));
        assert_eq!(snapshot.invoices.len(), invoices, "{policy:?}");
        let mut days: Vec<_> = snapshot.credit_notes.iter().map(|n| n.period.days()).collect();
        days.sort_unstable();
        assert_eq!(days, notes, "{policy:?}: 17 to 31 January, and February");
        if policy == WhileIsolated::Prorate {
            let first = snapshot.credit_notes.iter().min_by_key(|n| n.number).unwrap();
            // 15 of 31 days of Rp150.000 and of its PPN, counted from the 17th day on.
            assert_eq!(lines(&first.lines), [(LineKind::Subscription, 72_581), (LineKind::Ppn, 7_984)]);
        }
    }
}

#[tokio::test]
async fn a_late_fee_is_shown_charged_once_and_dated_by_its_day_b10() {
    let fee = LateFeePolicy {
        after_days: 7,
        amount: LateFeeAmount::Percent { percent: 2, minimum: rp(3_000) },
        with_ppn: false,
    };
    let mut worlds = Vec::new();
    for missed in [false, true] {
        let mut world = one().await;
        world.policy.late_fee = Some(fee);
        run_days(&world, "2026-01-01", "2026-01-15").await;
        let shown = world.engine().late_fees(at("2026-01-15", 12)).await.unwrap();
        assert_eq!(shown.iter().map(|f| (f.on, f.amount)).collect::<Vec<_>>(), [(date("2026-01-18"), rp(3_330))]);
        if !missed {
            run_days(&world, "2026-01-16", "2026-01-24").await;
        }
        // Paid late, but after the day of the fee: it is owed, however late the run.
        world.pay(2, "T-1", 166_500, at("2026-01-24", 12)).await.unwrap();
        run_days(&world, "2026-01-25", "2026-01-31").await;
        worlds.push(world);
    }
    for world in &worlds {
        let snapshot = world.store.snapshot(TENANT);
        let fees: Vec<_> = snapshot.invoices.iter().filter(|(i, _)| i.kind == InvoiceKind::LateFee).collect();
        assert_eq!(fees.len(), 1);
        assert_eq!((fees[0].0.total, fees[0].0.ppn), (rp(3_330), Money::ZERO));
        assert_eq!((fees[0].0.issue_date, fees[0].0.due_date), (date("2026-01-18"), date("2026-01-28")));
        books::check(&snapshot);
        assert!(world.engine().late_fees(at("2026-02-01", 12)).await.unwrap().is_empty());
    }
    // Paid in time: none.
    let mut world = one().await;
    world.policy.late_fee = Some(fee);
    run_days(&world, "2026-01-01", "2026-01-17").await;
    world.pay(2, "T-1", 166_500, at("2026-01-17", 23)).await.unwrap();
    run_days(&world, "2026-01-18", "2026-01-31").await;
    assert_eq!(world.store.snapshot(TENANT).invoices.len(), 1);
}

#[tokio::test]
async fn an_outage_gives_days_back_once_to_everybody_of_the_site() {
    let mut world = one().await;
    world.add(4, date("2026-01-10"), 1, Cycle::Monthly, at("2026-01-01", 7)).await;
    // Another site, which has light.
    world.add(3, date("2026-01-01"), 1, Cycle::Monthly, at("2026-01-01", 7)).await;
    run_days(&world, "2026-01-01", "2026-02-01").await;
    let (id, note) = (OutageId(Uuid::from_u128(7)), "kabel putus".to_owned());
    // Two nights round the end of January: 30 January 20:00 to 2 February 02:00, 54 hours.
    let outage = Outage {
        id,
        site_id: site_id(0),
        from: at("2026-01-30", 20),
        until: Some(at("2026-02-02", 2)),
        note,
        ending: None,
    };
    world.engine().outage(outage.clone()).await.unwrap();
    let now = at("2026-02-02", 9);
    let engine = world.engine();
    let shown = engine.credit_outage(&outage, Zone::Wib, false, "Sari", now).await.unwrap();
    assert!(world.store.snapshot(TENANT).credit_notes.is_empty(), "a look writes nothing");
    let given = engine.credit_outage(&outage, Zone::Wib, true, "Sari", now).await.unwrap();
    assert_eq!(shown, given);
    // Two whole days: 30 and 31 January. Customer 2: 2 of 31 days; customer 4: 2 of the 22 that were billed.
    let mut totals: Vec<_> = given.iter().map(|n| (n.customer_id, n.total.as_i64())).collect();
    totals.sort();
    assert_eq!(totals, [(customer_id(2), 9_677 + 1_065), (customer_id(4), 9_677 + 1_065)]);
    assert!(engine.credit_outage(&outage, Zone::Wib, true, "Sari", now).await.unwrap().is_empty());
    assert_eq!(books::check(&world.store.snapshot(TENANT)).given_back, rp(10_742 + 10_742));
    // Outages that overlap: what is foretold of both is what both give, each day once.
    let overlapping = [(9, 12, 20), (10, 18, 25)].map(|(id, from, until)| Outage {
        id: OutageId(Uuid::from_u128(id)),
        from: at(&format!("2026-01-{from}"), 0),
        until: Some(at(&format!("2026-01-{until}"), 0)),
        ..outage.clone()
    });
    let foretold = engine.credit_outages(&overlapping, Zone::Wib, false, "Sari", now).await.unwrap();
    let given = engine.credit_outages(&overlapping, Zone::Wib, true, "Sari", now).await.unwrap();
    assert_eq!(foretold, given);
    let sum: i64 = given.iter().filter(|n| n.customer_id == customer_id(2)).map(|n| n.total.as_i64()).sum();
    // 13 of January's 31 days of Rp166.500, the 12th to the 24th, each rounded line by line.
    assert!((69_820..=69_824).contains(&sum), "{sum}");
    // By the hour, the days on both sides of the month's end count: two notes each.
    world.policy.outage = OutagePolicy { min_hours: 48, by: OutageCredit::Hour };
    let (id, note) = (OutageId(Uuid::from_u128(8)), "listrik".to_owned());
    let hours = Outage { id, from: at("2026-01-27", 18), until: Some(at("2026-01-29", 18)), note, ..outage };
    let given = world.engine().credit_outage(&hours, Zone::Wib, false, "Sari", now).await.unwrap();
    // 48 of the 72 hours of 27 to 29 January: two days' worth of three.
    assert_eq!(given.iter().map(|n| n.total.as_i64()).max(), Some((14_516 * 2 + 1) / 3 + (1_597 * 2 + 1) / 3));
    world.policy.outage.min_hours = 49;
    assert!(world.engine().credit_outage(&hours, Zone::Wib, false, "Sari", now).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_correction_is_made_once_and_never_beyond_the_invoice() {
    let world = one().await;
    run_days(&world, "2026-01-01", "2026-01-02").await;
    let (engine, now) = (world.engine(), at("2026-01-03", 9));
    let invoice = world.store.snapshot(TENANT).invoices[0].0.id;
    let give = |amount| engine.correct(customer_id(2), invoice, rp(amount), "Sari", "salah tagih", now);
    let note = give(66_500).await.unwrap();
    assert_eq!(give(66_500).await.unwrap(), note, "asked twice, made once");
    // Rp66.500 of Rp166.500: 66.500/166.500 of Rp150.000 and of Rp16.500.
    assert_eq!(lines(&note.lines), [(LineKind::Subscription, 59_910), (LineKind::Ppn, 6_590)]);
    assert_eq!(domain(give(100_001).await.unwrap_err()), Error::MoreThanLeft { left: rp(100_000) });
    give(100_000).await.unwrap();
    let books = books::check(&world.store.snapshot(TENANT));
    assert_eq!((books.owed, books.given_back), (Money::ZERO, rp(166_500)));
    let payment = note.payment_id();
    assert_eq!(domain(engine.reverse(payment, "Sari", "salah", now).await.unwrap_err()), Error::NotReversible);
}

#[tokio::test]
async fn a_write_off_settles_reopens_and_can_be_taken_back_p4() {
    let world = one().await;
    run_days(&world, "2026-01-01", "2026-01-19").await;
    assert_eq!(world.routers.access("r0", "user2"), Some(Access::Isolated));
    world.pay(2, "T-1", 66_500, at("2026-01-19", 12)).await.unwrap();
    let (engine, now) = (world.engine(), at("2026-01-20", 9));
    let invoice = world.store.snapshot(TENANT).invoices[0].0.id;
    let no_reason = engine.write_off(customer_id(2), invoice, "Sari", " ", now).await.unwrap_err();
    assert_eq!(domain(no_reason), Error::Empty { field: "reason" });
    let given_up = engine.write_off(customer_id(2), invoice, "Sari", "pindah tanpa kabar", now).await.unwrap();
    assert_eq!(given_up.amount, rp(100_000));
    let books = books::check(&world.store.snapshot(TENANT));
    assert_eq!((books.owed, books.written_off), (Money::ZERO, rp(100_000)));
    world.deliver(at("2026-01-20", 10)).await;
    assert_eq!(world.routers.access("r0", "user2"), Some(Access::Open), "nothing is owed, nothing is isolated");
    let again = engine.write_off(customer_id(2), invoice, "Sari", "lagi", now).await.unwrap_err();
    assert_eq!(again, StoreError::NotFound { what: "open invoice" }.into());
    // The customer comes back: it is open again, and may be given up a second time.
    engine.reverse(given_up.payment_id, "Sari", "datang membayar", at("2026-01-21", 9)).await.unwrap();
    assert_eq!(books::check(&world.store.snapshot(TENANT)).owed, rp(100_000));
    let twice = engine.write_off(customer_id(2), invoice, "Sari", "tidak jadi", at("2026-01-22", 9)).await.unwrap();
    assert_ne!(twice.payment_id, given_up.payment_id);
    assert_eq!(engine.last_write_off(customer_id(2), invoice).await.unwrap(), Some(twice));
    let finance = engine
        .report_finance(date("2026-01-01").month(), date("2026-01-01").month(), GroupBy::Site, at("2026-01-31", 9))
        .await
        .unwrap();
    let row = finance.months.iter().find(|r| r.group.as_deref() == Some("S0")).unwrap();
    assert_eq!((row.billed, row.collected, row.written_off), (rp(166_500), rp(66_500), rp(100_000)));
    assert_eq!(row.outstanding, Money::ZERO);
}

/// Money that came while the debt was given up is credit; when the debt comes back, credit pays it and nobody is isolated for it.
#[tokio::test]
async fn credit_pays_a_debt_that_comes_back_p4() {
    let world = one().await;
    run_days(&world, "2026-01-01", "2026-01-11").await;
    let (engine, now) = (world.engine(), at("2026-01-12", 9));
    let invoice = world.store.snapshot(TENANT).invoices[0].0.id;
    let given_up = engine.write_off(customer_id(2), invoice, "Sari", "pindah", now).await.unwrap();
    world.pay(2, "T-1", 300_000, at("2026-01-13", 9)).await.unwrap();
    let later = at("2026-01-26", 12);
    engine.reverse(given_up.payment_id, "Sari", "datang membayar", later).await.unwrap();
    let books = books::check(&world.store.snapshot(TENANT));
    assert_eq!((books.owed, books.credit), (Money::ZERO, rp(133_500)));
    let foreseen = engine.foretell(later).await.unwrap();
    let done = engine.enforce(later, &Approval::All).await.unwrap();
    assert_eq!((foreseen.events.len(), done.isolated.len()), (0, 0));
    let done = engine.enforce_customer(customer_id(2), later).await.unwrap();
    assert!(done.isolated.is_empty());
}

/// Whatever left credit beside a debt: who is to be isolated spends it first, in a run, by hand, and in what is foreseen.
#[tokio::test]
async fn nobody_is_isolated_beside_credit_that_pays() {
    for by_hand in [false, true] {
        let world = one().await;
        run_days(&world, "2026-01-01", "2026-01-11").await;
        let (engine, now) = (world.engine(), at("2026-01-26", 12));
        assert_eq!(engine.foresee_access(now).await.unwrap().events.len(), 1, "without credit he is isolated");
        // As an older version left it: money that paid nothing.
        let payment = sample::payment(TENANT, 77, customer_id(2), 200_000, at("2026-01-12", 9));
        let journal = vec![entry_for_payment(&payment, &[], &[], date("2026-01-12"))];
        let changes = ChangeSet { payments: vec![payment], journal, ..ChangeSet::default() };
        world.store.commit(TENANT, changes).await.unwrap();
        assert_eq!(books::check(&world.store.snapshot(TENANT)).owed, rp(166_500));
        let foreseen = engine.foresee_access(now).await.unwrap();
        assert!(foreseen.events.is_empty(), "{foreseen:?}");
        let done = match by_hand {
            true => engine.enforce_customer(customer_id(2), now).await.unwrap(),
            false => engine.enforce(now, &Approval::All).await.unwrap(),
        };
        assert!(done.isolated.is_empty(), "{done:?}");
        assert_eq!(books::check(&world.store.snapshot(TENANT)).owed, Money::ZERO);
    }
}

#[tokio::test]
async fn cash_is_in_a_collectors_hands_until_a_deposit() {
    let world = one().await;
    run_days(&world, "2026-01-01", "2026-01-02").await;
    let (engine, now) = (world.engine(), at("2026-01-03", 9));
    let payment = NewPayment {
        customer_id: customer_id(2),
        provider: code("cash"),
        reference: code("KW-1").into(),
        amount: rp(200_000),
        paid_at: now,
        collector: Some(code("ANTON")),
    };
    let report = engine.pay(&payment, now).await.unwrap();
    assert_eq!(report.credit, rp(33_500));
    let deposit = |n: u128, amount, to| Deposit {
        id: DepositId(Uuid::from_u128(n)),
        collector: code("ANTON"),
        amount: rp(amount),
        to,
        on: date("2026-01-04"),
        by: "Sari".into(),
        note: String::new(),
    };
    let too_much = engine.deposit(deposit(1, 200_001, Channel::Bank)).await.unwrap_err();
    assert_eq!(domain(too_much), Error::CollectorHoldsLess { holds: rp(200_000), on: date("2026-01-04") });
    let to_gateway = engine.deposit(deposit(1, 1, Channel::Gateway)).await.unwrap_err();
    assert_eq!(domain(to_gateway).code(), "value.not_one_of");
    engine.deposit(deposit(1, 150_000, Channel::Bank)).await.unwrap();
    books::check(&world.store.snapshot(TENANT));
    let held = world.store.collectors(TENANT).await.unwrap();
    assert_eq!((held.len(), held[0].holds()), (1, rp(50_000)));
    let january = date("2026-01-01").month();
    let cash = engine.report_cash(january, january).await.unwrap();
    let closing: Vec<_> =
        cash.iter().map(|r| (r.account, r.received.as_i64(), r.moved.as_i64(), r.closing.as_i64())).collect();
    let expected = [(Account::Bank, 0, 150_000, 150_000), (Account::Collector, 200_000, -150_000, 50_000)];
    assert_eq!(closing, expected);
    for (provider, kept) in [("credit-note", "credit notes"), ("write-off", "write-offs")] {
        let payment = NewPayment { provider: code(provider), collector: None, ..payment.clone() };
        let error = domain(engine.pay(&payment, now).await.unwrap_err());
        assert_eq!(error, Error::ReservedProvider { what: kept });
    }
}

#[tokio::test]
async fn two_channels_that_pay_one_invoice_leave_a_credit_p2() {
    let world = one().await;
    run_days(&world, "2026-01-01", "2026-01-02").await;
    world.pay(2, "VA-1", 166_500, at("2026-01-03", 9)).await.unwrap();
    let second = world.pay(2, "QRIS-1", 166_500, at("2026-01-03", 9)).await.unwrap();
    assert!(!second.known && second.paid.is_empty());
    assert_eq!(second.credit, rp(166_500));
    run_days(&world, "2026-01-04", "2026-02-01").await;
    let books = books::check(&world.store.snapshot(TENANT));
    assert_eq!((books.owed, books.credit), (Money::ZERO, Money::ZERO), "February is paid by it");
}

#[tokio::test]
async fn a_late_payment_on_an_expired_virtual_account_still_counts_p1() {
    let world = one().await;
    run_days(&world, "2026-01-01", "2026-01-20").await;
    assert_eq!(world.routers.access("r0", "user2"), Some(Access::Isolated));
    // The account expired with the due date; the gateway tells us a week late, and tells it three times.
    let payment = NewPayment {
        customer_id: customer_id(2),
        provider: code("midtrans"),
        reference: code("VA-8808-0001").into(),
        amount: rp(166_500),
        paid_at: at("2026-01-12", 8),
        collector: None,
    };
    for time in 0..3 {
        let report = world.engine().pay(&payment, at("2026-01-20", 15)).await.unwrap();
        assert_eq!((report.known, report.reopened.len()), (time > 0, usize::from(time == 0)));
    }
    world.deliver(at("2026-01-20", 16)).await;
    assert_eq!(world.routers.access("r0", "user2"), Some(Access::Open));
    let books = books::check(&world.store.snapshot(TENANT));
    assert_eq!((books.received, books.owed), (rp(166_500), Money::ZERO));
}

#[tokio::test]
async fn a_promise_is_given_once_in_a_period_and_not_for_ever_i2() {
    let world = one().await;
    let promise = |n: u128, made: &str, until: &str| Promise {
        id: PromiseId(Uuid::from_u128(n)),
        customer_id: customer_id(2),
        made_on: date(made),
        until: date(until),
        by: "kasir".into(),
        ending: None,
    };
    let engine = world.engine();
    let long = engine.promise(promise(1, "2026-01-16", "2026-01-31")).await.unwrap_err();
    assert_eq!(domain(long), Error::PromiseTooLong { max_days: 14 });
    engine.promise(promise(1, "2026-01-16", "2026-01-30")).await.unwrap();
    let second = engine.promise(promise(2, "2026-01-31", "2026-02-03")).await.unwrap_err();
    assert_eq!(domain(second), Error::TooManyPromises { limit: 1 });
    engine.promise(promise(2, "2026-02-01", "2026-02-03")).await.unwrap();
}
