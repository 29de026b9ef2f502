//! Lines that nobody logs in for: known by their address (static) or by the MAC address of their box (DHCP).
//!
//! A static line has a simple queue for its address, which carries our mark, and is shut in by an entry of its own in the
//! isolation list. A DHCP line has a static lease, which carries our mark, its speed (`rate-limit`) and, while it is shut
//! in, the isolation list (`address-lists`); where the lease's list does not reach the address that the box has already, an
//! entry of its own does. Nothing here can refuse a login, so a closed line is shut in like an isolated one, and the router
//! does not tell these two apart.
//!
//! Everything here is pure, and keeps the rules of [`crate::reconcile`].

mod actual;
mod decide;
mod desired;
mod dhcp;
mod find;
mod fixed;
mod judge;
mod listed;
mod step;

pub use actual::ActualLines;
pub use decide::plan;
pub use desired::{DesiredLine, DesiredLines};
pub(crate) use judge::judge;
pub use step::{Carrier, LineAction, LineStep, Written};
