//! What a router should have.

use std::net::{IpAddr, Ipv6Addr};

use isp_core::place::RouterEndpoint;

use super::settings::{RedirectSettings, names_list};
use crate::access::Settings;
use crate::menu::firewall::{FILTER, FILTER6, LISTS, LISTS6, NAT, NAT6};

/// What a router should have so that isolated lines reach the page for paying and nothing else. Without families and pool:
/// nothing of ours.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DesiredRedirect {
    /// Whose traffic the rules are about.
    pub isolation_list: String,
    /// What isolated lines may reach.
    pub portal_list: String,
    /// The pool of isolated lines.
    pub pool: Option<DesiredPool>,
    /// What the profile of isolated lines tells them.
    pub dns: Option<DesiredDns>,
    /// IPv4.
    pub v4: DesiredFamily,
    /// IPv6.
    pub v6: DesiredFamily,
}

/// The pool of isolated lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredPool {
    /// Its exact name.
    pub name: String,
    /// First and last addresses.
    pub ranges: String,
}

/// The DNS servers that isolated sessions are told, where only these may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredDns {
    /// The profile's exact name.
    pub profile: String,
    /// One or two addresses, with a comma between.
    pub servers: String,
}

/// The lists and rules of one family.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DesiredFamily {
    /// What isolated lines may reach: the slot of its mark, and a name or an address.
    pub entries: Vec<(&'static str, String)>,
    /// Rules of NAT, in the order in which they match.
    pub nat: Vec<DesiredRule>,
    /// Rules of the filter, in the order in which they match.
    pub filter: Vec<DesiredRule>,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredRule {
    /// Which of our rules it is, as its mark says.
    pub slot: String,
    /// Which packets it sees: forwarded ones, those for the router, or those that NAT changes.
    pub chain: &'static str,
    /// What stands in the way of isolated lines, or opens it.
    pub role: Role,
    /// Everything that it says, its chain among it.
    pub fields: Vec<(&'static str, String)>,
}

/// What a rule or an entry is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The page cannot be reached without it, so that nothing is shut before it is there.
    Needed,
    /// It lets something through, or helps it.
    Opens,
    /// It shuts.
    Shuts,
}

/// IPv4 or IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// Both.
    pub const ALL: [Family; 2] = [Family::V4, Family::V6];

    /// Its menus: lists, NAT, filter.
    pub fn menus(self) -> [&'static str; 3] {
        match self {
            Family::V4 => [LISTS, NAT, FILTER],
            Family::V6 => [LISTS6, NAT6, FILTER6],
        }
    }
}

/// How long the address of a TLS name stays in the portal list.
const LEARNT: &str = "1h";

/// So many bytes pass a connection before its TLS name must have been seen: the three packets of a handshake, one of them twice.
const HANDSHAKE: &str = "0-350";

impl DesiredRedirect {
    /// What the settings want of a router; `None` where they say nothing of it, and where the isolation list has no name of
    /// its own: a rule without a list, or about all who are not in it, would shut out everybody.
    pub fn of(settings: &Settings, router: &RouterEndpoint) -> Option<DesiredRedirect> {
        let redirect = settings.redirect.as_ref()?.of(router);
        if !names_list(&settings.isolation_list) {
            return None;
        }
        let mut desired = DesiredRedirect {
            isolation_list: settings.isolation_list.clone(),
            portal_list: redirect.portal_list.clone(),
            ..DesiredRedirect::default()
        };
        let Some(portal) = redirect.portal.filter(|_| redirect.enabled) else { return Some(desired) };
        desired.pool = match (&settings.isolation_pool, &redirect.pool_ranges) {
            (Some(name), Some(ranges)) => Some(DesiredPool { name: name.clone(), ranges: ranges.clone() }),
            _ => None,
        };
        let named: Vec<String> =
            redirect.resolvers.iter().filter(|server| server.is_ipv4()).take(2).map(ToString::to_string).collect();
        let (profile, servers) = (settings.isolation_profile.clone(), named.join(","));
        desired.dns = (!servers.is_empty()).then_some(DesiredDns { profile, servers });
        let rules = Rules { list: &settings.isolation_list, redirect: &redirect };
        desired.v4 = rules.family(Family::V4, Some(IpAddr::V4(portal)));
        if redirect.covers_ipv6() {
            desired.v6 = rules.family(Family::V6, redirect.portal_ipv6.map(IpAddr::V6));
        }
        Some(desired)
    }

    /// The part of one family, to be changed.
    pub fn family_mut(&mut self, family: Family) -> &mut DesiredFamily {
        match family {
            Family::V4 => &mut self.v4,
            Family::V6 => &mut self.v6,
        }
    }

