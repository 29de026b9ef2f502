//! What officers do at half past eight, through the same engine calls as the commands of the CLI.

use anyhow::{Context as _, bail};
use isp_core::Money;
use isp_core::calendar::{Date, Zone};
use isp_core::device::Cpe;
use isp_core::engine::Told;
use isp_core::engine::device::DeviceNote;
use isp_core::ids::{CpeId, ExemptionId, OutageId, PromiseId, TenantId, derive};
use isp_core::payment::Channel;
use isp_core::ports::PageQuery;
use isp_core::protection::{Exemption, Outage, Promise};
use isp_core::text::{Code, Name};

use super::stage::{Stage, new_password};
use super::stories::Event;
use super::timeline::{Timeline, Tone};
use super::world::known_as;

const OFFICER: &str = "Wulan (kantor)";
const TECHNICIAN: &str = "Yanto (teknisi)";

/// Does one of the deeds that an officer can do.
pub(super) async fn act(stage: &Stage, timeline: &mut Timeline<'_>, event: Event, today: Date) -> anyhow::Result<()> {
    match event {
        Event::Isolate { customer, reason } => {
            let at = today.at(8, 30, Zone::Wib);
            let customer = stage.people.with_code(customer)?;
            stage.engine().isolate(customer.id, OFFICER, reason, at).await?;
            let who = known_as(customer);
            timeline.note(
                Tone::Story,
                format!("{who} diisolir manual oleh {OFFICER}: {reason}"),
                format!("{who} is isolated by hand by {OFFICER}: {reason}"),
            );
        }
        Event::Reopen { customer, reason } => {
            let at = today.at(8, 30, Zone::Wib);
            let customer = stage.people.with_code(customer)?;
            stage.engine().reopen(customer.id, OFFICER, reason, at).await?;
            let who = known_as(customer);
            timeline.note(
                Tone::Relief,
                format!("{who} dibuka manual oleh {OFFICER}: {reason}"),
                format!("{who} is reopened by hand by {OFFICER}: {reason}"),
            );
        }
        Event::Reverse { customer, reason } => reverse(stage, timeline, customer, reason, today).await?,
        Event::Promise { customer, until } => {
            let customer = stage.people.with_code(customer)?;
            let until = Date::parse(until)?;
            let promise = Promise {
                id: PromiseId(derive(customer.id.0, &["promise", &today.to_string()])),
                customer_id: customer.id,
                made_on: today,
                until,
                by: OFFICER.to_owned(),
                ending: None,
            };
            stage.engine().promise(promise).await?;
            let who = known_as(customer);
            timeline.note(
                Tone::Story,
                format!("{who} janji bayar paling lambat {until}: tidak diisolir sampai itu"),
                format!("{who} promises to pay by {until}: no isolation before that"),
            );
        }
        Event::Exempt { customer, until, reason } => {
            let customer = stage.people.with_code(customer)?;
            let until = Date::parse(until)?;
            let exemption = Exemption {
                id: ExemptionId(derive(customer.id.0, &["exemption", &today.to_string()])),
                customer_id: customer.id,
                from: today,
                until,
                reason: reason.to_owned(),
                by: OFFICER.to_owned(),
                ending: None,
            };
            stage.engine().exempt(exemption).await?;
            let who = known_as(customer);
            timeline.note(
                Tone::Story,
                format!("{who} dikecualikan dari isolir sampai {until}: {reason}"),
                format!("{who} is exempt from isolation until {until}: {reason}"),
            );
        }
        Event::Outage { site, until, note } => outage(stage, timeline, site, Date::parse(until)?, note, today).await?,
        Event::ChangePackage { customer, package } => change_package(stage, timeline, customer, package, today).await?,
        Event::ReplaceDevice { .. } => replace_device(stage, timeline, event, today).await?,
        other => bail!("no officer does this: {other:?}"),
    }
    Ok(())
}

