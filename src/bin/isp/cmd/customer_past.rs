//! What happened with a customer lately: payments, messages, access. A part of `isp customer show`.

use std::cmp::Reverse;

use isp_core::calendar::Zone;
use isp_core::customer::Customer;
use isp_core::isolation::ServiceAccess;
use isp_core::ports::{Effect, OutboxQuery, PageQuery, Store, Topic};
use isp_core::subscription::Subscription;

use super::record;
use crate::context::Context;
use crate::output::{Cell, Rows, column, number};

/// How many of each are shown; the lists have the rest.
const SHOWN: usize = 5;

pub(super) async fn show(
    ctx: &Context,
    store: &dyn Store,
    customer: &Customer,
    lines: &[(Subscription, ServiceAccess)],
) -> anyhow::Result<()> {
    let all = PageQuery::first(100_000);
    let mut payments = store.payments(ctx.tenant(), Some(customer.id), all).await?;
    payments.sort_by_key(|row| Reverse((row.payment.paid_at, row.payment.id)));
    let mut rows = Rows::new(&[
        column("paid_at"),
        column("provider"),
        column("reference"),
        number("amount"),
        number("left"),
        column("reversed"),
    ]);
    for row in payments.iter().take(SHOWN) {
        rows.push(vec![
            Zone::Wib.date_of(row.payment.paid_at).into(),
            Cell::text(&row.payment.provider),
            Cell::text(&row.payment.reference),
            row.payment.amount.into(),
            row.left.into(),
            Cell::maybe(row.reversal.as_ref().map(|r| &r.reason)),
        ]);
    }
    print(ctx, &rows)?;

    let query = OutboxQuery { topic: Some(Topic::Message), state: None, customer: Some(customer.id) };
    let mut messages = store.outbox(ctx.tenant(), query, PageQuery::first(100_000)).await?;
    messages.sort_by_key(|row| Reverse((row.finished_at.unwrap_or(row.next_attempt), row.id)));
    let mut rows = Rows::new(&[column("message"), column("state"), column("date"), column("note")]);
    for row in messages.iter().take(SHOWN) {
        let Effect::Message(message) = &row.effect else { continue };
        rows.push(vec![
            Cell::Word(message.kind.code()),
            Cell::Word(row.state.code()),
            Cell::text(record::moment(row.finished_at.unwrap_or(row.next_attempt), Zone::Wib)),
            Cell::text(&row.note),
        ]);
    }
    print(ctx, &rows)?;

    let mut rows = Rows::new(&[
        column("username"),
        column("happened"),
        column("date"),
        column("by"),
        column("note"),
        number("overdue"),
    ]);
    let mut events = Vec::new();
    for (line, _) in lines {
        let of_line = store.access_events(ctx.tenant(), line.id).await?;
        events.extend(of_line.into_iter().map(|event| (line.account.username.clone(), event)));
    }
    events.sort_by_key(|(_, event)| Reverse((event.at, event.subscription_id)));
    for (username, event) in events.into_iter().take(SHOWN) {
        rows.push(vec![
            Cell::text(username),
            Cell::Word(event.kind.code()),
            Cell::text(record::moment(event.at, Zone::Wib)),
            Cell::text(&event.by),
            Cell::text(&event.reason),
            event.overdue.into(),
        ]);
    }
    print(ctx, &rows)
}

fn print(ctx: &Context, rows: &Rows) -> anyhow::Result<()> {
    if rows.len() == 0 { Ok(()) } else { ctx.rows(rows) }
}
