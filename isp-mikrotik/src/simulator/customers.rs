//! Customers' boxes, and what their sessions were made of.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use super::setup::Simulation;

/// Boxes, and what their sessions were made of.
#[derive(Debug)]
pub(super) struct Customers {
    pub(super) auto: bool,
    pub(super) redial: Duration,
    pub(super) boxes: HashMap<Vec<u8>, CustomerBox>,
    pub(super) dials: BTreeSet<(Instant, Vec<u8>)>,
    pub(super) sessions: HashMap<u32, Session>,
}

#[derive(Debug)]
pub(super) struct CustomerBox {
    /// `None`: it always knows the password of its secret.
    pub(super) password: Option<Vec<u8>>,
    pub(super) session: Option<u32>,
}

/// What a session got at login.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) name: Vec<u8>,
    pub(super) profile: Vec<u8>,
    pub(super) rate_limit: Option<Vec<u8>>,
    pub(super) address: Option<Vec<u8>>,
    pub(super) address_list: Option<Vec<u8>>,
    pub(super) since: Instant,
    pub(super) entry: Option<u32>,
    pub(super) queue: Option<u32>,
}

impl Customers {
    pub(super) fn new(simulation: &Simulation) -> Customers {
        Customers {
            auto: simulation.auto_dial,
            redial: simulation.redial,
            boxes: HashMap::new(),
            dials: BTreeSet::new(),
            sessions: HashMap::new(),
        }
    }

    pub(super) fn since(&self, session: u32) -> Option<Instant> {
        self.sessions.get(&session).map(|session| session.since)
    }

    pub(super) fn sessions(&self) -> impl Iterator<Item = (u32, &Session)> {
        self.sessions.iter().map(|(id, session)| (*id, session))
    }

    /// A new secret was made: with `auto_dial` its customer plugs in.
    pub(super) fn secret_added(&mut self, name: &[u8]) {
        if self.auto && !self.boxes.contains_key(name) {
            self.plug(name, None);
        }
    }

    pub(super) fn plug(&mut self, name: &[u8], password: Option<Vec<u8>>) {
        let session = self.boxes.get(name).and_then(|known| known.session);
        self.boxes.insert(name.to_vec(), CustomerBox { password, session });
        if session.is_none() {
            self.dials.insert((Instant::now(), name.to_vec()));
        }
    }
}
