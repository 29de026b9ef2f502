//! What must be done, as a value.

use serde::Serialize;

use super::finding::Finding;
use super::line::{LineAction, LineStep};
use super::redirect::RedirectStep;
use crate::menu::ItemId;
use crate::menu::ppp::profile::Terms;
use crate::text::shown;

/// Everything that stands between a router and its desired state. It holds no password.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct Plan {
    /// The profiles, in the order in which they are needed.
    pub groups: Vec<GroupStep>,
    /// One step for each desired account, in the same order.
    pub accounts: Vec<AccountStep>,
    /// One step for each line that nobody logs in for, in the order of the targets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<LineStep>,
    /// What differs in the way of isolated lines to the page for paying, in the order in which it is mended; see
    /// [`redirect`](super::redirect).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub redirect: Vec<RedirectStep>,
    /// What was found that nobody asked for, or that somebody changed round us; nothing is done for its own sake.
    pub drift: Vec<Drift>,
}

/// Something on the router that is not as we left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Drift {
    /// What it is about.
    pub object: Object,
    /// Its name; empty for the router itself.
    pub name: String,
    /// A stable code, such as `router.stray_account`; see [`Finding`](super::Finding).
    pub code: &'static str,
    /// For people.
    pub what: String,
}

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Object {
    /// An account.
    Account,
    /// A profile.
    Profile,
    /// The router itself.
    Router,
}

impl Object {
    /// As a word.
    pub fn word(self) -> &'static str {
        match self {
            Object::Account => "account",
            Object::Profile => "profile",
            Object::Router => "router",
        }
    }
}

/// What happens to a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct GroupStep {
    /// Which profile.
    pub name: String,
    /// What happens.
    pub action: GroupAction,
    /// Whether sessions that run under older terms of it are ended, each once and not all together.
    pub kick: bool,
}

/// What happens to a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum GroupAction {
    /// Nothing: it is as it should be.
    Keep,
    /// It is made.
    Create {
        /// With these terms.
        terms: Terms,
    },
    /// It is changed.
    Change {
        /// Its address.
        id: ItemId,
        /// What is written.
        terms: Terms,
        /// The comment that is written with it, which notes that sessions must be ended.
        #[serde(serialize_with = "text")]
        comment: Vec<u8>,
        /// What differs, for people.
        fields: Vec<FieldChange>,
    },
    /// It cannot be used.
    Conflict(Conflict),
}

/// What happens to an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AccountStep {
    /// Its PPP user name.
    pub name: String,
    /// What happens.
    pub action: Action,
    /// Sessions that run under terms that do not hold any more.
    pub kick: Vec<ItemId>,
    /// What happens to its entries in the isolation list.
    #[serde(skip_serializing_if = "Entries::is_empty")]
    pub entries: Entries,
    /// Whether the account isolates somebody who is served now (rule I6 counts these). One that is made isolates nobody:
    /// without an account nobody is served, so that bringing back a router that lost everything is no mass isolation.
    pub isolates: bool,
}

/// What happens to an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Action {
    /// Nothing: it is as it should be.
    Keep {
        /// Its address.
        id: ItemId,
    },
    /// Nothing: it should be closed, and is not there.
    Absent,
    /// It is made.
    Create {
        /// With this profile.
        profile: String,
        /// Whether logins are refused from the beginning.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        disabled: bool,
        /// And this comment.
        comment: String,
    },
    /// It is changed.
    Change {
        /// Its address.
        id: ItemId,
        /// Another profile.
        #[serde(skip_serializing_if = "Option::is_none")]
        profile: Option<String>,
        /// Whether logins are refused.
        #[serde(skip_serializing_if = "Option::is_none")]
        disabled: Option<bool>,
        /// Whether the password is set again.
        password: bool,
        /// What happens to the fixed address.
        remote_address: RemoteAddress,
        /// Another comment, bytes as they will be stored.
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_text")]
        comment: Option<Vec<u8>>,
        /// What differs, for people.
        fields: Vec<FieldChange>,
    },
    /// It is removed: its line is closed, nothing runs on it, and the settings say so.
    Remove {
        /// Its address.
        id: ItemId,
    },
    /// It cannot be touched.
    Conflict(Conflict),
}

/// What happens to the entries of an account in the isolation list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct Entries {
    /// An address that is added.
    pub add: Option<String>,
    /// Entries of ours that go.
    pub remove: Vec<ItemId>,
}

impl Entries {
    /// Whether nothing happens to them.
    pub fn is_empty(&self) -> bool {
        *self == Entries::default()
    }
}

/// What happens to a fixed address, which would win over the pool of an isolation profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RemoteAddress {
    /// It stays as it is.
    Keep,
    /// It is taken away, and remembered in the mark.
    PutAside,
    /// It is put back from the mark.
    Restore(String),
}

