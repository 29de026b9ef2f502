//! What protects a line from isolation, and what an outage gives back: promises, exemptions, outages (rule I2).

pub mod days;
pub mod exemption;
pub mod outage;
pub mod promise;

pub use days::{OutageTimes, ProtectedDays};
pub use exemption::Exemption;
pub use outage::{Outage, OutageCredit, OutagePolicy};
pub use promise::{Promise, PromisePolicy};
