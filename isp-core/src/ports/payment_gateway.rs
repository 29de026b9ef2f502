//! The port to a payment gateway.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::PortError;
use crate::money::Money;
use crate::payment::{Instructions, NoticeRefused, PayChannel, PaymentNotice, RefundState};
use crate::text::{Code, Name, Reference};

/// A payment gateway: Midtrans, Xendit, Tripay, Duitku.
///
/// Contract, proved for each adapter of isp-payment before its simulator by the suite in `testing::contract::payment_gateway`, which
/// another adapter can run too (more of each in `tests/calls.rs`, `tests/fixtures.rs`):
/// * A call is made at most once; nothing is repeated here.
/// * `Ok` means that the gateway itself answered. [`PortError::NotSent`] and [`PortError::Refused`] mean that the call
///   certainly changed nothing; [`PortError::Unknown`] that it may have: a time-out, a lost reply, an answer that is not the
///   gateway's (the HTML page of a proxy, a status 5xx).
/// * [`PaymentGateway::create`] under a reference that the gateway has already is [`PortError::Refused`], and collects nothing
///   twice.
/// * [`PaymentGateway::status`] is asked by our own reference, so it settles a `create` whose reply was lost.
/// * [`PaymentGateway::read`] does no I/O. It believes nothing whose signature does not belong to the bytes as they came;
///   with an empty secret it believes nothing at all.
/// * What [`PaymentGateway::kept`] leaves of the headers is read as they were, and holds no secret in clear.
/// * [`PaymentGateway::refund`] gives money of a payment back, at most once for a key of ours: the same key again gives what is known
///   of it, and no second refund. What is more than was paid, less what went back before, is [`PortError::Refused`]. The caller has
///   written down before that it asks, and after [`PortError::Unknown`] it asks [`PaymentGateway::refund_status`] by the same key; it
///   never asks for the money under another one.
/// * A gateway that gives nothing back by its API says so by [`PaymentGateway::refunds`], and refuses in words.
/// * The same payment has the same [`PaymentNotice::provider_id`] by webhook and by status, however often it is told.
#[async_trait]
pub trait PaymentGateway: Send + Sync {
    /// The name that it has in the settings; the provider of its payments.
    fn name(&self) -> &Code;

    /// Asks it to collect money under our reference.
    async fn create(&self, ask: &GatewayAsk) -> Result<Created, PortError>;

    /// How the request with our reference stands; `None` when the gateway does not have it.
    async fn status(&self, asked: &Asked<'_>) -> Result<Option<PaymentNotice>, PortError>;

    /// Stops it from taking money for a request.
    async fn cancel(&self, asked: &Asked<'_>) -> Result<CancelOutcome, PortError>;

    /// True when it gives money back by its API. What kinds of payment it gives back is its own matter: it refuses the others.
    fn refunds(&self) -> bool {
        false
    }

    /// Asks it to give a payment back to the customer, or a part. `Ok` is [`RefundState::Pending`] or [`RefundState::Done`].
    async fn refund(&self, ask: &RefundAsk<'_>) -> Result<RefundAnswer, PortError> {
        let _ = ask;
        Err(PortError::no_refund())
    }

    /// How the refund with this key stands; `None` when the gateway does not have it. It only asks.
    async fn refund_status(&self, ask: &RefundAsk<'_>) -> Result<Option<RefundAnswer>, PortError> {
        let _ = ask;
        Err(PortError::no_refund())
    }

    /// Reads a webhook: headers as they came, and the bytes of the body as they came.
    ///
    /// # Errors
    /// [`NoticeRefused`], with the HTTP status to answer with.
    fn read(&self, headers: &[(String, String)], raw_body: &[u8]) -> Result<PaymentNotice, NoticeRefused>;

    /// Of a webhook that was believed, the headers by which it is believed again once it is kept: those that
    /// [`PaymentGateway::read`] looks at, and in place of one that is the secret itself a digest of the body under it.
    fn kept(&self, headers: &[(String, String)], raw_body: &[u8]) -> Vec<(String, String)>;

    /// The body of the answer, with status 200, by which the gateway knows that its webhook arrived.
    fn acknowledgement(&self) -> &'static str {
        "OK"
    }
}

/// What a gateway is asked to collect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayAsk {
    /// Our reference.
    pub reference: Reference,
    /// How much.
    pub amount: Money,
    /// How it is paid.
    pub channel: PayChannel,
    /// What for, in a few words without personal data.
    pub description: String,
    /// Who pays, as the customer reads it at the bank.
    pub payer: Name,
    /// The moment of asking.
    pub now: DateTime<Utc>,
    /// Until when.
    pub expires_at: DateTime<Utc>,
}

/// A request that is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked<'a> {
    /// Our reference.
    pub reference: &'a Reference,
    /// What the gateway called it when it was made, if the answer arrived.
    pub provider_id: Option<&'a str>,
    /// How it was to be paid; `None` for a request that is not known here.
    pub channel: Option<PayChannel>,
}

/// What a gateway is asked to give back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefundAsk<'a> {
    /// The request that was paid.
    pub of: Asked<'a>,
    /// Our key for this refund: 32 letters and digits. One of all refunds has it.
    pub key: &'a str,
    /// How much.
    pub amount: Money,
    /// What the gateway called the refund, if an answer told it.
    pub provider_id: Option<&'a str>,
}

/// What a gateway says of a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundAnswer {
    /// [`RefundState::Pending`], [`RefundState::Done`], or for a question also [`RefundState::Refused`].
    pub state: RefundState,
    /// What it calls the refund.
    pub provider_id: Option<String>,
    /// Why it refused, in its own word, without secrets.
    pub reason: String,
}

/// What a gateway gave for a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// What it calls it.
    pub provider_id: Option<String>,
    /// With what it is paid.
    pub instructions: Instructions,
    /// Until when, where it says otherwise than it was asked.
    pub expires_at: Option<DateTime<Utc>>,
    /// What it will keep, where it tells.
    pub fee: Option<Money>,
}

/// What became of a wish to cancel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelOutcome {
    /// It takes no money for it any more, or never had it.
    Cancelled,
    /// It cannot be cancelled there; it ends when its time runs out.
    Cannot,
    /// It was paid, or its state changed: ask how it stands.
    TooLate,
}
