//! The outbox: wishes to routers, messages, claims and outcomes.

use chrono::{DateTime, Utc};

use crate::billing::InvoiceBalance;
use crate::ids::{OutboxId, SubscriptionId};
use crate::isolation::access::ObservedAccess;
use crate::isolation::{AccessEffect, effect_id};
use crate::message::{MessageFacts, MessageLine, Notification};
use crate::ports::{Claim, CommitReport, Effect, OutboxQuery, OutboxRow, OutboxState, Outcome, StoreError, Topic};

use super::state::{KeptInvoice, KeptRow, State};

impl State {
    pub(super) fn write_effects(
        &mut self,
        effects: &[AccessEffect],
        report: &mut CommitReport,
    ) -> Result<(), StoreError> {
        for effect in effects {
            let id = effect_id(effect.subscription_id, effect.router_id, effect.revision);
            if self.outbox.has(&id) {
                continue;
            }
            self.must_have_subscription(effect.subscription_id)?;
            self.must_have_router(effect.router_id)?;
            self.put_row(pending(id, Effect::Access(*effect), effect.not_before));
            report.effects += 1;
        }
        Ok(())
    }

    pub(super) fn write_messages(
        &mut self,
        messages: Vec<Notification>,
        report: &mut CommitReport,
    ) -> Result<(), StoreError> {
        for message in messages {
            if self.outbox.has(&message.id) || message.keys.iter().any(|key| self.messages.has(key)) {
                report.messages_known += 1;
                continue;
            }
            self.must_have_customer(message.customer_id)?;
            for key in &message.keys {
                self.messages.put(*key, message.id);
            }
            let not_before = message.not_before;
            self.put_row(pending(message.id, Effect::Message(message), not_before));
            report.messages += 1;
        }
        Ok(())
    }

    pub(super) fn claim(&mut self, claim: Claim) -> Vec<OutboxRow> {
        let first = (claim.topic, DateTime::<Utc>::MIN_UTC, OutboxId(uuid::Uuid::nil()));
        let last = (claim.topic, claim.now, OutboxId(uuid::Uuid::max()));
        let due: Vec<OutboxId> = self.queue.range(first..=last).map(|((_, _, id), ())| *id).collect();
        let mut taken = Vec::new();
        for id in due {
            let Some(mut kept) = self.outbox.get(&id).cloned() else { continue };
            let ran_out = kept.claimed_until.is_none_or(|until| until <= claim.now);
            match kept.row.state {
                OutboxState::Attempting if ran_out && claim.topic == Topic::Message => {
                    self.put_row(outcome_unknown(kept));
                    continue;
                }
                OutboxState::Pending => {}
                OutboxState::Claimed | OutboxState::Attempting if ran_out => {}
                _ => continue,
            }
            // Every dead attempt becomes unknown, however few rows are asked for.
            if taken.len() < claim.limit as usize {
                kept.row.state = OutboxState::Claimed;
                kept.claimed_until = Some(claim.until);
                taken.push(kept.row.clone());
                self.put_row(kept);
            }
        }
        taken
    }

    pub(super) fn attempting(&mut self, ids: &[OutboxId]) -> Result<(), StoreError> {
        if ids.iter().any(|id| self.outbox.get(id).is_none_or(|kept| kept.row.state != OutboxState::Claimed)) {
            return Err(StoreError::Conflict);
        }
        for id in ids {
            if let Some(mut kept) = self.outbox.get(id).cloned() {
                kept.row.state = OutboxState::Attempting;
                kept.row.attempts += 1;
                self.put_row(kept);
            }
        }
        Ok(())
    }

    pub(super) fn record(
        &mut self,
        outcomes: &[Outcome],
        observed: &[(SubscriptionId, ObservedAccess)],
    ) -> Result<(), StoreError> {
        if outcomes.iter().any(|o| !self.outbox.has(&o.id)) {
            return Err(StoreError::NotFound { what: "outbox" });
        }
        for outcome in outcomes {
            let Some(kept) = self.outbox.get(&outcome.id).cloned() else { continue };
            let live = is_live(outcome.state);
            self.put_row(KeptRow {
                claimed_until: None,
                row: OutboxRow {
                    state: outcome.state,
                    next_attempt: outcome.next_attempt,
                    note: outcome.note.clone(),
                    provider_id: outcome.provider_id.clone().or(kept.row.provider_id),
                    finished_at: (!live).then_some(outcome.at),
                    ..kept.row
                },
            });
        }
        for (subscription, observed) in observed {
            self.observe(*subscription, observed);
        }
        Ok(())
    }

