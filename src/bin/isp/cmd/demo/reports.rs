//! The reports, short enough to end a demo with; `isp report` prints them whole.

use chrono::{DateTime, Utc};
use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};
use isp_core::Money;
use isp_core::calendar::Month;
use isp_core::device::Ownership;
use isp_core::isolation::Access;
use isp_core::report::GroupBy;
use isp_core::text::Language;

use super::stage::Stage;
use super::timeline::{Timeline, month_name};

/// Rows shown of a long report.
const SHORT: usize = 6;

/// Prints all five as of `now`, the monthly ones from `first` to `last`.
pub(super) async fn print(
    stage: &Stage,
    timeline: &mut Timeline<'_>,
    (first, last): (Month, Month),
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    customers(stage, timeline, now).await?;
    cpe(stage, timeline, now).await?;
    packages(stage, timeline, now).await?;
    finance(stage, timeline, (first, last), now).await?;
    profit_loss(stage, timeline, (first, last)).await
}

async fn customers(stage: &Stage, timeline: &mut Timeline<'_>, now: DateTime<Utc>) -> anyhow::Result<()> {
    let mut rows = stage.engine().report_customers(now).await?;
    let all = rows.len();
    let isolated = rows.iter().filter(|r| r.access == Some(Access::Isolated)).count();
    rows.sort_by(|a, b| b.overdue.cmp(&a.overdue).then_with(|| a.code.cmp(&b.code)));
    timeline.heading(timeline.pick("Laporan pelanggan: tunggakan terbesar", "Customers: largest arrears"))?;
    let head = timeline
        .pick("ID|Nama|Paket|Router|Layanan|Terutang|Menunggak|Hari", "ID|Name|Package|Router|Line|Owed|Overdue|Days");
    let cells = rows.iter().take(SHORT).map(|r| {
        let access = match r.access {
            Some(Access::Open) => timeline.pick("terbuka", "open"),
            Some(Access::Isolated) => timeline.pick("diisolir", "isolated"),
            Some(Access::Closed) => timeline.pick("tutup", "closed"),
            None => "",
        };
        vec![
            r.code.clone(),
            r.name.clone(),
            r.package.clone().unwrap_or_default(),
            r.router.clone().unwrap_or_default(),
            access.to_owned(),
            r.owed.to_string(),
            r.overdue.to_string(),
            r.days_late.to_string(),
        ]
    });
    let shown = table(head, cells, 5);
    timeline.line(&shown)?;
    let overdue: Money = rows.iter().map(|r| r.overdue).sum();
    let text = match timeline.language {
        Language::Id => format!("{all} pelanggan, {isolated} diisolir, tunggakan {overdue}"),
        Language::En => format!("{all} customers, {isolated} isolated, {overdue} overdue"),
    };
    Ok(timeline.line(&text)?)
}

async fn cpe(stage: &Stage, timeline: &mut Timeline<'_>, now: DateTime<Utc>) -> anyhow::Result<()> {
    let rows = stage.engine().report_cpe(now).await?;
    timeline.heading(timeline.pick("Laporan CPE: milik siapa", "CPE: whose"))?;
    let head = timeline.pick("Kepemilikan|Terpasang|Nilai", "Ownership|Installed|Value");
    let cells = [Ownership::Lent, Ownership::Owned].map(|ownership| {
        let own: Vec<_> = rows.iter().filter(|r| r.installed && r.ownership == ownership).collect();
        let value: Money = own.iter().map(|r| r.value).sum();
        let name = match ownership {
            Ownership::Lent => timeline.pick("dipinjamkan", "lent"),
            Ownership::Owned => timeline.pick("milik sendiri", "owned"),
        };
        vec![name.to_owned(), own.len().to_string(), value.to_string()]
    });
    timeline.line(&table(head, cells.into_iter(), 1))?;
    let gone: Vec<&str> = rows.iter().filter(|r| !r.installed).map(|r| r.serial.as_str()).collect();
    let text = format!("{}: {}", timeline.pick("sudah diganti", "replaced"), gone.join(", "));
    Ok(timeline.line(&text)?)
}

async fn packages(stage: &Stage, timeline: &mut Timeline<'_>, now: DateTime<Utc>) -> anyhow::Result<()> {
    let rows = stage.engine().report_packages(now).await?;
    timeline.heading(timeline.pick("Laporan paket", "Packages"))?;
    let head = timeline
        .pick("Paket|Nama|Harga|Kecepatan|Aktif|Diisolir|Sebulan", "Package|Name|Price|Speed|Active|Isolated|A month");
    let cells = rows.iter().map(|r| {
        vec![
            r.code.clone(),
            r.name.clone(),
            r.price.map(|p| p.to_string()).unwrap_or_default(),
            r.speed.clone(),
            r.active.to_string(),
            r.isolated.to_string(),
            r.monthly.to_string(),
        ]
    });
    Ok(timeline.line(&table(head, cells, 2))?)
}

async fn finance(
    stage: &Stage,
    timeline: &mut Timeline<'_>,
    (first, last): (Month, Month),
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let report = stage.engine().report_finance(first, last, isp_core::report::GroupBy::Month, now).await?;
    timeline.heading(timeline.pick("Laporan keuangan bulanan", "Monthly finance"))?;
    let head = timeline
        .pick("Bulan|Ditagih|PPN|Diterima|Piutang akhir|Titipan", "Month|Billed|PPN|Collected|Outstanding|Credit");
    let cells = report.months.iter().map(|r| {
        let month = month_name(r.month.month(), timeline.language);
        let amounts = [r.billed, r.ppn, r.collected, r.outstanding, r.credit];
        std::iter::once(month).chain(amounts.iter().map(ToString::to_string)).collect()
    });
    let shown = table(head, cells, 1);
    timeline.line(&shown)?;
    let age = &report.aging;
    let label = timeline.pick("umur piutang", "age of receivables");
    let due = timeline.pick("belum jatuh tempo", "not due");
    let text = format!(
        "{label}: {due} {} · 1-30 {} · 31-60 {} · >60 {}",
        age.not_due,
        age.to_30,
        age.to_60,
        age.to_90 + age.over_90
    );
    Ok(timeline.line(&text)?)
}

async fn profit_loss(stage: &Stage, timeline: &mut Timeline<'_>, (first, last): (Month, Month)) -> anyhow::Result<()> {
    let report = stage.engine().report_profit_loss(first, last, GroupBy::Month).await?;
    timeline.heading(timeline.pick("Laba rugi (akrual), dan kas", "Profit and loss (accrual), and cash"))?;
    let head = timeline
        .pick("Bulan|Pendapatan|Biaya|Laba|Kas masuk|Kas keluar", "Month|Revenue|Costs|Result|Cash in|Cash out");
    let language = timeline.language;
    let cells = report.rows.iter().chain([&report.total]).map(|r| {
        let month = r.month.map_or_else(|| "Σ".to_owned(), |m| month_name(m.month(), language));
        let amounts = [r.revenue_total(), r.costs_total(), r.result, r.cash_in, r.cash_out];
        std::iter::once(month).chain(amounts.iter().map(ToString::to_string)).collect()
    });
    Ok(timeline.line(&table(head, cells, 1))?)
}

/// A table; columns from `numbers` on are aligned to the right.
fn table(head: &str, rows: impl Iterator<Item = Vec<String>>, numbers: usize) -> String {
    let mut table = Table::new();
    let rule = LineStyle::none().fill('─').junction('─');
    table.load_style(TableStyle::new().header_separator(rule)).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(head.split('|'));
    table.add_rows(rows);
    for column in table.column_iter_mut().skip(numbers) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}
