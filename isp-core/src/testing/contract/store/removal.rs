//! Rows of the master data go while nothing names them, and stay otherwise.

use crate::customer::Customer;
use crate::ids::{MasterId, TenantId};
use crate::package::Package;
use crate::place::{KnownMachine, Machine, Router, Site};
use crate::ports::{ChangeSet, Store, StoreError};
use crate::subscription::Subscription;
use crate::terms::FormerTerms;
use crate::terms::account::FormerAccount;
use crate::testing::sample::{self, World, day, moment};

use super::{refused, world, write};

fn remove(row: MasterId) -> ChangeSet {
    ChangeSet { removed: vec![row], ..ChangeSet::default() }
}

async fn stays(store: &dyn Store, tenant: TenantId, row: MasterId) {
    let error = refused(store, tenant, remove(row)).await;
    assert!(matches!(error, StoreError::Rejected { .. }), "{row:?}: {error:?}");
}

pub(super) async fn only_customers_without_a_history_are_removed(store: &dyn Store, tenant: TenantId) {
    let w = World::new(1);
    write(store, tenant, w.changes()).await;
    let stranger = sample::customer(8);
    write(store, tenant, ChangeSet { customers: vec![stranger.clone()], ..ChangeSet::default() }).await;
    stays(store, tenant, MasterId::Customer(w.customers[0].id)).await;
    write(store, tenant, remove(MasterId::Customer(stranger.id))).await;
    assert_eq!(store.customer(tenant, stranger.id).await.unwrap(), None);
    assert_eq!(store.customer_by_code(tenant, &stranger.code).await.unwrap(), None);
    // Its code is free, and removing it again changes nothing.
    write(store, tenant, remove(MasterId::Customer(stranger.id))).await;
    let again = Customer { code: stranger.code, ..sample::customer(9) };
    write(store, tenant, ChangeSet { customers: vec![again], ..ChangeSet::default() }).await;
}

pub(super) async fn what_nothing_names_is_removed(store: &dyn Store, tenant: TenantId) {
    let (site, package, kind) = (sample::site(5), sample::package(5), sample::installation_kind(5));
    let router = sample::router(5, site.id);
    let machine = Machine { identity: "R-5".to_owned(), serial: Some("HX-5".to_owned()) };
    let machines =
        vec![KnownMachine { router_id: router.id, machine, since: moment("2026-01-01T00:00:00Z"), by: None }];
    let (sites, routers, packages) = (vec![site.clone()], vec![router.clone()], vec![package.clone()]);
    let installation_kinds = vec![kind.clone()];
    let all = ChangeSet { sites, routers, machines, packages, installation_kinds, ..ChangeSet::default() };
    write(store, tenant, all).await;
    // The router stands there.
    stays(store, tenant, MasterId::Site(site.id)).await;
    assert_eq!(store.sites(tenant).await.unwrap(), std::slice::from_ref(&site));
    for row in [
        MasterId::Router(router.id),
        MasterId::Site(site.id),
        MasterId::Package(package.id),
        MasterId::InstallationKind(kind.id),
    ] {
        write(store, tenant, remove(row)).await;
        // Again it changes nothing.
        write(store, tenant, remove(row)).await;
    }
    assert_eq!(store.sites(tenant).await.unwrap(), []);
    assert_eq!(store.routers(tenant).await.unwrap(), []);
    assert_eq!(store.machines(tenant).await.unwrap(), []);
    assert_eq!(store.packages(tenant).await.unwrap(), []);
    assert_eq!(store.installation_kinds(tenant).await.unwrap(), []);
    // The codes are free.
    let site = Site { code: site.code, ..sample::site(6) };
    let router = Router { code: router.code, ..sample::router(6, site.id) };
    let package = Package { code: package.code, ..sample::package(6) };
    let kind = crate::installation::InstallationKind { code: kind.code, ..sample::installation_kind(6) };
    let (sites, routers, packages) = (vec![site], vec![router], vec![package]);
    write(
        store,
        tenant,
        ChangeSet { sites, routers, packages, installation_kinds: vec![kind], ..ChangeSet::default() },
    )
    .await;
}

