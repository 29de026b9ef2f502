//! `isp enforce`, `isp isolate`, `isp reopen`: what the engine decides about access, and what a person does.

use std::collections::BTreeSet;

use clap::Args;
use isp_core::calendar::Zone;
use isp_core::engine::{Approval, EnforceReport, Said};
use isp_core::ids::SubscriptionId;
use isp_core::ports::{AccessQuery, PageQuery};
use isp_core::simulation::What;
use isp_core::text::Code;

use super::clock::{Clock, DryRun};
use super::{args, find, simulate};
use crate::context::Context;
use crate::failure::Exit;
use crate::output::{Cell, Rows, column};

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Enforce {
    /// Let this router pass its breaker once; may be given several times.
    #[arg(long = "approve", value_name = "ROUTER", value_parser = args::code)]
    approve: Vec<Code>,
    /// Let every router pass its breaker once.
    #[arg(long)]
    approve_all: bool,
    #[command(flatten)]
    dry: DryRun,
    #[command(flatten)]
    clock: Clock,
}

#[derive(Debug, Args)]
pub(crate) struct ByHand {
    /// Who: customer ID, phone number, PPPoE user name, or a part of the name.
    #[arg(value_parser = args::whom)]
    customer: args::Whom,
    /// Why; it is kept with your name and shown by `explain`.
    #[arg(long)]
    reason: String,
}

impl Enforce {
    /// True when it is only to be shown.
    pub(crate) const fn dry(&self) -> bool {
        self.dry.dry_run
    }

    /// Says of a dry run that the real one would be refused for its moment.
    pub(crate) async fn warn_of_clock(&self, ctx: &Context) -> anyhow::Result<()> {
        self.clock.warn(ctx).await
    }

    /// All that a person said before a run.
    pub(crate) async fn said(&self, ctx: &Context) -> anyhow::Result<Said> {
        Ok(Said { approval: self.approval(ctx).await?, clock: self.clock.word(ctx) })
    }

    /// Whose breaker a person has approved; a router that is not there is said before anything is written.
    pub(crate) async fn approval(&self, ctx: &Context) -> anyhow::Result<Approval> {
        if self.approve_all {
            return Ok(Approval::All);
        }
        let store = ctx.store().await?;
        let mut routers = BTreeSet::new();
        for code in &self.approve {
            routers.insert(find::router(ctx, store, code).await?.id);
        }
        Ok(if routers.is_empty() { Approval::None } else { Approval::Routers(routers) })
    }
}

pub(crate) async fn enforce(ctx: &Context, args: &Enforce) -> anyhow::Result<Exit> {
    if args.dry() {
        let access = |what: &What| matches!(what, What::Isolated { .. } | What::Reopened { .. } | What::Closed { .. });
        args.warn_of_clock(ctx).await?;
        return simulate::foretell(ctx, &args.approval(ctx).await?, access).await;
    }
    let approval = args.approval(ctx).await?;
    args.clock.begin(ctx).await?;
    let store = ctx.store().await?;
    let report = ctx.engine(store).enforce(ctx.now, &approval).await?;
    ctx.rows(&changed(ctx, &report).await?)?;
    say_waiting(ctx, &report)?;
    warn_held(ctx, &report).await?;
    warn_money_waits(ctx, &report).await?;
    super::holidays::warn_unknown(ctx, ctx.today());
    Ok(if report.held.is_empty() { Exit::Done } else { Exit::Refused })
}

/// Says how many lines wait for the hour of isolation. Who runs only before it would isolate nobody, and not know why.
pub(crate) fn say_waiting(ctx: &Context, report: &EnforceReport) -> anyhow::Result<()> {
    if report.waiting == 0 {
        return Ok(());
    }
    let hour = ctx.config.policy.isolation.isolate_at.to_string();
    ctx.say("done.waiting", &[("count", report.waiting.to_string()), ("hour", hour)])
}

/// Says how much money of the bank nobody is known by, when somebody was isolated, who may have sent it.
pub(crate) async fn warn_money_waits(ctx: &Context, report: &EnforceReport) -> anyhow::Result<()> {
    if report.isolated.is_empty() {
        return Ok(());
    }
    let (count, amount) = ctx.store().await?.waiting_mutations(ctx.tenant()).await?;
    if count > 0 {
        ctx.warn("warn.mutations_waiting", &[("count", count.to_string()), ("amount", amount.to_string())]);
    }
    Ok(())
}

/// Names the routers whose breaker held something back.
pub(crate) async fn warn_held(ctx: &Context, report: &EnforceReport) -> anyhow::Result<()> {
    if report.held.is_empty() {
        return Ok(());
    }
    let routers = ctx.store().await?.routers(ctx.tenant()).await?;
    for held in &report.held {
        let router = routers.iter().find(|r| Some(r.id) == held.router_id);
        let variables = [
            ("router", router.map_or_else(|| "-".to_owned(), |r| r.code.to_string())),
            ("count", held.would_isolate.to_string()),
            ("closed", held.would_close.to_string()),
            ("limit", held.limit.to_string()),
        ];
        ctx.warn("warn.held", &variables);
    }
    Ok(())
}

/// Whose access changed, and how.
async fn changed(ctx: &Context, report: &EnforceReport) -> anyhow::Result<Rows> {
    let store = ctx.store().await?;
    let mut rows = Rows::new(&[column("customer"), column("name"), column("action")]);
    let lists: [(&'static str, &[SubscriptionId]); 4] = [
        ("isolated", &report.isolated),
        ("reopened", &report.reopened),
        ("closed", &report.closed),
        ("regrouped", &report.regrouped),
    ];
    for (action, ids) in lists {
        for chunk in ids.chunks(1_000) {
            let query = AccessQuery::Subscriptions(chunk.to_vec());
            let facts = store.load_access(ctx.tenant(), &query, PageQuery::first(1_000)).await?;
            let people = find::people(ctx, store, facts.iter().map(|f| f.customer_id)).await?;
            for facts in facts {
                let customer = people.get(&facts.customer_id);
                rows.push(vec![
                    Cell::maybe(customer.map(|c| &c.code)),
                    Cell::maybe(customer.map(|c| &c.name)),
                    Cell::Word(action),
                ]);
            }
        }
    }
    Ok(rows)
}

pub(crate) async fn isolate(ctx: &Context, args: ByHand) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let customer = find::customer(ctx, store, &args.customer).await?;
    let lines = ctx.engine(store).isolate(customer.id, ctx.officer.as_str(), &args.reason, ctx.now).await?;
    ctx.say("done.isolated", &[("code", find::named(&customer)), ("count", lines.len().to_string())])?;
    Ok(Exit::Done)
}

pub(crate) async fn reopen(ctx: &Context, args: ByHand) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let customer = find::customer(ctx, store, &args.customer).await?;
    let lines = ctx.engine(store).reopen(customer.id, ctx.officer.as_str(), &args.reason, ctx.now).await?;
    ctx.say("done.reopened", &[("code", find::named(&customer)), ("count", lines.len().to_string())])?;
    if let Some(at) = ctx.engine(store).isolated_again(customer.id, ctx.now).await? {
        let variables = [("code", find::named(&customer)), ("at", super::record::moment(at, Zone::Wib))];
        ctx.warn("warn.isolated_again", &variables);
    }
    Ok(Exit::Done)
}
