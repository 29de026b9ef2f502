//! Properties of an installation fee on a periodic invoice, and of what is given back of such an invoice.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use chrono::DateTime;
use isp_core::billing::plan::BillingContext;
use isp_core::billing::{
    Billable, BillingPolicy, Catalog, Charge, CreditReason, Invoice, LineKind, Written, add_fee, plan_billing,
};
use isp_core::calendar::{BillingDay, Cycle, Date, Period, Zone};
use isp_core::ids::{CustomerId, InstallationKindId, InstallationOrderId, PackageId, SiteId, SubscriptionId};
use isp_core::installation::InstallationOrder;
use isp_core::money::Money;
use isp_core::package::PriceList;
use isp_core::subscription::BillingTerms;
use isp_core::tax::{Tax, TaxMode};
use isp_core::testing::sample;
use proptest::prelude::*;

/// The first invoice of a line at a price.
fn first_invoice(price: i64, mode: TaxMode, tax: &Tax, start: Date) -> Invoice {
    let package = PackageId(sample::id(3, 0));
    let prices = PriceList::single(Money::rupiah(price)).unwrap();
    let catalog: Catalog = [(package, prices, mode)].into_iter().collect();
    let row = Billable {
        subscription_id: SubscriptionId(sample::id(5, 0)),
        customer_id: CustomerId(sample::id(4, 0)),
        site_id: SiteId(sample::id(1, 0)),
        zone: Zone::Wib,
        terms: BillingTerms::new(package, start, BillingDay::of(start), Cycle::Monthly),
    };
    let policy = BillingPolicy::default();
    let now = start.at(9, 0, Zone::Wit);
    let context = BillingContext { catalog: &catalog, policy: &policy, tax, position: None, now };
    plan_billing(&[row], &context).invoices.remove(0)
}

fn order(invoice: &Invoice, fee: i64) -> InstallationOrder {
    InstallationOrder {
        id: InstallationOrderId(sample::id(7, 1)),
        customer_id: invoice.customer_id,
        subscription_id: invoice.subscription_id,
        kind_id: InstallationKindId(sample::id(6, 1)),
        fee: Money::rupiah(fee),
        installed_on: invoice.issue_date,
        instalments: 1,
        with_first_invoice: true,
        step: isp_core::installation::part_step(Money::rupiah(fee)),
    }
}

fn mode() -> impl Strategy<Value = TaxMode> {
    prop::sample::select(vec![TaxMode::Inclusive, TaxMode::Exclusive])
}

proptest! {
    /// Whatever the package costs and contains, the fee is on top with PPN of its own, and nothing else moves.
    #[test]
    fn a_fee_adds_itself_and_its_ppn(
        price in 1_i64..5_000_000,
        fees in proptest::collection::vec(1_i64..5_000_000, 1..4),
        mode in mode(),
        pkp in any::<bool>(),
        paid in 0_i64..100,
    ) {
        let tax = if pkp { Tax::pkp() } else { Tax::none() };
        let start = sample::day("2026-03-05");
        let plain = first_invoice(price, mode, &tax, start);
        let mut invoice = plain.clone();
        let mut added = Money::ZERO;
        for fee in &fees {
            let alone = tax.apply(Money::rupiah(*fee), TaxMode::Exclusive, start).unwrap();
            let standing = add_fee(&mut invoice, &order(&plain, *fee), &tax).unwrap();
            prop_assert_eq!((standing.amount, standing.invoice_id), (alone.total(), plain.id));
            prop_assert!(invoice.adds_up());
            added += standing.amount;
            // Paid by share: never more than the fee, all of it exactly when the invoice is.
            let part = Money::rupiah(invoice.total.as_i64() * paid / 100);
            let of_fee = standing.paid(invoice.total, part);
            prop_assert!(of_fee >= Money::ZERO && of_fee < standing.amount);
            prop_assert_eq!(standing.paid(invoice.total, invoice.total), standing.amount);
        }
        prop_assert_eq!(invoice.total, plain.total + added);
        let service = |i: &Invoice| -> Vec<_> { i.lines.iter().filter(|l| !l.kind.is_installation()).copied().collect() };
        prop_assert_eq!(service(&invoice), service(&plain));
    }

    /// What days give back is the same with and without a fee; a correction may give back all of it.
    #[test]
    fn days_give_back_service_and_a_correction_everything(
        price in 1_000_i64..2_000_000,
        fee in 1_i64..2_000_000,
        mode in mode(),
        from in 0_i32..31,
        days in 1_i32..40,
    ) {
        let tax = Tax::pkp();
        let start = sample::day("2026-03-01");
        let plain = first_invoice(price, mode, &tax, start);
        let mut invoice = plain.clone();
        add_fee(&mut invoice, &order(&plain, fee), &tax).unwrap();
        let at = DateTime::UNIX_EPOCH;
        let written = Written { on: start, at, by: "Sari", note: "" };
        let span = Period { start: start.plus_days(from), end: start.plus_days(from + days) };
        let given = |invoice: &Invoice| {
            Charge::new(invoice.clone()).give_back(span, (1, 1), CreditReason::Pause, "x", written)
        };
        let (with, without) = (given(&invoice), given(&plain));
        prop_assert_eq!(&with, &without);
        prop_assert!(with.iter().all(|n| n.adds_up() && n.lines.iter().all(|l| !l.kind.is_installation())));
        let mut charge = Charge::new(invoice.clone());
        charge.notes = with;
        let left = charge.left();
        let rest = charge.correct(left, "rest", written).unwrap();
        prop_assert!(rest.adds_up() && rest.lines.iter().any(|l| l.kind == LineKind::Installation));
        charge.notes.push(rest);
        prop_assert_eq!(charge.left(), Money::ZERO);
        let sum = |kind: LineKind| -> Money {
            let notes = charge.notes.iter().flat_map(|n| &n.lines).filter(|l| l.kind == kind).map(|l| l.amount);
            notes.sum()
        };
        // Spread over lines, each may be a rupiah off; together they are exact.
        prop_assert!((sum(LineKind::Installation) - Money::rupiah(fee)).as_i64().abs() <= 4);
    }
}
