//! What a bank is answered, in the words of the standard.

use isp_core::Money;
use serde_json::{Value, json};

use super::body::{VaInquiry, VaNotice, VaNumber};
use super::{SnapService, SnapSettings, token};

/// An answer: HTTP status and JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SnapAnswer {
    /// The HTTP status.
    pub status: u16,
    /// What is said, as JSON with `responseCode` and `responseMessage`.
    pub body: Value,
    /// Why the call was refused, which the bank is told by code only.
    pub refused: Option<Refusal>,
}

impl SnapAnswer {
    /// `2002500` and so on.
    #[must_use]
    pub fn code(&self) -> &str {
        self.body.get("responseCode").and_then(Value::as_str).unwrap_or_default()
    }
}

/// Why a call is not done. None of these holds anything of what was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// A field or a header is not written as it should be.
    Format(&'static str),
    /// A field or a header is missing.
    Mandatory(&'static str),
    /// It is not signed with the key or the secret that was agreed on.
    Signature,
    /// It was signed too long ago, or in the future.
    Stale,
    /// It comes from somebody else than the bank of this path.
    Client,
    /// The token is none of ours, or its time is over.
    Token,
    /// Nobody has this number.
    Unknown,
    /// Nothing is owed on it.
    Paid,
    /// The amount is not above zero, or has a fraction of a rupiah.
    Amount,
    /// The same `X-EXTERNAL-ID` came this day already.
    Repeated,
    /// The same `paymentRequestId` came already with another amount or number.
    Differs,
    /// There were too many wrong calls.
    TooMany,
    /// It is longer than a call may be.
    TooLong,
    /// It came too slowly.
    TooSlow,
    /// It is kept and will be booked, and could not be booked yet.
    InProgress,
    /// Something is wrong here.
    Trouble,
}

impl Refusal {
    /// One word, for a metric.
    #[must_use]
    pub const fn why(self) -> &'static str {
        match self {
            Self::Format(_) | Self::Mandatory(_) => "malformed",
            Self::Signature => "signature",
            Self::Stale => "stale",
            Self::Client => "client",
            Self::Token => "token",
            Self::Unknown => "unknown",
            Self::Paid => "paid",
            Self::Amount => "amount",
            Self::Repeated => "repeated",
            Self::Differs => "differs",
            Self::TooMany => "rate",
            Self::TooLong => "size",
            Self::TooSlow => "slow",
            Self::InProgress => "in_progress",
            Self::Trouble => "store",
        }
    }

    /// HTTP status, case code, and what it says.
    fn parts(self) -> (u16, u8, String) {
        let said = |text: &str| text.to_owned();
        match self {
            Self::Format("body") => (400, 0, said("Bad Request")),
            Self::Format(field) => (400, 1, format!("Invalid Field Format {{{field}}}")),
            Self::Mandatory(field) => (400, 2, format!("Invalid Mandatory Field {{{field}}}")),
            Self::Signature => (401, 0, said("Unauthorized. [Signature]")),
            Self::Stale => (401, 0, said("Unauthorized. [Timestamp]")),
            Self::Client => (401, 0, said("Unauthorized. [Unknown client]")),
            Self::Token => (401, 1, said("Invalid Token (B2B)")),
            Self::Unknown => (404, 12, said("Invalid Bill/Virtual Account [Not Found]")),
            Self::Paid => (404, 14, said("Paid Bill")),
            Self::Amount => (404, 13, said("Invalid Amount")),
            Self::Differs => (404, 18, said("Inconsistent Request")),
            Self::Repeated => (409, 0, said("Conflict")),
            Self::TooLong => (413, 0, said("Request Entity Too Large")),
            Self::TooSlow => (408, 0, said("Request Timeout")),
            Self::TooMany => (429, 0, said("Too Many Requests")),
            Self::InProgress => (202, 0, said("Request In Progress")),
            Self::Trouble => (500, 0, said("General Error")),
        }
    }

    /// `paymentFlagStatus`: 01 where the money is refused for certain, so that the bank gives it back; 02 wherever a payment of that
    /// name is booked or may be, so that the bank asks again.
    const fn flag(self) -> &'static str {
        match self {
            Self::Unknown | Self::Paid | Self::Amount => "01",
            _ => "02",
        }
    }

    /// The reason in English and Indonesian, for the payer's screen.
    const fn reason(self) -> (&'static str, &'static str) {
        match self {
            Self::Unknown => ("Bill not found", "Tagihan tidak ditemukan"),
            Self::Paid => ("Bill has been paid", "Tagihan telah dibayar"),
            Self::Amount => ("Invalid amount", "Nominal tidak sesuai"),
            Self::Differs => ("Inconsistent request", "Permintaan tidak konsisten"),
            Self::Repeated => ("Request was sent before", "Permintaan sudah pernah dikirim"),
            Self::InProgress => ("Payment is in progress", "Pembayaran sedang diproses"),
            _ => ("Request cannot be processed", "Permintaan tidak dapat diproses"),
        }
    }
}

