//! What a commit was decided from is looked at once more in its own transaction.

use std::sync::Arc;

use crate::billing::{Billable, Invoice};
use crate::calendar::{BillingDay, Date, Zone};
use crate::ids::{CustomerId, DepositId, ExpenseId, JournalEntryId, PayoutId, PromiseId, TenantId};
use crate::ledger::{Account, EntryKind, Expense, JournalEntry, JournalLine};
use crate::money::Money;
use crate::package::Package;
use crate::payment::{Channel, Deposit, Payment, Payout};
use crate::ports::{BillableQuery, ChangeSet, Expectation, PageQuery, Store, StoreError};
use crate::protection::Promise;
use crate::testing::sample::{self, code, day, id, moment};

use super::credit::note;
use super::{refused, world, write, write_invoices};

fn brings(account: Account, number: u64, on: &str, amount: i64) -> JournalEntry {
    let amount = Money::rupiah(amount);
    let lines = vec![JournalLine::new(account, amount), JournalLine::new(Account::CustomerCredit, -amount)];
    JournalEntry { id: JournalEntryId(id(41, number)), date: day(on), kind: EntryKind::Payment, lines }
}

fn journal(entries: &[JournalEntry]) -> ChangeSet {
    ChangeSet { journal: entries.to_vec(), ..ChangeSet::default() }
}

/// An expense that expects to be covered.
fn spend(number: u64, on: &str, amount: i64, paid_from: Channel) -> ChangeSet {
    let expense = Expense {
        id: ExpenseId(id(42, number)),
        on: day(on),
        category: Account::ExpenseOther,
        amount: Money::rupiah(amount),
        paid_from,
        note: String::new(),
        site_id: None,
    };
    let expected = vec![Expectation::Covered(paid_from.account())];
    ChangeSet { expected, journal: vec![expense.entry()], expenses: vec![expense], ..ChangeSet::default() }
}

pub(super) async fn an_account_is_covered_on_every_day(store: &dyn Store, tenant: TenantId) {
    let (cash, pph23) = (Account::Cash, Account::Pph23Prepaid);
    let come = [
        brings(cash, 1, "2026-01-05", 100_000),
        brings(cash, 2, "2026-01-05", 20_000),
        brings(cash, 3, "2026-01-09", 50_000),
        brings(pph23, 4, "2026-01-07", 30_000),
        brings(Account::Bank, 5, "2026-01-01", 900_000),
    ];
    write(store, tenant, journal(&come)).await;
    let days = |from: &'static str, account| store.account_days(tenant, account, day(from));
    let moved = |days: &[(&str, i64)]| days.iter().map(|(on, m)| (day(on), Money::rupiah(*m))).collect::<Vec<_>>();
    assert_eq!(days("2026-01-01", cash).await, Ok(moved(&[("2026-01-05", 120_000), ("2026-01-09", 50_000)])));
    assert_eq!(days("2026-01-07", cash).await, Ok(moved(&[("2026-01-07", 120_000), ("2026-01-09", 50_000)])));
    assert_eq!(days("2026-01-20", pph23).await, Ok(moved(&[("2026-01-20", 30_000)])));
    assert_eq!(days("2026-01-01", Account::Gateway).await, Ok(Vec::new()));
    assert_eq!(store.account_days(sample::tenant(77), cash, Date::MIN).await, Ok(Vec::new()));

    let too_early = spend(1, "2026-01-04", 1, Channel::Cash);
    assert_eq!(refused(store, tenant, too_early).await, StoreError::Conflict);
    assert_eq!(refused(store, tenant, spend(1, "2026-01-06", 121_000, Channel::Cash)).await, StoreError::Conflict);
    write(store, tenant, spend(1, "2026-01-10", 160_000, Channel::Cash)).await;
    // It would be there on the 6th, and be missing on the 10th.
    assert_eq!(refused(store, tenant, spend(2, "2026-01-06", 10_001, Channel::Cash)).await, StoreError::Conflict);
    write(store, tenant, spend(2, "2026-01-06", 10_000, Channel::Cash)).await;
    assert_eq!(refused(store, tenant, spend(3, "2026-01-06", 30_000, Channel::Pph23)).await, StoreError::Conflict);
    write(store, tenant, spend(3, "2026-01-07", 30_000, Channel::Pph23)).await;
    let written = store.expenses(tenant).await.unwrap();
    assert_eq!(written.len(), 3, "nothing is left of what failed");
    // A person who was asked means it; and what brings something is covered, whatever was there.
    let meant = ChangeSet { expected: Vec::new(), ..spend(4, "2026-01-11", 70_000, Channel::Cash) };
    write(store, tenant, meant).await;
    let expected = vec![Expectation::Covered(cash)];
    write(store, tenant, ChangeSet { expected, ..journal(&[brings(cash, 6, "2026-01-12", 5)]) }).await;
}

