//! The boxes that a DHCP server serves, and what they have.

use std::collections::BTreeMap;

use super::setup::Simulation;

/// The boxes, by MAC address.
#[derive(Debug)]
pub(super) struct Boxes {
    pub(super) lazy: bool,
    pub(super) boxes: BTreeMap<String, DhcpBox>,
}

#[derive(Debug, Default)]
pub(super) struct DhcpBox {
    pub(super) pool_address: String,
    pub(super) binding: Option<Binding>,
    pub(super) renew: bool,
    pub(super) entries: Vec<u32>,
    pub(super) queue: Option<u32>,
}

/// What a box was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binding {
    pub(super) lease: u32,
    pub(super) address: String,
    pub(super) lists: Vec<Vec<u8>>,
    pub(super) rate: Option<Vec<u8>>,
}

impl Boxes {
    pub(super) fn new(simulation: &Simulation) -> Boxes {
        Boxes { lazy: simulation.leases_take_effect_at_renewal, boxes: BTreeMap::new() }
    }

    pub(super) fn plug(&mut self, mac: &str, pool_address: &str) {
        let known = self.boxes.entry(mac.to_ascii_uppercase()).or_default();
        known.pool_address = pool_address.to_owned();
        known.renew = true;
    }

    pub(super) fn renew(&mut self, mac: &str) {
        if let Some(known) = self.boxes.get_mut(&mac.to_ascii_uppercase()) {
            known.renew = true;
        }
    }

    pub(super) fn address_of(&self, mac: &str) -> Option<String> {
        let binding = self.boxes.get(&mac.to_ascii_uppercase())?.binding.as_ref();
        binding.map(|binding| binding.address.clone())
    }
}
