//! `isp customer`: who pays for a line.

use clap::{Args, Subcommand};
use isp_core::billing::InvoiceBalance;
use isp_core::customer::{Address, Customer, Invoicing, Nik, Phone};
use isp_core::device::Cpe;
use isp_core::ids::{CustomerId, MasterId};
use isp_core::place::Coordinates;
use isp_core::ports::{ChangeSet, PageQuery, Store};
use isp_core::protection::Proof;
use isp_core::text::{Code, Language, Name};

use super::sure::Sure;
use super::{args, find};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{Cell, Rows, column, number};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add a customer.
    #[command(
        after_help = "Examples:\n  isp customer add P001 --name 'Budi Santoso' --address 'Jl. Merdeka 1, Bandung' --phone 0812-3456-7890 --nik -\n  isp customer add --name 'Siti Aminah' --address 'Jl. Asia 2'   with the next free customer ID"
    )]
    Add(Add),
    /// Correct name, address, phone, language or NIK of a customer.
    #[command(
        after_help = "Examples:\n  isp customer edit P001 --phone 0813-9876-5432\n  isp customer edit P001 --nik -"
    )]
    Edit(Box<Edit>),
    /// Remove a customer who was added by mistake; one with a line, a payment or any other history stays.
    #[command(after_help = "Example:\n  isp customer remove P001")]
    Remove(Show),
    /// Say whether invoices of several subscriptions stand on one document.
    #[command(after_help = "Example:\n  isp customer invoicing P001 per_customer")]
    Invoicing(SetInvoicing),
    /// List customers; numbers are masked.
    #[command(
        visible_alias = "find",
        after_help = "Examples:\n  isp customer list --search budi --format csv\n  isp customer find 0812-3456-7890"
    )]
    List(List),
    /// Show the whole customer: person, lines, open invoices, payments, messages, devices, promises, what happened.
    #[command(
        after_help = "Examples:\n  isp customer show P001\n  isp customer show 0812-3456-7890\n  isp customer show INV-202601-000042"
    )]
    Show(Whom),
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// The unique customer ID that people use; the next free one, such as PLG-0001, when not given.
    #[arg(value_parser = args::code)]
    code: Option<Code>,
    /// Name.
    #[arg(long, value_parser = args::name)]
    name: Name,
    /// Where the line ends.
    #[arg(long)]
    address: String,
    /// Mobile number for WhatsApp, in any usual form.
    #[arg(long)]
    phone: Option<String>,
    /// NIK, 16 digits; `-` reads it from standard input, which keeps it out of the shell's history.
    #[arg(long)]
    nik: Option<String>,
    /// Language of messages: id or en.
    #[arg(long = "language", value_parser = args::language, default_value = "id")]
    messages: Language,
    /// per_subscription, or per_customer: invoices of several subscriptions on one document.
    #[arg(long, value_parser = Invoicing::parse, default_value = "per_subscription")]
    invoicing: Invoicing,
    /// Where the line ends on the map: latitude and longitude, such as -6.914744,107.609810.
    #[arg(long, value_name = "LAT,LON", value_parser = Coordinates::parse, allow_hyphen_values = true)]
    coordinates: Option<Coordinates>,
    #[command(flatten)]
    sure: Sure,
}

#[derive(Debug, Args)]
pub(crate) struct Edit {
    /// Who: customer ID, phone number, PPPoE user name, or a part of the name.
    #[arg(value_name = "CUSTOMER", value_parser = args::whom)]
    whom: args::Whom,
    /// Another customer ID.
    #[arg(long = "code", value_name = "CODE", value_parser = args::code)]
    new_code: Option<Code>,
    /// Name.
    #[arg(long, value_parser = args::name)]
    name: Option<Name>,
    /// Where the line ends.
    #[arg(long)]
    address: Option<String>,
    /// Mobile number for WhatsApp, in any usual form.
    #[arg(long)]
    phone: Option<String>,
    /// He has no number for WhatsApp.
    #[arg(long, conflicts_with = "phone")]
    no_phone: bool,
    /// NIK, 16 digits; `-` reads it from standard input, which keeps it out of the shell's history.
    #[arg(long)]
    nik: Option<String>,
    /// His NIK is not kept.
    #[arg(long, conflicts_with = "nik")]
    no_nik: bool,
    /// Language of messages: id or en.
    #[arg(long = "language", value_parser = args::language)]
    messages: Option<Language>,
    /// Where the line ends on the map: latitude and longitude, such as -6.914744,107.609810.
    #[arg(long, value_name = "LAT,LON", value_parser = Coordinates::parse, allow_hyphen_values = true)]
    coordinates: Option<Coordinates>,
    /// Where the line ends on the map is not kept.
    #[arg(long, conflicts_with = "coordinates")]
    no_coordinates: bool,
    #[command(flatten)]
    sure: Sure,
}

