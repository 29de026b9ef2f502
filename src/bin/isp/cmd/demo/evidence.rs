//! Gathers what the proof rests on: from the store, from the routers over their API, from the simulators of WhatsApp and of the payment gateway.

use std::collections::BTreeMap;

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use isp_core::Money;
use isp_core::ids::{OutboxId, SubscriptionId, TenantId};
use isp_core::isolation::{AccessEvent, AccessEventKind, Decision, decide_isolation};
use isp_core::ports::{AccessControl as _, AccessQuery, InvoiceQuery, OutboxQuery, PageQuery};

use super::night::Gateway;
use super::proof::Evidence;
use super::stage::Stage;

/// More rows than the demo has of anything; its lists fit one page.
const ALL: u32 = 100_000;
/// Messages under way at once when the process died.
const UNDER_WAY: usize = 16;
const TENANT: TenantId = TenantId::DEFAULT;

/// Gathers everything at `now`.
pub(super) async fn gather(stage: &Stage, now: DateTime<Utc>, crashes: usize) -> anyhow::Result<Evidence> {
    let (store, engine) = (stage.store.as_ref(), stage.engine());
    let customers = engine.all_customers().await?;
    let lines = engine.all_subscriptions().await?;
    let payments = store.payments(TENANT, None, PageQuery::first(ALL)).await?;
    let mut allocations = BTreeMap::new();
    for row in &payments {
        allocations.insert(row.payment.id, store.allocations(TENANT, row.payment.id).await?);
    }
    let everyone = AccessQuery::Customers(customers.iter().map(|c| c.id).collect());
    let facts = store.load_access(TENANT, &everyone, PageQuery::first(ALL)).await?;
    let policy = &stage.policy.isolation;
    Ok(Evidence {
        customers: customers.iter().map(|c| (c.id, c.code.to_string())).collect(),
        invoices: store.invoices(TENANT, InvoiceQuery::default(), PageQuery::first(ALL)).await?,
        journal: store.journal(TENANT, PageQuery::first(ALL)).await?,
        outbox: store.outbox(TENANT, OutboxQuery::default(), PageQuery::first(ALL)).await?,
        answers: answers(stage, now).await?,
        accepted: accepted(stage)?,
        isolations: isolations(stage, &lines.iter().map(|(s, _)| s.id).collect::<Vec<_>>()).await?,
        standing: facts.iter().map(|f| (f.subscription_id, decide_isolation(f, policy, now))).collect(),
        at_gateway: at_gateway(stage).await?,
        unknown_allowed: crashes * UNDER_WAY,
        lines,
        payments,
        allocations,
    })
}

/// What the gateway says it holds, and what the books say.
async fn at_gateway(stage: &Stage) -> anyhow::Result<(Money, Money)> {
    let Gateway { simulator, port } = &stage.gateway;
    let balances = stage.store.gateway_balances(TENANT).await?;
    let booked = balances.iter().find(|b| b.gateway == *port.name()).map(|b| b.holds());
    Ok((simulator.holds(), booked.unwrap_or_default()))
}

async fn answers(
    stage: &Stage,
    now: DateTime<Utc>,
) -> anyhow::Result<BTreeMap<SubscriptionId, Option<isp_core::isolation::Access>>> {
    let mut answers = BTreeMap::new();
    for (id, (router, _)) in &stage.routers {
        let targets = stage.store.router_targets(TENANT, *id, PageQuery::first(ALL)).await?;
        let observed = stage.access.observe(&router.endpoint, &targets, now).await?;
        answers.extend(targets.iter().map(|t| t.subscription_id).zip(observed.into_iter().map(|o| o.access)));
    }
    Ok(answers)
}

/// The outbox ids in what WhatsApp would give back with its status webhooks.
fn accepted(stage: &Stage) -> anyhow::Result<Vec<OutboxId>> {
    let messages = stage.whatsapp.messages();
    let ids = messages.iter().map(|message| {
        let data = message.callback_data.as_deref().context("a message without callback data")?;
        let id = data.rsplit(':').next().and_then(|id| uuid::Uuid::parse_str(id).ok());
        id.map(OutboxId).context("callback data that is not tenant:outbox id")
    });
    ids.collect()
}

/// Every isolation for arrears, decided again from the facts as they were just before.
async fn isolations(stage: &Stage, lines: &[SubscriptionId]) -> anyhow::Result<Vec<(AccessEvent, Option<Decision>)>> {
    let mut all = Vec::new();
    for line in lines {
        let events = stage.store.access_events(TENANT, *line).await?;
        for event in events.into_iter().filter(|e| e.kind == AccessEventKind::IsolatedArrears) {
            let customer = stage.people.of_line(*line)?.id;
            let facts = stage.store.access_at(TENANT, &[customer], event.at - TimeDelta::milliseconds(1)).await?;
            let before = facts.iter().find(|f| f.subscription_id == *line);
            let again = before.map(|f| decide_isolation(f, &stage.policy.isolation, event.at));
            all.push((event, again));
        }
    }
    Ok(all)
}
