//! The packages: who has them and what they bring a month.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::calendar::Date;
use crate::ids::PackageId;
use crate::isolation::Access;
use crate::money::Money;
use crate::package::Package;
use crate::report::customers::monthly_price;
use crate::subscription::{BillingTerms, SubscriptionStatus};
use crate::tax::TaxMode;

/// One package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PackageRow {
    /// What people call it.
    pub code: String,
    /// As it stands on invoices.
    pub name: String,
    /// Rupiah per month on the day of the report; `None` before its first price.
    pub price: Option<Money>,
    /// Whether the price contains PPN.
    pub tax_mode: TaxMode,
    /// Download/upload.
    pub speed: String,
    /// The group on the routers.
    pub group: String,
    /// True while it is sold.
    pub sold: bool,
    /// Subscriptions in service.
    pub active: u64,
    /// Of these, isolated.
    pub isolated: u64,
    /// Subscriptions paused.
    pub paused: u64,
    /// What those in service are listed at per month, held prices included, before discounts.
    pub monthly: Money,
}

impl PackageRow {
    /// Adds the lines of another row of the same package.
    pub(crate) fn add(&mut self, more: &Self) {
        self.active += more.active;
        self.isolated += more.isolated;
        self.paused += more.paused;
        self.monthly += more.monthly;
    }
}

/// Lines of which the report says the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alike {
    /// Their package, prices and days of service. All else in it is of any of them, or of none.
    pub terms: BillingTerms,
    /// Which access is wanted.
    pub desired: Access,
    /// How many they are.
    pub count: u64,
}

/// The rows, in the order of the packages' codes.
#[must_use]
pub fn packages(packages: &[Package], lines: impl IntoIterator<Item = Alike>, today: Date) -> Vec<PackageRow> {
    let mut rows: BTreeMap<PackageId, PackageRow> = packages
        .iter()
        .map(|p| {
            let row = PackageRow {
                code: p.code.to_string(),
                name: p.name.to_string(),
                price: p.prices.on(today),
                tax_mode: p.tax_mode,
                speed: p.group.speed.to_string(),
                group: p.group.name.to_string(),
                sold: p.sold,
                active: 0,
                isolated: 0,
                paused: 0,
                monthly: Money::ZERO,
            };
            (p.id, row)
        })
        .collect();
    let by_id: BTreeMap<PackageId, &Package> = packages.iter().map(|p| (p.id, p)).collect();
    for Alike { terms, desired, count } in lines {
        let package_id = terms.package_on(today);
        let Some(row) = rows.get_mut(&package_id) else { continue };
        match terms.status_on(today) {
            SubscriptionStatus::Active => {
                row.active += count;
                row.isolated += if desired == Access::Isolated { count } else { 0 };
                let price = monthly_price(&terms, by_id.get(&package_id).copied(), today);
                row.monthly += price.unwrap_or_default().ratio(i64::try_from(count).unwrap_or(i64::MAX), 1);
            }
            SubscriptionStatus::Paused => row.paused += count,
            SubscriptionStatus::Pending | SubscriptionStatus::Terminated => {}
        }
    }
    let mut rows: Vec<PackageRow> = rows.into_values().collect();
    rows.sort_by(|a, b| a.code.cmp(&b.code));
    rows
}