#[derive(Debug, Args)]
pub(crate) struct SetInvoicing {
    /// Who: customer ID, phone number, PPPoE user name, or a part of the name.
    #[arg(value_name = "CUSTOMER", value_parser = args::whom)]
    whom: args::Whom,
    /// per_subscription, or per_customer: invoices of the same days on one document.
    #[arg(value_parser = Invoicing::parse)]
    invoicing: Invoicing,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only those whose ID, name or PPPoE user name contains this, or who have this phone number.
    #[arg(value_name = "SEARCH")]
    word: Option<String>,
    /// The same, as an option.
    #[arg(long, conflicts_with = "word")]
    search: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Customer ID.
    #[arg(value_parser = args::code)]
    code: Code,
}

#[derive(Debug, Args)]
pub(crate) struct Whom {
    /// Customer ID, phone number, PPPoE user name, number of an invoice, or a part of the name.
    whom: String,
}

pub(crate) async fn run(ctx: &Context, command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Add(args) => add(ctx, args).await,
        Command::Edit(args) => edit(ctx, *args).await,
        Command::Remove(args) => remove(ctx, args).await,
        Command::Invoicing(args) => set_invoicing(ctx, args).await,
        Command::List(args) => list(ctx, args).await,
        Command::Show(args) => show(ctx, args).await,
    }
}

async fn add(ctx: &Context, args: Add) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let code = match args.code {
        Some(code) => code,
        None => next_code(ctx, store).await?,
    };
    find::absent(store.customer_by_code(ctx.tenant(), &code).await?, "customer", &code)?;
    let nik = args.nik.as_deref().map(args::private).transpose()?;
    let customer = Customer {
        id: CustomerId(ctx.id()),
        code,
        name: args.name,
        nik: nik.as_deref().map(Nik::parse).transpose()?,
        address: Address::parse(&args.address)?,
        phone: args.phone.as_deref().map(Phone::parse).transpose()?,
        language: args.messages,
        invoicing: args.invoicing,
        coordinates: args.coordinates,
    };
    one_nik(ctx, store, &customer, args.sure).await?;
    let code = find::named(&customer);
    store.commit(ctx.tenant(), ChangeSet { customers: vec![customer], ..ChangeSet::default() }).await?;
    ctx.say("done.customer_added", &[("code", code)])?;
    Ok(Exit::Done)
}

/// The next free customer ID: after the last of those that all but a few customers follow, as import gives them.
async fn next_code(ctx: &Context, store: &dyn Store) -> anyhow::Result<Code> {
    let everybody = ctx.engine(store).all_customers().await?;
    let code = isp_core::customer::next_code(everybody.iter().map(|customer| &customer.code))?;
    Ok(code)
}

