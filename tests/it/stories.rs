//! Dated stories: what an owner would tell, day by day. Each names the rules it is about.

use crate::support::{TENANT, World, customer_id, date, package_id, site_id, subscription_id};
use isp_core::calendar::{BillingDay, Cycle, Date, Zone};
use isp_core::engine::{Approval, EngineError, Settlement};
use isp_core::holiday::PublicHolidays;
use isp_core::ids::{ExemptionId, OutageId, PromiseId};
use isp_core::isolation::{Access, AccessEventKind};
use isp_core::package::{Package, PriceList, PriceVersion};
use isp_core::ports::{
    BillingStore, ChangeSet, DirectoryStore, OutboxQuery, OutboxState, OutboxStore, PageQuery, Store, StoreError,
};
use isp_core::protection::{Exemption, Outage, Promise};
use isp_core::subscription::BillingTerms;
use isp_core::text::Language;
use isp_core::{Error, Money};
use uuid::Uuid;

const NINE: (u32, u32) = (9, 0);
const ELEVEN: (u32, u32) = (11, 0);

/// Lives from one day to another with a run at each of these local times, and writes down what happened.
async fn live(world: &World, from: &str, to: &str, times: &[(u32, u32)]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut day = date(from);
    while day <= date(to) {
        for (hour, minute) in times {
            let before = world.messenger.accepted().len();
            let (billed, enforced, _) = world.run(day.at(*hour, *minute, Zone::Wib)).await.unwrap();
            let stamp = format!("{day} {hour:02}:{minute:02}");
            if billed.invoices > 0 {
                lines.push(format!("{stamp} billed {} = {}", billed.invoices, billed.amount));
            }
            if billed.credited > 0 {
                lines.push(format!("{stamp} credit paid for {}", billed.credited));
            }
            for (what, subs) in
                [("isolated", &enforced.isolated), ("reopened", &enforced.reopened), ("closed", &enforced.closed)]
            {
                if !subs.is_empty() {
                    lines.push(format!("{stamp} {what} {}", subs.len()));
                }
            }
            for message in &world.messenger.accepted()[before..] {
                lines.push(format!("{stamp} message {}", serde_json::to_string(&message.content).unwrap()));
            }
        }
        day = day.plus_days(1);
    }
    lines
}

async fn one_customer(start: &str, day: u8, cycle: Cycle) -> World {
    let world = World::new().await;
    world.add(2, date(start), day, cycle, date(start).at(7, 0, Zone::Wib)).await;
    world
}

#[tokio::test]
async fn an_unpaid_month_is_reminded_isolated_paid_and_reopened() {
    let world = one_customer("2026-01-31", 31, Cycle::Monthly).await;
    let mut lines = live(&world, "2026-01-31", "2026-02-17", &[NINE, ELEVEN]).await;
    assert_eq!(world.routers.access("r0", "user2"), Some(Access::Isolated));
    let report = world.pay(2, "T-1", 166_500, date("2026-02-17").at(22, 30, Zone::Wib)).await.unwrap();
    lines.push(format!("2026-02-17 22:30 paid, reopened {}", report.reopened.len()));
    world.deliver(date("2026-02-17").at(22, 31, Zone::Wib)).await;
    assert_eq!(world.routers.access("r0", "user2"), Some(Access::Open));
    lines.extend(live(&world, "2026-02-18", "2026-04-01", &[NINE]).await);
    insta::assert_snapshot!(lines.join("\n"));
}

#[tokio::test]
async fn a_quarter_is_billed_once_and_keeps_its_anchor_c2() {
    let world = one_customer("2026-01-31", 31, Cycle::Quarterly).await;
    let lines = live(&world, "2026-01-31", "2026-02-02", &[NINE]).await;
    insta::assert_snapshot!(lines.join("\n"));
    for day in ["2026-04-29", "2026-04-30", "2026-07-31", "2026-10-31", "2027-01-31"] {
        world.engine().bill(date(day).at(9, 0, Zone::Wib)).await.unwrap();
    }
    let starts: Vec<String> =
        world.store.snapshot(TENANT).invoices.iter().map(|(i, _)| i.period.start.to_string()).collect();
    assert_eq!(starts, ["2026-01-31", "2026-04-30", "2026-07-31", "2026-10-31", "2027-01-31"]);
}

