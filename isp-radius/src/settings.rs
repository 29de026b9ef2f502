//! What the adapter is told: where the tables are, how lines are isolated, how each NAS is reached.

use std::collections::BTreeMap;
use std::time::Duration;

use isp_core::Secret;
use isp_core::place::RouterEndpoint;
use serde::Deserialize;

use crate::names;

/// How RADIUS is set up.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Settings {
    /// Where FreeRADIUS has its tables, `postgres://user:password@host/radius` or `mysql://user:password@host/radius` (MariaDB
    /// as well). Without `sslmode` a server that is not on this machine must prove who it is.
    pub database: Secret,
    /// Each NAS, by the host that the router's address names.
    pub nas: BTreeMap<String, Nas>,
    /// What stands in front of the names of groups that are ours. Groups without it are never touched.
    pub group_prefix: String,
    /// The group of isolated lines, behind the prefix.
    pub isolation_group: String,
    /// The firewall's address list that leads isolated lines to the page for paying.
    pub isolation_list: String,
    /// The speed of isolated lines as RouterOS writes it, upload first, such as `256k/256k`; `None` for no limit.
    pub isolation_rate: Option<String>,
    /// The pool of isolated lines; `None` leaves it to the NAS.
    pub isolation_pool: Option<String>,
    /// The pool of served lines; `None` leaves it to the NAS.
    pub pool: Option<String>,
    /// The `safe_characters` of FreeRADIUS's module `sql`: it asks for a name with other signs in another way. Default: as
    /// there.
    pub safe_characters: String,
    /// How long a NAS has to answer, try by try; 1, 2 and 3 seconds.
    #[serde(skip)]
    pub patience: Vec<Duration>,
}

/// How a NAS is reached to end a session.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nas {
    /// The UDP port of its incoming requests (`/radius/incoming`); RouterOS has 3799 unless told otherwise.
    #[serde(default = "Nas::usual_port")]
    pub port: u16,
    /// The secret that it shares with RADIUS.
    pub secret: Secret,
}

impl Nas {
    /// The port of RFC 5176.
    pub const PORT: u16 = 3_799;

    const fn usual_port() -> u16 {
        Self::PORT
    }

    /// A NAS at the usual port.
    #[must_use]
    pub const fn new(secret: Secret) -> Self {
        Self { port: Self::PORT, secret }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::new(Secret::default())
    }
}

impl Settings {
    /// Settings with the usual names: groups `isp:...`, lines isolated by the list `ISOLIR`.
    #[must_use]
    pub fn new(database: Secret) -> Self {
        Self {
            database,
            nas: BTreeMap::new(),
            group_prefix: "isp:".to_owned(),
            isolation_group: "isolir".to_owned(),
            isolation_list: "ISOLIR".to_owned(),
            isolation_rate: None,
            isolation_pool: None,
            pool: None,
            safe_characters: names::SAFE.to_owned(),
            patience: [1, 2, 3].map(Duration::from_secs).to_vec(),
        }
    }

    /// The settings with each NAS by its host alone, as a router's address may be written with the port of its API.
    ///
    /// # Errors
    /// The key and what is wrong with it: a NAS without a database, or an address that is none.
    pub fn checked(self) -> Result<Self, (String, &'static str)> {
        if !self.nas.is_empty() && self.database.is_empty() {
            return Err(("database".to_owned(), "is not set, and routers ask RADIUS"));
        }
        let mut nas = BTreeMap::new();
        for (address, found) in self.nas {
            let endpoint = RouterEndpoint::parse(&address, "api", Secret::default());
            let host = endpoint.map_err(|_| (format!("nas.{address}"), "is no address of a router"))?.host;
            if found.secret.is_empty() {
                return Err((format!("nas.{address}.secret"), "is empty"));
            }
            nas.insert(host, found);
        }
        Ok(Self { nas, ..self })
    }

    /// True for a router whose lines are in RADIUS.
    #[must_use]
    pub fn serves(&self, router: &RouterEndpoint) -> bool {
        self.nas.contains_key(&router.host)
    }

    /// The group of a package.
    #[must_use]
    pub fn group(&self, name: &str) -> String {
        format!("{}{name}", self.group_prefix)
    }

    /// The group of isolated lines.
    #[must_use]
    pub fn isolated(&self) -> String {
        self.group(&self.isolation_group)
    }
}
