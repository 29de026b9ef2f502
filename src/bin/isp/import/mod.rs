//! Reading an owner's spreadsheets: all rows are read and checked first, then written in one commit, or nothing is.
//!
//! | step | module |
//! |---|---|
//! | a file to rows with a known header | `sheet` |
//! | what each file's columns are called and mean | `rows` |
//! | all files to a [`Batch`], duplicates within them | `batch` |
//! | what the store has already | `existing` |
//! | references, duplicates against the store, new and changed rows | `plan` |
//!
//! A [`RowError`] names file, line, column and reason. It never repeats what is in the cell: a shifted column would
//! show a NIK or a password.

mod accept;
mod batch;
mod by_code;
mod existing;
mod plan;
mod problem;
mod rows;
mod sheet;
#[cfg(test)]
mod tests;

pub(crate) use accept::{Accept, Accepted};
pub(crate) use batch::{Files, read, read_dir};
pub(crate) use existing::Existing;
#[cfg(test)]
pub(crate) use plan::Counts;
pub(crate) use plan::{ImportPlan, Options, apply, plan};
pub(crate) use problem::{Problem, RowError};
pub(crate) use rows::tax_mode;
