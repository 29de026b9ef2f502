//! A dry run says what the run of that moment then does, whatever happened on the days before it and since midnight.

use std::collections::BTreeMap;

use isp_core::billing::{CreditReason, LateFeeAmount, LateFeePolicy, WhileIsolated};
use isp_core::calendar::{BillingDay, Cycle, Zone};
use isp_core::engine::{Approval, NewPayment};
use isp_core::ids::{PaymentId, SubscriptionId};
use isp_core::message::NotificationKind;
use isp_core::payment::Channel;
use isp_core::ports::Effect;
use isp_core::simulation::{Event, What};
use isp_core::subscription::{BillingTerms, Timing};
use isp_core::testing::Snapshot;
use isp_core::{Money, Policy};
use proptest::prelude::*;

use crate::support::dice::{Dice, at_random, seeds};
use crate::support::{TENANT, World, code, customer_id, date, package_id, subscription_id};

const LINES: u32 = 4;

/// What happened, or is told to happen: how often each.
type Done = BTreeMap<String, usize>;

fn count(done: &mut Done, what: String) {
    *done.entry(what).or_default() += 1;
}

fn told(events: &[Event]) -> Done {
    let mut done = Done::new();
    for event in events {
        let line = |word: &str| format!("{word} {:?}", event.subscription_id.unwrap());
        count(
            &mut done,
            match event.what {
                What::Billed { period_start, due_date, total } => {
                    format!("{} from {period_start} due {due_date}: {total}", line("billed"))
                }
                What::GivenBack { total } => format!("{}: {total}", line("given back")),
                What::NotBilled { code } => format!("{}: {code}", line("not billed")),
                What::Reminded { reminder, level } => format!("{:?} {} {level}", event.customer_id, reminder.code()),
                What::Isolated { .. } => line("isolated"),
                What::Reopened { .. } => line("reopened"),
                What::Closed { .. } => line("closed"),
            },
        );
    }
    done
}

/// What is in the books after the run and was not before, and what it did to lines.
fn lived(before: &Snapshot, after: &Snapshot, lines: &[(&str, &[SubscriptionId])]) -> Done {
    let mut done = Done::new();
    for (invoice, _) in &after.invoices {
        if !before.invoices.iter().any(|(known, _)| known.id == invoice.id) {
            let (line, from) = (invoice.subscription_id, invoice.period.start);
            count(&mut done, format!("billed {line:?} from {from} due {}: {}", invoice.due_date, invoice.total));
        }
    }
    for note in after.credit_notes.iter().filter(|note| note.reason == CreditReason::Isolation) {
        if !before.credit_notes.iter().any(|known| known.id == note.id) {
            count(&mut done, format!("given back {:?}: {}", note.subscription_id, note.total));
        }
    }
    for row in &after.outbox {
        let Effect::Message(message) = &row.effect else { continue };
        let reminds = matches!(message.kind, NotificationKind::DueSoon | NotificationKind::Overdue);
        if reminds && !before.outbox.iter().any(|known| known.id == row.id) {
            count(&mut done, format!("{:?} {} {}", message.customer_id, message.kind.code(), message.level));
        }
    }
    for (word, lines) in lines {
        lines.iter().for_each(|line| count(&mut done, format!("{word} {line:?}")));
    }
    done
}

/// Something that a person does; what cannot be done at that moment is refused, and that is no matter here.
async fn something(world: &World, dice: &mut Dice, now: chrono::DateTime<chrono::Utc>, nth: u32) {
    let engine = world.engine();
    let n = dice.roll(u64::from(LINES)) as u32 + 1;
    let books = world.store.snapshot(TENANT);
    match dice.roll(7) {
        0..=2 => {
            let payment = NewPayment {
                customer_id: customer_id(n),
                provider: code("bank"),
                reference: code(&format!("T-{nth}")).into(),
                amount: Money::rupiah(20_000 + dice.roll(30) as i64 * 10_000),
                // Some are typed days after they were made.
                paid_at: now - chrono::TimeDelta::days(dice.roll(2) as i64 * dice.roll(6) as i64),
                collector: None,
            };
            let _ = engine.pay(&payment, now).await;
        }
        3 => {
            let standing: Vec<PaymentId> = books
                .payments
                .iter()
                .map(|row| &row.payment)
                .filter(|p| p.channel == Channel::Bank)
                .map(|p| p.id)
                .collect();
            if !standing.is_empty() {
                let one = standing[dice.roll(standing.len() as u64) as usize];
                let _ = engine.reverse(one, "Sari", "salah", now).await;
            }
        }
        4 => {
            let open = books.invoices.iter().find(|(i, paid)| i.customer_id == customer_id(n) && *paid < i.total);
            if let Some((invoice, _)) = open {
                let _ = engine.write_off(customer_id(n), invoice.id, "Sari", "pindah", now).await;
            }
        }
        5 => {
            let given_up: Vec<PaymentId> = books
                .payments
                .iter()
                .map(|row| &row.payment)
                .filter(|p| p.channel == Channel::WriteOff)
                .map(|p| p.id)
                .collect();
            if let Some(one) = given_up.last() {
                let _ = engine.reverse(*one, "Sari", "datang", now).await;
            }
        }
        _ if dice.one_in(2) => drop(engine.pause(subscription_id(n), now).await),
        _ => drop(engine.resume(subscription_id(n), now).await),
    }
}

