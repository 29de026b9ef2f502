//! `isp cpe` and `isp device`: equipment at customers' places, and what happens to it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use clap::{Args, Subcommand};
use isp_core::calendar::{Date, plausible_day};
use isp_core::device::{Cpe, DeviceAction, Ownership};
use isp_core::engine::Told;
use isp_core::engine::device::DeviceNote;
use isp_core::ids::{CpeId, CustomerId};
use isp_core::money::plausible_amount;
use isp_core::payment::Channel;
use isp_core::ports::Store;
use isp_core::subscription::Mac;
use isp_core::text::{Code, Name, RouterName};
use isp_core::{Money, Secret};

use super::record::{self, Id, chosen};
use super::sure::Sure;
use super::{args, find};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{Cell, Rows, column, number};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Install a device at a customer's place; one that came back goes to its next customer with its history.
    #[command(
        after_help = "Example:\n  isp cpe add SN-1001 --customer P001 --ownership dipinjamkan --outdoor-unit 'LiteBeam M5' --value 650000 --reason 'pasang baru'"
    )]
    Add(Box<Add>),
    /// List devices.
    List(List),
    /// Show one device with its history.
    Show(Serial),
    /// Correct what is recorded of a device; its history says that it was.
    #[command(
        after_help = "Example:\n  isp cpe edit SN-1001 --serial SN-1010 --value 650000 --reason 'salah ketik nomor seri'"
    )]
    Edit(Box<Edit>),
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
    /// Say what an entry of the history really cost; the difference is booked on its day.
    #[command(
        after_help = "Example:\n  isp device correct SN-1001 --cost 600000 --reason 'nota salah baca'\n\nWithout --id, the latest entry that cost something."
    )]
    Correct(Correct),
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
    #[arg(long, value_parser = args::whom)]
    customer: Option<args::Whom>,
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
    /// From which money it was paid: cash or bank.
    #[arg(long, value_parser = args::channel, default_value = "cash")]
    paid_from: Channel,
    #[command(flatten)]
    sure: Sure,
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
    #[arg(long, value_parser = args::whom)]
    customer: args::Whom,
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
    /// MAC address of the new one: the customer's DHCP line goes over to it in the same step.
    #[arg(long, value_parser = args::mac)]
    mac: Option<Mac>,
    /// Which line that is, for a customer with several.
    #[arg(long, value_parser = args::router_name, requires = "mac")]
    line: Option<RouterName>,
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

#[derive(Debug, Args)]
pub(crate) struct Edit {
    /// Serial number, as it is recorded.
    #[arg(value_parser = args::code)]
    serial: Code,
    /// The right serial number.
    #[arg(long = "serial", value_name = "SERIAL", value_parser = args::code)]
    new_serial: Option<Code>,
    /// At whose place it really stands.
    #[arg(long, value_parser = args::whom)]
    customer: Option<args::Whom>,
    /// owned (milik sendiri) or lent (dipinjamkan).
    #[arg(long, value_parser = args::ownership)]
    ownership: Option<Ownership>,
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
    #[arg(long, value_parser = args::money)]
    value: Option<Money>,
    /// Why; kept in its history.
    #[arg(long, value_parser = args::name)]
    reason: Name,
}

#[derive(Debug, Args)]
pub(crate) struct Correct {
    /// Serial number.
    #[arg(value_parser = args::code)]
    serial: Code,
    #[command(flatten)]
    which: Id,
    /// What it cost the provider.
    #[arg(long, value_parser = args::money)]
    cost: Money,
    /// From other money than it was booked from: cash or bank.
    #[arg(long, value_parser = args::channel)]
    paid_from: Option<Channel>,
    /// Why; kept in its history.
    #[arg(long, value_parser = args::name)]
    reason: Name,
    #[command(flatten)]
    sure: Sure,
}

