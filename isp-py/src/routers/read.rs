//! Routers as Python gives them.

use std::collections::{BTreeMap, HashSet};

use chrono::DateTime;
use isp_core::Secret;
use isp_core::ids::{NAMES, RouterId, SubscriptionId, derive};
use isp_core::isolation::AccessTarget;
use isp_core::package::{Speed, UserGroup};
use isp_core::place::{KnownMachine, Machine, RouterEndpoint};
use isp_core::subscription::{Account, Service, Typed};
use isp_core::text::RouterName;
use isp_mikrotik::menu::rate::Burst;
use isp_mikrotik::reconcile::Strategy;
use isp_mikrotik::{Fingerprint, Settings};
use pyo3::prelude::*;
use uuid::Uuid;

use crate::convert::{Keys, Kind, Value};
use crate::decide::ACCESSES;
use crate::error::Refused;
use crate::policy::IsolationPolicy;

pub(crate) const STRATEGIES: [(&str, Strategy); 4] = [
    ("profile", Strategy::Profile),
    ("address_list", Strategy::AddressList),
    ("disable", Strategy::Disable),
    ("hotspot", Strategy::Hotspot),
];

pub(crate) const SERVICES: [(&str, Service); 4] =
    [("pppoe", Service::Pppoe), ("hotspot", Service::Hotspot), ("static", Service::Static), ("dhcp", Service::Dhcp)];

/// A router and what is wanted on it.
pub(super) struct Work {
    /// How to reach it.
    pub(super) endpoint: RouterEndpoint,
    /// How accounts are kept there.
    pub(super) settings: Settings,
    /// The accounts.
    pub(super) targets: Vec<AccessTarget>,
    /// How many lines may be isolated in one go without approval.
    pub(super) limit: u64,
    /// Whether a person approved more.
    pub(super) approved: bool,
    /// The machines that are known: first the one that answered before for this router, if any did.
    pub(super) known: Vec<KnownMachine>,
}

/// The list of routers of a call, and the caller's names.
pub(super) struct Routers<'py> {
    /// The routers, in order.
    pub(super) work: Vec<Work>,
    /// Their names.
    pub(super) keys: Keys<'py>,
    /// For each router the ids of its accounts' names, in order.
    pub(super) accounts: Vec<Vec<Uuid>>,
    /// For each router which of them somebody logs in for, in the same order.
    pub(super) logs_in: Vec<Vec<bool>>,
    /// The names of all accounts.
    pub(super) account_keys: Keys<'py>,
}

/// The id that stands for a subscription on routers; its last digits are the mark.
pub(super) fn owner(text: &str) -> SubscriptionId {
    SubscriptionId(derive(NAMES, &["account", text]))
}

/// Reads the argument `routers`.
pub(super) fn routers<'py>(routers: &Bound<'py, PyAny>, policy: &IsolationPolicy) -> PyResult<Routers<'py>> {
    let (mut keys, mut account_keys, mut accounts) = (Keys::default(), Keys::default(), Vec::new());
    let mut logs_in = Vec::new();
    let work = Value::argument("routers", routers)?.rows(|_, row| {
        let fields = row.record(Kind::Router)?;
        let router_id = RouterId(keys.add(&fields.take()?)?);
        let address = fields.take()?;
        let (username, password) = (fields.take()?, fields.take()?.string()?);
        let name = username.string()?;
        let parse = |text: &str| RouterEndpoint::parse(text, &name, Secret::new(password));
        let endpoint = match address.text(parse)? {
            Err(error @ isp_core::Error::Empty { field: "username" }) => return Err(username.refuse(error)),
            other => other.map_err(|error| address.refuse(error))?,
        };
        let list = fields.take()?;
        let (mut ids, mut names, mut addresses) = (Vec::new(), HashSet::new(), HashSet::new());
        let targets = list.each(|_, row| {
            let target = account(&row, router_id, &mut account_keys, &mut ids)?;
            let new_address = target.account.address.is_none_or(|address| addresses.insert(address));
            if !names.insert(target.account.username.as_str().to_owned()) || !new_address {
                return Err(row.refuse(Refused::Duplicate));
            }
            Ok(target)
        })?;
        accounts.push(ids);
        logs_in.push(targets.iter().map(|target: &AccessTarget| target.account.service.logs_in()).collect());
        let mut settings = fields.take()?.optional().map(|v| settings(&v)).transpose()?.unwrap_or_default();
        let given = fields.take()?.optional().map(|v| v.int(0, 1_000_000_000)).transpose()?;
        let subscribers: u64 = given.unwrap_or(targets.len() as u64);
        let approved = fields.take()?.bool()?;
        if let Some(fingerprint) = fields.take()?.optional() {
            let parse = |text: &str| Fingerprint::parse(text).ok_or(Refused::Fingerprint);
            settings.tls_fingerprints = BTreeMap::from([(endpoint.host.clone(), fingerprint.parsed(parse)?)]);
        }
        let mut known: Vec<KnownMachine> =
            fields.take()?.optional().map(|v| machine(&v, THIS)).transpose()?.into_iter().collect();
        // Each of the others serves another router.
        let mut other = THIS;
        known.extend(fields.take()?.each(|_, row| {
            other += 1;
            machine(&row, other)
        })?);
        Ok(Work { endpoint, settings, targets, limit: policy.0.breaker_limit(subscribers), approved, known })
    })?;
    Ok(Routers { work, keys, accounts, logs_in, account_keys })
}

