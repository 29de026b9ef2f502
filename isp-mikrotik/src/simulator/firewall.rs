//! Firewall rules: an order that people choose, among rules that are the router's own.
//!
//! Where no real router's words for a refusal are known, they are this file's; a client that reads words must not rely on them.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::menus::{self, ORDERED};
use super::state::{Refusal, State};
use super::table::{Item, Value};

/// What RouterOS writes beside the rule that counts fasttracked packets.
const DUMMY: &str = "special dummy rule to show fasttrack counters";

const FILTER_ACTIONS: [&str; 11] = [
    "accept",
    "add-dst-to-address-list",
    "add-src-to-address-list",
    "drop",
    "fasttrack-connection",
    "jump",
    "log",
    "passthrough",
    "reject",
    "return",
    "tarpit",
];

const NAT_ACTIONS: [&str; 13] = [
    "accept",
    "add-dst-to-address-list",
    "add-src-to-address-list",
    "dst-nat",
    "jump",
    "log",
    "masquerade",
    "netmap",
    "passthrough",
    "redirect",
    "return",
    "same",
    "src-nat",
];

const PROTOCOLS: [&str; 9] = ["tcp", "udp", "icmp", "icmpv6", "gre", "igmp", "ospf", "sctp", "udp-lite"];

const REJECT_V4: [&str; 8] = [
    "icmp-admin-prohibited",
    "icmp-host-prohibited",
    "icmp-host-unreachable",
    "icmp-net-prohibited",
    "icmp-network-unreachable",
    "icmp-port-unreachable",
    "icmp-protocol-unreachable",
    "tcp-reset",
];

const REJECT_V6: [&str; 6] = [
    "icmp-address-unreachable",
    "icmp-admin-prohibited",
    "icmp-no-route",
    "icmp-not-neighbour",
    "icmp-port-unreachable",
    "tcp-reset",
];

/// Whether a menu holds rules.
pub(super) fn holds_rules(menu: &str) -> bool {
    ORDERED.contains(&menu)
}

/// Checks one value of a rule, or of an entry of an IPv6 list, and brings it to its stored form; an empty one is taken away.
pub(super) fn stored(menu: &str, name: &str, raw: &[u8]) -> Result<Option<Value>, Refusal> {
    let text = String::from_utf8_lossy(raw);
    if text.is_empty() {
        return Ok(None);
    }
    let v6 = menu.starts_with("/ipv6");
    let one_of = |known: &[&str]| match known.contains(&&*text) {
        true => Ok(()),
        false => Err(Refusal::argument(&format!("input does not match any value of {name}"))),
    };
    let mut kept = text.to_string();
    match name {
        "action" if menu.ends_with("/nat") => one_of(&NAT_ACTIONS)?,
        "action" => one_of(&FILTER_ACTIONS)?,
        "reject-with" => one_of(if v6 { &REJECT_V6 } else { &REJECT_V4 })?,
        "protocol" if text.parse::<u8>().is_err() => one_of(&PROTOCOLS)?,
        "in-interface-list" | "out-interface-list" if !["all", "none", "dynamic", "static"].contains(&&*text) => {
            return Err(Refusal::plain("input does not match any value of interface-list"));
        }
        "src-mac-address" if isp_core::subscription::Mac::parse(&text).is_err() => {
            return Err(Refusal::argument("invalid value of address, mac address required"));
        }
        "src-address" | "dst-address" | "to-addresses" | "to-address" => {
            let (not, bare) = text.strip_prefix('!').map_or(("", &*text), |rest| ("!", rest));
            let shown = if v6 { prefix_v6(bare) } else { range_v4(bare).then(|| bare.to_owned()) };
            let shown = shown.ok_or_else(|| Refusal::argument("value of range expects range of ip addresses"))?;
            kept = format!("{not}{shown}");
        }
        "dst-port" | "src-port" | "to-ports" if !ports(&text) => {
            return Err(Refusal::argument(&format!("invalid value for argument {name}")));
        }
        // A name stays one: the router asks for its addresses by itself.
        "address" if text.contains(':') => {
            kept = prefix_v6(&text).ok_or_else(|| Refusal::argument("invalid value for argument address"))?;
        }
        "address" if text.parse::<Ipv4Addr>().is_ok() => {
            return Err(Refusal::argument("invalid value for argument address"));
        }
        _ => {}
    }
    Ok(Some(Value::from(kept.as_str())))
}

