//! `isp backup` and `isp restore`: a copy that was opened and counted, and back.

use std::path::{Path, PathBuf};

use clap::Args;
use isp_core::calendar::Zone;
use isp_core::ports::StoreError;
use isp_store::{BackupError, Copied, Fit, KeyFile, Vault, VaultError};

use super::{args, key};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{Cell, Rows, column, number};
use crate::wire;

#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The new file, or a folder: then the day and the time are its name.
    to: PathBuf,
    /// Put the key beside it as FILE.key, wrapped by this passphrase; `-` reads it from standard input.
    #[arg(long, value_name = "PASSPHRASE")]
    passphrase: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The file that `isp backup` wrote.
    from: PathBuf,
    /// Take the key from FILE.key, which was wrapped by this passphrase; `-` reads it from standard input.
    #[arg(long, value_name = "PASSPHRASE")]
    passphrase: Option<String>,
}

/// The wrapped key beside a copy.
fn key_of(copy: &Path) -> PathBuf {
    let mut name = copy.to_owned().into_os_string();
    name.push(".key");
    PathBuf::from(name)
}

pub(crate) async fn backup(ctx: &Context, args: Backup) -> anyhow::Result<Exit> {
    let url = wire::database(&ctx.config)?;
    let to = if args.to.is_dir() { args.to.join(name(ctx, url)) } else { args.to };
    let passphrase = args.passphrase.as_deref().map(args::private).transpose()?;
    if to.symlink_metadata().is_ok() {
        return Err(BackupError::Exists { path: to.display().to_string() }.into());
    }
    // Held until the copy is there: what is wrapped beside it is what opens it. Without it, the copy needs no key; with
    // one, it is checked that they belong together.
    let held = match passphrase {
        Some(_) => Some(KeyFile::keep_still(key::file(&ctx.config)?)?.ok_or(StoreError::Busy)?),
        None => None,
    };
    let (vault, made) = match held.as_ref().zip(passphrase.as_ref()) {
        Some((held, passphrase)) => {
            let (vault, made) = held.wrap_beside(key_of(&to), passphrase)?;
            (Some(vault), made)
        }
        None => (wire::vault(&ctx.config).ok(), false),
    };
    let copied = match isp_store::backup(url, &to, vault.as_ref()).await {
        Ok(copied) if passphrase.is_none() || copied.key != Fit::Wrong => copied,
        failed => {
            if made {
                remove(&key_of(&to))?;
            }
            if failed.is_ok() {
                remove(&to)?;
                remove(&isp_store::checksum_of(&to))?;
            }
            return Err(failed.err().map_or_else(|| StoreError::WrongKey.into(), anyhow::Error::from));
        }
    };
    drop(held);
    tell(ctx, "done.backup", &copied)?;
    if let Err(error) = isp_store::note_backup(url, ctx.now).await {
        ctx.warn("warn.backup_not_noted", &[("reason", ctx.texts.failure(&error.into()))]);
    }
    if copied.key == Fit::Wrong {
        ctx.warn("warn.backup_other_key", &[]);
        return Ok(Exit::Partial);
    }
    if copied.lacking_keys > 0 {
        ctx.warn("warn.backup_lacks_keys", &[("count", copied.lacking_keys.to_string())]);
        return Ok(Exit::Partial);
    }
    if passphrase.is_none() {
        ctx.say("done.backup_without_key", &[])?;
    }
    Ok(Exit::Done)
}

pub(crate) async fn restore(ctx: &Context, args: Restore) -> anyhow::Result<Exit> {
    let url = match wire::database(&ctx.config) {
        Err(Failure::NoSettings) => return Err(Failure::NothingToRestoreFor.into()),
        url => url?,
    };
    let passphrase = args.passphrase.as_deref().map(args::private).transpose()?;
    let mut made = None;
    let vault = match passphrase {
        Some(passphrase) => {
            let unwrapped = Vault::unwrap_key_file(key_of(&args.from), &passphrase)?;
            let file = key::file(&ctx.config)?;
            made = (!file.exists()).then_some(file);
            unwrapped.write(file)?;
            Some(unwrapped.vault)
        }
        None => match wire::vault(&ctx.config) {
            Ok(vault) => Some(vault),
            Err(error) if matches!(error.downcast_ref(), Some(VaultError::Missing { .. })) => None,
            Err(error) => return Err(error),
        },
    };
    let copied = match isp_store::restore(url, &args.from, vault.as_ref()).await {
        Ok(copied) => copied,
        Err(error) => {
            made.map(remove).transpose()?;
            return Err(error.into());
        }
    };
    tell(ctx, "done.restored", &copied)?;
    if !copied.status.pending.is_empty() {
        ctx.say("done.restored_old", &[])?;
    }
    if !copied.proved {
        ctx.warn("warn.restored_unproved", &[("file", args.from.display().to_string())]);
    }
    if copied.key == Fit::Unknown {
        ctx.warn("warn.restored_without_key", &[]);
    }
    Ok(Exit::Done)
}

/// A name that no other copy has: the moment in Jakarta.
fn name(ctx: &Context, url: &str) -> String {
    let (day, time) = (Zone::Wib.date_of(ctx.now), Zone::Wib.time_of(ctx.now));
    let ending = if url.starts_with("sqlite:") { "db" } else { "dump" };
    format!("isp-{day}-{}{:02}.{ending}", time.to_string().replace(':', ""), ctx.now.timestamp() % 60)
}

fn remove(path: &Path) -> Result<(), Failure> {
    std::fs::remove_file(path)
        .map_err(|e| Failure::File { path: path.display().to_string(), reason: e.kind().to_string() })
}

fn tell(ctx: &Context, key: &str, copied: &Copied) -> anyhow::Result<()> {
    let of = |table: &str| copied.rows(table);
    let file = copied.file.display().to_string();
    let variables = [
        ("file", file.clone()),
        ("customers", of("customers").to_string()),
        ("invoices", of("invoices").to_string()),
        ("payments", of("payments").to_string()),
    ];
    let mut row = Rows::new(&[
        column("file"),
        number("bytes"),
        number("customers"),
        number("invoices"),
        number("payments"),
        column("key"),
    ]);
    row.push(vec![
        Cell::text(file),
        Cell::count(copied.bytes),
        Cell::count(of("customers")),
        Cell::count(of("invoices")),
        Cell::count(of("payments")),
        Cell::Word(match copied.key {
            Fit::Unsealed => "key_none",
            Fit::Unknown => "key_unknown",
            Fit::Fits => "key_fits",
            Fit::Wrong => "key_wrong",
        }),
    ]);
    ctx.done(key, &variables, &row)
}
