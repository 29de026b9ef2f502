//! Settings from `ISP_...` variables.

use crate::failure::Failure;

/// Keys at the top of the file, and so the first word of variables.
const KEYS: [&str; 19] = [
    "database",
    "key_file",
    "tenant",
    "language",
    "officer",
    "policy",
    "provider",
    "paper",
    "payment",
    "gateway",
    "snap",
    "moota",
    "phone",
    "whatsapp",
    "mikrotik",
    "radius",
    "retention",
    "worker",
    "serve",
];

/// The variables that are ours.
pub(super) fn ours(variables: impl Iterator<Item = (String, String)>) -> Vec<(String, String)> {
    variables.filter(|(name, _)| name.starts_with("ISP_")).collect()
}

/// Those that count beside what the file says: in a sandbox none that could lead to the real provider.
pub(super) fn counting(in_file: &toml::Table, variables: &[(String, String)]) -> Vec<(String, String)> {
    let sandbox = in_file.get("sandbox").and_then(toml::Value::as_bool).unwrap_or(false);
    let counts = |name: &str| !sandbox || ["ISP_LANGUAGE", "ISP_OFFICER"].contains(&name);
    variables.iter().filter(|(name, _)| counts(name)).cloned().collect()
}

/// Sets the key that a variable names.
pub(super) fn overlay(table: &mut toml::Table, name: &str, value: &str) -> Result<(), Failure> {
    let Some(rest) = name.strip_prefix("ISP_") else { return Ok(()) };
    let path: Vec<String> = rest.split("__").map(str::to_ascii_lowercase).collect();
    let Some((last, tables)) = path.split_last() else { return Ok(()) };
    if !path.first().is_some_and(|first| KEYS.contains(&first.as_str())) || value.is_empty() {
        return Ok(());
    }
    let mut at = table;
    for key in tables {
        let next = at.entry(key.clone()).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        at = next
            .as_table_mut()
            .ok_or_else(|| Failure::Config { place: name.to_owned(), reason: format!("{key} is not a table") })?;
    }
    at.insert(last.clone(), value_of(value, last));
    Ok(())
}

/// Keys that have another place now, from what settings said before: `serve.keep_webhooks_days` is `retention.webhooks_days`.
pub(super) fn moved(table: &mut toml::Table) {
    let Some(days) = table.get_mut("serve").and_then(|t| t.as_table_mut()?.remove("keep_webhooks_days")) else {
        return;
    };
    let retention = table.entry("retention").or_insert_with(|| toml::Value::Table(toml::Table::new()));
    if let Some(retention) = retention.as_table_mut() {
        retention.entry("webhooks_days").or_insert(days);
    }
}

fn value_of(text: &str, key: &str) -> toml::Value {
    let as_text = || toml::Value::String(text.to_owned());
    // An id or a token may look like a number.
    let texts = [
        "phone_number_id",
        "access_token",
        "tenant",
        "officer",
        "graph_version",
        "qris",
        "key",
        "webhook_key",
        "merchant",
        "app_secret",
        "verify_token",
        "service_id",
        "client_key",
        "partner_id",
        "client_secret",
        "token_key",
        "sub_company",
        "label",
        "secret",
        "account",
    ];
    if texts.contains(&key) {
        return as_text();
    }
    format!("v = {text}").parse::<toml::Table>().ok().and_then(|mut t| t.remove("v")).unwrap_or_else(as_text)
}
