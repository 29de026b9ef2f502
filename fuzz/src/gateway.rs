//! Webhooks of payment gateways. Each is tried as it came, and with the signature that fits, so that more than the signature is
//! looked at.

use chrono::Datelike as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use isp_core::Money;
use isp_core::payment::PaymentNotice;
use isp_core::ports::PaymentGateway;
use isp_core::text::{Code, hex};
use isp_payment::{GatewayKind, GatewaySettings, gateway};
use md5::Md5;
use serde_json::Value;
use sha2::{Digest as _, Sha256, Sha512};

const KEY: &str = "SB-Mid-fuzzed";
const TOKEN: &str = "fuzzed";

fn of(kind: GatewayKind, key: &str) -> Box<dyn PaymentGateway> {
    let mut settings = GatewaySettings::new(Code::parse("gateway", kind.name()).unwrap(), kind, key.into());
    settings.sandbox = kind != GatewayKind::TripayOpen;
    settings.merchant = if kind == GatewayKind::Midtrans { String::new() } else { "M".to_owned() };
    settings.webhook_key = TOKEN.into();
    settings.email = "tagihan@example.id".to_owned();
    settings.callback_url = Some("https://isp.example.id/webhook".to_owned());
    gateway(settings).unwrap()
}

type Headers = Vec<(String, String)>;

/// What is read holds: whole rupiah that are not below zero, and a moment that a database takes; and what is kept of the headers
/// leads to the same.
fn read(gateway: &dyn PaymentGateway, headers: &Headers, body: &[u8]) -> Option<PaymentNotice> {
    let notice = gateway.read(headers, body).ok()?;
    assert!([notice.gross, notice.payer_fee].iter().all(|amount| *amount >= Money::ZERO));
    assert!(notice.fee.is_none_or(|fee| fee >= Money::ZERO && fee <= notice.gross));
    assert!(notice.paid_at.is_none_or(|at| (2000..3000).contains(&at.year())));
    assert!(!notice.channel.as_deref().unwrap_or_default().contains('\0'));
    let kept = gateway.kept(headers, body);
    assert_eq!(gateway.read(&kept, body), Ok(notice.clone()));
    Some(notice)
}

fn object(data: &[u8]) -> Option<serde_json::Map<String, Value>> {
    match serde_json::from_slice(data) {
        Ok(Value::Object(map)) => Some(map),
        _ => None,
    }
}

pub(crate) fn midtrans(data: &[u8]) {
    let gateway = of(GatewayKind::Midtrans, KEY);
    assert!(read(gateway.as_ref(), &Vec::new(), data).is_none(), "a signature was guessed");
    let Some(mut map) = object(data) else { return };
    let word = |key: &str| map.get(key).and_then(Value::as_str).unwrap_or_default();
    let signed = [word("order_id"), word("status_code"), word("gross_amount"), KEY].concat();
    map.insert("signature_key".to_owned(), hex(&Sha512::digest(signed.as_bytes())).into());
    let notice = read(gateway.as_ref(), &Vec::new(), Value::Object(map).to_string().as_bytes());
    assert!(notice.is_none_or(|notice| !notice.sure));
}

pub(crate) fn xendit(data: &[u8]) {
    let gateway = of(GatewayKind::Xendit, "xnd_development_fuzzed");
    assert!(read(gateway.as_ref(), &Vec::new(), data).is_none());
    let headers = vec![("x-callback-token".to_owned(), TOKEN.to_owned())];
    assert!(read(gateway.as_ref(), &headers, data).is_none_or(|notice| !notice.sure));
}

pub(crate) fn tripay(data: &[u8]) {
    signed_whole(of(GatewayKind::Tripay, "DEV-fuzzed").as_ref(), data);
}

pub(crate) fn tripay_open(data: &[u8]) {
    signed_whole(of(GatewayKind::TripayOpen, "fuzzed").as_ref(), data);
}

/// Tripay signs all of the body.
fn signed_whole(gateway: &dyn PaymentGateway, data: &[u8]) {
    let mut mac = Hmac::<Sha256>::new_from_slice(TOKEN.as_bytes()).unwrap();
    mac.update(data);
    let mut headers = vec![
        ("x-callback-event".to_owned(), "payment_status".to_owned()),
        ("x-callback-signature".to_owned(), hex(&mac.finalize().into_bytes())),
    ];
    read(gateway, &headers, data);
    headers[1].1 = String::from_utf8_lossy(data).into_owned();
    assert!(read(gateway, &headers, b"{}").is_none(), "a signature was guessed");
}

pub(crate) fn duitku(data: &[u8]) {
    let gateway = of(GatewayKind::Duitku, "fuzzed");
    assert!(read(gateway.as_ref(), &Vec::new(), data).is_none(), "a signature was guessed");
    let text = String::from_utf8_lossy(data);
    let word = |key: &str| {
        let mut pairs = text.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(name, _)| *name == key).map(|(_, value)| value.to_owned()).unwrap_or_default()
    };
    let signed = [word("merchantCode"), word("amount"), word("merchantOrderId"), "fuzzed".to_owned()].concat();
    let body = format!("{text}&signature={}", hex(&Md5::digest(signed.as_bytes())));
    assert!(read(gateway.as_ref(), &Vec::new(), body.as_bytes()).is_none_or(|notice| !notice.sure));
}