async fn edit(ctx: &Context, args: Edit) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let before = find::customer(ctx, store, &args.whom).await?;
    if let Some(code) = args.new_code.as_ref() {
        let taken = store.customer_by_code(ctx.tenant(), code).await?.filter(|other| other.id != before.id);
        find::absent(taken, "customer", code)?;
    }
    let mut customer = before.clone();
    customer.code = args.new_code.unwrap_or(customer.code);
    customer.name = args.name.unwrap_or(customer.name);
    customer.language = args.messages.unwrap_or(customer.language);
    if let Some(address) = args.address {
        customer.address = Address::parse(&address)?;
    }
    if let Some(phone) = args.phone {
        customer.phone = Some(Phone::parse(&phone)?);
    }
    if let Some(nik) = args.nik {
        customer.nik = Some(Nik::parse(&args::private(&nik)?)?);
    }
    customer.coordinates = args.coordinates.or(customer.coordinates).filter(|_| !args.no_coordinates);
    customer.phone = customer.phone.filter(|_| !args.no_phone);
    customer.nik = customer.nik.filter(|_| !args.no_nik);
    if customer == before {
        return Err(Failure::Usage { problem: "nothing_to_edit", what: before.code.to_string() }.into());
    }
    if customer.nik != before.nik {
        one_nik(ctx, store, &customer, args.sure).await?;
    }
    let code = find::named(&customer);
    store.commit(ctx.tenant(), ChangeSet { customers: vec![customer], ..ChangeSet::default() }).await?;
    ctx.say("done.customer_edited", &[("code", code)])?;
    Ok(Exit::Done)
}

/// Asks about a NIK that another customer has: it may be typed wrongly, or one person is there twice.
async fn one_nik(ctx: &Context, store: &dyn Store, customer: &Customer, sure: Sure) -> anyhow::Result<()> {
    if customer.nik.is_none() || sure.is() {
        return Ok(());
    }
    let everybody = ctx.engine(store).all_customers().await?;
    match everybody.into_iter().find(|other| other.id != customer.id && other.nik == customer.nik) {
        Some(other) => Err(Failure::SameNik { code: other.code.to_string() }.into()),
        None => Ok(()),
    }
}

async fn remove(ctx: &Context, args: Show) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let customer = find::customer_of_code(ctx, store, &args.code).await?;
    if !ctx.may("ask.remove", &[("noun", ctx.texts.t("noun.customer")), ("code", find::named(&customer))])? {
        return Ok(Exit::Refused);
    }
    ctx.engine(store).remove(MasterId::Customer(customer.id)).await?;
    ctx.say("done.customer_removed", &[("code", find::named(&customer))])?;
    Ok(Exit::Done)
}

async fn set_invoicing(ctx: &Context, args: SetInvoicing) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let customer = find::customer(ctx, store, &args.whom).await?;
    let named = find::named(&customer);
    let customers = vec![Customer { invoicing: args.invoicing, ..customer }];
    store.commit(ctx.tenant(), ChangeSet { customers, ..ChangeSet::default() }).await?;
    let how = ctx.texts.t(&format!("word.{}", args.invoicing.code()));
    ctx.say("done.invoicing", &[("code", named), ("invoicing", how)])?;
    Ok(Exit::Done)
}

async fn list(ctx: &Context, args: List) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let wanted = match args.word.or(args.search) {
        Some(text) => Some((find::Wanted::by(ctx, store, &text, true).await?, text.trim().to_lowercase())),
        None => None,
    };
    let is = |c: &Customer| match &wanted {
        Some((wanted, text)) => wanted.is(c) || c.code.as_str().to_lowercase().contains(text),
        None => true,
    };
    let mut rows = Rows::new(&[column("code"), column("name"), column("phone"), column("language")]);
    let mut page = PageQuery::first(ctx.config.worker.page);
    loop {
        let customers = store.customers(ctx.tenant(), page).await?;
        for customer in &customers {
            if is(customer) {
                rows.push(vec![
                    Cell::text(&customer.code),
                    Cell::text(&customer.name),
                    Cell::maybe(customer.phone.as_ref()),
                    Cell::text(customer.language.code()),
                ]);
            }
        }
        if !page.advance(&customers, |last| last.id) {
            break;
        }
    }
    ctx.rows(&rows)?;
    Ok(Exit::Done)
}

