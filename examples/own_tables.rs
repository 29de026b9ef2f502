//! A billing service with tables of its own: no store and no engine of this project, only its decision.
//!
//! `cargo run --example own_tables`

#![allow(clippy::print_stdout, reason = "an example tells what it does")]

use std::collections::BTreeMap;

use isp::core::billing::plan::{BillingContext, plan_billing};
use isp::core::billing::{Billable, BillingPolicy, Catalog, Invoice};
use isp::core::calendar::{BillingDay, Cycle, Date, Zone};
use isp::core::ids::{CustomerId, InvoiceId, PackageId, SiteId, SubscriptionId};
use isp::core::package::PriceList;
use isp::core::subscription::BillingTerms;
use isp::core::tax::{Tax, TaxMode};
use isp::core::{Error, Money};
use uuid::Uuid;

/// A row of our own table of lines.
struct Row {
    number: u128,
    first_day: &'static str,
    every: Cycle,
}

/// Our own table of invoices. The invoice's id follows from its line and period, so it is the key that keeps out a second one.
#[derive(Default)]
struct Invoices(BTreeMap<InvoiceId, Invoice>);

fn main() -> Result<(), Error> {
    let rows = [
        Row { number: 1, first_day: "2026-01-31", every: Cycle::Monthly },
        Row { number: 2, first_day: "2026-02-15", every: Cycle::Quarterly },
    ];
    let package = PackageId(Uuid::from_u128(3));
    let catalog: Catalog =
        [(package, PriceList::single(Money::rupiah(150_000))?, TaxMode::Exclusive)].into_iter().collect();
    let (policy, tax) = (BillingPolicy::default(), Tax::default());
    let mut invoices = Invoices::default();

    // Each line is billed from the day up to which it was billed before. Our table of lines keeps that day.
    let mut billed_from: BTreeMap<u128, Date> = BTreeMap::new();
    for today in ["2026-01-31", "2026-02-28", "2026-02-28", "2026-03-31"] {
        let now = Date::parse(today)?.at(9, 0, Zone::Wib);
        let lines = rows.iter().map(|row| billable(row, package, &billed_from)).collect::<Result<Vec<_>, Error>>()?;
        let context = BillingContext { catalog: &catalog, policy: &policy, tax: &tax, position: None, now };
        let plan = plan_billing(&lines, &context);
        let mut written = 0;
        for invoice in plan.invoices {
            written += usize::from(invoices.0.insert(invoice.id, invoice).is_none());
        }
        for row in &rows {
            billed_from.insert(row.number, Date::parse(today)?.plus_days(1));
        }
        println!("{today}: {written} written");
    }
    for invoice in invoices.0.values() {
        println!(
            "  {}: {} to {}, due {}, {} with PPN",
            invoice.issue_date,
            invoice.period.start,
            invoice.period.end.plus_days(-1),
            invoice.due_date,
            invoice.total
        );
    }
    assert_eq!(invoices.0.len(), 4, "28 February was run twice and billed once");
    assert!(invoices.0.values().any(|i| i.issue_date.to_string() == "2026-02-28"), "the 31st falls on the 28th");
    Ok(())
}

fn billable(row: &Row, package: PackageId, billed_from: &BTreeMap<u128, Date>) -> Result<Billable, Error> {
    let start = Date::parse(row.first_day)?;
    let terms = BillingTerms::new(package, start, BillingDay::of(start), row.every);
    Ok(Billable {
        subscription_id: SubscriptionId(Uuid::from_u128(0x2000 + row.number)),
        customer_id: CustomerId(Uuid::from_u128(0x1000 + row.number)),
        site_id: SiteId(Uuid::from_u128(1)),
        zone: Zone::Wib,
        terms: BillingTerms { billed_from: billed_from.get(&row.number).copied(), ..terms },
    })
}
