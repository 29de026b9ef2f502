//! Whether customers get IPv6: nothing of it is written.

use crate::proto::{Command, Reply};

/// How many DHCPv6 servers are on.
pub fn count_servers() -> Command {
    Command::new("/ipv6/dhcp-server/print").flag("count-only").where_any("disabled", &["false"])
}

/// Asks for the pools that PPP profiles take IPv6 prefixes from.
pub fn print_prefixes() -> Command {
    Command::new("/ppp/profile/print").proplist(&[".id", "name", "remote-ipv6-prefix-pool", "dhcpv6-pd-pool"])
}

/// Whether a profile has one.
pub fn gives_prefixes(profiles: &Reply) -> bool {
    let set = |value: Option<&[u8]>| value.is_some_and(|value| !matches!(value, b"" | b"none" | b"*0"));
    profiles.rows().iter().any(|row| set(row.value("remote-ipv6-prefix-pool")) || set(row.value("dhcpv6-pd-pool")))
}
