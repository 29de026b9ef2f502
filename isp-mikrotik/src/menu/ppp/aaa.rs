//! /ppp/aaa: who is asked about accounts.

use super::super::truth;
use crate::proto::{Command, Reply};

/// The menu.
pub const MENU: &str = "/ppp/aaa";

/// Asks whether a RADIUS server is asked, too.
pub fn print() -> Command {
    Command::new("/ppp/aaa/print").proplist(&["use-radius"])
}

/// Whether a RADIUS server is asked about accounts that the router does not have.
pub fn uses_radius(reply: &Reply) -> bool {
    reply.rows().first().is_some_and(|row| truth(row.value("use-radius")))
}
