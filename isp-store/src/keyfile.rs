//! The key file: made, read, wrapped by a passphrase, and changed as a whole.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::vault::{Vault, VaultError, is_wrapped};
use crate::wrap;

/// A key file is a few lines.
const MAX_FILE: u64 = 16 * 1024;
/// Its first line.
const HEAD: &str = "# isp: whoever has this key can read every NIK and password.\n";

/// A key file that was wrapped, opened.
pub struct Unwrapped {
    /// Its keys.
    pub vault: Vault,
    text: Zeroizing<String>,
}

impl std::fmt::Debug for Unwrapped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Unwrapped(***)")
    }
}

impl Unwrapped {
    /// Writes it as a key file that only its owner may read. One that holds the same stays as it is.
    ///
    /// # Errors
    /// [`VaultError::Exists`] when there is another key already, [`VaultError::File`].
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), VaultError> {
        match write_new(path.as_ref(), &self.text) {
            Err(VaultError::Exists { .. }) if text_of(path.as_ref())? == self.text => Ok(()),
            done => done,
        }
    }
}

impl Vault {
    /// Makes a file with a new random key that only its owner may read (mode 0400).
    ///
    /// # Errors
    /// [`VaultError::Exists`] when there is a file already, [`VaultError::File`], [`VaultError::Random`].
    pub fn generate_key_file(path: impl AsRef<Path>) -> Result<(), VaultError> {
        let text = Zeroizing::new(format!("{HEAD}{}", new_line()?.as_str()));
        write_new(path.as_ref(), &text)
    }

    /// The keys of a file.
    ///
    /// # Errors
    /// [`VaultError::Missing`], [`VaultError::NotAFile`], [`VaultError::File`], [`VaultError::Readable`] when group or
    /// others have any right to it, [`VaultError::Form`], [`VaultError::Wrapped`].
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, VaultError> {
        Self::from_text(&text_of(path.as_ref())?)
    }

    /// Writes the key file, wrapped by a passphrase, as a new file at `to`.
    ///
    /// # Errors
    /// As [`Vault::from_file`]; [`VaultError::PassphraseShort`], [`VaultError::Exists`] when `to` is there already.
    pub fn wrap_key_file(path: impl AsRef<Path>, to: impl AsRef<Path>, passphrase: &str) -> Result<(), VaultError> {
        let text = text_of(path.as_ref())?;
        Self::from_text(&text)?;
        write_new(to.as_ref(), &wrap::wrap(&text, passphrase)?)
    }

    /// Opens a wrapped key file.
    ///
    /// # Errors
    /// [`VaultError::NotWrapped`], [`VaultError::Passphrase`]; [`VaultError::WrappedMissing`] and [`VaultError::File`].
    pub fn unwrap_key_file(path: impl AsRef<Path>, passphrase: &str) -> Result<Unwrapped, VaultError> {
        let text = text_of(path.as_ref()).map_err(|error| match error {
            VaultError::Missing { path } => VaultError::WrappedMissing { path },
            // A database, or a key file as it is.
            VaultError::Form | VaultError::Readable { .. } => VaultError::NotWrapped,
            error => error,
        })?;
        let text = wrap::unwrap(&text, passphrase)?;
        Ok(Unwrapped { vault: Self::from_text(&text)?, text })
    }
}

/// A key file that is held, so that nobody else changes it. The lock is a file beside it, `FILE.lock`, which the system
/// gives up when the process dies.
#[derive(Debug)]
pub struct KeyFile {
    path: PathBuf,
    _lock: Option<File>,
}

impl KeyFile {
    /// Holds a key file to change it; `None` while another process holds it. It is taken before the file is read: two
    /// changes that begin with the same keys would each drop what the other sealed with.
    ///
    /// # Errors
    /// [`VaultError::Missing`], [`VaultError::File`].
    pub fn hold(path: impl AsRef<Path>) -> Result<Option<Self>, VaultError> {
        let (path, lock) = Self::lock_of(path.as_ref())?;
        let lock = lock.map_err(file_error)?;
        let taken = taken(lock.try_lock())?;
        Ok(taken.then_some(Self { path, _lock: Some(lock) }))
    }

