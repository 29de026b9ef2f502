//! Files that appear whole or not at all: written into a folder of their own beside the place where they belong, checked,
//! and then given their name, which nothing else must have.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use isp_core::text::hex;
use sha2::{Digest as _, Sha256};
use tempfile::{Builder, TempDir, TempPath};

use super::report::BackupError;
use crate::keyfile::beside;

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

    /// Gives the file its name and a checksum beside it, in the form of `sha256sum`, when it is safely on the disk. The
    /// checksum is there first: one that lies alone was left by a process that was killed, and is replaced.
    pub(super) fn finish_proved(self, taken: fn(String) -> BackupError) -> Result<(), BackupError> {
        if self.to.symlink_metadata().is_ok() {
            return Err(taken(self.to.display().to_string()));
        }
        let (made, to) = (self.dir.path().join("checksum"), checksum_of(&self.to));
        let failed = |error: std::io::Error| BackupError::file(&to, &error);
        let name = self.to.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let line = format!("{}  {name}\n", sha256(&self.file)?);
        std::fs::write(&made, line).and_then(|()| std::fs::File::open(&made)?.sync_all()).map_err(failed)?;
        std::fs::rename(&made, &to).map_err(failed)?;
        self.finish(taken)
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

/// Where the checksum of a copy lies: `FILE.sha256`, as `sha256sum` writes it.
#[must_use]
pub fn checksum_of(copy: &Path) -> PathBuf {
    beside(copy, ".sha256")
}

/// Compares a file with the checksum that lies beside the copy `from`; false when none does.
pub(super) fn prove(file: &Path, from: &Path) -> Result<bool, BackupError> {
    let path = checksum_of(from);
    // Before it is opened: a pipe would be waited for.
    if path.metadata().is_ok_and(|found| !found.is_file()) {
        return Err(BackupError::NotACopy { path: path.display().to_string() });
    }
    let line = match std::fs::read(&path) {
        Ok(line) => line,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(e) => return Err(BackupError::file(&path, &e)),
    };
    let expected = line.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    if expected.eq_ignore_ascii_case(sha256(file)?.as_bytes()) {
        return Ok(true);
    }
    let reason = "it does not fit its checksum".to_owned();
    Err(BackupError::Damaged { path: from.display().to_string(), reason })
}

/// The SHA-256 of a file, in hex.
fn sha256(path: &Path) -> Result<String, BackupError> {
    let failed = |error: std::io::Error| BackupError::file(path, &error);
    let mut file = std::fs::File::open(path).map_err(failed)?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0_u8; 64 * 1024]);
    loop {
        match file.read(&mut buffer).map_err(failed)? {
            0 => return Ok(hex(&hash.finalize())),
            read => hash.update(buffer.get(..read).unwrap_or_default()),
        }
    }
}
