//! Each report as rows.

use std::collections::{BTreeMap, BTreeSet};

use isp_core::Money;
use isp_core::customer::Phone;
use isp_core::ledger::Account;
use isp_core::report::{Aging, CashRow, CpeRow, Finance, ProfitLoss, ProfitLossRow};

use crate::cmd::subscription::{off_cell, status_word};
use crate::grid::{Grid, Heading};
use crate::i18n::Texts;
use crate::output::{Cell, Column, Rows, column, number, yes_no};

/// The customers' report as rows; without contacts, numbers are masked and addresses left out.
pub(crate) fn customer_rows(report: &[isp_core::report::CustomerRow], contacts: bool) -> Rows {
    let mut columns: Vec<Column> =
        vec![column("code"), column("name"), if contacts { column("phone").needed() } else { column("phone") }];
    if contacts {
        columns.push(column("address").needed());
    }
    columns.extend([
        column("package"),
        number("price"),
        number("discount"),
        number("months"),
        column("status"),
        column("router"),
        column("access"),
        column("confirmed"),
        number("owed"),
        number("overdue"),
        number("days_late"),
        number("credit"),
    ]);
    let mut rows = Rows::new(&columns);
    for row in report {
        let phone = match &row.phone {
            Some(phone) => match Phone::parse(phone) {
                Ok(phone) if contacts => Cell::Phone(phone),
                Ok(phone) => Cell::text(phone),
                Err(_) => Cell::Empty,
            },
            None => Cell::Empty,
        };
        let mut cells = vec![Cell::text(&row.code), Cell::text(&row.name), phone];
        if contacts {
            cells.push(Cell::text(&row.address));
        }
        cells.extend([
            Cell::maybe(row.package.as_ref()),
            row.price.map_or(Cell::Empty, Cell::Money),
            off_cell(row.discount),
            row.cycle_months.map_or(Cell::Empty, Cell::count),
            row.status.map_or(Cell::Empty, |status| Cell::Word(status_word(status))),
            Cell::maybe(row.router.as_ref()),
            row.access.map_or(Cell::Empty, |access| Cell::Word(access.code())),
            row.confirmed.map_or(Cell::Empty, yes_no),
            row.owed.into(),
            row.overdue.into(),
            Cell::count(row.days_late),
            row.credit.into(),
        ]);
        rows.push(cells);
    }
    rows
}

/// The devices' report as rows.
pub(crate) fn cpe_rows(report: impl Iterator<Item = CpeRow>) -> Rows {
    let mut rows = Rows::new(&[
        column("serial"),
        column("customer"),
        column("name"),
        column("outdoor_unit"),
        column("cpe_router"),
        column("ip"),
        column("ownership"),
        number("value"),
        column("installed"),
        column("to_return"),
    ]);
    for row in report {
        rows.push(vec![
            Cell::text(&row.serial),
            Cell::text(&row.customer),
            Cell::text(&row.name),
            Cell::maybe(row.outdoor_unit.as_ref()),
            Cell::maybe(row.router.as_ref()),
            Cell::maybe(row.ip.as_ref()),
            Cell::Word(row.ownership.code()),
            row.value.into(),
            yes_no(row.installed),
            yes_no(row.to_return),
        ]);
    }
    rows
}

/// The packages' report as rows.
pub(crate) fn package_rows(report: &[isp_core::report::PackageRow]) -> Rows {
    let mut rows = Rows::new(&[
        column("code"),
        column("name"),
        number("price"),
        column("tax"),
        column("speed"),
        column("group"),
        column("sold"),
        number("active"),
        number("isolated"),
        number("paused"),
        number("monthly"),
    ]);
    for row in report {
        rows.push(vec![
            Cell::text(&row.code),
            Cell::text(&row.name),
            row.price.map_or(Cell::Empty, Cell::Money),
            Cell::Word(crate::cmd::package::tax_word(row.tax_mode)),
            Cell::text(&row.speed),
            Cell::text(&row.group),
            yes_no(row.sold),
            Cell::count(row.active),
            Cell::count(row.isolated),
            Cell::count(row.paused),
            row.monthly.into(),
        ]);
    }
    rows
}

/// The months of the finance report as rows; `slips` is for the columns of PPh 23, which most providers never see.
pub(crate) fn finance_rows(report: &Finance, split: bool, slips: bool) -> Rows {
    let mut columns = vec![column("month")];
    if split {
        columns.push(column("group"));
    }
    columns.extend([number("billed").needed(), number("given_back"), number("ppn"), number("collected").needed()]);
    columns.extend(slips.then(|| number("withheld")));
    columns.extend([number("written_off"), number("outstanding").needed(), number("credit")]);
    columns.extend(slips.then(|| number("pph23_prepaid")));
    let mut rows = Rows::new(&columns);
    for row in &report.months {
        let mut cells = vec![Cell::text(row.month.month())];
        if split {
            cells.push(Cell::maybe(row.group.as_ref()));
        }
        let mut amounts = vec![row.billed, row.given_back, row.ppn, row.collected];
        amounts.extend(slips.then_some(row.withheld));
        amounts.extend([row.written_off, row.outstanding, row.credit]);
        amounts.extend(slips.then_some(row.pph23_prepaid));
        cells.extend(amounts.into_iter().map(Cell::Money));
        rows.push(cells);
    }
    rows
}

