//! `isp init` and `isp migrate`: from an empty folder to a database that works.

use std::path::{Path, PathBuf};

use clap::Args;
use isp_core::message::Sender;
use isp_core::text::{Language, Name};
use isp_store::{Vault, VaultError};

use crate::config::{Config, Overrides, starter};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::i18n::Texts;
use crate::{output, wire};

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The folder for isp.toml, the key file and, with SQLite, the database; made when it is not there.
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Your name, as customers know it: who asks in messages.
    #[arg(long)]
    name: Option<String>,
}

/// Makes what is missing: settings, key file, database, tables. What is there stays as it is.
pub(crate) async fn init(args: &Init, flags: &Overrides, language: Language) -> anyhow::Result<Exit> {
    let texts = Texts::load(language)?;
    let named = args.name.as_deref().map(sender).transpose()?;
    let path = |error: std::io::Error, path: &Path| Failure::File {
        path: path.display().to_string(),
        reason: error.kind().to_string(),
    };
    std::fs::create_dir_all(&args.dir).map_err(|error| path(error, &args.dir))?;
    let file = args.dir.join("isp.toml");
    if !file.exists() {
        let database = flags.database.as_deref().unwrap_or("sqlite:isp.db");
        let key = flags.key_file.as_deref().map_or_else(|| "isp.key".to_owned(), |p| p.display().to_string());
        let text = starter(database, &key, language, named.as_ref().map(|sender| &sender.name));
        write_private(&file, &text).map_err(|error| path(error, &file))?;
    }
    let config = Config::load(&Overrides { config: Some(file.clone()), ..flags.clone() }, std::env::vars())?;
    if named.is_some_and(|named| config.provider.as_ref().is_none_or(|known| known.name != named.name)) {
        // What is there stays as it is, so the name would be lost.
        return Err(Failure::Usage { problem: "name_in_settings", what: file.display().to_string() }.into());
    }
    wire::not_emptied(&config)?;
    if let Some(key) = config.key_file.as_ref().filter(|key| !key.exists()) {
        // A second key would not open what the first sealed, and would hide that the first is lost.
        if isp_store::has_key(wire::database(&config)?).await? {
            return Err(VaultError::Lost { path: key.display().to_string() }.into());
        }
        match Vault::generate_key_file(key) {
            Ok(()) | Err(VaultError::Exists { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    isp_store::migrate(wire::database(&config)?).await?;
    // Opening proves that the key fits the database.
    wire::store(&config).await?.close().await;
    let variables = [
        ("file", file.display().to_string()),
        ("key", config.key_file.as_deref().unwrap_or(Path::new("")).display().to_string()),
    ];
    output::print(&format!("{}\n", texts.with("done.init", &variables)))?;
    let go = match args.dir.as_path() {
        here if here == Path::new(".") => String::new(),
        dir => texts.with("output.go_there", &[("dir", dir.display().to_string())]),
    };
    output::print(&format!("{}\n", texts.with("done.init_next", &[("go", go)])))?;
    if config.provider.is_none() {
        output::note(&texts.with("warn.init_unnamed", &[("file", file.display().to_string())]));
    }
    Ok(Exit::Done)
}

/// Who asks in messages, by name alone.
fn sender(name: &str) -> Result<Sender, isp_core::Error> {
    Sender { name: Name::parse("name", name)?, pay_to: Vec::new(), contact: None }.checked()
}

/// Writes a new file that only its owner may read: tokens are written into it.
pub(super) fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// The words of `isp migrate`.
#[derive(Debug, Args)]
pub(crate) struct Migrate {
    /// Distribute all tables by provider over the nodes of a Citus cluster.
    #[arg(long)]
    pub(crate) citus: bool,
    /// Let this user of the server see and write only the rows of one provider at a time (row-level security).
    #[arg(long, value_name = "USER")]
    pub(crate) wall: Option<String>,
}

/// Creates or updates the tables, and names what a person should look at in a database of old.
pub(crate) async fn migrate(ctx: &Context, args: &Migrate) -> anyhow::Result<Exit> {
    wire::not_emptied(&ctx.config)?;
    let url = wire::database(&ctx.config)?;
    let before = isp_store::migration_status(url).await.map(|s| s.applied.len()).unwrap_or(0);
    let (status, distributed) = match args.citus {
        true => {
            let distributed = isp_store::distribute(url).await?;
            (isp_store::migration_status(url).await?, Some(distributed))
        }
        false => (isp_store::migrate(url).await?, None),
    };
    let variables =
        [("applied", (status.applied.len() - before).to_string()), ("total", status.applied.len().to_string())];
    ctx.say("done.migrated", &variables)?;
    if let Some(done) = distributed {
        let (now, tables, nodes) = (done.now.len().to_string(), done.tables.to_string(), done.nodes.to_string());
        ctx.say("done.distributed", &[("now", now), ("tables", tables), ("nodes", nodes)])?;
    }
    if let Some(user) = &args.wall {
        let done = isp_store::wall(url, user).await?;
        let (now, tables) = (done.now.len().to_string(), done.tables.to_string());
        ctx.say("done.walled", &[("now", now), ("tables", tables), ("user", user.clone())])?;
    }
    // It needs no secret, so a key that is not there is no hindrance.
    let (store, _) = wire::reader(&ctx.config).await?;
    let found = super::twins::tell(ctx, &store).await;
    store.close().await;
    found?;
    Ok(Exit::Done)
}