    /// Holds a key file as it is; `None` while another process changes it. Where this process may not write beside it,
    /// nothing is held.
    ///
    /// # Errors
    /// As [`KeyFile::hold`].
    pub fn keep_still(path: impl AsRef<Path>) -> Result<Option<Self>, VaultError> {
        use std::io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
        let (path, lock) = Self::lock_of(path.as_ref())?;
        let lock = match lock {
            Err(e) if matches!(e.kind(), PermissionDenied | ReadOnlyFilesystem) => None,
            lock => Some(lock.map_err(file_error)?),
        };
        let taken = lock.as_ref().map_or(Ok(true), |lock| taken(lock.try_lock_shared()))?;
        Ok(taken.then_some(Self { path, _lock: lock }))
    }

    fn lock_of(path: &Path) -> Result<(PathBuf, std::io::Result<File>), VaultError> {
        // Through a link, so that the file that it names is held and replaced, and not the link.
        let path = std::fs::canonicalize(path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => VaultError::Missing { path: path.display().to_string() },
            _ => file_error(e),
        })?;
        let mut options = File::options();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let lock = options.open(beside(&path, ".lock"));
        Ok((path, lock))
    }

    /// The keys of the file.
    ///
    /// # Errors
    /// As [`Vault::from_file`].
    pub fn vault(&self) -> Result<Vault, VaultError> {
        Vault::from_file(&self.path)
    }

    /// Writes these keys beside a copy, wrapped by a passphrase, as a new file at `to`, and says what they are and whether
    /// it was made. One that is there with the same keys and the same passphrase, left by a backup that was killed, stays.
    ///
    /// # Errors
    /// As [`Vault::wrap_key_file`].
    pub fn wrap_beside(&self, to: impl AsRef<Path>, passphrase: &str) -> Result<(Vault, bool), VaultError> {
        let text = text_of(&self.path)?;
        let vault = Vault::from_text(&text)?;
        match write_new(to.as_ref(), &wrap::wrap(&text, passphrase)?) {
            Ok(()) => Ok((vault, true)),
            Err(error @ VaultError::Exists { .. }) => match Vault::unwrap_key_file(to, passphrase) {
                Ok(there) if there.text == text => Ok((vault, false)),
                _ => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// Puts a new random key before those of the file, which stay: from now on the new one seals.
    ///
    /// # Errors
    /// As [`Vault::from_file`]; [`VaultError::Random`].
    pub fn add_key(&self) -> Result<Vault, VaultError> {
        let text = text_of(&self.path)?;
        let known = Vault::from_text(&text)?.key_names();
        let line = loop {
            let line = new_line()?;
            // Values name their key by four bytes. Two keys of one name would be taken for one.
            if Vault::from_text(&line)?.key_names().iter().all(|name| !known.contains(name)) {
                break line;
            }
        };
        let keys: Zeroizing<String> = Zeroizing::new(key_lines(&text).map(|line| format!("{line}\n")).collect());
        self.replace(&Zeroizing::new(format!("{HEAD}{}{}", line.as_str(), keys.as_str())))
    }

    /// Leaves only the first key in the file, when nothing needs the others any more.
    ///
    /// # Errors
    /// As [`Vault::from_file`].
    pub fn keep_first_key(&self) -> Result<Vault, VaultError> {
        let text = text_of(&self.path)?;
        Vault::from_text(&text)?;
        let first = key_lines(&text).next().unwrap_or_default();
        self.replace(&Zeroizing::new(format!("{HEAD}{first}\n")))
    }

    /// Replaces the file as a whole: whoever reads it sees the old keys or the new ones.
    fn replace(&self, text: &str) -> Result<Vault, VaultError> {
        let vault = Vault::from_text(text)?;
        let new = beside(&self.path, ".new");
        // One that is there was left by a process that was killed before anything knew its key.
        match std::fs::remove_file(&new) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(file_error(e)),
            _ => {}
        }
        write_new(&new, text)?;
        std::fs::rename(&new, &self.path).map_err(file_error)?;
        #[cfg(unix)]
        if let Some(folder) = self.path.parent() {
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(file_error)?;
        }
        Ok(vault)
    }
}

/// True when a lock was taken, false when another process has it.
fn taken(tried: Result<(), TryLockError>) -> Result<bool, VaultError> {
    match tried {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(e)) => Err(file_error(e)),
    }
}

