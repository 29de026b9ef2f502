//! The outbox: wishes to routers, messages, claims and outcomes.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::billing::InvoiceBalance;
use crate::ids::{AccessEventId, OutboxId, RouterId, SubscriptionId, WorkerId};
use crate::isolation::access::ObservedAccess;
use crate::isolation::{AccessEffect, effect_id};
use crate::message::{MessageFacts, MessageLine, Notification};
use crate::ports::{
    Claim, Claimed, CommitReport, Effect, Lease, Observed, OutboxQuery, OutboxRow, OutboxState, Outcome, Recorded,
    RouterHold, RouterRest, Settled, StoreError, Topic,
};

use super::state::{KeptHold, KeptInvoice, KeptRow, State};

impl State {
    pub(super) fn write_effects(
        &mut self,
        effects: &[AccessEffect],
        report: &mut CommitReport,
    ) -> Result<(), StoreError> {
        for effect in effects {
            let id = effect_id(effect.subscription_id, effect.router_id, effect.revision);
            self.rests.remove(&effect.router_id);
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
        let last = (claim.topic, claim.due, OutboxId(uuid::Uuid::max()));
        let due: Vec<OutboxId> = self.queue.range(first..=last).map(|((_, _, id), ())| *id).collect();
        let mut taken = Vec::new();
        for id in due {
            let Some(mut kept) = self.outbox.get(&id).cloned() else { continue };
            if claim.router.is_some() && router_of(&kept.row) != claim.router {
                continue;
            }
            let ran_out = kept.claimed_until.is_none_or(|until| until <= claim.lease.now);
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
                kept.row.fence += 1;
                kept.claimed_until = Some(claim.lease.until);
                kept.owner = Some(claim.lease.owner);
                taken.push(kept.row.clone());
                self.put_row(kept);
            }
        }
        taken
    }

    /// The wishes that are due, each with its router.
    fn wishes_due(&self, due: DateTime<Utc>) -> impl Iterator<Item = (RouterId, &KeptRow)> {
        let first = (Topic::Access, DateTime::<Utc>::MIN_UTC, OutboxId(uuid::Uuid::nil()));
        let last = (Topic::Access, due, OutboxId(uuid::Uuid::max()));
        let rows = self.queue.range(first..=last).filter_map(|((_, _, id), ())| self.outbox.get(id));
        rows.filter_map(|kept| Some((router_of(&kept.row)?, kept)))
    }

    pub(super) fn routers_due(&self, due: DateTime<Utc>, lease: Lease) -> Vec<RouterId> {
        let free = |kept: &KeptRow| {
            kept.row.state == OutboxState::Pending || kept.claimed_until.is_none_or(|until| until <= lease.now)
        };
        let rests = |router: &RouterId, kept: &KeptRow| {
            let rest = self.rests.get(router);
            rest.is_some_and(|rest| rest.lasts(due) && kept.row.next_attempt <= rest.since)
        };
        let open = self.wishes_due(due).filter(|(router, kept)| free(kept) && !rests(router, kept));
        open.map(|(router, _)| router).collect::<BTreeSet<_>>().into_iter().collect()
    }

    pub(super) fn rest_router(&mut self, rest: &RouterRest, lease: Lease) -> u64 {
        self.rests.put(rest.router, rest.clone());
        let ran_out = |kept: &KeptRow| {
            matches!(kept.row.state, OutboxState::Claimed | OutboxState::Attempting)
                && kept.claimed_until.is_none_or(|until| until <= lease.now)
        };
        let dead: Vec<KeptRow> =
            self.wishes_due(rest.since).map(|(_, kept)| kept).filter(|kept| ran_out(kept)).cloned().collect();
        for mut kept in dead {
            kept.row.state = OutboxState::Pending;
            (kept.owner, kept.claimed_until) = (None, None);
            self.put_row(kept);
        }
        self.wishes_due(rest.since).filter(|(router, _)| *router == rest.router).count() as u64
    }

