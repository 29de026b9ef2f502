//! The journeys: one load, one decision, one commit, then effects.
//!
//! | journey | file |
//! |---|---|
//! | whether the clock is right | [`clock`] |
//! | all of a day, in order | [`day`] |
//! | a billing run, instalments and credit | [`bill`] |
//! | reminders | [`remind`] |
//! | isolation and reopening | [`enforce`] |
//! | what a customer sees of it | [`page`] |
//! | payments and their reversal | [`pay`] |
//! | what customers write to us | [`inbound`] |
//! | payment requests | [`request`] |
//! | payment gateways: what they are asked | [`gateway`] |
//! | payment gateways: what they say | [`notice`] |
//! | static virtual accounts at a bank | [`virtual_account`] |
//! | files of banks | [`bank`] |
//! | package changes, pauses, terminations | [`terms`] |
//! | credit notes | [`credit`] |
//! | late fees | [`late_fee`] |
//! | write-offs, collectors | [`collect`] |
//! | installation fees that go with the first periodic invoice | [`first_fee`] |
//! | routers and messages from the outbox | [`deliver`] |
//! | every router whole, and what differs there | [`survey`] |
//! | which routers answer, so that a silent one holds nobody up | `roll_call` |
//! | papers that a person sends | [`send`] |
//! | messages of unknown outcome, settled by a person | [`settle`] |
//! | new subscriptions | [`manage`] |
//! | another account for a line, accounts that lines have left | [`account`] |
//! | another speed of a package | [`regroup`] |
//! | credit that is paid out | [`refund`] |
//! | credit that goes back through its gateway | [`gateway_refund`] |
//! | devices | [`device`] |
//! | expenses | [`expense`] |
//! | promises, exemptions, outages | [`protect`] |
//! | proofs of transfer | [`proof`] |
//! | a customer is forgotten | [`privacy`] |
//! | why a line is open or not | [`explain`] |
//! | loading the reports | [`report`] |
//! | what another policy would do | [`simulate`] |
//!
//! Nothing here holds a rule of its own: it asks [`crate::billing`], [`crate::message`], [`crate::isolation`] and
//! [`crate::payment`]. Nothing here calls a router or sends a message but [`deliver`], and
//! nothing calls a payment gateway but [`gateway`], [`gateway_refund`] and [`notice`].

pub mod account;
pub mod archive;
pub mod bank;
mod bank_book;
mod bank_instead;
mod bank_near;
mod bank_storno;
mod bank_told;
mod bank_walk;
pub mod bill;
pub mod cash;
pub mod clock;
pub mod collect;
pub mod credit;
pub mod day;
pub mod deliver;
pub mod device;
pub mod enforce;
pub mod expense;
pub mod explain;
pub mod first_fee;
pub mod gateway;
pub mod gateway_refund;
pub mod inbound;
pub mod late_fee;
pub mod list;
pub mod manage;
pub mod meet;
pub mod notice;
pub mod page;
mod pages;
mod paid_in_time;
pub mod paper;
pub mod pay;
pub mod payout;
pub mod privacy;
pub mod proof;
pub mod protect;
pub mod prove;
pub mod refund;
pub mod regroup;
pub mod remind;
pub mod report;
pub mod request;
mod retry;
mod roll_call;
pub mod send;
pub mod settle;
pub mod simulate;
pub mod survey;
pub mod terms;
pub mod tidy;
pub mod tie;
pub mod unusual;
pub mod virtual_account;

use crate::clock::ClockDoubt;
use crate::error::Error;
use crate::ids::{OutboxId, TenantId};
use crate::message::Sender;
use crate::policy::Policy;
use crate::ports::{PortError, Store, StoreError};

pub use crate::terms::Settled;
pub use bank::{ImportReport, Looked, Matched};
pub use bank_instead::NamedInstead;
pub use bank_storno::TakenBack;
pub use bill::BillReport;
pub use day::{DayReport, DayStep, Said};
pub use deliver::{DeliverReport, Outside, Papers, Post};
pub use enforce::{Approval, EnforceReport};
pub use explain::Explanation;
pub use gateway::{GatewayWish, PollReport};
pub use gateway_refund::RefundWish;
pub use notice::Taken;
pub use paper::{BillPaper, ReceiptPaper, WithoutMoney};
pub use pay::{NewPayment, PayReport, ReverseReport, Told};
pub use proof::{NewProof, ProofReport};
pub use remind::RemindReport;
pub use send::PaperSent;
pub use settle::Settlement;
pub use simulate::Simulated;
pub use survey::SurveyReport;
pub use tidy::Tidied;
pub use virtual_account::{VaHolder, VaPayment, VaTaken};

/// The engine for one tenant: a store and a policy. It keeps no state, so making one costs nothing.
#[derive(Clone, Copy)]
pub struct Engine<'a> {
    /// Where everything is kept.
    pub store: &'a dyn Store,
    /// Whose.
    pub tenant: TenantId,
    /// What the provider decided on.
    pub policy: &'a Policy,
    /// Who asks, in messages; `None` while the provider has not set it: then they do not say who asks, and the
    /// report of a delivery counts them.
    pub sender: Option<&'a Sender>,
    /// Who makes the files that go with messages, where the channel's templates have a document.
    pub papers: Option<&'a dyn Papers>,
    /// Rows a page, of the lines of a billing run twice as many; memory is bounded by it, not by the number of customers.
    pub page: u32,
}

impl<'a> Engine<'a> {
    /// An engine with pages of 5,000 rows.
    #[must_use]
    pub fn new(store: &'a dyn Store, tenant: TenantId, policy: &'a Policy) -> Self {
        Self { store, tenant, policy, sender: None, papers: None, page: 5_000 }
    }
}

impl std::fmt::Debug for Engine<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

/// Ids in a sentence.
fn listed(ids: &[OutboxId]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Somebody else ended a record between the look at it and the commit.
fn ended_meanwhile(error: StoreError) -> EngineError {
    match error {
        StoreError::Duplicate { what: "record.ending" } => Error::AlreadyEnded.into(),
        other => other.into(),
    }
}

/// Why a journey did not come to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A value or wish that makes no sense.
    #[error(transparent)]
    Domain(#[from] Error),
    /// A router or the messenger, where a journey asks one directly.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The moment of a run that follows the last one too early or too late (rule I9).
    #[error(transparent)]
    Clock(#[from] ClockDoubt),
    /// A payment with this provider and reference is known with another customer or amount.
    #[error("payment with this reference is known with another customer or amount")]
    PaymentMismatch,
    /// The customer has no subscription that the wish could be about.
    #[error("customer has no subscription in that state")]
    NothingToDo,
    /// These messages cannot be settled so: they have gone, were dropped, or are being sent, or there are none with these ids.
    #[error("message {} cannot be settled so: it has gone, was dropped, or is being sent", listed(.0))]
    NotToSettle(Vec<OutboxId>),
}

impl EngineError {
    /// A stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Store(e) => e.code(),
            Self::Domain(e) => e.code(),
            Self::Port(e) => e.code(),
            Self::Clock(e) => e.code(),
            Self::PaymentMismatch => "payment.mismatch",
            Self::NothingToDo => "access.nothing_to_do",
            Self::NotToSettle(_) => "outbox.not_to_settle",
        }
    }

    /// True when the same call may succeed later without anybody's help.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self {
            Self::Store(e) => e.retryable(),
            Self::Port(e) => e.retryable(),
            Self::Domain(_) | Self::Clock(_) | Self::PaymentMismatch | Self::NothingToDo | Self::NotToSettle(_) => {
                false
            }
        }
    }
}