/// True when customers withheld PPh 23.
pub(super) fn has_slips(report: &Finance) -> bool {
    report.months.iter().any(|row| !row.withheld.is_zero() || !row.pph23_prepaid.is_zero())
}

/// The age of what is open as one row, and one for each group.
pub(crate) fn aging_rows(report: &Finance, split: bool) -> Rows {
    let mut columns = if split { vec![column("group")] } else { Vec::new() };
    columns.extend([
        number("not_due"),
        number("to_30"),
        number("to_60"),
        number("to_90"),
        number("over_90"),
        number("total"),
    ]);
    let mut rows = Rows::new(&columns);
    let mut push = |group: Option<&String>, aging: &Aging| {
        let mut cells = if split { vec![Cell::maybe(group)] } else { Vec::new() };
        let amounts = [aging.not_due, aging.to_30, aging.to_60, aging.to_90, aging.over_90, aging.total()];
        cells.extend(amounts.into_iter().map(Cell::Money));
        rows.push(cells);
    };
    report.aging_by.iter().for_each(|row| push(row.group.as_ref(), &row.aging));
    push(None, &report.aging);
    rows
}

/// Where the money is, as rows.
pub(super) fn cash_rows(report: &[CashRow]) -> Rows {
    let mut rows = Rows::new(&[
        column("month"),
        column("account"),
        number("opening"),
        number("received"),
        number("spent"),
        number("moved"),
        number("closing").needed(),
    ]);
    for row in report {
        let mut cells = vec![Cell::text(row.month.month()), Cell::Word(row.account.code())];
        cells.extend([row.opening, row.received, row.spent, row.moved, row.closing].map(Cell::Money));
        rows.push(cells);
    }
    rows
}

/// Profit and loss for programs: a row for each month, group and account.
pub(crate) fn profit_loss_rows(report: &ProfitLoss) -> Rows {
    let mut rows = Rows::new(&[column("month"), column("group"), column("line"), number("amount")]);
    for row in report.rows.iter().chain([&report.total]) {
        let mut line = |code: &'static str, amount: Money| {
            let month = row.month.map(|m| m.month());
            rows.push(vec![Cell::maybe(month), Cell::maybe(row.group.as_ref()), Cell::Word(code), amount.into()]);
        };
        row.revenue.iter().for_each(|(account, amount)| line(account.code(), *amount));
        line("revenue_total", row.revenue_total());
        row.costs.iter().for_each(|(account, amount)| line(account.code(), *amount));
        line("costs_total", row.costs_total());
        line("result", row.result);
        line("cash_in", row.cash_in);
        line("cash_out", row.cash_out);
    }
    rows
}

/// Profit and loss for people: a line an account, a column a month and group, the total last.
pub(crate) fn profit_loss_grid(report: &ProfitLoss, texts: &Texts) -> Grid {
    let all: Vec<&ProfitLossRow> = report.rows.iter().chain([&report.total]).collect();
    let headings: Vec<String> = all
        .iter()
        .map(|row| match (row.month, &row.group) {
            (None, _) => texts.t("column.total"),
            (Some(month), None) => month.month().to_string(),
            (Some(month), Some(group)) => format!("{} {group}", month.month()),
        })
        .collect();
    let accounts = |pick: fn(&ProfitLossRow) -> &BTreeMap<Account, Money>| -> BTreeSet<Account> {
        all.iter().flat_map(|row| pick(row).keys().copied()).collect()
    };
    let word = |code: &str| texts.find(&format!("word.{code}"), &[]).unwrap_or_else(|| code.to_owned());
    let mut lines: Vec<(String, Vec<Money>)> = Vec::new();
    let sums = |pick: &dyn Fn(&ProfitLossRow) -> Money| all.iter().map(|row| pick(row)).collect::<Vec<_>>();
    for account in accounts(|row| &row.revenue) {
        let amounts = sums(&|row| row.revenue.get(&account).copied().unwrap_or_default());
        lines.push((format!("  {}", word(account.code())), amounts));
    }
    lines.push((word("revenue_total"), sums(&ProfitLossRow::revenue_total)));
    for account in accounts(|row| &row.costs) {
        let amounts = sums(&|row| row.costs.get(&account).copied().unwrap_or_default());
        lines.push((format!("  {}", word(account.code())), amounts));
    }
    lines.push((word("costs_total"), sums(&ProfitLossRow::costs_total)));
    lines.push((word("result"), sums(&|row| row.result)));
    lines.push((word("cash_in"), sums(&|row| row.cash_in)));
    lines.push((word("cash_out"), sums(&|row| row.cash_out)));
    let line = Heading { key: Some("line"), text: texts.t("column.line"), right: false, needed: true };
    let months = headings.into_iter().map(|text| Heading { key: None, text, right: true, needed: false });
    let rows = lines.into_iter().map(|(label, amounts)| {
        std::iter::once(Cell::Text(label)).chain(amounts.into_iter().map(Cell::Money)).collect()
    });
    Grid { headings: std::iter::once(line).chain(months).collect(), rows: rows.collect() }
}
