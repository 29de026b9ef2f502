//! Settings of the server.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde::Deserialize;

use crate::source_address::Net;

/// Settings of the server: the table `[serve]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where it listens; this machine only, unless told otherwise.
    pub listen: SocketAddr,
    /// The longest body of a request, in kilobytes.
    pub max_body_kb: u32,
    /// Seconds for a request's head to come, and again for its body.
    pub slow_seconds: u16,
    /// Connections at once; the next one waits.
    pub connections: u16,
    /// Requests a minute from one address that a page may get, and that may be signed wrongly. What is signed is never counted.
    pub per_minute: u16,
    /// Networks of the proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Net>,
    /// Networks from which lines come: who asks from one of them for `/isolir` may be shown the line that has the address.
    /// Private ones, unless told otherwise.
    pub line_networks: Vec<Net>,
    /// Networks that may read `/metrics`; this machine only, unless told otherwise. They tell of the provider's business.
    pub metrics_from: Vec<Net>,
    /// Minutes between runs of the day; 0 leaves them to `isp run`.
    pub run_every_minutes: u16,
    /// Seconds between deliveries; 0 leaves them to `isp run` and `isp deliver`.
    pub deliver_every_seconds: u16,
    /// The address under which customers reach their page, such as `https://bayar.example.id`; links begin with it.
    pub public_url: Option<String>,
    /// The address of the page for isolated lines, as they reach it, such as `http://10.10.0.2:8480`. Requests for other hosts
    /// are sent there.
    pub portal_url: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8480),
            max_body_kb: 256,
            slow_seconds: 10,
            connections: 512,
            per_minute: 60,
            trusted_proxies: Vec::new(),
            line_networks: Net::PRIVATE.to_vec(),
            metrics_from: vec![Net::THIS_MACHINE, Net::THIS_MACHINE_V6],
            run_every_minutes: 10,
            deliver_every_seconds: 5,
            public_url: None,
            portal_url: None,
        }
    }
}

impl Settings {
    /// Checks what the types cannot.
    ///
    /// # Errors
    /// The key, and what is wrong with it.
    pub fn checked(self) -> Result<Self, (&'static str, &'static str)> {
        let between = |key, value: u32, from, to| if (from..=to).contains(&value) { Ok(()) } else { Err(key) };
        between("max_body_kb", self.max_body_kb, 1, 16_384).map_err(|key| (key, "is not 1 to 16384"))?;
        between("slow_seconds", self.slow_seconds.into(), 1, 300).map_err(|key| (key, "is not 1 to 300"))?;
        between("connections", self.connections.into(), 1, 20_000).map_err(|key| (key, "is not 1 to 20000"))?;
        between("per_minute", self.per_minute.into(), 1, 60_000).map_err(|key| (key, "is not 1 to 60000"))?;
        between("run_every_minutes", self.run_every_minutes.into(), 0, 1_440)
            .map_err(|key| (key, "is not 0 to 1440"))?;
        between("deliver_every_seconds", self.deliver_every_seconds.into(), 0, 3_600)
            .map_err(|key| (key, "is not 0 to 3600"))?;
        for (key, url) in [("public_url", &self.public_url), ("portal_url", &self.portal_url)] {
            if url.as_deref().is_some_and(|url| host_of(url).is_none()) {
                return Err((key, "is not http:// or https:// with a host and no path"));
            }
        }
        let url = |url: Option<String>| url.map(|url| url.trim_end_matches('/').to_owned());
        Ok(Self { public_url: url(self.public_url), portal_url: url(self.portal_url), ..self })
    }
}

/// Host and port of an address without a path.
pub(crate) fn host_of(url: &str) -> Option<&str> {
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?.trim_end_matches('/');
    let plain = |c: char| c.is_ascii_alphanumeric() || "-.:[]".contains(c);
    (!host.is_empty() && host.chars().all(plain)).then_some(host)
}