async fn show(ctx: &Context, args: Whom) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    let customer = find::person(ctx, store, &args.whom).await?;
    let open = store.open_invoices(ctx.tenant(), customer.id).await?;
    let credit: isp_core::Money = store.credit(ctx.tenant(), customer.id).await?.iter().map(|c| c.left).sum();
    let arrears = isp_core::billing::Arrears::of(&open, ctx.today());
    let mut rows = Rows::new(&[
        column("code"),
        column("name"),
        column("nik"),
        column("address"),
        column("coordinates"),
        column("phone"),
        column("language"),
        column("invoicing"),
        number("owed"),
        number("overdue"),
        number("credit"),
    ]);
    rows.push(vec![
        Cell::text(&customer.code),
        Cell::text(&customer.name),
        Cell::maybe(customer.nik.as_ref()),
        Cell::text(customer.address.as_str()),
        Cell::maybe(customer.coordinates),
        Cell::maybe(customer.phone.as_ref()),
        Cell::text(customer.language.code()),
        Cell::Word(customer.invoicing.code()),
        open.iter().map(|i| i.residual()).sum::<isp_core::Money>().into(),
        arrears.overdue.into(),
        credit.into(),
    ]);
    ctx.rows(&rows)?;
    if ctx.format == crate::output::Format::Table {
        let lines = find::subscriptions(ctx, store, &customer).await?;
        ctx.rows(&super::subscription::table(ctx, store, &lines).await?)?;
        if !open.is_empty() {
            ctx.rows(&open_rows(&open))?;
        }
        let mut accounts = Rows::new(&[column("gateway"), column("number")]);
        if let Some(digits) = ctx.engine(store).va_digits(&customer).await? {
            for bank in crate::wire::banks(&ctx.config).into_iter().filter_map(|(_, bank)| bank.ok()) {
                accounts.push(vec![Cell::text(bank.name()), Cell::text(bank.number_of(&digits))]);
            }
        }
        if accounts.len() > 0 {
            ctx.rows(&accounts)?;
        }
        super::customer_past::show(ctx, store, &customer, &lines).await?;
        let devices = store.cpes(ctx.tenant(), Some(customer.id)).await?;
        if !devices.is_empty() {
            ctx.rows(&device_rows(&devices))?;
        }
        let mut proofs = store.proofs(ctx.tenant(), Some(customer.id)).await?;
        proofs.retain(Proof::waits);
        if !proofs.is_empty() {
            super::proof::show(ctx, proofs).await?;
        }
        let (promises, exemptions) = store.protections(ctx.tenant(), Some(customer.id)).await?;
        let running: Vec<_> = promises
            .iter()
            .filter(|p| p.holds(ctx.today(), ctx.now))
            .map(|p| ("promise", p.made_on, p.until, p.by.as_str()))
            .chain(
                exemptions
                    .iter()
                    .filter(|e| e.holds(ctx.today(), ctx.now))
                    .map(|e| ("exemption", e.from, e.until, e.reason.as_str())),
            )
            .collect();
        if !running.is_empty() {
            let mut rows = Rows::new(&[column("what"), column("from"), column("until"), column("note")]);
            for (what, from, until, note) in running {
                rows.push(vec![Cell::Word(what), from.into(), until.into(), Cell::text(note)]);
            }
            ctx.rows(&rows)?;
        }
    }
    Ok(Exit::Done)
}

fn open_rows(open: &[InvoiceBalance]) -> Rows {
    let mut rows = Rows::new(&[column("invoice"), column("issued"), column("due"), number("total"), number("left")]);
    for i in open {
        rows.push(vec![
            Cell::text(isp_core::billing::invoice::display_number(i.number, i.issue_date)),
            i.issue_date.into(),
            i.due_date.into(),
            i.total.into(),
            i.residual().into(),
        ]);
    }
    rows
}

fn device_rows(devices: &[Cpe]) -> Rows {
    let mut rows = Rows::new(&[
        column("serial"),
        column("outdoor_unit"),
        column("cpe_router"),
        column("ownership"),
        number("value"),
        column("installed"),
    ]);
    for device in devices {
        rows.push(vec![
            Cell::text(&device.serial),
            Cell::maybe(device.outdoor_unit.as_ref()),
            Cell::maybe(device.router.as_ref()),
            Cell::Word(device.ownership.code()),
            device.value.into(),
            Cell::Word(if device.installed { "yes" } else { "no" }),
        ]);
    }
    rows
}
