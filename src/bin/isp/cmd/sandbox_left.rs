//! Sandboxes that were killed: whose copies are left, with customers' data in them.

use std::fs::{File, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use isp_store::Scratch;

use crate::context::Context;
use crate::wire;

/// What the folder of a sandbox is called, before what makes it one of its own.
pub(super) const FOLDER: &str = "isp-sandbox-";
/// What its database is called where it is one of a server.
pub(super) const DATABASE: &str = "isp_sandbox_";

/// The file that a sandbox holds while it lives.
const LOCK: &str = "lock";
/// A folder that is this old and has no such file was left before the file was made.
const YOUNG: Duration = Duration::from_secs(60);

/// Says that the sandbox of a folder lives, for as long as what is given back is kept.
pub(super) fn alive(folder: &Path) -> std::io::Result<File> {
    let mut file = File::create_new(folder.join(LOCK))?;
    file.lock()?;
    writeln!(file, "{}", std::process::id())?;
    Ok(file)
}

/// A copy that is left, and what removes it.
pub(crate) struct Left {
    /// The folder, or the database with its server.
    pub(crate) what: String,
    /// What to type.
    pub(crate) command: String,
}

/// The copies that are left: folders among the temporary files, and databases beside the real one. What cannot be asked is not told.
pub(crate) async fn left(ctx: &Context) -> Vec<Left> {
    let of_folder = |path: PathBuf| {
        let what = path.display().to_string();
        Left { command: format!("rm -r {what}"), what }
    };
    let mut found: Vec<Left> = folders(&std::env::temp_dir()).into_iter().map(of_folder).collect();
    // Inside a sandbox its own database is the one beside the real one.
    if let (false, Ok(url)) = (ctx.config.sandbox, wire::database(&ctx.config)) {
        let names = Scratch::left_beside(url, DATABASE).await.unwrap_or_default();
        found.extend(names.into_iter().map(|what| Left { command: format!("dropdb {what}"), what }));
    }
    found
}

/// The folders of sandboxes that nobody lives in any more.
fn folders(temporary: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(temporary) else { return Vec::new() };
    let named = entries.filter_map(Result::ok).filter(|entry| entry.file_name().to_string_lossy().starts_with(FOLDER));
    let mut found: Vec<PathBuf> = named.map(|entry| entry.path()).filter(|path| is_left(path)).collect();
    found.sort();
    found
}

fn is_left(folder: &Path) -> bool {
    match File::open(folder.join(LOCK)) {
        Ok(file) => match file.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let age = folder.metadata().and_then(|found| found.modified()).ok().and_then(|at| at.elapsed().ok());
            folder.is_dir() && age.is_some_and(|age| age > YOUNG)
        }
        // Somebody else's: not ours to tell of.
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sandbox_is_left_when_nobody_lives_in_it() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path().join(format!("{FOLDER}x"));
        std::fs::create_dir(&folder).unwrap();
        std::fs::create_dir(temporary.path().join("another")).unwrap();
        // One that begins has no lock yet.
        assert_eq!(folders(temporary.path()), Vec::<PathBuf>::new());
        let alive = alive(&folder).unwrap();
        assert_eq!(folders(temporary.path()), Vec::<PathBuf>::new());
        drop(alive);
        assert_eq!(folders(temporary.path()), [folder]);
        assert_eq!(folders(Path::new("/nowhere")), Vec::<PathBuf>::new());
    }
}
