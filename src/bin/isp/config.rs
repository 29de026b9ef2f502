//! Settings, in one order: a flag before an `ISP_...` variable before the file before the default.
//!
//! * The file is `--config`, else `ISP_CONFIG`, else `./isp.toml`, else `$XDG_CONFIG_HOME/isp/isp.toml` (`~/.config`).
//!   A key that it does not know is an error. Relative paths in it start at its folder.
//! * A variable sets the key of its name: `ISP_DATABASE`, `ISP_LANGUAGE`; below a table with two underscores:
//!   `ISP_POLICY__BILLING__PAYMENT_TERMS_DAYS=14`. Its value is read as TOML where it is TOML, and as text otherwise.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use isp_core::ids::TenantId;
use isp_core::message::Sender;
use isp_core::text::{Language, Name};
use isp_core::{Policy, Secret};
use serde::Deserialize;

use crate::failure::Failure;

/// All settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// `sqlite:FILE` or `postgres://...`.
    pub(crate) database: Option<String>,
    /// The file that holds the key for NIK and passwords.
    pub(crate) key_file: Option<PathBuf>,
    /// Whose books these are, in a database of several providers.
    pub(crate) tenant: TenantId,
    /// The language of the output.
    pub(crate) language: Language,
    /// Who acts, for what is recorded under a name.
    pub(crate) officer: Option<String>,
    /// What the provider decided on.
    pub(crate) policy: Policy,
    /// Who asks in messages, and how to pay.
    pub(crate) provider: Option<Sender>,
    /// Through what customers pay.
    pub(crate) payment: Paying,
    /// Payment gateways, by the name that they have here and in the books.
    pub(crate) gateway: BTreeMap<String, Gateway>,
    /// The sending number.
    pub(crate) whatsapp: WhatsApp,
    /// How routers are kept.
    pub(crate) mikrotik: isp_mikrotik::Settings,
    /// Routers whose lines are in FreeRADIUS.
    pub(crate) radius: isp_radius::Settings,
    /// Limits of a run.
    pub(crate) worker: Worker,
    /// How `isp serve` listens.
    pub(crate) serve: isp_serve::Settings,
    /// The settings file, when it holds a secret that others than its owner may read.
    #[serde(skip)]
    pub(crate) exposed: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            database: None,
            key_file: None,
            tenant: TenantId::DEFAULT,
            language: Language::Id,
            officer: None,
            policy: Policy::default(),
            provider: None,
            payment: Paying::default(),
            gateway: BTreeMap::new(),
            whatsapp: WhatsApp::default(),
            mikrotik: isp_mikrotik::Settings::default(),
            radius: isp_radius::Settings::default(),
            worker: Worker::default(),
            serve: isp_serve::Settings::default(),
            exposed: None,
        }
    }
}

/// Through what customers pay.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Paying {
    /// The text of the provider's own static QRIS code; read where it is used, so that a damaged one stops nothing else.
    pub(crate) qris: Option<String>,
}

/// An account at a payment gateway.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Gateway {
    /// `midtrans`, `xendit`, `tripay` or `duitku`; the name itself when it is one of them.
    pub(crate) kind: Option<String>,
    /// True for the gateway's sandbox, where no money moves.
    pub(crate) sandbox: bool,
    /// The merchant code.
    pub(crate) merchant: String,
    /// The key of requests; better given by `ISP_GATEWAY__NAME__KEY` or a file.
    pub(crate) key: Option<Secret>,
    /// A file that holds it.
    pub(crate) key_file: Option<PathBuf>,
    /// The secret of webhooks, where it is another one.
    pub(crate) webhook_key: Option<Secret>,
    /// A file that holds it.
    pub(crate) webhook_key_file: Option<PathBuf>,
    /// The provider's own address, for gateways that want one for each payer.
    pub(crate) email: String,
    /// Where webhooks are sent to, for gateways that are told so with each request.
    pub(crate) callback_url: Option<String>,
    /// Another address, such as a simulator's.
    pub(crate) base_url: Option<String>,
    /// The longest one call may take.
    pub(crate) deadline_seconds: Option<u64>,
}

