//! Lines that no account serves: by address and by MAC address.

use std::net::Ipv4Addr;

use crate::ids::{SubscriptionId, TenantId};
use crate::isolation::{Access, ServiceAccess};
use crate::ports::{ChangeSet, PageQuery, Store, StoreError};
use crate::subscription::{Account, Mac, Service, Subscription};
use crate::terms::account::FormerAccount;
use crate::testing::sample::{day, moment};

use super::{refused, world, write};

fn fixed(last: u8) -> Account {
    Account::fixed(Ipv4Addr::new(10, 20, 0, last)).unwrap()
}

fn dhcp(last: u8, address: Option<u8>) -> Account {
    let mac = Mac::parse(&format!("AA:BB:CC:00:11:{last:02X}")).unwrap();
    Account::dhcp(mac, address.map(|last| Ipv4Addr::new(10, 20, 0, last))).unwrap()
}

fn lines(subscriptions: &[Subscription]) -> ChangeSet {
    ChangeSet { subscriptions: subscriptions.to_vec(), ..ChangeSet::default() }
}

/// Every way onto the network comes back as it was written, to who lists lines and to routers.
pub(super) async fn every_way_onto_the_network_comes_back(store: &dyn Store, tenant: TenantId) {
    let mut w = world(store, tenant, 4).await;
    let hotspot = Account { service: Service::Hotspot, ..w.subscriptions[3].account.clone() };
    let accounts = [fixed(7), dhcp(1, None), dhcp(2, Some(9)), hotspot];
    for (line, account) in w.subscriptions.iter_mut().zip(&accounts) {
        line.account = account.clone();
    }
    write(store, tenant, lines(&w.subscriptions)).await;
    let kept = store.subscriptions(tenant, None, PageQuery::first(9)).await.unwrap();
    assert_eq!(kept.into_iter().map(|(line, _)| line.account).collect::<Vec<_>>(), accounts);
    let told = store.router_targets(tenant, w.router.id, PageQuery::first(9)).await.unwrap();
    assert_eq!(told.iter().map(|t| &t.account).collect::<Vec<_>>(), accounts.iter().collect::<Vec<_>>());
    assert!(told.iter().all(|t| !t.left));
}

/// One address, and one MAC address, serve one line of a router at a time, whichever way it is written.
pub(super) async fn an_address_serves_one_line_at_a_time(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 3).await;
    let taken = StoreError::Duplicate { what: "subscription.username" };
    let [mut old, mut new, mut third] = [0, 1, 2].map(|n: usize| w.subscriptions[n].clone());
    old.account = fixed(7);
    write(store, tenant, lines(&[old.clone()])).await;
    for account in [fixed(7), dhcp(1, Some(7))] {
        new.account = account;
        assert_eq!(refused(store, tenant, lines(&[new.clone()])).await, taken);
    }
    third.account = dhcp(3, None);
    write(store, tenant, lines(&[third.clone()])).await;
    new.account = dhcp(3, Some(8));
    assert_eq!(refused(store, tenant, lines(&[new.clone()])).await, taken);

    // What a line that has ended had passes to the next one, whose wish alone is told.
    let end = day("2026-06-01");
    old.terms.end = Some(end);
    (new.account, new.terms.start) = (dhcp(1, Some(7)), end);
    write(store, tenant, lines(&[old.clone(), new.clone()])).await;
    let closed =
        |line: &Subscription, desired, version| ServiceAccess { version, ..ServiceAccess::new(line.id, desired) };
    let access = vec![closed(&old, Access::Closed, 1), closed(&new, Access::Open, 1)];
    write(store, tenant, ChangeSet { access, ..ChangeSet::default() }).await;
    let told = store.router_targets(tenant, w.router.id, PageQuery::first(9)).await.unwrap();
    let told: Vec<(SubscriptionId, Vec<SubscriptionId>)> =
        told.into_iter().map(|t| (t.subscription_id, t.succeeds)).collect();
    assert_eq!(told, [(new.id, vec![old.id]), (third.id, vec![])]);
}

/// An address or MAC address that a line has left is told until its traces are gone, and apart from a user name that is
/// spelled the same.
pub(super) async fn what_a_line_has_left_is_told_by_its_service(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 2).await;
    let (mut line, at) = (w.subscriptions[0].clone(), moment("2026-01-20T03:00:00Z"));
    let name = line.account.username.clone();
    let former = |account: &Account| FormerAccount {
        subscription_id: line.id,
        router_id: w.router.id,
        username: account.username.clone(),
        service: account.service,
        address: account.address,
        left_at: at,
    };
    let hotspot = Account { service: Service::Hotspot, ..line.account.clone() };
    let left = [former(&line.account), former(&hotspot), former(&fixed(7)), former(&dhcp(2, Some(9)))];
    line.account = dhcp(3, Some(9));
    let changes = ChangeSet { former_accounts: left.to_vec(), ..lines(&[line.clone()]) };
    write(store, tenant, changes).await;
    let told = async || {
        let targets = store.former_targets(tenant, w.router.id, &[line.id]).await.unwrap();
        assert!(targets.iter().all(|t| t.left && t.desired == Access::Closed));
        let mut told: Vec<_> =
            targets.into_iter().map(|t| (t.account.service, t.account.username, t.account.address)).collect();
        told.sort_unstable();
        told
    };
    let (seven, nine) = (fixed(7), dhcp(2, Some(9)));
    let all = [
        (Service::Pppoe, name.clone(), None),
        (Service::Hotspot, name.clone(), None),
        (Service::Static, seven.username.clone(), seven.address),
        (Service::Dhcp, nine.username.clone(), nine.address),
    ];
    assert_eq!(told().await, all);
    store.account_closed(tenant, w.router.id, line.id, &hotspot, at).await.unwrap();
    store.account_closed(tenant, w.router.id, line.id, &seven, at).await.unwrap();
    assert_eq!(told().await, [all[0].clone(), all[3].clone()]);
    // Another line has the user name again, for PPPoE.
    let mut other = w.subscriptions[1].clone();
    other.account.username = name;
    write(store, tenant, lines(&[other.clone()])).await;
    assert_eq!(told().await, [all[3].clone()]);
    // The address that was left is another line's now: it is told whose traces may be there.
    other.account = Account { address: seven.address, ..dhcp(4, Some(7)) };
    write(store, tenant, lines(&[other.clone()])).await;
    let targets = store.access_targets(tenant, &[other.id]).await.unwrap();
    assert_eq!(targets[0].succeeds, [line.id]);
}
