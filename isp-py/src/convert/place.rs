//! Where a value stands in what was given, for messages.

use std::fmt;

/// A step on the way to a value. Built on the stack while reading, written out only when something is refused.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    parent: Option<&'a Place<'a>>,
    step: Step,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Row(usize),
    Field(&'static str),
    Item(usize),
}

impl<'a> Place<'a> {
    /// An argument of a call.
    pub(crate) const fn argument(name: &'static str) -> Self {
        Self { parent: None, step: Step::Field(name) }
    }

    /// A row of the main list of a call.
    pub(crate) const fn nth_row(index: usize) -> Self {
        Self { parent: None, step: Step::Row(index) }
    }

    /// A field of the record here.
    pub(crate) const fn then(&'a self, field: &'static str) -> Self {
        Self { parent: Some(self), step: Step::Field(field) }
    }

    /// An item of the list here.
    pub(crate) const fn item(&'a self, index: usize) -> Self {
        Self { parent: Some(self), step: Step::Item(index) }
    }

    /// The index of the row, when it is in one.
    pub(crate) fn row(&self) -> Option<usize> {
        match (self.parent, self.step) {
            (Some(parent), _) => parent.row(),
            (None, Step::Row(index)) => Some(index),
            (None, _) => None,
        }
    }

    /// The dotted way from the row or argument, `invoices[2].total`; `None` for the row itself.
    pub(crate) fn field(&self) -> Option<String> {
        let before = self.parent.and_then(Place::field);
        match (before, self.step) {
            (None, Step::Row(_)) => None,
            (None, Step::Field(name)) => Some(name.to_owned()),
            (Some(before), Step::Field(name)) => Some(format!("{before}.{name}")),
            (before, Step::Row(index) | Step::Item(index)) => Some(format!("{}[{index}]", before.unwrap_or_default())),
        }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.row(), self.field()) {
            (Some(row), Some(field)) => write!(f, "row {row}, {field}"),
            (Some(row), None) => write!(f, "row {row}"),
            (None, field) => f.write_str(&field.unwrap_or_default()),
        }
    }
}