#[tokio::test]
async fn missed_runs_give_the_same_invoices_b4() {
    let (daily, late) =
        (one_customer("2026-01-15", 1, Cycle::Monthly).await, one_customer("2026-01-15", 1, Cycle::Monthly).await);
    let mut day = date("2026-01-15");
    while day <= date("2026-06-20") {
        daily.engine().bill(day.at(9, 0, Zone::Wib)).await.unwrap();
        day = day.plus_days(1);
    }
    let report = late.engine().bill(date("2026-06-20").at(9, 0, Zone::Wib)).await.unwrap();
    assert_eq!(report.invoices, 6, "a short January and five months");
    let (daily, mut caught_up) = (daily.store.snapshot(TENANT).invoices, late.store.snapshot(TENANT).invoices);
    for ((invoice, _), (in_time, _)) in caught_up.iter_mut().zip(&daily) {
        assert_eq!(invoice.due_date, in_time.due_date.max(date("2026-06-20")), "nobody was late before (rule B2)");
        invoice.due_date = in_time.due_date;
    }
    assert_eq!(daily, caught_up);
    let again = late.engine().bill(date("2026-06-20").at(9, 1, Zone::Wib)).await.unwrap();
    assert_eq!((again.invoices, again.known), (0, 0), "B3");
}

#[tokio::test]
async fn more_than_the_catch_up_limit_is_reported_b4() {
    let world = one_customer("2024-01-01", 1, Cycle::Monthly).await;
    let report = world.engine().bill(date("2026-06-20").at(9, 0, Zone::Wib)).await.unwrap();
    assert_eq!(report.invoices, 12);
    assert_eq!(report.problems.len(), 1);
    assert_eq!(report.problems[0].error.code(), "billing.catch_up_limit");
}

#[tokio::test]
async fn a_bad_row_is_reported_and_the_rest_goes_on_b8() {
    let world = one_customer("2026-01-01", 1, Cycle::Monthly).await;
    let start = date("2026-01-01");
    let mut package = world.store.packages(TENANT).await.unwrap().remove(0);
    package.id = package_id(9);
    package.code = crate::support::code("P9");
    package.prices =
        PriceList::try_new(vec![PriceVersion { from: date("2026-02-01"), price: Money::rupiah(100_000) }]).unwrap();
    let save = |package: Package| ChangeSet { packages: vec![package], ..ChangeSet::default() };
    world.store.commit(TENANT, save(package.clone())).await.unwrap();
    let terms = BillingTerms::new(package_id(9), start, BillingDay::of(start), Cycle::Monthly);
    world.add_with(4, terms, start.at(7, 0, Zone::Wib)).await;
    for day in ["2026-01-01", "2026-01-02"] {
        let report = world.engine().bill(date(day).at(9, 0, Zone::Wib)).await.unwrap();
        assert_eq!(report.problems.len(), 1);
        assert_eq!(report.problems[0].subscription_id, subscription_id(4));
        assert_eq!(report.problems[0].error, Error::NoPrice { on: start });
    }
    assert_eq!(world.store.snapshot(TENANT).invoices.len(), 1);
    // Once it has a price, the missed period is billed with the date it would have had.
    package.prices = PriceList::single(Money::rupiah(100_000)).unwrap();
    world.store.commit(TENANT, save(package)).await.unwrap();
    world.engine().bill(date("2026-01-10").at(9, 0, Zone::Wib)).await.unwrap();
    let invoices = world.store.snapshot(TENANT).invoices;
    assert_eq!(invoices.iter().map(|(i, _)| i.issue_date).collect::<Vec<_>>(), [start, start]);
}

