//! Expected and actual, side by side.

use std::collections::BTreeMap;
use std::fmt;

use isp_core::Money;
use isp_core::calendar::Date;

use crate::case::{Case, Expected, ExpectedInvoice, ExpectedMessage, ExpectedNote, Step};
use crate::host::{Report, StepReport};
use crate::observed::{Observed, ObservedInvoice, ObservedMessage, ObservedNote};

/// One thing that is not as the case asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// In which step; 0 before the first.
    pub step: usize,
    /// The day of the step, and the subscription that was looked at.
    pub place: String,
    /// What was looked at.
    pub what: String,
    /// What the case asks for.
    pub expected: String,
    /// What the host told.
    pub actual: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  step {}, {}: {}", self.step, self.place, self.what)?;
        for (at, (word, text)) in [("expected", &self.expected), ("actual", &self.actual)].into_iter().enumerate() {
            let end = if at == 0 { "\n" } else { "" };
            write!(f, "    {word:<9}{text}{end}")?;
        }
        Ok(())
    }
}

/// Everything that is not as the case asks for; empty when the case is green.
#[must_use]
pub fn compare(case: &Case, report: &Report) -> Vec<Difference> {
    let mut found = Vec::new();
    if let Some(refusal) = report.steps.iter().find(|s| s.number == 0).and_then(|s| s.refused.as_ref()) {
        return vec![difference(0, "before the first step", "the provider", "is made", &refusal.to_string())];
    }
    for step in &case.steps {
        let place = place(case, step);
        match report.steps.iter().find(|told| told.number == step.number) {
            Some(told) => of_step(step, told, &place, &mut found),
            None if found.is_empty() => {
                found.push(difference(step.number, &place, "the step", "is lived", "the host never came to it"));
            }
            None => {}
        }
    }
    found
}

fn place(case: &Case, step: &Step) -> String {
    let day = step
        .moments
        .last()
        .map_or_else(String::new, |at| format!("{} {}", case.zone.date_of(*at), case.zone.time_of(*at)));
    match &step.expect {
        Some(expected) => format!("{day}, {}", expected.of),
        None => day,
    }
}

fn difference(step: usize, place: &str, what: &str, expected: &str, actual: &str) -> Difference {
    let [place, what, expected, actual] = [place, what, expected, actual].map(str::to_owned);
    Difference { step, place, what, expected, actual }
}

fn of_step(step: &Step, told: &StepReport, place: &str, found: &mut Vec<Difference>) {
    let done =
        |refused: Option<&str>| refused.map_or_else(|| "is done".to_owned(), |code| format!("is refused: {code}"));
    let actual = told.refused.as_ref();
    if step.refused.as_deref() != actual.map(|r| r.code.as_str()) {
        let actual = actual.map_or_else(|| done(None), |r| format!("is refused: {r}"));
        found.push(difference(step.number, place, "what happens", &done(step.refused.as_deref()), &actual));
        return;
    }
    let Some(expected) = &step.expect else { return };
    let Some(observed) = &told.observed else {
        found.push(difference(step.number, place, "the look", "tells something", "the host told nothing"));
        return;
    };
    let mut look = Look { step: step.number, place, found };
    look.facts(expected, observed);
    look.list("invoices", expected.invoices.as_deref(), &observed.invoices);
    look.list("credit notes", expected.credit_notes.as_deref(), &observed.credit_notes);
    look.list("messages", expected.messages.as_deref(), &observed.messages);
    look.sums(observed);
}

struct Look<'a> {
    step: usize,
    place: &'a str,
    found: &'a mut Vec<Difference>,
}

