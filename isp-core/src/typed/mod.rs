//! What people and their spreadsheets type, and what it means. Pure functions, so that the command line, an import and
//! the Python wheel read one text in one way.
//!
//! Nothing is ever joined out of digits: a text that is not certainly one value is refused, or handed back with a doubt.
//!
//! | to read | function |
//! |---|---|
//! | a cell without invisible signs, and without what a spreadsheet puts around a value | [`clean`], [`bare`] |
//! | whether a cell means nothing, as `-` does | [`is_nothing`] |
//! | a cell that no spreadsheet runs as a formula, and the text in it again | [`guarded`], [`unguarded`] |
//! | an amount, `Rp 150.000,-`, `150rb` | [`rupiah`] |
//! | a day, `2 Januari 2026`, and the order in which a column writes days | [`day`], [`DayOrder`] |
//! | the numbers in a cell, `0812... / 0813...` | [`phones`] |
//! | a speed, `1,5 Mbps`, `20M/5M` | [`speed`] |
//! | whether a value is likely to be a slip | [`plausible_price`], [`plausible_amount`], [`plausible_speed`] |

mod amount;
mod date;
mod formula;
mod person;
mod plausible;
mod sign;
mod speed;

pub use amount::rupiah;
pub use date::{DayOrder, DayReading, Written, day};
pub use formula::{guarded, unguarded};
pub use person::phones;
pub(crate) use person::{nik, phone};
pub use plausible::{plausible_amount, plausible_price, plausible_speed};
pub use sign::{bare, clean, is_invisible, is_nothing};
pub use speed::speed;
