//! What a change set comes to, in the words of the log.
//!
//! Rows that people make one by one are told each, with what matters of them. Of the rows that a run makes by the thousand the
//! number and the sum are told, and a hash over all of them stands for the rest.

use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::isolation::{AccessEvent, AccessEventKind};
use crate::money::Money;
use crate::ports::ChangeSet;
use crate::protection::Proof;
use crate::text::hex;

/// Rows that are told each; of more only the number, the sum and the hash are told.
const TOLD: usize = 20;

/// The rows of one kind that a commit wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Their kind.
    pub what: &'static str,
    /// How many.
    pub count: usize,
    /// What they come to, for money.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sum: Option<Money>,
    /// What matters of each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<Told>,
    /// Where they are not all told: a hash over what would have been told of each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
}

/// What matters of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Told {
    /// Of a row of any kind.
    Row(Value),
    /// Of a decision about a line. All of them are told, of an import one for each line, so they are kept small.
    Decision(Decision),
}

/// What matters of a decision about a line; its fields are in the order of the alphabet, as those of other rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    by: String,
    id: Uuid,
    kind: AccessEventKind,
    overdue: Money,
    subscription: Uuid,
}

impl Decision {
    fn of(event: &AccessEvent) -> Self {
        Self {
            by: event.by.clone(),
            id: event.id.0,
            kind: event.kind,
            overdue: event.overdue,
            subscription: event.subscription_id.0,
        }
    }
}

impl Change {
    /// So many rows of which nothing else is told.
    #[must_use]
    pub fn count(what: &'static str, count: u64) -> Self {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        Self { what, count, sum: None, rows: Vec::new(), hash: None }
    }

    /// What is said of each of so many rows; of many only the first are told, and a hash over all.
    #[must_use]
    pub fn each(what: &'static str, said: &[String]) -> Self {
        let mut log = Log::default();
        log.rows(what, said, |row| json!(row));
        log.0.pop().unwrap_or_else(|| Self::count(what, 0))
    }

    /// One row, by its id.
    #[must_use]
    pub fn of(what: &'static str, id: Uuid) -> Self {
        Self { rows: vec![Told::Row(json!(id))], ..Self::count(what, 1) }
    }
}

#[derive(Default)]
struct Log(Vec<Change>);

impl Log {
    /// Rows with what matters of each; only so many are told.
    fn rows<T>(&mut self, what: &'static str, rows: &[T], tell: impl Fn(&T) -> Value) {
        if rows.is_empty() {
            return;
        }
        let told = rows.iter().take(TOLD).map(|row| Told::Row(tell(row))).collect();
        let hash = (rows.len() > TOLD).then(|| {
            let mut sum = Sha256::new();
            for row in rows {
                sum.update(tell(row).to_string().as_bytes());
                sum.update(b"\n");
            }
            hex(&sum.finalize())
        });
        self.0.push(Change { what, count: rows.len(), sum: None, rows: told, hash });
    }

    /// All of them, because each decision about a line is looked for.
    fn decisions(&mut self, events: &[AccessEvent]) {
        if !events.is_empty() {
            let rows = events.iter().map(|event| Told::Decision(Decision::of(event))).collect();
            self.0.push(Change { what: "access_event", count: events.len(), sum: None, rows, hash: None });
        }
    }

    fn ids<T>(&mut self, what: &'static str, rows: &[T], id: impl Fn(&T) -> Uuid) {
        self.rows(what, rows, |row| json!(id(row)));
    }

    /// Money rows, which may be very many.
    fn amounts<T>(&mut self, what: &'static str, rows: &[T], of: impl Fn(&T) -> (Uuid, Money)) {
        if rows.is_empty() {
            return;
        }
        let tell = |row: &T| {
            let (id, amount) = of(row);
            json!({ "id": id, "amount": amount })
        };
        let told = match rows.len() <= TOLD {
            true => rows.iter().map(|row| Told::Row(tell(row))).collect(),
            false => Vec::new(),
        };
        let hash = (rows.len() > TOLD).then(|| {
            let mut sum = Sha256::new();
            for row in rows {
                let (id, amount) = of(row);
                sum.update(id.as_bytes());
                sum.update(amount.as_i64().to_be_bytes());
            }
            hex(&sum.finalize())
        });
        let sum = Some(rows.iter().map(|row| of(row).1).sum());
        self.0.push(Change { what, count: rows.len(), sum, rows: told, hash });
    }
}