pub(super) async fn what_the_past_names_stays(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 1).await;
    let (line, kind) = (&w.subscriptions[0], sample::installation_kind(0));
    let order = sample::installation_order(1, line, kind.id, day("2026-01-05"), 1);
    let invoices = vec![sample::invoice(line, day("2026-01-01"), day("2026-01-11"), 150_000)];
    let changes = ChangeSet {
        installation_kinds: vec![kind.clone()],
        installation_orders: vec![order],
        invoices,
        ..ChangeSet::default()
    };
    write(store, tenant, changes).await;
    // The line leaves its site, its router and its package; for a while it had the second package.
    let (site, package) = (sample::site(5), sample::package(5));
    let router = sample::router(5, site.id);
    let former = FormerAccount {
        subscription_id: line.id,
        router_id: w.router.id,
        username: line.account.username.clone(),
        service: line.account.service,
        address: line.account.address,
        left_at: moment("2026-02-01T00:00:00Z"),
    };
    let between = crate::subscription::BillingTerms { package_id: w.packages[1].id, ..line.terms };
    let terms = crate::subscription::BillingTerms { package_id: package.id, ..line.terms };
    let moved = Subscription { site_id: site.id, router_id: Some(router.id), terms, ..line.clone() };
    let changes = ChangeSet {
        sites: vec![site],
        routers: vec![router],
        packages: vec![package],
        subscriptions: vec![moved],
        former_accounts: vec![former],
        former_terms: vec![FormerTerms {
            subscription_id: line.id,
            until: moment("2026-02-02T00:00:00Z"),
            terms: between,
        }],
        ..ChangeSet::default()
    };
    write(store, tenant, changes).await;
    for row in [
        MasterId::Site(w.site.id),
        MasterId::Router(w.router.id),
        MasterId::Package(w.packages[0].id),
        MasterId::Package(w.packages[1].id),
        MasterId::InstallationKind(kind.id),
    ] {
        stays(store, tenant, row).await;
    }
    assert_eq!(store.packages(tenant).await.unwrap().len(), 3);
}

pub(super) async fn archived_places_are_used_by_nothing(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 1).await;
    let (line, empty) = (&w.subscriptions[0], sample::site(5));
    let idle = sample::router(5, empty.id);
    let places = |site: &Site, router: &Router| ChangeSet {
        sites: vec![site.clone()],
        routers: vec![router.clone()],
        ..ChangeSet::default()
    };
    write(store, tenant, places(&empty, &idle)).await;
    let rejected = async |changes: ChangeSet| {
        let error = refused(store, tenant, changes).await;
        assert!(matches!(error, StoreError::Rejected { .. }), "{error:?}");
    };
    let (gone, off) = (Site { archived: true, ..empty.clone() }, Router { archived: true, ..idle.clone() });
    // A router that is used stands there; then it goes first, and both at once.
    rejected(ChangeSet { sites: vec![gone.clone()], ..ChangeSet::default() }).await;
    write(store, tenant, places(&gone, &off)).await;
    assert!(store.sites(tenant).await.unwrap().contains(&gone));
    assert!(store.routers(tenant).await.unwrap().contains(&off));
    rejected(ChangeSet { routers: vec![idle.clone()], ..ChangeSet::default() }).await;
    // No line moves there, and what has lines is not archived.
    let moved = |site_id, router_id| ChangeSet {
        subscriptions: vec![Subscription { site_id, router_id: Some(router_id), ..line.clone() }],
        ..ChangeSet::default()
    };
    rejected(moved(gone.id, w.router.id)).await;
    write(store, tenant, ChangeSet { sites: vec![empty.clone()], ..ChangeSet::default() }).await;
    rejected(moved(empty.id, off.id)).await;
    rejected(ChangeSet { routers: vec![Router { archived: true, ..w.router.clone() }], ..ChangeSet::default() }).await;
    rejected(ChangeSet { sites: vec![Site { archived: true, ..w.site.clone() }], ..ChangeSet::default() }).await;
    // A line with an end keeps nothing in use: whether its end has come is told by the clock, which is the caller's.
    let terms = crate::subscription::BillingTerms { end: Some(day("2026-02-01")), ..line.terms };
    let ended = ChangeSet {
        subscriptions: vec![Subscription { terms, ..line.clone() }],
        routers: vec![Router { archived: true, ..w.router.clone() }],
        ..ChangeSet::default()
    };
    write(store, tenant, ended).await;
    rejected(ChangeSet { terms: vec![(line.id, line.terms)], ..ChangeSet::default() }).await;
    write(store, tenant, places(&empty, &idle)).await;
    write(store, tenant, moved(empty.id, idle.id)).await;
}