    /// A row as it is shown: with the rest of its router.
    pub(super) fn told(&self, row: &OutboxRow) -> OutboxRow {
        let mut row = row.clone();
        if let Some(rest) = router_of(&row).and_then(|router| self.rests.get(&router)) {
            rest.tell(&mut row);
        }
        row
    }

    pub(super) fn attempting(&mut self, lease: Lease, rows: &[Claimed]) -> Vec<OutboxId> {
        let mut ours = Vec::new();
        for claimed in rows {
            let Some(mut kept) = self.owned(lease.owner, *claimed) else { continue };
            if kept.row.state != OutboxState::Claimed {
                continue;
            }
            kept.row.state = OutboxState::Attempting;
            kept.row.attempts += 1;
            kept.claimed_until = Some(lease.until);
            self.put_row(kept);
            ours.push(claimed.id);
        }
        ours
    }

    /// The row, while this claim is the last one on it.
    fn owned(&self, owner: WorkerId, claimed: Claimed) -> Option<KeptRow> {
        let kept = self.outbox.get(&claimed.id)?;
        (kept.owner == Some(owner) && kept.row.fence == claimed.fence).then(|| kept.clone())
    }

    /// The rows that an owner holds.
    fn held_by(&self, owner: WorkerId) -> Vec<KeptRow> {
        let live = self.queue.keys().filter_map(|(_, _, id)| self.outbox.get(id));
        live.filter(|kept| kept.owner == Some(owner) && kept.row.state != OutboxState::Pending).cloned().collect()
    }

    pub(super) fn renew(&mut self, lease: Lease) {
        for mut kept in self.held_by(lease.owner) {
            kept.claimed_until = Some(lease.until);
            self.put_row(kept);
        }
        let routers: Vec<RouterId> = self.holds.keys().copied().collect();
        for router in routers {
            // What was given back stays so.
            let kept = |hold: &KeptHold| hold.owner == lease.owner && hold.until > DateTime::<Utc>::MIN_UTC;
            if let Some(hold) = self.holds.get(&router).copied().filter(kept) {
                self.holds.put(router, KeptHold { until: lease.until, ..hold });
            }
        }
    }

    pub(super) fn record(&mut self, owner: WorkerId, outcomes: &[Outcome], observed: Observed<'_>) -> Recorded {
        let mut recorded = Recorded::default();
        for outcome in outcomes {
            let Some(kept) = self.owned(owner, outcome.row) else {
                recorded.lost.push(outcome.row.id);
                continue;
            };
            let live = is_live(outcome.state);
            self.put_row(KeptRow {
                claimed_until: None,
                owner: None,
                row: OutboxRow {
                    state: outcome.state,
                    next_attempt: outcome.next_attempt,
                    note: outcome.note.clone(),
                    provider_id: outcome.provider_id.clone().or(kept.row.provider_id),
                    finished_at: (!live).then_some(outcome.at),
                    template: outcome.template.clone(),
                    ..kept.row
                },
            });
        }
        let held = |hold: &RouterHold| {
            self.holds.get(&hold.router).is_some_and(|kept| (kept.owner, kept.fence) == (hold.owner, hold.fence))
        };
        match observed.under {
            Some(hold) if !held(&hold) => {
                recorded.doubted = true;
                self.doubt(hold.router, observed.lines);
            }
            _ => observed.lines.iter().for_each(|(subscription, seen)| self.observe(*subscription, seen)),
        }
        recorded
    }

    /// Nobody knows what these accounts are: whoever writes now is asked to do it again.
    fn doubt(&mut self, router: RouterId, lines: &[(SubscriptionId, ObservedAccess)]) {
        if let Some(hold) = self.holds.get(&router).copied() {
            self.holds.put(router, KeptHold { fence: hold.fence + 1, ..hold });
        }
        self.rests.remove(&router);
        for (subscription, seen) in lines {
            let Some(mut access) = self.access.get(subscription).cloned() else { continue };
            if self.subscriptions.get(subscription).is_none_or(|s| s.router_id != Some(router)) {
                continue;
            }
            let revision = access.revision;
            if let Some(observed) = &mut access.observed {
                observed.revision = 0;
                self.access.put(*subscription, access);
            }
            let id = effect_id(*subscription, router, revision);
            let effect =
                AccessEffect { subscription_id: *subscription, router_id: router, revision, not_before: seen.at };
            let mut kept =
                self.outbox.get(&id).cloned().unwrap_or_else(|| pending(id, Effect::Access(effect), seen.at));
            kept.row.fence += 1;
            kept.row.state = OutboxState::Pending;
            kept.row.next_attempt = seen.at;
            kept.row.finished_at = None;
            (kept.owner, kept.claimed_until) = (None, None);
            self.put_row(kept);
        }
    }

