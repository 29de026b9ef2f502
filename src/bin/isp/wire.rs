//! From settings to adapters.

use std::path::Path;
use std::time::Duration;

use isp_core::Secret;
use isp_core::bank::{BankFormat, account_code};
use isp_core::payment::Channel;
use isp_core::ports::{PaymentGateway, StoreError};
use isp_core::text::Code;
use isp_mikrotik::MikrotikAccess;
use isp_payment::snap::{SnapBank, SnapSettings};
use isp_payment::told::moota::Moota;
use isp_payment::told::phone::Phone;
use isp_payment::{GatewayKind, GatewaySettings};
use isp_serve::papers::{Letterhead, Logo, Sheet};
use isp_serve::told::{MootaHook, PhoneHook};
use isp_store::{SqlStore, Vault, VaultError};
use isp_whatsapp::catalog::TemplateCatalog;
use isp_whatsapp::cloud::{CloudClient, CloudConfig};
use isp_whatsapp::error::WhatsAppError;
use secrecy::SecretString;

use crate::config::{Config, Gateway, Phone as PhoneSettings, Snap, read_bytes_to, read_text};
use crate::failure::Failure;
use crate::routers::Routers;

/// The variable that may hold the keys instead of a file.
pub(crate) const MASTER_KEY: &str = "ISP_MASTER_KEY";

/// Opens the store of the settings with its key.
pub(crate) async fn store(config: &Config) -> anyhow::Result<SqlStore> {
    let url = database(config)?;
    not_emptied(config)?;
    let vault = match vault(config) {
        Ok(vault) => vault,
        Err(error) => return Err(lost(error, url).await),
    };
    Ok(SqlStore::open(url, vault).await?)
}

/// Opens the store of the settings to read only: when the key is not there or does not fit, without it, and with the
/// reason for that.
pub(crate) async fn reader(config: &Config) -> anyhow::Result<(SqlStore, Option<anyhow::Error>)> {
    let error = match store(config).await {
        Ok(store) => return Ok((store, None)),
        Err(error) => error,
    };
    let missing = matches!(
        error.downcast_ref(),
        Some(VaultError::Missing { .. } | VaultError::Lost { .. } | VaultError::NotSet { .. })
    );
    if missing || matches!(error.downcast_ref(), Some(StoreError::WrongKey)) {
        return Ok((SqlStore::open(database(config)?, Vault::locked()).await?, Some(error)));
    }
    Err(error)
}

/// Tells a key that is lost from one that was never made: the first is beside a database that it sealed.
pub(crate) async fn lost(error: anyhow::Error, url: &str) -> anyhow::Error {
    match error.downcast_ref() {
        Some(VaultError::Missing { path }) if isp_store::has_key(url).await.unwrap_or(false) => {
            VaultError::Lost { path: path.clone() }.into()
        }
        _ => error,
    }
}

/// Refuses an empty database file beside a key: tables in it would hide that everything is lost.
pub(crate) fn not_emptied(config: &Config) -> Result<(), Failure> {
    let Some(key) = config.key_file.as_ref().filter(|key| key.exists()) else { return Ok(()) };
    let Some(path) = database(config)?.strip_prefix("sqlite:") else { return Ok(()) };
    let path = Path::new(path.strip_prefix("//").unwrap_or(path));
    if path.metadata().is_ok_and(|found| found.is_file() && found.len() == 0) {
        let (path, key) = (path.display().to_string(), key.display().to_string());
        return Err(Failure::Emptied { path, key });
    }
    Ok(())
}

/// The database of the settings.
pub(crate) fn database(config: &Config) -> Result<&str, Failure> {
    let none = || if config.has_file { Failure::NoDatabase } else { Failure::NoSettings };
    config.database.as_deref().ok_or_else(none)
}

