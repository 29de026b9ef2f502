//! Installations and their fees.

use std::collections::{BTreeMap, HashSet};

use isp_core::calendar::Zone;
use isp_core::ids::{CustomerId, InstallationKindId, InstallationOrderId, SubscriptionId};
use isp_core::installation::{InstallationKind, InstallationOrder, part_step};
use isp_core::ports::Expectation;
use isp_core::text::RouterName;

use super::super::problem::{Problem, RowError};
use super::super::rows::InstallationRow;
use super::{Planner, Verdict, columns};

impl Planner<'_> {
    pub(super) fn installation(&mut self, row: &InstallationRow) -> Result<Verdict, RowError> {
        let customer_id = self.customer_of(&row.at, &row.customer)?;
        let Some(subscription_id) = self.line_of(customer_id, row) else {
            let mut error = row.at.error("customer_id", Problem::NoSubscription);
            // A subscription row that is wrong itself is reported there.
            if self.subscribing.contains(&row.customer.folded()) {
                error.line = 0;
            }
            return Err(error);
        };
        let kind = self.kinds.get(&row.kind_code).copied();
        let Some(fee) = row.fee.or(kind.map(|(_, price)| price)) else {
            return Err(row.at.error("fee", Problem::NoFee));
        };
        let from = self.options.billed_from.unwrap_or_else(|| Zone::Wib.date_of(self.options.now));
        let kind_id = match kind {
            Some((id, _)) => id,
            None => {
                let id = InstallationKindId(self.ids.next_uuid());
                self.kinds.insert(row.kind_code.clone(), (id, fee));
                let (code, name) = (row.kind_code.clone(), row.kind.clone());
                self.plan.changes.installation_kinds.push(InstallationKind { id, code, name, price: fee });
                id
            }
        };
        let key = (subscription_id, kind_id, row.on);
        if let Some(known) = self.orders.get(&key) {
            let Some(old) = known else { return Ok(Verdict::Same) };
            // It was corrected, and is not charged again.
            if self.existing.taken_back.contains(&old.id) {
                return Ok(Verdict::Same);
            }
            let columns = columns(&[
                ("fee", old.fee != fee),
                ("instalments", old.instalments != row.instalments),
                ("with_first_invoice", old.with_first_invoice != row.with_first_invoice),
            ]);
            let same = columns.is_empty();
            return Ok(if same { Verdict::Same } else { Verdict::Differs { columns, updatable: false } });
        }
        if row.on < from || row.ended {
            return Ok(Verdict::LeftOut);
        }
        self.ask_about_day(&row.at, "date", row.on);
        if row.with_first_invoice && self.existing.billed.contains(&subscription_id) {
            return Err(row.at.error("with_first_invoice", isp_core::Error::FirstInvoiceIssued));
        }
        let order = InstallationOrder {
            id: InstallationOrderId(self.ids.next_uuid()),
            customer_id,
            subscription_id,
            kind_id,
            fee,
            installed_on: row.on,
            instalments: row.instalments,
            with_first_invoice: row.with_first_invoice,
            step: part_step(fee),
        };
        let order = order.checked().map_err(|e| row.at.error("instalments", e))?;
        for part in order.schedule() {
            if !self.fee_days.insert((subscription_id, part.on)) {
                return Err(row.at.error("date", isp_core::Error::InstallationClash { on: part.on }));
            }
        }
        self.ask_which_installation(row, &order);
        self.orders.insert(key, None);
        self.plan.changes.installation_orders.push(order);
        Ok(Verdict::New)
    }

    /// The line that a row is about: an old one, or one of the same import.
    fn line_of(&self, customer_id: CustomerId, row: &InstallationRow) -> Option<SubscriptionId> {
        let wanted =
            |username: &RouterName| row.username.as_ref().is_none_or(|name| name.folded() == username.folded());
        let mut new = self.subscriptions.get(&customer_id).into_iter().flatten();
        let old = self.existing.subscription_of(customer_id, row.username.as_ref());
        old.map(|s| s.id).or_else(|| new.find(|(name, _)| wanted(name)).map(|(_, id)| *id))
    }

    /// Finds the installations of the books that stand in the file unchanged.
    pub(super) fn claim_installations(&mut self) {
        let batch = self.batch;
        for row in &batch.installations {
            let of = || {
                let line = self.line_of(*self.customers.get(&row.customer)?, row)?;
                let (kind, _) = self.kinds.get(&row.kind_code)?;
                self.orders.get(&(line, *kind, row.on)).copied().flatten()
            };
            if let Some(order) = of() {
                self.claimed_orders.insert(order.id);
            }
        }
    }

    /// The commit fails when an installation was recorded meanwhile of a customer of whom one is written: its day may be the same.
    pub(super) fn expect_installations(&mut self) {
        // Nobody else knows a customer who is new.
        let there: HashSet<CustomerId> = self.existing.customers.values().map(|customer| customer.id).collect();
        let written = self.plan.changes.installation_orders.iter().map(|order| order.customer_id);
        let mut known: BTreeMap<CustomerId, u64> = written.filter(|id| there.contains(id)).map(|id| (id, 0)).collect();
        for order in &self.existing.orders {
            known.entry(order.customer_id).and_modify(|count| *count += 1);
        }
        let expected = known.into_iter().map(|(customer, count)| Expectation::Installations(customer, count));
        self.plan.changes.expected.extend(expected);
    }

    /// Asks about an installation of a line that has one which no row is: the same fee or kind, or about the same day, says
    /// that it may be that one, corrected. It would be charged beside it.
    fn ask_which_installation(&mut self, row: &InstallationRow, new: &InstallationOrder) {
        let like = |old: &&InstallationOrder| {
            let near = old.installed_on.days_since(new.installed_on).abs() <= 31;
            !self.claimed_orders.contains(&old.id)
                && !self.existing.taken_back.contains(&old.id)
                && (near || old.kind_id == new.kind_id || old.fee == new.fee)
        };
        let found = self.alike.installations(new.subscription_id).find(like);
        if let Some(old) = found {
            let kind = self.existing.kinds.iter().find(|(_, kind)| kind.id == old.kind_id);
            let kind = kind.map_or_else(String::new, |(_, kind)| kind.name.to_string());
            let known = format!("{kind} {} {}", old.fee, old.installed_on);
            let says = format!("{} {} {}", row.kind, new.fee, new.installed_on);
            self.ask(&row.at, "date", Problem::LikelyDouble { row: says, known });
        }
    }
}