    /// The part of one family.
    pub fn family(&self, family: Family) -> &DesiredFamily {
        match family {
            Family::V4 => &self.v4,
            Family::V6 => &self.v6,
        }
    }
}

impl DesiredFamily {
    /// Wants nothing any more that shuts; whether it wanted something so.
    pub fn open(&mut self) -> bool {
        let before = self.filter.len();
        self.filter.retain(|rule| rule.role != Role::Shuts);
        self.filter.len() < before
    }

    /// Whether nothing is wanted.
    pub fn is_empty(&self) -> bool {
        *self == DesiredFamily::default()
    }
}

/// The words of all rules of one router.
struct Rules<'a> {
    list: &'a str,
    redirect: &'a RedirectSettings,
}

impl Rules<'_> {
    fn family(&self, family: Family, portal: Option<IpAddr>) -> DesiredFamily {
        DesiredFamily {
            entries: self.entries(family, portal),
            nat: portal.map(|portal| self.nat(family, portal)).unwrap_or_default(),
            filter: self.filter(family, portal.is_some()),
        }
    }

    fn entries(&self, family: Family, portal: Option<IpAddr>) -> Vec<(&'static str, String)> {
        let of_family = |host: &&String| match host.parse::<IpAddr>() {
            Ok(address) => address.is_ipv4() == (family == Family::V4),
            Err(_) => true,
        };
        let hosts = self.redirect.payment_hosts.iter().filter(of_family);
        let hosts = hosts.map(|host| ("host", host.to_ascii_lowercase()));
        let mut entries: Vec<_> = portal.map(|portal| ("portal", portal.to_string())).into_iter().collect();
        entries.extend(hosts.filter(|(_, host)| portal.is_none_or(|portal| portal.to_string() != *host)));
        entries
    }

    fn nat(&self, family: Family, portal: IpAddr) -> Vec<DesiredRule> {
        let target = if family == Family::V4 { "to-addresses" } else { "to-address" };
        let needed = if family == Family::V4 { Role::Needed } else { Role::Opens };
        let to_portal = [("action", "accept"), ("dst-address", &portal.to_string())];
        let but_portal = format!("!{}", self.redirect.portal_list);
        let to_page = [
            ("action", "dst-nat"),
            ("protocol", "tcp"),
            ("dst-port", "80"),
            ("dst-address-list", &but_portal),
            (target, &portal.to_string()),
            ("to-ports", &self.redirect.port.to_string()),
        ];
        vec![
            // Masqueraded, every customer would have the router's address at the page.
            self.rule("no-nat", "srcnat", needed, &to_portal),
            self.rule("web", "dstnat", needed, &to_page),
        ]
    }

    fn filter(&self, family: Family, has_portal: bool) -> Vec<DesiredRule> {
        let list = self.redirect.portal_list.as_str();
        let role = if has_portal { Role::Needed } else { Role::Opens };
        let mut rules = self.dns(family, role);
        rules.push(self.rule("portal", "forward", role, &[("action", "accept"), ("dst-address-list", list)]));
        rules.extend(self.tls(list));
        let forward = |slot, fields: &[(&'static str, &str)]| self.rule(slot, "forward", Role::Shuts, fields);
        let quic = [("protocol", "udp"), ("dst-port", "443"), ("reject-with", "icmp-port-unreachable")];
        rules.push(forward("quic", &[&[("action", "reject")], &quic[..]].concat()));
        rules.push(forward("tcp", &[("action", "reject"), ("protocol", "tcp"), ("reject-with", "tcp-reset")]));
        rules.push(forward("rest", &[("action", "drop")]));
        let (icmp, dhcp) = if family == Family::V4 { ("icmp", "67") } else { ("icmpv6", "547") };
        let open: [(&str, &[(&'static str, &str)]); 4] = [
            ("in-dns-udp", &[("protocol", "udp"), ("dst-port", "53")]),
            ("in-dns-tcp", &[("protocol", "tcp"), ("dst-port", "53")]),
            ("in-dhcp", &[("protocol", "udp"), ("dst-port", dhcp)]),
            ("in-icmp", &[("protocol", icmp)]),
        ];
        for (slot, fields) in open {
            // Most lines ask the router itself for names, and some get their address from it: the page needs both.
            let role = if slot == "in-icmp" { Role::Opens } else { role };
            rules.push(self.rule(slot, "input", role, &[&[("action", "accept")], fields].concat()));
        }
        rules.push(self.rule("in-rest", "input", Role::Shuts, &[("action", "drop")]));
        rules
    }

    /// Questions to DNS servers; none of this family where only others are named.
    fn dns(&self, family: Family, role: Role) -> Vec<DesiredRule> {
        let mut rules = Vec::new();
        let mut ask = |to: Option<(usize, String)>| {
            for protocol in ["udp", "tcp"] {
                let mut fields = vec![("action", "accept"), ("protocol", protocol), ("dst-port", "53")];
                let slot = match &to {
                    Some((number, address)) => {
                        fields.push(("dst-address", address.as_str()));
                        format!("dns-{protocol}-{number}")
                    }
                    None => format!("dns-{protocol}"),
                };
                rules.push(self.rule(&slot, "forward", role, &fields));
            }
        };
        if self.redirect.resolvers.is_empty() {
            ask(None);
        }
        let named = self.redirect.resolvers.iter().filter(|address| address.is_ipv4() == (family == Family::V4));
        named.enumerate().for_each(|(at, address)| ask(Some((at + 1, address.to_string()))));
        rules
    }

    /// A name is in the first packet behind the handshake, and in none after it. So handshakes pass, and the address of a
    /// server whose name fits joins the portal list for a while.
    fn tls(&self, list: &str) -> Vec<DesiredRule> {
        let hosts = &self.redirect.tls_hosts;
        let https = [("protocol", "tcp"), ("dst-port", "443")];
        let mut rules = Vec::new();
        if !hosts.is_empty() {
            let fields = [&[("action", "accept"), ("connection-bytes", HANDSHAKE)], &https[..]].concat();
            rules.push(self.rule("tls-hello", "forward", Role::Opens, &fields));
        }
        for (at, host) in hosts.iter().enumerate() {
            let number = at + 1;
            let host = host.to_ascii_lowercase();
            let learn = [
                ("action", "add-dst-to-address-list"),
                ("address-list", list),
                ("address-list-timeout", LEARNT),
                ("tls-host", &host),
            ];
            let fields = [&learn[..], &https].concat();
            rules.push(self.rule(&format!("tls-learn-{number}"), "forward", Role::Opens, &fields));
            let fields = [&[("action", "accept"), ("tls-host", host.as_str())], &https[..]].concat();
            rules.push(self.rule(&format!("tls-{number}"), "forward", Role::Opens, &fields));
        }
        rules
    }

    fn rule(&self, slot: &str, chain: &'static str, role: Role, fields: &[(&'static str, &str)]) -> DesiredRule {
        let first = [("chain", chain), ("src-address-list", self.list)];
        let fields = first.iter().chain(fields).map(|(name, value)| (*name, (*value).to_owned())).collect();
        DesiredRule { slot: slot.to_owned(), chain, role, fields }
    }
}

impl DesiredRule {
    /// A value; empty when it says nothing of it.
    pub fn value(&self, name: &str) -> &str {
        self.fields.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }
}

/// Whether a router shows a wanted value: a single address may carry its length, and a time may be written in two ways.
pub(super) fn same(name: &str, wanted: &str, found: &[u8]) -> bool {
    let Ok(found) = std::str::from_utf8(found) else { return false };
    if wanted == found {
        return true;
    }
    match name {
        "dst-address" | "to-address" | "to-addresses" | "address" => bare(wanted) == bare(found),
        "address-list-timeout" => seconds(wanted).is_some_and(|wanted| Some(wanted) == seconds(found)),
        "tls-host" => wanted.eq_ignore_ascii_case(found),
        _ => false,
    }
}

/// An address without the length of a single one, in its usual form.
pub(super) fn bare(text: &str) -> String {
    match text.strip_suffix("/128").unwrap_or(text).parse::<Ipv6Addr>() {
        Ok(address) => address.to_string(),
        Err(_) => text.strip_suffix("/32").unwrap_or(text).to_ascii_lowercase(),
    }
}

/// `1h`, `90m` or `01:00:00`.
fn seconds(text: &str) -> Option<u64> {
    if let [hours, minutes, seconds] = text.split(':').collect::<Vec<_>>()[..] {
        let number = |text: &str| text.parse::<u64>().ok();
        return Some(number(hours)? * 3_600 + number(minutes)? * 60 + number(seconds)?);
    }
    let (mut total, mut number) = (0_u64, String::new());
    for sign in text.chars() {
        let unit = match sign {
            '0'..='9' => {
                number.push(sign);
                continue;
            }
            'w' => 604_800,
            'd' => 86_400,
            'h' => 3_600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        total = total.checked_add(std::mem::take(&mut number).parse::<u64>().ok()?.checked_mul(unit)?)?;
    }
    number.is_empty().then_some(total)
}
