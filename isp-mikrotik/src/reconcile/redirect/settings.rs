//! Where isolated lines are led, as the operator says it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use isp_core::place::RouterEndpoint;
use isp_core::secret::Secret;
use serde::{Deserialize, Serialize};

/// Where isolated lines are led. Without these settings no rule is read or written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RedirectSettings {
    /// Whether routers have these rules. `false` takes away those that carry our mark. Default yes.
    pub enabled: bool,
    /// The address of the page for paying. A router without one here and below has no rules.
    pub portal: Option<Ipv4Addr>,
    /// The port on which the page answers plain HTTP. Default 80.
    pub port: u16,
    /// The page's IPv6 address.
    pub portal_ipv6: Option<Ipv6Addr>,
    /// Whether IPv6 has rules, too. Default: when `portal_ipv6` is set.
    pub ipv6: Option<bool>,
    /// The list of what isolated lines may reach. Default `ISP-PORTAL`.
    pub portal_list: String,
    /// Names or addresses of payment pages; the router asks for the addresses of names by itself. No wildcards.
    pub payment_hosts: Vec<String>,
    /// Names in TLS hellos, with wildcards such as `*.midtrans.com`.
    pub tls_hosts: Vec<String>,
    /// The DNS servers that isolated lines may ask, beside the router itself. Default: any.
    pub resolvers: Vec<IpAddr>,
    /// The ranges of the pool of isolated lines, such as `10.9.0.2-10.9.3.254`: `isolation_pool` is made with them.
    pub pool_ranges: Option<String>,
    /// What differs on one router, by its `host` or `host:port`.
    pub router: BTreeMap<String, RouterRedirect>,
}

/// What differs on one router; what is not set is as for the others.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RouterRedirect {
    /// Whether this router has the rules.
    pub enabled: Option<bool>,
    /// The page's address as this router reaches it.
    pub portal: Option<Ipv4Addr>,
    /// The page's port.
    pub port: Option<u16>,
    /// The page's IPv6 address.
    pub portal_ipv6: Option<Ipv6Addr>,
    /// Whether IPv6 has rules, too.
    pub ipv6: Option<bool>,
    /// The DNS servers that isolated lines may ask.
    pub resolvers: Option<Vec<IpAddr>>,
    /// The ranges of the pool of isolated lines.
    pub pool_ranges: Option<String>,
}

impl Default for RedirectSettings {
    fn default() -> Self {
        RedirectSettings {
            enabled: true,
            portal: None,
            port: 80,
            portal_ipv6: None,
            ipv6: None,
            portal_list: "ISP-PORTAL".to_owned(),
            payment_hosts: Vec::new(),
            tls_hosts: Vec::new(),
            resolvers: Vec::new(),
            pool_ranges: None,
            router: BTreeMap::new(),
        }
    }
}

