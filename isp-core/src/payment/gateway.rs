//! Payment requests at a gateway: what it was asked, what it gave the customer to pay with, and where that stands.
//!
//! A request is written as [`GatewayState::Attempting`] before the gateway is called. If the answer is lost, the gateway is
//! asked about our own reference; it is never asked for the money again under another one. States only go forward, so a
//! notice that comes late, twice or out of order changes nothing.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::ids::{CustomerId, InvoiceId, PaymentId, PaymentRequestId};
use crate::money::Money;
use crate::payment::NoticeState;
use crate::text::{Code, Reference};

/// How a customer pays at a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PayChannel {
    /// A QRIS code for this amount.
    Qris,
    /// A virtual account of BCA.
    VaBca,
    /// A virtual account of BNI.
    VaBni,
    /// A virtual account of BRI.
    VaBri,
    /// A virtual account, or a bill, of Bank Mandiri.
    VaMandiri,
    /// A virtual account of Permata.
    VaPermata,
    /// A virtual account of CIMB Niaga.
    VaCimb,
    /// A virtual account of BSI.
    VaBsi,
    /// Cash at Alfamart.
    Alfamart,
    /// Cash at Indomaret.
    Indomaret,
    /// A page of the gateway on which the customer chooses.
    Page,
}

impl PayChannel {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Qris,
        Self::VaBca,
        Self::VaBni,
        Self::VaBri,
        Self::VaMandiri,
        Self::VaPermata,
        Self::VaCimb,
        Self::VaBsi,
        Self::Alfamart,
        Self::Indomaret,
        Self::Page,
    ];

    /// `qris`, `va-bca` and so on.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Qris => "qris",
            Self::VaBca => "va-bca",
            Self::VaBni => "va-bni",
            Self::VaBri => "va-bri",
            Self::VaMandiri => "va-mandiri",
            Self::VaPermata => "va-permata",
            Self::VaCimb => "va-cimb",
            Self::VaBsi => "va-bsi",
            Self::Alfamart => "alfamart",
            Self::Indomaret => "indomaret",
            Self::Page => "page",
        }
    }

    /// Reads its code.
    ///
    /// # Errors
    /// [`Error::NotOneOf`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let expected =
            "qris, va-bca, va-bni, va-bri, va-mandiri, va-permata, va-cimb, va-bsi, alfamart, indomaret, page";
        let text = text.trim().to_ascii_lowercase();
        Self::ALL.into_iter().find(|c| c.code() == text).ok_or(Error::NotOneOf { field: "channel", expected })
    }
}

/// What the customer needs to pay: what the gateway does not use stays empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Instructions {
    /// The number of a virtual account, of a bill, or the code for a shop.
    pub number: Option<String>,
    /// The company code that goes with a Mandiri bill.
    pub biller: Option<String>,
    /// The text of a QRIS code.
    pub qris: Option<String>,
    /// A page of the gateway.
    pub url: Option<String>,
}

impl Instructions {
    /// True when nobody could pay with them.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.number.is_none() && self.qris.is_none() && self.url.is_none()
    }
}

/// Where a request at a gateway stands. It only goes forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GatewayState {
    /// The gateway is about to be asked.
    Attempting,
    /// The answer was lost: nobody knows whether the gateway has it.
    Unknown,
    /// The gateway waits for the money.
    Open,
    /// Nobody is to pay it any more; the gateway has still to be told, or cannot be.
    Cancelling,
    /// Its time ran out.
    Expired,
    /// The gateway took nothing for it and takes nothing any more.
    Cancelled,
    /// Its money came.
    Paid,
}

