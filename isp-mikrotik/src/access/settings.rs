//! How routers are kept.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::client::Fingerprint;
use crate::menu::rate::Burst;
use crate::reconcile::Strategy;
use crate::reconcile::redirect::RedirectSettings;
use crate::text::CodePage;

/// How routers are kept. One set for all routers of a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Profile of isolated accounts. Default `isolir`.
    pub isolation_profile: String,
    /// Address list that isolated sessions join; the router's firewall sends its members to the payment page.
    /// Default `ISOLIR`.
    pub isolation_list: String,
    /// `up/down` of isolated sessions. Default `64k/64k`.
    pub isolation_rate: String,
    /// How lines are isolated. Default `profile`. It may be changed while lines are isolated: whatever another way left is
    /// taken away.
    pub isolation: Strategy,
    /// How the lines of these groups are isolated, by the group's exact name; goes before `isolation`.
    pub isolation_by_group: BTreeMap<String, Strategy>,
    /// The burst of every package. Default: none.
    pub burst: Option<Burst>,
    /// The burst of these groups, by the group's exact name; goes before `burst`.
    pub burst_by_group: BTreeMap<String, Burst>,
    /// Whether the account of a closed line is removed once nothing runs on it, instead of staying disabled. Default
    /// no.
    pub remove_closed: bool,
    /// How comments and names that are not UTF-8 are shown. Default cp1252.
    pub code_page: CodePage,
    /// Pool of isolated sessions, by its exact name; it must exist on the router. Default: the same as `pool`.
    pub isolation_pool: Option<String>,
    /// Pool given to profiles that we make; it must exist on the router. Default: none, and the profile says nothing.
    pub pool: Option<String>,
    /// The router's own address (or pool) in profiles that we make. Default: none.
    pub local_address: Option<String>,
    /// Where isolated lines are led by rules of ours. Default: nothing, and no firewall rule is read or written.
    pub redirect: Option<RedirectSettings>,
    /// The only routers that are called, by `host:port`; every other one counts as not reached. Default: none, and all are.
    pub only: Option<Vec<String>>,
    /// Certificates (PEM) that sign the certificates of routers reached by TLS.
    pub tls_authority: Option<String>,
    /// The one certificate that a router reached by TLS has, by `host` or `host:port`; goes before `tls_authority`.
    pub tls_fingerprints: BTreeMap<String, Fingerprint>,
    /// Deadline of one command. Default 30 s.
    #[serde(with = "seconds")]
    pub deadline: Duration,
    /// Limit of connecting. Default 5 s.
    #[serde(with = "seconds")]
    pub connect_timeout: Duration,
    /// How long a router that let us wait in vain (no connection, no login within `connect_timeout`) is left alone:
    /// once this after the first time, twice after the second, up to twelve times. Calls meanwhile fail at once as not
    /// sent. A router that refuses the connection answers, and is asked again each time. Default 5 s.
    #[serde(with = "seconds")]
    pub rest: Duration,
    /// Commands in flight on one connection; halved for a router that missed a deadline. Default 8.
    pub window: usize,
    /// Sessions that are ended at once; then there is a pause, so that the boxes do not all dial together.
    /// Default 50.
    pub kick_batch: usize,
    /// The pause between two such batches. Default 1 s.
    #[serde(with = "seconds")]
    pub kick_pause: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            isolation_profile: "isolir".to_owned(),
            isolation_list: "ISOLIR".to_owned(),
            isolation_rate: "64k/64k".to_owned(),
            isolation: Strategy::Profile,
            isolation_by_group: BTreeMap::new(),
            burst: None,
            burst_by_group: BTreeMap::new(),
            remove_closed: false,
            code_page: CodePage::Cp1252,
            isolation_pool: None,
            pool: None,
            local_address: None,
            redirect: None,
            only: None,
            tls_authority: None,
            tls_fingerprints: BTreeMap::new(),
            deadline: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(5),
            rest: Duration::from_secs(5),
            window: 8,
            kick_batch: 50,
            kick_pause: Duration::from_secs(1),
        }
    }
}

impl Settings {
    /// How the lines of a group are isolated.
    pub fn strategy_of(&self, group: &str) -> Strategy {
        self.isolation_by_group.get(group).copied().unwrap_or(self.isolation)
    }

    /// Whether lines of both services may be on a router.
    pub(crate) fn two_services(&self) -> bool {
        let hotspot = |strategy: &Strategy| *strategy == Strategy::Hotspot;
        let mut by_group = self.isolation_by_group.values();
        match self.isolation {
            Strategy::Hotspot => !by_group.all(hotspot),
            _ => by_group.any(hotspot),
        }
    }

    /// The burst of a group.
    pub fn burst_of(&self, group: &str) -> Option<Burst> {
        self.burst_by_group.get(group).copied().or(self.burst)
    }
}

/// Durations as whole seconds.
mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(value.as_secs())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_secs)
    }
}
