//! What exists already, as the rows of an import are compared with it.

use std::collections::HashMap;
use std::net::IpAddr;

use chrono::{DateTime, Utc};

use isp_core::calendar::{BillingDay, Zone};
use isp_core::customer::{Address, Customer, Invoicing, Nik, Phone};
use isp_core::device::{Cpe, Ownership};
use isp_core::ending::{Ending, EndingKind};
use isp_core::ids::{
    CpeId, CustomerId, InstallationKindId, InstallationOrderId, PackageId, RouterId, SiteId, SubscriptionId, TenantId,
};
use isp_core::installation::{InstallationKind, InstallationOrder, part_step};
use isp_core::ledger::Expense;
use isp_core::package::{Package, PriceList, Speed, UserGroup};
use isp_core::place::{Coordinates, Router, RouterEndpoint, Site};
use isp_core::ports::ExpenseRow;
use isp_core::subscription::{Account, BillingTerms, PackageChange, Service, Subscription};
use isp_core::text::{Code, Name, RouterName};
use isp_core::{Secret, subscription};
use isp_import::{ExpenseIds, Found};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::convert::{Fields, Kind, Value, nth};
use crate::decide::words::{CYCLES, LANGUAGES, TAX_MODES, TIMINGS};
use crate::decide::{read_discount, read_held};
use crate::error::Refused;
use crate::routers::SERVICES;
use crate::spreadsheets::{CATEGORIES, INVOICINGS, OWNERSHIPS, PAID_FROM};

/// Rows by their codes without case, for what names them.
#[derive(Default)]
struct Codes(HashMap<String, uuid::Uuid>);

impl Codes {
    fn add(&mut self, position: usize, value: &Value<'_, '_>, field: &'static str) -> PyResult<(uuid::Uuid, Code)> {
        let code = value.parsed(|text| Code::parse(field, text))?;
        let id = nth(position);
        if self.0.insert(code.folded(), id).is_some() {
            return Err(value.refuse(Refused::Duplicate));
        }
        Ok((id, code))
    }

    fn find(&self, value: &Value<'_, '_>, field: &'static str) -> PyResult<uuid::Uuid> {
        let code = value.parsed(|text| Code::parse(field, text))?;
        self.0.get(&code.folded()).copied().ok_or_else(|| value.refuse(Refused::NoRow))
    }

    fn find_optional(&self, value: Value<'_, '_>, field: &'static str) -> PyResult<Option<uuid::Uuid>> {
        value.optional().map(|value| self.find(&value, field)).transpose()
    }
}

/// Reads the argument `books`.
pub(super) fn books(books: &Bound<'_, PyAny>, now: DateTime<Utc>) -> PyResult<Found> {
    let books = Value::argument("books", books)?;
    let fields = books.record(Kind::SheetBooks)?;
    let mut found = Found::default();
    let (mut sites, mut routers, mut packages) = (Codes::default(), Codes::default(), Codes::default());
    let (mut customers, mut kinds) = (Codes::default(), Codes::default());
    found.sites = fields.take()?.each(|at, row| site(&row, at, &mut sites))?;
    found.routers = fields.take()?.each(|at, row| router(&row, at, &mut routers, &sites))?;
    found.packages = fields.take()?.each(|at, row| package(&row, at, &mut packages))?;
    found.customers = fields.take()?.each(|at, row| customer(&row, at, &mut customers))?;
    let places = Places { sites, routers, packages, customers };
    let lines = fields.take()?.each(|at, row| line(&row, at, &places, now))?;
    found.billed = lines.iter().filter(|(_, billed)| *billed).map(|(line, _)| line.id).collect();
    found.subscriptions = lines.into_iter().map(|(line, _)| line).collect();
    found.cpes = fields.take()?.each(|at, row| device(&row, at, &places.customers))?;
    found.kinds = fields.take()?.each(|at, row| kind(&row, at, &mut kinds))?;
    let lines = &found.subscriptions;
    let orders = fields.take()?.each(|at, row| installation(&row, at, &places.customers, &kinds, lines))?;
    found.taken_back = orders.iter().filter(|(_, back)| *back).map(|(order, _)| order.id).collect();
    found.orders = orders.into_iter().map(|(order, _)| order).collect();
    let mut ids = ExpenseIds::new(TenantId::DEFAULT);
    found.expenses = fields.take()?.each(|_, row| expense(&row, &places.sites, &mut ids, now))?;
    found.cash = fields.take()?.money()?;
    Ok(found)
}

