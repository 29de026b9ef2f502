//! `isp package`: what is sold, at which price from which day.

use clap::{Args, Subcommand};
use isp_core::Money;
use isp_core::calendar::Date;
use isp_core::ids::{MasterId, PackageId};
use isp_core::money::plausible_price;
use isp_core::package::{Package, PriceList, PriceVersion, Speed, UserGroup};
use isp_core::ports::ChangeSet;
use isp_core::tax::TaxMode;
use isp_core::text::{Code, Name, RouterName};

use super::sure::Sure;
use super::{args, find};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::{Cell, Rows, column, number};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add a package.
    #[command(
        after_help = "Example:\n  isp package add HOME20 --name 'Rumah 20 Mbps' --price 'Rp 165.000' --tax inclusive --speed 20M/10M"
    )]
    Add(Add),
    /// List packages with today's price.
    List,
    /// Show one package with all its dated prices.
    Show(Show),
    /// Correct name, speed or profile of a package, or take it from sale.
    #[command(
        after_help = "Examples:\n  isp package edit HOME20 --name 'Rumah 20 Mbps'\n  isp package edit HOME20 --speed 30M/15M && isp deliver"
    )]
    Edit(Edit),
    /// Give a package a new price from a day on; periods that start before keep the old one.
    #[command(
        after_help = "Examples:\n  isp package price HOME20 175000 --from 2026-07-01\n  isp package price HOME20 - --from 2026-07-01   take it back before that day"
    )]
    Price(Price),
    /// Remove a package that no line, invoice or past names; one that is used is taken from sale with `edit --sold no`.
    #[command(after_help = "Example:\n  isp package remove HOME20")]
    Remove(Show),
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Short code.
    #[arg(value_parser = args::code)]
    code: Code,
    /// Name on invoices.
    #[arg(long, value_parser = args::name)]
    name: Name,
    /// Rupiah per month.
    #[arg(long, value_parser = args::money)]
    price: Money,
    /// Whether the price contains PPN: exclusive (belum termasuk) or inclusive (termasuk).
    #[arg(long, value_parser = args::tax, default_value = "exclusive")]
    tax: TaxMode,
    /// Download/upload, such as 20, 20M/10M or 512k.
    #[arg(long, value_parser = args::speed)]
    speed: Speed,
    /// Name of the RouterOS profile; the code when not given.
    #[arg(long, value_parser = args::router_name)]
    group: Option<RouterName>,
    #[command(flatten)]
    sure: Sure,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Package code.
    #[arg(value_parser = args::code)]
    code: Code,
}

#[derive(Debug, Args)]
pub(crate) struct Edit {
    /// Package code.
    #[arg(value_parser = args::code)]
    code: Code,
    /// Another code.
    #[arg(long = "code", value_name = "CODE", value_parser = args::code)]
    new_code: Option<Code>,
    /// Name on invoices.
    #[arg(long, value_parser = args::name)]
    name: Option<Name>,
    /// Download/upload, such as 20, 20M/10M or 512k; `router apply` brings it to the routers.
    #[arg(long, value_parser = args::speed)]
    speed: Option<Speed>,
    /// Name of the RouterOS profile.
    #[arg(long, value_parser = args::router_name)]
    group: Option<RouterName>,
    /// Whether it is sold: yes or no. Who has it keeps it.
    #[arg(long, value_parser = ["yes", "no"])]
    sold: Option<String>,
    #[command(flatten)]
    sure: Sure,
}

#[derive(Debug, Args)]
pub(crate) struct Price {
    /// Package code.
    #[arg(value_parser = args::code)]
    code: Code,
    /// Rupiah per month; `-` takes the price of that day away, before it begins.
    #[arg(value_parser = args::or_none(args::money), allow_hyphen_values = true)]
    price: args::OrNone<Money>,
    /// First day on which it holds.
    #[arg(long)]
    from: Date,
    #[command(flatten)]
    sure: Sure,
}

