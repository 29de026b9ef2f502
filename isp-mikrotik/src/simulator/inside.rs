//! Looking into a simulated router, round its API.

use std::collections::BTreeMap;

use super::router::SimulatedRouter;
use super::state::id_text;
use super::table::Item;

/// A secret as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SimSecret {
    /// `*HEX`.
    pub id: String,
    /// The PPP user name.
    pub name: String,
    /// The name of the profile, or `*HEX` if it was deleted.
    pub profile: String,
    /// Whether it is disabled.
    pub disabled: bool,
    /// The fixed address, if it has one.
    pub remote_address: Option<String>,
    /// The comment, bytes as stored; empty if it has none.
    pub comment: Vec<u8>,
    password: Vec<u8>,
}

impl SimSecret {
    /// Whether the password is this one; it is never shown.
    pub fn password_is(&self, password: &str) -> bool {
        self.password == password.as_bytes()
    }
}

/// A profile as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SimProfile {
    /// `*HEX`.
    pub id: String,
    /// By which accounts name it.
    pub name: String,
    /// `up/down`, as it was given.
    pub rate_limit: Option<String>,
    /// The address list that its sessions join.
    pub address_list: Option<String>,
    /// What stands beside it for people.
    pub comment: String,
}

/// A running session, with what it got at login.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SimSession {
    /// `*HEX`.
    pub id: String,
    /// The PPP user name.
    pub name: String,
    /// The profile it logged in with, which its secret may have left since.
    pub profile: String,
    /// The rate limit it got.
    pub rate_limit: Option<String>,
    /// The address it got.
    pub address: Option<String>,
    /// The address list it joined.
    pub address_list: Option<String>,
}

impl SimulatedRouter {
    /// Every object of a menu, in the order of their ids, with what it shows; references by name.
    pub fn items(&self, menu: &str) -> Vec<BTreeMap<String, Vec<u8>>> {
        let mut state = self.shared.lock();
        state.advance();
        let Some(table) = state.table(menu) else { return Vec::new() };
        let values = |item: &Item| {
            item.values.iter().map(|(name, value)| (name.clone(), state.shown(value).into_owned())).collect()
        };
        table.iter().map(|(_, item)| values(item)).collect()
    }

    /// Every secret, in the order of their ids.
    pub fn secrets(&self) -> Vec<SimSecret> {
        let mut state = self.shared.lock();
        state.advance();
        let Some(table) = state.table("/ppp/secret") else { return Vec::new() };
        let secret = |(id, item): (u32, &Item)| SimSecret {
            id: id_text(id),
            name: lossy(item.bytes("name")).unwrap_or_default(),
            profile: item
                .values
                .get("profile")
                .map(|value| String::from_utf8_lossy(&state.shown(value)).into_owned())
                .unwrap_or_default(),
            disabled: item.bytes("disabled") == Some(b"true"),
            remote_address: lossy(item.bytes("remote-address")),
            comment: item.bytes("comment").unwrap_or_default().to_vec(),
            password: item.bytes("password").unwrap_or_default().to_vec(),
        };
        table.iter().map(secret).collect()
    }

    /// The secret with exactly this name.
    pub fn secret(&self, name: &str) -> Option<SimSecret> {
        self.secrets().into_iter().find(|secret| secret.name == name)
    }

    /// Every profile.
    pub fn profiles(&self) -> Vec<SimProfile> {
        let state = self.shared.lock();
        let Some(table) = state.table("/ppp/profile") else { return Vec::new() };
        let profile = |(id, item): (u32, &Item)| SimProfile {
            id: id_text(id),
            name: lossy(item.bytes("name")).unwrap_or_default(),
            rate_limit: lossy(item.bytes("rate-limit")),
            address_list: lossy(item.bytes("address-list")),
            comment: lossy(item.bytes("comment")).unwrap_or_default(),
        };
        table.iter().map(profile).collect()
    }

    /// Every running session, by name.
    pub fn sessions(&self) -> Vec<SimSession> {
        let mut state = self.shared.lock();
        state.advance();
        let mut sessions: Vec<_> = state
            .customers
            .sessions()
            .map(|(id, session)| SimSession {
                id: id_text(id),
                name: String::from_utf8_lossy(&session.name).into_owned(),
                profile: String::from_utf8_lossy(&session.profile).into_owned(),
                rate_limit: lossy(session.rate_limit.as_deref()),
                address: lossy(session.address.as_deref()),
                address_list: lossy(session.address_list.as_deref()),
            })
            .collect();
        sessions.sort_by(|left, right| left.name.cmp(&right.name));
        sessions
    }

    /// The session of this PPP user.
    pub fn session(&self, name: &str) -> Option<SimSession> {
        self.sessions().into_iter().find(|session| session.name == name)
    }
}

fn lossy(bytes: Option<&[u8]>) -> Option<String> {
    bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}
