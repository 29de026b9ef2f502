//! `isp simulate`: what would happen, under today's policy and under another, without writing anything.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use isp_core::calendar::Date;
use isp_core::customer::Customer;
use isp_core::engine::{Approval, Simulated};
use isp_core::ids::CustomerId;
use isp_core::simulation::{Event, What};
use isp_core::{Money, Policy};

use super::find;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{Cell, Format, Rows, column, number};

#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// First day.
    #[arg(long)]
    from: Date,
    /// Last day.
    #[arg(long)]
    to: Date,
    /// A file with the settings to try, such as `[policy.isolation]` and `isolate_after_days = 3`; what it does not
    /// name stays as it is.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// List everything that would happen, not only what differs.
    #[arg(long)]
    details: bool,
}

pub(crate) async fn run(ctx: &Context, args: &Simulate) -> anyhow::Result<Exit> {
    let today = &ctx.config.policy;
    let other = args.policy.as_deref().map(|file| overlaid(today, file)).transpose()?;
    let policies: Vec<&Policy> = std::iter::once(today).chain(&other).collect();
    let store = ctx.store().await?;
    let results = ctx.engine(store).simulate(&policies, args.from, args.to, ctx.now).await?;
    let (Some(before), after) = (results.first(), results.get(1)) else { return Ok(Exit::Done) };
    let people = Names::load(ctx, results.iter().flat_map(|r| &r.events)).await?;
    let listed = listed(ctx, before, after, &people, args.details || ctx.format != Format::Table);
    if ctx.format == Format::Table {
        ctx.rows(&summary(before, after))?;
        if after.is_some() {
            ctx.say("simulation.differences", &[])?;
        }
        if after.is_some() || args.details {
            ctx.rows(&listed)?;
        }
    } else {
        ctx.rows(&listed)?;
    }
    warn_held(ctx, after.unwrap_or(before)).await?;
    Ok(Exit::Done)
}

/// Shows what one run would do now, with what was missed; nothing is written.
pub(crate) async fn foretell(
    ctx: &Context,
    approval: &Approval,
    wanted: impl Fn(&What) -> bool,
) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let mut foretold = ctx.engine(store).foretell(ctx.now).await?;
    foretold.held.retain(|(_, router, ..)| !approval.covers(*router));
    let events: Vec<&Event> = foretold.events.iter().filter(|event| wanted(&event.what)).collect();
    let people = Names::load(ctx, events.iter().copied()).await?;
    let mut rows = Rows::new(&[
        column("date"),
        column("customer"),
        column("name"),
        column("what"),
        number("amount"),
        column("note"),
    ]);
    let routers = if foretold.held.is_empty() { Vec::new() } else { store.routers(ctx.tenant()).await? };
    let mut totals = Totals::default();
    let mut held = 0_u64;
    for event in events {
        let (word, amount, mut note) = told(ctx, event);
        if foretold.held.iter().any(|(day, router, ..)| event.is_held_by(*day, *router)) {
            let router = routers.iter().find(|router| Some(router.id) == event.router_id);
            let router = router.map_or_else(|| "-".to_owned(), |router| router.code.to_string());
            note = Cell::text(ctx.texts.with("simulation.held", &[("router", router)]));
            held += 1;
        }
        totals.add(event);
        let (code, name) = people.of(event.customer_id);
        rows.push(vec![event.on.into(), code, name, Cell::Word(word), amount, note]);
    }
    ctx.rows(&rows)?;
    warn_held(ctx, &foretold).await?;
    let variables = [
        ("invoices", totals.invoices.to_string()),
        ("invoiced", totals.invoiced.to_string()),
        ("given_back", if totals.given_back.is_zero() { String::new() } else { totals.given_back.to_string() }),
        ("reminders", totals.reminders.to_string()),
        ("isolated", totals.isolated.to_string()),
        ("held", if held == 0 { String::new() } else { held.to_string() }),
        ("reopened", totals.reopened.to_string()),
    ];
    ctx.say("simulation.totals", &variables)?;
    ctx.say("import.dry_run", &[])?;
    Ok(Exit::Done)
}

