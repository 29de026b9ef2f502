//! Requests at payment gateways, payouts, and what each gateway holds.

use std::collections::BTreeMap;

use crate::calendar::{Date, Zone};
use crate::ending::RecordId;
use crate::money::Money;
use crate::payment::{Channel, Deposit, GatewayBalance, GatewayRefund, GatewayRequest, Payout, Purse, Refund};
use crate::ports::{ChangeSet, GatewayQuery, GatewayRefundQuery, PayoutRow, StoreError};
use crate::text::Code;

use super::state::{KeptPayment, State, must_exist};

impl State {
    pub(super) fn write_gateways(&mut self, changes: &mut ChangeSet) -> Result<(), StoreError> {
        // What ends makes room for what begins.
        changes.gateway_requests.sort_by_key(|r| r.revision == 0);
        for row in changes.gateway_requests.drain(..) {
            must_exist(self.customers.has(&row.customer_id), "customer")?;
            if let Some(payment) = row.payment_id {
                self.must_have_payment(payment)?;
            }
            let before = self.gateway_requests.get(&row.id);
            if row.revision != 0 && before.is_none_or(|b| b.revision != row.revision) {
                return Err(StoreError::Conflict);
            }
            let document = |r: &GatewayRequest| (r.customer_id, r.invoice_id, r.channel);
            let clashes = |other: &GatewayRequest| {
                let same = other.gateway == row.gateway;
                let live = other.state.is_live() && row.state.is_live();
                (row.revision == 0 && other.id == row.id)
                    || (other.id != row.id && same && other.reference == row.reference)
                    || (other.id != row.id && same && live && document(other) == document(&row))
            };
            if self.gateway_requests.values().any(clashes) {
                return Err(StoreError::Duplicate { what: "gateway_request" });
            }
            self.gateway_requests.put(row.id, GatewayRequest { revision: row.revision + 1, ..row });
        }
        for row in changes.gateway_refunds.drain(..) {
            must_exist(self.refunds.has(&row.id), "refund")?;
            self.must_have_payment(row.payment_id)?;
            let before = self.gateway_refunds.get(&row.id);
            if row.revision == 0 && before.is_some() {
                return Err(StoreError::Duplicate { what: "gateway_refund" });
            }
            if row.revision != 0 && before.is_none_or(|b| b.revision != row.revision) {
                return Err(StoreError::Conflict);
            }
            self.gateway_refunds.put(row.id, GatewayRefund { revision: row.revision + 1, ..row });
        }
        for payout in changes.payouts.drain(..) {
            if self.payouts.has(&payout.id) {
                return Err(StoreError::Duplicate { what: "payout.id" });
            }
            self.payouts.put(payout.id, payout);
        }
        Ok(())
    }

    pub(super) fn gateway_balances(&self) -> Vec<GatewayBalance> {
        let mut sums: BTreeMap<String, GatewayBalance> = BTreeMap::new();
        let mut add = |gateway: &Code, [received, fees, paid_out]: [Money; 3]| {
            let [zero, ..] = [Money::ZERO; 3];
            let none = GatewayBalance { gateway: gateway.clone(), received: zero, fees: zero, paid_out: zero };
            let sum = sums.entry(gateway.folded()).or_insert(none);
            sum.received += received;
            sum.fees += fees;
            sum.paid_out += paid_out;
        };
        let standing = |p: &&KeptPayment| p.reversal.is_none() && p.payment.channel == Channel::Gateway;
        for kept in self.payments.values().filter(standing) {
            add(&kept.payment.provider, [kept.payment.amount, Money::ZERO, Money::ZERO]);
        }
        for (gateway, refund) in self.given_back() {
            add(gateway, [-refund.amount, Money::ZERO, Money::ZERO]);
        }
        for row in self.gateway_requests.values().filter(|r| r.payment_id.is_some()) {
            add(&row.gateway, [Money::ZERO, row.fee.unwrap_or_default(), Money::ZERO]);
        }
        for payout in self.payouts.values().filter(|p| !self.endings.has(&RecordId::Payout(p.id))) {
            add(&payout.gateway, [Money::ZERO, payout.fee, payout.net]);
        }
        sums.into_values().collect()
    }

    pub(super) fn purse_days(&self, purse: &Purse) -> Vec<(Date, Money)> {
        let day = |kept: &KeptPayment| Zone::Wib.date_of(kept.payment.paid_at);
        let standing = self.payments.values().filter(|kept| kept.reversal.is_none());
        let came = standing.filter(|kept| match purse {
            Purse::Collector(collector) => kept.payment.collector.as_ref() == Some(collector),
            Purse::Gateway(gateway) => kept.payment.channel == Channel::Gateway && kept.payment.provider == *gateway,
        });
        let mut days: Vec<(Date, Money)> = came.map(|kept| (day(kept), kept.payment.amount)).collect();
        match purse {
            Purse::Collector(collector) => {
                let stands = |d: &&Deposit| d.collector == *collector && !self.endings.has(&RecordId::Deposit(d.id));
                days.extend(self.deposits.values().filter(stands).map(|d| (d.on, -d.amount)));
            }
            Purse::Gateway(gateway) => {
                for request in self.gateway_requests.values().filter(|r| r.gateway == *gateway) {
                    let payment = request.payment_id.and_then(|id| self.payments.get(&id));
                    days.extend(payment.map(|kept| (day(kept), -request.fee.unwrap_or_default())));
                }
                let ours = self.given_back().filter(|(of, _)| *of == gateway);
                days.extend(ours.map(|(_, refund)| (refund.on, -refund.amount)));
                let stands = |p: &&Payout| p.gateway == *gateway && !self.endings.has(&RecordId::Payout(p.id));
                days.extend(self.payouts.values().filter(stands).map(|p| (p.on, -p.taken())));
            }
        }
        days
    }

    /// What gateways gave back, or are asked to, with the gateway.
    fn given_back(&self) -> impl Iterator<Item = (&Code, &Refund)> {
        let stands = |row: &&GatewayRefund| !self.endings.has(&RecordId::Refund(row.id));
        let rows = self.gateway_refunds.values().filter(stands);
        rows.filter_map(|row| self.refunds.get(&row.id).map(|refund| (&row.gateway, refund)))
    }

    pub(super) fn payout_row(&self, payout: &Payout) -> PayoutRow {
        PayoutRow { payout: payout.clone(), ending: self.endings.get(&RecordId::Payout(payout.id)).cloned() }
    }
}

pub(super) fn refund_matches(row: &GatewayRefund, query: GatewayRefundQuery) -> bool {
    query.id.is_none_or(|id| id == row.id)
        && query.payment.is_none_or(|payment| payment == row.payment_id)
        && query.poll_due.is_none_or(|at| row.poll_at.is_some_and(|due| due <= at))
}

pub(super) fn gateway_matches(row: &GatewayRequest, query: &GatewayQuery) -> bool {
    query.customer.is_none_or(|c| c == row.customer_id)
        && query.known_as.as_ref().is_none_or(|(g, reference)| *g == row.gateway && *reference == row.reference)
        && (!query.live || row.state.is_live())
        && query.poll_due.is_none_or(|at| row.poll_at.is_some_and(|due| due <= at))
        && query.payment.is_none_or(|payment| row.payment_id == Some(payment))
}
