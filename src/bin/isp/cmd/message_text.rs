//! The words of messages: before they are sent, and for who sends them by hand.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use clap::Args;
use isp_core::customer::Customer;
use isp_core::engine::Settlement;
use isp_core::ids::OutboxId;
use isp_core::message::freshness::Verdict;
use isp_core::message::{Notification, NotificationKind};
use isp_core::ports::{Effect, OutboxQuery, OutboxRow, OutboxState, PageQuery, Topic};
use isp_whatsapp::notification::{by_hand, text_of};
use isp_whatsapp::outcome::Outcome;

use super::clock::Remind;
use super::record::{self, Id};
use super::{args, find};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::linked::{Pages, private_page};
use crate::output::{self, Cell, Format, Rows, column};
use crate::wire;

/// Which messages that wait.
#[derive(Debug, Args)]
pub(crate) struct Text {
    /// Only of this kind.
    #[arg(long, value_parser = ["due_soon", "overdue", "isolated", "payment_received", "reopened", "answer"])]
    kind: Option<String>,
    /// Only to this customer.
    #[arg(long, value_parser = args::whom)]
    customer: Option<args::Whom>,
}

/// Which messages were sent by hand.
#[derive(Debug, Args)]
pub(crate) struct Done {
    /// Ids of messages, as `outbox text` prints them; the end of an id is enough.
    #[arg(required_unless_present = "customer")]
    ids: Vec<String>,
    /// All that wait for this customer and `outbox text` shows now; may be given more than once.
    #[arg(long, value_parser = args::whom, conflicts_with = "ids")]
    customer: Vec<args::Whom>,
}

/// What a message says, and when; or why it does not.
pub(super) struct Foreseen {
    at: DateTime<Utc>,
    /// To whom, as it may be shown.
    masked: String,
    said: Result<Said, Cell>,
}

/// A message as it would leave.
struct Said {
    text: String,
    /// Opens WhatsApp with the number and the text.
    link: String,
}

/// Where the link to a customer's page comes from.
enum Links {
    /// None is made: a sign stands in its place.
    Shown,
    /// A real one, kept as with a message that is sent.
    Drawn,
}

/// What a message says from a moment on, by the code that sends it. The link to the customer's page is not made yet.
pub(super) async fn foresee(ctx: &Context, message: &Notification, from: DateTime<Utc>) -> anyhow::Result<Foreseen> {
    compose(ctx, message, from, Links::Shown).await
}

async fn compose(ctx: &Context, message: &Notification, from: DateTime<Utc>, links: Links) -> anyhow::Result<Foreseen> {
    let store = ctx.store().await?;
    let (at, verdict) = ctx.engine(store).foresee_message(message, from).await?;
    let mut outgoing = match verdict {
        Verdict::Send(outgoing) => *outgoing,
        Verdict::Later(_, why) | Verdict::Drop(why) => {
            return Ok(Foreseen { at, masked: String::new(), said: Err(Cell::Word(why)) });
        }
    };
    if let Some(public_url) = &ctx.config.serve.public_url {
        outgoing = match links {
            Links::Drawn if at <= ctx.now => {
                let store = std::sync::Arc::clone(ctx.shared().await?);
                Pages { public_url: public_url.clone(), store, now: Some(ctx.now) }.with_link(&outgoing).await?
            }
            Links::Shown | Links::Drawn => private_page(outgoing, public_url),
        };
    }
    let masked = outgoing.to.to_string();
    let said = match text_of(&wire::templates(&ctx.config)?, &outgoing) {
        Ok(text) => Ok(Said { link: by_hand(&outgoing.to, &text), text }),
        Err(fault) => Err(Cell::text(ctx.texts.port(&Outcome::ConfigError(fault).to_string()))),
    };
    Ok(Foreseen { at, masked, said })
}

impl Foreseen {
    /// When it leaves, the masked number, the text, and why there is none.
    pub(super) fn cells(&self) -> [Cell; 4] {
        let masked = if self.masked.is_empty() { Cell::Empty } else { Cell::text(&self.masked) };
        let (text, why) = match &self.said {
            Ok(said) => (Cell::text(&said.text), Cell::Empty),
            Err(why) => (Cell::Empty, why.clone()),
        };
        [super::outbox::moment(self.at), masked, text, why]
    }