/// Today's policy with what a file says otherwise.
fn overlaid(today: &Policy, file: &Path) -> Result<Policy, Failure> {
    let place = file.display().to_string();
    let bad = |reason: String| Failure::Config { place: place.clone(), reason };
    let text = crate::config::read_text(file).map_err(bad)?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| bad(error.message().to_owned()))?;
    let Some(toml::Value::Table(wanted)) = table.get("policy") else {
        return Err(bad("has no [policy...] table".to_owned()));
    };
    let mut merged = toml::Table::try_from(today).map_err(|error| bad(error.to_string()))?;
    merge(&mut merged, wanted);
    let policy: Policy = merged.try_into().map_err(|error: toml::de::Error| bad(error.message().to_owned()))?;
    policy.checked().map_err(|error| bad(error.to_string()))
}

fn merge(base: &mut toml::Table, wanted: &toml::Table) {
    for (key, value) in wanted {
        match (base.get_mut(key), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(wanted)) => merge(below, wanted),
            _ => drop(base.insert(key.clone(), value.clone())),
        }
    }
}

/// The numbers of one policy, and of both beside each other.
fn summary(before: &Simulated, after: Option<&Simulated>) -> Rows {
    let mut columns = vec![column("what"), number("today_policy")];
    if after.is_some() {
        columns.extend([number("other_policy"), number("difference")]);
    }
    let mut rows = Rows::new(&columns);
    let (old, new) = (Totals::of(before), after.map(Totals::of));
    for (at, (word, value)) in old.counts().into_iter().enumerate() {
        let mut cells = vec![Cell::Word(word), Cell::Number(value)];
        if let Some((_, other)) = new.as_ref().and_then(|n| n.counts().get(at).copied()) {
            cells.extend([Cell::Number(other), Cell::Number(other - value)]);
        }
        rows.push(cells);
    }
    for (word, of) in [("invoiced", (|t| t.invoiced) as fn(&Totals) -> Money), ("given_back", |t| t.given_back)] {
        let mut cells = vec![Cell::Word(word), of(&old).into()];
        if let Some(new) = &new {
            cells.extend([of(new).into(), (of(new) - of(&old)).into()]);
        }
        rows.push(cells);
    }
    rows
}

#[derive(Debug, Default)]
struct Totals {
    invoices: i64,
    invoiced: Money,
    given_back: Money,
    problems: i64,
    reminders: i64,
    isolated: i64,
    reopened: i64,
}

impl Totals {
    fn of(simulated: &Simulated) -> Self {
        simulated.events.iter().fold(Self::default(), |mut sum, event| {
            sum.add(event);
            sum
        })
    }

    fn add(&mut self, event: &Event) {
        match event.what {
            What::Billed { total, .. } => {
                self.invoices += 1;
                self.invoiced += total;
            }
            What::GivenBack { total } => self.given_back += total,
            What::NotBilled { .. } => self.problems += 1,
            What::Reminded { .. } => self.reminders += 1,
            What::Isolated { .. } => self.isolated += 1,
            What::Reopened { .. } => self.reopened += 1,
            What::Closed { .. } => {}
        }
    }

