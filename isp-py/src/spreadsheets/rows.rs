//! The rows that were read, as Python's records.

use std::collections::HashMap;

use isp_core::customer::Phone;
use isp_core::package::Speed;
use isp_core::place::RouterEndpoint;
use isp_core::subscription::{Discount, HeldPrice, Off, Service};
use isp_core::text::{Code, Name};
use isp_core::{Money, Secret};
use isp_import::{
    Batch, CpeRow, CustomerRow, ExpenseRow, ImportPlan, InstallationRow, PackageRow, Placed, PlannedLine, RouterRow,
    SiteRow, SubscriptionRow, Verdict,
};
use pyo3::prelude::*;

use crate::convert::{Kind, Writer};
use crate::decide::words::{CYCLES, LANGUAGES, TAX_MODES, TIMINGS};
use crate::spreadsheets::{CATEGORIES, INVOICINGS, OWNERSHIPS, PAID_FROM};

type Object<'py> = Bound<'py, PyAny>;

/// All rows of all files, each with what becomes of it.
pub(super) fn all<'py>(batch: &Batch, plan: &ImportPlan, writer: &mut Writer<'py>) -> PyResult<Vec<Object<'py>>> {
    let lines: HashMap<(&str, u64), &PlannedLine> =
        plan.lines.iter().map(|line| ((line.file.as_str(), line.line), line)).collect();
    let mut rows = Vec::new();
    for (kind, verdicts) in &plan.verdicts {
        match *kind {
            "sites" => each(&batch.sites, verdicts, &mut rows, writer, site)?,
            "routers" => each(&batch.routers, verdicts, &mut rows, writer, router)?,
            "packages" => each(&batch.packages, verdicts, &mut rows, writer, package)?,
            "customers" => each(&batch.customers, verdicts, &mut rows, writer, customer)?,
            "subscriptions" => each(&batch.subscriptions, verdicts, &mut rows, writer, |row, writer| {
                line(row, lines.get(&(row.at.file(), row.at.line)).copied(), writer)
            })?,
            "cpes" => each(&batch.cpes, verdicts, &mut rows, writer, device)?,
            "installations" => each(&batch.installations, verdicts, &mut rows, writer, installation)?,
            _ => each(&batch.expenses, verdicts, &mut rows, writer, expense)?,
        }
    }
    Ok(rows)
}

fn each<'py, R: Placed>(
    rows: &[R],
    verdicts: &[Verdict],
    into: &mut Vec<Object<'py>>,
    writer: &mut Writer<'py>,
    record: impl Fn(&R, &mut Writer<'py>) -> PyResult<Object<'py>>,
) -> PyResult<()> {
    for (row, verdict) in rows.iter().zip(verdicts) {
        let (word, columns, updatable): (_, &[&'static str], _) = match verdict {
            Verdict::New => ("new", &[], false),
            Verdict::Same => ("same", &[], false),
            Verdict::LeftOut => ("left_out", &[], false),
            Verdict::Refused => ("refused", &[], false),
            Verdict::Differs { columns, updatable } => ("differs", columns, *updatable),
        };
        let columns = columns.iter().map(|column| writer.word(column)).collect();
        let record = record(row, writer)?;
        let fields = [
            writer.text(row.at().file()),
            writer.count(usize::try_from(row.at().line).unwrap_or(usize::MAX))?,
            writer.word(word),
            writer.tuple(columns)?,
            writer.bool(updatable),
            record,
        ];
        into.push(writer.record(Kind::SheetRow, fields)?);
    }
    Ok(())
}

fn site<'py>(row: &SiteRow, writer: &mut Writer<'py>) -> PyResult<Object<'py>> {
    let coordinates = row.coordinates.map(|at| at.to_string());
    let fields = [
        writer.text(row.code.as_str()),
        writer.text(row.name.as_str()),
        writer.word(row.zone.name()),
        writer.optional_text(coordinates.as_deref()),
    ];
    writer.record(Kind::SheetSite, fields)
}

fn router<'py>(row: &RouterRow, writer: &mut Writer<'py>) -> PyResult<Object<'py>> {
    let RouterEndpoint { host, port, tls, username, password } = &row.endpoint;
    let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
    let address = format!("{}{host}:{port}", if *tls { "tls://" } else { "" });
    let fields = [
        writer.text(row.code.as_str()),
        writer.text(row.site.as_str()),
        writer.text(&address),
        writer.text(username),
        writer.optional_text(row.has_password.then_some(password.reveal())),
    ];
    writer.record(Kind::SheetRouter, fields)
}

fn package<'py>(row: &PackageRow, writer: &mut Writer<'py>) -> PyResult<Object<'py>> {
    let speed: Speed = row.group.speed;
    let fields = [
        writer.text(row.code.as_str()),
        writer.text(row.name.as_str()),
        writer.money(row.price)?,
        word(&TAX_MODES, row.tax_mode, writer),
        writer.text(&speed.to_string()),
        writer.text(row.group.name.as_str()),
    ];
    writer.record(Kind::SheetPackage, fields)
}

fn customer<'py>(row: &CustomerRow, writer: &mut Writer<'py>) -> PyResult<Object<'py>> {
    let coordinates = row.coordinates.map(|at| at.to_string());
    let fields = [
        writer.text(row.code.as_str()),
        writer.text(row.name.as_str()),
        writer.optional_text(row.nik.as_ref().map(|nik| nik.reveal())),
        writer.text(row.address.as_str()),
        writer.optional_text(row.phone.as_ref().map(Phone::e164)),
        optional_word(&LANGUAGES, row.language, writer),
        optional_word(&INVOICINGS, row.invoicing, writer),
        writer.optional_text(coordinates.as_deref()),
    ];
    writer.record(Kind::SheetCustomer, fields)
}

