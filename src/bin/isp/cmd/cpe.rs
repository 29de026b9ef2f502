//! `isp cpe` and `isp device`: equipment at customers' places, and what happens to it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use clap::{Args, Subcommand};
use isp_core::calendar::Date;
use isp_core::device::{Cpe, Ownership};
use isp_core::engine::manage::DeviceNote;
use isp_core::ids::{CpeId, CustomerId};
use isp_core::text::{Code, Name};
use isp_core::{Money, Secret};

use super::{args, find};
use crate::context::Context;
use crate::failure::Exit;
use crate::output::{Cell, Rows, column, number};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Install a device at a customer's place.
    #[command(
        after_help = "Example:\n  isp cpe add SN-1001 --customer P001 --ownership dipinjamkan --outdoor-unit 'LiteBeam M5' --value 650000 --reason 'pasang baru'"
    )]
    Add(Box<Add>),
    /// List devices.
    List(List),
    /// Show one device with its history.
    Show(Serial),
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeviceCommand {
    /// Exchange a device for another at the same place; the cost is booked once.
    #[command(
        after_help = "Example:\n  isp device replace SN-1001 --with SN-2001 --reason 'tersambar petir' --cost 650000 --value 650000"
    )]
    Replace(Box<Replace>),
    /// Take a device back.
    #[command(after_help = "Example:\n  isp device return SN-1001 --reason 'berhenti langganan'")]
    Return(Return),
    /// What happened to devices, of one customer or of all.
    History(List),
}

#[derive(Debug, Args)]
pub(crate) struct Serial {
    /// Serial number.
    #[arg(value_parser = args::code)]
    serial: Code,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only this customer's.
    #[arg(long, value_parser = args::code)]
    customer: Option<Code>,
}

#[derive(Debug, Args)]
struct Note {
    /// When; today when not given.
    #[arg(long)]
    date: Option<Date>,
    /// Why.
    #[arg(long, value_parser = args::name)]
    reason: Name,
    /// What it cost the provider.
    #[arg(long, value_parser = args::money, default_value = "0")]
    cost: Money,
}

#[derive(Debug, Args)]
struct Model {
    /// Model of the outdoor unit.
    #[arg(long, value_parser = args::name)]
    outdoor_unit: Option<Name>,
    /// Model of the indoor router.
    #[arg(long, value_parser = args::name)]
    router: Option<Name>,
    /// Address at which it is managed.
    #[arg(long)]
    ip: Option<IpAddr>,
    /// User name for managing it.
    #[arg(long)]
    username: Option<String>,
    /// Password for managing it; `-` reads it from standard input.
    #[arg(long)]
    password: Option<String>,
    /// What it is worth.
    #[arg(long, value_parser = args::money, default_value = "0")]
    value: Money,
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Serial number.
    #[arg(value_parser = args::code)]
    serial: Code,
    /// At whose place.
    #[arg(long, value_parser = args::code)]
    customer: Code,
    /// owned (milik sendiri) or lent (dipinjamkan).
    #[arg(long, value_parser = args::ownership)]
    ownership: Ownership,
    #[command(flatten)]
    model: Model,
    #[command(flatten)]
    note: Note,
}

#[derive(Debug, Args)]
pub(crate) struct Replace {
    /// Serial number of the device that leaves.
    #[arg(value_parser = args::code)]
    serial: Code,
    /// Serial number of the device that comes.
    #[arg(long, value_parser = args::code)]
    with: Code,
    /// Whose the new one is; as the old one when not given.
    #[arg(long, value_parser = args::ownership)]
    ownership: Option<Ownership>,
    #[command(flatten)]
    model: Model,
    #[command(flatten)]
    note: Note,
}

#[derive(Debug, Args)]
pub(crate) struct Return {
    /// Serial number.
    #[arg(value_parser = args::code)]
    serial: Code,
    #[command(flatten)]
    note: Note,
}

impl Note {
    fn told(self, ctx: &Context) -> DeviceNote {
        let on = self.date.unwrap_or_else(|| ctx.today());
        DeviceNote { on, reason: self.reason, officer: ctx.officer.clone(), cost: self.cost }
    }
}

