//! The settings file: which it is, what is in it, and whether others may read it.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::Overrides;
use crate::failure::Failure;

/// True when settings hold a token, or the password of a database.
pub(super) fn holds_secret(table: &toml::Table) -> bool {
    let whatsapp = table.get("whatsapp").and_then(toml::Value::as_table);
    let token =
        whatsapp.is_some_and(|t| ["access_token", "app_secret", "verify_token"].iter().any(|key| t.contains_key(*key)));
    let radius = table.get("radius").and_then(toml::Value::as_table);
    let urls = [table.get("database"), radius.and_then(|t| t.get("database"))];
    let password = urls.into_iter().flatten().filter_map(toml::Value::as_str).any(|url| {
        let user = url.split_once("://").and_then(|(_, rest)| rest.split_once('@')).map_or("", |(user, _)| user);
        user.contains(':')
    });
    let gateways = table.get("gateway").and_then(toml::Value::as_table).into_iter().flatten();
    let keys =
        gateways.filter_map(|(_, one)| one.as_table()).any(|t| t.contains_key("key") || t.contains_key("webhook_key"));
    let banks = table.get("snap").and_then(toml::Value::as_table).into_iter().flatten();
    let secrets = banks
        .filter_map(|(_, one)| one.as_table())
        .any(|t| t.contains_key("client_secret") || t.contains_key("token_key"));
    let has_secret = |one: &toml::Value| one.as_table().is_some_and(|t| t.contains_key("secret"));
    let phones = table.get("phone").and_then(toml::Value::as_table).into_iter().flatten();
    let told = table.get("moota").is_some_and(has_secret) || phones.map(|(_, one)| one).any(has_secret);
    token || keys || secrets || told || password || radius.is_some_and(|t| t.contains_key("nas"))
}

#[cfg(unix)]
pub(super) fn others_may_read(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|found| found.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
pub(super) fn others_may_read(_: &Path) -> bool {
    false
}

/// The file to read, if there is one.
pub(super) fn file(overrides: &Overrides, variables: &[(String, String)]) -> Option<PathBuf> {
    if let Some(path) = overrides.config.clone().or_else(|| named(variables)) {
        return Some(path);
    }
    let home = std::env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config")));
    let usual = [Some(PathBuf::from("isp.toml")), home.map(|home| home.join("isp/isp.toml"))];
    // Whatever has the name is meant: what is no ordinary file is refused when it is read, never passed over.
    usual.into_iter().flatten().find(|path| path.symlink_metadata().is_ok())
}

/// What the file says; nothing where there is none. A file that `ISP_CONFIG` names and that is not there may be of a sandbox that
/// has ended, so the variable is named.
pub(super) fn in_file(
    path: Option<&Path>,
    overrides: &Overrides,
    variables: &[(String, String)],
) -> Result<toml::Table, Failure> {
    let Some(path) = path else { return Ok(toml::Table::new()) };
    let named = overrides.config.is_none() && named(variables).is_some_and(|named| named == path);
    if named && path.symlink_metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
        let reason = "there is no such file, and ISP_CONFIG names it".to_owned();
        return Err(Failure::Config { place: path.display().to_string(), reason });
    }
    read(path)
}

/// The file that `ISP_CONFIG` names.
fn named(variables: &[(String, String)]) -> Option<PathBuf> {
    let named = variables.iter().find(|(name, value)| name == "ISP_CONFIG" && !value.is_empty());
    named.map(|(_, path)| path.into())
}

fn read(path: &Path) -> Result<toml::Table, Failure> {
    let place = path.display().to_string();
    let text = read_text(path).map_err(|reason| Failure::Config { place: place.clone(), reason })?;
    let mut table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        // The message alone: the whole text would show the line, and a line may hold a token.
        let line = error.span().map_or(0, |span| text[..span.start.min(text.len())].lines().count());
        Failure::Config { place: place.clone(), reason: format!("line {line}: {}", error.message()) }
    })?;
    let dir = path.parent().unwrap_or(Path::new(""));
    let rooted = |value: &mut toml::Value| {
        if let toml::Value::String(text) = value {
            *text = dir.join(&*text).display().to_string();
        }
    };
    if let Some(toml::Value::String(url)) = table.get_mut("database") {
        *url = rooted_url(url, dir);
    }
    table.get_mut("key_file").into_iter().for_each(rooted);
    let paper = table.get_mut("paper").and_then(toml::Value::as_table_mut);
    paper.and_then(|paper| paper.get_mut("logo")).into_iter().for_each(rooted);
    let whatsapp = table.get_mut("whatsapp").and_then(toml::Value::as_table_mut);
    if let Some(table) = whatsapp {
        for key in ["access_token_file", "app_secret_file"] {
            table.get_mut(key).into_iter().for_each(rooted);
        }
    }
    let gateways = table.get_mut("gateway").and_then(toml::Value::as_table_mut).into_iter().flatten();
    for one in gateways.filter_map(|(_, one)| one.as_table_mut()) {
        for key in ["key_file", "webhook_key_file"] {
            one.get_mut(key).into_iter().for_each(rooted);
        }
    }
    let banks = table.get_mut("snap").and_then(toml::Value::as_table_mut).into_iter().flatten();
    for one in banks.filter_map(|(_, one)| one.as_table_mut()) {
        for key in ["public_key_file", "client_secret_file", "token_key_file"] {
            one.get_mut(key).into_iter().for_each(rooted);
        }
    }
    let moota = table.get_mut("moota").and_then(|moota| moota.get_mut("secret_file"));
    moota.into_iter().for_each(rooted);
    let phones = table.get_mut("phone").and_then(toml::Value::as_table_mut).into_iter().flatten();
    phones.filter_map(|(_, one)| one.get_mut("secret_file")).for_each(rooted);
    Ok(table)
}

/// The text of an ordinary file. A pipe would be waited for, so it is refused before it is opened.
pub(crate) fn read_text(path: &Path) -> Result<String, String> {
    ordinary(path)?;
    std::fs::read_to_string(path).map_err(|error| error.kind().to_string())
}

/// The bytes of an ordinary file, as [`read_text`].
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>, String> {
    read_bytes_to(path, u64::MAX)
}

/// The same, but no more than so many bytes.
pub(crate) fn read_bytes_to(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    ordinary(path)?;
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(path);
    let read = opened.and_then(|file| file.take(most).read_to_end(&mut bytes));
    read.map_err(|error| error.kind().to_string())?;
    Ok(bytes)
}

fn ordinary(path: &Path) -> Result<(), String> {
    match path.metadata() {
        Ok(found) if !found.is_file() => Err("it is no ordinary file".to_owned()),
        _ => Ok(()),
    }
}

/// A SQLite URL whose relative path starts at `dir`.
pub(super) fn rooted_url(url: &str, dir: &Path) -> String {
    match url.strip_prefix("sqlite:").map(|rest| rest.strip_prefix("//").unwrap_or(rest)) {
        Some(path) if !path.starts_with(':') && Path::new(path).is_relative() => {
            format!("sqlite:{}", dir.join(path).display())
        }
        _ => url.to_owned(),
    }
}
