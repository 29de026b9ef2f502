//! /system/resource, /system/identity, /system/routerboard and /system/license.

use crate::proto::{Command, Reply};

/// Asks for version, board and load.
pub fn resource() -> Command {
    Command::new("/system/resource/print")
}

/// Asks for the router's name.
pub fn identity() -> Command {
    Command::new("/system/identity/print")
}

/// Asks for the serial number, which a router that is no RouterBOARD does not have.
pub fn routerboard() -> Command {
    Command::new("/system/routerboard/print")
}

/// Asks for the id of the licence, which a virtual router has in place of a serial number.
pub fn license() -> Command {
    Command::new("/system/license/print")
}

/// What nobody changes of a router, by what [`routerboard`] and [`license`] are answered with: its serial number, else the
/// id that its licence is for.
pub fn serial(routerboard: &Reply, license: &Reply) -> Option<String> {
    let text = |reply: &Reply, name| {
        let value = reply.rows().first()?.utf8(name)?.trim().to_owned();
        (!value.is_empty()).then_some(value)
    };
    text(routerboard, "serial-number").or_else(|| text(license, "system-id")).or_else(|| text(license, "software-id"))
}

/// What [`resource`] is answered with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Resource {
    /// E.g. `7.21.5 (stable)`.
    pub version: String,
    /// E.g. `CHR` or `hEX`.
    pub board: String,
    /// Time since the last start, as RouterOS writes it: `1w2d3h4m5s`.
    pub uptime: String,
    /// Load in percent.
    pub cpu_load: Option<u8>,
}

impl Resource {
    /// Reads the only row; what is missing stays empty.
    pub fn from_reply(reply: &Reply) -> Resource {
        let Some(row) = reply.rows().first() else { return Resource::default() };
        let text = |name| row.utf8(name).unwrap_or_default().to_owned();
        Resource {
            version: text("version"),
            board: text("board-name"),
            uptime: text("uptime"),
            cpu_load: row.utf8("cpu-load").and_then(|load| load.parse().ok()),
        }
    }

    /// Major and minor version, e.g. `(7, 21)`.
    pub fn release(&self) -> Option<(u32, u32)> {
        let mut parts = self.version.split([' ', '.']);
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    }
}

/// The name that [`identity`] is answered with.
pub fn identity_name(reply: &Reply) -> Vec<u8> {
    reply.rows().first().and_then(|row| row.value("name")).unwrap_or_default().to_vec()
}