/// What a line names.
struct Places {
    sites: Codes,
    routers: Codes,
    packages: Codes,
    customers: Codes,
}

fn site(row: &Value<'_, '_>, at: usize, sites: &mut Codes) -> PyResult<Site> {
    let fields = row.record(Kind::SheetSite)?;
    let (id, code) = sites.add(at, &fields.take()?, "code")?;
    Ok(Site {
        id: SiteId(id),
        code,
        name: name(&fields, "name")?,
        zone: fields.take()?.zone()?,
        coordinates: coordinates(&fields)?,
        archived: false,
    })
}

fn router(row: &Value<'_, '_>, at: usize, routers: &mut Codes, sites: &Codes) -> PyResult<Router> {
    let fields = row.record(Kind::SheetRouter)?;
    let (id, code) = routers.add(at, &fields.take()?, "code")?;
    let site_id = SiteId(sites.find(&fields.take()?, "site")?);
    let (address, username) = (fields.take()?, fields.take()?.string()?);
    let password = Secret::new(fields.take()?.optional_string()?.unwrap_or_default());
    let endpoint = address.parsed(|text| RouterEndpoint::parse(text, &username, password))?;
    Ok(Router { id: RouterId(id), code, site_id, endpoint, archived: false })
}

fn package(row: &Value<'_, '_>, at: usize, packages: &mut Codes) -> PyResult<Package> {
    let fields = row.record(Kind::SheetPackage)?;
    let (id, code) = packages.add(at, &fields.take()?, "code")?;
    let name = name(&fields, "name")?;
    let price = fields.take()?;
    let prices = PriceList::single(price.money()?).map_err(|error| price.refuse(error))?;
    let tax_mode = fields.take()?.word(&TAX_MODES)?;
    let speed = fields.take()?.parsed(Speed::parse)?;
    let group = UserGroup { name: fields.take()?.parsed(|text| RouterName::parse("group", text))?, speed };
    Ok(Package { id: PackageId(id), code, name, prices, tax_mode, group, sold: true })
}

fn customer(row: &Value<'_, '_>, at: usize, customers: &mut Codes) -> PyResult<Customer> {
    let fields = row.record(Kind::SheetCustomer)?;
    let (id, code) = customers.add(at, &fields.take()?, "code")?;
    let name = name(&fields, "name")?;
    let nik = fields.take()?.optional().map(|v| v.parsed(Nik::parse)).transpose()?;
    let address = fields.take()?.optional().map(|v| v.parsed(Address::parse)).transpose()?.unwrap_or_default();
    let phone = fields.take()?.optional().map(|v| v.parsed(Phone::parse)).transpose()?;
    let language = fields.take()?.optional().map(|v| v.word(&LANGUAGES)).transpose()?.unwrap_or_default();
    let invoicing: Invoicing = fields.take()?.optional().map(|v| v.word(&INVOICINGS)).transpose()?.unwrap_or_default();
    let coordinates = coordinates(&fields)?;
    Ok(Customer { id: CustomerId(id), code, name, nik, address, phone, language, invoicing, coordinates })
}