/// The WhatsApp Cloud API.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct WhatsApp {
    /// Meta's id of the sending number; without it no message is sent.
    pub(crate) phone_number_id: Option<String>,
    /// The access token; better given by `ISP_WHATSAPP__ACCESS_TOKEN` or a file.
    pub(crate) access_token: Option<Secret>,
    /// A file that holds the access token.
    pub(crate) access_token_file: Option<PathBuf>,
    /// The secret of the Meta app, with which it signs webhooks; better given by `ISP_WHATSAPP__APP_SECRET` or a file.
    pub(crate) app_secret: Option<Secret>,
    /// A file that holds it.
    pub(crate) app_secret_file: Option<PathBuf>,
    /// The word that was typed into the app's webhook form.
    pub(crate) verify_token: Option<Secret>,
    /// Another address, such as a simulator's.
    pub(crate) base_url: Option<String>,
    /// Another Graph version.
    pub(crate) graph_version: Option<String>,
    /// The longest one call may take.
    pub(crate) deadline_seconds: Option<u64>,
}

/// Limits of a run.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Worker {
    /// Rows a page: memory is bounded by it.
    pub(crate) page: u32,
    /// How long rows of the outbox stay with a process that does not renew its claim, because it was killed or stopped.
    pub(crate) lease_seconds: u32,
}

impl Default for Worker {
    fn default() -> Self {
        Self { page: 5_000, lease_seconds: 30 }
    }
}

/// What comes from flags.
#[derive(Debug, Clone, Default)]
pub(crate) struct Overrides {
    pub(crate) config: Option<PathBuf>,
    pub(crate) database: Option<String>,
    pub(crate) key_file: Option<PathBuf>,
    pub(crate) language: Option<Language>,
    pub(crate) officer: Option<String>,
}

/// Keys at the top of the file, and so the first word of variables.
const KEYS: [&str; 14] = [
    "database", "key_file", "tenant", "language", "officer", "policy", "provider", "payment", "gateway", "whatsapp",
    "mikrotik", "radius", "worker", "serve",
];