/// What a change set changes. Names, numbers and addresses of people, and passwords, are left out: of a customer, an account or a
/// device only its id is told.
#[must_use]
pub fn changes(changes: &ChangeSet) -> Vec<Change> {
    let ChangeSet {
        expected: _,
        sites,
        routers,
        machines,
        packages,
        customers,
        removed,
        erasures,
        subscriptions,
        former_accounts,
        installation_kinds,
        installation_orders,
        cpes,
        device_history,
        expenses,
        promises,
        exemptions,
        outages,
        proofs,
        proof_reviews,
        endings,
        invoices,
        invoiced_fees,
        credit_notes,
        write_offs,
        deposits,
        terms,
        former_terms,
        billed_from,
        not_billed,
        billing_position,
        last_run,
        payments,
        allocations,
        reversals,
        payment_requests,
        request_closings,
        gateway_requests,
        gateway_refunds,
        refunds,
        payouts,
        bank_files,
        mutations,
        tellings,
        mutation_marks,
        forgotten_aliases,
        payer_aliases,
        // A number that rises with what is told here.
        touched: _,
        access,
        access_events,
        effects,
        messages,
        journal,
    } = changes;
    let mut log = Log::default();
    log.rows("site", sites, |s| json!({ "id": s.id, "code": s.code, "zone": s.zone, "archived": s.archived }));
    log.rows("router", routers, |r| json!({ "id": r.id, "code": r.code, "site": r.site_id, "archived": r.archived }));
    log.rows("router_machine", machines, |m| json!({ "router": m.router_id, "by": m.by }));
    log.rows("package", packages, |p| json!({ "id": p.id, "code": p.code, "prices": p.prices, "sold": p.sold }));
    log.ids("customer", customers, |c| c.id.0);
    log.rows("removed", removed, |row| json!({ "of": row.kind(), "id": row.uuid() }));
    log.rows("erased", erasures, |e| json!({ "customer": e.erased.customer_id, "by": e.erased.by }));
    log.rows("subscription", subscriptions, |s| json!({ "id": s.id, "customer": s.customer_id, "terms": s.terms }));
    log.ids("former_account", former_accounts, |a| a.subscription_id.0);
    log.ids("installation_kind", installation_kinds, |k| k.id.0);
    log.rows("installation_order", installation_orders, |o| json!({ "id": o.id, "customer": o.customer_id }));
    log.ids("device", cpes, |c| c.id.0);
    log.ids("device_history", device_history, |h| h.id.0);
    log.rows("expense", expenses, |e| json!({ "id": e.id, "on": e.on, "category": e.category, "amount": e.amount }));
    log.rows("promise", promises, |p| json!({ "id": p.id, "customer": p.customer_id, "until": p.until, "by": p.by }));
    log.rows(
        "exemption",
        exemptions,
        |e| json!({ "id": e.id, "customer": e.customer_id, "from": e.from, "until": e.until, "by": e.by }),
    );
    log.rows("outage", outages, |o| json!({ "id": o.id, "site": o.site_id, "from": o.from, "until": o.until }));
    let told = |p: &Proof| json!({ "id": p.id, "customer": p.customer_id, "invoices": p.invoices, "amount": p.amount, "by": p.by, "sha256": p.file.sha256 });
    log.rows("proof", proofs, |(p, _)| told(p));
    log.rows(
        "proof.review",
        proof_reviews,
        |(id, r)| json!({ "id": id, "verdict": r.verdict, "at": r.at, "by": r.by }),
    );
    log.rows("ending", endings, |(id, e)| json!({ "of": id.kind(), "id": id.uuid(), "at": e.at, "by": e.by }));
    log.amounts("invoice", invoices, |i| (i.id.0, i.total));
    log.ids("invoiced_fee", invoiced_fees, |f| f.order_id.0);
    log.amounts("credit_note", credit_notes, |n| (n.id.0, n.total));
    log.rows("write_off", write_offs, |w| json!({ "invoice": w.invoice_id, "amount": w.amount, "by": w.by }));
    log.amounts("deposit", deposits, |d| (d.id.0, d.amount));
    log.rows("terms.before", former_terms, |f| json!({ "subscription": f.subscription_id, "terms": f.terms }));
    log.rows("terms", terms, |(id, terms)| json!({ "subscription": id, "terms": terms }));
    log.rows("billed_from", billed_from, |(id, day)| json!({ "subscription": id, "from": day }));
    log.rows("not_billed", not_billed, |(id, day)| json!({ "subscription": id, "from": day }));
    log.rows("billing_position", billing_position.as_slice(), |day| json!(day));
    log.rows("run", last_run.as_slice(), |moment| json!(moment));
    log.rows(
        "payment",
        payments,
        |p| json!({ "id": p.id, "customer": p.customer_id, "amount": p.amount, "channel": p.channel }),
    );
    log.amounts("allocation", allocations, |a| (a.invoice_id.0, a.amount));
    log.rows("reversal", reversals, |r| json!({ "payment": r.payment_id, "by": r.by }));
    log.amounts("payment_request", payment_requests, |r| (r.id.0, r.amount));
    log.ids("payment_request.closed", request_closings, |(id, _)| id.0);
    log.ids("gateway_request", gateway_requests, |r| r.id.0);
    log.rows("gateway_refund", gateway_refunds, |r| json!({ "of": r.id, "state": r.state }));
    log.amounts("refund", refunds, |r| (r.id.0, r.amount));
    log.ids("payout", payouts, |p| p.id.0);
    log.ids("bank_file", bank_files, |f| f.id.0);
    log.ids("mutation", mutations, |m| m.id.0);
    log.rows("mutation.told", tellings, |t| json!({ "mutation": t.mutation_id, "by": t.source }));
    log.ids("mutation.marked", mutation_marks, |(id, ..)| id.0);
    log.ids("payer_alias.forgotten", forgotten_aliases, |id| id.0);
    log.ids("payer_alias", payer_aliases, |a| a.mutation_id.0);
    log.rows("access", access, |a| json!({ "subscription": a.subscription_id, "desired": a.desired }));
    log.decisions(access_events);
    log.ids("router_wish", effects, |e| e.subscription_id.0);
    log.ids("message", messages, |m| m.customer_id.0);
    log.ids("journal", journal, |e| e.id.0);
    log.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::{Date, Zone};
    use crate::ids::{AccessEventId, SubscriptionId};

    /// The text is what the hashes of the log are of, so it may never change.
    #[test]
    fn every_decision_about_a_line_is_told_with_its_fields_in_the_order_of_the_alphabet() {
        let event = AccessEvent {
            id: AccessEventId(Uuid::from_u128(1)),
            subscription_id: SubscriptionId(Uuid::from_u128(2)),
            at: Date::parse("2026-01-05").unwrap().at(9, 0, Zone::Wib),
            kind: AccessEventKind::IsolatedArrears,
            by: "engine".to_owned(),
            reason: "overdue".to_owned(),
            overdue: Money::rupiah(165_000),
            revision: 3,
        };
        let told = changes(&ChangeSet { access_events: vec![event.clone(); TOLD + 10], ..ChangeSet::default() });
        assert_eq!((told.len(), told[0].count, told[0].rows.len()), (1, TOLD + 10, TOLD + 10));
        let text = json!({ "id": event.id, "subscription": event.subscription_id, "kind": event.kind, "by": event.by,
            "overdue": event.overdue });
        assert_eq!(serde_json::to_string(&told[0].rows[0]).unwrap(), text.to_string());
        assert_eq!((&told[0].hash, told[0].sum), (&None, None));
    }
}
