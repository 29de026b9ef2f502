//! How a simulated router is set up, and what it counts.

use std::collections::BTreeMap;
use std::time::Duration;

use super::schema::Version;

/// How a simulated router is set up.
#[derive(Debug, Clone)]
pub struct Simulation {
    /// Its RouterOS version.
    pub version: Version,
    /// Its name (`/system identity`).
    pub identity: String,
    /// Its serial number, as a RouterBOARD has one. Without one it is a virtual router, whose licence names an id; that
    /// follows from the port.
    pub serial: Option<String>,
    /// The API user; a second user `readonly` with the same password may not write.
    pub user: String,
    /// The password of both users. It guards nothing: the simulator listens on loopback only.
    pub password: String,
    /// Whether a print hides passwords unless `=show-sensitive=` is given; by default as the version does.
    pub hide_passwords: Option<bool>,
    /// Whether every new secret has a customer's box that knows its password and dials at once.
    pub auto_dial: bool,
    /// How long a box waits before it dials again after its session ended.
    pub redial: Duration,
    /// Whether what is set on the lease of a box that has its address already holds from its next renewal on only, and
    /// not at once.
    pub leases_take_effect_at_renewal: bool,
    /// How many API connections it takes; more are closed at once.
    pub max_connections: Option<usize>,
    /// Certificate and key, both PEM: the service then speaks TLS only.
    pub tls: Option<(String, String)>,
    /// Menus that it lacks, with all below them, such as `/ipv6/firewall/nat` on RouterOS 6 or `/ipv6` without its package.
    pub without: Vec<String>,
    /// Whether it answers a login like a router before 6.43, with a challenge.
    pub too_old: bool,
}

impl Default for Simulation {
    /// 7.21.5, user `api`, boxes that dial at once.
    fn default() -> Self {
        Simulation {
            version: Version::V7_21_5,
            identity: "simulated".to_owned(),
            serial: None,
            user: "api".to_owned(),
            password: "simulated".to_owned(),
            hide_passwords: None,
            auto_dial: true,
            redial: Duration::ZERO,
            leases_take_effect_at_renewal: false,
            max_connections: None,
            tls: None,
            without: Vec::new(),
            too_old: false,
        }
    }
}

/// How much work clients gave to the router.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Connections accepted.
    pub connections: u64,
    /// Successful logins.
    pub logins: u64,
    /// Refused logins.
    pub failed_logins: u64,
    /// Commands executed, `/login` and `/cancel` left out.
    pub commands: u64,
    /// Commands that changed something: add, set, unset, move, remove, enable, disable, comment.
    pub writes: u64,
    /// Commands by path.
    pub by_command: BTreeMap<String, u64>,
}
