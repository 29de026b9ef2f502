//! A router, a messenger and a payment gateway without a network, which pass the contract suites.

pub mod gateway;
pub mod messenger;
pub mod router;

pub use gateway::{FakeGateway, GatewayFault};
pub use messenger::{FakeMessenger, MessengerFault};
pub use router::FakeRouter;