#[tokio::test]
async fn nobody_is_isolated_on_a_weekend_before_the_hour_or_while_protected_i1_i2() {
    // Issued 2026-01-01, due 2026-01-11, five days late on Friday 2026-01-16.
    let facts = |protect: &'static str| async move {
        let world = one_customer("2026-01-01", 1, Cycle::Monthly).await;
        let engine = world.engine();
        match protect {
            "promise" => {
                let (made_on, until) = (date("2026-01-12"), date("2026-01-20"));
                let id = PromiseId(Uuid::from_u128(1));
                let customer_id = customer_id(2);
                engine
                    .promise(Promise { id, customer_id, made_on, until, by: "kasir".into(), ending: None })
                    .await
                    .unwrap();
            }
            "exemption" => {
                let id = ExemptionId(Uuid::from_u128(1));
                let (from, until) = (date("2026-01-01"), date("2026-01-20"));
                let customer_id = customer_id(2);
                let (reason, by) = ("sekolah".into(), "manajer".into());
                let now = Exemption { id, customer_id, from, until, reason, by, ending: None };
                engine.exempt(now.clone()).await.unwrap();
                // One that is granted ahead and lasts longer does not hide the one that holds.
                let id = ExemptionId(Uuid::from_u128(2));
                let (from, until) = (date("2026-03-01"), date("2026-03-31"));
                engine.exempt(Exemption { id, from, until, ..now }).await.unwrap();
            }
            "outage" => {
                let id = OutageId(Uuid::from_u128(1));
                let from = date("2026-01-10").midnight(Zone::Wib);
                let until = Some(date("2026-01-21").midnight(Zone::Wib));
                engine
                    .outage(Outage { id, site_id: site_id(0), from, until, note: "kabel putus".into(), ending: None })
                    .await
                    .unwrap();
            }
            _ => {}
        }
        let mut isolated = Vec::new();
        let mut day = date("2026-01-01");
        while day <= date("2026-01-31") {
            for hour in [9, 11] {
                let (_, enforced, _) = world.run(day.at(hour, 0, Zone::Wib)).await.unwrap();
                if !enforced.isolated.is_empty() {
                    isolated.push(format!("{day} {hour}"));
                }
            }
            day = day.plus_days(1);
        }
        isolated
    };
    assert_eq!(facts("nothing").await, ["2026-01-16 11"]);
    assert_eq!(facts("promise").await, ["2026-01-21 11"], "the day after the promise ends");
    assert_eq!(facts("exemption").await, ["2026-01-21 11"]);
    assert_eq!(facts("outage").await, ["2026-01-21 11"]);
}

#[tokio::test]
async fn nobody_is_isolated_on_a_public_holiday_i1() {
    // Issued 2026-02-01, due on the 11th, five days late on Monday the 16th: joint leave, and then Imlek.
    for (public_holidays, day) in [
        (PublicHolidays::None, "2026-02-16"),
        (PublicHolidays::National, "2026-02-16"),
        (PublicHolidays::All, "2026-02-18"),
    ] {
        let mut world = one_customer("2026-02-01", 1, Cycle::Monthly).await;
        world.policy.isolation.public_holidays = public_holidays;
        let lines = live(&world, "2026-02-01", "2026-02-20", &[ELEVEN]).await;
        let isolated: Vec<&String> = lines.iter().filter(|l| l.contains(" isolated ")).collect();
        assert_eq!(isolated, [&format!("{day} 11:00 isolated 1")], "{public_holidays:?}");
    }
}

