//! `isp sandbox`: one's own data on simulated routers and a simulated WhatsApp, until Ctrl-C.
//!
//! It works on a copy. The real database is read once and never opened again; the settings of the copy name loopback addresses
//! only, and no variable counts beside them.

use std::path::Path;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use isp_core::clock::ClockWord;
use isp_core::customer::Phone;
use isp_core::engine::EngineError;
use isp_core::ids::IdSource;
use isp_core::place::Router;
use isp_core::ports::{AccessControl as _, ApplyOutcome};
use isp_store::Scratch;
use isp_whatsapp::simulator::Simulator;
use secrecy::ExposeSecret as _;
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::isolate::Enforce;
use super::{day, router, sandbox_left};
use crate::config::{Config, Overrides, masked_address};
use crate::context::Context;
use crate::failure::{Exit, Failure, classify};
use crate::i18n::Texts;
use crate::simulated::{self, Routers};
use crate::stop::Stop;
use crate::{output, wire};

/// How often it looks what the phones received.
const LOOK: Duration = Duration::from_millis(200);

/// Where `isp serve` of a sandbox listens: beside the real one, and on this machine only.
const LISTEN: &str = "127.0.0.1:8481";

#[derive(Debug, Args)]
pub(crate) struct Sandbox {
    /// Live a day first, as `isp run` would: that of --on, else today.
    #[arg(long)]
    run: bool,
}

pub(crate) async fn run(ctx: &Context, args: Sandbox, flags: &Overrides) -> anyhow::Result<Exit> {
    // Listened to before anything is copied: whoever stops it at once leaves nothing behind.
    let mut stop = Stop::listen_also_to_the_terminal()?;
    for old in sandbox_left::left(ctx).await {
        ctx.warn("warn.sandbox_old", &[("what", old.what), ("command", old.command)]);
    }
    let of = |path: &Path, error: std::io::Error| Failure::File {
        path: path.display().to_string(),
        reason: error.kind().to_string(),
    };
    let folder = private_folder().map_err(|error| of(&std::env::temp_dir(), error))?;
    let alive = sandbox_left::alive(folder.path()).map_err(|error| of(folder.path(), error))?;
    let url = wire::database(&ctx.config)?;
    let name = format!("{}{:08x}", sandbox_left::DATABASE, Uuid::now_v7().as_u64_pair().1 >> 32);
    let copy = Scratch::beside(url, folder.path(), &name).await?;
    let lived = tokio::select! {
        biased;
        stopped = stop.come() => stopped.map_err(anyhow::Error::from),
        lived = live(ctx, &args, flags, &copy, folder.path()) => lived,
    };
    let removed = copy.remove().await;
    if removed.is_err() {
        ctx.warn("warn.sandbox_left", &[("name", name)]);
    }
    drop(alive);
    let path = folder.path().to_owned();
    folder.close().map_err(|error| of(&path, error))?;
    lived?;
    removed?;
    ctx.say("done.sandbox_ended", &[])?;
    Ok(Exit::Done)
}

