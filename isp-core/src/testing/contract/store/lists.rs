//! Lists that are read a page at a time, and lines that are counted.

use crate::billing::InvoiceBalance;
use crate::customer::Customer;
use crate::device::Cpe;
use crate::ids::TenantId;
use crate::isolation::Access;
use crate::money::Money;
use crate::ports::{ChangeSet, PageQuery, Store};
use crate::subscription::{BillingTerms, Discount, HeldPrice, Off, PackageChange};
use crate::testing::sample::{self, World, allocation, day, moment};

use super::{world, write, write_invoices};

/// Big letters before small ones, whatever order of letters a database has; by pages as all at once.
pub(super) async fn lists_come_in_the_order_of_bytes(store: &dyn Store, tenant: TenantId) {
    let mut w = World::new(6);
    let codes = ["b2", "B1", "a-1", "Z", "a_0", "10"];
    for (customer, code) in w.customers.iter_mut().zip(codes) {
        customer.code = sample::code(code);
    }
    write(store, tenant, w.changes()).await;
    let devices: Vec<_> = (0..6_u64)
        .zip(codes)
        .map(|(n, code)| Cpe { serial: sample::code(code), ..sample::cpe(n, w.customers[0].id) })
        .collect();
    write(store, tenant, ChangeSet { cpes: devices, ..ChangeSet::default() }).await;
    let mut expected = codes;
    expected.sort_unstable();
    for limit in [1, 2, 4, 6, 7] {
        let (mut people, mut serials): (Vec<Customer>, Vec<Cpe>) = (Vec::new(), Vec::new());
        for _ in 0..=6 {
            let after = people.last().map(|customer| customer.code.clone());
            let page = store.customers_from(tenant, after.as_ref(), limit).await.unwrap();
            assert!(page.len() <= limit as usize);
            people.extend(page);
            let after = serials.last().map(|cpe| cpe.serial.clone());
            let page = store.cpes_from(tenant, after.as_ref(), limit).await.unwrap();
            assert!(page.len() <= limit as usize);
            serials.extend(page);
        }
        assert_eq!(people.iter().map(|customer| customer.code.as_str()).collect::<Vec<_>>(), expected);
        assert_eq!(serials.iter().map(|cpe| cpe.serial.as_str()).collect::<Vec<_>>(), expected);
    }
    let mut lines = w.subscriptions[2..5].to_vec();
    lines.sort_by_key(|line| line.id);
    let ids: Vec<_> = w.customers[2..5].iter().map(|customer| customer.id).collect();
    let found = store.subscriptions_of(tenant, &ids).await.unwrap();
    assert_eq!(found.into_iter().map(|(line, _)| line).collect::<Vec<_>>(), lines);
    assert_eq!(store.subscriptions_of(tenant, &[]).await.unwrap(), []);
}

/// Lines are counted by what a report of packages asks of them.
pub(super) async fn lines_that_are_alike_are_counted(store: &dyn Store, tenant: TenantId) {
    let mut w = World::new(7);
    for line in &mut w.subscriptions {
        line.terms.package_id = w.packages[0].id;
    }
    w.subscriptions[1].terms.package_id = w.packages[1].id;
    w.subscriptions[2].terms.end = Some(day("2026-03-01"));
    w.subscriptions[3].terms.held_price =
        Some(HeldPrice { price: Money::rupiah(90_000), until: Some(day("2026-05-01")) });
    let change = PackageChange { package_id: w.packages[1].id, from: day("2026-04-01") };
    w.subscriptions[4].terms.change = Some(change);
    // What no report of packages asks.
    w.subscriptions[5].terms.discount = Some(Discount { off: Off::Percent(10), until: None });
    write(store, tenant, w.changes()).await;
    let all = store.subscriptions(tenant, None, PageQuery::first(100)).await.unwrap();
    let of = |terms: &BillingTerms, desired: Access| {
        let (change, held) =
            (terms.change.map(|c| (c.package_id, c.from)), terms.held_price.map(|h| (h.price, h.until)));
        (terms.package_id, change, terms.start, terms.end, terms.paused_from, held, desired.code())
    };
    let mut expected = std::collections::BTreeMap::new();
    for (line, access) in &all {
        *expected.entry(of(&line.terms, access.desired)).or_insert(0) += 1;
    }
    let mut counted = std::collections::BTreeMap::new();
    for alike in store.alike(tenant).await.unwrap() {
        *counted.entry(of(&alike.terms, alike.desired)).or_insert(0) += alike.count;
    }
    assert_eq!(counted, expected);
    assert_eq!(counted.values().sum::<u64>(), 7);
    assert!(store.alike(sample::tenant(78)).await.unwrap().is_empty());
}

/// What is open, of some customers and page by page, and what they have left.
pub(super) async fn what_is_open_comes_in_pages(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 4).await;
    let invoice = |n: usize, from: &str, due: &str| sample::invoice(&w.subscriptions[n], day(from), day(due), 100_000);
    let invoices = [
        invoice(0, "2026-01-01", "2026-01-11"),
        invoice(1, "2026-01-01", "2026-01-11"),
        invoice(2, "2026-01-01", "2026-01-05"),
        invoice(0, "2026-02-01", "2026-02-11"),
        invoice(3, "2026-01-01", "2026-01-11"),
    ];
    write_invoices(store, tenant, &invoices.each_ref()).await;
    let at = moment("2026-01-05T03:00:00Z");
    let pay = |n: u64, of: usize, amount| sample::payment(tenant, n, w.customers[of].id, amount, at);
    let payments = vec![pay(1, 3, 100_000), pay(2, 1, 40_000), pay(3, 1, 2_000), pay(4, 2, 9_000)];
    let paid = vec![
        allocation(payments[0].id, invoices[4].id, 100_000, at),
        allocation(payments[3].id, invoices[2].id, 9_000, at),
    ];
    write(store, tenant, ChangeSet { payments, allocations: paid, ..ChangeSet::default() }).await;
    let place = |i: &InvoiceBalance| (i.due_date, i.customer_id, i.invoice_id);
    let mut expected = store.all_open_invoices(tenant).await.unwrap();
    expected.sort_by_key(place);
    assert_eq!(expected.len(), 4);
    for limit in [1, 2, 3, 4, 5] {
        let mut found: Vec<InvoiceBalance> = Vec::new();
        for _ in 0..5 {
            let page = store.open_from(tenant, found.last().map(place), limit).await.unwrap();
            assert!(page.len() <= limit as usize);
            found.extend(page);
        }
        assert_eq!(found, expected, "{limit} a page");
    }
    let two = [w.customers[2].id, w.customers[0].id];
    let mut of_two: Vec<_> = expected.iter().filter(|i| two.contains(&i.customer_id)).copied().collect();
    of_two.sort_by_key(|i| (i.due_date, i.issue_date, i.number));
    assert_eq!(store.open_of(tenant, &two).await.unwrap(), of_two);
    let all: Vec<_> = w.customers.iter().map(|customer| customer.id).collect();
    assert_eq!(store.credit_of(tenant, &all).await.unwrap(), [(w.customers[1].id, Money::rupiah(42_000))]);
    assert_eq!(store.credit_of(tenant, &two).await.unwrap(), []);
}