#[tokio::test]
async fn a_message_of_unknown_outcome_waits_for_a_person() {
    let world = one_customer("2026-01-02", 2, Cycle::Monthly).await;
    world.messenger.lose_reply_every(1);
    live(&world, "2026-01-02", "2026-01-10", &[NINE]).await;
    let unknown = OutboxQuery { topic: None, state: Some(OutboxState::Unknown), customer: None };
    let rows = world.store.outbox(TENANT, unknown, PageQuery::first(10)).await.unwrap();
    assert_eq!((rows.len(), world.messenger.accepted().len()), (1, 1), "it is not sent again by itself");
    world.messenger.lose_reply_every(0);
    let now = date("2026-01-10").at(12, 0, Zone::Wib);
    let engine = world.engine();
    let stranger = isp_core::ids::OutboxId(Uuid::from_u128(7));
    let settled = engine.settle_message(stranger, Settlement::Resend, "Sari", now).await;
    assert!(matches!(settled, Err(EngineError::NotToSettle(ids)) if ids.len() == 1));
    let nobody = engine.settle_message(rows[0].id, Settlement::Resend, " ", now).await;
    assert_eq!(nobody.unwrap_err().code(), "value.empty");
    engine.settle_message(rows[0].id, Settlement::Resend, "Sari", now).await.unwrap();
    world.deliver(now).await;
    assert_eq!(world.messenger.counts()[&rows[0].id], 2, "sent again because Sari said so");
    let again = engine.settle_message(rows[0].id, Settlement::Drop, "Sari", now).await;
    assert_eq!(again, Err(EngineError::NotToSettle(vec![rows[0].id])));
}

#[tokio::test]
async fn a_line_due_on_a_saturday_waits_for_monday_i1() {
    // Issued 2026-01-02, due 2026-01-12, five days late on Saturday 2026-01-17.
    let world = one_customer("2026-01-02", 2, Cycle::Monthly).await;
    let mut world_without = world.clone();
    world_without.policy.isolation.holidays.insert(date("2026-01-19"));
    let lines = live(&world_without, "2026-01-02", "2026-01-20", &[ELEVEN]).await;
    let isolated: Vec<&String> = lines.iter().filter(|l| l.contains(" isolated ")).collect();
    assert_eq!(isolated, ["2026-01-20 11:00 isolated 1"], "Monday the 19th is a holiday here");
}

#[tokio::test]
async fn a_payment_while_the_router_is_dead_reopens_when_it_is_back_p5() {
    let world = one_customer("2026-01-01", 1, Cycle::Monthly).await;
    live(&world, "2026-01-01", "2026-01-16", &[ELEVEN]).await;
    assert_eq!(world.routers.access("r0", "user2"), Some(Access::Isolated));
    world.routers.set_down("r0", true);
    let paid_at = date("2026-01-17").at(20, 0, Zone::Wib);
    assert_eq!(world.pay(2, "T-1", 166_500, paid_at).await.unwrap().reopened, [subscription_id(2)]);
    let report = world.deliver(paid_at).await;
    assert_eq!(report.routers_down.len(), 1);
    assert!(
        !world.messenger.accepted().iter().any(|m| m.content.kind().code() == "reopened"),
        "nobody is told that the line is open before the router said so"
    );
    live(&world, "2026-01-18", "2026-01-18", &[NINE]).await;
    assert_eq!(world.routers.access("r0", "user2"), Some(Access::Isolated));
    world.routers.set_down("r0", false);
    live(&world, "2026-01-19", "2026-01-19", &[NINE, (9, 30)]).await;
    assert_eq!(world.routers.access("r0", "user2"), Some(Access::Open));
    assert!(world.messenger.accepted().iter().any(|m| m.content.kind().code() == "reopened"));
}