    pub(super) fn release(&mut self, owner: WorkerId) {
        for mut kept in self.held_by(owner) {
            if (kept.row.state, kept.row.effect.topic()) == (OutboxState::Attempting, Topic::Message) {
                self.put_row(outcome_unknown(kept));
            } else {
                kept.row.state = OutboxState::Pending;
                (kept.owner, kept.claimed_until) = (None, None);
                self.put_row(kept);
            }
        }
        let routers: Vec<RouterId> = self.holds.keys().copied().collect();
        for router in routers {
            if let Some(hold) = self.holds.get(&router).copied().filter(|hold| hold.owner == owner) {
                self.holds.put(router, KeptHold { until: DateTime::<Utc>::MIN_UTC, ..hold });
            }
        }
    }

    /// All claims have run out: their workers died long ago.
    pub(super) fn run_out(&mut self) {
        let live: Vec<OutboxId> = self.queue.keys().map(|(_, _, id)| *id).collect();
        for id in live {
            let Some(mut kept) = self.outbox.get(&id).cloned() else { continue };
            kept.claimed_until = None;
            self.put_row(kept);
        }
        let routers: Vec<RouterId> = self.holds.keys().copied().collect();
        for router in routers {
            if let Some(hold) = self.holds.get(&router).copied() {
                self.holds.put(router, KeptHold { until: DateTime::<Utc>::MIN_UTC, ..hold });
            }
        }
    }

    pub(super) fn hold_router(&mut self, router: RouterId, lease: Lease) -> Option<RouterHold> {
        let kept = self.holds.get(&router).copied();
        if kept.is_some_and(|kept| kept.owner != lease.owner && kept.until > lease.now) {
            return None;
        }
        let fence = kept.map_or(0, |kept| kept.fence) + 1;
        self.holds.put(router, KeptHold { owner: lease.owner, until: lease.until, fence });
        Some(RouterHold { router, owner: lease.owner, fence })
    }

    pub(super) fn free_router(&mut self, hold: RouterHold) {
        if let Some(kept) = self.holds.get(&hold.router).copied()
            && (kept.owner, kept.fence) == (hold.owner, hold.fence)
        {
            self.holds.put(hold.router, KeptHold { until: DateTime::<Utc>::MIN_UTC, ..kept });
        }
    }

    pub(super) fn wish_again(
        &mut self,
        wishes: &[AccessEffect],
        now: DateTime<Utc>,
    ) -> Result<Vec<SubscriptionId>, StoreError> {
        let mut anew = Vec::new();
        for wish in wishes {
            let id = effect_id(wish.subscription_id, wish.router_id, wish.revision);
            self.rests.remove(&wish.router_id);
            let Some(mut kept) = self.outbox.get(&id).cloned() else {
                self.write_effects(std::slice::from_ref(wish), &mut CommitReport::default())?;
                anew.push(wish.subscription_id);
                continue;
            };
            if !is_live(kept.row.state) {
                kept.row.state = OutboxState::Pending;
                kept.row.fence += 1;
                kept.row.finished_at = None;
                kept.row.attempts = 0;
                (kept.owner, kept.claimed_until) = (None, None);
                anew.push(wish.subscription_id);
            } else if kept.row.state != OutboxState::Pending || kept.row.next_attempt <= now {
                continue;
            }
            kept.row.next_attempt = now;
            self.put_row(kept);
        }
        Ok(anew)
    }

