//! Customers whose data is erased.

use crate::ending::RecordId;
use crate::ids::{CustomerId, InstallationOrderId, PaymentId, ProofId, RouterId, SubscriptionId};
use crate::payment::{GatewayState, Instructions};
use crate::ports::{ChangeSet, Effect, OutboxState, StoreError, WebhookState};
use crate::privacy::{Erasure, Person};
use crate::protection::Proof;
use crate::subscription::Service;
use crate::text::{Name, RouterName};

use super::state::State;

impl State {
    /// Nothing is written of a person who was forgotten.
    pub(super) fn must_not_be_erased(&self, changes: &ChangeSet) -> Result<(), StoreError> {
        if changes.persons().any(|id| self.erased.has(&id)) { Err(StoreError::Erased) } else { Ok(()) }
    }

    pub(super) fn write_erasures(&mut self, erasures: Vec<Erasure>) -> Result<(), StoreError> {
        for Erasure { erased, person } in erasures {
            let customer = erased.customer_id;
            self.must_have_customer(customer)?;
            if self.erased.has(&customer) {
                return Err(StoreError::Erased);
            }
            if self.is_at_work(customer, erased.at) {
                return Err(StoreError::Conflict);
            }
            self.forget(customer, &person)?;
            self.erased.put(customer, erased);
        }
        Ok(())
    }

    fn is_at_work(&self, customer: CustomerId, at: chrono::DateTime<chrono::Utc>) -> bool {
        let gateway = |state| !matches!(state, GatewayState::Expired | GatewayState::Cancelled | GatewayState::Paid);
        let message = |state| matches!(state, OutboxState::Claimed | OutboxState::Attempting);
        let is_his = |effect: &Effect| matches!(effect, Effect::Message(message) if message.customer_id == customer);
        self.subscriptions_of_customer(customer).any(|line| line.terms.end.is_none())
            || self.invoices.values().any(|kept| kept.invoice.customer_id == customer && kept.is_open())
            || self.payments.values().any(|kept| kept.payment.customer_id == customer && kept.left().is_positive())
            || self.proofs_of(customer).any(|proof| Proof::waits(&proof))
            || self
                .payment_requests
                .values()
                .any(|of| of.customer_id == customer && of.closing.is_none() && of.kept_until > at)
            || self.gateway_requests.values().any(|of| of.customer_id == customer && gateway(of.state))
            || self.gateway_refunds.values().any(|of| {
                let his = self.refunds.get(&of.id).is_some_and(|refund| refund.customer_id == customer);
                his && !of.state.is_over()
            })
            || self.outbox.values().any(|kept| message(kept.row.state) && is_his(&kept.row.effect))
    }

