//! `isp key`: the key that seals NIK and passwords.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use isp_core::ports::StoreError;
use isp_store::{KeyFile, SqlStore, Vault};

use super::args;
use crate::config::{Config, Tenant};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{Cell, Rows, column, number};
use crate::wire;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Which key sealed how many values, and whether each of them opens.
    Check,
    /// Take a new key and seal everything with it anew; killed anywhere, run it again.
    #[command(
        after_help = "Stop cron and other machines first: they know only the old key. Copies made before are opened by the old key; make a new copy afterwards."
    )]
    Rotate,
    /// Write a copy of the key that may lie beside the data: nobody opens it without the passphrase.
    #[command(after_help = "Example:\n  isp key wrap ../copy/isp.key.wrapped --passphrase -")]
    Wrap(Wrap),
    /// Bring the key back from a wrapped copy, where there is none.
    #[command(after_help = "Example:\n  isp key unwrap ../copy/isp.key.wrapped --passphrase -")]
    Unwrap(Unwrap),
}

#[derive(Debug, Args)]
pub(crate) struct Wrap {
    /// The new file.
    to: PathBuf,
    /// At least 12 characters, such as four words that you keep on paper; `-` reads it from standard input.
    #[arg(long, value_name = "PASSPHRASE")]
    passphrase: String,
}

#[derive(Debug, Args)]
pub(crate) struct Unwrap {
    /// The wrapped copy.
    from: PathBuf,
    /// The passphrase; `-` reads it from standard input.
    #[arg(long, value_name = "PASSPHRASE")]
    passphrase: String,
}

/// The key file of the settings.
pub(crate) fn file(config: &Config) -> Result<&Path, Failure> {
    let missing = || Failure::Config { place: "key_file".into(), reason: "is not set".into() };
    config.key_file.as_deref().ok_or_else(missing)
}

pub(crate) async fn run(ctx: &Context, command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Check => check(ctx).await,
        Command::Rotate => rotate(ctx).await,
        Command::Wrap(args) => wrap(ctx, &args),
        Command::Unwrap(args) => unwrap(ctx, &args).await,
    }
}

async fn check(ctx: &Context) -> anyhow::Result<Exit> {
    let store = wire::store(&ctx.config).await?;
    let uses = store.key_uses().await;
    store.close().await;
    let uses = uses?;
    let mut rows = Rows::new(&[column("key"), column("role"), number("values"), number("unreadable")]);
    for of in &uses {
        let role = match of.place {
            Some(0) => "key_seals",
            Some(_) => "key_opens",
            None => "key_absent",
        };
        rows.push(vec![Cell::text(&of.key), Cell::Word(role), Cell::count(of.values), Cell::count(of.unreadable)]);
    }
    ctx.rows(&rows)?;
    let unreadable: u64 = uses.iter().map(|of| of.unreadable).sum();
    if unreadable > 0 {
        ctx.warn("warn.key_unreadable", &[("count", unreadable.to_string())]);
        return Ok(Exit::Partial);
    }
    if uses.iter().filter(|of| of.place.is_some()).count() > 1 {
        ctx.say("done.key_unfinished", &[])?;
    }
    Ok(Exit::Done)
}

/// The key file holds both keys until nothing needs the old one. With two of them in it, a change was begun, and goes on.
async fn rotate(ctx: &Context) -> anyhow::Result<Exit> {
    if std::env::var_os(wire::MASTER_KEY).is_some() {
        return Err(Failure::Usage { problem: "key_in_variable", what: wire::MASTER_KEY.to_owned() }.into());
    }
    let url = wire::database(&ctx.config)?;
    // Both are held before the key file is read: one on this machine, one in the database, which other machines use, too.
    let held = match KeyFile::hold(file(&ctx.config)?) {
        Ok(held) => held.ok_or(StoreError::Busy)?,
        Err(error) => return Err(wire::lost(error.into(), url).await),
    };
    // The databases of other providers may be sealed with the same key.
    let of = |t: &'_ Tenant| [Some(t.database.clone()), t.moving_to.clone(), t.moved_from.clone()];
    let others = ctx.config.tenants.tenants.iter().flat_map(of).flatten();
    let urls: BTreeSet<String> = others.chain([url.to_owned()]).collect();
    let old = held.vault()?;
    let mut holders = Vec::new();
    for url in &urls {
        let holder = SqlStore::open(url, Vault::locked()).await?;
        let runs = holder.hold_runs().await?;
        holders.push((holder, runs));
        // Opening proves that the old key fits.
        SqlStore::open(url, old.clone()).await?.close().await;
    }
    let vault = if old.keys() == 1 { held.add_key()? } else { old };
    let (mut values, mut left) = (0, 0);
    for (url, (_, runs)) in urls.iter().zip(&holders) {
        let store = SqlStore::open(url, vault.clone()).await?;
        values += store.reseal(runs).await?.values;
        // The old key goes only when it was seen that nothing needs it.
        let uses = store.key_uses().await?;
        left += uses.iter().map(|of| if of.place == Some(0) { of.unreadable } else { of.values }).sum::<u64>();
        store.close().await;
    }
    if left > 0 {
        ctx.warn("warn.key_kept", &[("count", left.to_string())]);
        return Ok(Exit::Partial);
    }
    let vault = held.keep_first_key()?;
    for (holder, runs) in holders {
        runs.end().await?;
        holder.close().await;
    }
    let mut row = Rows::new(&[column("key"), number("values")]);
    let key = vault.key_names().into_iter().next().unwrap_or_default();
    row.push(vec![Cell::text(&key), Cell::count(values)]);
    ctx.done("done.key_rotated", &[("key", key), ("values", values.to_string())], &row)?;
    Ok(Exit::Done)
}

fn wrap(ctx: &Context, args: &Wrap) -> anyhow::Result<Exit> {
    Vault::wrap_key_file(file(&ctx.config)?, &args.to, &args::private(&args.passphrase)?)?;
    told(ctx, "done.key_wrapped", &args.to)
}

/// Writes the key only when it belongs to the database, if there is one.
async fn unwrap(ctx: &Context, args: &Unwrap) -> anyhow::Result<Exit> {
    let to = file(&ctx.config)?;
    let unwrapped = Vault::unwrap_key_file(&args.from, &args::private(&args.passphrase)?)?;
    match SqlStore::open(wire::database(&ctx.config)?, unwrapped.vault.clone()).await {
        Ok(store) => store.close().await,
        Err(StoreError::Missing | StoreError::Outdated) => {}
        Err(error) => return Err(error.into()),
    }
    unwrapped.write(to)?;
    told(ctx, "done.key_unwrapped", to)
}

fn told(ctx: &Context, key: &str, path: &Path) -> anyhow::Result<Exit> {
    let mut row = Rows::new(&[column("file")]);
    row.push(vec![Cell::text(path.display())]);
    ctx.done(key, &[("file", path.display().to_string())], &row)?;
    Ok(Exit::Done)
}
