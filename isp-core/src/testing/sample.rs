//! A small, valid, invented provider with deterministic ids, for everybody's tests.
//!
//! Builders panic on nonsense: they are only called with constants.
#![allow(clippy::expect_used, reason = "builders of test data, called with constants")]

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::billing::{Billable, Invoice, InvoiceKind, InvoiceLine, InvoiceLines, LineKind};
use crate::calendar::{BillingDay, Cycle, Date, Period, Zone};
use crate::customer::{Address, Customer, Nik, Phone};
use crate::device::{Cpe, DeviceAction, DeviceHistory, Ownership};
use crate::ids::{
    CpeId, CustomerId, DeviceHistoryId, InstallationKindId, InstallationOrderId, InvoiceId, PackageId, PaymentId,
    RouterId, SiteId, SubscriptionId, TenantId, WorkerId,
};
use crate::installation::{InstallationKind, InstallationOrder};
use crate::isolation::{Access, AccessEffect, AccessEvent, AccessEventKind, ServiceAccess};
use crate::message::Sender;
use crate::money::Money;
use crate::package::{Package, PriceList, Speed, UserGroup};
use crate::payment::{Allocation, Channel, Payment};
use crate::place::{Router, RouterEndpoint, Site};
use crate::ports::{ChangeSet, StandingWatch, Worker};
use crate::secret::Secret;
use crate::subscription::{Account, BillingTerms, Subscription};
use crate::tax::TaxMode;
use crate::text::{Code, Language, Name, Reference};

/// A day, written `2026-01-31`.
#[must_use]
pub fn day(text: &str) -> Date {
    Date::parse(text).expect("a day")
}

/// A moment, written `2026-01-31T10:00:00Z` or with an offset.
#[must_use]
pub fn moment(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).expect("a moment").to_utc()
}

/// A code.
#[must_use]
pub fn code(text: &str) -> Code {
    Code::parse("code", text).expect("a code")
}

/// A name.
#[must_use]
pub fn name(text: &str) -> Name {
    Name::parse("name", text).expect("a name")
}

/// An id: the same for the same group and number, rising with the number within a group.
#[must_use]
pub fn id(group: u8, number: u64) -> Uuid {
    Uuid::from_u128((0x0190_0000_0000_7000_8000 << 48) | (u128::from(group) << 40) | u128::from(number))
}

/// The tenant of that number.
#[must_use]
pub fn tenant(number: u64) -> TenantId {
    TenantId(id(0, number))
}

/// Somewhere south of the equator; every third is nowhere.
fn coordinates(number: u64) -> Option<crate::place::Coordinates> {
    let step = i32::try_from(number % 1_000).expect("a small number");
    crate::place::Coordinates::try_new(-6_900_000 - step, 107_600_000 + step).ok().filter(|_| !number.is_multiple_of(3))
}

/// A site; its zone goes round WIB, WITA, WIT.
#[must_use]
pub fn site(number: u64) -> Site {
    Site {
        id: SiteId(id(1, number)),
        code: code(&format!("SITE-{number}")),
        name: name(&format!("Lokasi {number}")),
        zone: Zone::ALL[(number % 3) as usize],
        coordinates: coordinates(number),
        archived: false,
    }
}

/// A router at a site.
#[must_use]
pub fn router(number: u64, site_id: SiteId) -> Router {
    let password = Secret::new(format!("router-password-{number}"));
    Router {
        id: RouterId(id(2, number)),
        code: code(&format!("R-{number}")),
        site_id,
        endpoint: RouterEndpoint::parse(&format!("10.0.{number}.1:8728"), "isp", password).expect("an address"),
        archived: false,
    }
}

/// A package of Rp150.000 a month and Rp50.000 more with each number, before PPN.
#[must_use]
pub fn package(number: u64) -> Package {
    let price = Money::rupiah(150_000 + 50_000 * number as i64);
    Package {
        id: PackageId(id(3, number)),
        code: code(&format!("HOME-{number}")),
        name: name(&format!("Paket Rumah {number}")),
        prices: PriceList::single(price).expect("a price"),
        tax_mode: TaxMode::Exclusive,
        group: UserGroup {
            name: code(&format!("home-{number}")).into(),
            speed: Speed { down_kbps: 10_000 * (number as u32 + 1), up_kbps: 5_000 },
        },
        sold: true,
    }
}

