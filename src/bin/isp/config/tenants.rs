//! The map of providers to databases: `tenants.toml` beside the settings file. It gives each a name, by which commands find its database.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use isp_core::ids::TenantId;
use serde::{Deserialize, Serialize};

use super::file::read_text;
use crate::failure::Failure;

const NAME: &str = "tenants.toml";

/// The map, as the file says it; empty where there is none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Map {
    path: PathBuf,
    pub(crate) tenants: Vec<Tenant>,
}

/// A provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tenant {
    /// What it is called on the command line.
    pub(crate) name: String,
    pub(crate) id: TenantId,
    /// Where its rows are: `postgres://...`, or `sqlite:FILE`.
    pub(crate) database: String,
    /// Where it is being moved to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) moving_to: Option<String>,
    /// Where it was moved from, until the rows there are removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) moved_from: Option<String>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    tenant: Vec<Tenant>,
}

impl Map {
    /// Reads the map beside a settings file, or in this folder.
    pub(super) fn beside(settings: Option<&Path>) -> Result<Self, Failure> {
        let path = settings.and_then(Path::parent).unwrap_or(Path::new("")).join(NAME);
        if path.symlink_metadata().is_err() {
            return Ok(Self { path, tenants: Vec::new() });
        }
        let bad = |reason: String| Failure::Config { place: path.display().to_string(), reason };
        let text = read_text(&path).map_err(bad)?;
        // The message alone: a line of the file may hold a password.
        let file: File = toml::from_str(&text).map_err(|error| bad(error.message().to_owned()))?;
        let twice = |by: fn(&Tenant) -> String| {
            let mut seen = std::collections::HashSet::new();
            file.tenant.iter().map(by).find(|what| !seen.insert(what.clone()))
        };
        if let Some(what) = twice(|t| t.name.to_lowercase()).or_else(|| twice(|t| t.id.to_string())) {
            return Err(bad(format!("names {what} twice")));
        }
        Ok(Self { tenants: file.tenant, path })
    }

    /// The provider of a name or an id.
    pub(crate) fn find(&self, wanted: &str) -> Option<&Tenant> {
        self.tenants.iter().find(|t| t.name.eq_ignore_ascii_case(wanted) || t.id.to_string() == wanted.to_lowercase())
    }

    /// Changes the file under a lock, so that two commands at once do not undo each other's changes. What it said meanwhile counts. The
    /// file is replaced as a whole, and only its owner may read it.
    pub(crate) fn change<T>(
        &mut self,
        change: impl FnOnce(&mut Vec<Tenant>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let failed = |error: &std::io::Error| Failure::File {
            path: self.path.display().to_string(),
            reason: error.kind().to_string(),
        };
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let lock = std::fs::File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.path.with_extension("toml.lock"))
            .map_err(|error| failed(&error))?;
        lock.lock().map_err(|error| failed(&error))?;
        let mut tenants = Self::beside(Some(&self.path))?.tenants;
        let done = change(&mut tenants)?;
        let text = toml::to_string(&File { tenant: tenants.clone() })
            .map_err(|error| Failure::Config { place: self.path.display().to_string(), reason: error.to_string() })?;
        let written = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&self.path).map_err(|error| error.error)?;
            // The folder, too, so that the new file is found after a power cut.
            std::fs::File::open(folder)?.sync_all()
        });
        written.map_err(|error| failed(&error))?;
        self.tenants = tenants;
        Ok(done)
    }
}