impl Config {
    /// Reads all sources.
    pub(crate) fn load(
        overrides: &Overrides,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, Failure> {
        let variables: Vec<(String, String)> = variables.filter(|(name, _)| name.starts_with("ISP_")).collect();
        let path = file(overrides, &variables);
        let mut table = match &path {
            Some(path) => read(path)?,
            None => toml::Table::new(),
        };
        let exposed = path.filter(|path| holds_secret(&table) && others_may_read(path));
        for (name, value) in &variables {
            overlay(&mut table, name, value)?;
        }
        let config: Self = toml::Value::Table(table).try_into().map_err(|error: toml::de::Error| {
            let (key, reason) = key_and_reason(&error);
            Failure::Config { place: key.unwrap_or_else(|| "isp.toml, ISP_*".to_owned()), reason }
        })?;
        Self { exposed, ..config }.with(overrides).checked()
    }

    fn with(self, flags: &Overrides) -> Self {
        Self {
            database: flags.database.clone().or(self.database),
            key_file: flags.key_file.clone().or(self.key_file),
            language: flags.language.unwrap_or(self.language),
            officer: flags.officer.clone().or(self.officer),
            ..self
        }
    }

    /// True when messages can be sent and nobody is named who asks in them: then those that ask for money wait.
    pub(crate) const fn asks_unnamed(&self) -> bool {
        self.whatsapp.phone_number_id.is_some() && self.provider.is_none()
    }

    fn checked(self) -> Result<Self, Failure> {
        let bad = |place: &str, reason: String| Failure::Config { place: place.to_owned(), reason };
        let policy = self.policy.checked().map_err(|error| match error {
            isp_core::Error::Policy { field, reason } => bad(&format!("policy.{field}"), reason.to_owned()),
            other => bad("policy", other.to_string()),
        })?;
        if !(1..=100_000).contains(&self.worker.page) {
            return Err(bad("worker.page", "is not 1 to 100000".into()));
        }
        if !(1..=3_600).contains(&self.worker.lease_seconds) {
            return Err(bad("worker.lease_seconds", "is not 1 to 3600".into()));
        }
        let radius = self.radius.checked().map_err(|(key, reason)| bad(&format!("radius.{key}"), reason.to_owned()))?;
        let serve = self.serve.checked().map_err(|(key, reason)| bad(&format!("serve.{key}"), reason.to_owned()))?;
        let provider =
            self.provider.map(Sender::checked).transpose().map_err(|error| bad("provider", error.to_string()))?;
        Ok(Self { policy, provider, radius, serve, ..self })
    }
}

/// Which key an error is about, and what is wrong with it.
fn key_and_reason(error: &toml::de::Error) -> (Option<String>, String) {
    // The key stands only in the text, behind the message.
    let text = error.to_string();
    let key = text.lines().rev().find_map(|line| line.strip_prefix("in `")?.strip_suffix('`').map(str::to_owned));
    (key, error.message().to_owned())
}

/// True when settings hold a token, or the password of a database.
fn holds_secret(table: &toml::Table) -> bool {
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
    token || keys || password || radius.is_some_and(|t| t.contains_key("nas"))
}

#[cfg(unix)]
fn others_may_read(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|found| found.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn others_may_read(_: &Path) -> bool {
    false
}

/// The file to read, if there is one.
fn file(overrides: &Overrides, variables: &[(String, String)]) -> Option<PathBuf> {
    let named = variables.iter().find(|(name, value)| name == "ISP_CONFIG" && !value.is_empty());
    if let Some(path) = overrides.config.clone().or_else(|| named.map(|(_, path)| path.into())) {
        return Some(path);
    }
    let home = std::env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config")));
    let usual = [Some(PathBuf::from("isp.toml")), home.map(|home| home.join("isp/isp.toml"))];
    // Whatever has the name is meant: what is no ordinary file is refused when it is read, never passed over.
    usual.into_iter().flatten().find(|path| path.symlink_metadata().is_ok())
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
fn rooted_url(url: &str, dir: &Path) -> String {
    match url.strip_prefix("sqlite:").map(|rest| rest.strip_prefix("//").unwrap_or(rest)) {
        Some(path) if !path.starts_with(':') && Path::new(path).is_relative() => {
            format!("sqlite:{}", dir.join(path).display())
        }
        _ => url.to_owned(),
    }
}

/// Sets the key that a variable names.
fn overlay(table: &mut toml::Table, name: &str, value: &str) -> Result<(), Failure> {
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
    ];
    if texts.contains(&key) {
        return as_text();
    }
    format!("v = {text}").parse::<toml::Table>().ok().and_then(|mut t| t.remove("v")).unwrap_or_else(as_text)
}

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
    let variables: Vec<(String, String)> = variables.filter(|(name, _)| name.starts_with("ISP_")).collect();
    let in_file = match file(flags, &variables) {
        Some(path) => read(&path)?,
        None => toml::Table::new(),
    };
    let mut in_variables = toml::Table::new();
    for (name, value) in &variables {
        overlay(&mut in_variables, name, value)?;
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
fn masked_address(address: &str) -> String {
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
fn masked(key: &str, value: String) -> String {
    let gateway_key = key.starts_with("gateway.") && key.ends_with("key");
    if gateway_key || key.ends_with("token") || key.ends_with("password") || key.ends_with("secret") {
        return "***".to_owned();
    }
    if key == "database" || key == "radius.database" { masked_address(&value) } else { value }
}

/// What `isp init` writes: every setting that most providers touch, with what it means.
pub(crate) fn starter(database: &str, key_file: &str, language: Language, name: Option<&Name>) -> String {
    let language = language.code();
    // A table that is named is one that holds; without a name its lines are only shown.
    let (on, name) = match name {
        Some(name) => ("", toml::Value::from(name.as_str()).to_string()),
        None => ("# ", r#""...""#.to_owned()),
    };
    format!(
        r#"# Settings of isp. Order: flags, then ISP_... variables, then this file, then defaults. See docs/cli.md.

database = "{database}"         # or postgres://user@host/name; a relative path starts at this folder
key_file = "{key_file}"         # seals NIK and passwords; keep a copy apart from the database
language = "{language}"

[policy.billing]
issue_lead_days = 0             # days before a period starts on which its invoice is issued
payment_terms_days = 10         # days from issue to due date
catch_up_periods = 12           # a run never bills more periods of one line than this

[policy.dunning]
due_soon_days = [3]             # reminders so many days before the due date
overdue_days = [3]              # and after it
quiet_until = "08:00"           # no reminder before this local time
quiet_from = "20:00"            # and none from this time on

[policy.isolation]
isolate_after_days = 5          # days past the due date
isolate_from = 10000            # nobody is isolated for less than this overdue (rupiah); 0: for any debt
isolate_at = "10:00"            # not before this local time
on_weekends = false
public_holidays = "all"         # national holidays and joint leave; "national", or "none"; see isp holidays
holidays = []                   # your own days, such as ["2026-07-18"]
breaker_count = 20              # a run that would isolate more lines of a router than this
breaker_percent = 10            # and more than this share of its lines asks for approval

[policy.tax]
pkp = true                      # false: no PPN is charged

# [mikrotik]
# isolation_profile = "isolir"  # the PPP profile of isolated lines; made when it is not there
# pool = "..."                  # pool of the profiles that isp makes; it must exist on the router

{on}[provider]                    # who asks in messages, and how to pay; see docs/templates.md
{on}name = {name}                  # your name, as customers know it; without it no reminder leaves
# pay_to = ["BCA 1234567890 a.n. ...", "kantor, jam 8-16"]
# contact = "0812..."

# [payment]                     # for isp payment-request
# qris = "00020101021126..."    # the text of your own static QRIS code, as a scanner of codes shows it

# [gateway.tripay]              # midtrans, xendit, tripay or duitku; see docs/cli.md
# sandbox = true
# merchant = "T0001"
# key_file = "tripay.key"       # or ISP_GATEWAY__TRIPAY__KEY
# webhook_key_file = "tripay.private"
# email = "tagihan@..."         # yours, for each payer

# [whatsapp]
# phone_number_id = "..."       # Meta's id of the sending number
# access_token_file = "whatsapp.token"   # or ISP_WHATSAPP__ACCESS_TOKEN
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(toml: &str, variables: &[(&str, &str)], flags: Overrides) -> Result<Config, Failure> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("isp.toml");
        std::fs::write(&path, toml).unwrap();
        let owned = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Config::load(&Overrides { config: Some(path), ..flags }, owned)
    }

    #[test]
    fn flags_before_variables_before_the_file_before_defaults() {
        let file = "language = \"en\"\nofficer = \"file\"\n[policy.billing]\npayment_terms_days = 7\n";
        let config = load(file, &[], Overrides::default()).unwrap();
        assert_eq!((config.language, config.policy.billing.payment_terms_days), (Language::En, 7));
        assert_eq!(config.policy.isolation.isolate_after_days, 5);
        let variables = [
            ("ISP_OFFICER", "42"),
            ("ISP_POLICY__BILLING__PAYMENT_TERMS_DAYS", "14"),
            ("ISP_POLICY__DUNNING__QUIET_FROM", "21:00"),
            ("ISP_POLICY__DUNNING__OVERDUE_DAYS", "[2, 4]"),
            ("ISP_TEST_SOMETHING", "of no concern"),
        ];
        let config = load(file, &variables, Overrides::default()).unwrap();
        assert_eq!(config.officer.as_deref(), Some("42"));
        assert_eq!(config.policy.billing.payment_terms_days, 14);
        assert_eq!(config.policy.dunning.overdue_days, [2, 4]);
        let flags = Overrides { officer: Some("flag".into()), ..Overrides::default() };
        assert_eq!(load(file, &variables, flags).unwrap().officer.as_deref(), Some("flag"));
    }

    #[test]
    fn each_setting_says_where_it_comes_from_and_no_secret() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("isp.toml");
        let file = "database = \"postgres://isp:rahasia@db/isp\"\n[policy.billing]\npayment_terms_days = 7\n[whatsapp]\naccess_token = \"EAAB\"\n";
        std::fs::write(&path, file).unwrap();
        let flags = Overrides { config: Some(path), officer: Some("Sari".into()), ..Overrides::default() };
        let variables = [("ISP_POLICY__ISOLATION__ISOLATE_AFTER_DAYS", "9")];
        let variables = || variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let config = Config::load(&flags, variables()).unwrap();
        let all = settings(&config, &flags, variables()).unwrap();
        let of = |key: &str| all.iter().find(|s| s.key == key).map(|s| (s.value.as_str(), s.source)).unwrap();
        assert_eq!(of("officer"), ("Sari", "flag"));
        assert_eq!(of("policy.isolation.isolate_after_days"), ("9", "variable"));
        assert_eq!(of("policy.billing.payment_terms_days"), ("7", "file"));
        assert_eq!(of("policy.isolation.isolate_at"), ("10:00", "default"));
        assert_eq!(of("database"), ("postgres://isp:***@db/isp", "file"));
        assert_eq!(of("whatsapp.access_token"), ("***", "file"));
    }

    #[test]
    fn keys_of_gateways_are_read_and_never_shown() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("isp.toml");
        std::fs::write(&path, "[gateway.midtrans]\nkey = \"GEHEIM\"\nkey_file = \"a.key\"\n").unwrap();
        let flags = Overrides { config: Some(path), ..Overrides::default() };
        let variables = || [("ISP_GATEWAY__TRIPAY__WEBHOOK_KEY".to_owned(), "123GEHEIM".to_owned())].into_iter();
        let config = Config::load(&flags, variables()).unwrap();
        assert_eq!(config.gateway["tripay"].webhook_key.as_ref().unwrap().reveal(), "123GEHEIM");
        assert!(config.gateway["midtrans"].key_file.as_ref().unwrap().is_absolute());
        assert!(!format!("{config:?}").contains("GEHEIM"));
        let all = settings(&config, &flags, variables()).unwrap();
        assert!(all.iter().all(|s| !s.value.contains("GEHEIM")), "{all:?}");
        let of = |key: &str| all.iter().find(|s| s.key == key).map(|s| s.value.as_str());
        assert_eq!([of("gateway.midtrans.key"), of("gateway.tripay.webhook_key")], [Some("***"); 2]);
    }

    #[test]
    fn unknown_keys_and_senseless_numbers_are_refused() {
        for (file, variables) in [
            ("databse = \"x\"", &[][..]),
            ("[policy.billing]\nterms = 3", &[]),
            ("", &[("ISP_POLICY__BILING__CATCH_UP_PERIODS", "3")]),
            ("[policy.billing]\ncatch_up_periods = 0", &[]),
            ("[worker]\npage = 0", &[]),
            ("[worker]\nlease_seconds = 0", &[]),
            ("language = \"fr\"", &[]),
            ("language = ", &[]),
        ] {
            let error = load(file, variables, Overrides::default()).unwrap_err();
            assert_eq!(error.code(), "cli.config", "{file}");
        }
    }

    #[test]
    fn a_setting_that_does_not_fit_is_named_by_its_key() {
        for (file, key) in [
            ("[policy.billing]\npayment_terms_days = \"ten\"", "policy.billing.payment_terms_days"),
            ("[policy.billing]\ncatch_up_periods = 0", "policy.billing.catch_up_periods"),
            ("[policy.isolation]\nisolate_at = \"25:99\"", "policy.isolation.isolate_at"),
            ("[worker]\npage = 0", "worker.page"),
            ("language = \"fr\"", "language"),
        ] {
            let text = load(file, &[], Overrides::default()).unwrap_err().to_string();
            assert!(text.contains(&format!("configuration {key}:")), "{text}");
        }
    }

    #[test]
    fn no_spelling_of_an_address_shows_its_password() {
        for address in [
            "postgres://isp:GEHEIM@h/d",
            "postgres://isp@h/d?password=GEHEIM",
            "postgres://isp@h/d?sslmode=require&sslpassword=GEHEIM",
            "host=h user=u password=GEHEIM",
            "postgres:u:GEHEIM@h/d",
            "postgres://u:x@GEHEIM@h/d",
            "postgres://u:x/GEHEIM@h@i/d",
        ] {
            for key in ["database", "radius.database"] {
                let shown = masked(key, address.to_owned());
                assert!(!shown.contains("GEHEIM"), "{address}: {shown}");
            }
        }
        for plain in ["sqlite:isp.db", "postgres://isp@h/d?sslmode=require", "postgres:///d?host=/run"] {
            assert_eq!(masked("database", plain.to_owned()), plain);
        }
    }

    #[test]
    fn a_broken_line_is_named_but_not_shown() {
        let error = load("language = \"id\"\n[whatsapp]\naccess_token = EAAB-secret\n", &[], Overrides::default());
        let text = error.unwrap_err().to_string();
        assert!(text.contains("line 3") && !text.contains("EAAB"), "{text}");
    }

    #[test]
    fn paths_in_the_file_start_at_its_folder() {
        let config = load("database = \"sqlite:isp.db\"\nkey_file = \"isp.key\"", &[], Overrides::default()).unwrap();
        assert!(config.key_file.unwrap().is_absolute());
        assert!(config.database.unwrap().strip_prefix("sqlite:").is_some_and(|p| Path::new(p).is_absolute()));
        assert_eq!(rooted_url("sqlite::memory:", Path::new("/x")), "sqlite::memory:");
        assert_eq!(rooted_url("postgres://h/d", Path::new("/x")), "postgres://h/d");
    }

    #[test]
    fn the_starter_file_is_the_defaults() {
        let config = load(&starter("sqlite:isp.db", "isp.key", Language::Id, None), &[], Overrides::default()).unwrap();
        assert_eq!((config.policy, config.provider.is_none()), (Policy::default(), true));
    }

    #[test]
    fn a_name_in_the_starter_file_is_who_asks() {
        let name = Name::parse("name", r#"Warga "Net" \ RT 05"#).unwrap();
        let config =
            load(&starter("sqlite:isp.db", "isp.key", Language::Id, Some(&name)), &[], Overrides::default()).unwrap();
        let sender = config.provider.unwrap();
        assert_eq!((sender.name, sender.pay_to.len()), (name, 0));
    }
}