    fn forget(&mut self, customer: CustomerId, person: &Person) -> Result<(), StoreError> {
        let lines: Vec<SubscriptionId> = self.subscriptions_of_customer(customer).map(|line| line.id).collect();
        let payments: Vec<PaymentId> = (self.payments.values())
            .filter(|kept| kept.payment.customer_id == customer)
            .map(|kept| kept.payment.id)
            .collect();
        let orders: Vec<InstallationOrderId> =
            self.installation_orders.values().filter(|o| o.customer_id == customer).map(|o| o.id).collect();
        let proofs: Vec<ProofId> = self.proofs_of(customer).map(|proof| proof.id).collect();
        let less = |text: &mut String| {
            if let Some(without) = person.left_out_of(text) {
                *text = without;
            }
        };

        let over = |key: &&(RouterId, SubscriptionId, Service, RouterName)| {
            let closed = self.former_accounts.get(key).is_some_and(|(_, closed)| *closed);
            closed && key.2 != Service::Static && lines.contains(&key.1)
        };
        let closed: Vec<_> = self.former_accounts.keys().filter(over).cloned().collect();
        closed.iter().for_each(|key| self.former_accounts.remove(key));
        let links: Vec<_> = self.page_links.values().filter(|l| l.customer_id == customer).map(|l| l.id).collect();
        links.iter().for_each(|id| self.page_links.remove(id));
        self.opt_outs.remove(&customer);
        let named = self
            .webhooks
            .values()
            .filter(|kept| kept.row.state != WebhookState::Waiting && person.is_in(&kept.row.webhook.body));
        let named: Vec<_> = named.map(|kept| kept.row.webhook.id).collect();
        named.iter().for_each(|id| self.webhooks.remove(id));
        for id in &proofs {
            self.proof_contents.remove(id);
            let key = (customer, *id);
            if let Some(mut proof) = self.proofs.get(&key).cloned() {
                proof.file.name = crate::privacy::ERASED.to_owned();
                self.proofs.put(key, proof);
            }
        }

        change(&mut self.proof_reviews, |id, _| proofs.contains(id), |review| less(&mut review.reason));
        change(&mut self.exemptions, |(of, _), _| *of == customer, |row| less(&mut row.reason));
        change(&mut self.access_events, |(line, _), _| lines.contains(line), |row| less(&mut row.reason));
        change(&mut self.credit_notes, |_, row| row.customer_id == customer, |row| less(&mut row.note));
        change(&mut self.refunds, |_, row| row.customer_id == customer, |row| less(&mut row.note));
        let refunds: Vec<_> = self.refunds.values().filter(|r| r.customer_id == customer).map(|r| r.id).collect();
        change(&mut self.gateway_refunds, |id, _| refunds.contains(id), |row| less(&mut row.note));
        change(&mut self.write_offs, |_, row| row.customer_id == customer, |row| less(&mut row.reason));
        let reversed = |kept: &mut super::state::KeptPayment| {
            if let Some(reversal) = kept.reversal.as_mut() {
                less(&mut reversal.reason);
            }
        };
        change(&mut self.payments, |id, _| payments.contains(id), reversed);
        let ended = |id: &RecordId| match id {
            RecordId::Promise(id) => self.promises.has(&(customer, *id)),
            RecordId::Exemption(id) => self.exemptions.has(&(customer, *id)),
            RecordId::Installation(id) => orders.contains(id),
            RecordId::Refund(id) => self.refunds.get(id).is_some_and(|refund| refund.customer_id == customer),
            _ => false,
        };
        let endings: Vec<RecordId> = self.endings.keys().filter(|id| ended(id)).copied().collect();
        change(&mut self.endings, |id, _| endings.contains(id), |row| less(&mut row.reason));
        let paid = |row: &crate::bank::MutationRow| {
            row.mark.as_ref().and_then(|mark| mark.payment_id).is_some_and(|id| payments.contains(&id))
        };
        let told = |row: &mut crate::bank::MutationRow| {
            less(&mut row.mutation.text);
            if let Some(mark) = row.mark.as_mut() {
                less(&mut mark.reason);
            }
        };
        let whose: Vec<_> = self.mutations.values().filter(|row| paid(row)).map(|row| row.mutation.id).collect();
        let telling = |row: &mut crate::bank::Telling| less(&mut row.text);
        change(
            &mut self.tellings,
            |_, row| whose.contains(&row.mutation_id) || person.is_numbered_in(&row.text),
            telling,
        );
        change(&mut self.mutations, |_, row| paid(row) || person.is_numbered_in(&row.mutation.text), told);
        let asked = |row: &mut crate::payment::GatewayRequest| {
            less(&mut row.note);
            row.instructions = Instructions::default();
        };
        change(&mut self.gateway_requests, |_, row| row.customer_id == customer, asked);
        let is_his = |kept: &super::state::KeptRow| matches!(&kept.row.effect, Effect::Message(message) if message.customer_id == customer);
        let ended = |kept: &mut super::state::KeptRow| {
            less(&mut kept.row.note);
            if matches!(kept.row.state, OutboxState::Pending | OutboxState::Unknown) {
                kept.row.state = OutboxState::Dropped;
                kept.row.note = crate::privacy::NOT_SENT.to_owned();
            }
        };
        change(&mut self.outbox, |_, kept| is_his(kept), ended);
        let waiting: Vec<_> =
            self.queue.keys().filter(|(_, _, id)| self.outbox.get(id).is_some_and(is_his)).copied().collect();
        waiting.iter().for_each(|key| self.queue.remove(key));

        let of_devices: Vec<_> =
            self.device_history.values().filter(|row| row.customer_id == customer).cloned().collect();
        for mut row in of_devices {
            if let Some(without) = person.left_out_of(row.reason.as_str()) {
                row.reason = Name::parse("reason", &without)
                    .map_err(|error| StoreError::Rejected { reason: error.to_string() })?;
            }
            self.device_history.put(row.id, row);
        }
        Ok(())
    }
}

/// Changes the rows of a table that are meant.
fn change<K: Ord + Clone, V: Clone>(
    table: &mut super::table::Table<K, V>,
    meant: impl Fn(&K, &V) -> bool,
    change: impl Fn(&mut V),
) {
    let rows: Vec<(K, V)> = table.range(..).filter(|(k, v)| meant(k, v)).map(|(k, v)| (k.clone(), v.clone())).collect();
    for (key, mut row) in rows {
        change(&mut row);
        table.put(key, row);
    }
}
