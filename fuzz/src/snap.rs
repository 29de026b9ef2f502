//! Calls of a bank. Each is tried as it came, and signed as the bank would.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use isp_core::Money;
use isp_core::text::{Code, hex};
use isp_payment::snap::{Refusal, SnapBank, SnapCall, SnapService, SnapSettings};
use serde_json::Value;
use sha2::{Digest as _, Sha256, Sha512};

/// The token call of the reference, with the key that it is signed with.
const VECTOR: &str = include_str!("../../isp-payment/tests/fixtures/snap-access-token-asymmetric.json");
const STAMP: &str = "2026-11-22T10:00:30+07:00";
const SECRET: &str = "fuzzed";

struct Agreed {
    bank: SnapBank,
    token: String,
    now: DateTime<Utc>,
}

static AGREED: LazyLock<Agreed> = LazyLock::new(|| {
    let vector: Value = serde_json::from_str(VECTOR).unwrap();
    let mut settings = SnapSettings::new(Code::parse("bank", "bank-va").unwrap());
    settings.service_id = "88899".to_owned();
    settings.client_key = "BANKCLIENT01".to_owned();
    settings.partner_id = "88899".to_owned();
    settings.public_key = vector["public_key_pem"].as_str().unwrap().to_owned();
    settings.client_secret = SECRET.into();
    settings.token_key = "a-token-key-of-32-signs-or-more!".into();
    let bank = SnapBank::try_new(settings).unwrap();
    let headers: Vec<(String, String)> = vector["headers"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
        .collect();
    let now = DateTime::parse_from_rfc3339(STAMP).unwrap().to_utc();
    let answer = bank.token(&headers, br#"{"grantType":"client_credentials"}"#, now, [0; 16]);
    let token = answer.body["accessToken"].as_str().unwrap().to_owned();
    Agreed { bank, token, now }
});

/// A body that is signed is read or refused in the words of the standard, and what is kept of it is read alike; one that is signed for
/// another path, or that is a token call, is never believed.
pub(crate) fn body(data: &[u8]) {
    let Agreed { bank, token, now } = &*AGREED;
    for (service, other) in [(SnapService::Inquiry, "payment"), (SnapService::Payment, "inquiry")] {
        let path = format!("/snap/bank-va/v1.0/transfer-va/{}", service.name());
        let headers = signed(&path, token, data);
        match bank.admit(service, &path, &headers, data, *now) {
            Ok(admitted) => {
                assert_eq!(bank.read_kept(&admitted.kept, &admitted.body).as_ref(), Some(&admitted.call));
                match &admitted.call {
                    SnapCall::Inquiry(inquiry) => {
                        let answer = bank.owes(inquiry, "Pelanggan", Money::rupiah(183_150));
                        assert_eq!(answer.code(), "2002400");
                    }
                    SnapCall::Payment(notice) => {
                        assert!(notice.amount.is_positive());
                        assert_eq!(bank.booked(notice, "Pelanggan").code(), "2002500");
                    }
                }
                assert_eq!(bank.refuse_call(&admitted.call, Refusal::Unknown).status, 404);
            }
            Err(answer) => {
                assert!(matches!(answer.status, 400 | 404), "{}", answer.code());
                assert_eq!(answer.code().len(), 7);
            }
        }
        let elsewhere = format!("/snap/bank-va/v1.0/transfer-va/{other}");
        let answer = bank.admit(service, &path, &signed(&elsewhere, token, data), data, *now).unwrap_err();
        assert_eq!(answer.status, 401);
    }
    let text = String::from_utf8_lossy(data);
    let headers =
        ["X-CLIENT-KEY", "X-TIMESTAMP", "X-SIGNATURE"].map(|name| (name.to_owned(), text.clone().into_owned()));
    assert_ne!(bank.token(&headers, data, *now, [0; 16]).status, 200, "a signature was guessed");
    let mut headers = signed("/v1.0/transfer-va/payment", token, b"{}");
    for at in 0..headers.len() {
        let kept = std::mem::replace(&mut headers[at].1, text.clone().into_owned());
        let answer = bank.admit(SnapService::Payment, "/v1.0/transfer-va/payment", &headers, b"{}", *now).unwrap_err();
        assert!(answer.status >= 400);
        headers[at].1 = kept;
    }
}

fn signed(path: &str, token: &str, body: &[u8]) -> Vec<(String, String)> {
    let text = format!("POST:{path}:{token}:{}:{STAMP}", hex(&Sha256::digest(body)));
    let mut mac = Hmac::<Sha512>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    [
        ("authorization", format!("Bearer {token}")),
        ("x-timestamp", STAMP.to_owned()),
        ("x-signature", STANDARD.encode(mac.finalize().into_bytes())),
        ("x-partner-id", "88899".to_owned()),
        ("x-external-id", "1".to_owned()),
        ("channel-id", "95231".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}
