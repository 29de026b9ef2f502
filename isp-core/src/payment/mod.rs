//! Payments and what they pay.

pub mod allocate;
pub mod channel;
pub mod collect;
pub mod in_time;
pub mod page_link;
pub mod qris;
pub mod receipt;
pub mod receive;
pub mod request;
pub mod write_off;

pub use allocate::{Allocation, CreditSource, allocate};
pub use channel::Channel;
pub use collect::{CollectorBalance, Deposit};
pub use page_link::PageLink;
pub use qris::Qris;
pub use receipt::{Payment, PaymentReversal, plausible};
pub use receive::{Heard, KnownPayment, Received, Told};
pub use request::{Closing, PaymentRequest, RequestPolicy, RequestState};
pub use write_off::WriteOff;
