//! The provider of a case: its places, packages, customers and lines.

use isp_core::customer::{Address, Customer, Phone};
use isp_core::engine::EngineError;
use isp_core::ids::{CustomerId, InstallationKindId, PackageId, RouterId, SiteId, SubscriptionId};
use isp_core::installation::InstallationKind;
use isp_core::package::{Package, PriceList, PriceVersion, Speed, UserGroup};
use isp_core::place::{Router, RouterEndpoint, Site};
use isp_core::ports::ChangeSet;
use isp_core::subscription::{Account, BillingTerms, Subscription};
use isp_core::text::{Code, Language, Name, RouterName};
use isp_core::{Money, Secret};

use super::EngineHost;
use crate::case::{Action, Case, CasePackage, CaseSubscription};

impl EngineHost<'_> {
    pub(super) async fn price(&mut self, action: &Action) -> Result<(), EngineError> {
        let Action::Price { package, from, price } = action else { return Ok(()) };
        let version = PriceVersion { from: *from, price: *price };
        let Some(kept) = self.packages.iter_mut().find(|p| p.code == *package) else { return Ok(()) };
        kept.prices.push(version);
        let kept = kept.clone();
        let packages = vec![self.package(&kept)?];
        self.store.commit(self.tenant, ChangeSet { packages, ..ChangeSet::default() }).await?;
        Ok(())
    }

    fn package(&self, of: &CasePackage) -> Result<Package, isp_core::Error> {
        Ok(Package {
            id: PackageId(self.id("package", &of.code)),
            code: Code::parse("code", &of.code)?,
            name: Name::parse("name", &of.code)?,
            prices: PriceList::try_new(of.prices.clone())?,
            tax_mode: of.ppn,
            group: UserGroup { name: RouterName::parse("code", &of.code)?, speed: Speed::parse("20")? },
            sold: true,
        })
    }

    pub(super) fn endpoint(site: &str) -> Result<RouterEndpoint, isp_core::Error> {
        RouterEndpoint::parse(&format!("router-{site}"), "isp", Secret::new("rahasia"))
    }

    pub(super) async fn make(&mut self, case: &Case) -> Result<(), EngineError> {
        let mut changes = ChangeSet::default();
        for site in &case.sites {
            let id = SiteId(self.id("site", &site.code));
            let (code, name) = (Code::parse("code", &site.code)?, Name::parse("name", &site.code)?);
            changes.sites.push(Site {
                id,
                code: code.clone(),
                name,
                zone: site.zone,
                coordinates: None,
                archived: false,
            });
            let (router, endpoint) = (RouterId(self.id("router", &site.code)), Self::endpoint(&site.code)?);
            changes.routers.push(Router { id: router, code, site_id: id, endpoint, archived: false });
            self.zones.insert(site.code.clone(), site.zone);
        }
        for package in &case.packages {
            changes.packages.push(self.package(package)?);
        }
        for (at, customer) in case.customers.iter().enumerate() {
            changes.customers.push(Customer {
                id: CustomerId(self.id("customer", &customer.code)),
                code: Code::parse("code", &customer.code)?,
                name: Name::parse("name", &customer.code)?,
                nik: None,
                address: Address::parse("Jalan Contoh 1")?,
                phone: customer.reachable.then(|| Phone::parse(&format!("08120000{at:04}"))).transpose()?,
                language: Language::Id,
                invoicing: customer.invoicing,
                coordinates: None,
            });
        }
        changes.installation_kinds.push(InstallationKind {
            id: InstallationKindId(self.id("kind", "FO")),
            code: Code::parse("code", "FO")?,
            name: Name::parse("name", "Pasang FO")?,
            price: Money::rupiah(500_000),
        });
        self.packages.clone_from(&case.packages);
        self.store.commit(self.tenant, changes).await?;
        Ok(())
    }

    pub(super) async fn add(&self, of: &CaseSubscription) -> Result<(), EngineError> {
        let terms = BillingTerms {
            timing: of.timing,
            held_price: of.held_price,
            discount: of.discount,
            ..BillingTerms::new(PackageId(self.id("package", &of.package)), of.start, of.day, of.cycle)
        };
        let subscription = Subscription {
            id: SubscriptionId(self.id("subscription", &of.name)),
            customer_id: CustomerId(self.id("customer", &of.customer)),
            site_id: SiteId(self.id("site", &of.site)),
            router_id: Some(RouterId(self.id("router", &of.site))),
            account: Account::pppoe(RouterName::parse("username", &of.name)?, Secret::new("sandi")),
            terms,
        };
        self.engine().subscribe(vec![(subscription, of.zone)], of.entered).await
    }
}
