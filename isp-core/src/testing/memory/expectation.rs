//! Whether what a commit was decided from still holds.

use crate::ledger::{JournalEntry, cover};
use crate::money::Money;
use crate::ports::{Expectation, MutationQuery};
use crate::protection::Proof;

use super::bank::mutation_matches;
use super::state::State;

impl State {
    pub(super) fn holds(&self, expected: &Expectation, journal: &[JournalEntry]) -> bool {
        match expected {
            Expectation::Covered(account) => cover::taken_from(*account, journal)
                .is_none_or(|from| cover::short(*account, &self.account_days(*account, from), journal).is_none()),
            Expectation::CollectorHolds(collector, least) => {
                let of_them = self.collectors().into_iter().find(|of| of.collector == *collector);
                of_them.map_or(Money::ZERO, |of| of.holds()) >= *least
            }
            Expectation::GatewayHolds(gateway, least) => {
                let of_it = self.gateway_balances().into_iter().find(|of| of.gateway == *gateway);
                of_it.map_or(Money::ZERO, |of| of.holds()) >= *least
            }
            Expectation::Payments(customer, most) => {
                self.payments.values().filter(|kept| kept.payment.customer_id == *customer).count() as u64 <= *most
            }
            Expectation::Promises(customer, most) => self.promises_of(*customer).count() as u64 <= *most,
            Expectation::CreditNotes(customer, most) => {
                self.credit_notes.values().filter(|note| note.customer_id == *customer).count() as u64 <= *most
            }
            Expectation::Installations(customer, most) => {
                self.installation_orders.values().filter(|o| o.customer_id == *customer).count() as u64 <= *most
            }
            Expectation::Mutations(account, days, most) => {
                let query =
                    MutationQuery { account: Some(account.clone()), days: Some(*days), ..MutationQuery::default() };
                self.mutations.values().filter(|row| mutation_matches(row, &query)).count() as u64 <= *most
            }
            Expectation::ProofsWaiting(customer, most) => {
                self.proofs_of(*customer).filter(Proof::waits).count() as u64 <= *most
            }
            Expectation::Lines(lines) => lines.iter().all(|line| {
                self.subscriptions.get(&line.subscription_id).is_some_and(|now| self.billable_of(now) == *line)
            }),
            Expectation::Packages(packages) => self.packages.values().eq(packages.iter()),
        }
    }
}