/// Copies, simulates, introduces, and tells what the phones receive. Ends with an error only.
async fn live(ctx: &Context, args: &Sandbox, flags: &Overrides, copy: &Scratch, folder: &Path) -> anyhow::Result<()> {
    let url = wire::database(&ctx.config)?;
    let vault = wire::vault(&ctx.config)?;
    copy.fill(url, Some(&vault)).await?;
    // A copy may be of an older program: it is brought up to date, and the real one is not.
    isp_store::migrate(copy.url()).await?;
    let whatsapp = Simulator::start().await?;
    let file = folder.join("isp.toml");
    let mut table = settings(flags, copy.url(), &whatsapp, folder)?;
    write_settings(&table, &file)?;
    let (real, routers) = {
        let first = inside(ctx, &file)?;
        let store = first.store().await?;
        let real = store.routers(first.tenant()).await?;
        let routers = simulated::start_routers(store, first.tenant()).await?;
        first.close(Exit::Done).await;
        (real, routers)
    };
    // Whoever adds a router in the sandbox, or gives one of them another address, reaches nobody.
    let only = routers.values().map(|(_, simulated)| toml::Value::from(simulated.address().to_string())).collect();
    let mikrotik = table.get_mut("mikrotik").and_then(toml::Value::as_table_mut).context("settings of the sandbox")?;
    mikrotik.insert("only".to_owned(), toml::Value::Array(only));
    rename_tables(mikrotik, &real, &routers);
    write_settings(&table, &file)?;
    let inside = inside(ctx, &file)?;
    furnish(&inside, &routers).await?;
    let variables = [
        ("database", masked_address(url)),
        ("routers", routers.len().to_string()),
        ("file", file.display().to_string()),
        ("dated", dated(&inside).await?),
        ("day", inside.named.map_or_else(String::new, |_| format!(" --on {}", inside.today()))),
    ];
    output::print(&format!("{}\n\n", inside.texts.with("done.sandbox", &variables)))?;
    if args.run
        && let Err(error) = day::run(&inside, &Enforce::default()).await
    {
        // Such as a day before the last run: the sandbox is there all the same.
        let (code, _) = classify(&error);
        output::note(&format!("isp: {} [{code}]", inside.texts.failure(&error)));
        if let Some(advice) = inside.texts.advice(&error, &[]) {
            output::note(&format!("     {advice}"));
        }
    }
    let mut seen = 0;
    loop {
        for message in whatsapp.messages().into_iter().skip(seen) {
            seen += 1;
            // A number is masked as everywhere; the text is what its customer would read.
            let digits = format!("+{}", message.to.reveal());
            let phone = Phone::parse(&digits).map_or_else(|_| "***".to_owned(), |phone| phone.to_string());
            let text = message.text.reveal().lines().map(|line| format!("  {}\n", output::harmless(line)));
            output::print(&format!("{phone} · {}\n{}\n", message.template, text.collect::<String>()))?;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// What a run of the sandbox is to be typed with, so that it is of the same day: `--on`, and where that day lies before the last run
/// of the copy, that it is right.
async fn dated(inside: &Context) -> anyhow::Result<String> {
    let Some(clock) = inside.named else { return Ok(String::new()) };
    let day = format!(" --on {}", inside.today());
    let store = inside.store().await?;
    match inside.engine(store).follows(inside.now, ClockWord::Named { clock }).await {
        Ok(_) => Ok(day),
        Err(EngineError::Clock(_)) => Ok(format!("{day} --confirm-clock")),
        Err(error) => Err(error.into()),
    }
}

/// Gives each table of `[mikrotik.redirect.router]` the address of the simulated router in place of the real one's.
fn rename_tables(mikrotik: &mut toml::Table, real: &[Router], simulated: &Routers) {
    let redirect = mikrotik.get_mut("redirect").and_then(toml::Value::as_table_mut);
    let tables = redirect.and_then(|redirect| redirect.get_mut("router")).and_then(toml::Value::as_table_mut);
    let Some(tables) = tables else { return };
    let (mut used, mut renamed) = (Vec::new(), toml::Table::new());
    for router in real {
        let keys = [format!("{}:{}", router.endpoint.host, router.endpoint.port), router.endpoint.host.clone()];
        let own = keys.into_iter().find_map(|key| tables.get(&key).cloned().map(|own| (key, own)));
        if let (Some((key, own)), Some((now, _))) = (own, simulated.get(&router.id)) {
            renamed.insert(format!("{}:{}", now.endpoint.host, now.endpoint.port), own);
            used.push(key);
        }
    }
    tables.retain(|key, _| used.iter().all(|used| used != key));
    tables.extend(renamed);
}

/// A folder that nobody else can look into.
fn private_folder() -> std::io::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(sandbox_left::FOLDER);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o700));
    }
    builder.tempdir()
}

