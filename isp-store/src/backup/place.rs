//! Files that appear whole or not at all: written into a folder of their own beside the place where they belong, checked,
//! and then given their name, which nothing else must have.

use std::path::{Path, PathBuf};

use tempfile::{Builder, TempDir, TempPath};

use super::report::BackupError;

/// Where a file is made before it has its name. What is in it is gone when it is dropped.
pub(super) struct Workshop {
    dir: TempDir,
    file: PathBuf,
    to: PathBuf,
}

impl Workshop {
    /// A workshop for a file `to`; only its owner may enter it. A process that is killed leaves the folder behind, which
    /// is called `.isp-...` and may be removed.
    pub(super) fn new(to: &Path) -> Result<Self, BackupError> {
        let beside = match to.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let dir = Builder::new().prefix(".isp-").tempdir_in(beside).map_err(|e| BackupError::file(beside, &e))?;
        Ok(Self { file: dir.path().join("copy"), dir, to: to.to_owned() })
    }

    /// The file as it is being made.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// Gives the file its name, when it is safely on the disk. `taken` says what a file that has the name already is.
    pub(super) fn finish(self, taken: fn(String) -> BackupError) -> Result<(), BackupError> {
        let failed = |error: std::io::Error| BackupError::file(&self.to, &error);
        std::fs::File::open(&self.file).and_then(|file| file.sync_all()).map_err(failed)?;
        let path = TempPath::try_from_path(&self.file).map_err(failed)?;
        path.persist_noclobber(&self.to).map_err(|e| match e.error.kind() {
            std::io::ErrorKind::AlreadyExists => taken(self.to.display().to_string()),
            _ => BackupError::file(&self.to, &e.error),
        })?;
        // The name is on the disk when the folder is.
        #[cfg(unix)]
        if let Some(folder) = self.dir.path().parent() {
            std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
        }
        Ok(())
    }
}

/// A path with something behind its name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(suffix);
    PathBuf::from(name)
}
