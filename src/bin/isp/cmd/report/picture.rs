//! What a page or a workbook shows of each report: its tables, and charts of the same figures.

use std::collections::{BTreeMap, BTreeSet};

use isp_core::Money;
use isp_core::calendar::Date;
use isp_core::isolation::Access;
use isp_core::report::{CashRow, CpeRow, CustomerRow, Finance, PackageRow, ProfitLoss};

use super::rows;
use crate::grid::Grid;
use crate::i18n::Texts;

/// Bars of a chart; of more packages than this, the smallest are added up.
const BARS: usize = 12;

/// Days late, up to and including; the last is open.
const LATE: [(i32, &str); 4] = [(7, "1-7"), (30, "8-30"), (60, "31-60"), (i32::MAX, "> 60")];

/// A report.
pub(in crate::cmd) struct Section {
    pub(in crate::cmd) title: String,
    pub(in crate::cmd) charts: Vec<Chart>,
    /// Its tables, the second and later ones under a heading.
    pub(in crate::cmd) tables: Vec<(String, Grid)>,
}

/// How a chart is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A bar a label, one below the other.
    Bars,
    /// Columns side by side, such as for months.
    Columns,
}

/// Numbers with a picture.
pub(in crate::cmd) struct Chart {
    pub(super) title: String,
    pub(super) kind: Kind,
    pub(super) money: bool,
    pub(super) labels: Vec<String>,
    /// Each with its name, and a number for each label.
    pub(super) series: Vec<(String, Vec<i64>)>,
}

impl Chart {
    fn bars(title: String, name: String, money: bool, bars: Vec<(String, i64)>) -> Self {
        let (labels, values) = bars.into_iter().unzip();
        Self { title, kind: Kind::Bars, money, labels, series: vec![(name, values)] }
    }

    /// Nothing to see: every number is zero.
    fn empty(&self) -> bool {
        self.series.iter().all(|(_, values)| values.iter().all(|value| *value == 0))
    }
}

fn section(texts: &Texts, name: &str, charts: Vec<Chart>, tables: Vec<(String, Grid)>) -> Section {
    let charts = charts.into_iter().filter(|chart| !chart.empty()).collect();
    Section { title: texts.t(&format!("report.{name}")), charts, tables }
}

pub(super) fn customers(report: &[CustomerRow], contacts: bool, texts: &Texts) -> Section {
    let with = |access: Access| report.iter().filter(|row| row.access == Some(access)).count();
    let lines = [Access::Open, Access::Isolated, Access::Closed]
        .map(|access| (texts.t(&format!("word.{}", access.code())), i64::try_from(with(access)).unwrap_or(i64::MAX)));
    let mut from = 0;
    let late = LATE.map(|(until, label)| {
        let between = report.iter().filter(|row| row.days_late > from && row.days_late <= until);
        let overdue: Money = between.map(|row| row.overdue).sum();
        from = until;
        (label.to_owned(), overdue.as_i64())
    });
    let charts = vec![
        Chart::bars(texts.t("report.chart_access"), texts.t("report.lines"), false, lines.into()),
        Chart::bars(texts.t("report.chart_late"), texts.t("column.overdue"), true, late.into()),
    ];
    let table = rows::customer_rows(report, contacts).grid(texts);
    section(texts, "customers", charts, vec![(String::new(), table)])
}

pub(super) fn cpe(report: &[CpeRow], texts: &Texts) -> Section {
    let owners: BTreeSet<&'static str> = report.iter().map(|row| row.ownership.code()).collect();
    let count = |owner: &str, wanted: fn(&CpeRow) -> bool| {
        let rows = report.iter().filter(|row| row.ownership.code() == owner && wanted(row));
        i64::try_from(rows.count()).unwrap_or(i64::MAX)
    };
    let of = |wanted: fn(&CpeRow) -> bool| owners.iter().map(|owner| count(owner, wanted)).collect::<Vec<_>>();
    let chart = Chart {
        title: texts.t("report.chart_devices"),
        kind: Kind::Columns,
        money: false,
        labels: owners.iter().map(|owner| texts.t(&format!("word.{owner}"))).collect(),
        series: vec![
            (texts.t("column.installed"), of(|row| row.installed)),
            (texts.t("column.to_return"), of(|row| row.to_return)),
        ],
    };
    section(texts, "cpe", vec![chart], vec![(String::new(), rows::cpe_rows(report.iter().cloned()).grid(texts))])
}