/// The settings of the sandbox: what holds, with the copy, a copy of the key, the simulated WhatsApp and nothing else that is
/// outside.
fn settings(flags: &Overrides, url: &str, whatsapp: &Simulator, folder: &Path) -> anyhow::Result<toml::Table> {
    let mut table = Config::said(flags, std::env::vars())?;
    let pages = table.get("serve").and_then(|serve| serve.get("public_url")).is_some();
    let documents = table.get("whatsapp").and_then(|whatsapp| whatsapp.get("documents")).cloned();
    for outside in ["gateway", "moota", "phone", "radius", "serve", "snap", "whatsapp"] {
        table.remove(outside);
    }
    let mut mikrotik = match table.remove("mikrotik") {
        Some(toml::Value::Table(mikrotik)) => mikrotik,
        _ => toml::Table::new(),
    };
    // Real routers often have profiles with these already; simulated ones begin empty.
    mikrotik.entry("pool").or_insert_with(|| "sandbox".into());
    mikrotik.entry("local_address").or_insert_with(|| "10.0.0.1".into());
    table.insert("mikrotik".to_owned(), toml::Value::Table(mikrotik));
    table.insert("sandbox".to_owned(), true.into());
    table.insert("database".to_owned(), url.into());
    if let Some(toml::Value::String(key)) = table.get_mut("key_file") {
        // A copy, since `isp key rotate` writes it.
        let failed = |error: std::io::Error| Failure::File { path: key.clone(), reason: error.to_string() };
        let copy = folder.join("isp.key");
        let text = std::fs::read_to_string(&*key).map_err(failed)?;
        super::init::write_private(&copy, &text).map_err(failed)?;
        *key = copy.display().to_string();
    }
    let of = |pairs: &[(&str, &str)]| {
        toml::Value::Table(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect())
    };
    let public_url = format!("http://{LISTEN}");
    let serve = [("listen", LISTEN), ("public_url", public_url.as_str())];
    table.insert("serve".to_owned(), of(if pages { &serve } else { &serve[..1] }));
    let settings = [
        ("base_url", whatsapp.base_url()),
        ("phone_number_id", whatsapp.phone_number_id().to_owned()),
        ("access_token", whatsapp.access_token().expose_secret().to_owned()),
        ("app_secret", whatsapp.app_secret().expose_secret().to_owned()),
        ("verify_token", "sandbox".to_owned()),
    ];
    let mut whatsapp = of(&settings.each_ref().map(|(key, value)| (*key, value.as_str())));
    if let (Some(documents), Some(whatsapp)) = (documents, whatsapp.as_table_mut()) {
        whatsapp.insert("documents".to_owned(), documents);
    }
    table.insert("whatsapp".to_owned(), whatsapp);
    Ok(table)
}

/// Writes the file of the settings anew.
fn write_settings(table: &toml::Table, file: &Path) -> anyhow::Result<()> {
    let failed =
        |error: std::io::Error| Failure::File { path: file.display().to_string(), reason: error.kind().to_string() };
    let text = toml::to_string(table).context("settings of the sandbox")?;
    if file.exists() {
        std::fs::remove_file(file).map_err(failed)?;
    }
    super::init::write_private(file, &text).map_err(failed)?;
    Ok(())
}

/// What commands inside the sandbox work with.
fn inside(ctx: &Context, file: &Path) -> anyhow::Result<Context> {
    let flags = Overrides { config: Some(file.to_owned()), ..Overrides::default() };
    let config = Config::load(&flags, std::env::vars())?;
    let mut ids = IdSource::new(ctx.now, Uuid::now_v7().as_u64_pair().1);
    Ok(Context {
        worker: isp_core::ids::WorkerId(ids.next_uuid()),
        texts: Texts::load(config.language)?,
        config,
        now: ctx.now,
        dated: ctx.dated,
        clock: ctx.clock,
        named: ctx.named,
        format: ctx.format,
        quiet: ctx.quiet,
        wide: ctx.wide,
        yes: ctx.yes,
        officer: ctx.officer.clone(),
        ids: Mutex::new(ids),
        store: OnceCell::new(),
        watch: OnceCell::new(),
        letterhead: OnceLock::new(),
        asked: ctx.asked.clone(),
    })
}

/// Puts onto the simulated routers what the real ones should have: pools that profiles name, and each line as it is wanted.
async fn furnish(inside: &Context, routers: &Routers) -> anyhow::Result<()> {
    let store = inside.store().await?;
    let access = wire::routers(&inside.config);
    let settings = &inside.config.mikrotik;
    let named = [&settings.pool, &settings.isolation_pool, &settings.local_address];
    let pools = named.into_iter().flatten().filter(|pool| pool.parse::<std::net::IpAddr>().is_err());
    for pool in pools.collect::<std::collections::BTreeSet<_>>() {
        for (_, simulated) in routers.values() {
            simulated.force("/ip/pool", &[("name", pool.as_bytes()), ("ranges", b"10.0.0.2-10.255.255.254")]);
        }
    }
    for (router, _) in routers.values() {
        let wanted = router::targets(inside, store, router).await?;
        let outcomes = access.apply(&router.endpoint, &wanted).await?;
        for (target, outcome) in wanted.iter().zip(outcomes) {
            if let ApplyOutcome::Refused { code, reason } = outcome {
                let variables = [
                    ("router", router.code.to_string()),
                    ("account", target.account.username.to_string()),
                    ("reason", inside.texts.finding(code, &reason)),
                    ("error", code.to_owned()),
                ];
                inside.warn("warn.account_refused", &variables);
            }
        }
    }
    Ok(())
}
