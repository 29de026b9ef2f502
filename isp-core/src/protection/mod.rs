//! What protects a line from isolation, and what an outage gives back: promises, exemptions, outages (rule I2), proofs of
//! transfer (rule P8).

mod all;
pub mod days;
pub mod exemption;
pub mod outage;
pub mod promise;
pub mod proof;

pub use all::{ProtectionTimes, Protections};
pub use days::{OutageTimes, ProtectedDays};
pub use exemption::Exemption;
pub use outage::{Outage, OutageCredit, OutagePolicy};
pub use promise::{Promise, PromisePolicy};
pub use proof::{FileKind, Proof, ProofContent, ProofFile, ProofTimes, Review};
