//! Payments and what they pay.

pub mod allocate;
pub mod books;
pub mod channel;
pub mod collect;
pub mod gateway;
pub mod in_time;
pub mod notice;
pub mod page_link;
pub mod payout;
pub mod purse;
pub mod qris;
pub mod receipt;
pub mod receive;
mod refund;
pub mod request;
pub mod sums;
pub mod virtual_account;
pub mod withheld;
pub mod write_off;

pub use allocate::{Allocation, CreditSource, PaidPart, allocate, notes_pay_their_own, settle_again};
pub use books::Books;
pub use channel::Channel;
pub use collect::{CollectorBalance, Deposit};
pub use gateway::{GatewayRequest, GatewayState, Instructions, PayChannel};
pub use notice::{NoticeRefused, NoticeState, PaymentNotice};
pub use page_link::PageLink;
pub use payout::{GatewayBalance, Payout};
pub use purse::Purse;
pub use qris::Qris;
pub use receipt::{Payment, PaymentReversal, plausible};
pub use receive::{Heard, KnownPayment, Received, Told};
pub use refund::Refund;
pub use request::{AskedAmount, Closing, OwnAmount, PaymentRequest, RequestPolicy, RequestState, Transfer};
pub use sums::sums_owed;
pub use write_off::WriteOff;
