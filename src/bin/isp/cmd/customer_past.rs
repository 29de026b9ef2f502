//! What happened with a customer lately: payments, messages, access. A part of `isp customer show`, and of the copy of `isp privacy export`.

use std::cmp::Reverse;

use isp_core::calendar::Zone;
use isp_core::customer::Customer;
use isp_core::isolation::explain::engine_reason;
use isp_core::isolation::{AccessEvent, ServiceAccess};
use isp_core::ports::{Effect, OutboxQuery, OutboxRow, PageQuery, PaymentRow, Store, Topic};
use isp_core::subscription::Subscription;
use isp_core::text::RouterName;

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
    print(ctx, &payment_rows(payments.iter().take(SHOWN)))?;

    let query = OutboxQuery { topic: Some(Topic::Message), state: None, customer: Some(customer.id) };
    let mut messages = store.outbox(ctx.tenant(), query, PageQuery::first(100_000)).await?;
    messages.sort_by_key(|row| Reverse((row.finished_at.unwrap_or(row.next_attempt), row.id)));
    print(ctx, &message_rows(messages.iter().take(SHOWN)))?;

    let mut events = events(ctx, store, lines).await?;
    events.sort_by_key(|(_, event)| Reverse((event.at, event.subscription_id)));
    events.truncate(SHOWN);
    print(ctx, &event_rows(events))
}

/// Payments, in the order given.
pub(super) fn payment_rows<'a>(payments: impl Iterator<Item = &'a PaymentRow>) -> Rows {
    let mut rows = Rows::new(&[
        column("paid_at"),
        column("provider"),
        column("reference"),
        number("amount"),
        number("left"),
        column("reversed"),
    ]);
    for row in payments {
        rows.push(vec![
            Zone::Wib.date_of(row.payment.paid_at).into(),
            Cell::text(&row.payment.provider),
            Cell::text(&row.payment.reference),
            row.payment.amount.into(),
            row.left.into(),
            Cell::maybe(row.reversal.as_ref().map(|r| &r.reason)),
        ]);
    }
    rows
}

/// Messages, in the order given.
pub(super) fn message_rows<'a>(messages: impl Iterator<Item = &'a OutboxRow>) -> Rows {
    let mut rows = Rows::new(&[column("message"), column("state"), column("date"), column("note")]);
    for row in messages {
        let Effect::Message(message) = &row.effect else { continue };
        rows.push(vec![
            Cell::Word(message.kind.code()),
            Cell::Word(row.state.code()),
            Cell::text(record::moment(row.finished_at.unwrap_or(row.next_attempt), Zone::Wib)),
            Cell::text(&row.note),
        ]);
    }
    rows
}

/// What happened to the access of lines, each with the line's user name.
pub(super) async fn events(
    ctx: &Context,
    store: &dyn Store,
    lines: &[(Subscription, ServiceAccess)],
) -> anyhow::Result<Vec<(RouterName, AccessEvent)>> {
    let mut events = Vec::new();
    for (line, _) in lines {
        let of_line = store.access_events(ctx.tenant(), line.id).await?;
        events.extend(of_line.into_iter().map(|event| (line.account.username.clone(), event)));
    }
    Ok(events)
}

/// Events, in the order given.
pub(super) fn event_rows(events: Vec<(RouterName, AccessEvent)>) -> Rows {
    let mut rows = Rows::new(&[
        column("username"),
        column("happened"),
        column("date"),
        column("by"),
        column("note"),
        number("overdue"),
    ]);
    for (username, event) in events {
        rows.push(vec![
            Cell::text(username),
            Cell::Word(event.kind.code()),
            Cell::text(record::moment(event.at, Zone::Wib)),
            if event.by == "engine" { Cell::Word("engine") } else { Cell::text(&event.by) },
            engine_reason(&event).map_or_else(|| Cell::text(&event.reason), Cell::Word),
            event.overdue.into(),
        ]);
    }
    rows
}

fn print(ctx: &Context, rows: &Rows) -> anyhow::Result<()> {
    if rows.len() == 0 { Ok(()) } else { ctx.rows(rows) }
}
