//! What each menu demands of its values, with the texts real routers use.

use std::net::Ipv4Addr;

use super::firewall;
use super::state::{Refusal, State};
use super::table::{Item, Table, Value};
use crate::menu::rate::{RateLimit, rate_pair};

/// Checks one value and brings it to its stored form; `None` removes it.
pub(super) fn stored(state: &State, menu: &str, name: &str, raw: &[u8]) -> Result<Option<Value>, Refusal> {
    let plain = || Ok(Some(Value::Bytes(raw.to_vec())));
    match (menu, name) {
        (_, "comment") => Ok((!raw.is_empty()).then(|| Value::Bytes(raw.to_vec()))),
        (_, "disabled") => match raw {
            b"yes" | b"true" => Ok(Some(Value::from("true"))),
            b"no" | b"false" => Ok(Some(Value::from("false"))),
            _ => Err(Refusal::argument("input does not match any value of disabled")),
        },
        ("/ppp/secret", "profile") => reference(state, "/ppp/profile", "profile", raw),
        ("/ip/hotspot/user", "profile") => reference(state, "/ip/hotspot/user/profile", "profile", raw),
        ("/ppp/secret", "service") => {
            let known = ["any", "async", "l2tp", "ovpn", "pppoe", "pptp", "sstp"];
            if known.iter().any(|service| service.as_bytes() == raw) {
                return plain();
            }
            Err(Refusal::argument("input does not match any value of service"))
        }
        ("/ppp/secret", "remote-address" | "local-address") => match address(raw) {
            Some(_) => plain(),
            None => Err(Refusal::argument(&format!("invalid value for argument {name}"))),
        },
        ("/ppp/profile", "remote-address" | "local-address") => pool_or_address(state, raw),
        ("/ppp/profile" | "/ip/hotspot/user/profile", "rate-limit") => match raw.is_empty() {
            true => Ok(None),
            false if RateLimit::parse(raw).is_some() => plain(),
            false => Err(Refusal::argument("invalid value for argument rate-limit")),
        },
        ("/queue/simple", "max-limit" | "limit-at" | "burst-limit" | "burst-threshold") => match rate_pair(raw) {
            Some((up, down)) => Ok(Some(Value::from(format!("{up}/{down}").as_str()))),
            None => Err(Refusal::argument(&format!("invalid value for argument {name}"))),
        },
        ("/queue/simple", "target") => match target(raw) {
            Some(target) => Ok(Some(Value::Bytes(target))),
            None => Err(Refusal::argument("value of target expects range of ip addresses")),
        },
        ("/ip/dhcp-server/lease", "mac-address") => {
            match isp_core::subscription::Mac::parse(&String::from_utf8_lossy(raw)) {
                Ok(mac) => Ok(Some(Value::from(mac.to_string().as_str()))),
                Err(_) => Err(Refusal::argument("invalid value of mac-address, mac address required")),
            }
        }
        ("/ip/dhcp-server/lease", "address") => match address(raw) {
            Some(_) => plain(),
            None => Err(Refusal::argument("invalid value for argument address")),
        },
        ("/ip/dhcp-server/lease", "rate-limit") => match raw.is_empty() {
            true => Ok(None),
            false if RateLimit::parse(raw).is_some() => plain(),
            false => Err(Refusal::argument("invalid value for argument rate-limit")),
        },
        ("/ipv6/firewall/address-list", _) => firewall::stored(menu, name, raw),
        (menu, _) if firewall::holds_rules(menu) => firewall::stored(menu, name, raw),
        ("/ip/pool", "ranges") => ranges(raw).map(|()| Some(Value::Bytes(raw.to_vec()))),
        _ => plain(),
    }
}

/// The check of a whole object before it is added or changed. `own` is its id when it exists already.
pub(super) fn accept(state: &State, menu: &str, own: Option<u32>, item: &Item) -> Result<(), Refusal> {
    let taken = |text: &str| -> Result<(), Refusal> {
        let name = item.bytes("name").unwrap_or_default();
        let others = state.table(menu).map_or(&[][..], |table| table.named(name));
        if others.iter().any(|id| Some(*id) != own) { Err(Refusal::plain(text)) } else { Ok(()) }
    };
    let named = item.bytes("name").is_some_and(|name| !name.is_empty());
    match menu {
        "/ppp/secret" | "/ppp/profile" | "/ip/pool" | "/ip/hotspot/user" | "/ip/hotspot/user/profile" if !named => {
            Err(Refusal::plain("missing value(s) of argument(s) name"))
        }
        "/ppp/secret" => taken("failure: secret with the same name already exists"),
        "/ppp/profile" | "/ip/hotspot/user/profile" => taken("failure: profile with the same name already exists"),
        "/ip/pool" => taken("failure: pool with such name exists"),
        "/ip/hotspot/user" => taken("failure: already have user with this name for this server"),
        "/queue/simple" => {
            taken("failure: already have such name")?;
            let pair = |name: &str| item.bytes(name).and_then(rate_pair).unwrap_or_default();
            let (limit, max) = (pair("limit-at"), pair("max-limit"));
            if max.0 > 0 && max.0 < limit.0 {
                return Err(Refusal::plain("failure: upload-max-limit less than upload-limit"));
            }
            Ok(())
        }
        "/ip/dhcp-server/lease" => lease(state, own, item),
        menu if firewall::holds_rules(menu) => firewall::accept(state, menu, own, item),
        "/ip/firewall/address-list" | "/ipv6/firewall/address-list" => {
            let enabled = |item: &Item| item.bytes("disabled") != Some(b"true");
            let key = |item: &Item| {
                let address = item.bytes("address").unwrap_or_default();
                let address =
                    address.strip_suffix(b"/32").or(address.strip_suffix(b"/128")).unwrap_or(address).to_vec();
                (item.bytes("list").unwrap_or_default().to_vec(), address)
            };
            let twin = state.table(menu).is_some_and(|table| {
                table.iter().any(|(id, other)| Some(id) != own && enabled(other) && key(other) == key(item))
            });
            if enabled(item) && twin { Err(Refusal::plain("failure: already have such entry")) } else { Ok(()) }
        }
        _ => Ok(()),
    }
}

