//! Commands: what they check, what they change, what they answer.

use std::borrow::Cow;

use super::query::{self, Shown};
use super::state::{Refusal, State, View, id_text, interval};
use super::table::{Item, Value};
use super::{dhcp, firewall, menus, rules};
use crate::proto::word::{Words, put_word};

/// A command as it came in.
#[derive(Debug, Default)]
pub(super) struct Request {
    pub(super) path: String,
    pub(super) args: Vec<(String, Vec<u8>)>,
    pub(super) queries: Vec<Vec<u8>>,
    pub(super) tag: Option<Vec<u8>>,
}

impl Request {
    pub(super) fn parse<'a>(words: impl Iterator<Item = &'a [u8]>) -> Request {
        let mut request = Request::default();
        for (index, word) in words.enumerate() {
            if index == 0 {
                request.path = String::from_utf8_lossy(word).into_owned();
            } else if let Some(query) = word.strip_prefix(b"?") {
                request.queries.push(query.to_vec());
            } else if let Some(tag) = word.strip_prefix(b".tag=") {
                request.tag = (!tag.is_empty()).then(|| tag.to_vec());
            } else if let Some(pair) = word.strip_prefix(b"=") {
                let at = pair.iter().position(|&byte| byte == b'=').unwrap_or(pair.len());
                let name = String::from_utf8_lossy(&pair[..at]).into_owned();
                request.args.push((name, pair.get(at + 1..).unwrap_or_default().to_vec()));
            }
        }
        request
    }

    pub(super) fn arg(&self, name: &str) -> Option<&[u8]> {
        self.args.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_slice())
    }

    /// The properties that are asked for; `None` is all of them.
    pub(super) fn wanted(&self) -> Option<Vec<String>> {
        let list = self.arg(".proplist").or_else(|| self.arg("proplist"))?;
        Some(String::from_utf8_lossy(list).split(',').map(str::to_owned).collect())
    }

    fn has(&self, name: &str) -> bool {
        self.arg(name).is_some()
    }
}

/// What a command answers, its rows in wire form without tag.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) rows: Vec<Vec<u8>>,
    pub(super) traps: Vec<Refusal>,
    pub(super) ret: Option<Vec<u8>>,
    pub(super) empty: bool,
}

/// Runs a command of a logged-in user.
pub(super) fn execute(state: &mut State, may_write: bool, request: &Request) -> Answer {
    let result = run(state, may_write, request);
    match result {
        Ok(answer) => answer,
        Err(traps) => Answer { traps, ..Answer::default() },
    }
}

fn run(state: &mut State, may_write: bool, request: &Request) -> Result<Answer, Vec<Refusal>> {
    let (menu, command) = request.path.rsplit_once('/').unwrap_or(("", &request.path));
    find_command(state, menu, command)?;
    known_arguments(state, menu, command, request).map_err(|refusal| vec![refusal])?;
    match command {
        "print" => return Ok(print(state, menu, request)),
        "get" => return get(state, menu, request).map_err(|refusal| vec![refusal]),
        _ => {}
    }
    if !may_write {
        return Err(vec![Refusal::plain("not enough permissions (9)")]);
    }
    let answer = write(state, menu, command, request).map_err(|refusal| vec![refusal])?;
    state.counters.writes += 1;
    Ok(answer)
}

/// Refuses what the schema does not have.
pub(super) fn known_arguments(state: &State, menu: &str, command: &str, request: &Request) -> Result<(), Refusal> {
    let unknown = request.args.iter().find(|(name, _)| !state.version.has_argument(menu, command, name));
    unknown.map_or(Ok(()), |(name, _)| Err(Refusal::plain(&format!("unknown parameter {name}"))))
}

pub(super) fn find_command(state: &State, menu: &str, command: &str) -> Result<(), Vec<Refusal>> {
    let version = state.version;
    let here = !state.lacks(menu);
    if here && version.has_command(menu, command) {
        return Ok(());
    }
    if here && version.has_menu(menu) {
        return Err(vec![Refusal::plain("no such command")]);
    }
    let (parent, last) = menu.rsplit_once('/').unwrap_or(("", menu));
    if here && version.has_command(parent, last) {
        return Err(vec![Refusal::plain("no such command prefix")]);
    }
    let mut known = 0;
    for (at, _) in menu.match_indices('/').skip(1).chain([(menu.len(), "")]) {
        if !version.has_directory(&menu[..at]) || state.lacks(&menu[..at]) {
            break;
        }
        known = at;
    }
    let unknown = menu[known..].trim_start_matches('/').split('/').next().unwrap_or_default();
    Err(vec![
        Refusal::missing(&format!("no such command or directory ({unknown})")),
        Refusal::plain("no such command prefix"),
    ])
}