    /// The text by itself, or why there is none, for a person.
    pub(super) fn print(&self, ctx: &Context) -> anyhow::Result<()> {
        let at = super::outbox::moment(self.at).shown(&ctx.texts);
        match &self.said {
            Ok(said) => {
                ctx.say("done.message_text", &[("phone", self.masked.clone()), ("at", at)])?;
                output::print(&format!("\n{}\n", output::harmless(&said.text)))
            }
            Err(why) => ctx.say("done.message_no_text", &[("reason", why.shown(&ctx.texts))]),
        }
    }
}

/// The reminders that `isp remind` would queue now, with their texts; nothing is written.
pub(crate) async fn reminders(ctx: &Context, args: Remind) -> anyhow::Result<Exit> {
    args.clock.warn(ctx).await?;
    let store = ctx.store().await?;
    let messages = ctx.engine(store).reminders(ctx.now).await?;
    let people = find::people(ctx, store, messages.iter().map(|message| message.customer_id)).await?;
    let mut rows = Rows::new(&[
        column("customer"),
        column("name"),
        column("what"),
        column("leaves"),
        column("phone"),
        column("text"),
        column("not_sent"),
    ]);
    for message in &messages {
        let foreseen = foresee(ctx, message, message.not_before.max(ctx.now)).await?;
        let customer = people.get(&message.customer_id);
        if ctx.format == Format::Table {
            output::print(&format!("{}\n", heading(ctx, customer, message.kind)))?;
            foreseen.print(ctx)?;
            output::print("\n")?;
        }
        let [leaves, phone, text, why] = foreseen.cells();
        let (code, name) = (Cell::maybe(customer.map(|c| &c.code)), Cell::maybe(customer.map(|c| &c.name)));
        rows.push(vec![code, name, Cell::Word(message.kind.code()), leaves, phone, text, why]);
    }
    let count = messages.len().to_string();
    ctx.done("done.reminders_foreseen", &[("count", count)], &rows)?;
    ctx.say("import.dry_run", &[])?;
    Ok(Exit::Done)
}

/// Prints what waits and is due, each with a link that opens WhatsApp on the telephone or computer of who reads it.
pub(crate) async fn text(ctx: &Context, args: &Text) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let waiting = waiting(ctx, args.customer.as_ref(), args.kind.as_deref()).await?;
    let people = find::people(ctx, store, waiting.iter().map(|(_, message)| message.customer_id)).await?;
    let mut rows =
        Rows::new(&[column("customer"), column("name"), column("what"), column("link"), column("text"), column("id")]);
    let mut unsaid = 0_usize;
    for (row, message) in &waiting {
        let foreseen = compose(ctx, message, ctx.now, Links::Drawn).await?;
        // What has to wait for its hour waits, whoever sends it.
        let Some(said) = foreseen.said.ok().filter(|_| foreseen.at <= ctx.now) else {
            unsaid += 1;
            continue;
        };
        let customer = people.get(&message.customer_id);
        if ctx.format == Format::Table {
            let heading = heading(ctx, customer, message.kind);
            let text = output::harmless(&said.text);
            output::print(&format!("{heading}\nid {}\n\n{text}\n\n{}\n\n\n", row.id, said.link))?;
        }
        let (code, name) = (Cell::maybe(customer.map(|c| &c.code)), Cell::maybe(customer.map(|c| &c.name)));
        let (link, text) = (Cell::text(&said.link), Cell::text(&said.text));
        rows.push(vec![code, name, Cell::Word(message.kind.code()), link, text, Cell::text(row.id.to_string())]);
    }
    let variables = [("count", rows.len().to_string()), ("unsaid", unsaid.to_string())];
    ctx.done(if unsaid == 0 { "done.messages_by_hand" } else { "done.messages_by_hand_some" }, &variables, &rows)?;
    Ok(Exit::Done)
}

