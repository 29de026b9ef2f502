//! Which settings hold and where each comes from, without the secrets among them.

use super::file::{file, in_file};
use super::variables::{counting, ours, overlay};
use super::{Config, Overrides};
use crate::failure::Failure;

/// A setting that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setting {
    /// Its key, with the tables that it stands in.
    pub(crate) key: String,
    /// As it is written in the file; secrets are masked.
    pub(crate) value: String,
    /// `flag`, `variable`, `file` or `default`.
    pub(crate) source: &'static str,
}

/// All settings that hold, in the order of their keys, each with where it comes from.
pub(crate) fn settings(
    config: &Config,
    flags: &Overrides,
    variables: impl Iterator<Item = (String, String)>,
) -> Result<Vec<Setting>, Failure> {
    let variables = ours(variables);
    let in_file = in_file(file(flags, &variables).as_deref(), flags, &variables)?;
    let mut in_variables = toml::Table::new();
    for (name, value) in counting(&in_file, &variables) {
        overlay(&mut in_variables, &name, &value)?;
    }
    let mut all = toml::Table::new();
    let policy = toml::Value::try_from(&config.policy);
    let policy = policy.map_err(|error| Failure::Config { place: "policy".to_owned(), reason: error.to_string() })?;
    all.insert("policy".to_owned(), policy);
    let text = |text: String| toml::Value::String(text);
    let tops = [
        ("database", config.database.clone()),
        ("key_file", config.key_file.as_ref().map(|path| path.display().to_string())),
        ("language", Some(config.language.code().to_owned())),
        ("officer", config.officer.clone()),
        ("tenant", Some(config.tenant.to_string())),
    ];
    all.extend(tops.into_iter().filter_map(|(key, value)| Some((key.to_owned(), text(value?)))));
    let worker = [("page", config.worker.page), ("lease_seconds", config.worker.lease_seconds)];
    let worker = worker.into_iter().map(|(key, value)| (key.to_owned(), toml::Value::Integer(value.into())));
    all.insert("worker".to_owned(), toml::Value::Table(worker.collect()));
    let kept =
        config.retention.kept().map(|kind| (format!("{}_days", kind.what), toml::Value::Integer(kind.days.into())));
    all.insert("retention".to_owned(), toml::Value::Table(kept.into_iter().collect()));
    // Other tables have no default of their own: what is said of them is all there is.
    let (mut flat, mut said, mut spoken) = (Vec::new(), Vec::new(), Vec::new());
    flatten("", &toml::Value::Table(all), &mut flat);
    flatten("", &toml::Value::Table(in_file), &mut said);
    flatten("", &toml::Value::Table(in_variables), &mut spoken);
    let has = |list: &[(String, String)], key: &str| list.iter().any(|(known, _)| known == key);
    for (key, value) in spoken.iter().chain(&said) {
        if !has(&flat, key) {
            flat.push((key.clone(), value.clone()));
        }
    }
    flat.sort();
    let by_flag = |key: &str| match key {
        "database" => flags.database.is_some(),
        "key_file" => flags.key_file.is_some(),
        "language" => flags.language.is_some(),
        "officer" => flags.officer.is_some(),
        _ => false,
    };
    let source = |key: &str| match () {
        () if by_flag(key) => "flag",
        () if has(&spoken, key) => "variable",
        () if has(&said, key) => "file",
        // What tenants.toml says is in a file, too.
        () if key == "database" && config.database.is_some() => "file",
        () => "default",
    };
    Ok(flat.into_iter().map(|(key, value)| Setting { source: source(&key), value: masked(&key, value), key }).collect())
}

fn flatten(prefix: &str, value: &toml::Value, out: &mut Vec<(String, String)>) {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                flatten(&if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") }, value, out);
            }
        }
        toml::Value::String(text) => out.push((prefix.to_owned(), text.clone())),
        other => out.push((prefix.to_owned(), other.to_string())),
    }
}

/// The address of a database without its password. What is written in another way than it should be may hold one anywhere.
pub(crate) fn masked_address(address: &str) -> String {
    if address.is_empty() || address.starts_with("sqlite:") {
        return address.to_owned();
    }
    let Some((scheme, rest)) = address.split_once("://") else { return "***".to_owned() };
    let (rest, query) = rest.split_once('?').map_or((rest, ""), |(rest, query)| (rest, query));
    let query = match query {
        "" => String::new(),
        query if query.to_lowercase().contains("password") => "?***".to_owned(),
        query => format!("?{query}"),
    };
    match rest.split_once('@') {
        // A password with an unescaped `@` or `/` in it.
        Some((_, host)) if host.contains('@') => format!("{scheme}://***{query}"),
        Some((user, host)) => match user.split_once(':') {
            Some((user, _)) => format!("{scheme}://{user}:***@{host}{query}"),
            None => format!("{scheme}://{user}@{host}{query}"),
        },
        None => format!("{scheme}://{rest}{query}"),
    }
}

/// A value without what nobody may read over a shoulder.
pub(super) fn masked(key: &str, value: String) -> String {
    let gateway_key = (key.starts_with("gateway.") && key.ends_with("key")) || key.ends_with("token_key");
    if gateway_key || key.ends_with("token") || key.ends_with("password") || key.ends_with("secret") {
        return "***".to_owned();
    }
    if key == "database" || key == "radius.database" { masked_address(&value) } else { value }
}
