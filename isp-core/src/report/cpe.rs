//! The devices, and which lent ones should have come back.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::calendar::Date;
use crate::customer::Customer;
use crate::device::{Cpe, DeviceAction, DeviceHistory, Ownership};
use crate::ids::{CpeId, CustomerId};
use crate::money::Money;
use crate::subscription::{Subscription, SubscriptionStatus};

/// One device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
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

/// The devices as they were on a day: whose place each stood at, whose it was, and whether it stood there. One of which something
/// is recorded, and nothing by that day, was not there yet.
#[must_use]
pub fn cpes_on(cpes: Vec<Cpe>, history: &[DeviceHistory], day: Date) -> Vec<Cpe> {
    let mut steps: BTreeMap<CpeId, Vec<&DeviceHistory>> = BTreeMap::new();
    history.iter().for_each(|step| steps.entry(step.cpe_id).or_default().push(step));
    let then = |cpe: Cpe| {
        let Some(steps) = steps.get(&cpe.id) else { return Some(cpe) };
        let known: Vec<&&DeviceHistory> = steps.iter().filter(|step| step.on <= day).collect();
        let last = known.last()?;
        let moved = known.iter().rfind(|step| step.action != DeviceAction::Corrected);
        let installed = moved.map_or(cpe.installed, |step| step.action == DeviceAction::Installed);
        Some(Cpe { customer_id: last.customer_id, ownership: last.ownership, installed, ..cpe })
    };
    cpes.into_iter().filter_map(then).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::DeviceHistoryId;
    use crate::payment::Channel;
    use crate::text::{Code, Name};

    #[test]
    fn a_device_is_told_where_it_was() {
        let (id, day) = (uuid::Uuid::from_u128, |text: &str| Date::parse(text).unwrap());
        let cpe = |n: u128| Cpe {
            id: CpeId(id(n)),
            serial: Code::parse("serial", &format!("SN-{n}")).unwrap(),
            customer_id: CustomerId(id(2)),
            outdoor_unit: None,
            router: None,
            ip: None,
            username: None,
            password: None,
            ownership: Ownership::Lent,
            value: Money::ZERO,
            installed: true,
        };
        let name = || Name::parse("name", "ONT").unwrap();
        let step = |n: u128, on: &str, action, customer: u128, ownership| DeviceHistory {
            id: DeviceHistoryId(id(n)),
            customer_id: CustomerId(id(customer)),
            cpe_id: CpeId(id(1)),
            on: day(on),
            action,
            device: name(),
            reason: name(),
            ownership,
            officer: name(),
            cost: Money::ZERO,
            paid_from: Channel::Cash,
        };
        let history = [
            step(1, "2026-01-05", DeviceAction::Installed, 1, Ownership::Owned),
            step(2, "2026-01-07", DeviceAction::Corrected, 1, Ownership::Lent),
            step(3, "2026-02-01", DeviceAction::Returned, 1, Ownership::Lent),
            step(4, "2026-03-01", DeviceAction::Installed, 2, Ownership::Lent),
        ];
        let at = |on: &str| {
            let found = cpes_on(vec![cpe(1), cpe(9)], &history, day(on));
            found
                .iter()
                .map(|c| (c.id.0.as_u128(), c.customer_id.0.as_u128(), c.ownership, c.installed))
                .collect::<Vec<_>>()
        };
        // Of the other nothing is recorded: it is told as it is.
        let other = (9, 2, Ownership::Lent, true);
        assert_eq!(at("2026-01-04"), [other]);
        assert_eq!(at("2026-01-05"), [(1, 1, Ownership::Owned, true), other]);
        assert_eq!(at("2026-01-31"), [(1, 1, Ownership::Lent, true), other]);
        assert_eq!(at("2026-02-28"), [(1, 1, Ownership::Lent, false), other]);
        assert_eq!(at("2026-03-01"), [(1, 2, Ownership::Lent, true), other]);
    }
}