pub(super) async fn what_a_collector_and_a_gateway_hold_is_looked_at_once_more(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 1).await;
    let at = moment("2026-01-05T03:00:00Z");
    let paid = |number, collector: Option<&str>, channel| Payment {
        collector: collector.map(code),
        channel,
        provider: code("Midtrans"),
        ..sample::payment(tenant, number, w.customers[0].id, 50_000, at)
    };
    let payments = vec![paid(1, Some("Budi"), Channel::Cash), paid(2, None, Channel::Gateway)];
    write(store, tenant, ChangeSet { payments, ..ChangeSet::default() }).await;
    let deposit = |number, amount| Deposit {
        id: DepositId(id(31, number)),
        collector: code("BUDI"),
        amount: Money::rupiah(amount),
        to: Channel::Bank,
        on: day("2026-01-06"),
        by: "Petugas Contoh".into(),
        note: String::new(),
    };
    let hand_over = |number, amount| ChangeSet {
        expected: vec![Expectation::CollectorHolds(code("budi"), Money::rupiah(amount))],
        deposits: vec![deposit(number, amount)],
        ..ChangeSet::default()
    };
    write(store, tenant, hand_over(1, 30_000)).await;
    assert_eq!(refused(store, tenant, hand_over(2, 20_001)).await, StoreError::Conflict);
    write(store, tenant, hand_over(2, 20_000)).await;
    let of_nobody = vec![Expectation::CollectorHolds(code("ANI"), Money::rupiah(1))];
    let changes = ChangeSet { expected: of_nobody, deposits: vec![deposit(3, 1)], ..ChangeSet::default() };
    assert_eq!(refused(store, tenant, changes).await, StoreError::Conflict);

    let payout = |number, amount| Payout {
        id: PayoutId(id(32, number)),
        gateway: code("midtrans"),
        net: Money::rupiah(amount),
        fee: Money::ZERO,
        on: day("2026-01-07"),
        by: "Petugas Contoh".into(),
        note: String::new(),
    };
    let pay_out = |number, amount| ChangeSet {
        expected: vec![Expectation::GatewayHolds(code("MIDTRANS"), Money::rupiah(amount))],
        payouts: vec![payout(number, amount)],
        ..ChangeSet::default()
    };
    write(store, tenant, pay_out(1, 30_000)).await;
    assert_eq!(refused(store, tenant, pay_out(2, 20_001)).await, StoreError::Conflict);
    write(store, tenant, pay_out(2, 20_000)).await;
    assert_eq!(store.payouts(tenant).await.unwrap().len(), 2);
}

fn promise(number: u64, customer_id: CustomerId) -> Promise {
    let (made_on, until) = (day("2026-01-12"), day("2026-01-20"));
    Promise { id: PromiseId(id(33, number)), customer_id, made_on, until, by: "Petugas Contoh".into(), ending: None }
}

pub(super) async fn counts_are_looked_at_once_more(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 2).await;
    let [one, other] = [w.customers[0].id, w.customers[1].id];
    let at = moment("2026-01-05T03:00:00Z");
    let pay = |most, number| ChangeSet {
        expected: vec![Expectation::Payments(one, most)],
        payments: vec![sample::payment(tenant, number, one, 50_000, at)],
        ..ChangeSet::default()
    };
    let of_other = vec![sample::payment(tenant, 9, other, 50_000, at)];
    write(store, tenant, ChangeSet { payments: of_other, ..ChangeSet::default() }).await;
    write(store, tenant, pay(0, 1)).await;
    assert_eq!(refused(store, tenant, pay(0, 2)).await, StoreError::Conflict);
    write(store, tenant, pay(1, 2)).await;

    let make = |most, number| ChangeSet {
        expected: vec![Expectation::Promises(one, most)],
        promises: vec![promise(number, one)],
        ..ChangeSet::default()
    };
    write(store, tenant, ChangeSet { promises: vec![promise(9, other)], ..ChangeSet::default() }).await;
    write(store, tenant, make(0, 1)).await;
    assert_eq!(refused(store, tenant, make(0, 2)).await, StoreError::Conflict);
    write(store, tenant, make(1, 2)).await;
    // All of a set must hold.
    let both = vec![Expectation::Promises(one, 2), Expectation::Payments(one, 1)];
    let changes = ChangeSet { expected: both, ..make(2, 3) };
    assert_eq!(refused(store, tenant, changes).await, StoreError::Conflict);
    assert_eq!(store.protections(tenant, Some(one)).await.unwrap().0.len(), 2);
}

