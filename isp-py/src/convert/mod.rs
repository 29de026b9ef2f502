//! Between Python's values and the engine's: strict on the way in, plain on the way out.

mod place;
mod read;
mod types;
mod write;

pub(crate) use place::Place;
pub(crate) use read::{Fields, Key, Keys, Value, nth};
pub(crate) use types::{Kind, Types};
pub(crate) use write::Writer;