/// A line, with what a new one takes from its router and its start.
fn line<'py>(row: &SubscriptionRow, planned: Option<&PlannedLine>, writer: &mut Writer<'py>) -> PyResult<Object<'py>> {
    let service = row.account.service;
    let name = row.account.username.as_str();
    let of = |wanted: bool| wanted.then_some(name);
    let address = row.account.address.map(|address| address.to_string());
    let router = planned.map_or(row.router.as_ref(), |line| line.router.as_ref());
    let site = planned.map_or(row.site.as_ref(), |line| Some(&line.site));
    let day = planned.map(|line| line.day).or(row.day);
    let password = row.password.as_ref().map(Secret::reveal).filter(|_| service.logs_in());
    let fields = [
        writer.text(row.customer.as_str()),
        writer.text(planned.map_or(&row.package, |line| &line.package).as_str()),
        writer.optional_text(router.map(Code::as_str)),
        writer.optional_text(site.map(Code::as_str)),
        writer.word(service.code()),
        writer.optional_text(of(service.logs_in())),
        writer.optional_text(password),
        writer.optional_text(address.as_deref()),
        writer.optional_text(of(service == Service::Dhcp)),
        writer.date(row.start)?,
        writer.optional_int(day.map(|day| i64::from(day.day())))?,
        word(&CYCLES, row.cycle, writer),
        word(&TIMINGS, row.timing, writer),
        writer.optional_date(planned.map(|line| line.billed_from).or(row.billed_from))?,
        held(row.held(), writer)?,
        discount(row.discounted(), writer)?,
        writer.none(),
        writer.none(),
        writer.bool(false),
    ];
    writer.record(Kind::SheetLine, fields)
}

fn held<'py>(held: Option<HeldPrice>, writer: &mut Writer<'py>) -> PyResult<Object<'py>> {
    let Some(held) = held else { return Ok(writer.none()) };
    let fields = [writer.money(held.price)?, writer.optional_date(held.until)?];
    writer.record(Kind::HeldPrice, fields)
}

fn discount<'py>(discount: Option<Discount>, writer: &mut Writer<'py>) -> PyResult<Object<'py>> {
    let Some(discount) = discount else { return Ok(writer.none()) };
    let (kind, value) = match discount.off {
        Off::Amount(amount) => ("amount", writer.money(amount)?),
        Off::Percent(percent) => ("percent", writer.int(i64::from(percent))?),
    };
    let fields = [writer.word(kind), value, writer.optional_date(discount.until)?];
    writer.record(Kind::Discount, fields)
}

fn device<'py>(row: &CpeRow, writer: &mut Writer<'py>) -> PyResult<Object<'py>> {
    let ip = row.ip.map(|ip| ip.to_string());
    let fields = [
        writer.text(row.serial.as_str()),
        writer.text(row.customer.as_str()),
        writer.optional_text(row.outdoor_unit.as_ref().map(Name::as_str)),
        writer.optional_text(row.router.as_ref().map(Name::as_str)),
        writer.optional_text(ip.as_deref()),
        writer.optional_text(row.username.as_deref()),
        writer.optional_text(row.password.as_ref().map(Secret::reveal)),
        word(&OWNERSHIPS, row.ownership, writer),
        writer.optional_int(row.value.map(Money::as_i64))?,
        writer.optional_date(row.on)?,
        writer.bool(true),
    ];
    writer.record(Kind::SheetDevice, fields)
}

fn installation<'py>(row: &InstallationRow, writer: &mut Writer<'py>) -> PyResult<Object<'py>> {
    let fields = [
        writer.text(row.customer.as_str()),
        writer.optional_text(row.username.as_ref().map(|name| name.as_str())),
        writer.text(row.kind_code.as_str()),
        writer.text(row.kind.as_str()),
        writer.optional_int(row.fee.map(Money::as_i64))?,
        writer.date(row.on)?,
        writer.int(i64::from(row.instalments))?,
        writer.bool(row.with_first_invoice),
        writer.bool(row.ended),
    ];
    writer.record(Kind::SheetInstallation, fields)
}

fn expense<'py>(row: &ExpenseRow, writer: &mut Writer<'py>) -> PyResult<Object<'py>> {
    let fields = [
        writer.date(row.on)?,
        word(&CATEGORIES, row.category, writer),
        writer.money(row.amount)?,
        writer.text(&row.note),
        writer.optional_text(row.site.as_ref().map(Code::as_str)),
        word(&PAID_FROM, row.paid_from, writer),
        writer.bool(row.ended),
    ];
    writer.record(Kind::SheetExpense, fields)
}

/// The word for a value of a closed list.
fn word<'py, T: Copy + PartialEq>(words: &[(&'static str, T)], value: T, writer: &mut Writer<'py>) -> Object<'py> {
    match words.iter().find(|(_, meaning)| *meaning == value) {
        Some((word, _)) => writer.word(word),
        None => writer.none(),
    }
}

fn optional_word<'py, T: Copy + PartialEq>(
    words: &[(&'static str, T)],
    value: Option<T>,
    writer: &mut Writer<'py>,
) -> Object<'py> {
    match value {
        Some(value) => word(words, value, writer),
        None => writer.none(),
    }
}