pub(super) async fn notes_and_installations_are_counted_once_more(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 2).await;
    let [one, other] = [w.customers[0].id, w.customers[1].id];
    let invoices: Vec<Invoice> =
        (0..2).map(|n| sample::invoice(&w.subscriptions[n], day("2026-01-01"), day("2026-01-11"), 100_000)).collect();
    write_invoices(store, tenant, &invoices.iter().collect::<Vec<_>>()).await;
    let give = |most, of: usize, key: &str| ChangeSet {
        expected: vec![Expectation::CreditNotes(one, most)],
        credit_notes: vec![note(&invoices[of], 20_000, key)],
        ..ChangeSet::default()
    };
    write(store, tenant, give(0, 1, "of the other")).await;
    write(store, tenant, give(0, 0, "a")).await;
    assert_eq!(refused(store, tenant, give(0, 0, "a")).await, StoreError::Conflict);
    assert_eq!(refused(store, tenant, give(0, 0, "b")).await, StoreError::Conflict);
    write(store, tenant, give(1, 0, "b")).await;
    let given = async |of| store.credit_notes(tenant, Some(of), PageQuery::first(9)).await.unwrap().len();
    assert_eq!((given(one).await, given(other).await), (2, 1));

    let kind = sample::installation_kind(0);
    let install = |most, line: usize, number| ChangeSet {
        expected: vec![Expectation::Installations(one, most)],
        installation_orders: vec![sample::installation_order(
            number,
            &w.subscriptions[line],
            kind.id,
            day("2026-01-05"),
            1,
        )],
        ..ChangeSet::default()
    };
    write(store, tenant, ChangeSet { installation_kinds: vec![kind.clone()], ..ChangeSet::default() }).await;
    write(store, tenant, install(0, 1, 1)).await;
    write(store, tenant, install(0, 0, 2)).await;
    assert_eq!(refused(store, tenant, install(0, 0, 3)).await, StoreError::Conflict);
    write(store, tenant, install(1, 0, 3)).await;
    assert_eq!(store.installation_orders(tenant, Some(one)).await.unwrap().len(), 2);
}

pub(super) async fn of_many_at_one_moment_one_finds_what_it_expects(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 1).await;
    write(store, tenant, journal(&[brings(Account::Cash, 1, "2026-01-05", 100_000)])).await;
    let customer = w.customers[0].id;
    let promised = |number| ChangeSet {
        expected: vec![Expectation::Promises(customer, 0)],
        promises: vec![promise(number, customer)],
        ..ChangeSet::default()
    };
    let spent = |number| spend(number, "2026-01-06", 60_000, Channel::Cash);
    for made in [(1..11).map(promised).collect::<Vec<_>>(), (1..11).map(spent).collect()] {
        let done = futures::future::join_all(made.into_iter().map(|changes| store.commit(tenant, changes))).await;
        assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1, "{done:?}");
        assert!(done.iter().all(|done| matches!(done, Ok(_) | Err(StoreError::Conflict))), "{done:?}");
    }
}

