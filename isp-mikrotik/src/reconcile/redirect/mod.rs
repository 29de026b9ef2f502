//! The way of isolated lines to the page for paying: pool, lists, NAT and filter rules, in both families.
//!
//! Everything here is pure. [`DesiredRedirect`] says what a router should have, in the order in which rules match;
//! [`redirect_plan`] compares it with what is there. Each rule names the isolation list as its source, so that none
//! touches anybody who is not isolated. What does not carry our [`RedirectMark`](crate::mark::RedirectMark) is never
//! changed.

mod actual;
mod arrange;
mod desired;
mod foreign;
mod plan;
mod settings;
mod step;
#[cfg(test)]
mod tests;

pub use actual::{ActualFamily, ActualRedirect};
pub use desired::{DesiredDns, DesiredFamily, DesiredPool, DesiredRedirect, DesiredRule, Family, Role};
pub use plan::{RedirectPlan, redirect_plan};
pub use settings::{RedirectSettings, RouterRedirect};
pub use step::{RedirectAction, RedirectStep, Why};