#[tokio::test]
async fn a_manual_isolation_is_not_opened_by_a_payment_i3() {
    let world = one_customer("2026-01-01", 1, Cycle::Monthly).await;
    live(&world, "2026-01-01", "2026-01-05", &[NINE]).await;
    let now = date("2026-01-06").at(14, 0, Zone::Wib);
    assert_eq!(
        world.engine().isolate(customer_id(2), "Rina", "", now).await,
        Err(EngineError::Domain(isp_core::Error::Empty { field: "reason" }))
    );
    world.engine().isolate(customer_id(2), "Rina", "penyalahgunaan", now).await.unwrap();
    let report = world.pay(2, "T-1", 166_500, now).await.unwrap();
    assert!(report.reopened.is_empty());
    live(&world, "2026-01-07", "2026-01-09", &[NINE, ELEVEN]).await;
    assert_eq!(world.routers.access("r0", "user2"), Some(Access::Isolated));
    let why =
        world.engine().explain(customer_id(2), date("2026-01-08").at(9, 0, Zone::Wib), Language::Id).await.unwrap();
    assert!(why[0].1.sentence.contains("manual oleh Rina"), "{}", why[0].1.sentence);
    world
        .engine()
        .reopen(customer_id(2), "Rina", "sudah dijelaskan", date("2026-01-09").at(12, 0, Zone::Wib))
        .await
        .unwrap();
    world.deliver(date("2026-01-09").at(12, 0, Zone::Wib)).await;
    assert_eq!(world.routers.access("r0", "user2"), Some(Access::Open));
}

#[tokio::test]
async fn one_webhook_ten_times_is_one_payment_and_another_amount_is_refused_p1() {
    let world = one_customer("2026-01-01", 1, Cycle::Monthly).await;
    let now = date("2026-01-02").at(9, 0, Zone::Wib);
    world.run(now).await.unwrap();
    for n in 0..10 {
        let report = world.pay(2, "T-1", 200_000, now).await.unwrap();
        assert_eq!(report.known, n > 0);
        assert_eq!(report.credit.as_i64(), 33_500);
    }
    assert_eq!(world.pay(2, "T-1", 200_001, now).await, Err(EngineError::PaymentMismatch));
    world.deliver(now).await;
    let receipts = world.messenger.accepted().iter().filter(|m| m.content.kind().code() == "payment_received").count();
    assert_eq!(receipts, 1);
    // The rest pays the next invoice when it is issued (P2).
    let (billed, ..) = world.run(date("2026-02-01").at(9, 0, Zone::Wib)).await.unwrap();
    assert_eq!((billed.invoices, billed.credited), (1, 1));
    let open = world.store.open_invoices(TENANT, customer_id(2)).await.unwrap();
    assert_eq!(open[0].residual().as_i64(), 133_000);
}

#[tokio::test]
async fn a_reversed_payment_opens_what_it_paid_p4() {
    let world = one_customer("2026-01-01", 1, Cycle::Monthly).await;
    let now = date("2026-01-02").at(9, 0, Zone::Wib);
    world.run(now).await.unwrap();
    let paid = world.pay(2, "T-1", 166_500, now).await.unwrap();
    assert!(world.store.open_invoices(TENANT, customer_id(2)).await.unwrap().is_empty());
    world.engine().reverse(paid.payment_id, "Rina", "giro kosong", now).await.unwrap();
    assert_eq!(
        world.engine().reverse(paid.payment_id, "Rina", "giro kosong", now).await,
        Err(EngineError::Store(StoreError::Duplicate { what: "payment.reversal" }))
    );
    let lines = live(&world, "2026-01-03", "2026-01-16", &[ELEVEN]).await;
    assert_eq!(lines.last().map(|l| l.contains("isolated")), Some(true), "{lines:?}");
    assert!(world.store.snapshot(TENANT).journal_sum().is_zero());
}

#[tokio::test]
async fn a_reminder_whose_invoice_was_paid_meanwhile_is_dropped_n3() {
    let world = one_customer("2026-01-01", 1, Cycle::Monthly).await;
    live(&world, "2026-01-01", "2026-01-07", &[NINE]).await;
    world.engine().remind(date("2026-01-08").at(21, 0, Zone::Wib)).await.unwrap();
    world.deliver(date("2026-01-08").at(21, 0, Zone::Wib)).await;
    assert!(world.messenger.accepted().is_empty(), "N4: nothing leaves at 21:00");
    world.pay(2, "T-1", 166_500, date("2026-01-08").at(22, 0, Zone::Wib)).await.unwrap();
    world.deliver(date("2026-01-09").at(8, 0, Zone::Wib)).await;
    let kinds: Vec<&str> = world.messenger.accepted().iter().map(|m| m.content.kind().code()).collect();
    assert_eq!(kinds, ["payment_received"]);
    let query = OutboxQuery { state: Some(OutboxState::Dropped), ..OutboxQuery::default() };
    let dropped = world.store.outbox(TENANT, query, PageQuery::first(10)).await.unwrap();
    assert_eq!(dropped.iter().map(|r| r.note.as_str()).collect::<Vec<_>>(), ["paid"]);
}

