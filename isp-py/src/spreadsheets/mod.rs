//! `read_spreadsheets`: an owner's files as rows, planned against what exists.

mod known;
mod rows;

use chrono::{DateTime, Utc};
use isp_core::calendar::DayOrder;
use isp_core::customer::Invoicing;
use isp_core::device::Ownership;
use isp_core::ids::{IdSource, TenantId};
use isp_core::ledger::Account;
use isp_core::payment::Channel;
use isp_core::text::{Code, Language, Name};
use isp_import::{Accept, Accepted, Batch, Copy, Existing, Files, ImportPlan, Notices, Options, Reading, RowError};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::convert::{Kind, Value, Writer};
use crate::decide::words::LANGUAGES;

pub(crate) const KINDS: [(&str, isp_import::Kind); 9] = {
    use isp_import::Kind as K;
    [
        ("sites", K::Sites),
        ("routers", K::Routers),
        ("packages", K::Packages),
        ("customers", K::Customers),
        ("subscriptions", K::Subscriptions),
        ("cpes", K::Cpes),
        ("installations", K::Installations),
        ("expenses", K::Expenses),
        ("everything", K::Everything),
    ]
};
pub(crate) const ORDERS: [(&str, DayOrder); 2] = [("dmy", DayOrder::DayFirst), ("mdy", DayOrder::MonthFirst)];
pub(crate) const INVOICINGS: [(&str, Invoicing); 2] =
    [("per_subscription", Invoicing::PerSubscription), ("per_customer", Invoicing::PerCustomer)];
pub(crate) const OWNERSHIPS: [(&str, Ownership); 2] = [("owned", Ownership::Owned), ("lent", Ownership::Lent)];
pub(crate) const CATEGORIES: [(&str, Account); 5] = [
    ("bandwidth", Account::ExpenseBandwidth),
    ("salaries", Account::ExpenseSalaries),
    ("electricity", Account::ExpenseElectricity),
    ("fees", Account::ExpenseFees),
    ("other", Account::ExpenseOther),
];
pub(crate) const PAID_FROM: [(&str, Channel); 4] =
    [("cash", Channel::Cash), ("bank", Channel::Bank), ("gateway", Channel::Gateway), ("pph23", Channel::Pph23)];

/// Reads an owner's spreadsheets and says what becomes of each row, given what exists.
///
/// ``files`` are ``SheetFile``, ``books`` a ``SheetBooks``. ``language`` is that of messages and of the copies' last column.
/// ``maps`` are pairs of a heading and the column that it means (``"-"``: none). ``dates`` says in which order days of
/// numbers stand, where a column does not show it. ``billed_from`` is the first day that is billed here (the day of ``now``
/// in WIB when it is ``None``). ``accept`` are ``SheetAnswer``. With ``copies`` the answer has a copy of each file that says what is wrong.
#[pyfunction]
#[pyo3(signature = (
    files, books, now, *, language=None, maps=None, dates=None, billed_from=None, update=None, accept=None, copies=None
))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn read_spreadsheets<'py>(
    files: &Bound<'py, PyAny>,
    books: &Bound<'py, PyAny>,
    now: &Bound<'py, PyAny>,
    language: Option<&Bound<'py, PyAny>>,
    maps: Option<&Bound<'py, PyAny>>,
    dates: Option<&Bound<'py, PyAny>>,
    billed_from: Option<&Bound<'py, PyAny>>,
    update: Option<&Bound<'py, PyAny>>,
    accept: Option<&Bound<'py, PyAny>>,
    copies: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = files.py();
    let given = |name, object: Option<&Bound<'py, PyAny>>| object.map(|o| Value::argument(name, o)).transpose();
    let now = Value::argument("now", now)?.moment()?;
    let language = given("language", language)?.map(|v| v.word(&LANGUAGES)).transpose()?.unwrap_or_default();
    let reading = Reading {
        maps: given("maps", maps)?.map(|v| v.each(|_, row| pair(&row))).transpose()?.unwrap_or_default(),
        order: given("dates", dates)?.map(|v| v.word(&ORDERS)).transpose()?,
    };
    let accepted = given("accept", accept)?.map(|v| v.each(|_, row| accepted(&row))).transpose()?.unwrap_or_default();
    let asked = Asked {
        language,
        reading,
        billed_from: given("billed_from", billed_from)?.map(|v| v.date()).transpose()?,
        update: given("update", update)?.map(|v| v.bool()).transpose()?.unwrap_or(false),
        accept: Accept::new(accepted),
        copies: given("copies", copies)?.map(|v| v.bool()).transpose()?.unwrap_or(false),
        officer: Name::parse("officer", "import").map_err(|error| PyValueError::new_err(error.to_string()))?,
    };
    let mut read = Files::default();
    Value::argument("files", files)?.rows(|_, row| {
        let fields = row.record(Kind::SheetFile)?;
        let (name, bytes) = (fields.take()?.string()?, fields.take()?.bytes()?);
        read.add(fields.take()?.optional().map(|v| v.word(&KINDS)).transpose()?, name, Ok(bytes));
        Ok(())
    })?;
    let existing = Existing::from(known::books(books, now)?);
    let answer = py.detach(|| look(&read, &existing, now, &asked)).map_err(PyErr::from)?;
    write(&answer, asked.language, &mut Writer::new(py)?)
}