/// The check of a whole rule. `own` is its id when it exists already.
pub(super) fn accept(state: &State, menu: &str, own: Option<u32>, item: &Item) -> Result<(), Refusal> {
    if let Some(id) = own {
        changeable(state, menu, id)?;
    }
    if item.bytes("chain").is_none() {
        return Err(Refusal::plain("missing value(s) of argument(s) chain"));
    }
    let protocol = item.bytes("protocol");
    if item.bytes("reject-with") == Some(b"tcp-reset") && protocol != Some(b"tcp") {
        return Err(Refusal::plain("failure: tcp-reset is for tcp only"));
    }
    let ported = ["dst-port", "src-port"].iter().any(|name| item.bytes(name).is_some());
    if ported && !matches!(protocol, Some(b"tcp" | b"udp" | b"sctp" | b"udp-lite")) {
        return Err(Refusal::plain("failure: ports are for tcp and udp only"));
    }
    Ok(())
}

/// Refuses a rule that the router made.
pub(super) fn changeable(state: &State, menu: &str, id: u32) -> Result<(), Refusal> {
    let item = state.table(menu).filter(|_| holds_rules(menu)).and_then(|table| table.item(id));
    match item.and_then(|item| item.bytes("dynamic")) {
        Some(b"true") => Err(Refusal::plain("failure: can not change dynamic rule")),
        _ => Ok(()),
    }
}

/// The rule before which a new one is put.
pub(super) fn place(state: &State, menu: &str, wanted: &[u8]) -> Result<u32, Refusal> {
    let id = std::str::from_utf8(wanted).ok().and_then(|text| u32::from_str_radix(text.strip_prefix('*')?, 16).ok());
    let there = id.filter(|id| state.table(menu).is_some_and(|table| table.item(*id).is_some()));
    let id = there.ok_or_else(|| Refusal::missing("no such item"))?;
    changeable(state, menu, id).map(|()| id)
}

/// Moves rules before another one. A destination that is not there means the end, as on real routers.
pub(super) fn move_to(state: &mut State, menu: &str, ids: &[u32], destination: Option<&[u8]>) -> Result<(), Refusal> {
    for id in ids {
        changeable(state, menu, *id)?;
    }
    let before = match destination.map(|wanted| place(state, menu, wanted)) {
        None => None,
        Some(Ok(before)) => Some(before),
        Some(Err(refusal)) if refusal.message == "no such item" => None,
        Some(Err(refusal)) => return Err(refusal),
    };
    if before.is_some_and(|before| ids.contains(&before)) {
        return Err(Refusal::plain("failure: can not move object before itself"));
    }
    if let Some(table) = state.table_mut(menu) {
        ids.iter().for_each(|id| table.place(*id, before));
    }
    Ok(())
}

/// While a rule fasttracks, the router shows a rule of its own above all others, which counts.
pub(super) fn show_fasttrack(state: &mut State, menu: &str) {
    if !menu.ends_with("/firewall/filter") {
        return;
    }
    let Some(table) = state.table_mut(menu) else { return };
    let is = |item: &Item, name: &str, value: &str| item.bytes(name) == Some(value.as_bytes());
    let tracks =
        table.iter().any(|(_, item)| is(item, "action", "fasttrack-connection") && !is(item, "disabled", "true"));
    let dummy = table.iter().find(|(_, item)| is(item, "comment", DUMMY)).map(|(id, _)| id);
    match (tracks, dummy) {
        (true, None) => {
            let mut item = menus::defaults(menu);
            let values = [("chain", "forward"), ("action", "passthrough"), ("dynamic", "true"), ("comment", DUMMY)];
            values.into_iter().for_each(|(name, value)| item.set(name, value));
            let first = table.iter().next().map(|(id, _)| id);
            let id = table.insert(item);
            table.place(id, first);
        }
        (false, Some(id)) => drop(table.remove(id)),
        _ => {}
    }
}

/// An address, a network or a range.
fn range_v4(text: &str) -> bool {
    let address = |text: &str| text.parse::<Ipv4Addr>().is_ok();
    match (text.split_once('/'), text.split_once('-')) {
        (Some((net, length)), _) => address(net) && length.parse::<u8>().is_ok_and(|length| length <= 32),
        (None, Some((first, last))) => address(first) && address(last),
        (None, None) => address(text),
    }
}

/// An IPv6 network as the router shows it: a single address has its length, too.
fn prefix_v6(text: &str) -> Option<String> {
    let (address, length) = text.split_once('/').unwrap_or((text, "128"));
    let length: u8 = length.parse().ok().filter(|length| *length <= 128)?;
    Some(format!("{}/{length}", address.parse::<Ipv6Addr>().ok()?))
}

fn ports(text: &str) -> bool {
    let port = |text: &str| text.parse::<u16>().is_ok();
    text.split(',').all(|part| part.split_once('-').map_or_else(|| port(part), |(low, high)| port(low) && port(high)))
}