/// A line, and whether it had a periodic invoice.
fn line(row: &Value<'_, '_>, at: usize, places: &Places, now: DateTime<Utc>) -> PyResult<(Subscription, bool)> {
    let fields = row.record(Kind::SheetLine)?;
    let customer_id = CustomerId(places.customers.find(&fields.take()?, "customer")?);
    let package_id = PackageId(places.packages.find(&fields.take()?, "package")?);
    let router_id = places.routers.find_optional(fields.take()?, "router")?.map(RouterId);
    // A line whose site nobody knows stands at none that a row could name.
    let site_id = SiteId(places.sites.find_optional(fields.take()?, "site")?.unwrap_or(uuid::Uuid::max()));
    let account = account(&fields, at)?;
    let start = fields.take()?.date()?;
    let day = fields.take()?.optional();
    let day = day.map(|v| BillingDay::try_new(v.int(0, 255)?).map_err(|error| v.refuse(error))).transpose()?;
    let cycle = fields.take()?.word(&CYCLES)?;
    let terms = BillingTerms {
        timing: fields.take()?.word(&TIMINGS)?,
        billed_from: fields.take()?.optional_date()?,
        held_price: fields.take()?.optional().map(|v| read_held(&v)).transpose()?,
        discount: fields.take()?.optional().map(|v| read_discount(&v)).transpose()?,
        end: fields.take()?.optional_date()?,
        change: places
            .packages
            .find_optional(fields.take()?, "package")?
            .map(|id| PackageChange { package_id: PackageId(id), from: Zone::Wib.date_of(now).plus_days(1) }),
        ..BillingTerms::new(package_id, start, day.unwrap_or_else(|| BillingDay::of(start)), cycle)
    };
    let billed = fields.take()?.bool()?;
    let id = SubscriptionId(nth(at));
    Ok((Subscription { id, customer_id, site_id, router_id, account, terms }, billed))
}

/// How a line gets onto the network, as far as it is known: one that is not set up yet has a name that no row has.
fn account(fields: &Fields<'_, '_>, at: usize) -> PyResult<Account> {
    let service: Service = fields.take()?.word(&SERVICES)?;
    let (username, password) = (fields.take()?.optional(), fields.take()?.optional_string()?);
    let (address, mac) = (fields.take()?.optional(), fields.take()?.optional());
    let address = address.map(|v| v.parsed(subscription::ip_address)).transpose()?;
    let username = match service {
        Service::Static => address.map(|address| named(&address.to_string())),
        Service::Dhcp => {
            mac.map(|v| v.parsed(|text| named(&subscription::Mac::parse(text)?.to_string()))).transpose()?.map(Ok)
        }
        _ => username.map(|v| v.parsed(named)).transpose()?.map(Ok),
    };
    let username = username.unwrap_or_else(|| named(&format!("(line {at} has no name)")));
    let username = username.map_err(|error| PyValueError::new_err(error.to_string()))?;
    let address = if service.logs_in() { None } else { address };
    Ok(Account { username, password: Secret::new(password.unwrap_or_default()), service, address })
}

fn named(text: &str) -> Result<RouterName, isp_core::Error> {
    RouterName::parse("username", text)
}

fn device(row: &Value<'_, '_>, at: usize, customers: &Codes) -> PyResult<Cpe> {
    let fields = row.record(Kind::SheetDevice)?;
    let serial = fields.take()?.parsed(|text| Code::parse("serial", text))?;
    // One that nobody has is nobody's whom a row could name.
    let customer_id = CustomerId(customers.find_optional(fields.take()?, "customer")?.unwrap_or(uuid::Uuid::max()));
    let (outdoor_unit, router) = (model(&fields, "outdoor_unit")?, model(&fields, "router")?);
    let ip = fields.take()?.optional().map(|v| v.parsed(ip)).transpose()?;
    let (username, password) = (fields.take()?.optional_string()?, fields.take()?.optional_string()?);
    let ownership: Ownership = fields.take()?.word(&OWNERSHIPS)?;
    let value = fields.take()?.optional().map(|v| v.money_from_zero()).transpose()?.unwrap_or_default();
    fields.take()?.optional_date()?;
    let installed = fields.take()?.bool()?;
    let (id, password) = (CpeId(nth(at)), password.map(Secret::new));
    Ok(Cpe { id, serial, customer_id, outdoor_unit, router, ip, username, password, ownership, value, installed })
}