impl Note {
    fn told(self, ctx: &Context) -> Result<DeviceNote, isp_core::Error> {
        self.sure.of(plausible_amount("cost", self.cost))?;
        let (on, told) = (self.date.unwrap_or_else(|| ctx.today()), self.sure.told());
        self.sure.of(plausible_day("date", on, ctx.today()))?;
        let (officer, paid_from) = (ctx.officer.clone(), self.paid_from);
        Ok(DeviceNote { on, reason: self.reason, officer, cost: self.cost, paid_from, told })
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
            let before = known.into_iter().find(|c| c.serial == serial);
            find::absent(before.as_ref().filter(|c| c.installed), "cpe", &serial)?;
            let shown = serial.to_string();
            let id = before.as_ref().map_or_else(|| CpeId(ctx.id()), |c| c.id);
            let mut device = model.device(id, serial, owner.id, ownership)?;
            if let Some(before) = before {
                // What is not said of one that came back is as it was; the password of its last place is not.
                device.outdoor_unit = device.outdoor_unit.or(before.outdoor_unit);
                device.router = device.router.or(before.router);
                device.value = if device.value.is_zero() { before.value } else { device.value };
            }
            ctx.engine(store).install_device(device, &note.told(ctx)?).await?;
            ctx.say("done.device_installed", &[("serial", shown), ("code", find::named(&owner))])?;
        }
        Command::List(List { customer }) => {
            let of = match &customer {
                Some(whom) => Some(find::person(ctx, store, whom.as_str()).await?.code),
                None => None,
            };
            let report = ctx.engine(store).report_cpe(ctx.now).await?;
            ctx.rows(&super::report::cpe_rows(
                report.into_iter().filter(|row| of.as_ref().is_none_or(|code| code.as_str() == row.customer)),
            ))?;
        }
        Command::Edit(args) => edit(ctx, store, *args).await?,
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
            let Replace { serial, with, mac, line, ownership, model, note } = *args;
            let old = find::cpe(ctx, store, &serial).await?;
            let (shown, owner) = (with.to_string(), ownership.unwrap_or(old.ownership));
            let new = model.device(CpeId(ctx.id()), with, old.customer_id, owner)?;
            let moves = match mac {
                Some(mac) => Some((find::dhcp_line(ctx, store, old.customer_id, line.as_ref()).await?, mac)),
                None => None,
            };
            let engine = ctx.engine(store);
            engine.replace_device_and_box(old, new, &note.told(ctx)?, moves, ctx.now).await?;
            ctx.say("done.device_replaced", &[("serial", serial.to_string()), ("with", shown)])?;
        }
        DeviceCommand::Return(Return { serial, note }) => {
            let device = find::cpe(ctx, store, &serial).await?;
            ctx.engine(store).return_device(device, &note.told(ctx)?).await?;
            ctx.say("done.device_returned", &[("serial", serial.to_string())])?;
        }
        DeviceCommand::Correct(Correct { serial, which, cost, paid_from, reason, sure }) => {
            let device = find::cpe(ctx, store, &serial).await?;
            let mut history = store.device_history(ctx.tenant(), None).await?;
            history.retain(|h| h.cpe_id == device.id && h.action != DeviceAction::Corrected);
            let last = history.iter().rfind(|h| !h.cost.is_zero()).map(|h| h.id);
            let entry = chosen(&which, "device_entry", serial.as_str(), history, |h| h.id.0, |h| Some(h.id) == last)?;
            sure.of(plausible_amount("cost", cost))?;
            let (officer, told) = (ctx.officer.clone(), sure.told());
            let paid_from = paid_from.unwrap_or(entry.paid_from);
            let note = DeviceNote { on: entry.on, reason, officer, cost, paid_from, told };
            let difference = ctx.engine(store).correct_device_cost(&device, &entry, &note).await?;
            let variables = [
                ("serial", serial.to_string()),
                ("cost", cost.to_string()),
                ("date", entry.on.to_string()),
                ("channel", ctx.texts.t(&format!("word.{}", paid_from.code()))),
                ("difference", difference.to_string()),
            ];
            ctx.say("done.device_cost", &variables)?;
        }
        DeviceCommand::History(List { customer }) => {
            let of = match &customer {
                Some(code) => Some(find::person(ctx, store, code.as_str()).await?.id),
                None => None,
            };
            let history = store.device_history(ctx.tenant(), of).await?;
            ctx.rows(&history_rows(ctx, history).await?)?;
        }
    }
    Ok(Exit::Done)
}

async fn edit(ctx: &Context, store: &dyn Store, args: Edit) -> anyhow::Result<()> {
    let before = find::cpe(ctx, store, &args.serial).await?;
    let customer_id = match &args.customer {
        Some(whom) => find::customer(ctx, store, whom).await?.id,
        None => before.customer_id,
    };
    if let Some(serial) = args.new_serial.as_ref().filter(|serial| **serial != before.serial) {
        let known = store.cpes(ctx.tenant(), None).await?;
        find::absent(known.iter().find(|c| c.serial == *serial), "cpe", serial)?;
    }
    let password = args.password.as_deref().map(args::private).transpose()?.map(Secret::new);
    let device = Cpe {
        serial: args.new_serial.unwrap_or_else(|| before.serial.clone()),
        customer_id,
        ownership: args.ownership.unwrap_or(before.ownership),
        outdoor_unit: args.outdoor_unit.or_else(|| before.outdoor_unit.clone()),
        router: args.router.or_else(|| before.router.clone()),
        ip: args.ip.or(before.ip),
        username: args.username.or_else(|| before.username.clone()),
        password: password.or_else(|| before.password.clone()),
        value: args.value.unwrap_or(before.value),
        ..before.clone()
    };
    if device == before {
        return Err(Failure::Usage { problem: "nothing_to_edit", what: args.serial.to_string() }.into());
    }
    let shown = device.serial.to_string();
    let (officer, told) = (ctx.officer.clone(), Told::ByPerson);
    let (cost, paid_from) = (Money::ZERO, Channel::Cash);
    let note = DeviceNote { on: ctx.today(), reason: args.reason, officer, cost, paid_from, told };
    ctx.engine(store).edit_device(device, &note).await?;
    ctx.say("done.device_edited", &[("serial", shown)])?;
    Ok(())
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
        column("channel"),
        column("id"),
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
            if entry.cost.is_zero() { Cell::Empty } else { Cell::Word(entry.paid_from.code()) },
            record::shown(entry.id.0),
        ]);
    }
    Ok(rows)
}
