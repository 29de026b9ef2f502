//! A DHCP server and the boxes that it serves.
//!
//! A box gets the address of the static lease of its MAC address, else one of the pool by a dynamic lease. While it has it,
//! the lease's lists hold the address by dynamic entries, and its rate makes a dynamic queue.

use super::boxes::{Binding, DhcpBox};
use super::state::{Refusal, State};
use super::table::{Item, Value};
use super::{menus, rules};
use crate::menu::rate::{RateLimit, rate_pair};

const LEASES: &str = "/ip/dhcp-server/lease";
const ENTRIES: &str = "/ip/firewall/address-list";
const QUEUES: &str = "/queue/simple";

impl State {
    /// Gives every box what its lease says.
    pub(super) fn serve_boxes(&mut self) {
        let macs: Vec<String> = self.boxes.boxes.keys().cloned().collect();
        for mac in macs {
            self.serve_box(&mac);
        }
    }

    pub(super) fn unplug_box(&mut self, mac: &str) {
        if let Some(known) = self.boxes.boxes.remove(&mac.to_ascii_uppercase()) {
            self.take_back(&known);
        }
    }

    /// See [`SimulatedRouter::felt`](super::SimulatedRouter::felt).
    pub(super) fn felt(&self, address: &str, list: &str) -> (Option<String>, bool) {
        let bare =
            |raw: Option<&[u8]>| raw.map(|raw| raw.strip_suffix(b"/32").unwrap_or(raw)) == Some(address.as_bytes());
        let on = |item: &Item| item.bytes("disabled") != Some(b"true");
        let queues = self.table(QUEUES).into_iter().flat_map(super::table::Table::iter);
        let mut mine: Vec<&Item> =
            queues.map(|(_, item)| item).filter(|item| on(item) && bare(item.bytes("target"))).collect();
        mine.sort_by_key(|item| item.bytes("dynamic") == Some(b"true"));
        let limit = mine.first().and_then(|queue| queue.bytes("max-limit")).and_then(rate_pair);
        let listed = self.table(ENTRIES).is_some_and(|table| {
            table
                .iter()
                .any(|(_, item)| on(item) && item.bytes("list") == Some(list.as_bytes()) && bare(item.bytes("address")))
        });
        (limit.map(|limit| RateLimit::plain(limit).to_string()), listed)
    }

    fn serve_box(&mut self, mac: &str) {
        let Some(known) = self.boxes.boxes.get(mac) else { return };
        let (pool, renew, old) = (known.pool_address.clone(), known.renew, known.binding.clone());
        let lease = self.lease_for(mac).or_else(|| self.dynamic_lease(mac, &pool));
        let wanted = lease.and_then(|id| self.binding(id, &pool));
        let same_lease = old.as_ref().map(|binding| binding.lease) == wanted.as_ref().map(|binding| binding.lease);
        if old == wanted {
            self.boxes.boxes.entry(mac.to_owned()).and_modify(|known| known.renew = false);
            return;
        }
        if self.boxes.lazy && same_lease && !renew {
            return;
        }
        if let Some(known) = self.boxes.boxes.remove(mac) {
            self.take_back(&known);
        }
        let mut given = DhcpBox { pool_address: pool, ..DhcpBox::default() };
        if let Some(binding) = wanted {
            self.give(mac, &binding, &mut given);
            given.binding = Some(binding);
        }
        self.boxes.boxes.insert(mac.to_owned(), given);
    }

    /// The static lease of a box, else the dynamic one that it has.
    fn lease_for(&self, mac: &str) -> Option<u32> {
        let table = self.table(LEASES)?;
        let mut of_box: Vec<(u32, &Item)> = table
            .iter()
            .filter(|(_, item)| item.bytes("mac-address") == Some(mac.as_bytes()))
            .filter(|(_, item)| item.bytes("disabled") != Some(b"true"))
            .collect();
        of_box.sort_by_key(|(_, item)| item.bytes("dynamic") == Some(b"true"));
        of_box.first().map(|(id, _)| *id)
    }

