//! Settings, in one order: a flag before an `ISP_...` variable before the file before the default.
//!
//! * The file is `--config`, else `ISP_CONFIG`, else `./isp.toml`, else `$XDG_CONFIG_HOME/isp/isp.toml` (`~/.config`).
//!   A key that it does not know is an error. Relative paths in it start at its folder.
//! * In a sandbox (`isp sandbox`) no variable counts but `ISP_LANGUAGE` and `ISP_OFFICER`.
//! * A variable sets the key of its name: `ISP_DATABASE`, `ISP_LANGUAGE`; below a table with two underscores:
//!   `ISP_POLICY__BILLING__PAYMENT_TERMS_DAYS=14`. Its value is read as TOML where it is TOML, and as text otherwise.
//! * A provider that `tenants.toml` beside the file names has the database that it names there, unless a flag or a variable says another.

mod file;
mod show;
mod starter;
mod tenants;
#[cfg(test)]
mod tests;
mod variables;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use isp_core::ids::TenantId;
use isp_core::message::Sender;
use isp_core::retention::Retention;
use isp_core::text::Language;
use isp_core::{Policy, Secret};
use isp_whatsapp::notification::TemplateKind;
use serde::Deserialize;

pub(crate) use file::{read_bytes, read_bytes_to, read_text};
pub(crate) use show::{Setting, masked_address, settings};
pub(crate) use starter::starter;
pub(crate) use tenants::{Map, Tenant};

use crate::failure::Failure;
use file::{file, holds_secret, in_file, others_may_read};
use variables::{counting, moved, ours, overlay};

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
    /// What stands on invoices and receipts besides.
    pub(crate) paper: Paper,
    /// Through what customers pay.
    pub(crate) payment: Paying,
    /// Payment gateways, by the name that they have here and in the books.
    pub(crate) gateway: BTreeMap<String, Gateway>,
    /// Banks that ask what is owed on a virtual account, and tell that it was paid, by the name that they have here and in the books.
    pub(crate) snap: BTreeMap<String, Snap>,
    /// Moota, which tells of the mutations of accounts that it reads at their banks.
    pub(crate) moota: Option<Moota>,
    /// Phones that pass on notifications of money, by their name here.
    pub(crate) phone: BTreeMap<String, Phone>,
    /// The sending number.
    pub(crate) whatsapp: WhatsApp,
    /// How routers are kept.
    pub(crate) mikrotik: isp_mikrotik::Settings,
    /// Routers whose lines are in FreeRADIUS.
    pub(crate) radius: isp_radius::Settings,
    /// How long is kept what is no part of the books.
    pub(crate) retention: Retention,
    /// Limits of a run.
    pub(crate) worker: Worker,
    /// How `isp serve` listens.
    pub(crate) serve: isp_serve::Settings,
    /// True in the settings that `isp sandbox` writes: then no variable and no flag leads to the real provider.
    pub(crate) sandbox: bool,
    /// The map of providers to databases.
    #[serde(skip)]
    pub(crate) tenants: Map,
    /// The settings file, when it holds a secret that others than its owner may read.
    #[serde(skip)]
    pub(crate) exposed: Option<PathBuf>,
    /// True when there is a settings file.
    #[serde(skip)]
    pub(crate) has_file: bool,
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
            paper: Paper::default(),
            payment: Paying::default(),
            gateway: BTreeMap::new(),
            snap: BTreeMap::new(),
            moota: None,
            phone: BTreeMap::new(),
            whatsapp: WhatsApp::default(),
            mikrotik: isp_mikrotik::Settings::default(),
            radius: isp_radius::Settings::default(),
            retention: Retention::default(),
            worker: Worker::default(),
            serve: isp_serve::Settings::default(),
            sandbox: false,
            tenants: Map::default(),
            exposed: None,
            has_file: false,
        }
    }
}

/// What stands on invoices and receipts besides the provider's name, ways to pay and contact.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Paper {
    /// The provider's address, a line each.
    pub(crate) address: Vec<String>,
    /// The provider's tax number.
    pub(crate) npwp: Option<String>,
    /// A picture: PNG, JPEG or WEBP.
    pub(crate) logo: Option<PathBuf>,
    /// `A4` or `A5`.
    pub(crate) size: Option<String>,
}

impl Paper {
    /// At most so many lines of an address, and so many signs in a line.
    const LINES: usize = 5;
    const LONGEST: usize = 100;

