//! The reports (domain rules, section 7): pure functions of loaded rows. [`crate::engine::report`] loads them.
//!
//! Money in reports comes from the ledger, so that every total ties to it; nothing is added up twice in two ways.

pub mod cash;
pub mod cpe;
pub mod customers;
pub mod finance;
pub mod glance;
pub mod packages;
pub mod profit_loss;

pub use cash::CashRow;
pub use cpe::CpeRow;
pub use customers::CustomerRow;
pub use finance::{Aging, AgingRow, Finance, FinanceRow};
pub use glance::{Counted, DueDays, LinesSaid, Received, money_in};
pub use packages::{Alike, PackageRow};
pub use profit_loss::{Codes, GroupBy, ProfitLoss, ProfitLossRow};