/// A customer with everything filled in.
#[must_use]
pub fn customer(number: u64) -> Customer {
    Customer {
        id: CustomerId(id(4, number)),
        code: code(&format!("C-{number:04}")),
        name: name(&format!("Pelanggan {number}")),
        nik: Some(Nik::parse(&format!("317401250590{:04}", number % 9999 + 1)).expect("a NIK")),
        address: Address::parse(&format!("Jalan Contoh No. {number}")).expect("an address"),
        phone: Some(Phone::parse(&format!("08120000{number:04}")).expect("a phone number")),
        language: Language::default(),
        invoicing: crate::customer::Invoicing::default(),
        coordinates: coordinates(number),
    }
}

/// Who asks in messages.
#[must_use]
pub fn sender() -> Sender {
    Sender { name: name("Contoh Net"), pay_to: vec!["BCA 1234567890".to_owned()], contact: None }
}

/// A subscription of a customer that starts on 1 January 2026, billed monthly on day 1.
#[must_use]
pub fn subscription(number: u64, customer_id: CustomerId, router: &Router, package_id: PackageId) -> Subscription {
    let start = day("2026-01-01");
    Subscription {
        id: SubscriptionId(id(5, number)),
        customer_id,
        site_id: router.site_id,
        router_id: Some(router.id),
        account: Account::pppoe(code(&format!("user{number:04}@isp")), Secret::new(format!("ppp-password-{number}"))),
        terms: BillingTerms::new(package_id, start, BillingDay::of(start), Cycle::Monthly),
    }
}

/// An invoice of one line without PPN for the month from `start`, due on `due`.
#[must_use]
pub fn invoice(of: &Subscription, start: Date, due: Date, total: i64) -> Invoice {
    let total = Money::rupiah(total);
    Invoice {
        id: InvoiceId::of_period(of.id, start),
        number: 0,
        customer_id: of.customer_id,
        subscription_id: of.id,
        site_id: of.site_id,
        package_id: of.terms.package_id,
        kind: InvoiceKind::Subscription,
        period: Period { start, end: start.month().plus(1).clamp(BillingDay::of(start)) },
        issue_date: start,
        due_date: due,
        lines: InvoiceLines::from_iter([InvoiceLine::new(LineKind::Subscription, total)]),
        dpp: total,
        ppn: Money::ZERO,
        total,
    }
}

/// A cash payment with a reference that follows from its number.
#[must_use]
pub fn payment(tenant: TenantId, number: u64, customer_id: CustomerId, amount: i64, at: DateTime<Utc>) -> Payment {
    let (provider, reference) = (code("cash"), Reference::from(code(&format!("RCPT-{number}"))));
    Payment {
        id: Payment::id_of(tenant, customer_id, &provider, &reference, 0),
        customer_id,
        provider,
        reference,
        channel: Channel::Cash,
        collector: None,
        amount: Money::rupiah(amount),
        paid_at: at,
        received_at: at,
    }
}

/// A part of a payment that pays an invoice.
#[must_use]
pub fn allocation(payment_id: PaymentId, invoice_id: InvoiceId, amount: i64, at: DateTime<Utc>) -> Allocation {
    Allocation { payment_id, invoice_id, amount: Money::rupiah(amount), at }
}

/// A kind of installation of Rp300.000.
#[must_use]
pub fn installation_kind(number: u64) -> InstallationKind {
    InstallationKind {
        id: InstallationKindId(id(6, number)),
        code: code(&format!("PSB-{number}")),
        name: name(&format!("Pasang baru {number}")),
        price: Money::rupiah(300_000),
    }
}

/// An installation on a day, paid in so many instalments.
#[must_use]
pub fn installation_order(
    number: u64,
    of: &Subscription,
    kind_id: InstallationKindId,
    installed_on: Date,
    instalments: u8,
) -> InstallationOrder {
    InstallationOrder {
        id: InstallationOrderId(id(7, number)),
        customer_id: of.customer_id,
        subscription_id: of.id,
        kind_id,
        fee: Money::rupiah(300_000),
        installed_on,
        instalments,
        with_first_invoice: false,
        step: Money::rupiah(100),
    }
}