    pub(super) fn release(&mut self) {
        let live: Vec<OutboxId> = self.queue.keys().map(|(_, _, id)| *id).collect();
        for id in live {
            let Some(mut kept) = self.outbox.get(&id).cloned() else { continue };
            match (kept.row.state, kept.row.effect.topic()) {
                (OutboxState::Attempting, Topic::Message) => self.put_row(outcome_unknown(kept)),
                (OutboxState::Claimed | OutboxState::Attempting, _) => {
                    kept.row.state = OutboxState::Pending;
                    kept.claimed_until = None;
                    self.put_row(kept);
                }
                _ => {}
            }
        }
    }

    fn put_row(&mut self, kept: KeptRow) {
        let key = |row: &OutboxRow| (row.effect.topic(), row.next_attempt, row.id);
        if let Some(old) = self.outbox.get(&kept.row.id) {
            let old = key(&old.row);
            self.queue.remove(&old);
        }
        if is_live(kept.row.state) {
            self.queue.put(key(&kept.row), ());
        }
        self.outbox.put(kept.row.id, kept);
    }

    pub(super) fn message_facts(&self, message: &Notification) -> Result<MessageFacts, StoreError> {
        let customer = self.customers.get(&message.customer_id).ok_or(StoreError::NotFound { what: "customer" })?;
        let named = message.subscription_id.and_then(|id| self.subscriptions.get(&id));
        let about = named.or_else(|| self.first_subscription(customer.id));
        let package = about.and_then(|s| self.packages.get(&s.terms.package_id));
        let invoices = message.invoices.iter().filter_map(|id| self.invoices.get(id));
        let payment = message.payment_id.and_then(|id| self.payments.get(&id));
        let invoices: Vec<InvoiceBalance> = invoices.map(KeptInvoice::balance).collect();
        let line = |id: &SubscriptionId| {
            let subscription = self.subscriptions.get(id)?;
            let package = self.packages.get(&subscription.terms.package_id)?.name.clone();
            Some(MessageLine { package, access: self.access_of(*id), routed: subscription.router_id.is_some() })
        };
        Ok(MessageFacts {
            others: message.also.iter().filter_map(line).collect(),
            statements: self.statements_holding(customer.id, &invoices),
            customer: customer.clone(),
            package: package.map(|p| p.name.clone()),
            invoices,
            open: self.open_of_customer(customer.id),
            payment: payment.map(|kept| (kept.payment.clone(), kept.reversal.is_some())),
            access: named.map(|s| self.access_of(s.id)),
            routed: named.is_some_and(|s| s.router_id.is_some()),
        })
    }
}

pub(super) fn row_matches(row: &OutboxRow, query: &OutboxQuery) -> bool {
    let to = match &row.effect {
        Effect::Message(message) => Some(message.customer_id),
        Effect::Access(_) => None,
    };
    query.topic.is_none_or(|topic| topic == row.effect.topic())
        && query.state.is_none_or(|state| state == row.state)
        && query.customer.is_none_or(|customer| to == Some(customer))
}

fn pending(id: OutboxId, effect: Effect, not_before: DateTime<Utc>) -> KeptRow {
    KeptRow {
        claimed_until: None,
        row: OutboxRow {
            id,
            effect,
            state: OutboxState::Pending,
            attempts: 0,
            next_attempt: not_before,
            note: String::new(),
            provider_id: None,
            finished_at: None,
        },
    }
}

fn outcome_unknown(mut kept: KeptRow) -> KeptRow {
    kept.row.state = OutboxState::Unknown;
    kept.claimed_until = None;
    kept
}

fn is_live(state: OutboxState) -> bool {
    matches!(state, OutboxState::Pending | OutboxState::Claimed | OutboxState::Attempting)
}
