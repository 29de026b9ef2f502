use chrono::{Datelike, TimeZone, Utc};

use super::*;
use crate::error::Error;

fn date(text: &str) -> Date {
    Date::parse(text).unwrap()
}

#[test]
fn every_day_survives_the_way_through_chrono() {
    for number in Date::MIN.day_number()..=Date::MAX.day_number() {
        let day = Date::from_day_number(number);
        let naive = day.to_naive();
        assert_eq!(Date::from_naive(naive), day);
        assert_eq!(day.ymd(), (naive.year(), naive.month(), naive.day()));
        assert_eq!(day.is_weekend(), naive.weekday().number_from_monday() > 5);
        assert_eq!(day.month().first().to_naive(), naive.with_day(1).unwrap());
    }
    assert_eq!(Date::MAX.to_string(), "2199-12-31");
}

#[test]
fn the_anchor_keeps_its_day_c2() {
    let anchor = Anchor::new(date("2025-10-31"), BillingDay(31), Cycle::Quarterly);
    let starts: Vec<String> = (0..3).map(|k| anchor.period(k).start.to_string()).collect();
    assert_eq!(starts, ["2025-10-31", "2026-01-31", "2026-04-30"]);
}

#[test]
fn every_period_joins_the_next_and_is_found_again_c3() {
    for day in 1..=31 {
        for cycle in [Cycle::Monthly, Cycle::Quarterly, Cycle::SemiAnnual, Cycle::Annual] {
            let anchor = Anchor::new(date("2024-01-15"), BillingDay(day), cycle);
            assert!(anchor.period(0).start >= date("2024-01-15"));
            assert!(anchor.period(-1).start < date("2024-01-15"));
            for k in -3..60 {
                let period = anchor.period(k);
                assert_eq!(period.end, anchor.period(k + 1).start);
                assert!(period.days() >= 28);
                for probe in [period.start, period.start.plus_days(1), period.end.plus_days(-1)] {
                    assert_eq!(anchor.index_of(probe), k, "{probe} day {day} {cycle:?}");
                }
            }
        }
    }
}

#[test]
fn the_civil_day_is_the_zones_c1() {
    let now = Utc.with_ymd_and_hms(2026, 1, 31, 15, 30, 0).unwrap();
    let dates: Vec<String> = Zone::ALL.iter().map(|z| z.date_of(now).to_string()).collect();
    assert_eq!(dates, ["2026-01-31", "2026-01-31", "2026-02-01"]);
    assert_eq!(Zone::Wib.time_of(now).to_string(), "22:30");
    assert_eq!(date("2026-02-01").midnight(Zone::Wit), Utc.with_ymd_and_hms(2026, 1, 31, 15, 0, 0).unwrap());
}

#[test]
fn dates_people_write() {
    assert_eq!(date("31/01/2026"), date("2026-01-31"));
    assert_eq!(date("1-2-2026"), date("2026-02-01"));
    for bad in ["2026-02-30", "31/31/2026", "2026", "", "20260131", "26-01-31", "2026-+1-01", "1969-12-31"] {
        assert_eq!(Date::parse(bad), Err(Error::DateFormat), "{bad}");
    }
}