fn print(state: &State, menu: &str, request: &Request) -> Answer {
    let wanted = request.wanted();
    let Some(table) = state.table(menu) else { return print_singleton(state, menu, wanted.as_deref()) };
    if request.has("count-only") && request.queries.is_empty() {
        return Answer { ret: Some(table.len().to_string().into_bytes()), ..Answer::default() };
    }
    let mut rows = Vec::new();
    let mut count = 0_usize;
    for (id, item) in table.iter() {
        let mut view = state.view(menu, id, item);
        view.hide_password &= !request.has("show-sensitive");
        if !query::matches(&request.queries, &view) {
            continue;
        }
        count += 1;
        if request.has("count-only") {
            continue;
        }
        rows.push(row_of(&view, wanted.as_deref()));
    }
    if request.has("count-only") {
        return Answer { ret: Some(count.to_string().into_bytes()), ..Answer::default() };
    }
    Answer { empty: rows.is_empty(), rows, ..Answer::default() }
}

/// One property of one object.
fn get(state: &State, menu: &str, request: &Request) -> Result<Answer, Refusal> {
    let name = request.arg("value-name").ok_or_else(|| Refusal::plain("missing value(s) of argument(s) value-name"))?;
    let Some(table) = state.table(menu) else {
        let row = print_singleton(state, menu, Some(&[String::from_utf8_lossy(name).into_owned()])).rows.concat();
        let value = Words::new(&row).next().and_then(|word| word.get(name.len() + 2..)).map(<[u8]>::to_vec);
        return Ok(Answer { ret: Some(value.unwrap_or_default()), ..Answer::default() });
    };
    let id = targets(state, menu, request)?.first().copied().unwrap_or_default();
    let item = table.item(id).ok_or_else(|| Refusal::missing("no such item"))?;
    let value = state.view(menu, id, item).value(name).map(Cow::into_owned);
    Ok(Answer { ret: Some(value.unwrap_or_default()), ..Answer::default() })
}

/// An object in wire form.
pub(super) fn row_of(view: &View<'_>, wanted: Option<&[String]>) -> Vec<u8> {
    let mut row = Vec::with_capacity(96);
    match wanted {
        Some(names) => names.iter().for_each(|name| show(&mut row, name, view.value(name.as_bytes()))),
        None => view.names().for_each(|name| show(&mut row, name, view.value(name.as_bytes()))),
    }
    row
}

fn print_singleton(state: &State, menu: &str, wanted: Option<&[String]>) -> Answer {
    let mut row = Vec::new();
    let mut put = |name: &str, value: &[u8]| {
        if wanted.is_none_or(|names| names.iter().any(|wanted| wanted == name)) {
            show(&mut row, name, Some(Cow::Borrowed(value)));
        }
    };
    match menu {
        "/system/identity" => put("name", &state.identity),
        "/ppp/aaa" => put("use-radius", if state.use_radius { b"true" } else { b"false" }),
        "/system/routerboard" => match &state.serial {
            Some(serial) => {
                put("routerboard", b"true");
                put("model", b"RB5009UG+S+");
                put("serial-number", serial.as_bytes());
            }
            None => put("routerboard", b"false"),
        },
        "/system/license" => match &state.serial {
            Some(serial) => put("software-id", format!("{serial}-SW").as_bytes()),
            None => put("system-id", state.system_id.as_bytes()),
        },
        _ => {
            put("uptime", interval(state.uptime()).as_bytes());
            put("version", format!("{} (stable)", state.version.text()).as_bytes());
            put("cpu-load", b"3");
            put("cpu-count", b"4");
            put("free-memory", b"402653184");
            put("total-memory", b"536870912");
            put("architecture-name", b"x86_64");
            put("board-name", b"CHR");
            put("platform", b"MikroTik");
        }
    }
    Answer { rows: vec![row], ..Answer::default() }
}

fn show(row: &mut Vec<u8>, name: &str, value: Option<Cow<'_, [u8]>>) {
    if let Some(value) = value {
        put_word(row, &[b"=", name.as_bytes(), b"=", &*value].concat());
    }
}

fn write(state: &mut State, menu: &str, command: &str, request: &Request) -> Result<Answer, Refusal> {
    match command {
        "add" => {
            let id = add(state, menu, request)?;
            firewall::show_fasttrack(state, menu);
            return Ok(Answer { ret: Some(id_text(id).into_bytes()), ..Answer::default() });
        }
        "set" if menu == "/system/identity" => {
            state.identity = request.arg("name").unwrap_or_default().to_vec();
        }
        "set" if menu == "/ppp/aaa" => {
            state.use_radius = matches!(request.arg("use-radius"), Some(b"yes" | b"true"));
        }
        "set" | "comment" => {
            for id in targets(state, menu, request)? {
                change(state, menu, id, &request.args)?;
            }
        }
        "enable" | "disable" => {
            let value = if command == "disable" { b"yes".to_vec() } else { b"no".to_vec() };
            for id in targets(state, menu, request)? {
                change(state, menu, id, &[("disabled".to_owned(), value.clone())])?;
            }
        }
        "unset" => {
            let name = String::from_utf8_lossy(request.arg("value-name").unwrap_or_default()).into_owned();
            if !state.version.has_argument(menu, "set", &name) {
                return Err(Refusal::argument("input does not match any value of value-name"));
            }
            for id in targets(state, menu, request)? {
                firewall::changeable(state, menu, id)?;
                if let Some(table) = state.table_mut(menu) {
                    table.update(id, |item| {
                        item.values.remove(&name);
                    });
                }
            }
        }
        "remove" => {
            for id in targets(state, menu, request)? {
                firewall::changeable(state, menu, id)?;
                remove(state, menu, id);
            }
        }
        "move" if firewall::holds_rules(menu) => {
            let ids = targets(state, menu, request)?;
            firewall::move_to(state, menu, &ids, request.arg("destination"))?;
        }
        "make-static" => {
            for id in targets(state, menu, request)? {
                dhcp::make_static(state, id)?;
            }
        }
        // The schema has it, and this simulator does not play it: making hotspot sessions.
        _ => return Err(Refusal::plain("failure: not simulated")),
    }
    firewall::show_fasttrack(state, menu);
    Ok(Answer::default())
}