    /// Which key is wrong, and why.
    fn checked(self) -> Result<Self, (&'static str, &'static str)> {
        let long = |text: &String| text.chars().count() > Self::LONGEST || text.chars().any(char::is_control);
        if self.address.len() > Self::LINES {
            return Err(("address", "has more than 5 lines"));
        }
        if self.address.iter().any(long) {
            return Err(("address", "has a line that is longer than 100 signs, or a control sign"));
        }
        if self.npwp.as_ref().is_some_and(long) {
            return Err(("npwp", "is longer than 100 signs, or has a control sign"));
        }
        if self.size.as_deref().is_some_and(|size| isp_serve::papers::Sheet::parse(size).is_none()) {
            return Err(("size", "is not A4 or A5"));
        }
        Ok(self)
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

/// A bank that calls us by SNAP BI.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Snap {
    /// Our number at the bank, 1 to 8 digits.
    pub(crate) service_id: String,
    /// What customers read in front of their number.
    pub(crate) label: String,
    /// What the bank calls itself when it wants a token.
    pub(crate) client_key: String,
    /// What it calls itself in each call.
    pub(crate) partner_id: String,
    /// A file with the bank's public RSA key, PEM.
    pub(crate) public_key_file: Option<PathBuf>,
    /// The secret of both sides; better given by `ISP_SNAP__NAME__CLIENT_SECRET` or a file.
    pub(crate) client_secret: Option<Secret>,
    /// A file that holds it.
    pub(crate) client_secret_file: Option<PathBuf>,
    /// A secret of ours alone, of 32 signs or more; better given by `ISP_SNAP__NAME__TOKEN_KEY` or a file.
    pub(crate) token_key: Option<Secret>,
    /// A file that holds it.
    pub(crate) token_key_file: Option<PathBuf>,
    /// The service code of payments, where it is not 25.
    pub(crate) payment_service: Option<u8>,
    /// `subCompany`, where it is not 00000.
    pub(crate) sub_company: Option<String>,
    /// True when the payer may type another amount than is owed.
    pub(crate) open_amount: bool,
}

/// The webhooks of moota.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Moota {
    /// The secret token of its webhook; better given by `ISP_MOOTA__SECRET` or a file.
    pub(crate) secret: Option<Secret>,
    /// A file that holds it.
    pub(crate) secret_file: Option<PathBuf>,
}

/// A phone that passes on notifications of money.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Phone {
    /// What it calls itself (`device_key`); its name here when it is not set.
    pub(crate) key: Option<String>,
    /// The secret of both, of 16 signs or more; better given by `ISP_PHONE__NAME__SECRET` or a file.
    pub(crate) secret: Option<Secret>,
    /// A file that holds it.
    pub(crate) secret_file: Option<PathBuf>,
    /// The number or a name of the account on which the money is.
    pub(crate) account: Option<String>,
    /// The bank, as the provider of payments, where it is to be another one than `bank`.
    pub(crate) bank: Option<String>,
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
    /// Kinds of message whose templates have a document above the text.
    pub(crate) documents: Vec<String>,
    /// Another address, such as a simulator's.
    pub(crate) base_url: Option<String>,
    /// Another Graph version.
    pub(crate) graph_version: Option<String>,
    /// The longest one call may take.
    pub(crate) deadline_seconds: Option<u64>,
}

impl WhatsApp {
    /// The kinds whose templates have a document.
    pub(crate) fn document_kinds(&self) -> Vec<TemplateKind> {
        self.documents.iter().filter_map(|word| document_kind(word)).collect()
    }
}

/// The kind of message of this code, where its template may have a document.
fn document_kind(word: &str) -> Option<TemplateKind> {
    TemplateKind::WITH_DOCUMENT.into_iter().find(|kind| kind.code() == word)
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
    pub(crate) tenant: Option<String>,
    pub(crate) key_file: Option<PathBuf>,
    pub(crate) language: Option<Language>,
    pub(crate) officer: Option<String>,
}

impl Config {
    /// Reads all sources.
    pub(crate) fn load(
        overrides: &Overrides,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, Failure> {
        let variables = ours(variables);
        let path = file(overrides, &variables);
        let mut table = in_file(path.as_deref(), overrides, &variables)?;
        let exposed = path.clone().filter(|path| holds_secret(&table) && others_may_read(path));
        for (name, value) in counting(&table, &variables) {
            overlay(&mut table, &name, &value)?;
        }
        moved(&mut table);
        let tenants = mapped(&mut table, path.as_deref(), overrides, &variables)?;
        let located = |failure| located(failure, path.as_deref(), &variables);
        let config: Self = toml::Value::Table(table).try_into().map_err(|error: toml::de::Error| {
            let (key, reason) = key_and_reason(&error);
            match key {
                Some(place) => located(Failure::Config { place, reason }),
                None => Failure::Config { place: "isp.toml, ISP_*".to_owned(), reason },
            }
        })?;
        if let (true, Some(_)) = (config.sandbox, &overrides.database) {
            return Err(Failure::Usage { problem: "sandbox_database", what: "--database".to_owned() });
        }
        if let (true, Some(_)) = (config.sandbox, &overrides.tenant) {
            return Err(Failure::Usage { problem: "sandbox_database", what: "--tenant".to_owned() });
        }
        let has_file = path.is_some();
        Self { exposed, tenants, has_file, ..config }.with(overrides).checked().map_err(located)
    }

    /// All that the sources say, as one table. Defaults are not in it.
    pub(crate) fn said(
        flags: &Overrides,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<toml::Table, Failure> {
        let variables = ours(variables);
        let path = file(flags, &variables);
        let mut table = in_file(path.as_deref(), flags, &variables)?;
        for (name, value) in counting(&table, &variables) {
            overlay(&mut table, &name, &value)?;
        }
        moved(&mut table);
        mapped(&mut table, path.as_deref(), flags, &variables)?;
        let given = [
            ("database", flags.database.clone()),
            ("key_file", flags.key_file.as_ref().map(|path| path.display().to_string())),
            ("language", flags.language.map(|language| language.code().to_owned())),
            ("officer", flags.officer.clone()),
        ];
        table.extend(given.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.into()))));
        Ok(table)
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

