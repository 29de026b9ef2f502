//! What is in the books by what a new row is compared by. Without it each new row would look at all of them, and an import into
//! large books would take hours.

use std::collections::{BTreeMap, HashMap, HashSet};

use isp_core::calendar::Date;
use isp_core::customer::{Customer, Nik};
use isp_core::device::Cpe;
use isp_core::ids::{CustomerId, SubscriptionId};
use isp_core::installation::InstallationOrder;
use isp_core::ledger::Expense;

use super::batch::Batch;
use super::existing::Existing;
use super::rows::CustomerRow;

/// The most days between two expenses that may be one.
const NEAR_DAYS: i32 = 7;

/// What may be one with a new row.
pub(super) struct Alike<'a> {
    /// Customers whom no row of the file of customers names, by NIK, and by name in small letters; each list in the order of codes.
    by_nik: HashMap<&'a str, Vec<&'a Customer>>,
    by_name: HashMap<String, Vec<&'a Customer>>,
    /// Devices by customer, in the order of serial numbers.
    devices: HashMap<CustomerId, Vec<&'a Cpe>>,
    installations: HashMap<SubscriptionId, Vec<&'a InstallationOrder>>,
    /// Expenses that stand, by day, in the order of ids.
    expenses: BTreeMap<Date, Vec<&'a Expense>>,
}

impl<'a> Alike<'a> {
    pub(super) fn new(batch: &Batch, existing: &'a Existing) -> Self {
        let mut all = Self {
            by_nik: HashMap::new(),
            by_name: HashMap::new(),
            devices: HashMap::new(),
            installations: HashMap::new(),
            expenses: BTreeMap::new(),
        };
        let named: HashSet<String> = batch.customers.iter().map(|row| row.code.folded()).collect();
        let mut unnamed: Vec<&Customer> =
            existing.customers.values().filter(|customer| !named.contains(&customer.code.folded())).collect();
        unnamed.sort_by(|a, b| a.code.as_str().cmp(b.code.as_str()));
        for customer in unnamed {
            let nik = customer.nik.as_ref().map(Nik::reveal);
            nik.into_iter().for_each(|nik| all.by_nik.entry(nik).or_default().push(customer));
            all.by_name.entry(customer.name.as_str().to_lowercase()).or_default().push(customer);
        }
        for device in existing.cpes.values() {
            all.devices.entry(device.customer_id).or_default().push(device);
        }
        all.devices.values_mut().for_each(|of| of.sort_by(|a, b| a.serial.as_str().cmp(b.serial.as_str())));
        for order in &existing.orders {
            all.installations.entry(order.subscription_id).or_default().push(order);
        }
        for known in existing.expenses.values().filter(|known| known.ending.is_none()) {
            all.expenses.entry(known.expense.on).or_default().push(&known.expense);
        }
        all.expenses.values_mut().for_each(|of| of.sort_by_key(|expense| expense.id));
        all
    }

    /// The first customer of those whom no row names who has the NIK of a row, or its name and its phone number or address.
    pub(super) fn customer(&self, row: &CustomerRow) -> Option<&'a Customer> {
        let of_card = row.nik.as_ref().and_then(|nik| self.by_nik.get(nik.reveal())?.first().copied());
        let called = self.by_name.get(&row.name.as_str().to_lowercase());
        let of_name = called.into_iter().flatten().copied().find(|old| {
            let phone = row.phone.is_some() && row.phone == old.phone;
            phone || row.address == old.address
        });
        of_card.into_iter().chain(of_name).min_by(|a, b| a.code.as_str().cmp(b.code.as_str()))
    }

    /// The devices of a customer.
    pub(super) fn devices(&self, customer: CustomerId) -> impl Iterator<Item = &'a Cpe> {
        self.devices.get(&customer).into_iter().flatten().copied()
    }

    /// The installations of a line.
    pub(super) fn installations(&self, line: SubscriptionId) -> impl Iterator<Item = &'a InstallationOrder> {
        self.installations.get(&line).into_iter().flatten().copied()
    }

    /// The expenses of a day that stand.
    pub(super) fn expenses_of(&self, on: Date) -> impl Iterator<Item = &'a Expense> {
        self.expenses.get(&on).into_iter().flatten().copied()
    }

    /// The expenses that stand of a day and of a week before and after it, the oldest day first.
    pub(super) fn expenses_near(&self, on: Date) -> impl Iterator<Item = &'a Expense> {
        self.expenses.range(on.plus_days(-NEAR_DAYS)..=on.plus_days(NEAR_DAYS)).flat_map(|(_, of)| of.iter().copied())
    }
}