async fn reverse(
    stage: &Stage,
    timeline: &mut Timeline<'_>,
    customer: &str,
    reason: &str,
    today: Date,
) -> anyhow::Result<()> {
    let customer = stage.people.with_code(customer)?;
    let payments = stage.store.payments(TenantId::DEFAULT, Some(customer.id), PageQuery::first(1_000)).await?;
    let last = payments.iter().filter(|p| p.reversal.is_none()).max_by_key(|p| p.payment.paid_at);
    let payment = &last.context("the customer has paid nothing that could be taken back")?.payment;
    let amount = stage.engine().reverse(payment.id, OFFICER, reason, today.at(8, 30, Zone::Wib)).await?.amount;
    let who = known_as(customer);
    timeline.note(
        Tone::Trouble,
        format!("pembayaran {who} {amount} ditarik kembali: {reason}; tagihannya terbuka lagi"),
        format!("the payment of {who}, {amount}, is taken back: {reason}; the invoice is open again"),
    );
    Ok(())
}

async fn outage(
    stage: &Stage,
    timeline: &mut Timeline<'_>,
    site: &str,
    until: Date,
    note: &str,
    today: Date,
) -> anyhow::Result<()> {
    let sites = stage.store.sites(TenantId::DEFAULT).await?;
    let site = sites.iter().find(|s| s.code.as_str() == site).context("no such site")?;
    let outage = Outage {
        id: OutageId(derive(site.id.0, &["outage", &today.to_string()])),
        site_id: site.id,
        from: today.at(2, 0, site.zone),
        until: Some(until.at(17, 0, site.zone)),
        note: note.to_owned(),
        ending: None,
    };
    stage.engine().outage(outage).await?;
    let name = &site.name;
    timeline.note(
        Tone::Trouble,
        format!("{name}: {note}; selama gangguan tak seorang pun di sana diisolir"),
        format!("{name}: {note}; during the outage nobody there is isolated"),
    );
    Ok(())
}

async fn change_package(
    stage: &Stage,
    timeline: &mut Timeline<'_>,
    customer: &str,
    package: &str,
    today: Date,
) -> anyhow::Result<()> {
    let customer = stage.people.with_code(customer)?;
    let packages = stage.store.packages(TenantId::DEFAULT).await?;
    let package = packages.iter().find(|p| p.code.as_str() == package).context("no such package")?;
    let line = stage.people.line_of(customer.id)?;
    let from = stage.engine().change_package(line, package.id, today.at(8, 30, Zone::Wib)).await?;
    let (who, name) = (known_as(customer), &package.name);
    timeline.note(
        Tone::Story,
        format!("{who} minta pindah ke {name}: berlaku periode berikut, {from}"),
        format!("{who} asks for {name}: from the next period, {from}"),
    );
    Ok(())
}

async fn replace_device(stage: &Stage, timeline: &mut Timeline<'_>, event: Event, today: Date) -> anyhow::Result<()> {
    let Event::ReplaceDevice { customer, model, reason, cost } = event else { bail!("not a replacement") };
    let customer = stage.people.with_code(customer)?;
    let cpes = stage.store.cpes(TenantId::DEFAULT, Some(customer.id)).await?;
    let old = cpes.into_iter().find(|c| c.installed).context("no device to replace")?;
    let serial = Code::parse("serial", &format!("{}-B", old.serial))?;
    let new = Cpe {
        id: CpeId(derive(old.id.0, &["successor"])),
        serial: serial.clone(),
        outdoor_unit: Some(Name::parse("outdoor_unit", model)?),
        password: Some(new_password(u64::from(today.day_number().unsigned_abs()))),
        ..old.clone()
    };
    let note = DeviceNote {
        on: today,
        reason: Name::parse("reason", reason)?,
        officer: Name::parse("officer", TECHNICIAN)?,
        cost: Money::rupiah(cost),
        paid_from: Channel::Cash,
        told: Told::ByMachine,
    };
    let before = old.serial.clone();
    stage.engine().replace_device(old, new, &note).await?;
    let (who, cost) = (known_as(customer), note.cost);
    timeline.note(
        Tone::Story,
        format!("{who}: {before} {reason}, diganti {serial} oleh {TECHNICIAN}, biaya {cost}"),
        format!("{who}: {before} {reason}, replaced with {serial} by {TECHNICIAN}, cost {cost}"),
    );
    Ok(())
}
