//! `isp tenant`: providers by name, each in a database, and from one database into another.

use clap::{Args, Subcommand};
use isp_core::ids::TenantId;
use isp_core::ports::StoreError;
use isp_store::{KeyFile, MovedRows, Moving};
use uuid::Uuid;

use super::key;
use crate::config::{Map, Tenant, masked_address};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{Cell, Rows, column, number};
use crate::wire;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Name a provider and its database, in tenants.toml beside the settings.
    #[command(
        after_help = "Examples:\n  isp tenant add melati --database postgres://isp@db1.example/isp\n  isp --tenant melati status\n\nWithout --id it is a new provider. The one of settings without `tenant` has the id 00000000-0000-0000-0000-000000000001."
    )]
    Add(Add),
    /// List providers and their databases.
    #[command(after_help = "Example:\n  isp tenant list")]
    List,
    /// Move a provider's rows into another PostgreSQL database.
    #[command(
        after_help = "Examples:\n  isp tenant move melati --to postgres://isp@db2.example/isp\n  isp tenant move melati --to postgres://isp@db2.example/isp --call-off\n\nNothing is written for the provider meanwhile; a run stops. Killed anywhere, run it again: it goes on. The new database has its tables (isp migrate) and is sealed with the same key."
    )]
    Move(Move),
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Its name: letters, digits, - and _.
    name: String,
    /// Its id, where it has rows already.
    #[arg(long)]
    id: Option<Uuid>,
}

#[derive(Debug, Args)]
pub(crate) struct Move {
    /// Its name or id.
    name: String,
    /// The new database: postgres://...
    #[arg(long, value_name = "URL")]
    to: String,
    /// Take back a move that was not finished: the old database works on.
    #[arg(long)]
    call_off: bool,
}

pub(crate) async fn run(ctx: &Context, command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Add(args) => add(ctx, args),
        Command::List => list(ctx),
        Command::Move(args) => moved(ctx, args).await,
    }
}

fn add(ctx: &Context, args: Add) -> anyhow::Result<Exit> {
    let well = !args.name.is_empty()
        && args.name.len() <= 40
        && args.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        // A name that reads like an id would be taken for one.
        && args.name.parse::<Uuid>().is_err();
    if !well {
        return Err(Failure::Usage { problem: "tenant_name", what: args.name }.into());
    }
    let database = wire::database(&ctx.config)?.to_owned();
    let tenant = Tenant {
        name: args.name.clone(),
        id: TenantId(args.id.unwrap_or_else(|| ctx.id())),
        database,
        moving_to: None,
        moved_from: None,
    };
    let mut map = ctx.config.tenants.clone();
    map.change(|tenants| {
        let known = tenants.iter().any(|t| t.name.eq_ignore_ascii_case(&tenant.name) || t.id == tenant.id);
        if known {
            return Err(Failure::Exists { noun: "tenant", code: args.name.clone() });
        }
        tenants.push(tenant.clone());
        Ok(())
    })?;
    let named =
        [("name", tenant.name.clone()), ("id", tenant.id.to_string()), ("database", masked_address(&tenant.database))];
    ctx.done("done.tenant_added", &named, &rows(&[tenant]))?;
    Ok(Exit::Done)
}

fn list(ctx: &Context) -> anyhow::Result<Exit> {
    ctx.rows(&rows(&ctx.config.tenants.tenants))?;
    Ok(Exit::Done)
}

fn rows(tenants: &[Tenant]) -> Rows {
    let mut rows = Rows::new(&[column("tenant"), column("id"), column("database"), column("state")]);
    for t in tenants {
        let state = match (&t.moving_to, &t.moved_from) {
            (None, None) => "here",
            _ => "moving",
        };
        rows.push(vec![
            Cell::text(&t.name),
            Cell::text(t.id),
            Cell::text(masked_address(&t.database)),
            Cell::Word(state),
        ]);
    }
    rows
}

async fn moved(ctx: &Context, args: Move) -> anyhow::Result<Exit> {
    let mut map = ctx.config.tenants.clone();
    let unknown = || Failure::NotFound { noun: "tenant", code: args.name.clone() };
    let tenant = map.find(&args.name).cloned().ok_or_else(unknown)?;
    // After the map was switched and before the old rows were removed, the old database is only named there.
    let from = match &tenant.moved_from {
        Some(from) if tenant.database == args.to => from.clone(),
        Some(_) => return Err(StoreError::Moving.into()),
        None => tenant.database.clone(),
    };
    if tenant.moving_to.as_ref().is_some_and(|to| *to != args.to) {
        return Err(StoreError::Moving.into());
    }
    let vault = wire::vault(&ctx.config)?;
    // Nobody changes the key meanwhile: what is sealed stays as it is.
    let _still = match std::env::var_os(wire::MASTER_KEY) {
        Some(_) => None,
        None => Some(KeyFile::keep_still(key::file(&ctx.config)?)?.ok_or(StoreError::Busy)?),
    };
    let mut moving = Moving::begin(&from, &args.to, tenant.id, &vault).await?;
    if args.call_off {
        moving.call_off().await?;
        note(&mut map, &tenant, |t| {
            (t.database, t.moving_to, t.moved_from) = (from.clone(), None, None);
        })?;
        moving.end().await?;
        ctx.say("done.tenant_stays", &[("name", tenant.name), ("database", masked_address(&from))])?;
        return Ok(Exit::Done);
    }
    note(&mut map, &tenant, |t| {
        if t.moved_from.is_none() {
            t.moving_to = Some(args.to.clone());
        }
    })?;
    moving.leave(ctx.now).await?;
    moving.copy(ctx.now).await?;
    let found = moving.verify().await?;
    note(&mut map, &tenant, |t| {
        (t.database, t.moving_to, t.moved_from) = (args.to.clone(), None, Some(from.clone()));
    })?;
    moving.leave_behind(ctx.now).await?;
    moving.arrive().await?;
    note(&mut map, &tenant, |t| t.moved_from = None)?;
    moving.end().await?;
    let variables = [
        ("name", tenant.name.clone()),
        ("rows", found.rows().to_string()),
        ("entries", found.audit_entries.to_string()),
        ("database", masked_address(&args.to)),
    ];
    ctx.done("done.tenant_moved", &variables, &told(&found))?;
    Ok(Exit::Done)
}

fn note(map: &mut Map, tenant: &Tenant, change: impl FnOnce(&mut Tenant)) -> Result<(), Failure> {
    map.change(|tenants| {
        let gone = || Failure::NotFound { noun: "tenant", code: tenant.name.clone() };
        change(tenants.iter_mut().find(|t| t.id == tenant.id).ok_or_else(gone)?);
        Ok(())
    })
}

/// The tables with their rows.
fn told(moved: &MovedRows) -> Rows {
    let mut rows = Rows::new(&[column("table"), number("rows")]);
    for (table, count) in &moved.tables {
        rows.push(vec![Cell::text(table), Cell::count(*count)]);
    }
    rows
}
