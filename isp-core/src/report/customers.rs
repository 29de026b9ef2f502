//! The customers: one row a subscription.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::billing::{Arrears, InvoiceBalance};
use crate::calendar::Date;
use crate::customer::Customer;
use crate::ids::{CustomerId, PackageId, RouterId, SubscriptionId};
use crate::isolation::{Access, ServiceAccess};
use crate::money::Money;
use crate::package::Package;
use crate::place::Router;
use crate::subscription::{Off, Subscription, SubscriptionStatus};

/// A customer with one subscription; a customer without any has empty columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CustomerRow {
    /// The customer ID that people use.
    pub code: String,
    /// As it stands on invoices.
    pub name: String,
    /// Where the line ends.
    pub address: String,
    /// Number in E.164 form.
    pub phone: Option<String>,
    /// Package code.
    pub package: Option<String>,
    /// Rupiah per month, as listed or held.
    pub price: Option<Money>,
    /// What is taken off it.
    pub discount: Option<Off>,
    /// Months per period.
    pub cycle_months: Option<u8>,
    /// Where the subscription stands.
    pub status: Option<SubscriptionStatus>,
    /// Router code.
    pub router: Option<String>,
    /// Access that is wanted.
    pub access: Option<Access>,
    /// True when the router said that it is so; `None` for a line without a router.
    pub confirmed: Option<bool>,
    /// All that is open.
    pub owed: Money,
    /// What of it is overdue.
    pub overdue: Money,
    /// Days past the earliest due date.
    pub days_late: i32,
    /// What the customer paid ahead.
    pub credit: Money,
}

/// Everything the report is made of.
#[derive(Debug, Clone, Copy)]
pub struct CustomersInput<'a> {
    /// All customers.
    pub customers: &'a [Customer],
    /// All subscriptions with their access.
    pub subscriptions: &'a [(Subscription, ServiceAccess)],
    /// All packages.
    pub packages: &'a [Package],
    /// All routers.
    pub routers: &'a [Router],
    /// All open invoices.
    pub open: &'a [InvoiceBalance],
    /// Credit of the customers who have some.
    pub credit: &'a BTreeMap<CustomerId, Money>,
    /// The day of the report.
    pub today: Date,
}

/// The rows, in the order of the customers' codes.
#[must_use]
pub fn customers(input: &CustomersInput<'_>) -> Vec<CustomerRow> {
    let packages: BTreeMap<PackageId, &Package> = input.packages.iter().map(|p| (p.id, p)).collect();
    let routers: BTreeMap<RouterId, &Router> = input.routers.iter().map(|r| (r.id, r)).collect();
    let mut owned: BTreeMap<CustomerId, Vec<&(Subscription, ServiceAccess)>> = BTreeMap::new();
    for row in input.subscriptions {
        owned.entry(row.0.customer_id).or_default().push(row);
    }
    let mut open: BTreeMap<SubscriptionId, Vec<InvoiceBalance>> = BTreeMap::new();
    for invoice in input.open {
        open.entry(invoice.subscription_id).or_default().push(*invoice);
    }
    let mut rows = Vec::new();
    for customer in input.customers {
        let bare = CustomerRow {
            code: customer.code.to_string(),
            name: customer.name.to_string(),
            address: customer.address.as_str().to_owned(),
            phone: customer.phone.as_ref().map(|p| p.e164().to_owned()),
            package: None,
            price: None,
            discount: None,
            cycle_months: None,
            status: None,
            router: None,
            access: None,
            confirmed: None,
            owed: Money::ZERO,
            overdue: Money::ZERO,
            days_late: 0,
            credit: input.credit.get(&customer.id).copied().unwrap_or_default(),
        };
        let Some(subscriptions) = owned.get(&customer.id) else {
            rows.push(bare);
            continue;
        };
        for (subscription, access) in subscriptions {
            let terms = &subscription.terms;
            let package = packages.get(&terms.package_on(input.today));
            let invoices = open.get(&subscription.id).map_or(&[][..], Vec::as_slice);
            let arrears = Arrears::of(invoices, input.today);
            rows.push(CustomerRow {
                package: package.map(|p| p.code.to_string()),
                price: monthly_price(terms, package.copied(), input.today),
                discount: terms.discount_on(input.today),
                cycle_months: Some(terms.cycle.months()),
                status: Some(terms.status_on(input.today)),
                router: subscription.router_id.and_then(|r| routers.get(&r)).map(|r| r.code.to_string()),
                access: Some(access.desired),
                confirmed: subscription.router_id.map(|_| access.agrees()),
                owed: invoices.iter().map(|i| i.residual()).sum(),
                overdue: arrears.overdue,
                days_late: arrears.days_late,
                ..bare.clone()
            });
        }
    }
    rows.sort_by(|a, b| a.code.cmp(&b.code));
    rows
}

/// The price per month that a subscription has on a day: held, or the package's.
pub(crate) fn monthly_price(
    terms: &crate::subscription::BillingTerms,
    package: Option<&Package>,
    today: Date,
) -> Option<Money> {
    terms.held_price_on(today).or_else(|| package.and_then(|p| p.prices.on(today)))
}