proptest! {
    #![proptest_config(at_random(60))]

    #[test]
    fn a_dry_run_says_what_the_run_then_does(seed in seeds()) {
        let mut dice = Dice(seed);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new().await;
            let amount = LateFeeAmount::Percent { percent: 2, minimum: Money::rupiah(3_000) };
            world.policy = Policy {
                late_fee: (!dice.one_in(3)).then(|| LateFeePolicy { after_days: 1 + dice.roll(9) as u16, amount, with_ppn: false }),
                ..world.policy
            };
            world.policy.isolation.isolate_after_days = dice.roll(8) as u16;
            world.policy.billing.while_isolated =
                [WhileIsolated::Bill, WhileIsolated::Skip, WhileIsolated::Prorate][dice.roll(3) as usize];
            let first = date("2026-01-01");
            // Every second one in Papua.
            for n in 1..=LINES {
                let cycle = if dice.one_in(4) { Cycle::Quarterly } else { Cycle::Monthly };
                let start = first.plus_days(dice.roll(28) as i32);
                let timing = if dice.one_in(4) { Timing::Postpaid } else { Timing::Prepaid };
                let day = BillingDay::try_new(1 + dice.roll(31) as u8).unwrap();
                let terms = BillingTerms { timing, ..BillingTerms::new(package_id(n % 3 + 1), start, day, cycle) };
                world.add_with(n, terms, first.at(1, 0, Zone::Wib)).await;
            }
            let (mut day, mut nth) = (first, 0);
            for _ in 0..6 {
                // Some days with a run each, and some without any.
                for missed in [false, true] {
                    for _ in 0..dice.roll(if missed { 5 } else { 20 }) {
                        if dice.one_in(3) {
                            nth += 1;
                            something(&world, &mut dice, day.at(9, 0, Zone::Wib), nth).await;
                        }
                        if !missed {
                            world.run(day.at(12, 0, Zone::Wib)).await.unwrap();
                        }
                        day = day.plus_days(1);
                    }
                }
                // On this day there may have been a run already, and something may have happened after it.
                if dice.one_in(3) {
                    world.run(day.at(10, 0, Zone::Wib)).await.unwrap();
                }
                for _ in 0..dice.roll(3) {
                    nth += 1;
                    something(&world, &mut dice, day.at(11, 0, Zone::Wib), nth).await;
                }
                let now = day.at(12, 0, Zone::Wib);
                let before = world.store.snapshot(TENANT);
                let foretold = world.engine().foretell(now).await.unwrap();
                assert_eq!(world.store.snapshot(TENANT), before, "nothing is written");
                let engine = world.engine();
                let billed = engine.bill(now).await.unwrap();
                engine.remind(now).await.unwrap();
                let enforced = engine.enforce(now, &Approval::All).await.unwrap();
                assert!(billed.problems.is_empty(), "{:?}", billed.problems);
                let after = world.store.snapshot(TENANT);
                let lines: [(&str, &[SubscriptionId]); 3] = [
                    ("isolated", &enforced.isolated),
                    ("reopened", &enforced.reopened),
                    ("closed", &enforced.closed),
                ];
                let (told, lived) = (told(&foretold.events), lived(&before, &after, &lines));
                let only = |of: &Done, other: &Done| {
                    of.iter().filter(|(what, n)| other.get(*what) != Some(n)).map(|(what, _)| what.clone()).collect::<Vec<_>>()
                };
                assert_eq!((only(&told, &lived), only(&lived, &told)), (vec![], vec![]), "{day}: told only, lived only");
                day = day.plus_days(1);
            }
        });
    }
}
