//! What stands in a cell that a person or a spreadsheet filled, before it is an amount, a day or a number of somebody.
//!
//! The values are read by [`Money::parse`](crate::Money::parse), [`calendar::day`](crate::calendar::day),
//! [`customer::phones`](crate::customer::phones), [`Speed::parse`](crate::package::Speed::parse) and their like, so that
//! the command line, an import and the Python wheel read one text in one way. Nothing is ever joined out of digits: a text
//! that is not certainly one value is refused, or handed back with a doubt.

mod digits;
mod formula;
mod sign;

pub use digits::looks_rounded;
pub(crate) use digits::{is_power_of_ten, joined};
pub use formula::{guarded, unguarded};
pub use sign::{bare, clean, is_invisible, is_nothing};
