//! `isp holidays`: the days on which nobody is isolated.

use std::collections::BTreeMap;

use clap::Args;
use isp_core::calendar::Date;
use isp_core::holiday;

use crate::context::Context;
use crate::failure::Exit;
use crate::output::{Cell, Rows, column};

#[derive(Debug, Args)]
pub(crate) struct Holidays {
    /// Which year; this year when not given.
    #[arg(long, value_parser = clap::value_parser!(i32).range(1970..=2199))]
    year: Option<i32>,
}

pub(crate) fn run(ctx: &Context, args: &Holidays) -> anyhow::Result<Exit> {
    let policy = &ctx.config.policy.isolation;
    let year = args.year.unwrap_or(ctx.today().ymd().0);
    let of_year = |day: Date| day.ymd().0 == year;
    let mut days: BTreeMap<Date, (&'static str, String, bool)> = BTreeMap::new();
    for day in policy.holidays.iter().filter(|day| of_year(**day)) {
        days.insert(*day, ("own_day", String::new(), false));
    }
    for day in holiday::all().iter().filter(|h| of_year(h.date) && policy.public_holidays.keeps(h.kind)) {
        days.insert(day.date, (day.kind.code(), day.name(ctx.config.language).to_owned(), day.estimated));
    }
    let mut rows = Rows::new(&[column("date"), column("kind"), column("name"), column("estimated")]);
    for (date, (kind, name, estimated)) in days {
        rows.push(vec![
            date.into(),
            Cell::Word(kind),
            Cell::text(name),
            Cell::Word(if estimated { "yes" } else { "no" }),
        ]);
    }
    ctx.rows(&rows)?;
    warn_unknown(ctx, Date::from_ymd(year, 12, 31).unwrap_or(Date::MAX));
    Ok(Exit::Done)
}

/// Says so when this version does not know the public holidays of a day's year.
pub(crate) fn warn_unknown(ctx: &Context, day: Date) {
    let policy = &ctx.config.policy.isolation;
    let keeps_any = policy.public_holidays != holiday::PublicHolidays::None;
    let own = policy.holidays.iter().any(|own| own.ymd().0 == day.ymd().0);
    if keeps_any && !own && day >= holiday::known_before() {
        ctx.warn("warn.holidays_unknown", &[("year", day.ymd().0.to_string())]);
    }
}
