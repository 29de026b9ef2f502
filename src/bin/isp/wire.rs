//! From settings to adapters.

use std::sync::Arc;
use std::time::Duration;

use isp_core::ports::{Store, StoreError};
use isp_mikrotik::MikrotikAccess;
use isp_store::Vault;
use isp_whatsapp::cloud::{CloudClient, CloudConfig};
use secrecy::SecretString;

use crate::config::Config;
use crate::failure::Failure;

/// The variable that may hold the keys instead of a file.
const MASTER_KEY: &str = "ISP_MASTER_KEY";

/// Opens the store of the settings.
pub(crate) async fn store(config: &Config) -> anyhow::Result<Arc<dyn Store>> {
    let url = database(config)?;
    match isp_store::open(url, vault(config)?).await {
        Err(StoreError::Rejected { reason }) => Err(Failure::Database(reason).into()),
        other => Ok(other?),
    }
}

/// The database of the settings.
pub(crate) fn database(config: &Config) -> Result<&str, Failure> {
    config.database.as_deref().ok_or_else(|| Failure::Database("no database is configured".into()))
}

fn vault(config: &Config) -> anyhow::Result<Vault> {
    if std::env::var_os(MASTER_KEY).is_some() {
        return Ok(Vault::from_env(MASTER_KEY)?);
    }
    let missing = || Failure::Config { place: "key_file".into(), reason: "is not set".into() };
    Ok(Vault::from_file(config.key_file.as_ref().ok_or_else(missing)?)?)
}

/// The adapter for routers.
pub(crate) fn routers(config: &Config) -> MikrotikAccess {
    MikrotikAccess::new(config.mikrotik.clone())
}

/// The messenger; `None` when no sending number is set up.
pub(crate) fn messenger(config: &Config) -> anyhow::Result<Option<CloudClient>> {
    let settings = &config.whatsapp;
    let Some(number) = &settings.phone_number_id else { return Ok(None) };
    let mut cloud = CloudConfig::new(number, token(config)?);
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

fn token(config: &Config) -> Result<SecretString, Failure> {
    let settings = &config.whatsapp;
    if let Some(token) = &settings.access_token {
        return Ok(SecretString::from(token.reveal().to_owned()));
    }
    let Some(path) = &settings.access_token_file else {
        let reason = "neither access_token_file nor ISP_WHATSAPP__ACCESS_TOKEN is set".to_owned();
        return Err(Failure::Config { place: "whatsapp".into(), reason });
    };
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::File { path: path.display().to_string(), reason: error.kind().to_string() })?;
    Ok(SecretString::from(text.trim().to_owned()))
}
