//! What a bank says.

use chrono::{DateTime, Utc};
use isp_core::Money;
use isp_core::text::Reference;
use serde_json::{Map, Value, json};

use super::{Refusal, SnapService};
use crate::answer::{moment, rupiah};

/// The number that a call is about.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VaNumber {
    /// `partnerServiceId` as it came, with the blanks in front.
    pub service_id: String,
    /// `customerNo`.
    pub customer_no: String,
    /// `virtualAccountNo` as it came.
    pub account: String,
}

/// A bank asks what is owed.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VaInquiry {
    /// On which number.
    pub account: VaNumber,
    /// What the bank calls the question.
    pub request_id: String,
}

/// A bank tells of a payment.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VaNotice {
    /// On which number.
    pub account: VaNumber,
    /// What the bank calls the payment; with the bank it makes the payment one.
    pub request_id: Reference,
    /// How much.
    pub amount: Money,
    /// When.
    pub paid_at: Option<DateTime<Utc>>,
    /// The bank's own number of it, given back as it came.
    pub reference_no: String,
    /// `trxId`, given back as it came.
    pub trx_id: String,
    /// `Y` when it repeats what it told before, given back as it came.
    pub flag_advise: String,
}

/// A call that was read.
#[derive(Clone, PartialEq, Eq)]
pub enum SnapCall {
    /// What is owed?
    Inquiry(VaInquiry),
    /// So much was paid.
    Payment(VaNotice),
}

/// What a bank says names people, so it is not shown.
impl std::fmt::Debug for SnapCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Inquiry(_) => "Inquiry",
            Self::Payment(_) => "Payment",
        })
    }
}

impl SnapCall {
    /// The number that it is about.
    #[must_use]
    pub const fn account(&self) -> &VaNumber {
        match self {
            Self::Inquiry(inquiry) => &inquiry.account,
            Self::Payment(notice) => &notice.account,
        }
    }
}

/// The members that are read of each call.
const NUMBER: [&str; 3] = ["partnerServiceId", "customerNo", "virtualAccountNo"];
/// Those of an inquiry.
const INQUIRY: [&str; 1] = ["inquiryRequestId"];
/// Those of a payment, beside its amount.
const PAYMENT: [&str; 5] = ["paymentRequestId", "trxDateTime", "referenceNo", "trxId", "flagAdvise"];

/// The part of a call that is read, as a body that reads the same. Names, phone numbers, e-mail addresses and whatever else a bank
/// says beside it are not in it.
pub(super) fn read_part(service: SnapService, body: &[u8]) -> Result<Vec<u8>, Refusal> {
    let body: Value = serde_json::from_slice(body).map_err(|_| Refusal::Format("body"))?;
    let more: &[&str] = match service {
        SnapService::Token => &[],
        SnapService::Inquiry => &INQUIRY,
        SnapService::Payment => &PAYMENT,
    };
    let text = |key: &&str| Some(((*key).to_owned(), body.get(*key).filter(|value| value.is_string())?.clone()));
    let mut part: Map<String, Value> = NUMBER.iter().chain(more).filter_map(text).collect();
    if let (SnapService::Payment, Some(amount)) = (service, body.get("paidAmount")) {
        let amount = json!({ "value": amount.get("value"), "currency": amount.get("currency") });
        part.insert("paidAmount".to_owned(), amount);
    }
    Ok(Value::Object(part).to_string().into_bytes())
}

/// Reads the body of a call.
pub(super) fn read(service: SnapService, body: &[u8]) -> Result<SnapCall, Refusal> {
    let body: Value = serde_json::from_slice(body).map_err(|_| Refusal::Format("body"))?;
    let account = number(&body)?;
    match service {
        SnapService::Inquiry => {
            let request_id = word(&body, "inquiryRequestId", 128)?.to_owned();
            Ok(SnapCall::Inquiry(VaInquiry { account, request_id }))
        }
        SnapService::Payment => {
            let request_id = word(&body, "paymentRequestId", 128)?;
            let request_id =
                Reference::parse("paymentRequestId", request_id).map_err(|_| Refusal::Format("paymentRequestId"))?;
            let amount = amount(&body, "paidAmount")?;
            let paid_at = match body.get("trxDateTime") {
                None | Some(Value::Null) => None,
                Some(Value::String(text)) if text.is_empty() => None,
                Some(told) => {
                    let text = told.as_str().ok_or(Refusal::Format("trxDateTime"))?;
                    let at = DateTime::parse_from_rfc3339(text).map_err(|_| Refusal::Format("trxDateTime"))?;
                    moment(at.to_utc())
                }
            };
            let said = |key| optional(&body, key, 64);
            let (reference_no, trx_id) = (said("referenceNo")?, said("trxId")?);
            let flag_advise = said("flagAdvise")?;
            Ok(SnapCall::Payment(VaNotice { account, request_id, amount, paid_at, reference_no, trx_id, flag_advise }))
        }
        SnapService::Token => Err(Refusal::Format("path")),
    }
}

fn number(body: &Value) -> Result<VaNumber, Refusal> {
    let service_id = word(body, "partnerServiceId", 8)?;
    let customer_no = word(body, "customerNo", 20)?;
    let account = word(body, "virtualAccountNo", 28)?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(service_id.trim_start_matches(' ')) {
        return Err(Refusal::Format("partnerServiceId"));
    }
    if !digits(customer_no) {
        return Err(Refusal::Format("customerNo"));
    }
    // The number is the two after each other; blanks in front of it count for nothing.
    let both = format!("{}{customer_no}", service_id.trim_start_matches(' '));
    if account.trim_start_matches(' ') != both {
        return Err(Refusal::Format("virtualAccountNo"));
    }
    let owned = str::to_owned;
    Ok(VaNumber { service_id: owned(service_id), customer_no: owned(customer_no), account: owned(account) })
}

/// A text that must be there.
fn word<'a>(body: &'a Value, key: &'static str, most: usize) -> Result<&'a str, Refusal> {
    match body.get(key) {
        None | Some(Value::Null) => Err(Refusal::Mandatory(key)),
        Some(Value::String(text)) if text.trim().is_empty() => Err(Refusal::Mandatory(key)),
        Some(Value::String(text)) if text.len() <= most && !text.chars().any(char::is_control) => Ok(text),
        Some(_) => Err(Refusal::Format(key)),
    }
}

/// A text that may be missing.
fn optional(body: &Value, key: &'static str, most: usize) -> Result<String, Refusal> {
    match word(body, key, most) {
        Ok(text) => Ok(text.to_owned()),
        Err(Refusal::Mandatory(_)) => Ok(String::new()),
        Err(refusal) => Err(refusal),
    }
}

/// `{"value": "183150.00", "currency": "IDR"}`, above zero; with two decimals, as the standard has it, or one or none.
fn amount(body: &Value, key: &'static str) -> Result<Money, Refusal> {
    let told = body.get(key).filter(|told| !told.is_null()).ok_or(Refusal::Mandatory(key))?;
    if told.get("currency").and_then(Value::as_str) != Some("IDR") {
        return Err(Refusal::Format(key));
    }
    let value = told.get("value").filter(|value| value.is_string()).ok_or(Refusal::Format(key))?;
    let decimals = value.as_str().and_then(|text| text.split_once('.')).map_or("0", |(_, decimals)| decimals);
    if decimals.is_empty() || decimals.len() > 2 {
        return Err(Refusal::Format(key));
    }
    match rupiah(Some(value)) {
        Ok(amount) if amount.is_positive() => Ok(amount),
        _ => Err(Refusal::Amount),
    }
}