/// What stands on papers besides the provider's name, ways to pay and contact.
pub(crate) fn letterhead(config: &Config) -> Result<Letterhead, Failure> {
    let paper = &config.paper;
    let bad = |key: &str, reason: &str| Failure::Config { place: format!("paper.{key}"), reason: reason.to_owned() };
    let logo = match &paper.logo {
        None => None,
        Some(path) => {
            let failed = |reason| Failure::File { path: path.display().to_string(), reason };
            let content = read_bytes_to(path, Logo::LARGEST as u64 + 1).map_err(failed)?;
            Some(Logo::of(&content).ok_or_else(|| {
                bad("logo", "is no PNG, JPEG or WEBP that can be read, of 512 KB and 4 million pixels at most")
            })?)
        }
    };
    let size = paper.size.as_deref().map_or(Some(Sheet::A4), Sheet::parse);
    let size = size.ok_or_else(|| bad("size", "is not A4 or A5"))?;
    Ok(Letterhead { address: paper.address.clone(), npwp: paper.npwp.clone(), logo, size })
}

/// The keys of the settings.
pub(crate) fn vault(config: &Config) -> anyhow::Result<Vault> {
    if std::env::var_os(MASTER_KEY).is_some() {
        return Ok(Vault::from_env(MASTER_KEY)?);
    }
    let missing = || Failure::Config { place: "key_file".into(), reason: "is not set".into() };
    Ok(Vault::from_file(config.key_file.as_ref().ok_or_else(missing)?)?)
}

/// All routers of the settings.
pub(crate) fn access(config: &Config) -> Routers {
    Routers::new(config)
}

/// The adapter for routers that hold their lines themselves.
pub(crate) fn routers(config: &Config) -> MikrotikAccess {
    MikrotikAccess::new(config.mikrotik.clone())
}

/// The messenger; `None` when no sending number is set up.
pub(crate) fn messenger(config: &Config) -> anyhow::Result<Option<CloudClient>> {
    let settings = &config.whatsapp;
    let Some(number) = &settings.phone_number_id else { return Ok(None) };
    let mut cloud = CloudConfig::new(number, token(config)?).with_templates(templates(config)?);
    if let Some(url) = &settings.base_url {
        cloud = cloud.with_base_url(url);
    }
    if let Some(version) = &settings.graph_version {
        cloud = cloud.with_graph_version(version);
    }
    if let Some(seconds) = settings.deadline_seconds {
        cloud = cloud.with_deadline(Duration::from_secs(seconds));
    }
    Ok(Some(CloudClient::try_new(cloud)?))
}

/// The app secret and the verify token of WhatsApp's webhook; `None` when none is set up.
pub(crate) fn webhook_secrets(config: &Config) -> Result<Option<(SecretString, SecretString)>, Failure> {
    let settings = &config.whatsapp;
    let app_secret = match (&settings.app_secret, &settings.app_secret_file) {
        (Some(secret), _) => secret.reveal().to_owned(),
        (None, Some(path)) => {
            let text = read_text(path).map_err(|reason| Failure::File { path: path.display().to_string(), reason })?;
            text.trim().to_owned()
        }
        (None, None) => return Ok(None),
    };
    if app_secret.trim().is_empty() {
        // Anybody could sign with it.
        return Err(Failure::Config { place: "whatsapp.app_secret".into(), reason: "is empty".into() });
    }
    let verify = settings.verify_token.as_ref().map(|token| token.reveal().to_owned()).unwrap_or_default();
    Ok(Some((SecretString::from(app_secret), SecretString::from(verify))))
}

/// The templates that messages name: with a provider's name set, those that say it; with a document for the kinds that are set.
pub(crate) fn templates(config: &Config) -> Result<TemplateCatalog, WhatsAppError> {
    let templates = match &config.provider {
        Some(_) => TemplateCatalog::with_sender(),
        None => TemplateCatalog::standard(),
    };
    templates.with_documents(&config.whatsapp.document_kinds())
}

fn token(config: &Config) -> Result<SecretString, Failure> {
    let settings = &config.whatsapp;
    if let Some(token) = &settings.access_token {
        return Ok(SecretString::from(token.reveal().to_owned()));
    }
    let Some(path) = &settings.access_token_file else {
        let reason = "neither access_token_file nor ISP_WHATSAPP__ACCESS_TOKEN is set".to_owned();
        return Err(Failure::Config { place: "whatsapp".into(), reason });
    };
    let text = read_text(path).map_err(|reason| Failure::File { path: path.display().to_string(), reason })?;
    Ok(SecretString::from(text.trim().to_owned()))
}