#[tokio::test]
async fn a_run_that_would_isolate_too_many_stops_and_asks_i6() {
    let world = World::new().await;
    for n in 0..60 {
        world.add(n * 2, date("2026-01-01"), 1, Cycle::Monthly, date("2026-01-01").at(7, 0, Zone::Wib)).await;
    }
    world.engine().bill(date("2026-01-01").at(9, 0, Zone::Wib)).await.unwrap();
    let now = date("2026-01-16").at(11, 0, Zone::Wib);
    let report = world.engine().enforce(now, &Approval::None).await.unwrap();
    assert!(report.isolated.is_empty());
    assert_eq!((report.held[0].would_isolate, report.held[0].limit), (60, 20));
    let approved = Approval::Routers([crate::support::router_id(0)].into());
    assert_eq!(world.engine().enforce(now, &approved).await.unwrap().isolated.len(), 60);
}

#[tokio::test]
async fn a_package_change_takes_effect_with_the_next_period_b6() {
    let world = one_customer("2026-01-10", 10, Cycle::Monthly).await;
    live(&world, "2026-01-10", "2026-01-20", &[NINE]).await;
    let from =
        world.engine().change_package(subscription_id(2), package_id(2), date("2026-01-20").at(9, 0, Zone::Wib)).await;
    assert_eq!(from, Ok(date("2026-02-10")));
    world.pay(2, "T-1", 166_500, date("2026-01-20").at(9, 0, Zone::Wib)).await.unwrap();
    live(&world, "2026-01-21", "2026-02-09", &[NINE]).await;
    assert_eq!(world.routers.group("r0", "user2").as_deref(), Some("paket-1"));
    live(&world, "2026-02-10", "2026-02-10", &[NINE]).await;
    assert_eq!(world.routers.group("r0", "user2").as_deref(), Some("paket-2"));
    let totals: Vec<i64> = world.store.snapshot(TENANT).invoices.iter().map(|(i, _)| i.total.as_i64()).collect();
    assert_eq!(totals, [166_500, 222_000]);
}

#[tokio::test]
async fn a_package_change_and_an_isolation_of_one_day_are_one_run_b6_i1() {
    let world = one_customer("2026-01-10", 20, Cycle::Monthly).await;
    live(&world, "2026-01-10", "2026-01-19", &[NINE]).await;
    let from =
        world.engine().change_package(subscription_id(2), package_id(2), date("2026-01-19").at(9, 0, Zone::Wib)).await;
    assert_eq!(from, Ok(date("2026-01-20")));
    // Nobody ran from then on until the 27th: the change and the isolation come due in the same run.
    world.run(date("2026-01-27").at(11, 0, Zone::Wib)).await.unwrap();
    assert_eq!(world.routers.access("r0", "user2"), Some(Access::Isolated));
    let kinds: Vec<_> = world.store.snapshot(TENANT).access_events.iter().map(|e| e.kind).collect();
    assert_eq!(kinds.last(), Some(&AccessEventKind::GroupChanged), "{kinds:?}");
    let terms = world.store.subscriptions(TENANT, None, PageQuery::first(10)).await.unwrap().remove(0).0.terms;
    assert_eq!((terms.package_id, terms.change), (package_id(2), None));
}

