//! Expenses.

use isp_core::Money;
use isp_core::calendar::Date;
use isp_core::ids::{ExpenseId, JournalEntryId, derive};
use isp_core::ledger::{Account, Expense};
use isp_core::payment::Channel;
use isp_core::text::Code;

use super::super::existing::Spent;
use super::super::problem::{Noun, Problem, RowError};
use super::super::rows::ExpenseRow;
use super::{Planner, Verdict};

impl Planner<'_> {
    pub(super) fn expense(&mut self, row: &ExpenseRow) -> Result<Verdict, RowError> {
        let site_id = match &row.site {
            None => None,
            Some(code) => match self.sites.get(code) {
                Some((id, _)) => Some(*id),
                None => return Err(self.unknown(&row.at, "site", Noun::Site, code)),
            },
        };
        let id = self.expense_id(row);
        let (on, category, amount, note) = (row.on, row.category, row.amount, row.note.clone());
        let expense = Expense { id, on, category, amount, paid_from: Channel::Cash, note, site_id };
        let entry = expense.entry();
        if self.existing.expenses.contains_key(&entry.id) {
            return Ok(Verdict::Same);
        }
        self.ask_which_expense(row);
        self.plan.changes.journal.push(entry);
        self.plan.changes.expenses.push(expense);
        Ok(Verdict::New)
    }

    /// Two equal expenses of one day are told apart by their order in the file.
    fn expense_id(&mut self, row: &ExpenseRow) -> ExpenseId {
        let site = row.site.as_ref().map_or("", Code::as_str);
        let words = [&row.on.to_string(), row.category.code(), &row.amount.as_i64().to_string(), &row.note, site]
            .join("\u{1f}");
        let nth = self.expenses.entry(words.clone()).or_default();
        *nth += 1;
        ExpenseId(derive(self.options.tenant.0, &["expense", &words, &nth.to_string()]))
    }

    /// Finds the expenses of the books that stand in the file unchanged.
    pub(super) fn claim_expenses(&mut self) {
        let batch = self.batch;
        for row in &batch.expenses {
            let id = JournalEntryId(derive(self.expense_id(row).0, &["journal"]));
            if self.existing.expenses.contains_key(&id) {
                self.claimed_expenses.insert(id);
            }
        }
        self.expenses.clear();
    }

    /// Asks about an expense that is like one of the books which no row is: two of day, category and amount are its own,
    /// or category and amount within a week.
    fn ask_which_expense(&mut self, row: &ExpenseRow) {
        let like = |(id, old): &(&JournalEntryId, &Spent)| {
            let (day, category, amount) = (old.on == row.on, old.category == row.category, old.amount == row.amount);
            let near = old.on.days_since(row.on).abs() <= 7;
            !self.claimed_expenses.contains(id) && ((day && (category || amount)) || (near && category && amount))
        };
        // The same one is named each time.
        let old = self.existing.expenses.iter().filter(like).map(|(_, old)| (old.on, old.category, old.amount)).min();
        if let Some((on, category, amount)) = old {
            let says = |on: Date, category: Account, amount: Money| format!("{on} {} {amount}", category.code());
            let known = says(on, category, amount);
            self.ask(&row.at, "date", Problem::LikelyDouble { row: says(row.on, row.category, row.amount), known });
        }
    }
}
