//! The notice when personal data was lost or seen by others (UU 27/2022, article 46).

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use isp_core::calendar::{Date, TimeOfDay, Zone};
use isp_core::ids::CustomerId;
use isp_core::privacy::notice_until;
use isp_core::text::Code;

use super::{kept_of, write_all};
use crate::cmd::report::escaped;
use crate::cmd::{args, find, record};
use crate::context::Context;
use crate::failure::Exit;
use crate::output::{Cell, Format, Rows, column};

#[derive(Debug, Args)]
pub(crate) struct Breach {
    /// What happened.
    #[arg(long)]
    happened: String,
    /// What was done about it, and what people should do.
    #[arg(long)]
    measures: String,
    /// The day on which it became known; today when not given.
    #[arg(long, value_name = "DAY", value_parser = args::day_alone)]
    known: Option<Date>,
    /// The time of that day in Jakarta; midnight when not given.
    #[arg(long, value_parser = args::time, requires = "known")]
    known_time: Option<TimeOfDay>,
    /// Only customers with a line at this site.
    #[arg(long, value_parser = args::code)]
    site: Option<Code>,
    /// The folder to make.
    #[arg(long)]
    to: PathBuf,
}

pub(super) async fn report(ctx: &Context, args: &Breach) -> anyhow::Result<Exit> {
    for (field, text) in [("happened", &args.happened), ("measures", &args.measures)] {
        if text.trim().is_empty() {
            return Err(isp_core::Error::Empty { field }.into());
        }
    }
    let store = ctx.store().await?;
    let engine = ctx.engine(store);
    let mut customers = engine.all_customers().await?;
    if let Some(code) = &args.site {
        let site = find::site(ctx, store, code).await?;
        let lines = engine.all_subscriptions().await?;
        let there: BTreeSet<CustomerId> =
            lines.iter().filter(|(line, _)| line.site_id == site.id).map(|(line, _)| line.customer_id).collect();
        customers.retain(|customer| there.contains(&customer.id));
    }
    let gone: BTreeSet<CustomerId> =
        store.erased(ctx.tenant(), None).await?.into_iter().map(|erased| erased.customer_id).collect();
    customers.retain(|customer| !gone.contains(&customer.id));
    customers.sort_by(|a, b| a.code.cmp(&b.code));
    let known = match (args.known, args.known_time) {
        (Some(day), Some(time)) => record::at(day, time, Zone::Wib),
        (Some(day), None) => day.midnight(Zone::Wib),
        (None, _) => ctx.now,
    };
    let mut subjects = Rows::new(&[column("code"), column("name"), column("phone"), column("kept")]);
    let mut kinds = BTreeSet::new();
    for customer in &customers {
        let kept = kept_of(customer);
        kinds.extend(kept.iter().copied());
        let words: Vec<String> = kept.iter().map(|word| ctx.texts.t(&format!("column.{word}"))).collect();
        subjects.push(vec![
            Cell::text(&customer.code),
            Cell::text(&customer.name),
            customer.phone.clone().map_or(Cell::Empty, Cell::Phone),
            Cell::text(words.join(", ")),
        ]);
    }
    let kinds: Vec<String> = kinds.into_iter().map(|word| ctx.texts.t(&format!("column.{word}"))).collect();
    let provider = ctx.config.provider.as_ref().map_or_else(String::new, |provider| provider.name.to_string());
    let until = record::moment(notice_until(known), Zone::Wib);
    let said = [
        ("provider", provider),
        ("known", record::moment(known, Zone::Wib)),
        ("until", until.clone()),
        ("people", customers.len().to_string()),
        ("kept", kinds.join(", ")),
        ("happened", args.happened.trim().to_owned()),
        ("measures", args.measures.trim().to_owned()),
    ];
    let title = ctx.texts.t("privacy.notice_title");
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n<dl>\n",
        ctx.texts.language().code(),
        title = escaped(&title),
    );
    for (key, value) in &said {
        let label = ctx.texts.t(&format!("privacy.notice_{key}"));
        html += &format!("<dt>{}</dt><dd>{}</dd>\n", escaped(&label), escaped(value));
    }
    html += "</dl>\n</body>\n</html>\n";
    let people = subjects.render(Format::Csv, &ctx.texts, None)?;
    let files = [("notice.html".to_owned(), html.into_bytes()), ("people.csv".to_owned(), people.into_bytes())];
    write_all(&args.to, &files)?;
    let told = [("people", customers.len().to_string()), ("until", until), ("folder", args.to.display().to_string())];
    ctx.say("done.breach_report", &told)?;
    Ok(Exit::Done)
}
