//! `isp router confirm` and `isp router reclaim`: a person's word about which machine and which marks are ours.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use isp_core::ids::SubscriptionId;
use isp_core::ports::{PageQuery, Store};
use isp_core::text::Code;
use isp_mikrotik::access::StrangeMark;
use isp_mikrotik::mark::Owner;

use super::router::in_use;
use super::{args, router};
use crate::context::Context;
use crate::failure::Exit;
use crate::output::{Cell, Rows, column};
use crate::wire;

#[derive(Debug, Args)]
pub(crate) struct Confirm {
    /// Router code.
    #[arg(value_parser = args::code)]
    code: Code,
}

pub(crate) async fn confirm(ctx: &Context, args: Confirm) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let asked = in_use(ctx, store, &args.code).await?;
    let access = wire::routers(&ctx.config);
    let engine = ctx.engine(store);
    let code = || ("code", asked.code.to_string());
    match engine.confirm_machine(&access, &asked, ctx.officer.as_str(), ctx.now).await? {
        Err(error) => Ok(router::down(ctx, &asked, &error)),
        Ok(None) => Ok(Exit::Done),
        Ok(Some(confirmed)) => {
            let machine = ("machine", confirmed.now.to_string());
            match confirmed.before.filter(|before| *before != confirmed.now) {
                Some(before) => {
                    ctx.say("done.machine_changed", &[code(), machine, ("before", before.to_string())])?;
                }
                None => ctx.say("done.machine_confirmed", &[code(), machine])?,
            }
            Ok(Exit::Done)
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Reclaim {
    /// Router code.
    #[arg(value_parser = args::code)]
    code: Code,
    /// Take the marks whose account has our password.
    #[arg(long)]
    take: bool,
    /// With --take: also those whose password is another one, is not shown, or does not exist.
    #[arg(long, requires = "take")]
    all: bool,
}

pub(crate) async fn reclaim(ctx: &Context, args: Reclaim) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let asked = in_use(ctx, store, &args.code).await?;
    let (engine, worker) = (ctx.engine(store), ctx.worker().await?);
    let access = wire::routers(&ctx.config);
    let Some(hold) = engine.turn_at(&worker, asked.id).await? else {
        ctx.warn("warn.router_taken", &[("router", asked.code.to_string())]);
        return Ok(Exit::Partial);
    };
    let work = async {
        if let Err(error) = engine.meet(&access, &asked, ctx.now).await? {
            return Ok(router::down(ctx, &asked, &error));
        }
        let (owners, customers) = lines(ctx, store).await?;
        let targets = router::targets(ctx, store, &asked).await?;
        let marks = match access.strange_marks(&asked.endpoint, &targets, &owners).await {
            Ok(marks) => marks,
            Err(error) => return Ok(router::down(ctx, &asked, &error)),
        };
        let chosen = |mark: &StrangeMark| mark.line.is_some() && (args.all || mark.same_password == Some(true));
        show(ctx, &marks, &customers, &chosen)?;
        let strangers = marks.iter().filter(|mark| mark.line.is_none()).count();
        if strangers > 0 {
            let variables = [("router", asked.code.to_string()), ("count", strangers.to_string())];
            ctx.warn("warn.marks_of_others", &variables);
        }
        let count = marks.iter().filter(|mark| chosen(mark)).count().to_string();
        if !args.take {
            if marks.len() > strangers {
                ctx.say("done.reclaim_shown", &[("code", asked.code.to_string()), ("count", count)])?;
            }
            return Ok(Exit::Done);
        }
        match access.reclaim(&asked.endpoint, &targets, &owners, chosen).await {
            Ok(taken) => {
                ctx.say("done.reclaimed", &[("code", asked.code.to_string()), ("count", taken.to_string())])?;
                Ok(Exit::Done)
            }
            Err(error) => Ok(router::down(ctx, &asked, &error)),
        }
    };
    let exit: anyhow::Result<Exit> = engine.renewing(&worker, work).await;
    store.free_router(ctx.tenant(), hold).await?;
    exit
}

/// All lines in the short form of marks, and the customer's code of each.
async fn lines(
    ctx: &Context,
    store: &dyn Store,
) -> anyhow::Result<(BTreeSet<Owner>, BTreeMap<SubscriptionId, String>)> {
    let (mut owners, mut customers) = (BTreeSet::new(), BTreeMap::new());
    let mut page = PageQuery::first(ctx.config.worker.page);
    loop {
        let rows = store.subscriptions(ctx.tenant(), None, page).await?;
        let more = page.advance(&rows, |(last, _)| last.id);
        let ids: Vec<_> = rows.iter().map(|(line, _)| line.customer_id).collect();
        let codes: BTreeMap<_, _> = store.customer_codes(ctx.tenant(), &ids).await?.into_iter().collect();
        for (line, _) in rows {
            owners.insert(Owner::of(line.id));
            let code = codes.get(&line.customer_id).map(ToString::to_string).unwrap_or_default();
            customers.insert(line.id, code);
        }
        if !more {
            return Ok((owners, customers));
        }
    }
}

fn show(
    ctx: &Context,
    marks: &[StrangeMark],
    customers: &BTreeMap<SubscriptionId, String>,
    chosen: &impl Fn(&StrangeMark) -> bool,
) -> anyhow::Result<()> {
    let mut rows =
        Rows::new(&[column("account"), column("mark"), column("customer"), column("password"), column("action")]);
    for mark in marks {
        let password = match (mark.line, mark.same_password) {
            (None, _) => Cell::Empty,
            (_, Some(true)) => Cell::Word("same"),
            (_, Some(false)) => Cell::Word("other"),
            (_, None) => Cell::Word("unknown"),
        };
        let action = match mark.line {
            None => "stranger",
            Some(_) if chosen(mark) => "take",
            Some(_) => "leave",
        };
        let customer = mark.line.and_then(|line| customers.get(&line));
        let (name, owner) = (Cell::text(&mark.name), Cell::text(mark.owner.as_str()));
        rows.push(vec![name, owner, Cell::maybe(customer), password, Cell::Word(action)]);
    }
    ctx.rows(&rows)
}
