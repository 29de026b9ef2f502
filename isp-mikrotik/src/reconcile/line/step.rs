//! What must be done for one line, as a value.

use isp_core::subscription::Service;
use serde::Serialize;

use super::super::plan::{Conflict, Entries, FieldChange};
use crate::menu::ItemId;

/// What happens to a line that nobody logs in for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LineStep {
    /// Its address or MAC address.
    pub name: String,
    /// Static or DHCP.
    pub service: Service,
    /// What happens to its queue or lease.
    pub action: LineAction,
    /// More queues or leases of ours for the same line, or of who had its address before, which go.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub spare: Vec<(Carrier, ItemId)>,
    /// What happens to its entries in the isolation list.
    #[serde(skip_serializing_if = "Entries::is_empty")]
    pub entries: Entries,
    /// The addresses whose established connections are ended, once everything else is as it should be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cut: Vec<String>,
    /// Whether it isolates somebody who is not isolated now (rule I6 counts these).
    pub isolates: bool,
}

/// What carries the mark and the speed of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Carrier {
    /// A simple queue.
    Queue,
    /// A DHCP lease.
    Lease,
}

/// What happens to the queue or lease of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum LineAction {
    /// Nothing: it is as it should be.
    Keep {
        /// Its address in the menu.
        id: ItemId,
    },
    /// Nothing: none is there, and none is needed.
    Absent,
    /// It is made.
    Create(Written),
    /// It is changed.
    Change {
        /// Its address in the menu.
        id: ItemId,
        /// Whether the server gave the lease by itself, and it is kept from now on.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        make_static: bool,
        /// What is written.
        #[serde(flatten)]
        written: Written,
        /// What differs, for people.
        fields: Vec<FieldChange>,
    },
    /// It is removed: its line has left it.
    Remove {
        /// Their addresses in the menu.
        ids: Vec<ItemId>,
    },
    /// It cannot be touched.
    Conflict(Conflict),
}

/// What is written to a queue or lease; what is `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Written {
    /// The name of a queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The MAC address of a lease.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    /// The address of a lease, the target of a queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The speed.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_shown")]
    pub rate: Option<crate::menu::rate::RateLimit>,
    /// The lists that the address of a lease joins.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "super::super::plan::as_text")]
    pub lists: Option<Vec<u8>>,
    /// Whether a lease refuses its box.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocked: Option<bool>,
    /// Whether it does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// The comment, bytes as they will be stored.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "super::super::plan::as_text")]
    pub comment: Option<Vec<u8>>,
}

impl LineStep {
    /// The conflict, if it is one.
    pub fn conflict(&self) -> Option<&Conflict> {
        match &self.action {
            LineAction::Conflict(conflict) => Some(conflict),
            _ => None,
        }
    }

    /// What carries its mark.
    pub fn carrier(&self) -> Carrier {
        if self.service == Service::Dhcp { Carrier::Lease } else { Carrier::Queue }
    }

    /// Whether anything of it is written, ending connections aside.
    pub fn writes(&self) -> bool {
        let acts = !matches!(self.action, LineAction::Keep { .. } | LineAction::Absent | LineAction::Conflict(_));
        acts || !self.entries.is_empty() || !self.spare.is_empty()
    }

    pub(super) fn conflicting(name: &str, service: Service, code: &'static str, reason: String) -> LineStep {
        let action = LineAction::Conflict(Conflict { code, reason });
        LineStep {
            name: name.to_owned(),
            service,
            action,
            spare: Vec::new(),
            entries: Entries::default(),
            cut: Vec::new(),
            isolates: false,
        }
    }
}

fn as_shown<S: serde::Serializer>(
    rate: &Option<crate::menu::rate::RateLimit>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    rate.map(|rate| rate.to_string()).serialize(serializer)
}
