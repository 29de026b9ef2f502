//! What is to be done, one command after the other.

use serde::Serialize;

use super::desired::{Family, Role};
use crate::menu::firewall::{self, LISTS, LISTS6};
use crate::menu::ppp::profile;
use crate::menu::{ItemId, pool};
use crate::proto::Command;
use crate::reconcile::FieldChange;

/// One thing that differs, and how it is mended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RedirectStep {
    /// In which menu.
    pub menu: &'static str,
    /// Which of our rules, entries or pools.
    pub name: String,
    /// Of which family.
    #[serde(skip)]
    pub family: Family,
    /// What it is for.
    #[serde(skip)]
    pub role: Role,
    /// What happens.
    #[serde(flatten)]
    pub action: RedirectAction,
}

/// What happens to a rule, an entry or a pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum RedirectAction {
    /// It is not there, and is made.
    Add {
        /// What it says.
        #[serde(serialize_with = "pairs")]
        fields: Vec<(&'static str, String)>,
        /// The comment, our mark.
        comment: String,
        /// Before which rule; none is the end.
        #[serde(skip_serializing_if = "Option::is_none")]
        before: Option<ItemId>,
    },
    /// It says something else, or is switched off, and is put right.
    Change {
        /// Its address.
        id: ItemId,
        /// What differs, for people.
        fields: Vec<FieldChange>,
        /// What is written.
        #[serde(skip)]
        set: Vec<(&'static str, String)>,
        /// What is taken away.
        #[serde(skip)]
        unset: Vec<&'static str>,
    },
    /// It stands in the wrong place, and is moved.
    Move {
        /// Its address.
        id: ItemId,
        /// Before which rule; none is the end.
        #[serde(skip_serializing_if = "Option::is_none")]
        before: Option<ItemId>,
        /// What is wrong with its place.
        why: Why,
    },
    /// It carries our mark, and is removed.
    Remove {
        /// Its address.
        id: ItemId,
        /// What is wrong with it.
        why: Why,
    },
}

/// Why a rule is moved or removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// It is not in the order of our rules.
    WrongOrder,
    /// Below a rule that fasttracks, it would not see most packets.
    BelowFasttrack,
    /// Below a rule that masquerades, it would come too late.
    BelowMasquerade,
    /// It is there twice.
    Twice,
    /// It is not wanted any more.
    Unwanted,
}

impl Why {
    /// A stable code.
    pub fn code(self) -> &'static str {
        match self {
            Why::WrongOrder => "wrong_order",
            Why::BelowFasttrack => "below_fasttrack",
            Why::BelowMasquerade => "below_masquerade",
            Why::Twice => "twice",
            Why::Unwanted => "unwanted",
        }
    }
}

impl RedirectStep {
    /// The commands that do it, in their order.
    pub(crate) fn commands(&self) -> Vec<Command> {
        let menu = self.menu;
        match &self.action {
            RedirectAction::Add { fields, comment, before } => {
                let value = |wanted: &str| {
                    fields.iter().find(|(name, _)| *name == wanted).map_or("", |(_, value)| value.as_str())
                };
                vec![match menu {
                    pool::MENU => pool::add_marked(value("name"), value("ranges"), comment),
                    LISTS | LISTS6 => firewall::add_entry(menu, value("list"), value("address"), comment),
                    _ => firewall::add(menu, fields, comment, before.as_ref()),
                }]
            }
            RedirectAction::Change { id, set, unset, .. } => match menu {
                pool::MENU => set.iter().map(|(_, ranges)| pool::set_ranges(id, ranges)).collect(),
                profile::MENU => set.iter().map(|(_, servers)| profile::set_dns(id, servers)).collect(),
                LISTS | LISTS6 => vec![firewall::enable(menu, id)],
                _ => {
                    // First what it says, its source among it, and then what would narrow it: in between it must not be
                    // about more than isolated lines.
                    let changes = (!set.is_empty()).then(|| firewall::set(menu, id, set));
                    changes.into_iter().chain(unset.iter().map(|name| firewall::unset(menu, id, name))).collect()
                }
            },
            RedirectAction::Move { id, before, .. } => vec![firewall::move_before(menu, id, before.as_ref())],
            RedirectAction::Remove { id, .. } => vec![firewall::remove(menu, id)],
        }
    }

    /// What a router that knows no comments of pools is told instead.
    pub(crate) fn without_comment(&self) -> Option<Command> {
        let RedirectAction::Add { fields, .. } = &self.action else { return None };
        match (self.menu, &fields[..]) {
            (pool::MENU, [(_, name), (_, ranges)]) => Some(pool::add(name, ranges)),
            _ => None,
        }
    }
}

fn pairs<S: serde::Serializer>(fields: &[(&'static str, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(fields.iter().map(|(name, value)| (*name, value)))
}