fn ip(text: &str) -> Result<IpAddr, isp_core::Error> {
    text.parse().map_err(|_| isp_core::Error::IpAddress { reason: "it is neither IPv4 nor IPv6" })
}

fn model(fields: &Fields<'_, '_>, field: &'static str) -> PyResult<Option<Name>> {
    fields.take()?.optional().map(|v| v.parsed(|text| Name::parse(field, text))).transpose()
}

fn kind(row: &Value<'_, '_>, at: usize, kinds: &mut Codes) -> PyResult<InstallationKind> {
    let fields = row.record(Kind::SheetFee)?;
    let (id, code) = kinds.add(at, &fields.take()?, "code")?;
    let name = name(&fields, "name")?;
    Ok(InstallationKind { id: InstallationKindId(id), code, name, price: fields.take()?.money_from_zero()? })
}

/// An installation, and whether it was taken back.
fn installation(
    row: &Value<'_, '_>,
    at: usize,
    customers: &Codes,
    kinds: &Codes,
    lines: &[Subscription],
) -> PyResult<(InstallationOrder, bool)> {
    let fields = row.record(Kind::SheetInstallation)?;
    let customer_id = CustomerId(customers.find(&fields.take()?, "customer")?);
    let username = fields.take()?.optional_string()?;
    let names = |line: &&Subscription| {
        username.as_ref().is_none_or(|name| line.account.username.as_str().eq_ignore_ascii_case(name))
    };
    let line = lines.iter().filter(|line| line.customer_id == customer_id).find(names);
    // That of a line that nobody knows any more is no row's.
    let subscription_id = line.map_or(SubscriptionId(uuid::Uuid::max()), |line| line.id);
    let kind_id = InstallationKindId(kinds.find(&fields.take()?, "kind")?);
    fields.take()?.string()?;
    let fee = fields.take()?.optional().map(|v| v.money_from_zero()).transpose()?.unwrap_or_default();
    let order = InstallationOrder {
        id: InstallationOrderId(nth(at)),
        customer_id,
        subscription_id,
        kind_id,
        fee,
        installed_on: fields.take()?.date()?,
        instalments: fields.take()?.int(1, 12)?,
        with_first_invoice: fields.take()?.bool()?,
        step: part_step(fee),
    };
    Ok((order, fields.take()?.bool()?))
}

fn expense(row: &Value<'_, '_>, sites: &Codes, ids: &mut ExpenseIds, now: DateTime<Utc>) -> PyResult<ExpenseRow> {
    let fields = row.record(Kind::SheetExpense)?;
    let on = fields.take()?.date()?;
    let category = fields.take()?.word(&CATEGORIES)?;
    let amount = fields.take()?.money()?;
    let note = fields.take()?.string()?;
    let site = fields.take()?.optional();
    let code = site.as_ref().map(|v| v.string()).transpose()?;
    let site_id = site.map(|v| sites.find(&v, "site")).transpose()?.map(SiteId);
    let paid_from = fields.take()?.word(&PAID_FROM)?;
    let ending = fields.take()?.bool()?.then(|| Ending {
        kind: EndingKind::TakenBack,
        at: now,
        by: "books".to_owned(),
        reason: "taken back".to_owned(),
    });
    let id = ids.next(on, category, amount, &note, code.as_deref().unwrap_or_default());
    Ok(ExpenseRow { expense: Expense { id, on, category, amount, paid_from, note, site_id }, ending })
}

fn name(fields: &Fields<'_, '_>, field: &'static str) -> PyResult<Name> {
    fields.take()?.parsed(|text| Name::parse(field, text))
}

fn coordinates(fields: &Fields<'_, '_>) -> PyResult<Option<Coordinates>> {
    fields.take()?.optional().map(|v| v.parsed(Coordinates::parse)).transpose()
}
