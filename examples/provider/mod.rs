//! A small invented provider for the examples: a site in Jakarta, a router, a package, three customers.
#![allow(dead_code, unreachable_pub, reason = "each example uses a part")]

use chrono::{DateTime, Utc};
use isp::core::calendar::{BillingDay, Cycle, Date, Zone};
use isp::core::customer::{Address, Customer, Phone};
use isp::core::engine::NewPayment;
use isp::core::engine::manage::add_subscription;
use isp::core::ids::{CustomerId, PackageId, RouterId, SiteId, SubscriptionId, TenantId};
use isp::core::message::Sender;
use isp::core::package::{Package, PriceList, Speed, UserGroup};
use isp::core::place::{Router, RouterEndpoint, Site};
use isp::core::ports::{ChangeSet, Store};
use isp::core::subscription::{Account, BillingTerms, Subscription};
use isp::core::tax::TaxMode;
use isp::core::text::{Code, Language, Name, RouterName};
use isp::core::{Error, Money, Secret};

/// Whose books these are.
pub const TENANT: TenantId = TenantId::DEFAULT;

/// The customers: name, phone, PPPoE user.
pub const CUSTOMERS: [(&str, &str, &str); 3] = [
    ("Budi Santoso", "0812-1000-0001", "budi"),
    ("Citra Lestari", "0812-1000-0002", "citra"),
    ("Dewi Anggraini", "0812-1000-0003", "dewi"),
];

/// An hour of a day in Jakarta.
///
/// # Errors
/// [`Error`] for a day that does not exist.
pub fn at(day: &str, hour: u32) -> Result<DateTime<Utc>, Error> {
    Ok(Date::parse(day)?.at(hour, 0, Zone::Wib))
}

/// Who asks for money. Without it a message does not say who asks.
///
/// # Errors
/// [`Error`] for a name that is none.
pub fn sender() -> Result<Sender, Error> {
    Sender {
        name: Name::parse("provider.name", "Contoh Net")?,
        pay_to: vec!["BCA 1234567890".to_owned()],
        contact: None,
    }
    .checked()
}

/// The id of customer `n`. Ids are made by whoever adds a row; these are fixed, so that the examples always say the same.
pub fn customer_id(n: u128) -> CustomerId {
    CustomerId(uuid::Uuid::from_u128(0x1000 + n))
}

/// The id of the line of customer `n`.
pub fn subscription_id(n: u128) -> SubscriptionId {
    SubscriptionId(uuid::Uuid::from_u128(0x2000 + n))
}

/// Writes the provider into a store, in one commit. Everybody has the same package from 1 January on: Rp150.000 a month, and PPN
/// on top.
///
/// # Errors
/// What a value or the store says.
pub async fn move_in(store: &dyn Store, router: RouterEndpoint) -> Result<(), Box<dyn std::error::Error>> {
    let (site_id, router_id) = (SiteId(uuid::Uuid::from_u128(1)), RouterId(uuid::Uuid::from_u128(2)));
    let package_id = PackageId(uuid::Uuid::from_u128(3));
    let mut changes = ChangeSet {
        sites: vec![Site {
            id: site_id,
            code: Code::parse("site", "JKT")?,
            name: Name::parse("site", "Jakarta Selatan")?,
            zone: Zone::Wib,
            coordinates: None,
            archived: false,
        }],
        routers: vec![Router {
            id: router_id,
            code: Code::parse("router", "RTR-JKT")?,
            site_id,
            endpoint: router,
            archived: false,
        }],
        packages: vec![Package {
            id: package_id,
            code: Code::parse("package", "HOME-10")?,
            name: Name::parse("package", "Rumah 10 Mbps")?,
            prices: PriceList::single(Money::rupiah(150_000))?,
            tax_mode: TaxMode::Exclusive,
            group: UserGroup { name: RouterName::parse("group", "paket-10M")?, speed: Speed::parse("10")? },
            sold: true,
        }],
        ..ChangeSet::default()
    };
    let start = Date::parse("2026-01-01")?;
    for (n, (name, phone, user)) in (1..).zip(CUSTOMERS) {
        changes.customers.push(Customer {
            id: customer_id(n),
            code: Code::parse("customer", &format!("PLG-{n:04}"))?,
            name: Name::parse("name", name)?,
            nik: None,
            address: Address::parse("Jalan Contoh 1")?,
            phone: Some(Phone::parse(phone)?),
            language: Language::Id,
            invoicing: Default::default(),
            coordinates: None,
        });
        let line = Subscription {
            id: subscription_id(n),
            customer_id: customer_id(n),
            site_id,
            router_id: Some(router_id),
            account: Account::pppoe(Code::parse("user", user)?, Secret::new("rahasia")),
            terms: BillingTerms::new(package_id, start, BillingDay::of(start), Cycle::Monthly),
        };
        add_subscription(&mut changes, line, Zone::Wib, at("2026-01-01", 7)?);
    }
    store.commit(TENANT, changes).await?;
    Ok(())
}

/// A router that nobody calls, for examples that only bill.
///
/// # Errors
/// Never; the address is a good one.
pub fn no_router() -> Result<RouterEndpoint, Error> {
    RouterEndpoint::parse("192.0.2.1", "api", Secret::new("rahasia"))
}

/// A transfer of customer `n`.
///
/// # Errors
/// [`Error`] for a reference that is none.
pub fn transfer(n: u128, reference: &str, rupiah: i64, paid_at: DateTime<Utc>) -> Result<NewPayment, Error> {
    Ok(NewPayment {
        customer_id: customer_id(n),
        provider: Code::parse("provider", "BCA")?,
        reference: Code::parse("reference", reference)?.into(),
        amount: Money::rupiah(rupiah),
        paid_at,
        collector: None,
    })
}