impl Model {
    fn device(self, id: CpeId, serial: Code, customer_id: CustomerId, ownership: Ownership) -> anyhow::Result<Cpe> {
        let password = self.password.as_deref().map(args::private).transpose()?.map(Secret::new);
        let (outdoor_unit, router, ip) = (self.outdoor_unit, self.router, self.ip);
        let (username, value) = (self.username, self.value);
        Ok(Cpe {
            id,
            serial,
            customer_id,
            outdoor_unit,
            router,
            ip,
            username,
            password,
            ownership,
            value,
            installed: true,
        })
    }
}

pub(crate) async fn run(ctx: &Context, command: Command) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    match command {
        Command::Add(args) => {
            let Add { serial, customer, ownership, model, note } = *args;
            let owner = find::customer(ctx, store, &customer).await?;
            let known = store.cpes(ctx.tenant(), None).await?;
            find::absent(known.iter().find(|c| c.serial == serial), "cpe", &serial)?;
            let shown = serial.to_string();
            let device = model.device(CpeId(ctx.id()), serial, owner.id, ownership)?;
            ctx.engine(store).install_device(device, &note.told(ctx)).await?;
            ctx.say("done.device_installed", &[("serial", shown), ("code", customer.to_string())])?;
        }
        Command::List(List { customer }) => {
            let report = ctx.engine(store).report_cpe(ctx.now).await?;
            ctx.rows(&super::report::cpe_rows(
                report.into_iter().filter(|row| customer.as_ref().is_none_or(|code| code.as_str() == row.customer)),
            ))?;
        }
        Command::Show(Serial { serial }) => {
            let device = find::cpe(ctx, store, &serial).await?;
            let history = store.device_history(ctx.tenant(), None).await?;
            let of_device = history.into_iter().filter(|h| h.cpe_id == device.id);
            ctx.rows(&history_rows(ctx, of_device.collect()).await?)?;
        }
    }
    Ok(Exit::Done)
}

pub(crate) async fn device(ctx: &Context, command: DeviceCommand) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    match command {
        DeviceCommand::Replace(args) => {
            let Replace { serial, with, ownership, model, note } = *args;
            let old = find::cpe(ctx, store, &serial).await?;
            let (shown, owner) = (with.to_string(), ownership.unwrap_or(old.ownership));
            let new = model.device(CpeId(ctx.id()), with, old.customer_id, owner)?;
            ctx.engine(store).replace_device(old, new, &note.told(ctx)).await?;
            ctx.say("done.device_replaced", &[("serial", serial.to_string()), ("with", shown)])?;
        }
        DeviceCommand::Return(Return { serial, note }) => {
            let device = find::cpe(ctx, store, &serial).await?;
            ctx.engine(store).return_device(device, &note.told(ctx)).await?;
            ctx.say("done.device_returned", &[("serial", serial.to_string())])?;
        }
        DeviceCommand::History(List { customer }) => {
            let of = match &customer {
                Some(code) => Some(find::customer(ctx, store, code).await?.id),
                None => None,
            };
            let history = store.device_history(ctx.tenant(), of).await?;
            ctx.rows(&history_rows(ctx, history).await?)?;
        }
    }
    Ok(Exit::Done)
}

async fn history_rows(ctx: &Context, history: Vec<isp_core::device::DeviceHistory>) -> anyhow::Result<Rows> {
    let store = ctx.store().await?;
    let mut codes = BTreeMap::new();
    let mut rows = Rows::new(&[
        column("date"),
        column("action"),
        column("device"),
        column("customer"),
        column("ownership"),
        column("reason"),
        column("officer"),
        number("cost"),
    ]);
    for entry in history {
        if let std::collections::btree_map::Entry::Vacant(slot) = codes.entry(entry.customer_id) {
            let customer = store.customer(ctx.tenant(), entry.customer_id).await?;
            slot.insert(customer.map(|c| c.code.to_string()).unwrap_or_default());
        }
        rows.push(vec![
            entry.on.into(),
            Cell::Word(entry.action.code()),
            Cell::text(&entry.device),
            Cell::maybe(codes.get(&entry.customer_id)),
            Cell::Word(entry.ownership.code()),
            Cell::text(&entry.reason),
            Cell::text(&entry.officer),
            entry.cost.into(),
        ]);
    }
    Ok(rows)
}