/// The router of the call, among the routers of known machines.
pub(super) const THIS: u128 = 0;

fn machine(row: &Value<'_, '_>, router: u128) -> PyResult<KnownMachine> {
    let fields = row.record(Kind::Machine)?;
    let machine = Machine { identity: fields.take()?.string()?, serial: fields.take()?.optional_string()? };
    let router_id = RouterId(Uuid::from_u128(router));
    Ok(KnownMachine { router_id, machine, since: DateTime::UNIX_EPOCH, by: None })
}

fn account<'py>(
    row: &Value<'_, 'py>,
    router_id: RouterId,
    keys: &mut Keys<'py>,
    ids: &mut Vec<Uuid>,
) -> PyResult<AccessTarget> {
    let fields = row.record(Kind::Account)?;
    ids.push(keys.add(&fields.take()?)?);
    let subscription_id = fields.take()?.text(owner)?;
    let (name, secret) = (fields.take()?, fields.take()?.string()?);
    let group = fields.take()?.parsed(|text| RouterName::parse("group", text))?;
    let (speed, desired, adopt) =
        (fields.take()?.parsed(Speed::parse)?, fields.take()?.word(&ACCESSES)?, fields.take()?.bool()?);
    let service = fields.take()?.word(&SERVICES)?;
    let (address, mac) = (fields.take()?.optional_string()?, fields.take()?.optional_string()?);
    let account = if service.logs_in() {
        let username = name.parsed(|text| RouterName::parse("username", text))?;
        Account { service, ..Account::pppoe(username, Secret::new(secret)) }
    } else {
        let username = name.string()?;
        let typed = Typed {
            service: Some(service),
            username: Some(&username),
            password: Some(&secret),
            address: address.as_deref(),
            mac: mac.as_deref(),
        };
        Account::read(&typed).map_err(|error| row.refuse(error))?
    };
    let succeeds = fields.take()?.each(|_, row| row.text(owner))?;
    Ok(AccessTarget {
        subscription_id,
        router_id,
        account,
        group: UserGroup { name: group, speed },
        desired,
        revision: 0,
        adopt,
        succeeds,
        left: false,
        forget: false,
    })
}

fn settings(given: &Value<'_, '_>) -> PyResult<Settings> {
    let fields = given.record(Kind::RouterSettings)?;
    let mut settings = Settings::default();
    for setting in [&mut settings.isolation_profile, &mut settings.isolation_list, &mut settings.isolation_rate] {
        if let Some(text) = fields.take()?.optional_string()? {
            *setting = text;
        }
    }
    settings.isolation_pool = fields.take()?.optional_string()?;
    settings.pool = fields.take()?.optional_string()?;
    settings.local_address = fields.take()?.optional_string()?;
    settings.tls_authority = fields.take()?.optional_string()?;
    if let Some(strategy) = fields.take()?.optional() {
        settings.isolation = strategy.word(&STRATEGIES)?;
    }
    fields.take()?.each(|_, row| {
        let fields = row.record(Kind::GroupBurst)?;
        let group = fields.take()?.string()?;
        let burst = Burst {
            percent: fields.take()?.int(101, 10_000)?,
            threshold_percent: fields.take()?.int(1, 10_000)?,
            seconds: fields.take()?.int(1, 3_600)?,
        };
        settings.burst_by_group.insert(group, burst);
        Ok(())
    })?;
    fields.take()?.each(|_, row| {
        let fields = row.record(Kind::GroupIsolation)?;
        settings.isolation_by_group.insert(fields.take()?.string()?, fields.take()?.word(&STRATEGIES)?);
        Ok(())
    })?;
    settings.remove_closed = fields.take()?.bool()?;
    Ok(settings)
}
