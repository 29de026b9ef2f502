//! Which commands and arguments a real RouterOS has.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use serde::Deserialize;

const SCHEMA: &str = include_str!("schema.json");

/// The RouterOS versions whose schema is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Version {
    /// 7.9 (2023): no `!empty`, passwords in every print.
    V7_9,
    /// 7.21.5 (2026): `!empty`, passwords only with `=show-sensitive=`.
    V7_21_5,
}

impl Version {
    /// Every known version.
    pub const ALL: [Version; 2] = [Version::V7_9, Version::V7_21_5];

    /// As the router writes it.
    pub fn text(self) -> &'static str {
        match self {
            Version::V7_9 => "7.9",
            Version::V7_21_5 => "7.21.5",
        }
    }

    /// Whether an empty result is answered with `!empty` before `!done` (since 7.18).
    pub fn says_empty(self) -> bool {
        self == Version::V7_21_5
    }

    /// Whether the menu exists.
    pub fn has_menu(self, menu: &str) -> bool {
        self.menus().contains_key(menu)
    }

    /// Whether `menu` has `command`.
    pub fn has_command(self, menu: &str, command: &str) -> bool {
        self.arguments(menu, command).is_some()
    }

    /// Whether `argument` may be given, in the form the API uses: `.id` where the console says `numbers`.
    pub fn has_argument(self, menu: &str, command: &str, argument: &str) -> bool {
        let Some(arguments) = self.arguments(menu, command) else { return false };
        match argument {
            ".id" => arguments.contains("numbers") || arguments.contains("number"),
            ".proplist" => command == "print",
            _ => arguments.contains(argument),
        }
    }

    /// Whether the beginning of `path` is a menu, so that it is a directory if not a menu with commands.
    pub(super) fn has_directory(self, path: &str) -> bool {
        self.menus()
            .keys()
            .any(|menu| menu.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    }

    fn arguments(self, menu: &str, command: &str) -> Option<&'static HashSet<String>> {
        self.menus().get(menu)?.get(command)
    }

    fn menus(self) -> &'static Menus {
        static PARSED: OnceLock<HashMap<String, Menus>> = OnceLock::new();
        static EMPTY: OnceLock<Menus> = OnceLock::new();
        // The file is part of the crate; a test parses it, so that a broken one cannot be released.
        let versions = PARSED
            .get_or_init(|| serde_json::from_str::<SchemaFile>(SCHEMA).map(|file| file.versions).unwrap_or_default());
        versions.get(self.text()).unwrap_or_else(|| EMPTY.get_or_init(Menus::new))
    }
}

type Menus = HashMap<String, HashMap<String, HashSet<String>>>;

#[derive(Deserialize)]
struct SchemaFile {
    versions: HashMap<String, Menus>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_are_embedded_and_differ_where_they_should() {
        for version in Version::ALL {
            assert!(version.has_argument("/ppp/secret", "add", "remote-address"));
            assert!(version.has_argument("/ppp/secret", "set", ".id"));
            assert!(!version.has_argument("/ppp/secret", "add", ".id"));
            assert!(!version.has_argument("/system/identity", "print", "detail"));
            assert!(version.has_directory("/ip/firewall") && !version.has_directory("/ip/fire"));
        }
        assert!(!Version::V7_9.has_argument("/ppp/secret", "print", "show-sensitive"));
        assert!(Version::V7_21_5.has_argument("/ppp/secret", "print", "show-sensitive"));
    }
}
