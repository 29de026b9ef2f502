//! Customers' boxes and their sessions.
//!
//! A session is made of what the secret and its profile say at the moment of login, and keeps that until it ends.
//! Time passes when somebody looks: due dial attempts are made before each command and each inspection.

use std::time::{Duration, Instant};

use super::customers::Session;
use super::state::State;
use super::table::{Item, Value};
use super::{menus, rules};
use crate::menu::rate::RateLimit;

/// How long a box waits after a refused login.
const RETRY: Duration = Duration::from_secs(1);

impl State {
    /// Takes the box away; its session ends.
    pub(super) fn unplug(&mut self, name: &[u8]) {
        if let Some(known) = self.customers.boxes.remove(name)
            && let Some(session) = known.session
        {
            self.end_session(session);
        }
    }

    pub(super) fn dial_due(&mut self) {
        let now = Instant::now();
        while let Some((at, name)) = self.customers.dials.first().cloned() {
            if at > now {
                return;
            }
            self.customers.dials.pop_first();
            let waiting = self.customers.boxes.get(&name).is_some_and(|known| known.session.is_none());
            if waiting && !self.dial(&name, now) {
                self.customers.dials.insert((now + RETRY, name));
            }
        }
    }

    /// Ends a session; its box dials again after a moment.
    pub(super) fn end_session(&mut self, id: u32) -> bool {
        let Some(session) = self.customers.sessions.remove(&id) else { return false };
        if let (Some(entry), Some(table)) = (session.entry, self.table_mut("/ip/firewall/address-list")) {
            table.remove(entry);
        }
        if let (Some(queue), Some(table)) = (session.queue, self.table_mut("/queue/simple")) {
            table.remove(queue);
        }
        if let Some(table) = self.table_mut("/ppp/active") {
            table.remove(id);
        }
        if let Some(known) = self.customers.boxes.get_mut(&session.name) {
            known.session = None;
            let at = Instant::now() + self.customers.redial;
            self.customers.dials.insert((at, session.name));
        }
        true
    }

    /// Ends a hotspot session. A client that has a cookie is back at once, without a password.
    pub(super) fn end_hotspot_session(&mut self, id: u32) {
        let Some(session) = self.table_mut("/ip/hotspot/active").and_then(|table| table.remove(id)) else { return };
        let user = session.bytes("user").unwrap_or_default().to_vec();
        let cookie = self
            .table("/ip/hotspot/cookie")
            .is_some_and(|table| table.iter().any(|(_, cookie)| cookie.bytes("user") == Some(user.as_slice())));
        let allowed = self.table("/ip/hotspot/user").is_some_and(|table| {
            table.named(&user).iter().any(|id| table.item(*id).is_some_and(|u| u.bytes("disabled") != Some(b"true")))
        });
        if let (true, Some(table)) = (cookie && allowed, self.table_mut("/ip/hotspot/active")) {
            table.insert(session);
        }
    }

    /// Ends every session, as a restart does.
    pub(super) fn end_all_sessions(&mut self) {
        let ids: Vec<_> = self.customers.sessions.keys().copied().collect();
        for id in ids {
            self.end_session(id);
        }
    }

    fn dial(&mut self, name: &[u8], now: Instant) -> bool {
        let Some((secret, profile)) = self.authenticate(name) else { return false };
        let Some(address) = self.pick_address(&secret, &profile) else { return false };
        // What is set to nothing is as if it was never set.
        let text = |item: &Item, key: &str| item.bytes(key).filter(|value| !value.is_empty()).map(<[u8]>::to_vec);
        let mut session = Session {
            name: name.to_vec(),
            profile: text(&profile, "name").unwrap_or_default(),
            rate_limit: text(&profile, "rate-limit"),
            address_list: text(&profile, "address-list"),
            address,
            since: now,
            entry: None,
            queue: None,
        };
        session.entry = self.list_address(&session);
        session.queue = self.queue_session(&session);
        let mut active = Item::default();
        active.set("name", Value::Bytes(name.to_vec()));
        active.set("service", "pppoe");
        active.set("caller-id", "02:00:00:00:00:01");
        active.set("encoding", "");
        active.set("radius", "false");
        if let Some(address) = &session.address {
            active.set("address", Value::Bytes(address.clone()));
        }
        let Some(table) = self.table_mut("/ppp/active") else { return false };
        let id = table.insert(active);
        table.update(id, |item| item.set("session-id", format!("0x{:x}", u64::from(id) + 0x0100_0000).as_str()));
        self.customers.sessions.insert(id, session);
        if let Some(known) = self.customers.boxes.get_mut(name) {
            known.session = Some(id);
        }
        true
    }

    fn authenticate(&self, name: &[u8]) -> Option<(Item, Item)> {
        let table = self.table("/ppp/secret")?;
        let secret = table.item(*table.named(name).first()?)?;
        let known = self.customers.boxes.get(name)?;
        let password = known.password.as_deref();
        let right = password.is_none() || password == secret.bytes("password");
        let enabled = secret.bytes("disabled") != Some(b"true");
        let Some(Value::Reference(menu, id)) = secret.values.get("profile") else { return None };
        let profile = self.table(menu)?.item(*id)?;
        (right && enabled).then(|| (secret.clone(), profile.clone()))
    }

    /// The secret's own address before the profile's pool, as RouterOS documents. The outer `None` is an exhausted
    /// pool; the inner one a session without an address.
    fn pick_address(&self, secret: &Item, profile: &Item) -> Option<Option<Vec<u8>>> {
        if let Some(own) = secret.bytes("remote-address") {
            return Some(Some(own.to_vec()));
        }
        match profile.values.get("remote-address") {
            Some(Value::Bytes(fixed)) => Some(Some(fixed.clone())),
            Some(Value::Reference(menu, id)) => {
                let pool = self.table(menu)?.item(*id)?;
                let used: std::collections::HashSet<_> =
                    self.customers.sessions.values().filter_map(|session| session.address.clone()).collect();
                rules::pool_ranges(pool.bytes("ranges").unwrap_or_default())
                    .into_iter()
                    .flat_map(|(first, last)| u32::from(first)..=u32::from(last))
                    .map(|address| std::net::Ipv4Addr::from(address).to_string().into_bytes())
                    .find(|address| !used.contains(address))
                    .map(Some)
            }
            None => Some(None),
        }
    }

    fn list_address(&mut self, session: &Session) -> Option<u32> {
        let (list, address) = (session.address_list.clone()?, session.address.clone()?);
        let mut entry = menus::defaults("/ip/firewall/address-list");
        entry.set("list", Value::Bytes(list));
        entry.set("address", Value::Bytes(address));
        entry.set("dynamic", "true");
        Some(self.table_mut("/ip/firewall/address-list")?.insert(entry))
    }

    fn queue_session(&mut self, session: &Session) -> Option<u32> {
        let limit = RateLimit::parse(session.rate_limit.as_deref()?)?;
        let name = [b"<pppoe-", session.name.as_slice(), b">"].concat();
        let mut queue = menus::defaults("/queue/simple");
        queue.set("name", Value::Bytes(name.clone()));
        queue.set("target", Value::Bytes(name));
        let shown = |(up, down): (u64, u64)| format!("{up}/{down}");
        queue.set("max-limit", shown(limit.rate).as_str());
        if let Some(burst) = limit.burst {
            queue.set("burst-limit", shown(burst.limit).as_str());
            queue.set("burst-threshold", shown(burst.threshold).as_str());
        }
        queue.set("dynamic", "true");
        Some(self.table_mut("/queue/simple")?.insert(queue))
    }
}
