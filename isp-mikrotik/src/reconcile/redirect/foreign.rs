//! Rules of others that let isolated lines pass before ours are asked.

use crate::mark::RedirectMark;
use crate::menu::firewall::Rule;

/// The place and the comment of the first rule above ours that accepts whatever an isolated line forwards. What stands in a
/// chain that is jumped to, or is about one interface only, cannot be judged from here.
pub(super) fn bypass<'a>(rows: &'a [Rule], list: &str) -> Option<(usize, &'a Rule)> {
    let ours = |row: &Rule, slot: &str| RedirectMark::split(&row.comment).0.is_some_and(|mark| mark.slot == slot);
    let last = rows.iter().position(|row| !row.dynamic && ours(row, "rest"))?;
    rows.iter().enumerate().take(last).find(|(_, row)| accepts_all(row, list))
}

/// What a rule may say beside whom it is about, and is still about every request to the page.
const ANY: [&str; 6] = ["chain", "action", "reject-with", "to-address", "to-addresses", "to-ports"];

/// The place and the comment of the first rule above ours that keeps isolated lines from the page, which answers at `page`: one of
/// the filter that shuts them out, or one of NAT that leads their requests elsewhere. What stands in a chain that is jumped to
/// cannot be judged from here.
pub(super) fn cuts<'a>(rows: &'a [Rule], list: &str, page: u16) -> Option<(usize, &'a Rule)> {
    let is_ours = |row: &Rule| RedirectMark::split(&row.comment).0.is_some();
    let place = |slot: &str| {
        let own = |row: &Rule| RedirectMark::split(&row.comment).0.is_some_and(|mark| mark.slot == slot);
        rows.iter().position(|row| !row.dynamic && own(row)).unwrap_or_default()
    };
    let (portal, web) = (place("portal"), place("web"));
    rows.iter().enumerate().find(|(at, row)| {
        let cuts = match (row.value("chain"), row.value("action")) {
            // It sees a request as NAT has changed it.
            (b"forward", b"drop" | b"reject" | b"tarpit") => *at < portal && about_pages(row, list, page),
            (b"dstnat", b"dst-nat" | b"redirect" | b"accept" | b"netmap" | b"same") => {
                *at < web && about_pages(row, list, 80)
            }
            _ => false,
        };
        cuts && !row.disabled && !is_ours(row)
    })
}

/// Whether a rule is about new requests of isolated lines to a port, whichever address they are for.
fn about_pages(row: &Rule, list: &str, port: u16) -> bool {
    let number = |text: &str| text.parse::<u16>().ok();
    let covers = |part: &str| match part.split_once('-') {
        Some((first, last)) => {
            number(first).zip(number(last)).is_some_and(|(first, last)| (first..=last).contains(&port))
        }
        None => number(part) == Some(port),
    };
    row.values.iter().all(|(name, value)| match *name {
        "src-address-list" => value == list.as_bytes(),
        "protocol" => value == b"tcp" || value == b"6",
        "dst-port" => std::str::from_utf8(value).is_ok_and(|ports| ports.split(',').any(covers)),
        "connection-state" => sees_new(value),
        name => ANY.contains(&name),
    })
}

fn sees_new(states: &[u8]) -> bool {
    !states.starts_with(b"!") && states.split(|&byte| byte == b',').any(|state| state == b"new")
}

fn accepts_all(row: &Rule, list: &str) -> bool {
    let about_all = row.values.iter().all(|(name, value)| match *name {
        "chain" | "action" => true,
        "src-address-list" => value == list.as_bytes(),
        "connection-state" => sees_new(value),
        _ => false,
    });
    let accepts = row.value("chain") == b"forward" && row.value("action") == b"accept";
    accepts && about_all && !row.disabled && RedirectMark::split(&row.comment).0.is_none()
}
