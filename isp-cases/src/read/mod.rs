//! Reading a file into a [`Case`], and what is said about a bad one: file, table, key.

mod file;
mod records;
mod resolve;

use std::collections::BTreeSet;
use std::ops::Range;

use crate::case::Case;

/// A file that is no case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {table}: {problem}", line.map(|n| format!(":{n}")).unwrap_or_default())]
pub struct BadCase {
    /// The file, as the caller named it.
    pub file: String,
    /// The line, where it is known.
    pub line: Option<usize>,
    /// The table, such as `[packages.HOME]` or `[[step]] 3`.
    pub table: String,
    /// The key, and what is wrong with it.
    pub problem: String,
}

impl Case {
    /// Reads a case. `file` is only for what is said about it.
    ///
    /// # Errors
    /// [`BadCase`] with the first thing that is wrong: a key that is not known, a value that cannot be, a name of nothing.
    pub fn parse(file: &str, text: &str) -> Result<Self, BadCase> {
        let raw: file::File = toml::from_str(text).map_err(|error| of_toml(file, text, &error))?;
        let table: toml::Table = toml::from_str(text).map_err(|error| of_toml(file, text, &error))?;
        let bad = |(table, problem)| BadCase { file: file.to_owned(), line: None, table, problem };
        resolve::case(file, raw, uses(&table)).map_err(bad)
    }
}

fn of_toml(file: &str, text: &str, error: &toml::de::Error) -> BadCase {
    let span: Range<usize> = error.span().unwrap_or(0..0);
    let before = text.get(..span.start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let whole =
        text.get(..text.get(span.start..).and_then(|rest| rest.find('\n')).map_or(text.len(), |at| span.start + at));
    let headers = whole.unwrap_or(text).lines().map(str::trim).filter(|l| l.starts_with('['));
    let table = match headers.clone().next_back() {
        None => "top of the file".to_owned(),
        Some(last) => {
            let last = last.split('#').next().unwrap_or(last).trim();
            let number = headers.filter(|h| h.starts_with("[[step]]")).count();
            if last.starts_with("[[step]]") || last.starts_with("[step.") {
                format!("{last} {number}")
            } else {
                last.to_owned()
            }
        }
    };
    let key = text.get(span).filter(|key| !key.contains('\n') && key.len() < 60 && !error.message().contains(*key));
    let problem = match key {
        Some(key) if !key.is_empty() => format!("{} (at `{key}`)", error.message()),
        _ => error.message().to_owned(),
    };
    BadCase { file: file.to_owned(), line: Some(line), table, problem }
}

/// What a case makes use of: the paths of its keys, without the names that it gives to things.
fn uses(table: &toml::Table) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (key, value) in table {
        match (key.as_str(), value) {
            ("sites" | "packages" | "customers" | "subscriptions", toml::Value::Table(named)) => {
                named.values().for_each(|one| paths(key, one, &mut found));
            }
            _ => paths(key, value, &mut found),
        }
    }
    found
}

fn paths(path: &str, value: &toml::Value, found: &mut BTreeSet<String>) {
    found.insert(path.to_owned());
    match value {
        toml::Value::Table(table) => {
            table.iter().for_each(|(key, value)| paths(&format!("{path}.{key}"), value, found))
        }
        toml::Value::Array(all) => all.iter().filter(|v| v.is_table()).for_each(|one| paths(path, one, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
