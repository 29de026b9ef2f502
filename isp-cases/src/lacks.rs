//! What a host by its nature cannot express, with the reason: the file `hosts.toml` beside the cases.

use std::collections::BTreeMap;

use crate::case::Case;

/// What each host lacks: a path such as `step.expect.router`, or the file of one case, with the reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lacks(BTreeMap<String, BTreeMap<String, String>>);

impl Lacks {
    /// Reads the list: a table for each host, in it what it lacks and why.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let lacks: BTreeMap<String, BTreeMap<String, String>> = toml::from_str(text).map_err(|e| e.to_string())?;
        let empty = lacks.values().flatten().find(|(_, why)| why.trim().is_empty());
        match empty {
            Some((what, _)) => Err(format!("`{what}` has no reason")),
            None => Ok(Self(lacks)),
        }
    }

    /// Why a host cannot live a case; `None` when it can.
    #[must_use]
    pub fn why(&self, host: &str, case: &Case) -> Option<&str> {
        let of_host = self.0.get(host)?;
        let used = case.uses.iter().find_map(|path| of_host.get(path));
        used.or_else(|| of_host.iter().find(|(what, _)| case.file.ends_with(what.as_str())).map(|(_, why)| why))
            .map(String::as_str)
    }
}
