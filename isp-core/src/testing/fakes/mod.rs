//! A router and a messenger without a network, which pass the contract suites.

pub mod messenger;
pub mod router;

pub use messenger::{FakeMessenger, MessengerFault};
pub use router::FakeRouter;