impl GatewayState {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Attempting, Self::Unknown, Self::Open, Self::Cancelling, Self::Expired, Self::Cancelled, Self::Paid];

    /// `attempting`, `unknown`, `open`, `cancelling`, `expired`, `cancelled` or `paid`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Attempting => "attempting",
            Self::Unknown => "unknown",
            Self::Open => "open",
            Self::Cancelling => "cancelling",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Paid => "paid",
        }
    }

    /// Reads its code.
    ///
    /// # Errors
    /// [`Error::NotOneOf`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let expected = "attempting, unknown, open, cancelling, expired, cancelled, paid";
        Self::ALL.into_iter().find(|s| s.code() == text).ok_or(Error::NotOneOf { field: "state", expected })
    }

    /// True while a customer may be shown it or it may become so: no second one of the document and channel is made.
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Attempting | Self::Unknown | Self::Open)
    }

    /// The state after a notice. What is behind the state of before is late news and changes nothing; only money still counts
    /// after the end.
    ///
    /// ```
    /// use isp_core::payment::{GatewayState, NoticeState};
    /// assert_eq!(GatewayState::Attempting.after(NoticeState::Pending), GatewayState::Open);
    /// assert_eq!(GatewayState::Paid.after(NoticeState::Pending), GatewayState::Paid);
    /// assert_eq!(GatewayState::Expired.after(NoticeState::Paid), GatewayState::Paid);
    /// ```
    #[must_use]
    pub const fn after(self, notice: NoticeState) -> Self {
        match (self, notice) {
            (Self::Paid, _) | (_, NoticeState::Paid | NoticeState::Refunded) => Self::Paid,
            (Self::Attempting | Self::Unknown | Self::Open, NoticeState::Pending) => Self::Open,
            (Self::Attempting | Self::Unknown | Self::Open | Self::Cancelling, NoticeState::Expired) => Self::Expired,
            (Self::Attempting | Self::Unknown | Self::Open | Self::Cancelling, NoticeState::Cancelled) => {
                Self::Cancelled
            }
            (state, _) => state,
        }
    }
}

/// What a gateway was asked to collect from a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayRequest {
    /// The row.
    pub id: PaymentRequestId,
    /// Who is to pay.
    pub customer_id: CustomerId,
    /// The invoice that it is about; `None` when it is about everything owed. Paying it pays the oldest invoice first, as any
    /// payment does.
    pub invoice_id: Option<InvoiceId>,
    /// Which gateway, by the name it has in the settings; it is also the provider of the payment.
    pub gateway: Code,
    /// How it is paid.
    pub channel: PayChannel,
    /// What we call it at the gateway; one of all requests has it.
    pub reference: Reference,
    /// What is asked.
    pub amount: Money,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// Until when the gateway takes money for it.
    pub expires_at: DateTime<Utc>,
    /// Where it stands.
    pub state: GatewayState,
    /// What the gateway calls it.
    pub provider_id: Option<String>,
    /// With what it is paid.
    pub instructions: Instructions,
    /// What the gateway keeps of the money, as far as it told.
    pub fee: Option<Money>,
    /// The payment that it became.
    pub payment_id: Option<PaymentId>,
    /// When the gateway is asked next how it stands; `None` when it is not asked any more.
    pub poll_at: Option<DateTime<Utc>>,
    /// What the gateway said last, or why it could not be asked, without secrets.
    pub note: String,
    /// How often the row was written; 0 for one that is new.
    pub revision: u32,
}

/// Minutes after a request is made at which the gateway is asked how it stands, before it is asked every hour.
const POLL_MINUTES: [i64; 4] = [1, 5, 15, 60];

/// Hours after a request has expired for which it is still asked about: news may be late.
const POLLED_HOURS: i64 = 24;

impl GatewayRequest {
    /// What a request is called at a gateway: the number of an invoice and six signs of the request's id. Gateways take
    /// letters, digits, dots and dashes, at most 50.
    ///
    /// ```
    /// use isp_core::{ids::PaymentRequestId, payment::GatewayRequest};
    /// let id = PaymentRequestId(uuid::Uuid::from_u128(0xabcdef));
    /// assert_eq!(GatewayRequest::reference_of("INV-202601-000042", id).unwrap().as_str(), "INV-202601-000042-ABCDEF");
    /// ```
    ///
    /// # Errors
    /// None that can be: it is never empty or long.
    pub fn reference_of(number: &str, id: PaymentRequestId) -> Result<Reference, Error> {
        let fits = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
        let number: String = number.chars().filter(fits).take(40).collect();
        let id = id.0.simple().to_string().to_ascii_uppercase();
        Reference::parse("reference", &format!("{number}-{}", &id[26..]))
    }

