//! What a run found on the routers, told: what differed and was brought back, and what a person has to look at.

use std::collections::{BTreeMap, BTreeSet};

use isp_core::engine::{DeliverReport, SurveyReport};
use isp_core::ids::{RouterId, SubscriptionId};

use crate::context::Context;
use crate::failure::Exit;

/// Lines named one by one; the rest is counted.
const NAMED: usize = 20;

/// Says how many lines were read and how many were brought back.
pub(crate) fn say(ctx: &Context, report: &SurveyReport) -> anyhow::Result<()> {
    let back = report.drifted.iter().filter(|drifted| drifted.brought_back).count();
    let variables =
        [("lines", report.lines.to_string()), ("differ", report.drifted.len().to_string()), ("back", back.to_string())];
    ctx.say("done.surveyed", &variables)
}

/// Names what differed, what is held, and what a person has to look at.
pub(crate) async fn warn(ctx: &Context, report: &SurveyReport, delivered: &DeliverReport) -> anyhow::Result<()> {
    let routers = ctx.store().await?.routers(ctx.tenant()).await?;
    let codes: BTreeMap<RouterId, String> = routers.into_iter().map(|r| (r.id, r.code.to_string())).collect();
    let code = |id: &RouterId| codes.get(id).cloned().unwrap_or_else(|| id.to_string());
    for drifted in report.drifted.iter().take(NAMED) {
        let difference = &drifted.difference;
        let variables = [
            ("router", code(&drifted.router_id)),
            ("account", difference.username.to_string()),
            ("kind", ctx.texts.t(&format!("word.{}", difference.kind.code()))),
            ("answer", difference.answer.clone()),
        ];
        ctx.warn(if drifted.brought_back { "warn.brought_back" } else { "warn.drifted" }, &variables);
    }
    if report.drifted.len() > NAMED {
        ctx.warn("warn.drifted_more", &[("count", (report.drifted.len() - NAMED).to_string())]);
    }
    // What the delivery was refused is named by it.
    let named: BTreeSet<SubscriptionId> = delivered.refused_accounts.iter().map(|a| a.subscription_id).collect();
    for drifted in report.refused.iter().filter(|d| !named.contains(&d.difference.subscription_id)).take(NAMED) {
        let variables = [
            ("router", code(&drifted.router_id)),
            ("account", drifted.difference.username.to_string()),
            ("answer", drifted.difference.answer.clone()),
        ];
        ctx.warn("warn.drift_refused", &variables);
    }
    for (router, account) in report.left.iter().take(NAMED) {
        ctx.warn("warn.left_account", &[("router", code(router)), ("account", account.clone())]);
    }
    for held in &report.held {
        let variables = [
            ("router", held.router_id.as_ref().map_or_else(|| "-".to_owned(), code)),
            ("count", held.would_isolate.to_string()),
            ("closed", held.would_close.to_string()),
            ("limit", held.limit.to_string()),
        ];
        ctx.warn("warn.drift_held", &variables);
    }
    for (router, reason) in &report.unread {
        ctx.warn("warn.router_unread", &[("router", code(router)), ("reason", ctx.texts.port(reason))]);
    }
    findings(ctx, report, code);
    Ok(())
}

/// One sentence for each kind of finding on a router, with the first that it is about.
fn findings(ctx: &Context, report: &SurveyReport, code: impl Fn(&RouterId) -> String) {
    let mut kinds: BTreeMap<(RouterId, &str), (usize, String)> = BTreeMap::new();
    for (router, finding) in &report.findings {
        let first = || {
            let what = ctx.texts.finding(finding.code, &finding.what);
            if finding.name.is_empty() { what } else { format!("{}: {what}", finding.name) }
        };
        kinds.entry((*router, finding.code)).or_insert_with(|| (0, first())).0 += 1;
    }
    for ((router, error), (count, what)) in kinds {
        let variables =
            [("router", code(&router)), ("what", what), ("count", count.to_string()), ("error", error.to_owned())];
        ctx.warn(if count == 1 { "warn.router_finding" } else { "warn.router_findings" }, &variables);
    }
}

/// What the run ends with for what was found.
pub(crate) fn exit(report: &SurveyReport) -> Exit {
    match () {
        () if !report.held.is_empty() => Exit::Refused,
        () if !report.refused.is_empty() || !report.unread.is_empty() => Exit::Partial,
        () => Exit::Done,
    }
}