impl Look<'_> {
    fn is(&mut self, what: &str, expected: Option<String>, actual: Option<String>) {
        let Some(expected) = expected else { return };
        let actual = actual.unwrap_or_else(|| "not told".into());
        if expected != actual {
            self.found.push(difference(self.step, self.place, what, &expected, &actual));
        }
    }

    fn facts(&mut self, expected: &Expected, observed: &Observed) {
        let money = |m: Option<Money>| m.map(|m| m.to_string());
        self.is("owed", money(expected.owed), money(observed.owed));
        self.is("credit", money(expected.credit), money(observed.credit));
        self.is("access", expected.access.clone(), observed.access.clone());
        self.is("reason", expected.reason.clone(), observed.reason.clone());
        self.is("router", expected.router.clone(), observed.router.clone());
        self.is("answer", expected.answer.clone(), observed.answer.clone());
        self.is("request", expected.request.clone(), observed.request.clone());
        let problem = observed.problem.clone().unwrap_or_else(|| "none".into());
        self.is("problem", expected.problem.clone(), Some(problem));
        for (account, amount) in expected.books.iter().flatten() {
            let kept = observed.books.get(account).copied().unwrap_or_default();
            self.is(&format!("books, {account}"), Some(amount.to_string()), Some(kept.to_string()));
        }
        let waits = |all: &Option<Vec<String>>| all.as_ref().map(|all| all.join(", "));
        self.is("waits", waits(&expected.waits), waits(&observed.waits));
        self.is("held", expected.held.map(|n| n.to_string()), Some(observed.held.to_string()));
    }

    /// Each row beside the row that stands at its place.
    fn list<E: Row, O: Seen<E>>(&mut self, what: &str, expected: Option<&[E]>, observed: &[O]) {
        let Some(expected) = expected else { return };
        let mut wanted: Vec<&E> = expected.iter().collect();
        let mut seen: Vec<&O> = observed.iter().collect();
        wanted.sort_by_key(|row| row.order());
        seen.sort_by_key(|row| row.order());
        for at in 0..wanted.len().max(seen.len()) {
            let name = format!("{what} {}", at + 1);
            match (wanted.get(at), seen.get(at)) {
                (Some(wanted), Some(seen)) => {
                    let (wanted, seen) = (wanted.shown(), seen.shown(wanted));
                    if wanted != seen {
                        self.found.push(difference(self.step, self.place, &name, &wanted, &seen));
                    }
                }
                (Some(wanted), None) => {
                    self.found.push(difference(self.step, self.place, &name, &wanted.shown(), "there is none"));
                }
                (None, Some(seen)) => {
                    self.found.push(difference(self.step, self.place, &name, "there is none", &seen.whole()));
                }
                (None, None) => {}
            }
        }
    }

    /// Line sums equal the header, always.
    fn sums(&mut self, observed: &Observed) {
        let notes = observed.credit_notes.iter().map(|n| (n.period, &n.lines, n.total, n.ppn));
        for (period, lines, total, ppn) in
            observed.invoices.iter().map(|i| (i.period, &i.lines, i.total, i.ppn)).chain(notes)
        {
            let added: Money = lines.iter().map(|(_, amount)| *amount).sum();
            let taxes = lines.iter().filter(|(kind, _)| matches!(kind.as_str(), "ppn" | "installation_ppn"));
            let tax: Money = taxes.map(|(_, amount)| *amount).sum();
            if (added, tax) != (total, ppn) {
                let expected = format!("add up to {total}, PPN {ppn}");
                let actual = format!("add up to {added}, PPN {tax}");
                let what = format!("the lines of {period}");
                self.found.push(difference(self.step, self.place, &what, &expected, &actual));
            }
        }
    }
}

/// By what rows are put in order, before they are compared one by one.
type Order = (Date, u8);

/// A row that a case asks for.
trait Row {
    fn order(&self) -> Order;
    fn shown(&self) -> String;
}

/// A row that a host told, shown with what the case asks for, or whole.
trait Seen<E> {
    fn order(&self) -> Order;
    fn shown(&self, like: &E) -> String;
    fn whole(&self) -> String;
}

/// Words that are shown one after the other.
#[derive(Default)]
struct Words(Vec<String>);

impl Words {
    fn with(mut self, word: impl ToString) -> Self {
        self.0.push(word.to_string());
        self
    }

    fn and(mut self, key: &str, value: Option<impl ToString>) -> Self {
        self.0.extend(value.map(|v| format!("{key} {}", v.to_string())));
        self
    }

    fn lines(mut self, lines: Option<BTreeMap<String, Money>>) -> Self {
        self.0.extend(lines.map(|all| {
            let all: Vec<String> = all.iter().map(|(kind, amount)| format!("{kind} {amount}")).collect();
            format!("[{}]", all.join(", "))
        }));
        self
    }

    fn done(self) -> String {
        self.0.join("  ")
    }
}

fn by_kind(lines: &[(String, Money)]) -> BTreeMap<String, Money> {
    lines.iter().fold(BTreeMap::new(), |mut sums, (kind, amount)| {
        *sums.entry(kind.clone()).or_default() += *amount;
        sums
    })
}