const fn service_code(settings: &SnapSettings, service: SnapService) -> u8 {
    match service {
        SnapService::Token => 73,
        SnapService::Inquiry => 24,
        SnapService::Payment => settings.payment_service,
    }
}

fn envelope(status: u16, service: u8, case: u8, message: &str) -> SnapAnswer {
    let code = format!("{status}{service:02}{case:02}");
    SnapAnswer { status, body: json!({ "responseCode": code, "responseMessage": message }), refused: None }
}

pub(super) fn token(token: &str) -> SnapAnswer {
    let mut answer = envelope(200, 73, 0, "Successful");
    answer.body["accessToken"] = token.into();
    answer.body["tokenType"] = "Bearer".into();
    answer.body["expiresIn"] = token::LIFE.num_seconds().to_string().into();
    answer
}

pub(super) fn refused(settings: &SnapSettings, service: SnapService, refusal: Refusal) -> SnapAnswer {
    let (status, case, message) = refusal.parts();
    SnapAnswer { refused: Some(refusal), ..envelope(status, service_code(settings, service), case, &message) }
}

/// `183150.00`.
fn idr(amount: Money) -> Value {
    json!({ "value": format!("{}.00", amount.as_i64()), "currency": "IDR" })
}

fn reason((english, indonesia): (&str, &str)) -> Value {
    json!({ "english": english, "indonesia": indonesia })
}

/// What each answer about a number has in it.
fn account(settings: &SnapSettings, number: &VaNumber) -> Value {
    json!({
        "partnerServiceId": format!("{:>8}", settings.service_id),
        "customerNo": number.customer_no,
        "virtualAccountNo": number.account,
    })
}

fn inquiry_data(settings: &SnapSettings, inquiry: &VaInquiry, status: &str, why: (&str, &str)) -> Value {
    let mut data = account(settings, &inquiry.account);
    data["inquiryStatus"] = status.into();
    data["inquiryReason"] = reason(why);
    data["inquiryRequestId"] = inquiry.request_id.as_str().into();
    data["subCompany"] = settings.sub_company.as_str().into();
    data["billDetails"] = json!([]);
    data["freeTexts"] = json!([]);
    data
}

pub(super) fn owes(settings: &SnapSettings, inquiry: &VaInquiry, name: &str, owed: Money) -> SnapAnswer {
    let mut data = inquiry_data(settings, inquiry, "00", ("Success", "Sukses"));
    data["virtualAccountName"] = name.into();
    data["totalAmount"] = idr(owed);
    data["virtualAccountTrxType"] = if settings.open_amount { "O" } else { "C" }.into();
    data["additionalInfo"] = json!({});
    let mut answer = envelope(200, service_code(settings, SnapService::Inquiry), 0, "Successful");
    answer.body["virtualAccountData"] = data;
    answer
}

pub(super) fn inquiry_refused(settings: &SnapSettings, inquiry: &VaInquiry, refusal: Refusal) -> SnapAnswer {
    let mut answer = refused(settings, SnapService::Inquiry, refusal);
    let mut data = inquiry_data(settings, inquiry, "01", refusal.reason());
    data["virtualAccountName"] = "".into();
    data["totalAmount"] = idr(Money::ZERO);
    answer.body["virtualAccountData"] = data;
    answer
}

fn payment_data(settings: &SnapSettings, notice: &VaNotice, status: &str, why: (&str, &str)) -> Value {
    let mut data = account(settings, &notice.account);
    data["paymentRequestId"] = notice.request_id.as_str().into();
    data["paidAmount"] = idr(notice.amount);
    data["totalAmount"] = idr(notice.amount);
    data["trxId"] = notice.trx_id.as_str().into();
    data["referenceNo"] = notice.reference_no.as_str().into();
    data["flagAdvise"] = notice.flag_advise.as_str().into();
    data["paymentFlagStatus"] = status.into();
    data["paymentFlagReason"] = reason(why);
    data["billDetails"] = json!([]);
    data["freeTexts"] = json!([]);
    data
}

pub(super) fn booked(settings: &SnapSettings, notice: &VaNotice, name: &str) -> SnapAnswer {
    let mut data = payment_data(settings, notice, "00", ("Success", "Sukses"));
    data["virtualAccountName"] = name.into();
    let mut answer = envelope(200, settings.payment_service, 0, "Successful");
    answer.body["virtualAccountData"] = data;
    answer.body["additionalInfo"] = json!({});
    answer
}

pub(super) fn payment_refused(settings: &SnapSettings, notice: &VaNotice, refusal: Refusal) -> SnapAnswer {
    let mut answer = refused(settings, SnapService::Payment, refusal);
    answer.body["virtualAccountData"] = payment_data(settings, notice, refusal.flag(), refusal.reason());
    answer
}