fn key_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// A path with something behind its name.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(suffix);
    PathBuf::from(name)
}

/// A line with a new random key.
fn new_line() -> Result<Zeroizing<String>, VaultError> {
    let mut key = Zeroizing::new([0_u8; 32]);
    getrandom::fill(key.as_mut_slice()).map_err(|_| VaultError::Random)?;
    Ok(Zeroizing::new(format!("{}\n", isp_core::text::hex(key.as_slice()))))
}

/// The text of a file that only its owner may read, unless it is wrapped.
fn text_of(path: &Path) -> Result<Zeroizing<String>, VaultError> {
    // Before it is opened: opening a pipe waits for somebody who writes into it.
    match std::fs::metadata(path) {
        Ok(found) if !found.is_file() => return Err(VaultError::NotAFile),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return Err(VaultError::Missing { path: path.display().to_string() });
        }
        _ => {}
    }
    let file = std::fs::File::open(path).map_err(file_error)?;
    #[cfg(unix)]
    let mode = {
        use std::os::unix::fs::PermissionsExt as _;
        file.metadata().map_err(file_error)?.permissions().mode() & 0o777
    };
    #[cfg(not(unix))]
    let mode = 0;
    let mut text = Zeroizing::new(String::new());
    file.take(MAX_FILE).read_to_string(&mut text).map_err(|e| match e.kind() {
        std::io::ErrorKind::InvalidData => VaultError::Form,
        _ => file_error(e),
    })?;
    if mode & 0o077 != 0 && !is_wrapped(&text) {
        return Err(VaultError::Readable { mode });
    }
    Ok(text)
}

/// Writes a new file that only its owner may read; it has its name when it is whole.
fn write_new(path: &Path, text: &str) -> Result<(), VaultError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut made = tempfile::Builder::new();
    #[cfg(unix)]
    let permissions = {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::Permissions::from_mode(0o400)
    };
    #[cfg(unix)]
    made.permissions(permissions);
    let mut file = made.prefix(".isp-").tempfile_in(folder).map_err(file_error)?;
    file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(file_error)?;
    file.persist_noclobber(path).map_err(|e| match e.error.kind() {
        std::io::ErrorKind::AlreadyExists => VaultError::Exists { path: path.display().to_string() },
        kind => VaultError::File { reason: kind.to_string() },
    })?;
    // The name is on the disk when the folder is.
    #[cfg(unix)]
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(file_error)?;
    Ok(())
}

