//! Missing any set of daily runs gives the same ledger once caught up, and so the same report of every month.
//!
//! Customers pay, promise and overpay by a script of their own, whatever was billed by then; late fees are on. Half of the
//! days have no run, up to five in a row; the last day of a month has one, because that is when a month is looked at.

use std::collections::BTreeMap;

use crate::support::dice::{Dice, at_random, seeds};
use crate::support::{TENANT, World, books, date};
use isp_core::Money;
use isp_core::billing::{LateFeeAmount, LateFeePolicy};
use isp_core::calendar::{Cycle, Date, Zone};
use isp_core::ids::SubscriptionId;
use isp_core::ledger::Account;
use isp_core::ports::MoneyStore;
use isp_core::report::{Finance, GroupBy};
use proptest::prelude::*;

const CUSTOMERS: u32 = 24;
const DAYS: i32 = 365;

/// What is the same, however many runs there were.
#[derive(Debug, PartialEq)]
struct Year {
    invoices: Vec<(SubscriptionId, Date, Date, Date, Money)>,
    /// By month and account.
    ledger: BTreeMap<(Date, Account), Money>,
    months: Vec<Finance>,
    owed: Money,
    credit: Money,
}

async fn live(seed: u64, missed: bool) -> Year {
    let mut dice = Dice(seed);
    let mut luck = Dice(seed ^ 0xbad_0001);
    let start = date("2026-01-01").plus_days(dice.roll(28) as i32);
    let mut world = World::new().await;
    let amount = LateFeeAmount::Percent { percent: 2, minimum: Money::rupiah(3_000) };
    world.policy.late_fee = Some(LateFeePolicy { after_days: 7, amount, with_ppn: true });
    for n in 0..CUSTOMERS {
        let cycle = if dice.roll(5) == 0 { Cycle::Quarterly } else { Cycle::Monthly };
        let begin = start.plus_days(dice.roll(40) as i32);
        world.add(n, begin, 1 + dice.roll(31) as u8, cycle, start.at(1, 0, Zone::Wib)).await;
    }
    let (mut months, mut in_a_row) = (Vec::new(), 0);
    for d in 0..DAYS {
        let today = start.plus_days(d);
        for n in 0..CUSTOMERS {
            let (pays, much) = (dice.roll(24) == 0, dice.roll(12) as i64);
            if pays {
                let amount = [166_500, 100_000, 50_000, 333_000][much as usize % 4] + much * 1_000;
                world.pay(n, &format!("{today}-{n}"), amount, today.at(18, 0, Zone::Wib)).await.unwrap();
            }
        }
        let last_of_month = today.plus_days(1).month() != today.month();
        let skipped = luck.roll(2) == 0 && !last_of_month && in_a_row < 5;
        in_a_row = if skipped { in_a_row + 1 } else { 0 };
        if !(missed && skipped) {
            // The last look of a month comes after all that is paid on it.
            let hour = if last_of_month { 20 } else { 11 };
            world.run(today.at(hour, 0, Zone::Wib)).await.unwrap();
        }
        let snapshot = world.store.snapshot(TENANT);
        books::check(&snapshot);
        if last_of_month {
            let (month, evening) = (today.month(), today.at(21, 0, Zone::Wib));
            months.push(world.engine().report_finance(month, month, GroupBy::Month, evening).await.unwrap());
        }
    }
    world.run(start.plus_days(DAYS).at(20, 0, Zone::Wib)).await.unwrap();
    let snapshot = world.store.snapshot(TENANT);
    let mut invoices: Vec<_> = snapshot
        .invoices
        .iter()
        .map(|(i, _)| (i.subscription_id, i.period.start, i.issue_date, i.due_date, i.total))
        .collect();
    invoices.sort();
    let mut ledger = BTreeMap::new();
    for total in world.store.journal_totals(TENANT, Date::MIN, start.plus_days(DAYS).month().first()).await.unwrap() {
        *ledger.entry((total.month, total.account)).or_insert(Money::ZERO) += total.amount;
    }
    ledger.retain(|_, amount| !amount.is_zero());
    let books = books::check(&snapshot);
    Year { invoices, ledger, months, owed: books.owed, credit: books.credit }
}

proptest! {
    #![proptest_config(at_random(2))]

    #[test]
    fn missed_runs_change_nothing_once_caught_up(seed in seeds()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (daily, now_and_then) = (live(seed, false).await, live(seed, true).await);
            assert!(daily.invoices.len() > 200 && daily.months.len() >= 11);
            assert_eq!(daily.invoices, now_and_then.invoices);
            assert_eq!(daily.months, now_and_then.months);
            assert_eq!(daily, now_and_then);
        });
    }
}
