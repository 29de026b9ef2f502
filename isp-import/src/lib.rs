#![doc = include_str!("../README.md")]
//!
//! # Where is what
//!
//! | step | module |
//! |---|---|
//! | which file or sheet is what | `source` |
//! | a file to lines of cells, and which of them nobody sees | `table`, `workbook` |
//! | which line is the header, and what its columns mean | `head`, `sheet` |
//! | which lines are totals | `total` |
//! | what a cell holds, and what is told of how it was read | `cells`, `notice` |
//! | what each file's columns are called and mean | `rows` |
//! | all files to a [`Batch`], duplicates within them | `batch` |
//! | what exists already | `existing` |
//! | references, duplicates against the store, new and changed rows | `plan` |
//! | what a person is shown before anything is written | `preview` |
//! | what many rows share, said once | `fault` |
//! | copies of the files that say what is wrong | `fix` |
//! | questions that a person has answered | `accept` |
//! | what is wrong and what is told, in two languages | `words` |
//!
//! A [`RowError`] names file, line, column and reason. It never repeats what is in the cell: a shifted column would
//! show a NIK or a password.

mod accept;
mod alike;
mod batch;
mod by_code;
mod cells;
mod existing;
mod fault;
mod fix;
mod head;
mod notice;
mod plan;
mod problem;
mod rows;
mod sheet;
mod source;
mod table;
#[cfg(test)]
mod tests;
mod text_file;
mod total;
mod words;
mod workbook;

pub use accept::{Accept, Accepted};
pub use batch::{Batch, read};
pub use existing::{Existing, Found};
pub use fault::{Fault, faults};
pub use fix::{Copy, copies};
pub use notice::{Lines, Note, Notices};
pub use plan::{Change, Counts, ExpenseIds, ImportPlan, Options, PlannedLine, Verdict, look, plan};
pub use problem::{Noun, Problem, RowError};
pub use rows::{
    CpeRow, CustomerRow, ExpenseRow, InstallationRow, PackageRow, RouterRow, SiteRow, SubscriptionRow, tax_mode,
};
pub use sheet::{Origin, Placed, Reading};
pub use source::{Files, Kind, may_be_table};
pub use text_file::{Encoding, decoded};
