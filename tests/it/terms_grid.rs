//! A grid of changes of terms against a count by the day: each served day is charged exactly once, at the price of that day,
//! and no other day costs anything (rules B6, B7, B11, B12).
//!
//! One in several cells of the grid is lived each time, more than a thousand; `GRID=all` lives all of them. A fixed few of them are
//! data for the addon, `isp-odoo/isp_management/tests/lives.json`, which a real Odoo lives (`TestLives`).

use std::collections::BTreeMap;

use crate::support::{TENANT, World, books, date, package_id, subscription_id};
use isp_core::billing::{Charge, InvoiceKind};
use isp_core::calendar::{BillingDay, Cycle, Date, Period, Zone};
use isp_core::engine::terms::Wish;
use isp_core::engine::{Approval, EngineError};
use isp_core::subscription::{BillingTerms, Timing};
use isp_core::tax::Tax;
use isp_core::terms::Command;
use isp_core::testing::Snapshot;
use isp_core::{Error, Money};

/// What packages 1, 2 and 3 cost a month: far enough apart that the cost of a day tells them apart in any month.
const PRICES: [i64; 3] = [300_000, 600_000, 150_000];
/// Days up to here have come due at the end, whatever was changed.
const LAST: &str = "2026-09-15";

/// Something that an officer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wished {
    Nothing,
    Next(u32),
    AtOnce(u32),
    Day(u8),
    Pause,
    Resume,
    End,
}

/// One life of a line.
#[derive(Debug, Clone, Copy)]
struct Cell {
    timing: Timing,
    lead: u16,
    day: u8,
    first: Wished,
    on: Date,
    /// How many days afterwards it is said.
    late: i32,
    /// Before or after that day's run.
    hour: u32,
    second: Wished,
    after: i32,
}

fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    let firsts = [Wished::Next(2), Wished::AtOnce(2), Wished::AtOnce(3), Wished::Day(15), Wished::Pause, Wished::End];
    let seconds = [Wished::Nothing, Wished::Next(3), Wished::AtOnce(3), Wished::Day(20), Wished::Pause, Wished::End];
    let days = ["2026-06-01", "2026-06-02", "2026-06-15", "2026-06-24", "2026-06-27", "2026-06-30", "2026-07-01"];
    for timing in [Timing::Prepaid, Timing::Postpaid] {
        for lead in [0, 7] {
            for day in [1, 10] {
                for first in firsts {
                    for on in days {
                        for late in [0, 9] {
                            for hour in [8, 14] {
                                for second in seconds {
                                    for after in [1, 5, 20] {
                                        if second == Wished::Nothing && after > 1 {
                                            continue;
                                        }
                                        let on = date(on);
                                        cells.push(Cell { timing, lead, day, first, on, late, hour, second, after });
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    cells
}

/// What a line should be charged, told by what was done to it alone.
struct Diary {
    served: BTreeMap<Date, bool>,
    package: BTreeMap<Date, u32>,
    /// The first day of a planned package.
    planned: Option<Date>,
}

impl Diary {
    fn new(from: Date) -> Self {
        let days: Vec<Date> = (0..400).map(|i| from.plus_days(i)).collect();
        Self {
            served: days.iter().map(|day| (*day, true)).collect(),
            package: days.iter().map(|day| (*day, 1)).collect(),
            planned: None,
        }
    }

    fn serve(&mut self, from: Date, served: bool) {
        self.served.range_mut(from..).for_each(|(_, day)| *day = served);
    }

    fn take(&mut self, from: Date, package: u32) {
        self.package.range_mut(from..).for_each(|(_, day)| *day = package);
    }
}

/// Does it, and writes it into the diary; what the rules refuse is not done.
async fn wish(world: &World, wished: Wished, from: Date, hour: u32, today: Date, diary: &mut Diary) {
    let command = match wished {
        Wished::Nothing => return,
        Wished::Next(package) => Command::NextPackage { package: package_id(package) },
        Wished::AtOnce(package) => Command::PackageAtOnce { package: package_id(package), from },
        Wished::Day(day) => Command::BillingDay { day: BillingDay::try_new(day).unwrap(), from },
        Wished::Pause => Command::Pause { from },
        Wished::Resume => Command::Resume { from },
        Wished::End => Command::End { end: from },
    };
    let now = today.at(hour, 0, Zone::Wib);
    let engine = world.engine();
    let shown = engine.preview_terms(subscription_id(2), command, Wish::default(), now).await;
    let done = engine.change_terms(subscription_id(2), command, Wish::default(), now).await;
    assert_eq!(shown, done, "what is shown is what is done");
    let change = match done {
        Ok(change) => change,
        Err(EngineError::Domain(
            Error::NotServing
            | Error::ChangedToday
            | Error::GivenBackToday
            | Error::ChangePlanned { .. }
            | Error::ChangedLater { .. }
            | Error::EmptyPeriod,
        )) => return,
        Err(other) => panic!("{wished:?} from {from} on {today}: {other:?}"),
    };
    match wished {
        Wished::Next(package) => {
            assert!(change.from > today && change.from <= today.plus_days(62), "{change:?}");
            diary.take(change.from, package);
            diary.planned = Some(change.from);
        }
        Wished::AtOnce(package) => diary.take(from, package),
        Wished::Pause | Wished::End => diary.serve(from, false),
        Wished::Resume => diary.serve(from, true),
        // A planned package begins with the first period of the new grid on or after its day.
        Wished::Day(_) => {
            if let (Some(planned), Some(until)) = (change.terms.change, diary.planned) {
                assert!(planned.from >= until && planned.from <= until.plus_days(31), "{change:?}");
                let (old, new) = (diary.package[&until.plus_days(-1)], diary.package[&until]);
                diary.take(until, old);
                diary.take(planned.from, new);
                diary.planned = Some(planned.from);
            }
        }
        Wished::Nothing => {}
    }
}

async fn found(lead: u16) -> World {
    let mut world = World::new().await;
    world.policy.tax = Tax::none();
    world.policy.billing.issue_lead_days = lead;
    world.policy.billing.credit_on_pause = true;
    world.policy.billing.credit_on_termination = true;
    // Nobody pays, and nobody is isolated for it.
    world.policy.isolation.isolate_after_days = 365;
    for (n, price) in (1..).zip(PRICES) {
        world.price(n, price).await;
    }
    world
}

async fn run(world: &World, day: Date) {
    let now = day.at(9, 0, Zone::Wib);
    let report = world.engine().bill(now).await.unwrap();
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    world.engine().enforce(now, &Approval::All).await.unwrap();
}

async fn live(world: &World, cell: Cell) -> Diary {
    let start = date("2026-05-01");
    let terms = BillingTerms::new(package_id(1), start, BillingDay::try_new(cell.day).unwrap(), Cycle::Monthly);
    world.add_with(2, BillingTerms { timing: cell.timing, ..terms }, start.at(7, 0, Zone::Wib)).await;
    let mut diary = Diary::new(start);
    let (said, again) = (cell.on.plus_days(cell.late), cell.on.plus_days(cell.late + cell.after));
    let back = again.plus_days(6);
    let mut day = start;
    while day < date("2026-11-02") {
        // On other days than these nothing comes due, or the next run bills it.
        let near = |of: Date| day >= of.plus_days(-1) && day <= of.plus_days(1);
        let runs = near(said) || near(again) || near(back) || matches!(day.ymd().2, 1 | 3 | 8 | 10 | 13 | 20 | 24);
        if runs && cell.hour > 9 {
            run(world, day).await;
        }
        if day == said {
            wish(world, cell.first, cell.on, cell.hour, day, &mut diary).await;
        }
        if day == again {
            // A pause ends before anything else is wished.
            let second = if cell.first == Wished::Pause { Wished::Resume } else { cell.second };
            wish(world, second, day, cell.hour, day, &mut diary).await;
        }
        if day == back {
            let third = if cell.first == Wished::Pause { cell.second } else { Wished::Resume };
            wish(world, third, day, cell.hour, day, &mut diary).await;
        }
        if runs && cell.hour < 9 {
            run(world, day).await;
        }
        day = day.plus_days(1);
    }
    diary
}

/// What is wrong with a life, if anything.
fn check(snapshot: &Snapshot, diary: &Diary, cell: Cell) -> Option<String> {
    books::check(snapshot);
    let charges: Vec<Charge> = snapshot
        .invoices
        .iter()
        .filter(|(i, _)| matches!(i.kind, InvoiceKind::Subscription | InvoiceKind::Adjustment))
        .map(|(i, _)| Charge {
            invoice: i.clone(),
            notes: snapshot.credit_notes.iter().filter(|n| n.invoice_id == i.id).cloned().collect(),
        })
        .collect();
    let told = || -> Vec<String> {
        let note = |n: &isp_core::billing::CreditNote| format!("{:?} {} {}", n.reason, n.period, n.total);
        let one = |c: &Charge| {
            let notes: Vec<String> = c.notes.iter().map(note).collect();
            format!("{} {:?} {} {} {notes:?}", c.invoice.issue_date, c.invoice.kind, c.invoice.period, c.invoice.total)
        };
        charges.iter().map(one).collect()
    };
    for (day, served) in &diary.served {
        let span = Period { start: *day, end: day.plus_days(1) };
        let cost = charges.iter().flat_map(|c| c.charged_for(span).into_values()).sum::<Money>().as_i64();
        let price = PRICES[diary.package[day] as usize - 1];
        let (least, most) = if *served { (price / 31 - 4, price / 28 + 4) } else { (-4, 4) };
        // What has not come due yet costs nothing so far.
        let least = if *day < date(LAST) { least } else { -4 };
        if !(least..=most).contains(&cost) {
            return Some(format!("{cell:?}\n{day} costs {cost}, not {least}..{most} ({served}): {:#?}", told()));
        }
    }
    for (invoice, _) in &snapshot.invoices {
        let ahead = i32::from(cell.lead);
        if invoice.issue_date.plus_days(ahead) < invoice.period.start {
            return Some(format!("{cell:?}\nissued before its days begin: {:#?}", told()));
        }
    }
    None
}

/// How many of the lives a real Odoo lives, too.
const IN_ODOO: usize = 150;

/// The lives that Odoo lives, one a line as JSON; spread over the whole grid.
fn lives_of_odoo() -> String {
    let wished = |wished: Wished| match wished {
        Wished::Nothing => "nothing".to_owned(),
        Wished::Next(package) => format!("next {package}"),
        Wished::AtOnce(package) => format!("now {package}"),
        Wished::Day(day) => format!("day {day}"),
        Wished::Pause => "pause".to_owned(),
        Wished::Resume => "resume".to_owned(),
        Wished::End => "end".to_owned(),
    };
    let cells = cells();
    // 11 times 13: no factor of a side of the grid.
    let lives = cells.iter().step_by(143).take(IN_ODOO).map(|cell| {
        let Cell { timing, lead, day, first, on, late, hour, second, after } = *cell;
        let timing = if timing == Timing::Prepaid { "prepaid" } else { "postpaid" };
        format!(
            r#"{{"timing": "{timing}", "lead": {lead}, "day": {day}, "first": "{}", "on": "{on}", "late": {late}, "hour": {hour}, "second": "{}", "after": {after}}}"#,
            wished(first),
            wished(second),
        )
    });
    format!("[\n{}\n]\n", lives.collect::<Vec<_>>().join(",\n"))
}

#[test]
fn the_lives_that_odoo_lives_are_of_this_grid() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/isp-odoo/isp_management/tests/lives.json");
    if std::env::var_os("WRITE_LIVES").is_some() {
        std::fs::write(file, lives_of_odoo()).unwrap();
    }
    let found = std::fs::read_to_string(file).unwrap();
    assert!(found == lives_of_odoo(), "WRITE_LIVES=1 cargo test --test it terms_grid odoo writes them anew");
    assert_eq!(found.lines().count(), IN_ODOO + 2);
}

#[test]
fn every_served_day_is_charged_once_at_its_price_whatever_is_changed_b6_b7_b11_b12() {
    let all = std::env::var("GRID").is_ok_and(|grid| grid == "all");
    let cells = cells();
    // A step that has no factor with the sides of the grid visits all of them.
    let step = if all { 1 } else { 17 };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut wrong: Vec<String> = Vec::new();
    let lived = runtime.block_on(async {
        let mut lived = 0;
        for cell in cells.iter().step_by(step) {
            let world = found(cell.lead).await;
            let diary = live(&world, *cell).await;
            wrong.extend(check(&world.store.snapshot(TENANT), &diary, *cell));
            lived += 1;
        }
        lived
    });
    assert!(
        wrong.is_empty(),
        "{} of {lived} are wrong:\n{}",
        wrong.len(),
        wrong.iter().take(8).cloned().collect::<Vec<_>>().join("\n")
    );
    assert!(lived >= 1_000, "only {lived} of {}", cells.len());
}