/// How to read.
struct Asked {
    language: Language,
    reading: Reading,
    billed_from: Option<isp_core::Date>,
    update: bool,
    accept: Accept,
    copies: bool,
    /// Who imports, in histories of devices; a caller writes its own.
    officer: Name,
}

/// What was found.
struct Answer {
    batch: Batch,
    plan: ImportPlan,
    errors: Vec<RowError>,
    copies: Vec<Copy>,
}

fn look(files: &Files, existing: &Existing, now: DateTime<Utc>, asked: &Asked) -> std::io::Result<Answer> {
    let (batch, mut errors) = isp_import::read(files, &asked.reading);
    errors.retain(|error| !asked.accept.covers(error));
    let options = Options {
        tenant: TenantId::DEFAULT,
        now,
        billed_from: asked.billed_from,
        update: asked.update,
        officer: asked.officer.clone(),
        accept: asked.accept.clone(),
    };
    let (plan, more) = isp_import::look(&batch, existing, &mut IdSource::new(now, 0), &options);
    errors.extend(more);
    errors.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    let copies = if asked.copies {
        let (heading, separator) = match asked.language {
            Language::Id => ("masalah", b';'),
            Language::En => ("problem", b','),
        };
        let taken = |number: &str| Code::parse("code", number).is_ok_and(|code| existing.has_customer(&code));
        let say = |error: &RowError| match error.column.as_str() {
            "" => error.problem.said(asked.language),
            column => format!("{column}: {}", error.problem.said(asked.language)),
        };
        isp_import::copies(files, &asked.reading, &errors, heading, separator, &taken, say)?
    } else {
        Vec::new()
    };
    Ok(Answer { batch, plan, errors, copies })
}

fn pair(row: &Value<'_, '_>) -> PyResult<(String, String)> {
    let texts: Result<[String; 2], _> = row.each(|_, text| text.string())?.try_into();
    texts.map(|[heading, column]| (heading, column)).map_err(|_| row.wrong_type("pair of str"))
}

fn accepted(row: &Value<'_, '_>) -> PyResult<Accepted> {
    let fields = row.record(Kind::SheetAnswer)?;
    let file = fields.take()?.string()?;
    Ok(Accepted::new(file, fields.take()?.optional().map(|v| v.int(0, i64::from(u32::MAX))).transpose()?))
}

fn write<'py>(answer: &Answer, language: Language, writer: &mut Writer<'py>) -> PyResult<Bound<'py, PyAny>> {
    let word = |kind| KINDS.iter().find(|(_, known)| *known == kind).map_or("everything", |(word, _)| *word);
    let mut read_as = Vec::with_capacity(answer.batch.read_as.len());
    for (kind, file) in &answer.batch.read_as {
        read_as.push(writer.tuple(vec![writer.text(file), writer.text(word(*kind))])?);
    }
    let rows = rows::all(&answer.batch, &answer.plan, writer)?;
    let mut problems = Vec::with_capacity(answer.errors.len());
    for error in &answer.errors {
        let fields = [
            writer.text(&error.file),
            writer.count(usize::try_from(error.line).unwrap_or(usize::MAX))?,
            writer.text(&error.column),
            writer.word(error.problem.code()),
            writer.text(&error.problem.said(language)),
            writer.bool(error.problem.is_question()),
        ];
        problems.push(writer.record(Kind::SheetProblem, fields)?);
    }
    let mut faults = Vec::new();
    for fault in isp_import::faults(&answer.errors) {
        let (first, mut lines) = (fault.first, Vec::with_capacity(fault.lines.len()));
        for line in &fault.lines {
            lines.push(writer.count(usize::try_from(*line).unwrap_or(usize::MAX))?);
        }
        let fields = [
            writer.text(&first.file),
            writer.tuple(lines)?,
            writer.text(&fault.listed()),
            writer.text(&first.column),
            writer.word(first.problem.code()),
            writer.text(&first.problem.said(language)),
            writer.bool(first.problem.is_question()),
        ];
        faults.push(writer.record(Kind::SheetFault, fields)?);
    }
    let mut notices = Vec::new();
    for from in [&answer.batch.notices, &answer.plan.notices] {
        write_notices(from, language, &mut notices, writer)?;
    }
    let mut copies = Vec::with_capacity(answer.copies.len());
    for copy in &answer.copies {
        copies.push(writer.record(Kind::SheetCopy, [writer.text(&copy.name), writer.bytes(&copy.bytes)])?);
    }
    let fields = [
        writer.tuple(read_as)?,
        writer.tuple(rows)?,
        writer.tuple(problems)?,
        writer.tuple(faults)?,
        writer.tuple(notices)?,
        writer.tuple(copies)?,
    ];
    writer.record(Kind::SheetsRead, fields)
}

fn write_notices<'py>(
    notices: &Notices,
    language: Language,
    rows: &mut Vec<Bound<'py, PyAny>>,
    writer: &mut Writer<'py>,
) -> PyResult<()> {
    for (file, column, note, lines) in notices.iter() {
        let fields = [
            writer.text(file),
            writer.text(column),
            writer.word(note.key()),
            writer.text(note.said(language)),
            writer.count(usize::try_from(lines.first).unwrap_or(usize::MAX))?,
            writer.count(lines.count)?,
        ];
        rows.push(writer.record(Kind::SheetNotice, fields)?);
    }
    Ok(())
}