pub(super) fn packages(report: &[PackageRow], texts: &Texts) -> Section {
    let largest = |of: &dyn Fn(&PackageRow) -> i64| {
        let mut bars: Vec<(String, i64)> = report.iter().map(|row| (row.code.clone(), of(row))).collect();
        bars.retain(|(_, value)| *value != 0);
        bars.sort_by_key(|(_, value)| std::cmp::Reverse(*value));
        if bars.len() > BARS {
            let rest = bars.split_off(BARS - 1).iter().map(|(_, value)| value).sum();
            bars.push((texts.t("report.others"), rest));
        }
        bars
    };
    let lines = largest(&|row| i64::try_from(row.active).unwrap_or(i64::MAX));
    let charts = vec![
        Chart::bars(texts.t("report.chart_lines"), texts.t("column.active"), false, lines),
        Chart::bars(
            texts.t("report.chart_monthly"),
            texts.t("column.monthly"),
            true,
            largest(&|row| row.monthly.as_i64()),
        ),
    ];
    section(texts, "packages", charts, vec![(String::new(), rows::package_rows(report).grid(texts))])
}

/// Sums by month, in the order of months.
fn by_month<T>(rows: &[T], month: impl Fn(&T) -> Option<Date>, pick: impl Fn(&T) -> Money) -> Vec<i64> {
    let mut sums: BTreeMap<Date, Money> = BTreeMap::new();
    for row in rows {
        if let Some(month) = month(row) {
            *sums.entry(month).or_default() += pick(row);
        }
    }
    sums.into_values().map(Money::as_i64).collect()
}

fn months<T>(rows: &[T], month: impl Fn(&T) -> Option<Date>) -> Vec<String> {
    let months: BTreeSet<Date> = rows.iter().filter_map(month).collect();
    months.into_iter().map(|month| month.month().to_string()).collect()
}

pub(super) fn finance(report: &Finance, split: bool, texts: &Texts) -> Section {
    let sums = |pick: fn(&isp_core::report::FinanceRow) -> Money| by_month(&report.months, |row| Some(row.month), pick);
    let chart = Chart {
        title: texts.t("report.chart_finance"),
        kind: Kind::Columns,
        money: true,
        labels: months(&report.months, |row| Some(row.month)),
        series: vec![
            (texts.t("column.billed"), sums(|row| row.billed)),
            (texts.t("column.collected"), sums(|row| row.collected)),
            (texts.t("column.outstanding"), sums(|row| row.outstanding)),
        ],
    };
    let aging = report.aging;
    let ages = [
        ("not_due", aging.not_due),
        ("to_30", aging.to_30),
        ("to_60", aging.to_60),
        ("to_90", aging.to_90),
        ("over_90", aging.over_90),
    ];
    let ages = ages.map(|(key, amount)| (texts.t(&format!("column.{key}")), amount.as_i64()));
    let title = texts.t("report.aging").trim_end_matches(':').to_owned();
    let charts = vec![chart, Chart::bars(title.clone(), texts.t("column.outstanding"), true, ages.into())];
    let slips = rows::has_slips(report);
    let tables = vec![
        (String::new(), rows::finance_rows(report, split, slips).grid(texts)),
        (title, rows::aging_rows(report, split).grid(texts)),
    ];
    section(texts, "finance", charts, tables)
}

pub(super) fn cash(report: &[CashRow], texts: &Texts) -> Section {
    let sums = |pick: fn(&CashRow) -> Money| by_month(report, |row| Some(row.month), pick);
    let flow = Chart {
        title: texts.t("report.chart_cash"),
        kind: Kind::Columns,
        money: true,
        labels: months(report, |row| Some(row.month)),
        series: vec![
            (texts.t("column.received"), sums(|row| row.received)),
            (texts.t("column.spent"), sums(|row| row.spent)),
        ],
    };
    let last = report.iter().map(|row| row.month).max();
    let closing = report.iter().filter(|row| Some(row.month) == last);
    let closing = closing.map(|row| (texts.t(&format!("word.{}", row.account.code())), row.closing.as_i64())).collect();
    let charts = vec![flow, Chart::bars(texts.t("report.chart_closing"), texts.t("column.closing"), true, closing)];
    section(texts, "cash", charts, vec![(String::new(), rows::cash_rows(report).grid(texts))])
}

pub(super) fn profit_loss(report: &ProfitLoss, texts: &Texts) -> Section {
    let sums = |pick: fn(&isp_core::report::ProfitLossRow) -> Money| by_month(&report.rows, |row| row.month, pick);
    let chart = Chart {
        title: texts.t("report.chart_result"),
        kind: Kind::Columns,
        money: true,
        labels: months(&report.rows, |row| row.month),
        series: vec![
            (texts.t("word.revenue_total"), sums(isp_core::report::ProfitLossRow::revenue_total)),
            (texts.t("word.costs_total"), sums(isp_core::report::ProfitLossRow::costs_total)),
            (texts.t("word.result"), sums(|row| row.result)),
        ],
    };
    section(texts, "profit_loss", vec![chart], vec![(String::new(), rows::profit_loss_grid(report, texts))])
}