/// The payment gateways of the settings, by name; one that cannot work costs the others nothing.
pub(crate) fn gateways(config: &Config) -> Vec<(String, anyhow::Result<Box<dyn PaymentGateway>>)> {
    config.gateway.iter().map(|(name, settings)| (name.clone(), gateway_of(name, settings))).collect()
}

/// The payment gateway of this name.
pub(crate) fn gateway(config: &Config, name: &Code) -> anyhow::Result<Box<dyn PaymentGateway>> {
    let found = config.gateway.iter().find(|(known, _)| known.eq_ignore_ascii_case(name.as_str()));
    let missing = || Failure::Config { place: format!("gateway.{name}"), reason: "is not set".into() };
    let (name, settings) = found.ok_or_else(missing)?;
    gateway_of(name, settings)
}

/// A secret of the settings, or the text of the file that holds it.
fn secret(given: &Option<Secret>, file: &Option<std::path::PathBuf>) -> Result<Option<SecretString>, Failure> {
    match (given, file) {
        (Some(secret), _) => Ok(Some(SecretString::from(secret.reveal().to_owned()))),
        (None, Some(path)) => {
            let text = read_text(path).map_err(|reason| Failure::File { path: path.display().to_string(), reason })?;
            Ok(Some(SecretString::from(text.trim().to_owned())))
        }
        (None, None) => Ok(None),
    }
}

/// The banks of the settings that call us, by name; one that cannot work costs the others nothing.
pub(crate) fn banks(config: &Config) -> Vec<(String, anyhow::Result<SnapBank>)> {
    config.snap.iter().map(|(name, settings)| (name.clone(), bank_of(name, settings, config))).collect()
}

fn bank_of(name: &str, given: &Snap, config: &Config) -> anyhow::Result<SnapBank> {
    let bad = |reason: String| Failure::Config { place: format!("snap.{name}"), reason };
    let code = Code::parse("snap", name).map_err(|error| bad(error.to_string()))?;
    if Channel::of_provider(&code) != Channel::Gateway {
        return Err(bad("the name is that of cash or a bank".to_owned()).into());
    }
    if config.gateway.keys().any(|known| known.eq_ignore_ascii_case(name)) {
        return Err(bad("a payment gateway has the same name".to_owned()).into());
    }
    if config.snap.keys().any(|known| known != name && known.eq_ignore_ascii_case(name)) {
        return Err(bad("another bank has the same name, in other letters".to_owned()).into());
    }
    let Some(path) = &given.public_key_file else {
        return Err(bad("public_key_file is not set".to_owned()).into());
    };
    let mut settings = SnapSettings::new(code);
    settings.public_key =
        read_text(path).map_err(|reason| Failure::File { path: path.display().to_string(), reason })?;
    settings.service_id.clone_from(&given.service_id);
    settings.label.clone_from(&given.label);
    settings.client_key.clone_from(&given.client_key);
    settings.partner_id.clone_from(&given.partner_id);
    settings.client_secret = secret(&given.client_secret, &given.client_secret_file)?.unwrap_or_default();
    settings.token_key = secret(&given.token_key, &given.token_key_file)?.unwrap_or_default();
    settings.open_amount = given.open_amount;
    if let Some(service) = given.payment_service {
        settings.payment_service = service;
    }
    if let Some(sub_company) = &given.sub_company {
        settings.sub_company.clone_from(sub_company);
    }
    Ok(SnapBank::try_new(settings).map_err(|error| bad(error.to_string()))?)
}

/// Moota, as the settings have it; `None` when nothing is said of it.
pub(crate) fn moota(config: &Config) -> anyhow::Result<Option<Moota>> {
    let bad = |reason: String| Failure::Config { place: "moota".to_owned(), reason };
    let Some(moota) = &config.moota else { return Ok(None) };
    let token = secret(&moota.secret, &moota.secret_file)?;
    let token = token.ok_or_else(|| bad("secret_file is not set".to_owned()))?;
    path_is_free(config, MootaHook::NAME).map_err(bad)?;
    Ok(Some(Moota::try_new(token).map_err(|error| bad(error.to_string()))?))
}

