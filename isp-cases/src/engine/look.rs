//! What a line, its money and its messages look like on the engine.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use isp_core::Money;
use isp_core::calendar::Date;
use isp_core::engine::EngineError;
use isp_core::ids::{CustomerId, RouterId, SubscriptionId};
use isp_core::message::notification::MessageContent;
use isp_core::text::Language;

use super::EngineHost;
use crate::case::CaseSubscription;
use crate::observed::{Observed, ObservedInvoice, ObservedMessage, ObservedNote};

impl EngineHost<'_> {
    pub(super) async fn look(&self, of: &CaseSubscription, at: DateTime<Utc>) -> Result<Observed, EngineError> {
        let customer = CustomerId(self.id("customer", &of.customer));
        let line = SubscriptionId(self.id("subscription", &of.name));
        let engine = self.engine();
        let invoices = self.invoices(Some(customer)).await?;
        let owed = self.store.open_invoices(self.tenant, customer).await?;
        let credit = self.store.credit(self.tenant, customer).await?;
        let why = engine.explain(customer, at, Language::En).await?;
        let why = why.into_iter().find(|(id, _)| *id == line).map(|(_, why)| why);
        let notes = engine.credit_notes_of(customer).await?;
        let router = self.routers.access(&Self::endpoint(&of.site)?, &of.name);
        let router_id = Some(RouterId(self.id("router", &of.site)));
        let held = self.last.1.held.iter().find(|h| h.router_id == router_id);
        Ok(Observed {
            invoices: invoices.iter().filter(|(i, _)| i.subscription_id == line).map(seen_invoice).collect(),
            credit_notes: notes.iter().filter(|n| n.subscription_id == line).map(seen_note).collect(),
            owed: Some(owed.iter().map(|i| i.residual()).sum()),
            credit: Some(credit.iter().map(|c| c.left).sum()),
            access: why.as_ref().map(|why| why.access.code().to_owned()),
            reason: why.map(|why| why.reason.to_owned()),
            router: router.map(|access| access.code().to_owned()),
            answer: self.answered(&of.customer),
            request: self.request_of(customer).await?,
            messages: self.messages(of),
            problem: self.last.0.problems.iter().find(|p| p.subscription_id == line).map(|p| p.error.code().to_owned()),
            held: held.map_or(0, |h| h.would_isolate),
            waits: Some(self.waits(at).await?),
            books: self.books().await?,
        })
    }

    async fn books(&self) -> Result<BTreeMap<String, Money>, EngineError> {
        let mut books: BTreeMap<String, Money> = BTreeMap::new();
        for total in self.store.journal_totals(self.tenant, Date::MIN, Date::MAX).await? {
            *books.entry(total.account.code().to_owned()).or_default() += total.amount;
        }
        Ok(books)
    }

    fn messages(&self, of: &CaseSubscription) -> Vec<ObservedMessage> {
        let own = self.sent.iter().filter(|(_, m)| m.name.as_str() == of.customer);
        own.map(|(at, message)| ObservedMessage {
            kind: message.content.kind().code().to_owned(),
            on: of.zone.date_of(*at),
            at: of.zone.time_of(*at).to_string(),
            amount: amount(&message.content),
        })
        .collect()
    }
}

fn seen_invoice((invoice, paid): &(isp_core::billing::Invoice, Money)) -> ObservedInvoice {
    ObservedInvoice {
        kind: invoice.kind.code().to_owned(),
        period: invoice.period,
        issued: invoice.issue_date,
        due: invoice.due_date,
        lines: lines(&invoice.lines),
        dpp: invoice.dpp,
        ppn: invoice.ppn,
        total: invoice.total,
        open: invoice.total - *paid,
    }
}

fn seen_note(note: &isp_core::billing::CreditNote) -> ObservedNote {
    ObservedNote {
        period: note.period,
        reason: note.reason.code().to_owned(),
        issued: note.issue_date,
        lines: lines(&note.lines),
        dpp: note.dpp,
        ppn: note.ppn,
        total: note.total,
    }
}

fn lines(lines: &[isp_core::billing::InvoiceLine]) -> Vec<(String, Money)> {
    let code =
        |kind: isp_core::billing::LineKind| serde_json::to_value(kind).ok().and_then(|v| v.as_str().map(str::to_owned));
    lines.iter().map(|l| (code(l.kind).unwrap_or_default(), l.amount)).collect()
}

fn amount(content: &MessageContent) -> Option<Money> {
    match content {
        MessageContent::DueSoon { amount, .. }
        | MessageContent::Overdue { amount, .. }
        | MessageContent::Isolated { amount, .. }
        | MessageContent::PaymentReceived { amount, .. } => Some(*amount),
        MessageContent::Reopened { .. } | MessageContent::Answer(_) => None,
    }
}