#[tokio::test]
async fn a_pause_stops_access_and_billing_b7() {
    let world = one_customer("2026-01-10", 10, Cycle::Monthly).await;
    live(&world, "2026-01-10", "2026-01-20", &[NINE]).await;
    world.pay(2, "T-1", 166_500, date("2026-01-20").at(9, 0, Zone::Wib)).await.unwrap();
    world.engine().pause(subscription_id(2), date("2026-01-25").at(9, 0, Zone::Wib)).await.unwrap();
    live(&world, "2026-01-25", "2026-03-20", &[NINE]).await;
    assert_eq!(world.routers.access("r0", "user2"), Some(Access::Closed));
    assert_eq!(world.store.snapshot(TENANT).invoices.len(), 1);
    world.engine().resume(subscription_id(2), date("2026-03-21").at(9, 0, Zone::Wib)).await.unwrap();
    live(&world, "2026-03-21", "2026-04-10", &[NINE]).await;
    assert_eq!(world.routers.access("r0", "user2"), Some(Access::Open));
    let periods: Vec<String> =
        world.store.snapshot(TENANT).invoices.iter().map(|(i, _)| format!("{} {}", i.period, i.total)).collect();
    // 21 March to 10 April is 20 of the 31 days of 10 March to 10 April: 96.774, with PPN 107.419.
    assert_eq!(
        periods,
        ["2026-01-10..2026-02-10 Rp166.500", "2026-03-21..2026-04-10 Rp107.419", "2026-04-10..2026-05-10 Rp166.500"]
    );
}

#[tokio::test]
async fn the_past_can_be_explained_i7() {
    let world = one_customer("2026-01-01", 1, Cycle::Monthly).await;
    live(&world, "2026-01-01", "2026-01-20", &[ELEVEN]).await;
    world.pay(2, "T-1", 166_500, date("2026-01-20").at(15, 0, Zone::Wib)).await.unwrap();
    live(&world, "2026-01-21", "2026-01-22", &[ELEVEN]).await;
    let mut told = Vec::new();
    for day in ["2026-01-05", "2026-01-13", "2026-01-17", "2026-01-22"] {
        let at = date(day).at(12, 0, Zone::Wib);
        for language in [Language::Id, Language::En] {
            let why = world.engine().explain(customer_id(2), at, language).await.unwrap();
            told.push(format!("{day} [{}] {}", why[0].1.reason, why[0].1.sentence));
            told.extend(why[0].1.evidence.iter().map(|e| format!("    {e}")));
        }
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn a_line_entered_late_is_not_called_unstarted_i7() {
    let world = World::new().await;
    world.add(2, date("2026-01-01"), 1, Cycle::Monthly, date("2026-01-10").at(9, 0, Zone::Wib)).await;
    let told = async |day: &str| {
        let at = date(day).at(12, 0, Zone::Wib);
        world.engine().explain(customer_id(2), at, Language::Id).await.unwrap().remove(0).1.sentence
    };
    assert_eq!(told("2025-12-20").await, "Layanan belum dibuka karena langganan belum mulai.");
    assert_eq!(told("2026-01-05").await, "Layanan belum tercatat pada saat itu.");
    assert_eq!(told("2026-01-11").await, "Layanan terbuka karena tidak ada tunggakan.");
}

#[tokio::test]
async fn midnight_belongs_to_the_zone_c1() {
    // 23:30 in Jakarta is already the next day in Jayapura.
    let world = World::new().await;
    let start = date("2026-02-01");
    world.add(1, start, 1, Cycle::Monthly, start.plus_days(-5).at(7, 0, Zone::Wib)).await;
    world.add(2, start, 1, Cycle::Monthly, start.plus_days(-5).at(7, 0, Zone::Wib)).await;
    let billed = world.engine().bill(date("2026-01-31").at(23, 30, Zone::Wib)).await.unwrap();
    assert_eq!(billed.invoices, 1, "only the customer in WIT");
    let billed = world.engine().bill(date("2026-02-01").at(0, 30, Zone::Wib)).await.unwrap();
    assert_eq!(billed.invoices, 1, "now the one in WIB, and the other not again");
    let dates: Vec<Date> = world.store.snapshot(TENANT).invoices.iter().map(|(i, _)| i.issue_date).collect();
    assert_eq!(dates, [start, start]);
}
