//! Where service happens: sites with their time zone, and the provider's routers.

use serde::{Deserialize, Serialize};

use crate::calendar::Zone;
use crate::error::Error;
use crate::ids::{RouterId, SiteId};
use crate::secret::Secret;
use crate::text::{Code, Name};

/// A place of the provider with one time zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// The row.
    pub id: SiteId,
    /// Short code.
    pub code: Code,
    /// Name.
    pub name: Name,
    /// Its zone; civil dates of its customers are counted in it.
    pub zone: Zone,
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
    /// Its password.
    pub password: Secret,
}

impl RouterEndpoint {
    /// Reads `host`, `host:port`, `[v6]:port`, with `tls://` in front for api-ssl.
    ///
    /// # Errors
    /// [`Error::Empty`] without a host, [`Error::NotOneOf`] for a port that is not 1 to 65535.
    pub fn parse(address: &str, username: &str, password: Secret) -> Result<Self, Error> {
        let address = address.trim();
        let (tls, rest) = address.strip_prefix("tls://").map_or((false, address), |rest| (true, rest));
        let default = if tls { 8729 } else { 8728 };
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                let port = port.parse::<u16>().ok().filter(|p| *p > 0);
                (host, port.ok_or(Error::NotOneOf { field: "port", expected: "1 to 65535" })?)
            }
            _ => (rest, default),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').trim();
        if host.is_empty() {
            return Err(Error::Empty { field: "address" });
        }
        if username.trim().is_empty() {
            return Err(Error::Empty { field: "username" });
        }
        Ok(Self { host: host.to_owned(), port, tls, username: username.trim().to_owned(), password })
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
    }
}
