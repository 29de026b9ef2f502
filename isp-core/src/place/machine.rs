//! Which machine answers at a router's address.
//!
//! Two routers whose addresses were swapped would get each other's accounts, and so would one that was replaced. So the
//! machine that answered first is remembered, and another one is left alone until a person says that it is right.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::RouterId;

/// Who a router is, as it says itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Its name, which people give and change.
    pub identity: String,
    /// What nobody changes: its serial number, or the id that a virtual one has; `None` where it tells none.
    pub serial: Option<String>,
}

impl fmt::Display for Machine {
    /// `RTR-BDG (HG209)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.serial {
            Some(serial) => write!(f, "{} ({serial})", self.identity),
            None => f.write_str(&self.identity),
        }
    }
}

/// The machine that serves the lines of a router.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KnownMachine {
    /// Which router.
    pub router_id: RouterId,
    /// Who answered there.
    pub machine: Machine,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Who said that it is right; `None` for the first that answered.
    pub by: Option<String>,
}

/// What a machine that answers is to us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Met {
    /// The one that answered before.
    Same,
    /// The first that answered, or the one from before under another name: it is to be remembered.
    Remember,
    /// Another one.
    Another(OtherMachine),
}

/// A machine that answers where another one is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OtherMachine {
    /// Who answers.
    pub answers: Machine,
    /// Who answered before.
    pub before: Option<Machine>,
    /// The other router that it is known as.
    pub known_as: Option<RouterId>,
}

impl fmt::Display for OtherMachine {
    /// Its pieces stand between `: `, so that a program can say each in its user's language.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = self.before.as_ref().map(ToString::to_string).unwrap_or_default();
        write!(f, "another machine answers there than before: {before} -> {}", self.answers)
    }
}

impl OtherMachine {
    /// A stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        "router.other_machine"
    }
}

/// Compares the machine that answers for a router with those that are known.
///
/// The serial number decides. Where one of the two tells none, the name does.
#[must_use]
pub fn meet(router: RouterId, answers: &Machine, known: &[KnownMachine]) -> Met {
    let before = known.iter().find(|known| known.router_id == router).map(|known| &known.machine);
    let twin = |known: &&KnownMachine| known.router_id != router && known.machine.serial == answers.serial;
    let known_as = known.iter().filter(|_| answers.serial.is_some()).find(twin).map(|known| known.router_id);
    let same_name = before.is_some_and(|before| before.identity == answers.identity);
    match (before.map(|before| &before.serial), &answers.serial) {
        (Some(old), new) if old == new && (same_name || new.is_some()) => match same_name {
            true => Met::Same,
            false => Met::Remember,
        },
        (Some(Some(_)), None) if same_name => Met::Same,
        (Some(None), Some(_)) if same_name && known_as.is_none() => Met::Remember,
        (None, _) if known_as.is_none() => Met::Remember,
        _ => Met::Another(OtherMachine { answers: answers.clone(), before: before.cloned(), known_as }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn machine(identity: &str, serial: &str) -> Machine {
        Machine { identity: identity.to_owned(), serial: Some(serial.to_owned()).filter(|serial| !serial.is_empty()) }
    }

    fn router(number: u128) -> RouterId {
        RouterId(Uuid::from_u128(number))
    }

    fn known(number: u128, identity: &str, serial: &str) -> KnownMachine {
        let machine = machine(identity, serial);
        KnownMachine { router_id: router(number), machine, since: DateTime::UNIX_EPOCH, by: None }
    }

    fn another(met: Met) -> (Option<String>, Option<RouterId>) {
        match met {
            Met::Another(other) => (other.before.and_then(|before| before.serial), other.known_as),
            met => panic!("{met:?}"),
        }
    }

    #[test]
    fn the_serial_number_decides() {
        let both = [known(1, "A", "S1"), known(2, "B", "S2")];
        assert_eq!(meet(router(3), &machine("C", "S3"), &both), Met::Remember);
        assert_eq!(meet(router(1), &machine("A", "S1"), &both), Met::Same);
        assert_eq!(meet(router(1), &machine("renamed", "S1"), &both), Met::Remember);
        // Swapped addresses: each is known as the other.
        assert_eq!(another(meet(router(1), &machine("B", "S2"), &both)), (Some("S1".into()), Some(router(2))));
        assert_eq!(another(meet(router(2), &machine("A", "S1"), &both)), (Some("S2".into()), Some(router(1))));
        // A new box in the place of an old one, with the same name.
        assert_eq!(another(meet(router(1), &machine("A", "S9"), &both)), (Some("S1".into()), None));
        // A new router at the address of an old one.
        assert_eq!(another(meet(router(3), &machine("A", "S1"), &both)), (None, Some(router(1))));
    }

    #[test]
    fn without_a_serial_number_the_name_decides() {
        let one = [known(1, "A", "")];
        assert_eq!(meet(router(1), &machine("A", ""), &one), Met::Same);
        assert_eq!(another(meet(router(1), &machine("B", ""), &one)), (None, None));
        assert_eq!(meet(router(1), &machine("A", "S1"), &one), Met::Remember);
        assert_eq!(another(meet(router(1), &machine("B", "S1"), &one)), (None, None));
        assert_eq!(meet(router(2), &machine("A", ""), &one), Met::Remember, "a name is not unique");
        let with = [known(1, "A", "S1")];
        assert_eq!(meet(router(1), &machine("A", ""), &with), Met::Same);
        assert_eq!(another(meet(router(1), &machine("B", ""), &with)), (Some("S1".into()), None));
    }
}