/// A page of lines is read, somebody changes something, and an invoice of the page is to be written.
pub(super) async fn lines_and_packages_are_as_they_were_read(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 3).await;
    let query = BillableQuery { days: u32::MAX, ends_from: Date::MAX };
    let read = async || store.load_billable(tenant, query, PageQuery::first(9)).await.unwrap();
    let packages = async || Arc::new(store.packages(tenant).await.unwrap());
    let mut invoiced = 0;
    let mut bill = |lines: &Arc<Vec<Billable>>, packages: &Arc<Vec<Package>>| {
        invoiced += 1;
        let on = day("2026-01-01").plus_days(invoiced);
        let expected = vec![Expectation::Lines(Arc::clone(lines)), Expectation::Packages(Arc::clone(packages))];
        let invoices = vec![sample::invoice(&w.subscriptions[0], on, on.plus_days(10), 100_000)];
        ChangeSet { expected, invoices, ..ChangeSet::default() }
    };
    let (lines, sold) = (read().await, packages().await);
    assert_eq!((lines.len(), sold.len()), (3, 2));
    assert_eq!(write(store, tenant, bill(&lines, &sold)).await.invoices, 1);
    // What is not about lines and packages.
    write(store, tenant, ChangeSet { promises: vec![promise(1, w.customers[1].id)], ..ChangeSet::default() }).await;
    let other_name = crate::customer::Customer {
        name: crate::text::Name::parse("name", "Nama Lain").unwrap(),
        ..w.customers[0].clone()
    };
    write(store, tenant, ChangeSet { customers: vec![other_name], ..ChangeSet::default() }).await;
    write(store, tenant, bill(&lines, &sold)).await;
    // Another line of the page has another billing day.
    let terms = crate::subscription::BillingTerms { day: BillingDay::try_new(17).unwrap(), ..lines[2].terms };
    write(store, tenant, ChangeSet { terms: vec![(w.subscriptions[2].id, terms)], ..ChangeSet::default() }).await;
    assert_eq!(refused(store, tenant, bill(&lines, &sold)).await, StoreError::Conflict);
    let now = read().await;
    assert_eq!(now[2].terms, terms);
    assert_eq!(
        refused(store, tenant, bill(&lines, &sold)).await,
        StoreError::Conflict,
        "the old ones were read before"
    );
    write(store, tenant, bill(&now, &sold)).await;
    // They are compared by what they say, so one that was changed and changed back is as it was.
    let back = lines[2].terms;
    write(store, tenant, ChangeSet { terms: vec![(w.subscriptions[2].id, back)], ..ChangeSet::default() }).await;
    assert_eq!(refused(store, tenant, bill(&now, &sold)).await, StoreError::Conflict);
    write(store, tenant, bill(&lines, &sold)).await;
    write(store, tenant, bill(&Arc::new(lines.to_vec()), &Arc::new(sold.to_vec()))).await;
    let foreign = Billable { customer_id: w.customers[1].id, ..lines[0] };
    assert_eq!(refused(store, tenant, bill(&Arc::new(vec![foreign]), &sold)).await, StoreError::Conflict);
    let unknown = Billable { subscription_id: crate::ids::SubscriptionId(id(39, 1)), ..lines[0] };
    assert_eq!(refused(store, tenant, bill(&Arc::new(vec![unknown]), &sold)).await, StoreError::Conflict);
    // A line that is written anew, and the zone of its site.
    let mut line = w.subscriptions[1].clone();
    line.terms.held_price = None;
    line.terms.cycle = crate::calendar::Cycle::Quarterly;
    write(store, tenant, ChangeSet { subscriptions: vec![line], ..ChangeSet::default() }).await;
    assert_eq!(refused(store, tenant, bill(&lines, &sold)).await, StoreError::Conflict);
    let lines = read().await;
    write(store, tenant, bill(&lines, &sold)).await;
    let site = crate::place::Site { zone: Zone::Wit, ..w.site.clone() };
    write(store, tenant, ChangeSet { sites: vec![site], ..ChangeSet::default() }).await;
    assert_eq!(refused(store, tenant, bill(&lines, &sold)).await, StoreError::Conflict);
    let lines = read().await;
    assert_eq!(lines[0].zone, Zone::Wit);
    write(store, tenant, bill(&lines, &sold)).await;
    // Another price, and one package more.
    let prices = crate::package::PriceList::single(Money::rupiah(999_000)).unwrap();
    let dearer = Package { prices, ..w.packages[1].clone() };
    for packages_now in [vec![dearer], vec![sample::package(2)]] {
        write(store, tenant, ChangeSet { packages: packages_now, ..ChangeSet::default() }).await;
        assert_eq!(refused(store, tenant, bill(&lines, &sold)).await, StoreError::Conflict);
        let sold = packages().await;
        write(store, tenant, bill(&lines, &sold)).await;
        write(store, tenant, bill(&lines, &sold)).await;
    }
    let written = store.invoices(tenant, Default::default(), PageQuery::first(50)).await.unwrap();
    assert_eq!(written.len(), 11, "nothing is left of what was refused");
}
