//! The menus of the two services that accounts can belong to.

use crate::error::Error;
use crate::menu::hotspot::{self, active::HotspotActive, profile::HotspotProfile, user::HotspotUser};
use crate::menu::ppp::profile::Terms;
use crate::menu::ppp::secret::{Changes, New};
use crate::menu::ppp::{self, PppActive, PppProfile, PppSecret};
use crate::menu::{ItemId, Rows};
use crate::proto::{Command, Row};
use crate::reconcile::{ActualAccount, ActualGroup, ActualSession, Service};

impl Service {
    pub(super) fn groups_menu(self) -> &'static str {
        match self {
            Service::Ppp => ppp::profile::MENU,
            Service::Hotspot => hotspot::profile::MENU,
        }
    }

    pub(super) fn accounts_menu(self) -> &'static str {
        match self {
            Service::Ppp => ppp::secret::MENU,
            Service::Hotspot => hotspot::user::MENU,
        }
    }

    pub(super) fn sessions_menu(self) -> &'static str {
        match self {
            Service::Ppp => ppp::active::MENU,
            Service::Hotspot => hotspot::active::MENU,
        }
    }

    /// The property of a session that holds the user's name.
    pub(super) fn session_key(self) -> &'static str {
        match self {
            Service::Ppp => "name",
            Service::Hotspot => "user",
        }
    }

    pub(super) fn print_groups(self, rows: Rows<'_>) -> Command {
        match self {
            Service::Ppp => ppp::profile::print(rows),
            Service::Hotspot => hotspot::profile::print(rows),
        }
    }

    pub(super) fn print_accounts(self, rows: Rows<'_>, sensitive: bool) -> Command {
        match (self, sensitive) {
            (Service::Ppp, false) => ppp::secret::print(rows),
            (Service::Ppp, true) => ppp::secret::print_sensitive(rows),
            (Service::Hotspot, false) => hotspot::user::print(rows),
            (Service::Hotspot, true) => hotspot::user::print_sensitive(rows),
        }
    }

    pub(super) fn print_sessions(self, rows: Rows<'_>) -> Command {
        match (self, rows) {
            (Service::Ppp, rows) => ppp::active::print(rows),
            (Service::Hotspot, Rows::Named(names)) => hotspot::active::print_of(names),
            (Service::Hotspot, _) => hotspot::active::print_of::<&str>(&[]),
        }
    }

    pub(super) fn group(self, row: &Row) -> Result<ActualGroup, Error> {
        match self {
            Service::Ppp => PppProfile::from_row(row).map(ActualGroup::from),
            Service::Hotspot => HotspotProfile::from_row(row).map(ActualGroup::from),
        }
    }

    pub(super) fn account(self, row: &Row) -> Result<ActualAccount, Error> {
        match self {
            Service::Ppp => PppSecret::from_row(row).map(ActualAccount::from),
            Service::Hotspot => HotspotUser::from_row(row).map(ActualAccount::from),
        }
    }

    pub(super) fn session(self, row: &Row) -> Result<ActualSession, Error> {
        match self {
            Service::Ppp => PppActive::from_row(row).map(ActualSession::from),
            Service::Hotspot => HotspotActive::from_row(row).map(ActualSession::from),
        }
    }

    pub(super) fn add_group(self, name: &str, terms: &Terms) -> Command {
        match self {
            Service::Ppp => ppp::profile::add(name, terms),
            Service::Hotspot => {
                let rate = terms.rate_limit.as_deref().unwrap_or_default();
                hotspot::profile::add(name, rate, terms.address_list.as_deref())
            }
        }
    }

    pub(super) fn add_account(self, new: &New<'_>) -> Command {
        match self {
            Service::Ppp => ppp::secret::add(new),
            Service::Hotspot => hotspot::user::add(new.name, new.password, new.profile, new.comment),
        }
    }

    pub(super) fn set_account(self, id: &ItemId, changes: &Changes) -> Command {
        match self {
            Service::Ppp => ppp::secret::set(id, changes),
            Service::Hotspot => hotspot::user::set(id, changes),
        }
    }

    pub(super) fn remove_accounts(self, ids: &[ItemId]) -> Option<Command> {
        match self {
            Service::Ppp => ppp::secret::remove(ids),
            Service::Hotspot => hotspot::user::remove(ids),
        }
    }

    pub(super) fn remove_sessions(self, ids: &[ItemId]) -> Option<Command> {
        match self {
            Service::Ppp => ppp::active::remove(ids),
            Service::Hotspot => hotspot::active::remove(ids),
        }
    }
}
