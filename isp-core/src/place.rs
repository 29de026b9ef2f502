//! Where service happens: sites with their time zone, and the provider's routers.

mod archive;
mod coordinates;
mod machine;

use std::net::{Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use crate::calendar::Zone;
use crate::error::Error;
use crate::ids::{RouterId, SiteId};
use crate::secret::Secret;
use crate::text::{Code, Name};

pub use archive::{no_line, takes_lines};
pub use coordinates::Coordinates;
pub use machine::{KnownMachine, Machine, Met, OtherMachine, meet};

/// A place of the provider with one time zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// The row.
    pub id: SiteId,
    /// Short code.
    pub code: Code,
    /// As officers read it.
    pub name: Name,
    /// Its zone; civil dates of its customers are counted in it.
    pub zone: Zone,
    /// Where it stands on the map.
    #[serde(default)]
    pub coordinates: Option<Coordinates>,
    /// True when it is used no more and kept for its history; see [`takes_lines`].
    #[serde(default)]
    pub archived: bool,
}

/// A MikroTik router of the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Router {
    /// The row.
    pub id: RouterId,
    /// Short code.
    pub code: Code,
    /// Where it stands.
    pub site_id: SiteId,
    /// How to reach its API.
    pub endpoint: RouterEndpoint,
    /// True when it is used no more and kept for its history; see [`takes_lines`]. Nobody calls it.
    #[serde(default)]
    pub archived: bool,
}

/// How to reach a router's API service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouterEndpoint {
    /// Host name or IP address, without the port.
    pub host: String,
    /// TCP port; RouterOS uses 8728, and 8729 with TLS.
    pub port: u16,
    /// True for api-ssl.
    pub tls: bool,
    /// API user.
    pub username: String,
    /// What the API user logs in with; sealed in a database.
    pub password: Secret,
}

impl RouterEndpoint {
    /// Reads `host`, `host:port`, `[v6]:port`, with `tls://` in front for api-ssl.
    ///
    /// # Errors
    /// [`Error::Empty`] without a host, [`Error::RouterAddress`] for what is neither an IP address nor a host name,
    /// [`Error::NotOneOf`] for a port that is not 1 to 65535.
    pub fn parse(address: &str, username: &str, password: Secret) -> Result<Self, Error> {
        let address = crate::typed::bare(address);
        let (tls, rest) = address.strip_prefix("tls://").map_or((false, address.as_str()), |rest| (true, rest));
        let default = if tls { 8729 } else { 8728 };
        if rest.contains("://") {
            return Err(Error::RouterAddress { reason: "only tls:// may stand in front of it" });
        }
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                let port = port.parse::<u16>().ok().filter(|p| *p > 0);
                (host, port.ok_or(Error::NotOneOf { field: "port", expected: "1 to 65535" })?)
            }
            _ => (rest, default),
        };
        let host = host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(host).trim();
        if host.is_empty() {
            return Err(Error::Empty { field: "address" });
        }
        is_host(host).map_err(|reason| Error::RouterAddress { reason })?;
        if username.trim().is_empty() {
            return Err(Error::Empty { field: "username" });
        }
        Ok(Self { host: host.to_owned(), port, tls, username: username.trim().to_owned(), password })
    }
}

/// Checks that a host is an IP address, or a name that DNS can have (RFC 1123, with the `_` of some networks).
fn is_host(host: &str) -> Result<(), &'static str> {
    if host.contains('/') {
        return Err("it has a network's length or a path behind it");
    }
    if host.contains(':') {
        let address = host.split('%').next().unwrap_or("");
        return address.parse::<Ipv6Addr>().map(|_| ()).map_err(|_| "it is no IPv6 address");
    }
    if host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return host.parse::<Ipv4Addr>().map(|_| ()).map_err(|_| "it is no IPv4 address");
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let name = host.strip_suffix('.').unwrap_or(host);
    if name.len() <= 253 && name.split('.').all(label) {
        Ok(())
    } else {
        Err("it is neither an IP address nor a host name")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_routers() {
        let read = |text| RouterEndpoint::parse(text, "isp", Secret::new("x")).map(|e| (e.host, e.port, e.tls));
        assert_eq!(read("10.0.0.1"), Ok(("10.0.0.1".into(), 8728, false)));
        assert_eq!(read("tls://r1.example:9000"), Ok(("r1.example".into(), 9000, true)));
        assert_eq!(read("[fe80::1]:8728"), Ok(("fe80::1".into(), 8728, false)));
        assert!(read("10.0.0.1:70000").is_err());
        assert!(read(" ").is_err());
        assert_eq!(read("\u{200b}10.0.0.1\u{a0}"), Ok(("10.0.0.1".into(), 8728, false)));
        assert_eq!(read("2001:db8::1"), Ok(("2001:db8::1".into(), 8728, false)));
        for bad in [
            "https://10.10.10.1:443",
            "http://r1",
            "10.10.10.1/24",
            "10.10.10.256",
            "10.10.10",
            "router rumah",
            "r1/webfig",
            "-r1",
            "admin@10.0.0.1",
            "10.0.0.1:0",
            "[::1",
            "::zz",
            "r1..lan",
            "tls://https://r1",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