    /// True when messages can be sent, and those that ask for money do not say who asks.
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
        let retention = self.retention.checked().map_err(|error| match error {
            isp_core::Error::Policy { field, reason } => bad(&format!("retention.{field}"), reason.to_owned()),
            other => bad("retention", other.to_string()),
        })?;
        let radius = self.radius.checked().map_err(|(key, reason)| bad(&format!("radius.{key}"), reason.to_owned()))?;
        let serve = self.serve.checked().map_err(|(key, reason)| bad(&format!("serve.{key}"), reason.to_owned()))?;
        let provider =
            self.provider.map(Sender::checked).transpose().map_err(|error| bad("provider", error.to_string()))?;
        if self.whatsapp.documents.iter().any(|word| document_kind(word).is_none()) {
            let reason = "names a kind of message that has no document; due_soon, overdue, isolated and payment_received have one";
            return Err(bad("whatsapp.documents", reason.into()));
        }
        let mut mikrotik = self.mikrotik;
        if let Some(redirect) = mikrotik.redirect.take() {
            let checked = redirect.checked(&mikrotik.isolation_list, mikrotik.isolation_pool.as_deref());
            let wrong = |(key, reason): (String, &str)| bad(&format!("mikrotik.redirect.{key}"), reason.to_owned());
            mikrotik.redirect = Some(checked.map_err(wrong)?);
        }
        let paper = self.paper.checked().map_err(|(key, reason)| bad(&format!("paper.{key}"), reason.to_owned()))?;
        Ok(Self { policy, provider, paper, mikrotik, radius, retention, serve, ..self })
    }
}

/// Puts the id and the database of the provider into the table that the map says for its name, and gives back the map.
fn mapped(
    table: &mut toml::Table,
    path: Option<&Path>,
    flags: &Overrides,
    variables: &[(String, String)],
) -> Result<Map, Failure> {
    let map = Map::beside(path)?;
    let wanted = flags.tenant.clone().or_else(|| Some(table.get("tenant")?.as_str()?.to_owned()));
    let named = wanted.clone().unwrap_or_else(|| TenantId::DEFAULT.to_string());
    match map.find(&named) {
        Some(tenant) => {
            table.insert("tenant".to_owned(), tenant.id.to_string().into());
            if !variables.iter().any(|(name, value)| name == "ISP_DATABASE" && !value.is_empty()) {
                table.insert("database".to_owned(), tenant.database.clone().into());
            }
        }
        // One that nobody named may be in the database of the settings.
        None => {
            if let Some(wanted) = wanted {
                if wanted.parse::<uuid::Uuid>().is_err() {
                    return Err(Failure::NotFound { noun: "tenant", code: wanted });
                }
                table.insert("tenant".to_owned(), wanted.into());
            }
        }
    }
    Ok(map)
}

/// The failure of a key with where it was said: the variable that sets it, else the file.
fn located(failure: Failure, path: Option<&Path>, variables: &[(String, String)]) -> Failure {
    let Failure::Config { place: key, reason } = failure else { return failure };
    // The key of an unknown one is in the reason, and that of its table stands here.
    let unknown = reason.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next());
    let whole = unknown.map_or_else(|| key.clone(), |name| format!("{key}.{name}"));
    let variable = format!("ISP_{}", whole.replace('.', "__").to_ascii_uppercase());
    let below = format!("{variable}__");
    let named = variables.iter().map(|(name, _)| name).find(|name| **name == variable || name.starts_with(&below));
    let place = match (named, path) {
        (Some(name), _) => format!("{key} ({name})"),
        (None, Some(path)) => format!("{key} ({})", path.display()),
        (None, None) => key,
    };
    Failure::Config { place, reason }
}

/// Which key an error is about, and what is wrong with it.
fn key_and_reason(error: &toml::de::Error) -> (Option<String>, String) {
    // The key stands only in the text, behind the message.
    let text = error.to_string();
    let key = text.lines().rev().find_map(|line| line.strip_prefix("in `")?.strip_suffix('`').map(str::to_owned));
    (key, error.message().to_owned())
}