/// One static lease for a box, and one for an address.
fn lease(state: &State, own: Option<u32>, item: &Item) -> Result<(), Refusal> {
    let Some(mac) = item.bytes("mac-address") else {
        return Err(Refusal::plain("missing value(s) of argument(s) mac-address"));
    };
    if own.is_some() && item.bytes("dynamic") == Some(b"true") {
        return Err(Refusal::plain("failure: can not change dynamic lease"));
    }
    let others = state.table("/ip/dhcp-server/lease").into_iter().flat_map(Table::iter);
    for (_, other) in others.filter(|(id, other)| Some(*id) != own && other.bytes("dynamic") != Some(b"true")) {
        if other.bytes("mac-address") == Some(mac) {
            return Err(Refusal::plain("failure: already have static lease for this client"));
        }
        let address = item.bytes("address").filter(|address| *address != b"0.0.0.0");
        if address.is_some() && other.bytes("address") == address {
            return Err(Refusal::plain("failure: already have static lease with this IP address"));
        }
    }
    Ok(())
}

/// A target of a queue as the router shows it: an address gets its length, a session or interface stays as it is.
fn target(raw: &[u8]) -> Option<Vec<u8>> {
    match (raw.is_empty(), address(raw)) {
        (true, _) => None,
        (false, Some(_)) => Some([raw, b"/32"].concat()),
        (false, None) => Some(raw.to_vec()),
    }
}

/// An IPv4 address.
pub(super) fn address(raw: &[u8]) -> Option<Ipv4Addr> {
    std::str::from_utf8(raw).ok()?.parse().ok()
}

/// First and last address of each range of a pool.
pub(super) fn pool_ranges(raw: &[u8]) -> Vec<(Ipv4Addr, Ipv4Addr)> {
    let text = String::from_utf8_lossy(raw);
    text.split(',')
        .filter_map(|part| match part.split_once('-') {
            Some((first, last)) => Some((first.parse().ok()?, last.parse().ok()?)),
            None => part.parse().ok().map(|only| (only, only)),
        })
        .collect()
}

/// A value that names an object: exactly, or by a prefix that only one name has.
fn reference(state: &State, menu: &'static str, argument: &str, raw: &[u8]) -> Result<Option<Value>, Refusal> {
    let Some(table) = state.table(menu) else { return Ok(None) };
    if let Some(id) = table.named(raw).first() {
        return Ok(Some(Value::Reference(menu, *id)));
    }
    let name = |item: &Item| item.bytes("name").unwrap_or_default().to_vec();
    let matching: Vec<_> = table.iter().filter(|(_, item)| name(item).starts_with(raw)).map(|(id, _)| id).collect();
    match matching[..] {
        [] => Err(Refusal::argument(&format!("input does not match any value of {argument}"))),
        [id] => Ok(Some(Value::Reference(menu, id))),
        _ => Err(Refusal::plain(&format!("ambiguous value of {argument}, more than one possible value matches input"))),
    }
}

fn pool_or_address(state: &State, raw: &[u8]) -> Result<Option<Value>, Refusal> {
    if raw.is_empty() {
        return Err(Refusal::plain("ambiguous value of pool"));
    }
    if address(raw).is_some() {
        return Ok(Some(Value::Bytes(raw.to_vec())));
    }
    reference(state, "/ip/pool", "pool", raw).map_err(|_| Refusal::argument("invalid value for argument address"))
}

fn ranges(raw: &[u8]) -> Result<(), Refusal> {
    let text = String::from_utf8_lossy(raw);
    for part in text.split(',') {
        let refuse = |text: &str| Err(Refusal::argument(text));
        match part.split_once('-') {
            None if part.parse::<Ipv4Addr>().is_ok() => {}
            None if part.contains('.') => return refuse("value of range expects range of ip addresses"),
            None => return refuse("value of range must have ip address before '-'"),
            Some((first, _)) if first.parse::<Ipv4Addr>().is_err() => {
                return refuse("value of range must have ip address before '-'");
            }
            Some((_, last)) if last.parse::<Ipv4Addr>().is_err() => {
                return refuse("value of range must have ip address after '-'");
            }
            Some(_) => {}
        }
    }
    Ok(())
}