pub(crate) async fn run(ctx: &Context, command: Command) -> anyhow::Result<Exit> {
    let store = ctx.store().await?;
    match command {
        Command::Add(Add { code, name, price, tax, speed, group, sure }) => {
            sure.of(plausible_price("price", price))?;
            sure.of(speed.plausible("speed"))?;
            let all = store.packages(ctx.tenant()).await?;
            find::absent(all.iter().find(|p| p.code == code), "package", &code)?;
            let group = UserGroup { name: group.unwrap_or_else(|| code.clone().into()), speed };
            let (shown, prices) = (code.to_string(), PriceList::single(price)?);
            let id = PackageId(ctx.id());
            let package = Package { id, code, name, prices, tax_mode: tax, group, sold: true };
            store.commit(ctx.tenant(), ChangeSet { packages: vec![package], ..ChangeSet::default() }).await?;
            ctx.say("done.package_added", &[("code", shown)])?;
        }
        Command::List => {
            let mut rows = Rows::new(&[
                column("code"),
                column("name"),
                number("price"),
                column("tax"),
                column("speed"),
                column("group"),
                column("sold"),
            ]);
            for package in store.packages(ctx.tenant()).await? {
                rows.push(vec![
                    Cell::text(&package.code),
                    Cell::text(&package.name),
                    package.prices.on(ctx.today()).map_or(Cell::Empty, Cell::Money),
                    Cell::Word(tax_word(package.tax_mode)),
                    Cell::text(package.group.speed),
                    Cell::text(&package.group.name),
                    Cell::Word(if package.sold { "yes" } else { "no" }),
                ]);
            }
            ctx.rows(&rows)?;
        }
        Command::Show(Show { code }) => {
            let package = find::package(ctx, store, &code).await?;
            let mut rows = Rows::new(&[column("code"), column("name"), column("from"), number("price"), column("tax")]);
            for version in package.prices.versions() {
                rows.push(vec![
                    Cell::text(&package.code),
                    Cell::text(&package.name),
                    if version.from == Date::MIN { Cell::Empty } else { version.from.into() },
                    version.price.into(),
                    Cell::Word(tax_word(package.tax_mode)),
                ]);
            }
            ctx.rows(&rows)?;
        }
        Command::Edit(Edit { code, new_code, name, speed, group, sold, sure }) => {
            speed.map_or(Ok(()), |speed| sure.of(speed.plausible("speed")))?;
            let before = find::package(ctx, store, &code).await?;
            if let Some(new) = &new_code {
                let all = store.packages(ctx.tenant()).await?;
                find::absent(all.iter().find(|p| p.code == *new && p.id != before.id), "package", new)?;
            }
            let mut package = before.clone();
            package.code = new_code.unwrap_or(package.code);
            package.name = name.unwrap_or(package.name);
            package.group.speed = speed.unwrap_or(package.group.speed);
            package.group.name = group.unwrap_or(package.group.name);
            package.sold = sold.map_or(package.sold, |sold| sold == "yes");
            if package == before {
                return Err(Failure::Usage { problem: "nothing_to_edit", what: code.to_string() }.into());
            }
            let (shown, regrouped) = (package.code.to_string(), package.group != before.group);
            store.commit(ctx.tenant(), ChangeSet { packages: vec![package], ..ChangeSet::default() }).await?;
            if regrouped {
                let lines = ctx.engine(store).regroup_package(before.id, ctx.officer.as_str(), ctx.now).await?;
                ctx.say("done.package_regrouped", &[("code", shown), ("lines", lines.to_string())])?;
            } else {
                ctx.say("done.package_edited", &[("code", shown)])?;
            }
        }
        Command::Price(Price { code, price: args::OrNone(None), from, sure: _ }) => {
            let package = find::package(ctx, store, &code).await?;
            let package = Package { prices: package.prices.without(from, ctx.today())?, ..package };
            store.commit(ctx.tenant(), ChangeSet { packages: vec![package], ..ChangeSet::default() }).await?;
            ctx.say("done.price_taken_back", &[("code", code.to_string()), ("from", from.to_string())])?;
        }
        Command::Remove(Show { code }) => {
            let package = find::package(ctx, store, &code).await?;
            if !ctx.may("ask.remove", &[("noun", ctx.texts.t("noun.package")), ("code", code.to_string())])? {
                return Ok(Exit::Refused);
            }
            ctx.engine(store).remove(MasterId::Package(package.id)).await?;
            ctx.say("done.package_removed", &[("code", code.to_string())])?;
        }
        Command::Price(Price { code, price: args::OrNone(Some(price)), from, sure }) => {
            sure.of(plausible_price("price", price))?;
            let package = find::package(ctx, store, &code).await?;
            let versions = package.prices.versions().iter().copied().chain([PriceVersion { from, price }]);
            let package = Package { prices: PriceList::try_new(versions.collect())?, ..package };
            store.commit(ctx.tenant(), ChangeSet { packages: vec![package], ..ChangeSet::default() }).await?;
            let variables = [("code", code.to_string()), ("price", price.to_string()), ("from", from.to_string())];
            ctx.say("done.price", &variables)?;
        }
    }
    Ok(Exit::Done)
}

pub(super) const fn tax_word(mode: TaxMode) -> &'static str {
    match mode {
        TaxMode::Exclusive => "exclusive",
        TaxMode::Inclusive => "inclusive",
    }
}