    fn dynamic_lease(&mut self, mac: &str, address: &str) -> Option<u32> {
        let mut item = menus::defaults(LEASES);
        item.set("mac-address", mac);
        item.set("address", address);
        item.set("dynamic", "true");
        item.set("server", "dhcp1");
        Some(self.table_mut(LEASES)?.insert(item))
    }

    fn binding(&self, lease: u32, pool: &str) -> Option<Binding> {
        let item = self.table(LEASES)?.item(lease)?;
        if item.bytes("block-access") == Some(b"yes") {
            return None;
        }
        let address = item.bytes("address").map(|raw| String::from_utf8_lossy(raw).into_owned());
        let lists = item.bytes("address-lists").unwrap_or_default();
        let lists = lists.split(|&byte| byte == b',').filter(|list| !list.is_empty()).map(<[u8]>::to_vec).collect();
        let rate = item.bytes("rate-limit").map(<[u8]>::to_vec);
        let address = address.filter(|address| address != "0.0.0.0").unwrap_or_else(|| pool.to_owned());
        Some(Binding { lease, address, lists, rate })
    }

    fn give(&mut self, mac: &str, binding: &Binding, to: &mut DhcpBox) {
        if let Some(table) = self.table_mut(LEASES) {
            table.update(binding.lease, |item| {
                item.set("status", "bound");
                item.set("active-address", binding.address.as_str());
                item.set("active-mac-address", mac);
            });
        }
        for list in &binding.lists {
            let mut entry = menus::defaults(ENTRIES);
            entry.set("list", Value::Bytes(list.clone()));
            entry.set("address", binding.address.as_str());
            entry.set("dynamic", "true");
            // A second enabled entry of the pair is refused to the server as to anybody.
            if rules::accept(self, ENTRIES, None, &entry).is_ok()
                && let Some(table) = self.table_mut(ENTRIES)
            {
                to.entries.push(table.insert(entry));
            }
        }
        if let Some(limit) = binding.rate.as_deref().and_then(RateLimit::parse) {
            let mut queue = menus::defaults(QUEUES);
            queue.set("name", format!("dhcp-ds<{mac}>").as_str());
            queue.set("target", format!("{}/32", binding.address).as_str());
            queue.set("max-limit", format!("{}/{}", limit.rate.0, limit.rate.1).as_str());
            queue.set("dynamic", "true");
            to.queue = self.table_mut(QUEUES).map(|table| table.insert(queue));
        }
    }

    fn take_back(&mut self, known: &DhcpBox) {
        for entry in &known.entries {
            if let Some(table) = self.table_mut(ENTRIES) {
                table.remove(*entry);
            }
        }
        if let (Some(queue), Some(table)) = (known.queue, self.table_mut(QUEUES)) {
            table.remove(queue);
        }
        let (Some(binding), Some(table)) = (&known.binding, self.table_mut(LEASES)) else { return };
        if table.item(binding.lease).is_some_and(|item| item.bytes("dynamic") == Some(b"true")) {
            table.remove(binding.lease);
            return;
        }
        table.update(binding.lease, |item| {
            item.set("status", "waiting");
            item.values.remove("active-address");
            item.values.remove("active-mac-address");
        });
    }
}

/// Keeps a dynamic lease, under the same id.
pub(super) fn make_static(state: &mut State, id: u32) -> Result<(), Refusal> {
    let dynamic = |item: &Item| item.bytes("dynamic") == Some(b"true");
    let Some(table) = state.table_mut(LEASES) else { return Err(Refusal::plain("no such command")) };
    if !table.item(id).is_some_and(dynamic) {
        return Err(Refusal::plain("failure: already static"));
    }
    table.update(id, |item| item.set("dynamic", "false"));
    Ok(())
}