fn add(state: &mut State, menu: &str, request: &Request) -> Result<u32, Refusal> {
    let mut item = menus::defaults(menu);
    apply(state, menu, &mut item, &request.args)?;
    rules::accept(state, menu, None, &item)?;
    let before = request.arg("place-before").map(|wanted| firewall::place(state, menu, wanted)).transpose()?;
    let name = item.bytes("name").unwrap_or_default().to_vec();
    let table = state.table_mut(menu).ok_or_else(|| Refusal::plain("no such command"))?;
    let id = table.insert(item);
    if before.is_some() {
        table.place(id, before);
    }
    if menu == "/ppp/secret" {
        state.customers.secret_added(&name);
    }
    Ok(id)
}

fn change(state: &mut State, menu: &str, id: u32, args: &[(String, Vec<u8>)]) -> Result<(), Refusal> {
    let Some(mut item) = state.table(menu).and_then(|table| table.item(id)).cloned() else {
        return Err(Refusal::missing("no such item"));
    };
    apply(state, menu, &mut item, args)?;
    rules::accept(state, menu, Some(id), &item)?;
    if let Some(table) = state.table_mut(menu) {
        table.update(id, |old| *old = item);
    }
    Ok(())
}

fn apply(state: &State, menu: &str, item: &mut Item, args: &[(String, Vec<u8>)]) -> Result<(), Refusal> {
    for (name, raw) in args {
        if [".id", "numbers", "copy-from", "place-before"].contains(&name.as_str()) {
            continue;
        }
        match rules::stored(state, menu, name, raw)? {
            Some(value) => item.values.insert(name.clone(), value),
            None => item.values.remove(name),
        };
    }
    Ok(())
}

fn remove(state: &mut State, menu: &str, id: u32) {
    if menu == "/ppp/active" {
        state.end_session(id);
    } else if menu == "/ip/hotspot/active" {
        state.end_hotspot_session(id);
    } else if let Some(table) = state.table_mut(menu) {
        table.remove(id);
    }
}

/// The objects that `.id` or `numbers` names: `*HEX`, a position, or an exact name. A bare number is a position, and in
/// the firewall a comment is as good as a name, as on a real router.
fn targets(state: &State, menu: &str, request: &Request) -> Result<Vec<u32>, Refusal> {
    let list = [".id", "numbers", "number"].iter().find_map(|name| request.arg(name));
    let list = list.ok_or_else(|| Refusal::plain("missing =.id="))?;
    let table = state.table(menu).ok_or_else(|| Refusal::plain("no such command"))?;
    list.split(|&byte| byte == b',')
        .map(|word| {
            let text = std::str::from_utf8(word).unwrap_or_default();
            let id = match (text.strip_prefix('*'), text.parse::<usize>()) {
                (Some(hex), _) => u32::from_str_radix(hex, 16).ok().filter(|id| table.item(*id).is_some()),
                (None, Ok(position)) => table.iter().nth(position).map(|(id, _)| id),
                (None, Err(_)) if menu.starts_with("/ip/firewall/") || menu.starts_with("/ipv6/firewall/") => {
                    table.iter().find(|(_, item)| item.bytes("comment") == Some(word)).map(|(id, _)| id)
                }
                (None, Err(_)) => table.named(word).first().copied(),
            };
            id.ok_or_else(|| Refusal::missing("no such item"))
        })
        .collect()
}

/// Puts an object in place without any check, as an import or a person at the console may have done.
pub(super) fn force(state: &mut State, menu: &str, values: &[(&str, &[u8])]) -> Option<u32> {
    let mut item = menus::defaults(menu);
    for (name, raw) in values {
        let value = rules::stored(state, menu, name, raw).ok().flatten().unwrap_or(Value::Bytes(raw.to_vec()));
        item.values.insert((*name).to_owned(), value);
    }
    let name = item.bytes("name").unwrap_or_default().to_vec();
    let id = state.table_mut(menu)?.insert(item);
    firewall::show_fasttrack(state, menu);
    if menu == "/ppp/secret" {
        state.customers.secret_added(&name);
    }
    Some(id)
}