fn file_error(error: std::io::Error) -> VaultError {
    VaultError::File { reason: error.kind().to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_is_made_once_and_only_for_its_owner() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("isp.key");
        Vault::generate_key_file(&path).unwrap();
        assert_eq!(Vault::generate_key_file(&path).unwrap_err().code(), "vault.exists");
        let vault = Vault::from_file(&path).unwrap();
        assert_eq!(format!("{vault:?}"), "Vault(***)");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o400);
            for mode in [0o440, 0o404, 0o620] {
                std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
                assert_eq!(Vault::from_file(&path).unwrap_err(), VaultError::Readable { mode });
            }
        }
        assert_eq!(Vault::from_file(dir.path().join("none")).unwrap_err().code(), "vault.missing");
        assert_eq!(Vault::from_file(dir.path()).unwrap_err(), VaultError::NotAFile);
        assert_eq!(Vault::from_env("ISP_NO_SUCH_KEY").unwrap_err().code(), "vault.not_set");
    }

    #[test]
    fn a_new_key_seals_and_the_old_one_stays_until_it_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("isp.key");
        Vault::generate_key_file(&path).unwrap();
        let old = Vault::from_file(&path).unwrap().key_names();
        std::fs::write(dir.path().join("isp.key.new"), "left by a process that was killed").unwrap();
        let held = KeyFile::hold(&path).unwrap().unwrap();
        assert!(KeyFile::hold(&path).unwrap().is_none() && KeyFile::keep_still(&path).unwrap().is_none());
        let both = held.add_key().unwrap();
        assert_eq!(both.key_names(), Vault::from_file(&path).unwrap().key_names());
        assert_eq!((both.keys(), &both.key_names()[1]), (2, &old[0]));
        let new = held.keep_first_key().unwrap();
        drop(held);
        let still = [(); 2].map(|()| KeyFile::keep_still(&path).unwrap().unwrap());
        assert!(KeyFile::hold(&path).unwrap().is_none());
        drop(still);
        assert_eq!(KeyFile::hold(dir.path().join("none")).unwrap_err().code(), "vault.missing");
        assert_eq!(new.key_names(), both.key_names()[..1]);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "the key and its lock");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o400);
        }
    }

    #[test]
    fn a_wrapped_key_is_no_key_until_it_is_unwrapped() {
        const PASSPHRASE: &str = "empat kata acak ini";
        let dir = tempfile::tempdir().unwrap();
        let (key, wrapped, back) = (dir.path().join("a"), dir.path().join("b"), dir.path().join("c"));
        Vault::generate_key_file(&key).unwrap();
        assert_eq!(Vault::wrap_key_file(&key, &wrapped, "pendek").unwrap_err(), VaultError::PassphraseShort);
        assert!(!wrapped.exists());
        Vault::wrap_key_file(&key, &wrapped, PASSPHRASE).unwrap();
        assert_eq!(Vault::wrap_key_file(&key, &wrapped, PASSPHRASE).unwrap_err().code(), "vault.exists");
        assert_eq!(Vault::from_file(&wrapped).unwrap_err(), VaultError::Wrapped);
        assert_eq!(Vault::wrap_key_file(&wrapped, &back, PASSPHRASE).unwrap_err(), VaultError::Wrapped);
        let opened = Vault::unwrap_key_file(&wrapped, PASSPHRASE).unwrap();
        opened.write(&back).unwrap();
        assert_eq!(std::fs::read(&key).unwrap(), std::fs::read(&back).unwrap());
        opened.write(&back).unwrap();
        Vault::generate_key_file(dir.path().join("d")).unwrap();
        assert_eq!(opened.write(dir.path().join("d")).unwrap_err().code(), "vault.exists");
        let held = KeyFile::keep_still(&key).unwrap().unwrap();
        assert!(!held.wrap_beside(&wrapped, PASSPHRASE).unwrap().1, "the same again is left as it is");
        assert_eq!(held.wrap_beside(&wrapped, "empat kata acak itu").unwrap_err().code(), "vault.exists");
        assert_eq!(Vault::unwrap_key_file(&key, PASSPHRASE).unwrap_err(), VaultError::NotWrapped);
        let database = dir.path().join("isp.db");
        std::fs::write(&database, b"SQLite format 3\0\x10\0\xff\xfe").unwrap();
        assert_eq!(Vault::unwrap_key_file(&database, PASSPHRASE).unwrap_err(), VaultError::NotWrapped);
        let none = Vault::unwrap_key_file(dir.path().join("none"), PASSPHRASE).unwrap_err();
        assert_eq!(none.code(), "vault.wrapped_missing");
        #[cfg(unix)]
        {
            // It may go over a memory stick or the mail, which know no rights.
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(&wrapped, std::fs::Permissions::from_mode(0o644)).unwrap();
            assert!(Vault::unwrap_key_file(&wrapped, PASSPHRASE).is_ok());
        }
    }
}
