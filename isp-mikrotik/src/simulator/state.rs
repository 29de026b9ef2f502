//! The router's memory.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::boxes::Boxes;
use super::customers::Customers;
use super::ear::Ear;
use super::fault::Fault;
use super::menus;
use super::query::Shown;
use super::schema::Version;
use super::setup::{Counters, Simulation};
use super::table::{Item, Table, Value};

/// Everything the router knows.
#[derive(Debug)]
pub(super) struct State {
    pub(super) version: Version,
    pub(super) hide_passwords: bool,
    pub(super) users: Vec<User>,
    pub(super) identity: Vec<u8>,
    /// Of a RouterBOARD.
    pub(super) serial: Option<String>,
    /// Of another.
    pub(super) system_id: String,
    pub(super) use_radius: bool,
    pub(super) customers: Customers,
    pub(super) boxes: Boxes,
    pub(super) faults: Vec<Fault>,
    pub(super) counters: Counters,
    pub(super) ears: Vec<Ear>,
    /// The menus that it lacks, with all below them.
    without: Vec<String>,
    booted: Instant,
    tables: BTreeMap<&'static str, Table>,
}

/// Somebody who may log in.
#[derive(Debug, Clone)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) password: String,
    pub(super) may_write: bool,
}

/// A `!trap` to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) category: Option<u8>,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn plain(message: &str) -> Refusal {
        Refusal { category: None, message: message.to_owned() }
    }

    /// About the value of an argument.
    pub(super) fn argument(message: &str) -> Refusal {
        Refusal { category: Some(1), message: message.to_owned() }
    }

    /// About a missing item or command.
    pub(super) fn missing(message: &str) -> Refusal {
        Refusal { category: Some(0), message: message.to_owned() }
    }
}

impl State {
    pub(super) fn new(simulation: &Simulation, port: u16) -> State {
        let mut tables: BTreeMap<_, _> = menus::TABLES.iter().map(|menu| (*menu, Table::starting_at(1))).collect();
        tables.insert("/ppp/active", Table::starting_at(0x8000_0001));
        tables.extend(menus::ORDERED.iter().map(|menu| (*menu, Table::ordered())));
        for menu in ["/ppp/profile", "/ip/hotspot/user/profile"] {
            let mut item = menus::defaults(menu);
            item.set("name", "default");
            item.set("default", "true");
            if let Some(table) = tables.get_mut(menu) {
                table.insert_at(0, item);
            }
        }
        let mut encrypted = menus::defaults("/ppp/profile");
        encrypted.set("name", "default-encryption");
        encrypted.set("use-encryption", "yes");
        encrypted.set("default", "true");
        if let Some(table) = tables.get_mut("/ppp/profile") {
            table.insert_at(0xFFFF_FFFE, encrypted);
        }
        let user = |name: &str, password: &str, may_write| User {
            name: name.to_owned(),
            password: password.to_owned(),
            may_write,
        };
        State {
            version: simulation.version,
            hide_passwords: simulation.hide_passwords.unwrap_or(simulation.version == Version::V7_21_5),
            users: vec![
                user(&simulation.user, &simulation.password, true),
                user("readonly", &simulation.password, false),
            ],
            use_radius: false,
            serial: simulation.serial.clone(),
            system_id: format!("sim{port:05}"),
            identity: simulation.identity.clone().into_bytes(),
            customers: Customers::new(simulation),
            boxes: Boxes::new(simulation),
            faults: Vec::new(),
            counters: Counters::default(),
            ears: Vec::new(),
            without: simulation.without.clone(),
            booted: Instant::now(),
            tables,
        }
    }

    /// Whether it was set up without this menu, or without one above it.
    pub(super) fn lacks(&self, menu: &str) -> bool {
        let within = |top: &String| menu.strip_prefix(top.as_str()).is_some_and(|r| r.is_empty() || r.starts_with('/'));
        self.without.iter().any(within)
    }

    pub(super) fn table(&self, menu: &str) -> Option<&Table> {
        self.tables.get(menu)
    }

    pub(super) fn table_mut(&mut self, menu: &str) -> Option<&mut Table> {
        self.tables.get_mut(menu)
    }

    pub(super) fn rebooted(&mut self) {
        self.booted = Instant::now();
    }

    pub(super) fn uptime(&self) -> Duration {
        self.booted.elapsed()
    }

    pub(super) fn view<'a>(&'a self, menu: &str, id: u32, item: &'a Item) -> View<'a> {
        let session_start = (menu == "/ppp/active").then(|| self.customers.since(id)).flatten();
        let hide_password = self.hide_passwords && ["/ppp/secret", "/ip/hotspot/user"].contains(&menu);
        View { state: self, id, item, session_start, hide_password }
    }

    /// The name that a reference shows: that of the object, or its id if the object is gone.
    pub(super) fn shown<'a>(&'a self, value: &'a Value) -> Cow<'a, [u8]> {
        match value {
            Value::Bytes(bytes) => Cow::Borrowed(bytes),
            Value::Reference(menu, id) => {
                match self.table(menu).and_then(|table| table.item(*id)).and_then(|item| item.bytes("name")) {
                    Some(name) => Cow::Borrowed(name),
                    None => Cow::Owned(id_text(*id).into_bytes()),
                }
            }
        }
    }
}

/// `*1A`.
pub(super) fn id_text(id: u32) -> String {
    format!("*{id:X}")
}

/// `1h2m3s`, as RouterOS writes a time interval.
pub(super) fn interval(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let mut text = String::new();
    for (size, unit) in [(604_800, 'w'), (86_400, 'd'), (3_600, 'h'), (60, 'm')] {
        if seconds >= size {
            let count = match unit {
                'w' => seconds / size,
                'd' => seconds % 604_800 / size,
                'h' => seconds % 86_400 / size,
                _ => seconds % 3_600 / size,
            };
            text.push_str(&format!("{count}{unit}"));
        }
    }
    text.push_str(&format!("{}s", seconds % 60));
    text
}

/// One object as a print shows it.
pub(super) struct View<'a> {
    state: &'a State,
    id: u32,
    item: &'a Item,
    session_start: Option<Instant>,
    pub(super) hide_password: bool,
}

impl View<'_> {
    /// The names of what it shows, `.id` first.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let own =
            self.item.values.keys().map(String::as_str).filter(|name| !(self.hide_password && *name == "password"));
        std::iter::once(".id").chain(own).chain(self.session_start.map(|_| "uptime"))
    }
}

impl Shown for View<'_> {
    fn value(&self, name: &[u8]) -> Option<Cow<'_, [u8]>> {
        match name {
            b".id" => Some(Cow::Owned(id_text(self.id).into_bytes())),
            b"uptime" if self.session_start.is_some() => {
                self.session_start.map(|start| Cow::Owned(interval(start.elapsed()).into_bytes()))
            }
            b"password" if self.hide_password => None,
            _ => {
                let name = std::str::from_utf8(name).ok()?;
                self.item.values.get(name).map(|value| self.state.shown(value))
            }
        }
    }
}