/// Notes that messages were sent by hand: the program never sends them.
pub(crate) async fn done(ctx: &Context, args: &Done) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let mut chosen: Vec<OutboxRow> = Vec::new();
    for code in &args.customer {
        find::customer(ctx, store, code).await?;
        let mut found = 0_usize;
        for (row, message) in waiting(ctx, Some(code), None).await? {
            let (at, verdict) = ctx.engine(store).foresee_message(&message, ctx.now).await?;
            if at <= ctx.now && matches!(verdict, Verdict::Send(_)) {
                found += 1;
                chosen.push(row);
            }
        }
        if found == 0 {
            return Err(Failure::NotFound { noun: "waiting_message", code: code.as_str().to_owned() }.into());
        }
    }
    if !args.ids.is_empty() {
        let all = all(ctx, OutboxQuery { topic: Some(Topic::Message), ..OutboxQuery::default() }).await?;
        let mut missing: Vec<&str> = Vec::new();
        for id in &args.ids {
            let which = Id { id: Some(id.clone()) };
            match record::chosen(&which, "outbox_row", id, all.iter().collect(), |row| row.id.0, |_| true) {
                Ok(row) => chosen.push(row.clone()),
                Err(error) if matches!(error.downcast_ref(), Some(Failure::NotFound { .. })) => missing.push(id),
                Err(error) => return Err(error),
            }
        }
        if !missing.is_empty() {
            return Err(Failure::NotFound { noun: "outbox_row", code: missing.join(", ") }.into());
        }
    }
    let mut seen = BTreeSet::new();
    chosen.retain(|row| seen.insert(row.id));
    // Nothing is noted when one of them has gone already, or a worker has it in hand.
    let ids: Vec<OutboxId> = chosen.iter().map(|row| row.id).collect();
    ctx.engine(store).settle_messages(&ids, Settlement::ByHand, ctx.officer.as_str(), ctx.now).await?;
    let mut rows = Rows::new(&[column("id"), column("state")]);
    for row in &chosen {
        rows.push(vec![Cell::text(row.id.to_string()), Cell::Word(Settlement::ByHand.state().code())]);
    }
    let variables = [("count", chosen.len().to_string()), ("officer", ctx.officer.to_string())];
    ctx.done("done.sent_by_hand", &variables, &rows)?;
    Ok(Exit::Done)
}

/// Who gets what.
fn heading(ctx: &Context, customer: Option<&Customer>, kind: NotificationKind) -> String {
    let whom = customer.map_or_else(String::new, |c| format!("{} ({})", output::harmless(c.name.as_str()), c.code));
    format!("{whom}: {}", Cell::Word(kind.code()).shown(&ctx.texts))
}

/// The messages that wait and whose hour has come.
async fn waiting(
    ctx: &Context,
    customer: Option<&args::Whom>,
    kind: Option<&str>,
) -> anyhow::Result<Vec<(OutboxRow, Notification)>> {
    let store = ctx.store().await?;
    let customer = find::customer_id(ctx, store, customer).await?;
    let mut found = Vec::new();
    for state in [OutboxState::Pending, OutboxState::Failed] {
        let query = OutboxQuery { topic: Some(Topic::Message), state: Some(state), customer };
        for row in all(ctx, query).await?.into_iter().filter(|row| row.next_attempt <= ctx.now) {
            if let Effect::Message(message) = &row.effect
                && kind.is_none_or(|kind| message.kind.code() == kind)
            {
                let message = message.clone();
                found.push((row, message));
            }
        }
    }
    found.sort_by_key(|(row, _)| (row.next_attempt, row.id));
    Ok(found)
}

async fn all(ctx: &Context, query: OutboxQuery) -> anyhow::Result<Vec<OutboxRow>> {
    let store = ctx.store().await?;
    let (mut rows, mut page) = (Vec::new(), PageQuery::first(ctx.config.worker.page));
    loop {
        let found = store.outbox(ctx.tenant(), query, page).await?;
        let more = page.advance(&found, |last| last.id);
        rows.extend(found);
        if !more {
            return Ok(rows);
        }
    }
}