/// A lent device with everything filled in.
#[must_use]
pub fn cpe(number: u64, customer_id: CustomerId) -> Cpe {
    Cpe {
        id: CpeId(id(8, number)),
        serial: code(&format!("SN-{number:06}")),
        customer_id,
        outdoor_unit: Some(name("Antena 5 GHz")),
        router: Some(name("Router dua pita")),
        ip: Some(std::net::IpAddr::from([10, 20, 0, (number % 250) as u8 + 1])),
        username: Some("admin".into()),
        password: Some(Secret::new(format!("cpe-password-{number}"))),
        ownership: Ownership::Lent,
        value: Money::rupiah(450_000),
        installed: true,
    }
}

/// That a device was put in.
#[must_use]
pub fn device_history(number: u64, of: &Cpe, on: Date) -> DeviceHistory {
    DeviceHistory {
        id: DeviceHistoryId(id(9, number)),
        customer_id: of.customer_id,
        cpe_id: of.id,
        on,
        action: DeviceAction::Installed,
        device: name("Router dua pita"),
        reason: name("Pasang baru"),
        ownership: of.ownership,
        officer: name("Petugas Contoh"),
        cost: Money::rupiah(450_000),
        paid_from: Channel::Bank,
    }
}

/// What billing needs to know of a subscription.
#[must_use]
pub fn billable(of: &Subscription, zone: Zone) -> Billable {
    Billable { subscription_id: of.id, customer_id: of.customer_id, site_id: of.site_id, zone, terms: of.terms }
}

/// A site, a router, two packages, and customers with one open line each.
#[derive(Debug, Clone)]
pub struct World {
    /// The site, in WIB.
    pub site: Site,
    /// At that site; it serves all lines.
    pub router: Router,
    /// Two of them; the lines have the first.
    pub packages: Vec<Package>,
    /// As many as were asked for.
    pub customers: Vec<Customer>,
    /// One subscription each, on the first package.
    pub subscriptions: Vec<Subscription>,
}

impl World {
    /// A world of so many customers. Site, router and packages have number 0; customers and subscriptions count from 0.
    #[must_use]
    pub fn new(customers: u64) -> Self {
        let site = site(0);
        let router = router(0, site.id);
        let packages = vec![package(0), package(1)];
        let customers: Vec<Customer> = (0..customers).map(customer).collect();
        let subscriptions =
            (0..).zip(&customers).map(|(n, c)| subscription(n, c.id, &router, packages[0].id)).collect();
        Self { site, router, packages, customers, subscriptions }
    }

    /// All of it, without access rows.
    #[must_use]
    pub fn master(&self) -> ChangeSet {
        ChangeSet {
            sites: vec![self.site.clone()],
            routers: vec![self.router.clone()],
            packages: self.packages.clone(),
            customers: self.customers.clone(),
            subscriptions: self.subscriptions.clone(),
            ..ChangeSet::default()
        }
    }

    /// All of it, each line open and registered at the start of 2026 with the wish to tell its router.
    #[must_use]
    pub fn changes(&self) -> ChangeSet {
        let at = moment("2025-12-31T17:00:00Z");
        let mut changes = self.master();
        for s in &self.subscriptions {
            changes.access.push(ServiceAccess::new(s.id, Access::Open));
            changes.access_events.push(AccessEvent {
                id: AccessEvent::id_of(s.id, 1),
                subscription_id: s.id,
                at,
                kind: AccessEventKind::Registered,
                by: "engine".into(),
                reason: "in_service".into(),
                overdue: Money::ZERO,
                revision: 1,
            });
            changes.effects.extend(s.router_id.map(|router_id| AccessEffect {
                subscription_id: s.id,
                router_id,
                revision: 1,
                not_before: at,
            }));
        }
        changes
    }
}

/// How long a run holds its right without renewing it.
pub const TERM: TimeDelta = TimeDelta::seconds(Worker::LEASE_SECONDS);

/// A worker whose claims are never renewed, since its watch stands still.
#[must_use]
pub fn worker(watch: &StandingWatch) -> Worker<'_> {
    Worker::new(WorkerId(id(40, 1)), watch)
}