/// Why something cannot be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// A stable code, such as `router.account_not_ours`.
    pub code: &'static str,
    /// For people.
    pub reason: String,
}

/// One difference, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// RouterOS's name of the property.
    pub field: &'static str,
    /// What is there.
    pub old: String,
    /// What will be there.
    pub new: String,
}

impl FieldChange {
    pub(super) fn of(field: &'static str, old: &[u8], new: &[u8]) -> FieldChange {
        FieldChange { field, old: shown(old), new: shown(new) }
    }
}

/// How much a plan does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// Profiles made.
    pub groups_created: usize,
    /// Profiles changed.
    pub groups_changed: usize,
    /// Accounts made.
    pub created: usize,
    /// Accounts changed.
    pub changed: usize,
    /// Of these, accounts that become isolated.
    pub isolated: usize,
    /// Accounts removed.
    pub removed: usize,
    /// Sessions ended; those of a changed profile are found when it is done and not counted here.
    pub kicked: usize,
    /// Profiles and accounts that cannot be touched.
    pub conflicts: usize,
    /// Rules, entries and pools that are made, changed, moved or removed; see [`Plan::redirect`].
    pub redirect: usize,
    /// Findings; see [`Plan::drift`].
    pub drift: usize,
}

impl Plan {
    /// Whether there is nothing to do and nothing in the way.
    pub fn is_empty(&self) -> bool {
        let owed = self.groups.iter().any(|group| group.kick);
        !owed && Summary { drift: 0, ..self.summary() } == Summary::default()
    }

    /// Whether it isolates more lines than this at once (rule I6): a mistake of somebody's, more likely than not, so
    /// a person has to approve it.
    pub fn is_over(&self, limit: usize) -> bool {
        self.summary().isolated > limit
    }

    /// The accounts that taking them over would open, although somebody shut them out by hand.
    pub fn shut_out_by_hand(&self) -> impl Iterator<Item = &Drift> {
        self.drift.iter().filter(|drift| drift.code == Finding::ShutOutByHand.code())
    }

    /// How much it does.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary { drift: self.drift.len(), redirect: self.redirect.len(), ..Summary::default() };
        for group in &self.groups {
            match group.action {
                GroupAction::Keep => {}
                GroupAction::Create { .. } => summary.groups_created += 1,
                GroupAction::Change { .. } => summary.groups_changed += 1,
                GroupAction::Conflict(_) => summary.conflicts += 1,
            }
        }
        for account in &self.accounts {
            summary.kicked += account.kick.len();
            summary.isolated += usize::from(account.isolates);
            match account.action {
                Action::Keep { .. } if !account.entries.is_empty() => summary.changed += 1,
                Action::Keep { .. } | Action::Absent => {}
                Action::Create { .. } => summary.created += 1,
                Action::Change { .. } => summary.changed += 1,
                Action::Remove { .. } => summary.removed += 1,
                Action::Conflict(_) => summary.conflicts += 1,
            }
        }
        for line in &self.lines {
            summary.kicked += line.cut.len();
            summary.isolated += usize::from(line.isolates);
            match line.action {
                LineAction::Keep { .. } | LineAction::Absent => {
                    summary.changed += usize::from(!line.entries.is_empty() || !line.spare.is_empty());
                }
                LineAction::Create(_) => summary.created += 1,
                LineAction::Change { .. } => summary.changed += 1,
                LineAction::Remove { .. } => summary.removed += 1,
                LineAction::Conflict(_) => summary.conflicts += 1,
            }
        }
        summary
    }
}

impl AccountStep {
    /// The conflict, if it is one.
    pub fn conflict(&self) -> Option<&Conflict> {
        match &self.action {
            Action::Conflict(conflict) => Some(conflict),
            _ => None,
        }
    }

    /// Whether its terms are still to be written; its session must not be ended before.
    pub(crate) fn writes_terms(&self) -> bool {
        match &self.action {
            Action::Create { .. } => true,
            Action::Change { profile, disabled, remote_address, .. } => {
                profile.is_some() || disabled.is_some() || *remote_address != RemoteAddress::Keep
            }
            _ => false,
        }
    }

    /// Whether the account or its entries are written.
    pub fn writes(&self) -> bool {
        matches!(self.action, Action::Create { .. } | Action::Change { .. }) || !self.entries.is_empty()
    }
}

fn text<S: serde::Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&crate::text::CodePage::Escape.decode(bytes))
}

pub(super) fn as_text<S: serde::Serializer>(bytes: &Option<Vec<u8>>, serializer: S) -> Result<S::Ok, S::Error> {
    let text = bytes.as_ref().map(|bytes| crate::text::CodePage::Escape.decode(bytes));
    text.as_deref().serialize(serializer)
}