fn kind_order(kind: &str) -> u8 {
    ["subscription", "adjustment", "installation", "late_fee"].iter().position(|k| *k == kind).map_or(9, |at| at as u8)
}

/// Of one day, messages stand in this order: two that leave at one moment have none of their own.
fn message_order(kind: &str) -> u8 {
    let kinds = isp_core::message::NotificationKind::ALL;
    kinds.iter().position(|k| k.code() == kind).map_or(u8::MAX, |at| at as u8)
}

impl Row for ExpectedInvoice {
    fn order(&self) -> Order {
        (self.period.start, kind_order(&self.kind))
    }

    fn shown(&self) -> String {
        let words = Words::default().with(&self.kind).with(self.period);
        let words = words.and("issued", self.issued).and("due", self.due).lines(self.lines.clone());
        words.and("dpp", self.dpp).and("ppn", self.ppn).and("total", self.total).and("open", self.open).done()
    }
}

impl Seen<ExpectedInvoice> for ObservedInvoice {
    fn order(&self) -> Order {
        (self.period.start, kind_order(&self.kind))
    }

    fn shown(&self, like: &ExpectedInvoice) -> String {
        let words = Words::default().with(&self.kind).with(self.period);
        let words = words.and("issued", like.issued.map(|_| self.issued)).and("due", like.due.map(|_| self.due));
        let words = words.lines(like.lines.as_ref().map(|_| by_kind(&self.lines)));
        let words = words.and("dpp", like.dpp.map(|_| self.dpp)).and("ppn", like.ppn.map(|_| self.ppn));
        words.and("total", like.total.map(|_| self.total)).and("open", like.open.map(|_| self.open)).done()
    }

    fn whole(&self) -> String {
        let words = Words::default().with(&self.kind).with(self.period).and("issued", Some(self.issued));
        words.lines(Some(by_kind(&self.lines))).and("total", Some(self.total)).and("open", Some(self.open)).done()
    }
}

impl Row for ExpectedNote {
    fn order(&self) -> Order {
        (self.period.start, 0)
    }

    fn shown(&self) -> String {
        let words = Words::default().with(self.period).and("for", self.reason.as_ref()).and("issued", self.issued);
        words.lines(self.lines.clone()).and("dpp", self.dpp).and("ppn", self.ppn).and("total", self.total).done()
    }
}

impl Seen<ExpectedNote> for ObservedNote {
    fn order(&self) -> Order {
        (self.period.start, 0)
    }

    fn shown(&self, like: &ExpectedNote) -> String {
        let words = Words::default().with(self.period).and("for", like.reason.as_ref().map(|_| &self.reason));
        let words = words.and("issued", like.issued.map(|_| self.issued));
        let words = words.lines(like.lines.as_ref().map(|_| by_kind(&self.lines)));
        let words = words.and("dpp", like.dpp.map(|_| self.dpp)).and("ppn", like.ppn.map(|_| self.ppn));
        words.and("total", like.total.map(|_| self.total)).done()
    }

    fn whole(&self) -> String {
        let words = Words::default().with(self.period).and("for", Some(&self.reason)).and("issued", Some(self.issued));
        words.lines(Some(by_kind(&self.lines))).and("total", Some(self.total)).done()
    }
}

impl Row for ExpectedMessage {
    fn order(&self) -> Order {
        (self.on, message_order(&self.kind))
    }

    fn shown(&self) -> String {
        let words = Words::default().with(&self.kind).and("on", Some(self.on)).and("at", self.at.as_ref());
        words.and("amount", self.amount).done()
    }
}

impl Seen<ExpectedMessage> for ObservedMessage {
    fn order(&self) -> Order {
        (self.on, message_order(&self.kind))
    }

    fn shown(&self, like: &ExpectedMessage) -> String {
        let words = Words::default().with(&self.kind).and("on", Some(self.on));
        let words = words.and("at", like.at.as_ref().map(|_| &self.at));
        let amount = self.amount.map_or_else(|| "none".to_owned(), |amount| amount.to_string());
        words.and("amount", like.amount.map(|_| amount)).done()
    }

    fn whole(&self) -> String {
        let words = Words::default().with(&self.kind).and("on", Some(self.on)).and("at", Some(&self.at));
        words.and("amount", self.amount).done()
    }
}
