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

fn accepts_all(row: &Rule, list: &str) -> bool {
    let about_all = row.values.iter().all(|(name, value)| match *name {
        "chain" | "action" => true,
        "src-address-list" => value == list.as_bytes(),
        "connection-state" => {
            !value.starts_with(b"!") && value.split(|&byte| byte == b',').any(|state| state == b"new")
        }
        _ => false,
    });
    let accepts = row.value("chain") == b"forward" && row.value("action") == b"accept";
    accepts && about_all && !row.disabled && RedirectMark::split(&row.comment).0.is_none()
}