    /// When the gateway is asked next, after it was asked or told something at `now`: 1, 5, 15 and 60 minutes after the
    /// request was made, then every hour until a day after it has expired. `None` when its end is certain, or that day is over.
    #[must_use]
    pub fn next_poll(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if matches!(self.state, GatewayState::Paid | GatewayState::Cancelled) {
            return None;
        }
        let soon = POLL_MINUTES.iter().map(|m| self.made_at + TimeDelta::minutes(*m)).find(|at| *at > now);
        let next = soon.unwrap_or(now + TimeDelta::hours(1));
        (next <= self.expires_at + TimeDelta::hours(POLLED_HOURS)).then_some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> GatewayRequest {
        let id = PaymentRequestId(uuid::Uuid::nil());
        GatewayRequest {
            id,
            customer_id: CustomerId(uuid::Uuid::nil()),
            invoice_id: None,
            gateway: Code::parse("gateway", "midtrans").unwrap(),
            channel: PayChannel::Qris,
            reference: GatewayRequest::reference_of("INV-1", id).unwrap(),
            amount: Money::rupiah(165_000),
            made_at: DateTime::UNIX_EPOCH,
            expires_at: DateTime::UNIX_EPOCH + TimeDelta::hours(24),
            state: GatewayState::Open,
            provider_id: None,
            instructions: Instructions::default(),
            fee: None,
            payment_id: None,
            poll_at: None,
            note: String::new(),
            revision: 0,
        }
    }

    #[test]
    fn states_only_go_forward_whatever_the_order_of_notices() {
        use NoticeState::{Cancelled, Expired, Paid, Pending};
        let all = [Pending, Paid, Expired, Cancelled];
        for first in all {
            for second in all {
                for third in all {
                    let mut state = GatewayState::Attempting;
                    for notice in [first, second, third] {
                        let next = state.after(notice);
                        assert!(next >= state || state == GatewayState::Expired && next == state, "{state:?} {next:?}");
                        state = next;
                    }
                    let paid = [first, second, third].contains(&Paid);
                    assert_eq!(state == GatewayState::Paid, paid, "{first:?} {second:?} {third:?}");
                    assert_eq!(state.after(third), state, "twice is once");
                }
            }
        }
        assert_eq!(GatewayState::Cancelling.after(Pending), GatewayState::Cancelling);
        assert_eq!(GatewayState::Expired.after(Cancelled), GatewayState::Expired);
    }

    #[test]
    fn a_gateway_is_asked_often_at_first_then_every_hour_until_a_day_after_the_end() {
        let request = request();
        let minutes = |n: i64| DateTime::UNIX_EPOCH + TimeDelta::minutes(n);
        let next = |n: i64| request.next_poll(minutes(n)).map(|at| (at - request.made_at).num_minutes());
        assert_eq!([0, 1, 4, 5, 20, 60, 61].map(next), [1, 5, 5, 15, 60, 120, 121].map(Some));
        assert_eq!(next(47 * 60), Some(48 * 60));
        assert_eq!(next(47 * 60 + 1), None);
        let paid = GatewayRequest { state: GatewayState::Paid, ..request };
        assert_eq!(paid.next_poll(minutes(0)), None);
    }

    #[test]
    fn every_code_is_read_back() {
        for channel in PayChannel::ALL {
            assert_eq!(PayChannel::parse(channel.code()), Ok(channel));
        }
        for state in GatewayState::ALL {
            assert_eq!(GatewayState::parse(state.code()), Ok(state));
        }
        assert!(PayChannel::parse("va-xyz").is_err() && GatewayState::parse("lost").is_err());
    }
}
