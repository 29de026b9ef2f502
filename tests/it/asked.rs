//! What messages ask for, and small debts: who pays what is asked is in nobody's arrears.

use crate::support::dice::Dice;
use crate::support::*;
use isp_core::Money;
use isp_core::billing::Arrears;
use isp_core::calendar::{Cycle, Date, Zone};
use isp_core::ids::{ExemptionId, PromiseId};
use isp_core::isolation::{Access, AccessEventKind, Reason};
use isp_core::message::NotificationKind;
use isp_core::message::notification::{MessageContent, OutgoingMessage};
use isp_core::ports::{AccessStore, BillingStore, DirectoryStore, PageQuery};
use isp_core::protection::{Exemption, Promise};
use isp_core::text::Language;
use isp_whatsapp::catalog::TemplateCatalog;
use isp_whatsapp::notification::TemplateMessage;

/// What a message asks for, when it asks.
fn asked(message: &OutgoingMessage) -> Option<Money> {
    match &message.content {
        MessageContent::DueSoon { amount, .. } | MessageContent::Overdue { amount, .. } => Some(*amount),
        MessageContent::Isolated { amount, .. } => Some(*amount).filter(|amount| amount.is_positive()),
        MessageContent::PaymentReceived { .. } | MessageContent::Reopened { .. } | MessageContent::Answer(_) => None,
    }
}

#[tokio::test]
async fn a_reminder_asks_for_everything_that_is_owed_n6() {
    let world = one().await;
    run_days(&world, "2026-01-01", "2026-02-07").await;
    world.messenger.take();
    run_days(&world, "2026-02-08", "2026-02-08").await;
    let messages = world.messenger.take();
    let [message] = messages.as_slice() else { panic!("{messages:?}") };
    let MessageContent::DueSoon { invoices, amount, due_date, .. } = &message.content else { panic!("{message:?}") };
    assert_eq!((invoices.len(), *amount, *due_date), (2, rp(333_000), date("2026-02-11")));
    let demand = message.demand.as_ref().unwrap();
    let owed: Vec<_> = demand.owed.iter().map(|o| (o.amount, o.due_date)).collect();
    assert_eq!(owed, [(rp(166_500), date("2026-01-11")), (rp(166_500), date("2026-02-11"))], "oldest first");
    assert_eq!((demand.overdue, demand.isolated), (rp(166_500), true));
    world.pay(2, "KW-1", 333_000, at("2026-02-09", 9)).await.unwrap();
    run_days(&world, "2026-02-09", "2026-02-28").await;
    assert_eq!(world.routers.access("r0", "user2"), Some(Access::Open));
    assert_eq!(books::check(&world.store.snapshot(TENANT)).owed, Money::ZERO);
}

#[tokio::test]
async fn one_message_a_run_says_what_is_overdue_and_what_falls_due_n5_n6() {
    let mut world = one().await;
    world.policy.dunning.overdue_days = vec![3, 28];
    world.policy.isolation.isolate_after_days = 60;
    run_days(&world, "2026-01-01", "2026-02-07").await;
    world.messenger.take();
    // January is 28 days late on the day on which February falls due soon.
    run_days(&world, "2026-02-08", "2026-02-09").await;
    let messages = world.messenger.take();
    assert_eq!(messages.iter().map(|m| m.content.kind()).collect::<Vec<_>>(), [NotificationKind::Overdue]);
    assert_eq!(asked(&messages[0]), Some(rp(333_000)));
}

#[tokio::test]
async fn the_receipt_of_a_part_says_what_remains_and_that_the_line_stays_isolated() {
    let world = one().await;
    run_days(&world, "2026-01-01", "2026-01-20").await;
    world.messenger.take();
    let report = world.pay(2, "KW-1", 100_000, at("2026-01-20", 15)).await.unwrap();
    assert_eq!((report.owed, report.overdue, report.still_isolated.len()), (rp(66_500), rp(66_500), 1));
    world.deliver(at("2026-01-20", 15)).await;
    let receipts = world.messenger.take();
    let [receipt] = receipts.as_slice() else { panic!("{receipts:?}") };
    let text = TemplateMessage::compose(&TemplateCatalog::standard(), receipt).unwrap();
    let rest = "Sisa tagihan Anda Rp 66.500; layanan tetap diisolir sampai tunggakan Rp 66.500 dibayar.";
    assert!(text.text().contains(rest), "{}", text.text());
    let report = world.pay(2, "KW-2", 66_500, at("2026-01-20", 16)).await.unwrap();
    assert_eq!((report.owed, report.reopened.len(), report.still_isolated.len()), (Money::ZERO, 1, 0));
    world.deliver(at("2026-01-20", 16)).await;
    let text = TemplateMessage::compose(&TemplateCatalog::standard(), &world.messenger.take()[0]).unwrap();
    assert!(text.text().contains("Sisa tagihan Anda Rp 0."), "{}", text.text());
}

