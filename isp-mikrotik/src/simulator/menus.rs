//! The menus with rows, and what a new object in them has.

use super::table::{Item, Value};

/// The menus with rows.
pub(super) const TABLES: [&str; 14] = [
    "/ppp/secret",
    "/ppp/profile",
    "/ppp/active",
    "/ip/pool",
    "/ip/firewall/address-list",
    "/queue/simple",
    "/ip/hotspot/user",
    "/ip/hotspot/user/profile",
    "/ip/hotspot/active",
    "/ip/hotspot/cookie",
    "/ip/dhcp-server/lease",
    "/ip/firewall/connection",
    "/ipv6/dhcp-server",
    "/ipv6/firewall/address-list",
];

/// The menus whose rows stand in an order that people choose.
pub(super) const ORDERED: [&str; 4] =
    ["/ip/firewall/filter", "/ip/firewall/nat", "/ipv6/firewall/filter", "/ipv6/firewall/nat"];

/// What a new object has when nothing is said.
pub(super) fn defaults(menu: &str) -> Item {
    let mut item = Item::default();
    let texts: &[(&str, &str)] = match menu {
        "/ppp/secret" => &[
            ("service", "any"),
            ("caller-id", ""),
            ("password", ""),
            ("routes", ""),
            ("ipv6-routes", ""),
            ("limit-bytes-in", "0"),
            ("limit-bytes-out", "0"),
            ("last-logged-out", "1970-01-01 00:00:00"),
            ("last-caller-id", ""),
            ("disabled", "false"),
        ],
        "/ppp/profile" => &[
            ("use-compression", "default"),
            ("use-encryption", "default"),
            ("only-one", "default"),
            ("change-tcp-mss", "default"),
            ("default", "false"),
        ],
        "/ip/firewall/address-list" | "/ipv6/firewall/address-list" => &[("disabled", "false"), ("dynamic", "false")],
        menu if ORDERED.contains(&menu) => &[
            ("action", "accept"),
            ("disabled", "false"),
            ("dynamic", "false"),
            ("invalid", "false"),
            ("log", "false"),
            ("log-prefix", ""),
            ("bytes", "0"),
            ("packets", "0"),
        ],
        "/queue/simple" => &[
            ("disabled", "false"),
            ("dynamic", "false"),
            ("max-limit", "0/0"),
            ("burst-limit", "0/0"),
            ("burst-threshold", "0/0"),
            ("burst-time", "0s/0s"),
            ("parent", "none"),
        ],
        "/ip/dhcp-server/lease" => &[
            ("disabled", "false"),
            ("dynamic", "false"),
            ("blocked", "false"),
            ("block-access", "no"),
            ("address-lists", ""),
            ("server", "all"),
            ("status", "waiting"),
            ("last-seen", "never"),
        ],
        "/ip/hotspot/user" => &[("disabled", "false"), ("password", ""), ("dynamic", "false"), ("default", "false")],
        "/ip/hotspot/user/profile" => &[("default", "false"), ("shared-users", "1"), ("add-mac-cookie", "true")],
        _ => &[],
    };
    for (name, value) in texts {
        item.set(name, *value);
    }
    match menu {
        "/ppp/secret" => item.values.insert("profile".to_owned(), Value::Reference("/ppp/profile", 0)),
        "/ip/hotspot/user" => item.values.insert("profile".to_owned(), Value::Reference("/ip/hotspot/user/profile", 0)),
        _ => None,
    };
    item
}