    pub(super) fn settle(&mut self, ids: &[OutboxId], states: &[OutboxState], settled: &Settled) -> Vec<OutboxId> {
        let may = |id: &OutboxId| {
            let row = self.outbox.get(id).map(|kept| &kept.row);
            row.is_some_and(|row| row.effect.topic() == Topic::Message && states.contains(&row.state))
        };
        let refused: Vec<OutboxId> = ids.iter().copied().filter(|id| !may(id)).collect();
        if refused.is_empty() {
            ids.iter().for_each(|id| self.settle_one(*id, settled));
        }
        refused
    }

    fn settle_one(&mut self, id: OutboxId, settled: &Settled) {
        let Some(mut kept) = self.outbox.get(&id).cloned() else { return };
        kept.row.state = settled.state;
        kept.row.next_attempt = settled.at;
        kept.row.note.clone_from(&settled.note);
        kept.row.finished_at = (!is_live(settled.state)).then_some(settled.at);
        kept.row.template = None;
        kept.row.fence += 1;
        (kept.owner, kept.claimed_until) = (None, None);
        self.put_row(kept);
    }

    pub(super) fn retry_templates(&mut self, only: Option<&str>, now: DateTime<Utc>) -> u64 {
        let stopped = |kept: &&KeptRow| {
            let of = kept.row.template.as_deref().and_then(|name| name.strip_prefix(only.unwrap_or(name)));
            of.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                && matches!(kept.row.state, OutboxState::Pending | OutboxState::Failed)
        };
        let rows: Vec<KeptRow> = self.outbox.values().filter(stopped).cloned().collect();
        let count = rows.len() as u64;
        for mut kept in rows {
            kept.row.state = OutboxState::Pending;
            kept.row.next_attempt = now;
            kept.row.finished_at = None;
            kept.row.fence += 1;
            self.put_row(kept);
        }
        count
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
        let open = self.open_of_customer(customer.id);
        let line = |id: &SubscriptionId| {
            let subscription = self.subscriptions.get(id)?;
            let package = self.packages.get(&subscription.terms.package_id)?.name.clone();
            let (access, routed) = (self.access_of(*id), subscription.router_id.is_some());
            Some(MessageLine { package, access, last_event: self.last_told(*id), routed })
        };
        Ok(MessageFacts {
            others: message.also.iter().filter_map(line).collect(),
            statements: self.statements_holding(customer.id, &[invoices.as_slice(), &open].concat()),
            opted_out: self.opt_outs.get(&customer.id).is_some_and(|(_, out)| *out),
            customer: customer.clone(),
            package: package.map(|p| p.name.clone()),
            invoices,
            open,
            payment: payment.map(|kept| (kept.payment.clone(), kept.reversal.is_some())),
            access: named.map(|s| self.access_of(s.id)),
            last_event: named.and_then(|s| self.last_told(s.id)),
            routed: named.is_some_and(|s| s.router_id.is_some()),
        })
    }
}

impl State {
    fn last_told(&self, id: SubscriptionId) -> Option<AccessEventId> {
        self.access_events(id).filter(|event| event.kind.is_told()).last().map(|event| event.id)
    }
}

/// The router that a wish is for.
fn router_of(row: &OutboxRow) -> Option<RouterId> {
    match &row.effect {
        Effect::Access(wish) => Some(wish.router_id),
        Effect::Message(_) => None,
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
        owner: None,
        row: OutboxRow {
            id,
            effect,
            state: OutboxState::Pending,
            attempts: 0,
            next_attempt: not_before,
            note: String::new(),
            provider_id: None,
            finished_at: None,
            fence: 0,
            template: None,
        },
    }
}

/// The owner stays: it may come back and tell.
fn outcome_unknown(mut kept: KeptRow) -> KeptRow {
    kept.row.state = OutboxState::Unknown;
    kept.claimed_until = None;
    kept
}

fn is_live(state: OutboxState) -> bool {
    matches!(state, OutboxState::Pending | OutboxState::Claimed | OutboxState::Attempting)
}