    fn counts(&self) -> [(&'static str, i64); 5] {
        [
            ("invoices", self.invoices),
            ("not_billed", self.problems),
            ("reminders", self.reminders),
            ("isolated", self.isolated),
            ("reopened", self.reopened),
        ]
    }
}

/// What would happen, day by day: all of it, or only what one policy has and the other has not.
fn listed(ctx: &Context, before: &Simulated, after: Option<&Simulated>, people: &Names, all: bool) -> Rows {
    let mut columns =
        vec![column("date"), column("customer"), column("name"), column("what"), number("amount"), column("note")];
    // Of one policy alone people need not be told which it is.
    let named = after.is_some() || ctx.format != Format::Table;
    columns.extend(named.then(|| column("policy")));
    let mut rows = Rows::new(&columns);
    let mut found: Vec<(&Event, &'static str)> = Vec::new();
    match after {
        None => found.extend(before.events.iter().map(|event| (event, "today_policy"))),
        Some(after) => {
            let (old, new) = (by_customer(&before.events), by_customer(&after.events));
            let has = |side: &BTreeMap<CustomerId, Vec<&Event>>, event: &Event| {
                side.get(&event.customer_id).is_some_and(|events| events.contains(&event))
            };
            for event in &before.events {
                found.push((event, if has(&new, event) { "both_policies" } else { "today_policy" }));
            }
            let added = after.events.iter().filter(|event| !has(&old, event));
            found.extend(added.map(|event| (event, "other_policy")));
        }
    }
    found.retain(|(_, policy)| all || *policy != "both_policies");
    found.sort_by_key(|(event, _)| (event.on, event.customer_id));
    for (event, policy) in found {
        let (word, amount, note) = told(ctx, event);
        let (code, name) = people.of(event.customer_id);
        let mut cells = vec![event.on.into(), code, name, Cell::Word(word), amount, note];
        cells.extend(named.then_some(Cell::Word(policy)));
        rows.push(cells);
    }
    rows
}

fn by_customer(events: &[Event]) -> BTreeMap<CustomerId, Vec<&Event>> {
    events.iter().fold(BTreeMap::new(), |mut map, event| {
        map.entry(event.customer_id).or_insert_with(Vec::new).push(event);
        map
    })
}

/// An event as a word, an amount and a note.
fn told(ctx: &Context, event: &Event) -> (&'static str, Cell, Cell) {
    match event.what {
        What::Billed { due_date, total, .. } => {
            let note = ctx.texts.with("simulation.due", &[("date", due_date.to_string())]);
            ("billed", total.into(), Cell::text(note))
        }
        What::GivenBack { total } => ("given_back", total.into(), Cell::Empty),
        What::NotBilled { code } => ("not_billed", Cell::Empty, Cell::text(code)),
        What::Reminded { reminder, level } => {
            let note = ctx.texts.with("simulation.level", &[("days", level.to_string())]);
            (reminder.code(), Cell::Empty, Cell::text(note))
        }
        What::Isolated { overdue } => ("isolated", overdue.into(), Cell::Empty),
        What::Reopened { reason } => ("reopened", Cell::Empty, Cell::text(reason.code())),
        What::Closed { reason } => ("closed", Cell::Empty, Cell::text(reason.code())),
    }
}

/// Codes and names of those to whom something would happen.
struct Names(BTreeMap<CustomerId, Customer>);

impl Names {
    async fn load(ctx: &Context, events: impl Iterator<Item = &Event>) -> anyhow::Result<Self> {
        let store = ctx.store().await?;
        let people = find::people(ctx, store, events.map(|event| event.customer_id)).await?;
        Ok(Self(people))
    }

    fn of(&self, id: CustomerId) -> (Cell, Cell) {
        let customer = self.0.get(&id);
        (Cell::maybe(customer.map(|c| &c.code)), Cell::maybe(customer.map(|c| &c.name)))
    }
}

async fn warn_held(ctx: &Context, simulated: &Simulated) -> anyhow::Result<()> {
    if simulated.held.is_empty() {
        return Ok(());
    }
    let routers = ctx.store().await?.routers(ctx.tenant()).await?;
    for (day, router, count, limit) in &simulated.held {
        let router = routers.iter().find(|r| Some(r.id) == *router);
        let variables = [
            ("date", day.to_string()),
            ("router", router.map_or_else(|| "-".to_owned(), |r| r.code.to_string())),
            ("count", count.to_string()),
            ("limit", limit.to_string()),
        ];
        ctx.warn("warn.would_be_held", &variables);
    }
    Ok(())
}
