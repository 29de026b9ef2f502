//! Who lives: each worker holds a lock on a file of its own beside the database, which the system takes away when the
//! process dies. So what a killed process had claimed is free at once, and what a stopped one has is not.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use isp_core::ids::WorkerId;
use isp_core::ports::StoreError;
use uuid::Uuid;

use crate::error::unavailable;

/// What the name of a worker's file ends with.
const SUFFIX: &str = ".worker";
/// How often a file is made again that somebody cleans up while it is being locked.
const TRIES: u32 = 20;

/// The workers of this process.
#[derive(Default)]
pub(super) struct Workers(Mutex<HashMap<WorkerId, File>>);

impl Workers {
    /// Says that a worker lives.
    pub(super) fn announce(&self, database: &Path, worker: WorkerId) -> Result<(), StoreError> {
        let mut ours = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ours.is_empty() {
            sweep(database)?;
        }
        if let std::collections::hash_map::Entry::Vacant(place) = ours.entry(worker) {
            place.insert(locked(&path(database, worker.0))?);
        }
        Ok(())
    }

    /// Which of these workers are dead.
    pub(super) fn dead(&self, database: &Path, mut workers: Vec<Uuid>) -> Result<Vec<Uuid>, StoreError> {
        let ours = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        workers.retain(|worker| !ours.contains_key(&WorkerId(*worker)));
        let mut dead = Vec::new();
        for worker in workers {
            if is_dead(&path(database, worker))? {
                dead.push(worker);
            }
        }
        Ok(dead)
    }

    /// Takes the files away.
    pub(super) fn leave(&self, database: &Path) {
        let mut ours = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (worker, file) in ours.drain() {
            // What stays is swept by the next worker.
            let _left = std::fs::remove_file(path(database, worker.0));
            drop(file);
        }
    }
}

fn path(database: &Path, worker: Uuid) -> PathBuf {
    let mut name = database.to_owned().into_os_string();
    name.push(format!(".{}{SUFFIX}", worker.simple()));
    PathBuf::from(name)
}

fn failed(error: &std::io::Error) -> StoreError {
    unavailable(format!("the lock file of a worker cannot be used: {}", error.kind()))
}

/// A file that this process has locked, and that is still there under its name.
fn locked(path: &Path) -> Result<File, StoreError> {
    for _ in 0..TRIES {
        let made = File::options().create(true).truncate(false).write(true).open(path);
        let file = made.map_err(|e| failed(&e))?;
        match file.try_lock() {
            Ok(()) if is_same(path, &file) => return Ok(file),
            Ok(()) | Err(TryLockError::WouldBlock) => std::thread::yield_now(),
            Err(TryLockError::Error(error)) => return Err(failed(&error)),
        }
    }
    Err(unavailable("the lock file of a worker cannot be locked"))
}

#[cfg(unix)]
fn is_same(path: &Path, file: &File) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (std::fs::metadata(path), file.metadata()) {
        (Ok(named), Ok(open)) => (named.dev(), named.ino()) == (open.dev(), open.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_same(path: &Path, _: &File) -> bool {
    path.exists()
}

fn is_dead(path: &Path) -> Result<bool, StoreError> {
    let file = match File::options().write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(failed(&error)),
    };
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(failed(&error)),
    }
}

/// Takes away what dead workers left.
fn sweep(database: &Path) -> Result<(), StoreError> {
    let (Some(folder), Some(name)) = (database.parent(), database.file_name().and_then(|n| n.to_str())) else {
        return Ok(());
    };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let prefix = format!("{name}.");
    for entry in std::fs::read_dir(folder).map_err(|e| failed(&e))? {
        let path = entry.map_err(|e| failed(&e))?.path();
        let ours = path.file_name().and_then(|n| n.to_str());
        if ours.is_some_and(|n| n.starts_with(&prefix) && n.ends_with(SUFFIX)) {
            let file = match File::options().write(true).open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(failed(&error)),
            };
            if file.try_lock().is_ok() {
                match std::fs::remove_file(&path) {
                    Ok(()) => {}
                    Err(error) if error.kind() == ErrorKind::NotFound => {}
                    Err(error) => return Err(failed(&error)),
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worker(n: u128) -> WorkerId {
        WorkerId(Uuid::from_u128(n))
    }

    #[test]
    fn the_living_are_told_from_the_dead() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("isp.db");
        let (here, there) = (Workers::default(), Workers::default());
        here.announce(&database, worker(1)).unwrap();
        there.announce(&database, worker(2)).unwrap();
        there.announce(&database, worker(2)).unwrap();
        let all = || (1..=3).map(|n| worker(n).0).collect::<Vec<_>>();
        assert_eq!(here.dead(&database, all()).unwrap(), [worker(3).0]);
        assert_eq!(there.dead(&database, all()).unwrap(), [worker(3).0]);
        // A process that dies leaves its file, without the lock.
        drop(there);
        assert_eq!(here.dead(&database, all()).unwrap(), [worker(2).0, worker(3).0]);
        let left = || std::fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(left(), 2);
        let next = Workers::default();
        next.announce(&database, worker(4)).unwrap();
        assert_eq!(left(), 2, "the dead one's was swept");
        assert!(here.dead(&database, vec![worker(4).0]).unwrap().is_empty());
        next.leave(&database);
        here.leave(&database);
        assert_eq!(left(), 0);
    }
}