#[tokio::test]
async fn nobody_is_isolated_for_a_small_debt_a2() {
    // Rp166.500 are asked, Rp166.350 come: a bank took its share, or somebody mistyped.
    let world = one().await;
    run_days(&world, "2026-01-01", "2026-01-05").await;
    world.pay(2, "KW-1", 166_350, at("2026-01-06", 9)).await.unwrap();
    run_days(&world, "2026-01-06", "2026-01-31").await;
    assert_eq!(world.routers.access("r0", "user2"), Some(Access::Open));
    let told = world.engine().explain(customer_id(2), at("2026-01-31", 12), Language::Id).await.unwrap();
    assert_eq!(told[0].1.reason, Reason::SmallDebt.code());
    assert!(told[0].1.sentence.contains("Rp150") && told[0].1.sentence.contains("Rp10.000"), "{}", told[0].1.sentence);
    assert!(world.messenger.take().iter().all(|m| m.content.kind() != NotificationKind::Overdue), "no empty threat");
    // The next invoice asks for it too.
    run_days(&world, "2026-02-01", "2026-02-08").await;
    assert_eq!(world.messenger.take().iter().filter_map(asked).collect::<Vec<_>>(), [rp(166_650)]);
    // Who is isolated and pays all but so little is opened.
    let world = one().await;
    run_days(&world, "2026-01-01", "2026-01-20").await;
    let report = world.pay(2, "KW-1", 166_350, at("2026-01-20", 15)).await.unwrap();
    assert_eq!((report.reopened.len(), report.overdue), (1, rp(150)));
    // A provider that wants every rupiah says so.
    let mut world = one().await;
    world.policy.isolation.isolate_from = Money::ZERO;
    run_days(&world, "2026-01-01", "2026-01-05").await;
    world.pay(2, "KW-1", 166_350, at("2026-01-06", 9)).await.unwrap();
    run_days(&world, "2026-01-06", "2026-01-31").await;
    assert_eq!(world.routers.access("r0", "user2"), Some(Access::Isolated));
}

#[tokio::test]
async fn a_reminder_names_the_day_on_which_the_line_is_isolated_and_none_where_it_is_not_n6() {
    let world = World::new().await;
    for n in [0, 2, 4, 6] {
        world.add(n, date("2026-01-01"), 1, Cycle::Monthly, at("2026-01-01", 7)).await;
    }
    run_days(&world, "2026-01-01", "2026-01-12").await;
    world.messenger.take();
    let engine = world.engine();
    let (from, until) = (date("2026-01-13"), date("2026-01-20"));
    let (id, by) = (PromiseId(uuid::Uuid::from_u128(1)), "Rina".to_owned());
    let promise = Promise { id, customer_id: customer_id(2), made_on: from, until, by: by.clone(), ending: None };
    engine.promise(promise).await.unwrap();
    let (id, reason) = (ExemptionId(uuid::Uuid::from_u128(2)), "Kantor desa".to_owned());
    let until = date("2030-12-31");
    let exemption = Exemption { id, customer_id: customer_id(4), from, until, reason, by, ending: None };
    engine.exempt(exemption).await.unwrap();
    engine.pause(subscription_id(6), at("2026-01-13", 12)).await.unwrap();
    world.messenger.take();
    // Three days late, all in one delivery.
    run_days(&world, "2026-01-14", "2026-01-14").await;
    let messages = world.messenger.take();
    let told = |n: u32| {
        let message = messages.iter().find(|m| m.to.digits().ends_with(&format!("{n:04}"))).unwrap();
        let text = TemplateMessage::compose(&TemplateCatalog::with_sender(), message).unwrap();
        (message.demand.as_ref().unwrap().isolation_date, text.text().to_owned())
    };
    for (n, day, said) in [
        (0, Some("2026-01-16"), "Bila belum dibayar, layanan diisolir mulai 16 Januari 2026 dan dibuka otomatis"),
        (2, Some("2026-01-21"), "Bila belum dibayar, layanan diisolir mulai 21 Januari 2026 dan dibuka otomatis"),
        (4, None, "Bila belum dibayar, tagihan ini tetap terbuka dan dapat ditagih lagi."),
        (6, None, "Bila belum dibayar, tagihan ini tetap terbuka dan dapat ditagih lagi."),
    ] {
        let (named, text) = told(n);
        assert_eq!(named, day.map(date), "customer {n}");
        assert!(text.contains(said) && text.contains("jatuh tempo 11 Januari 2026"), "customer {n}: {text}");
    }
    // The days that were named come, and nobody is isolated before.
    run_days(&world, "2026-01-15", "2026-01-21").await;
    for (n, day) in [(0, Some("2026-01-16")), (2, Some("2026-01-21")), (4, None), (6, None)] {
        let events = world.store.access_events(TENANT, subscription_id(n)).await.unwrap();
        let isolated = events.iter().filter(|event| event.kind == AccessEventKind::IsolatedArrears);
        let days: Vec<Date> = isolated.map(|event| Zone::Wib.date_of(event.at)).collect();
        assert_eq!(days, day.map(date).into_iter().collect::<Vec<_>>(), "customer {n}");
    }
}

