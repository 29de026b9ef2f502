//! Reads the cells of one row, and gathers what is wrong with them and what should be told.

use isp_core::Error;
use isp_core::calendar::{Date, Written, day};
use isp_core::text::{Code, RouterName};
use isp_core::typed::{bare, clean, is_nothing, looks_rounded, unguarded};

use super::notice::{Note, Notices};
use super::problem::{Problem, RowError};
use super::sheet::{Origin, Row};

/// A reader of one row.
pub(super) struct Cells<'s, 'e> {
    row: Row<'s>,
    notices: &'e mut Notices,
    errors: &'e mut Vec<RowError>,
}

impl<'s, 'e> Cells<'s, 'e> {
    /// A reader that adds to `notices` and `errors`.
    pub(super) fn new(row: Row<'s>, notices: &'e mut Notices, errors: &'e mut Vec<RowError>) -> Self {
        Self { row, notices, errors }
    }

    /// A cell that must be filled. Dashes do not fill it.
    pub(super) fn need<T, E: Into<Problem>>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.seen(key)?.filter(|text| !is_dashes(text));
        match text {
            None => self.refuse(key, Error::Empty { field: key }),
            Some(text) => self.parsed(key, parse(&text)),
        }
    }

    /// A cell that may be empty, or say that there is nothing: `Some(None)` then, `None` when it is wrong.
    pub(super) fn maybe<T, E: Into<Problem>>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<Option<T>> {
        match self.seen(key)?.filter(|text| !is_nothing(text)) {
            None => Some(None),
            Some(text) => self.parsed(key, parse(&text)).map(Some),
        }
    }

    /// A code that must be filled.
    pub(super) fn code(&mut self, key: &'static str) -> Option<Code> {
        let text = self.whole_code(key);
        self.ask_if_rounded(key);
        self.need(key, |written| Code::parse(key, text.as_deref().unwrap_or(written)))
    }

    /// A code that may be empty.
    pub(super) fn maybe_code(&mut self, key: &'static str) -> Option<Option<Code>> {
        let text = self.whole_code(key);
        self.ask_if_rounded(key);
        self.maybe(key, |written| Code::parse(key, text.as_deref().unwrap_or(written)))
    }

    /// What a router calls something; it must be filled.
    pub(super) fn router_name(&mut self, key: &'static str) -> Option<RouterName> {
        let text = self.whole_code(key);
        self.ask_if_rounded(key);
        self.need(key, |written| RouterName::parse(key, text.as_deref().unwrap_or(written)))
    }

    /// What a router calls something; it may be empty.
    pub(super) fn maybe_router_name(&mut self, key: &'static str) -> Option<Option<RouterName>> {
        let text = self.whole_code(key);
        self.ask_if_rounded(key);
        self.maybe(key, |written| RouterName::parse(key, text.as_deref().unwrap_or(written)))
    }

    /// A day that must be filled.
    pub(super) fn day(&mut self, key: &'static str) -> Option<Date> {
        let order = self.row.order(key);
        let reading = self.need(key, |text| day(text, order))?;
        self.tell_day(key, reading.written);
        Some(reading.date)
    }

    /// A day that may be empty.
    pub(super) fn maybe_day(&mut self, key: &'static str) -> Option<Option<Date>> {
        let order = self.row.order(key);
        let reading = self.maybe(key, |text| day(text, order))?;
        if let Some(reading) = &reading {
            self.tell_day(key, reading.written);
        }
        Some(reading.map(|reading| reading.date))
    }

    /// What must not be touched, such as a password: only the guard of an export is taken off. Digits that a spreadsheet
    /// may have rounded are asked about: nobody could log in with them.
    pub(super) fn verbatim(&mut self, key: &'static str) -> Option<String> {
        self.ask_if_rounded(key);
        self.row.text(key).map(|text| unguarded(text).to_owned())
    }

    /// Asks about digits of which a spreadsheet may have lost some.
    pub(super) fn ask_if_rounded(&mut self, key: &'static str) {
        if self.row.text(key).is_some_and(looks_rounded) {
            self.fail(key, Problem::Rounded);
        }
    }

    /// Where the row stands.
    pub(super) fn origin(&self) -> Origin {
        self.row.origin.clone()
    }

    /// The cell as it is written, for telling rows apart even when something in them is wrong.
    pub(super) fn raw(&self, key: &str) -> Option<&'s str> {
        self.row.text(key)
    }

    /// Reports a problem that rests on several cells.
    pub(super) fn fail(&mut self, key: &'static str, problem: impl Into<Problem>) {
        self.errors.push(self.row.origin.error(key, problem));
    }

    /// Asks about a value that was read and looks like a slip.
    pub(super) fn ask(&mut self, key: &'static str, plausible: Result<(), Error>) {
        if let Err(error) = plausible {
            self.fail(key, error);
        }
    }

    /// Tells how a cell was read.
    pub(super) fn tell(&mut self, key: &str, note: Note) {
        let at = &self.row.origin;
        self.notices.tell(at.file(), at.line, at.heading(key), note);
    }

    fn tell_day(&mut self, key: &'static str, written: Written) {
        match written {
            Written::Number => self.tell(key, Note::DayNumber),
            Written::ShortYear => self.tell(key, Note::ShortYear),
            Written::Plainly | Written::EitherWay => {}
        }
    }

    /// A code that was made a decimal number, `12.0`, without its fraction.
    fn whole_code(&mut self, key: &'static str) -> Option<String> {
        let text = bare(self.row.text(key)?);
        let (whole, fraction) = text.split_once('.')?;
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if digits(whole) && digits(fraction) && fraction.bytes().all(|byte| byte == b'0') {
            self.tell(key, Note::DecimalCode);
            return Some(whole.to_owned());
        }
        None
    }

    /// The cell as a person sees it; `None` when a spreadsheet shows an error in it.
    fn seen(&mut self, key: &'static str) -> Option<Option<String>> {
        let Some(text) = self.row.text(key) else { return Some(None) };
        let text = clean(unguarded(text));
        let fault = text.starts_with('#') && (text.ends_with(['!', '?']) || text.trim_matches('#').is_empty());
        if fault && text.len() > 2 {
            return self.refuse(key, Problem::SheetError);
        }
        Some(Some(text).filter(|text| !text.is_empty()))
    }

    fn refuse<T>(&mut self, key: &'static str, problem: impl Into<Problem>) -> Option<T> {
        self.errors.push(self.row.origin.error(key, problem));
        None
    }

    fn parsed<T, E: Into<Problem>>(&mut self, key: &'static str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.errors.push(self.row.origin.error(key, error))).ok()
    }
}

/// `-`, `n/a`: a cell that must be filled may hold many words that mean nothing elsewhere.
fn is_dashes(text: &str) -> bool {
    text.chars().all(|sign| matches!(sign, '-' | '–' | '—' | '.' | '_' | '?' | ' '))
        || ["n/a", "#n/a"].contains(&text.to_lowercase().as_str())
}
