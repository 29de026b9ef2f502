//! Lines of invoices, and spans of isolation, which several calls read or write.

use isp_core::billing::{InvoiceLine, LineKind};
use isp_core::calendar::Period;
use isp_core::isolation::{AccessEventKind, Happened};
use pyo3::prelude::*;

use crate::convert::{Kind, Value, Writer};

pub(crate) const KINDS: [(&str, LineKind); 8] = [
    ("subscription", LineKind::Subscription),
    ("installation", LineKind::Installation),
    ("late_fee", LineKind::LateFee),
    ("discount", LineKind::Discount),
    ("credit", LineKind::Credit),
    ("ppn", LineKind::Ppn),
    ("rounding", LineKind::Rounding),
    ("installation_ppn", LineKind::InstallationPpn),
];

/// Reads lines.
pub(super) fn read_lines(lines: &Value<'_, '_>) -> PyResult<Vec<InvoiceLine>> {
    lines.each(|_, line| {
        let fields = line.record(Kind::InvoiceLine)?;
        let line = InvoiceLine::new(fields.take()?.word(&KINDS)?, fields.take()?.money()?);
        let days = fields.take()?.optional().map(|v| v.int(0, 366)).transpose()?;
        let of_days = fields.take()?.optional().map(|v| v.int(1, 366)).transpose()?;
        Ok(InvoiceLine { prorated: days.zip(of_days), ..line })
    })
}

/// Writes a line.
pub(super) fn write_line<'py>(line: &InvoiceLine, writer: &mut Writer<'py>) -> PyResult<Bound<'py, PyAny>> {
    let kind = KINDS.iter().find(|(_, kind)| *kind == line.kind).map_or("subscription", |(word, _)| word);
    let (days, of_days) = match line.prorated {
        Some((days, of)) => (writer.int(i64::from(days))?, writer.int(i64::from(of))?),
        None => (writer.none(), writer.none()),
    };
    let fields = [writer.word(kind), writer.money(line.amount)?, days, of_days];
    writer.record(Kind::InvoiceLine, fields)
}

/// Reads a half-open period from the next two fields.
pub(super) fn read_period(start: &Value<'_, '_>, end: &Value<'_, '_>) -> PyResult<Period> {
    Period::try_new(start.date()?, end.date()?).map_err(|error| end.refuse(error))
}

/// Reads the spans in which a line was isolated, as what began and ended them, oldest first.
pub(super) fn read_isolated(spans: &Value<'_, '_>) -> PyResult<Vec<Happened>> {
    let mut happened = Vec::new();
    for (since, until) in spans.each(|_, span| {
        let fields = span.record(Kind::IsolatedSpan)?;
        Ok((fields.take()?.moment()?, fields.take()?.optional().map(|v| v.moment()).transpose()?))
    })? {
        happened.push(Happened { at: since, kind: AccessEventKind::IsolatedArrears });
        happened.extend(until.map(|at| Happened { at, kind: AccessEventKind::Reopened }));
    }
    // Of a span that begins where another ends, the end comes first.
    happened.sort_by_key(|one| (one.at, one.kind == AccessEventKind::IsolatedArrears));
    Ok(happened)
}
