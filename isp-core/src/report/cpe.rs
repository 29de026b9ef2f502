//! The devices, and which lent ones should have come back.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::calendar::Date;
use crate::customer::Customer;
use crate::device::{Cpe, Ownership};
use crate::ids::CustomerId;
use crate::money::Money;
use crate::subscription::{Subscription, SubscriptionStatus};

/// One device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CpeRow {
    /// Serial number.
    pub serial: String,
    /// The customer ID that people use.
    pub customer: String,
    /// The customer's name.
    pub name: String,
    /// Model of the outdoor unit.
    pub outdoor_unit: Option<String>,
    /// Model of the router.
    pub router: Option<String>,
    /// Address at which it is managed.
    pub ip: Option<String>,
    /// User name for managing it.
    pub username: Option<String>,
    /// Whose it is.
    pub ownership: Ownership,
    /// What it is worth.
    pub value: Money,
    /// True while it stands there.
    pub installed: bool,
    /// True for a lent device that still stands at a customer's whose every subscription has ended.
    pub to_return: bool,
}

/// The rows, in the order of the serial numbers.
#[must_use]
pub fn cpe<'a>(
    cpes: &[Cpe],
    customers: &[Customer],
    subscriptions: impl Iterator<Item = &'a Subscription>,
    today: Date,
) -> Vec<CpeRow> {
    let customers: BTreeMap<CustomerId, &Customer> = customers.iter().map(|c| (c.id, c)).collect();
    let (mut any, mut served) = (BTreeSet::new(), BTreeSet::new());
    for subscription in subscriptions {
        any.insert(subscription.customer_id);
        if subscription.terms.status_on(today) != SubscriptionStatus::Terminated {
            served.insert(subscription.customer_id);
        }
    }
    let mut rows: Vec<CpeRow> = cpes
        .iter()
        .map(|cpe| {
            let customer = customers.get(&cpe.customer_id);
            let left = any.contains(&cpe.customer_id) && !served.contains(&cpe.customer_id);
            CpeRow {
                serial: cpe.serial.to_string(),
                customer: customer.map(|c| c.code.to_string()).unwrap_or_default(),
                name: customer.map(|c| c.name.to_string()).unwrap_or_default(),
                outdoor_unit: cpe.outdoor_unit.as_ref().map(ToString::to_string),
                router: cpe.router.as_ref().map(ToString::to_string),
                ip: cpe.ip.map(|ip| ip.to_string()),
                username: cpe.username.clone(),
                ownership: cpe.ownership,
                value: cpe.value,
                installed: cpe.installed,
                to_return: cpe.installed && cpe.ownership == Ownership::Lent && left,
            }
        })
        .collect();
    rows.sort_by(|a, b| a.serial.cmp(&b.serial));
    rows
}
