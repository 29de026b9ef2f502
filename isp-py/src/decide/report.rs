//! `profit_loss`.

use std::collections::BTreeMap;

use isp_core::Money;
use isp_core::ids::{PackageId, SiteId};
use isp_core::ledger::{Account, EntryKind, JournalTotal};
use isp_core::report::profit_loss as report;
use isp_core::report::{Codes, GroupBy, ProfitLossRow};
use pyo3::prelude::*;
use uuid::Uuid;

use crate::convert::{Kind, Value, Writer, nth};

pub(crate) const GROUPINGS: [(&str, GroupBy); 3] =
    [("month", GroupBy::Month), ("package", GroupBy::Package), ("site", GroupBy::Site)];

/// Profit and loss by month, and by package or site if asked: accrual without PPN, with cash in and out beside it.
///
/// Rows are amounts of the journal, debit positive, credit negative; how finely they are summed before does not
/// matter. What has no package or site stands in a row of its own, whose ``group`` is ``None``.
#[pyfunction]
#[pyo3(signature = (rows, *, by=None))]
pub(crate) fn profit_loss<'py>(
    rows: &Bound<'py, PyAny>,
    by: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = rows.py();
    let by = by.map(|by| Value::argument("by", by)?.word(&GROUPINGS)).transpose()?.unwrap_or_default();
    let accounts = Account::ALL.map(|account| (account.code(), account));
    let kinds = EntryKind::ALL.map(|kind| (kind.code(), kind));
    let (mut packages, mut sites) = (Names::default(), Names::default());
    let totals = Value::argument("rows", rows)?.rows(|_, row| {
        let fields = row.record(Kind::LedgerRow)?;
        let day = fields.take()?.date()?;
        Ok(JournalTotal {
            month: day.month().first(),
            account: fields.take()?.word(&accounts)?,
            amount: fields.take()?.money()?,
            kind: fields.take()?.word(&kinds)?,
            package_id: fields.take()?.optional_string()?.map(|name| PackageId(packages.id(name))),
            site_id: fields.take()?.optional_string()?.map(|name| SiteId(sites.id(name))),
        })
    })?;
    let report = py.detach(|| {
        let packages = packages.0.into_iter().map(|(name, id)| (PackageId(id), name)).collect();
        let sites = sites.0.into_iter().map(|(name, id)| (SiteId(id), name)).collect();
        report::profit_loss(&totals, by, &Codes { packages, sites })
    });
    let mut writer = Writer::new(py)?;
    let rows = report.rows.iter().map(|row| write_row(row, &mut writer)).collect::<PyResult<Vec<_>>>()?;
    let total = write_row(&report.total, &mut writer)?;
    let rows = writer.tuple(rows)?;
    writer.record(Kind::ProfitLoss, [rows, total])
}

/// Ids for the caller's names.
#[derive(Default)]
struct Names(BTreeMap<String, Uuid>);

impl Names {
    fn id(&mut self, name: String) -> Uuid {
        let next = nth(self.0.len());
        *self.0.entry(name).or_insert(next)
    }
}

fn write_row<'py>(row: &ProfitLossRow, writer: &mut Writer<'py>) -> PyResult<Bound<'py, PyAny>> {
    let fields = [
        writer.optional_date(row.month)?,
        writer.optional_text(row.group.as_deref()),
        write_amounts(&row.revenue, writer)?,
        write_amounts(&row.costs, writer)?,
        writer.money(row.revenue_total())?,
        writer.money(row.costs_total())?,
        writer.money(row.result)?,
        writer.money(row.cash_in)?,
        writer.money(row.cash_out)?,
    ];
    writer.record(Kind::ProfitLossRow, fields)
}

fn write_amounts<'py>(amounts: &BTreeMap<Account, Money>, writer: &mut Writer<'py>) -> PyResult<Bound<'py, PyAny>> {
    let mut items = Vec::with_capacity(amounts.len());
    for (account, amount) in amounts {
        let fields = [writer.word(account.code()), writer.money(*amount)?];
        items.push(writer.record(Kind::AccountAmount, fields)?);
    }
    writer.tuple(items)
}
