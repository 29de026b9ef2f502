//! Devices at customers' places and what happened to them.

pub mod cpe;
pub mod history;

pub use cpe::{Cpe, Ownership};
pub use history::{DeviceAction, DeviceHistory};