/// A key and what is wrong with its value.
type Wrong = (String, &'static str);

impl RedirectSettings {
    /// So many payment hosts, and so many TLS names: each is an entry or two rules on every router.
    const MOST: usize = 50;

    /// These settings for one router, its own values in place of the others'.
    #[must_use]
    pub fn of(&self, router: &RouterEndpoint) -> RedirectSettings {
        let with_port = format!("{}:{}", router.host, router.port);
        let own = self.router.get(&with_port).or_else(|| self.router.get(&router.host));
        let all = RedirectSettings { router: BTreeMap::new(), ..self.clone() };
        let Some(own) = own else { return all };
        RedirectSettings {
            enabled: own.enabled.unwrap_or(all.enabled),
            portal: own.portal.or(all.portal),
            port: own.port.unwrap_or(all.port),
            portal_ipv6: own.portal_ipv6.or(all.portal_ipv6),
            ipv6: own.ipv6.or(all.ipv6),
            resolvers: own.resolvers.clone().unwrap_or(all.resolvers),
            pool_ranges: own.pool_ranges.clone().or(all.pool_ranges),
            ..all
        }
    }

    /// The addresses of [`router`](Self::router) that are none of these routers'.
    pub fn of_no_router<'a>(&'a self, routers: &'a [&RouterEndpoint]) -> impl Iterator<Item = &'a str> {
        let fits =
            |address: &str| routers.iter().any(|r| r.host == address || format!("{}:{}", r.host, r.port) == address);
        self.router.keys().map(String::as_str).filter(move |address| !fits(address))
    }

    /// Whether IPv6 has rules.
    #[must_use]
    pub fn covers_ipv6(&self) -> bool {
        self.ipv6.unwrap_or(self.portal_ipv6.is_some())
    }

    /// The settings, with each router by its host, and by its port where one is given.
    ///
    /// # Errors
    ///
    /// The key, below `redirect`, and what is wrong with its value.
    pub fn checked(self, isolation_list: &str, isolation_pool: Option<&str>) -> Result<RedirectSettings, Wrong> {
        let wrong = |key: &str, reason: &'static str| Err((key.to_owned(), reason));
        if !names_list(isolation_list) {
            return wrong("enabled", "wants mikrotik.isolation_list to be the name of a list");
        }
        let mut router = BTreeMap::new();
        for (address, own) in self.router {
            let key = format!("router.{address}");
            let Ok(endpoint) = RouterEndpoint::parse(&address, "api", Secret::default()) else {
                return Err((key, "is no address of a router"));
            };
            checked_places(&key, own.portal, own.portal_ipv6, own.port)?;
            checked_ranges(&key, own.pool_ranges.as_deref(), isolation_pool, own.portal.or(self.portal))?;
            checked_resolvers(&key, own.resolvers.as_deref().unwrap_or_default())?;
            let host = match names_port(&address) {
                true => format!("{}:{}", endpoint.host, endpoint.port),
                false => endpoint.host,
            };
            router.insert(host, own);
        }
        let checked = RedirectSettings { router, ..self };
        checked_places("", checked.portal, checked.portal_ipv6, Some(checked.port))?;
        checked_ranges("", checked.pool_ranges.as_deref(), isolation_pool, checked.portal)?;
        checked_resolvers("", &checked.resolvers)?;
        if checked.enabled && checked.portal.is_none() && checked.router.values().all(|own| own.portal.is_none()) {
            return wrong("portal", "is not set: the address of the page for paying");
        }
        if !is_list_name(&checked.portal_list) {
            return wrong("portal_list", "is not 1 to 60 letters, digits and - _ .");
        }
        if checked.portal_list == isolation_list {
            return wrong("portal_list", "is the isolation list itself");
        }
        if checked.payment_hosts.len() > Self::MOST || checked.tls_hosts.len() > Self::MOST {
            let key = if checked.tls_hosts.len() > Self::MOST { "tls_hosts" } else { "payment_hosts" };
            return wrong(key, "has more than 50 names");
        }
        if checked.payment_hosts.iter().any(|host| host.contains('*')) {
            return wrong("payment_hosts", "has a name with *, which belongs into tls_hosts");
        }
        let reachable = |host: &str| host.parse::<IpAddr>().map_or_else(|_| is_host(host), of_host);
        if !checked.payment_hosts.iter().all(|host| reachable(host)) {
            return wrong("payment_hosts", "has something that is no host name and no address");
        }
        if !checked.tls_hosts.iter().all(|host| is_host(&host.replace('*', "x"))) {
            return wrong("tls_hosts", "has something that is no host name, with or without *");
        }
        if checked.tls_hosts.iter().any(|host| host.split('.').filter(|label| !label.contains('*')).count() < 2) {
            return wrong("tls_hosts", "has a * that stands for all names of an ending, such as *.com");
        }
        if has_twins(&checked.payment_hosts) {
            return wrong("payment_hosts", "has a name twice");
        }
        if has_twins(&checked.tls_hosts) {
            return wrong("tls_hosts", "has a name twice");
        }
        Ok(checked)
    }
}

fn checked_places(
    prefix: &str,
    portal: Option<Ipv4Addr>,
    portal_ipv6: Option<Ipv6Addr>,
    port: Option<u16>,
) -> Result<(), Wrong> {
    let wrong = |key: &str, reason| Err((below(prefix, key), reason));
    if portal.is_some_and(|address| !of_host(address.into())) {
        return wrong("portal", "is no address that customers can reach");
    }
    if portal_ipv6.is_some_and(|address| !of_host(address.into())) {
        return wrong("portal_ipv6", "is no address that customers can reach");
    }
    match port {
        Some(0) => wrong("port", "is not 1 to 65535"),
        _ => Ok(()),
    }
}

/// Whether an address may be that of one host elsewhere.
fn of_host(address: IpAddr) -> bool {
    let (local, broadcast) = match address {
        IpAddr::V4(address) => (false, address.is_broadcast()),
        IpAddr::V6(address) => (address.segments()[0] & 0xFFC0 == 0xFE80, false),
    };
    !(address.is_unspecified() || address.is_loopback() || address.is_multicast() || local || broadcast)
}

fn checked_resolvers(prefix: &str, resolvers: &[IpAddr]) -> Result<(), Wrong> {
    let wrong = |reason| Err((below(prefix, "resolvers"), reason));
    match () {
        () if !resolvers.iter().all(|address| of_host(*address)) => wrong("has an address that customers cannot ask"),
        () if (1..resolvers.len()).any(|at| resolvers.iter().take(at).any(|r| Some(r) == resolvers.get(at))) => {
            wrong("has an address twice")
        }
        () if !resolvers.is_empty() && !resolvers.iter().any(IpAddr::is_ipv4) => {
            wrong("has no IPv4 address, so that isolated lines could ask nobody for the page")
        }
        () => Ok(()),
    }
}

fn checked_ranges(
    prefix: &str,
    ranges: Option<&str>,
    pool: Option<&str>,
    portal: Option<Ipv4Addr>,
) -> Result<(), Wrong> {
    let Some(ranges) = ranges else { return Ok(()) };
    let address = |text: &str| text.parse::<Ipv4Addr>().ok();
    let range = |text: &str| match text.split_once('-') {
        Some((first, last)) => address(first).zip(address(last)).filter(|(first, last)| first <= last),
        None => address(text).map(|only| (only, only)),
    };
    let wrong = |reason| Err((below(prefix, "pool_ranges"), reason));
    let Some(mut all) = ranges.split(',').map(range).collect::<Option<Vec<_>>>() else {
        return wrong("is not first-last, with commas between several ranges");
    };
    all.sort_unstable();
    match () {
        () if all.iter().zip(all.iter().skip(1)).any(|((_, last), (first, _))| first <= last) => {
            wrong("has an address in two ranges")
        }
        () if portal.is_some_and(|portal| all.iter().any(|(first, last)| (first..=last).contains(&&portal))) => {
            wrong("has the address of the page among those of customers")
        }
        () if pool.is_none() => wrong("names no pool: set mikrotik.isolation_pool"),
        () => Ok(()),
    }
}

fn below(prefix: &str, key: &str) -> String {
    if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") }
}

/// Whether an address of a router says which port.
fn names_port(address: &str) -> bool {
    let bare = address.rsplit_once("://").map_or(address, |(_, bare)| bare);
    bare.rsplit_once(':').is_some_and(|(host, _)| !host.contains(':') || host.ends_with(']'))
}

/// Whether an isolation list, which may have any name on the router, is one list and not all but one.
pub(super) fn names_list(text: &str) -> bool {
    !text.is_empty() && text.trim() == text && !text.starts_with('!') && !text.chars().any(char::is_control)
}

fn is_list_name(text: &str) -> bool {
    (1..=60).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// A name with at least two labels, as DNS can have them. Its last one has a letter, so that no range of addresses is taken for one.
fn is_host(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let ending = text.rsplit('.').next().unwrap_or_default();
    let named = text.contains('.') && ending.bytes().any(|byte| byte.is_ascii_alphabetic());
    text.len() <= 253 && named && text.split('.').all(label)
}

fn has_twins(names: &[String]) -> bool {
    names.iter().enumerate().any(|(at, name)| names.iter().take(at).any(|other| other.eq_ignore_ascii_case(name)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn wrong(text: &str) -> (String, &'static str) {
        let settings: RedirectSettings = serde_json::from_str(text).unwrap();
        settings.checked("ISOLIR", None).unwrap_err()
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_its_key() {
        for (text, key) in [
            ("{}", "portal"),
            (r#"{"portal":"127.0.0.1"}"#, "portal"),
            (r#"{"portal":"10.0.0.5","port":0}"#, "port"),
            (r#"{"portal":"10.0.0.5","portal_ipv6":"fe80::1"}"#, "portal_ipv6"),
            (r#"{"portal":"10.0.0.5","portal_list":"ISOLIR"}"#, "portal_list"),
            (r#"{"portal":"10.0.0.5","portal_list":"a b"}"#, "portal_list"),
            (r#"{"portal":"10.0.0.5","payment_hosts":["*.midtrans.com"]}"#, "payment_hosts"),
            (r#"{"portal":"10.0.0.5","payment_hosts":["a.id","A.id"]}"#, "payment_hosts"),
            (r#"{"portal":"10.0.0.5","payment_hosts":["tripay co id"]}"#, "payment_hosts"),
            (r#"{"portal":"10.0.0.5","payment_hosts":["1.0.0.0-223.255.255.255"]}"#, "payment_hosts"),
            (r#"{"portal":"10.0.0.5","payment_hosts":["0.0.0.0"]}"#, "payment_hosts"),
            (r#"{"portal":"10.0.0.5","tls_hosts":["*"]}"#, "tls_hosts"),
            (r#"{"portal":"10.0.0.5","tls_hosts":["*.com"]}"#, "tls_hosts"),
            (r#"{"portal":"10.0.0.5","tls_hosts":["*.*"]}"#, "tls_hosts"),
            (r#"{"portal":"10.0.0.5","resolvers":["2001:db8::53"]}"#, "resolvers"),
            (r#"{"portal":"10.0.0.5","resolvers":["127.0.0.1"]}"#, "resolvers"),
            (r#"{"portal":"10.0.0.5","resolvers":["10.0.0.9","10.0.0.9"]}"#, "resolvers"),
            (r#"{"portal":"10.0.0.5","router":{"10.0.0.1":{"resolvers":["::1"]}}}"#, "router.10.0.0.1.resolvers"),
            (r#"{"portal":"10.0.0.5","pool_ranges":"10.9.0.2-10.9.0.9"}"#, "pool_ranges"),
            (r#"{"portal":"10.0.0.5","router":{"a b":{}}}"#, "router.a b"),
            (r#"{"portal":"10.0.0.5","router":{"10.0.0.1":{"port":0}}}"#, "router.10.0.0.1.port"),
            (r#"{"portal":"10.0.0.5","router":{"10.0.0.1":{"portal":"0.0.0.0"}}}"#, "router.10.0.0.1.portal"),
        ] {
            assert_eq!(wrong(text).0, key, "{text}");
        }
        let settings: RedirectSettings =
            serde_json::from_str(r#"{"portal":"10.0.0.5","pool_ranges":"10.9.0.9-10.9.0.2"}"#).unwrap();
        assert_eq!(settings.checked("ISOLIR", Some("isolir")).unwrap_err().0, "pool_ranges");
        for ranges in ["10.9.0.2-10.9.0.9,10.9.0.5", "10.0.0.2-10.0.0.9"] {
            let text = format!(r#"{{"portal":"10.0.0.5","pool_ranges":"{ranges}"}}"#);
            let settings: RedirectSettings = serde_json::from_str(&text).unwrap();
            assert_eq!(settings.checked("ISOLIR", Some("isolir")).unwrap_err().0, "pool_ranges", "{ranges}");
        }
        for list in ["", " ", "!ISOLIR", " ISOLIR"] {
            let settings: RedirectSettings = serde_json::from_str(r#"{"portal":"10.0.0.5"}"#).unwrap();
            assert_eq!(settings.checked(list, None).unwrap_err().0, "enabled", "{list}");
        }
        // Switched off, nothing has to be said.
        let off: RedirectSettings = serde_json::from_str(r#"{"enabled":false}"#).unwrap();
        assert!(off.checked("ISOLIR", None).is_ok());
    }

    #[test]
    fn a_router_has_its_own_values_by_host_or_by_port() {
        let text = r#"{"portal":"10.0.0.5","pool_ranges":"10.9.0.2-10.9.0.9","router":{
            "10.1.0.1:8728":{"portal":"10.1.0.5"},"tls://10.2.0.1":{"enabled":false},"[2001:db8::1]:8729":{"port":8080}}}"#;
        let settings: RedirectSettings = serde_json::from_str(text).unwrap();
        let settings = settings.checked("ISOLIR", Some("isolir")).unwrap();
        let of = |address: &str| settings.of(&RouterEndpoint::parse(address, "api", Secret::default()).unwrap());
        assert_eq!(of("10.1.0.1").portal, Some(Ipv4Addr::new(10, 1, 0, 5)));
        assert_eq!(of("10.1.0.1:1234").portal, Some(Ipv4Addr::new(10, 0, 0, 5)));
        assert!(!of("10.2.0.1:99").enabled && of("10.3.0.1").enabled);
        assert_eq!(of("[2001:db8::1]:8729").port, 8080);
        assert_eq!(of("10.1.0.1").pool_ranges.as_deref(), Some("10.9.0.2-10.9.0.9"));
    }
}