/// Years of customers who now and then pay exactly what the last message asked, and otherwise nothing or a part.
#[tokio::test]
async fn who_pays_what_a_message_asks_is_in_no_arrears_n6() {
    let mut checked = 0;
    for seed in 1..=8_u64 {
        let mut dice = Dice(seed);
        let mut world = World::new().await;
        world.policy.billing.payment_terms_days = [10, 20, 45][dice.roll(3) as usize];
        world.policy.billing.issue_lead_days = [0, 7][dice.roll(2) as usize];
        world.policy.dunning.due_soon_days = vec![7, 3];
        world.policy.dunning.overdue_days = vec![1, 3, 10, 20, 40];
        let start = date("2026-01-01");
        for n in 0..4 {
            let day = 1 + dice.roll(28) as u8;
            world.add(n, start, day, Cycle::Monthly, at("2026-01-01", 7)).await;
        }
        let mut reference = 0;
        for today in (0..150).map(|n| start.plus_days(n)) {
            let now = today.at(11, 0, Zone::Wib);
            world.run(now).await.unwrap();
            for message in world.messenger.take() {
                let Some(amount) = asked(&message) else { continue };
                let all = world.store.customers(TENANT, PageQuery::first(99)).await.unwrap();
                let customer = all.iter().find(|c| c.phone.as_ref() == Some(&message.to)).unwrap();
                let n = (0..4).find(|n| customer_id(*n) == customer.id).unwrap();
                reference += 1;
                let pays = match dice.roll(4) {
                    0 => amount,
                    1 => Money::rupiah(amount.as_i64() / 3 + 1),
                    _ => continue,
                };
                world.pay(n, &format!("KW-{reference}"), pays.as_i64(), now).await.unwrap();
                if pays == amount {
                    checked += 1;
                    settled(&world, n, today).await;
                }
            }
        }
    }
    assert!(checked > 40, "{checked} payments of what was asked");
}

async fn settled(world: &World, n: u32, today: Date) {
    let open = world.store.open_invoices(TENANT, customer_id(n)).await.unwrap();
    assert_eq!(Arrears::of(&open, today).overdue, Money::ZERO, "customer {n} on {today}");
    let lines = world.store.subscriptions(TENANT, Some(customer_id(n)), PageQuery::first(9)).await.unwrap();
    assert!(lines.iter().all(|(_, access)| access.desired == Access::Open), "customer {n} on {today}");
}

/// Who is reopened by hand hears when a run isolates the line again, and the run does it then: now, or on the first day behind a promise.
#[tokio::test]
async fn who_is_reopened_by_hand_is_told_when_a_run_isolates_again() {
    for (until, again) in [(None, at("2026-01-20", 13)), (Some("2026-01-25"), at("2026-01-26", 10))] {
        let world = one().await;
        run_days(&world, "2026-01-01", "2026-01-20").await;
        let (engine, now) = (world.engine(), at("2026-01-20", 13));
        engine.reopen(customer_id(2), "Rina", "sudah menelepon", now).await.unwrap();
        if let Some(until) = until {
            let (id, by, made_on) = (PromiseId(uuid::Uuid::from_u128(1)), "Rina".to_owned(), date("2026-01-20"));
            let promise = Promise { id, customer_id: customer_id(2), made_on, until: date(until), by, ending: None };
            engine.promise(promise).await.unwrap();
        }
        assert_eq!(engine.isolated_again(customer_id(2), now).await.unwrap(), Some(again));
        if again > now {
            world.run(again - chrono::TimeDelta::minutes(1)).await.unwrap();
            assert_eq!(world.routers.access("r0", "user2"), Some(Access::Open));
        }
        world.run(again).await.unwrap();
        assert_eq!(world.routers.access("r0", "user2"), Some(Access::Isolated));
    }
}
