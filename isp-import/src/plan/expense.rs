//! Expenses.

use std::collections::HashMap;

use isp_core::calendar::Date;
use isp_core::ids::{ExpenseId, TenantId, derive};
use isp_core::ledger::{Account, Expense};
use isp_core::payment::Channel;
use isp_core::text::Code;
use isp_core::{Error, Money};

use super::super::notice::Note;
use super::super::problem::{Noun, Problem, RowError};
use super::super::rows::ExpenseRow as ExpenseRowOfFile;
use super::{Planner, Verdict};

/// The ids of expenses follow from what they say. Two equal ones of one day are told apart by their order.
#[derive(Debug)]
pub struct ExpenseIds {
    tenant: TenantId,
    /// How often the same expense was there.
    seen: HashMap<String, u32>,
}

impl ExpenseIds {
    /// No expense yet.
    #[must_use]
    pub fn new(tenant: TenantId) -> Self {
        Self { tenant, seen: HashMap::new() }
    }

    /// The id of the next expense that says this, at the site with a code or at none.
    pub fn next(&mut self, on: Date, category: Account, amount: Money, note: &str, site: &str) -> ExpenseId {
        let words = [&on.to_string(), category.code(), &amount.as_i64().to_string(), note, site].join("\u{1f}");
        let nth = self.seen.entry(words.clone()).or_default();
        *nth += 1;
        ExpenseId(derive(self.tenant.0, &["expense", &words, &nth.to_string()]))
    }
}

impl Planner<'_> {
    pub(super) fn expense(&mut self, row: &ExpenseRowOfFile) -> Result<Verdict, RowError> {
        let site_id = match &row.site {
            None => None,
            Some(code) => match self.sites.get(code) {
                Some((id, _)) => Some(*id),
                None => return Err(self.unknown(&row.at, "site", Noun::Site, code)),
            },
        };
        let id = self.expense_id(row);
        let (on, category, amount, note) = (row.on, row.category, row.amount, row.note.clone());
        let expense = Expense { id, on, category, amount, paid_from: row.paid_from, note, site_id };
        // Also one that was booked back: it was corrected, and is not booked again.
        if self.existing.expenses.contains_key(&id) || self.is_corrected(&expense) {
            return Ok(Verdict::Same);
        }
        if row.ended {
            return Ok(Verdict::LeftOut);
        }
        self.ask_about_day(&row.at, "date", row.on);
        self.ask_which_expense(row);
        self.ask_for_cash(row);
        self.plan.changes.journal.push(expense.entry());
        self.plan.changes.expenses.push(expense);
        Ok(Verdict::New)
    }

    fn expense_id(&mut self, row: &ExpenseRowOfFile) -> ExpenseId {
        let site = row.site.as_ref().map_or("", Code::as_str);
        self.expenses.next(row.on, row.category, row.amount, &row.note, site)
    }

    /// Finds the expenses of the books that stand in the file unchanged.
    pub(super) fn claim_expenses(&mut self) {
        let batch = self.batch;
        for row in &batch.expenses {
            let id = self.expense_id(row);
            if self.existing.expenses.contains_key(&id) {
                self.claimed_expenses.insert(id);
            }
        }
        self.expenses = ExpenseIds::new(self.options.tenant);
    }

    /// True when the books have just this expense under another id, as after `isp expense edit`: each for one row.
    fn is_corrected(&mut self, new: &Expense) -> bool {
        let same = |old: &&Expense| {
            let says = (old.category, old.amount, &old.note, old.site_id)
                == (new.category, new.amount, &new.note, new.site_id);
            says && !self.claimed_expenses.contains(&old.id)
        };
        let found = self.alike.expenses_of(new.on).find(same).map(|old| old.id);
        found.is_some_and(|id| self.claimed_expenses.insert(id))
    }

    /// Asks about the first row that takes cash below zero. Books that never held cash only say so: who begins with them
    /// brings the expenses of earlier months along.
    fn ask_for_cash(&mut self, row: &ExpenseRowOfFile) {
        if row.paid_from != Channel::Cash {
            return;
        }
        let holds = self.cash;
        self.cash -= row.amount;
        if self.cash >= Money::ZERO {
            return;
        }
        if !self.existing.cash.is_positive() {
            self.plan.notices.tell(row.at.file(), row.at.line, row.at.heading("amount"), Note::NoCash);
        } else if holds >= Money::ZERO {
            self.ask(&row.at, "amount", Problem::Value(Error::CashShort { holds, on: row.on }));
        }
    }

    /// Asks about an expense that is like one of the books which no row is: two of day, category and amount are its own,
    /// or category and amount within a week.
    fn ask_which_expense(&mut self, row: &ExpenseRowOfFile) {
        let like = |old: &&Expense| {
            let (day, category, amount) = (old.on == row.on, old.category == row.category, old.amount == row.amount);
            let open = !self.claimed_expenses.contains(&old.id);
            open && ((day && (category || amount)) || (category && amount))
        };
        let found = self.alike.expenses_near(row.on).find(like);
        if let Some(old) = found {
            let says = |on: Date, category: Account, amount: Money, note: &str| {
                [on.to_string(), category.code().to_owned(), amount.to_string(), note.to_owned()]
                    .join(" ")
                    .trim()
                    .to_owned()
            };
            let known = says(old.on, old.category, old.amount, &old.note);
            let row_says = says(row.on, row.category, row.amount, &row.note);
            self.ask(&row.at, "date", Problem::LikelyDouble { row: row_says, known });
        }
    }
}
