//! Webhooks until they are read, and what was heard of messages.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::bank::MutationRow;
use crate::ids::{WebhookId, WorkerId};
use crate::isolation::Access;
use crate::ports::{
    DeliveryWord, Effect, Heard, Lease, OutboxState, Pulse, Topic, Webhook, WebhookOutcome, WebhookRow, WebhookState,
};

use super::state::{KeptRow, State};

/// A webhook with its claim.
#[derive(Debug, Clone)]
pub(super) struct KeptWebhook {
    pub(super) row: WebhookRow,
    claim: Option<(WorkerId, DateTime<Utc>)>,
}

impl State {
    pub(super) fn keep_webhooks(&mut self, webhooks: Vec<Webhook>) -> u64 {
        let mut new = 0;
        for webhook in webhooks {
            let (id, next_try) = (webhook.id, webhook.received_at);
            let known = self.webhooks.get(&id).map(|kept| (kept.row.state, kept.row.webhook.clone()));
            let webhook = match known {
                Some((WebhookState::Unread, webhook)) => webhook,
                Some(_) => continue,
                None => webhook,
            };
            new += u64::from(!self.webhooks.has(&id));
            let row = WebhookRow { webhook, state: WebhookState::Waiting, tries: 0, next_try, note: String::new() };
            self.webhooks.put(id, KeptWebhook { row, claim: None });
        }
        new
    }

    pub(super) fn claim_webhooks(&mut self, lease: Lease, limit: u32) -> Vec<WebhookRow> {
        let free = |kept: &&KeptWebhook| {
            let held = kept.claim.is_some_and(|(_, until)| until > lease.now);
            kept.row.state == WebhookState::Waiting && kept.row.next_try <= lease.now && !held
        };
        let mut rows: Vec<WebhookRow> = self.webhooks.values().filter(free).map(|kept| kept.row.clone()).collect();
        rows.sort_by_key(|row| (row.next_try, row.webhook.received_at, row.webhook.id));
        rows.truncate(limit as usize);
        for row in &rows {
            let claim = Some((lease.owner, lease.until));
            self.webhooks.put(row.webhook.id, KeptWebhook { row: row.clone(), claim });
        }
        rows
    }

    pub(super) fn settle_webhooks(&mut self, owner: WorkerId, outcomes: &[WebhookOutcome]) {
        for o in outcomes {
            let Some(kept) = self.webhooks.get(&o.id).cloned() else { continue };
            if kept.claim.map(|(of, _)| of) != Some(owner) || kept.row.state != WebhookState::Waiting {
                continue;
            }
            let tries = kept.row.tries + u32::from(o.state != WebhookState::Read);
            let row = WebhookRow {
                state: o.state,
                next_try: o.next_try,
                note: o.note.clone(),
                tries,
                webhook: kept.row.webhook,
            };
            self.webhooks.put(o.id, KeptWebhook { row, claim: None });
        }
    }

    pub(super) fn finish_webhook(&mut self, id: WebhookId) -> bool {
        let unread = |kept: &&KeptWebhook| kept.row.state == WebhookState::Unread;
        let Some(row) = self.webhooks.get(&id).filter(unread).map(|kept| kept.row.clone()) else { return false };
        let row = WebhookRow { state: WebhookState::Read, ..row };
        self.webhooks.put(id, KeptWebhook { row, claim: None });
        true
    }

    pub(super) fn retry_webhooks(&mut self, only: Option<WebhookId>, now: DateTime<Utc>) -> u64 {
        let wanted = |kept: &&KeptWebhook| {
            kept.row.state == WebhookState::Unread && only.is_none_or(|id| id == kept.row.webhook.id)
        };
        let rows: Vec<WebhookRow> = self.webhooks.values().filter(wanted).map(|kept| kept.row.clone()).collect();
        for row in &rows {
            let row = WebhookRow { state: WebhookState::Waiting, tries: 0, next_try: now, ..row.clone() };
            self.webhooks.put(row.webhook.id, KeptWebhook { row, claim: None });
        }
        rows.len() as u64
    }

    pub(super) fn forget_webhooks(&mut self, before: DateTime<Utc>, limit: u32) -> u64 {
        let old =
            |kept: &&KeptWebhook| kept.row.webhook.received_at < before && kept.row.state != WebhookState::Waiting;
        let found = self.webhooks.values().filter(old).map(|kept| &kept.row.webhook);
        let mut ids: Vec<(DateTime<Utc>, WebhookId)> = found.map(|webhook| (webhook.received_at, webhook.id)).collect();
        ids.sort_unstable();
        ids.truncate(limit as usize);
        ids.iter().for_each(|(_, id)| self.webhooks.remove(id));
        ids.len() as u64
    }

    pub(super) fn hear(&mut self, words: &[DeliveryWord]) -> u64 {
        let mut changed = std::collections::BTreeSet::new();
        for word in words {
            let Some(mut kept) = self.outbox.get(&word.id).cloned() else { continue };
            let before = self.heard.get(&word.id).copied();
            let sent = match kept.row.state {
                OutboxState::Done | OutboxState::Unknown => true,
                OutboxState::Failed => before.is_some(),
                _ => false,
            };
            if !matches!(kept.row.effect, Effect::Message(_)) || !sent || before >= Some(word.heard) {
                continue;
            }
            let failed = word.heard == Heard::Failed;
            kept.row.state = if failed { OutboxState::Failed } else { OutboxState::Done };
            kept.row.note = if failed { format!("not delivered: {}", word.why) } else { word.heard.code().to_owned() };
            kept.row.finished_at = kept.row.finished_at.or(Some(word.at));
            (kept.claimed_until, kept.owner) = (None, None);
            self.heard.put(word.id, word.heard);
            self.outbox.put(word.id, kept);
            changed.insert(word.id);
        }
        changed.len() as u64
    }

    pub(super) fn pulse(&self) -> Pulse {
        let mut pulse = Pulse::default();
        let mut outbox = BTreeMap::new();
        for KeptRow { row, .. } in self.outbox.values() {
            if matches!(row.state, OutboxState::Done | OutboxState::Dropped) {
                continue;
            }
            let topic = row.effect.topic();
            let word = if topic == Topic::Access { "access" } else { "message" };
            let known = outbox.entry((word, row.state.code())).or_insert((topic, row.state, 0, row.next_attempt));
            known.2 += 1;
            known.3 = known.3.min(row.next_attempt);
        }
        pulse.outbox = outbox.into_values().collect();
        for state in [WebhookState::Unread, WebhookState::Waiting] {
            let count = self.webhooks.values().filter(|kept| kept.row.state == state).count() as u64;
            pulse.webhooks.extend((count > 0).then_some((state, count)));
        }
        for access in self.access.values() {
            match access.desired {
                Access::Open => pulse.lines.0 += 1,
                Access::Isolated => pulse.lines.1 += 1,
                Access::Closed => continue,
            }
            let routed = self.subscriptions.get(&access.subscription_id).is_some_and(|s| s.router_id.is_some());
            pulse.unconfirmed += u64::from(routed && !access.agrees());
        }
        let waits = |row: &&MutationRow| row.mutation.amount.is_positive() && row.state().waits();
        pulse.unmatched = self.mutations.values().filter(waits).count() as u64;
        pulse
    }
}