/// The phones of the settings, by name; one that cannot work costs the others nothing.
pub(crate) fn phones(config: &Config) -> Vec<(String, anyhow::Result<Phone>)> {
    config.phone.iter().map(|(name, settings)| (name.clone(), phone_of(name, settings, config))).collect()
}

fn phone_of(name: &str, given: &PhoneSettings, config: &Config) -> anyhow::Result<Phone> {
    let bad = |reason: String| Failure::Config { place: format!("phone.{name}"), reason };
    path_is_free(config, PhoneHook::NAME).map_err(bad)?;
    let code = Code::parse("phone", name).map_err(|error| bad(error.to_string()))?;
    // What they tell is told apart by these names.
    if BankFormat::parse(&code.folded()).is_ok() {
        let taken = BankFormat::ALL.map(BankFormat::code).join(", ");
        return Err(bad(format!("the name is one of {taken}")).into());
    }
    let key_of = |name: &str, phone: &PhoneSettings| phone.key.clone().unwrap_or_else(|| name.to_owned());
    let key = key_of(name, given);
    let same = |(other, phone): (&String, &PhoneSettings)| {
        other != name && (other.eq_ignore_ascii_case(name) || key_of(other, phone) == key)
    };
    if config.phone.iter().any(same) {
        return Err(bad("another phone has the same name or key".to_owned()).into());
    }
    let account = given.account.as_deref().ok_or_else(|| bad("account is not set".to_owned()))?;
    let account = account_code(account).map_err(|error| bad(error.to_string()))?;
    let bank = given.bank.as_deref().map(|bank| Code::parse("bank", bank)).transpose();
    let bank = bank.map_err(|error| bad(error.to_string()))?;
    if bank.as_ref().is_some_and(|bank| Channel::of_provider(bank) != Channel::Bank) {
        return Err(bad("bank is not bca, bni, bri, bsi, mandiri or bank".to_owned()).into());
    }
    let secret = secret(&given.secret, &given.secret_file)?;
    let secret = secret.ok_or_else(|| bad("secret_file is not set".to_owned()))?;
    Ok(Phone::try_new(code, &key, secret, account, bank).map_err(|error| bad(error.to_string()))?)
}

/// Whether nobody else has the path `/hooks/NAME`.
fn path_is_free(config: &Config, name: &str) -> Result<(), String> {
    match config.gateway.keys().chain(config.snap.keys()).find(|known| known.eq_ignore_ascii_case(name)) {
        Some(known) => Err(format!("a payment gateway or a bank is called {known}, and has the path /hooks/{name}")),
        None => Ok(()),
    }
}

fn gateway_of(name: &str, given: &Gateway) -> anyhow::Result<Box<dyn PaymentGateway>> {
    let bad = |reason: String| Failure::Config { place: format!("gateway.{name}"), reason };
    let code = Code::parse("gateway", name).map_err(|error| bad(error.to_string()))?;
    if Channel::of_provider(&code) != Channel::Gateway {
        return Err(bad("the name is that of cash or a bank".to_owned()).into());
    }
    let kind = given.kind.as_deref().unwrap_or(name).to_ascii_lowercase();
    let kind = GatewayKind::ALL.into_iter().find(|known| known.name() == kind);
    let kind =
        kind.ok_or_else(|| bad("kind is not midtrans, xendit, tripay, tripay-open, duitku or duitku-pop".to_owned()))?;
    let variable = name.to_ascii_uppercase();
    let missing = || bad(format!("neither key_file nor ISP_GATEWAY__{variable}__KEY is set"));
    let key = secret(&given.key, &given.key_file)?.ok_or_else(missing)?;
    let mut settings = GatewaySettings::new(code, kind, key);
    settings.sandbox = given.sandbox;
    settings.merchant.clone_from(&given.merchant);
    settings.webhook_key = secret(&given.webhook_key, &given.webhook_key_file)?.unwrap_or_default();
    settings.email.clone_from(&given.email);
    settings.callback_url.clone_from(&given.callback_url);
    settings.base_url.clone_from(&given.base_url);
    if let Some(seconds) = given.deadline_seconds {
        settings.deadline = Duration::from_secs(seconds);
    }
    Ok(isp_payment::gateway(settings).map_err(|error| bad(error.to_string()))?)
}
