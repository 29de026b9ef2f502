//! Calls of a bank by SNAP BI: the vectors of the reference, what is refused, and one changed byte.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use chrono::{DateTime, TimeDelta, Utc};
use isp_core::Money;
use isp_core::payment::virtual_account;
use isp_core::text::Code;
use isp_payment::simulator::{BankCall, SimulatedBank};
use isp_payment::snap::{Refusal, SnapBank, SnapCall, SnapService, SnapSettings};
use serde_json::{Value, json};

fn code(text: &str) -> Code {
    Code::parse("code", text).unwrap()
}

fn now() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2026-11-22T10:00:30+07:00").unwrap().to_utc()
}

fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn headers(of: &Value) -> Vec<(String, String)> {
    let headers = of["headers"].as_object().unwrap();
    headers.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
}

fn simulated() -> (SimulatedBank, SnapBank) {
    let bank = SnapBank::try_new(SimulatedBank::settings(code("bca-va"))).unwrap();
    (SimulatedBank::new("http://127.0.0.1:1", "bca-va").unwrap(), bank)
}

fn token(bank: &SnapBank, caller: &SimulatedBank, at: DateTime<Utc>) -> String {
    let call = caller.token_call(at);
    let answer = bank.token(&call.headers, &call.body, at, [7; 16]);
    assert_eq!((answer.status, answer.code()), (200, "2007300"));
    answer.body["accessToken"].as_str().unwrap().to_owned()
}

fn admit(bank: &SnapBank, call: &BankCall, at: DateTime<Utc>) -> Result<SnapCall, String> {
    let service = SnapService::of_path(&call.path[call.path.find("/v1.0/").unwrap()..]).unwrap();
    let admitted = bank.admit(service, &call.path, &call.headers, &call.body, at);
    admitted.map(|admitted| admitted.call).map_err(|answer| answer.code().to_owned())
}

/// The token of the reference, signed by its own key, at its own moment; and with each byte of it changed.
#[test]
fn the_official_vector_of_the_token_is_believed_and_nothing_beside_it() {
    let vector = fixture("snap-access-token-asymmetric");
    let mut settings = SimulatedBank::settings(code("bca-va"));
    settings.public_key = vector["public_key_pem"].as_str().unwrap().to_owned();
    settings.client_key = "BANKCLIENT01".to_owned();
    let bank = SnapBank::try_new(settings).unwrap();
    let body = vector["body"].to_string().into_bytes();
    let asked = |headers: &[(String, String)], body: &[u8], at| {
        let answer = bank.token(headers, body, at, [0; 16]);
        (answer.status, answer.code().to_owned())
    };
    let good = headers(&vector);
    assert_eq!(asked(&good, &body, now()), (200, "2007300".to_owned()));
    for (at, expected) in [(now() + TimeDelta::minutes(6), "4017300"), (now() - TimeDelta::minutes(6), "4017300")] {
        assert_eq!(asked(&good, &body, at).1, expected, "stale");
    }
    for number in 0..good.len() {
        let mut without = good.clone();
        let (name, _) = without.remove(number);
        assert_eq!(asked(&without, &body, now()), (400, "4007302".to_owned()), "without {name}");
        for at in 0..good[number].1.len() {
            let mut changed = good.clone();
            let mut bytes = changed[number].1.clone().into_bytes();
            bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
            changed[number].1 = String::from_utf8(bytes).unwrap();
            let (status, _) = asked(&changed, &body, now());
            assert!([400, 401].contains(&status), "{name} at {at}: {status}");
        }
    }
    assert_eq!(asked(&good, br#"{"grantType":"password"}"#, now()).1, "4007301");
    assert_eq!(asked(&good, b"{}", now()).1, "4007302");
    assert_eq!(asked(&good, b"{", now()).1, "4007300");
}

/// The digest of a payment is that of the reference: same secret, token, path, body and time.
#[test]
fn the_signature_of_a_payment_is_that_of_the_reference() {
    use base64::Engine as _;
    use hmac::{Hmac, KeyInit as _, Mac as _};
    use sha2::Digest as _;
    let vector = fixture("snap-va-payment-symmetric");
    let signed = vector["string_to_sign"].as_str().unwrap();
    let body = vector["raw_body"].as_str().unwrap();
    let digest = isp_core::text::hex(&sha2::Sha256::digest(body.as_bytes()));
    assert!(signed.contains(&format!(":{digest}:")), "the digest is that of the body as it came, blanks and all");
    let mut mac = Hmac::<sha2::Sha512>::new_from_slice(vector["client_secret"].as_str().unwrap().as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    let given = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
    assert_eq!(given, vector["headers"]["X-SIGNATURE"].as_str().unwrap());
}

#[test]
fn a_payment_is_read_and_no_changed_byte_is_believed() {
    let (caller, bank) = simulated();
    let token = token(&bank, &caller, now());
    let digits = virtual_account::digits_of(&code("P0042")).unwrap();
    let call = caller.payment(&token, &digits, ("20261122-1", Money::rupiah(183_150)), "1", now());
    let Ok(SnapCall::Payment(read)) = admit(&bank, &call, now()) else { panic!("it is good") };
    assert_eq!((read.amount.as_i64(), read.request_id.as_str()), (183_150, "20261122-1"));
    assert_eq!(read.paid_at, Some(now()));
    assert_eq!(bank.digits(&SnapCall::Payment(read)), Some(digits.as_str()));
    assert_eq!(bank.number_of(&digits), format!("88899{digits}"));
    for at in 0..call.body.len() {
        let mut flipped = call.clone();
        flipped.body[at] ^= 1;
        assert_eq!(admit(&bank, &flipped, now()), Err("4012500".to_owned()), "byte {at}");
    }
    // Another path, an older and a younger time, another token.
    let other = BankCall { path: call.path.replace("payment", "inquiry"), ..call.clone() };
    assert_eq!(admit(&bank, &other, now()), Err("4012400".to_owned()));
    for minutes in [-6, 6] {
        let late = now() + TimeDelta::minutes(minutes);
        let fresh = token_at(&bank, &caller, late);
        let old = caller.payment(&fresh, &digits, ("1", Money::rupiah(1)), "1", now());
        assert_eq!(admit(&bank, &old, late), Err("4012500".to_owned()), "{minutes}");
    }
    let stale = caller.payment(&token, &digits, ("1", Money::rupiah(1)), "1", now() + TimeDelta::minutes(15));
    assert_eq!(admit(&bank, &stale, now() + TimeDelta::minutes(15)), Err("4012501".to_owned()), "the token is over");
    for wrong in ["", "x", &token[1..], &format!("{token}AAAA")] {
        let call = caller.payment(wrong, &digits, ("1", Money::rupiah(1)), "1", now());
        assert_eq!(admit(&bank, &call, now()), Err("4012501".to_owned()), "{wrong}");
    }
    // A token of another bank is none.
    let mut others = SimulatedBank::settings(code("bri-va"));
    others.client_key = "OTHER".to_owned();
    assert_eq!(admit(&SnapBank::try_new(others).unwrap(), &call, now()), Err("4012501".to_owned()));
}

fn token_at(bank: &SnapBank, caller: &SimulatedBank, at: DateTime<Utc>) -> String {
    token(bank, caller, at)
}

/// Some banks sign the body without the blanks between its parts, and send it with them. Blanks inside of a text always count.
#[test]
fn blanks_outside_of_texts_may_be_left_out_of_the_digest_and_a_path_may_have_a_prefix() {
    let (caller, bank) = simulated();
    let token = token(&bank, &caller, now());
    let digits = virtual_account::digits_of(&code("P0042")).unwrap();
    let call = caller.payment(&token, &digits, ("1", Money::rupiah(1_000)), "1", now());
    let pretty: Value = serde_json::from_slice(&call.body).unwrap();
    let pretty = BankCall { body: serde_json::to_vec_pretty(&pretty).unwrap(), ..call.clone() };
    assert!(admit(&bank, &pretty, now()).is_ok());
    let squeezed = String::from_utf8(call.body.clone()).unwrap().replace("   88899", "88899");
    let squeezed = BankCall { body: squeezed.into_bytes(), ..call.clone() };
    assert_eq!(admit(&bank, &squeezed, now()), Err("4012500".to_owned()));
    let behind = caller.signed(SnapService::Payment, &token, &serde_json::from_slice(&call.body).unwrap(), "1", now());
    let moved = BankCall { path: format!("/proxy{}", behind.path), ..behind };
    let short = SimulatedBank::new("http://127.0.0.1:1", "bca-va").unwrap().behind_a_proxy();
    let short = short.payment(&token, &digits, ("1", Money::rupiah(1_000)), "1", now());
    assert!(admit(&bank, &short, now()).is_ok(), "a proxy in front added what stands before /v1.0/");
    assert_eq!(
        admit(&bank, &moved, now()),
        Err("4012500".to_owned()),
        "what is signed is the path that the bank knows"
    );
}

#[test]
fn what_is_signed_and_wrong_names_its_field() {
    let (caller, bank) = simulated();
    let token = token(&bank, &caller, now());
    let digits = virtual_account::digits_of(&code("P0042")).unwrap();
    let good = caller.payment(&token, &digits, ("1", Money::rupiah(1_000)), "1", now());
    let good: Value = serde_json::from_slice(&good.body).unwrap();
    let refused = |key: &str, value: Option<Value>| {
        let mut body = good.clone();
        match value {
            Some(value) => body[key] = value,
            None => _ = body.as_object_mut().unwrap().remove(key),
        }
        let call = caller.signed(SnapService::Payment, &token, &body, "1", now());
        let service = SnapService::Payment;
        let answer = bank.admit(service, &call.path, &call.headers, &call.body, now()).unwrap_err();
        (answer.code().to_owned(), answer.body["responseMessage"].as_str().unwrap().to_owned())
    };
    for key in ["partnerServiceId", "customerNo", "virtualAccountNo", "paymentRequestId", "paidAmount"] {
        for value in [None, Some(Value::Null)] {
            assert_eq!(refused(key, value), ("4002502".to_owned(), format!("Invalid Mandatory Field {{{key}}}")));
        }
        let (code, said) = refused(key, Some(json!([1])));
        assert_eq!((code.as_str(), said), ("4002501", format!("Invalid Field Format {{{key}}}")));
    }
    for (key, value) in [
        ("customerNo", json!("12a")),
        ("customerNo", json!("1".repeat(21))),
        ("virtualAccountNo", json!("   8889999999999")),
        ("partnerServiceId", json!("88 99")),
        ("paymentRequestId", json!("a\u{0}b")),
        ("trxDateTime", json!("kemarin")),
        ("trxDateTime", json!(1_764_000_000)),
        ("trxDateTime", json!({})),
        ("paidAmount", json!({ "value": "1000.000", "currency": "IDR" })),
        ("paidAmount", json!({ "value": "1000.", "currency": "IDR" })),
        ("paidAmount", json!({ "value": "1.000.00", "currency": "IDR" })),
        ("paidAmount", json!({ "value": "1000.00", "currency": "USD" })),
        ("paidAmount", json!({ "value": 1000, "currency": "IDR" })),
    ] {
        assert_eq!(refused(key, Some(value.clone())).0, "4002501", "{key} {value}");
    }
    for value in ["1000.50", "0.00", "-1000.00", "1e3", "seribu", ""] {
        let told = json!({ "value": value, "currency": "IDR" });
        assert_eq!(refused("paidAmount", Some(told)).0, "4042513", "{value}");
    }
    for name in ["x-external-id", "x-partner-id", "channel-id", "x-signature", "x-timestamp", "authorization"] {
        let mut call = caller.signed(SnapService::Payment, &token, &good, "1", now());
        call.headers.retain(|(known, _)| known != name);
        assert_eq!(admit(&bank, &call, now()), Err("4002502".to_owned()), "{name}");
    }
    let mut foreign = caller.signed(SnapService::Payment, &token, &good, "1", now());
    foreign.headers.iter_mut().filter(|(name, _)| name == "x-partner-id").for_each(|(_, value)| value.push('0'));
    assert_eq!(admit(&bank, &foreign, now()), Err("4012500".to_owned()));
}

/// What lies in the database holds neither the token nor the signature, and is believed again; changed there, it is not.
#[test]
fn what_is_kept_is_read_again_and_holds_no_secret() {
    let (caller, bank) = simulated();
    let token = token(&bank, &caller, now());
    let digits = virtual_account::digits_of(&code("P0042")).unwrap();
    for call in [
        caller.payment(&token, &digits, ("1", Money::rupiah(1_000)), "1", now()),
        caller.inquiry(&token, &digits, "1", "2", now()),
    ] {
        let service = if call.path.ends_with("payment") { SnapService::Payment } else { SnapService::Inquiry };
        let admitted = bank.admit(service, &call.path, &call.headers, &call.body, now()).unwrap();
        let kept = format!("{:?}", admitted.kept);
        assert!(!kept.contains(&token) && !kept.contains("Bearer"), "{kept}");
        assert!(bank.read_kept(&admitted.kept, &admitted.body) == Some(admitted.call.clone()));
        let mut other = admitted.body.clone();
        other[30] ^= 1;
        assert!(bank.read_kept(&admitted.kept, &other).is_none() && bank.read_kept(&[], &admitted.body).is_none());
        assert!(!format!("{admitted:?} {bank:?} {caller:?}").contains("PELANGGAN"));
    }
}

/// A bank says who pays, in whatever spelling and member: none of it is kept.
#[test]
fn what_is_kept_says_nothing_of_a_person() {
    let (caller, bank) = simulated();
    let token = token(&bank, &caller, now());
    let digits = virtual_account::digits_of(&code("P0042")).unwrap();
    let payment = caller.payment(&token, &digits, ("1", Money::rupiah(1_000)), "1", now());
    let inquiry = caller.inquiry(&token, &digits, "1", "2", now());
    for (service, call) in [(SnapService::Payment, payment), (SnapService::Inquiry, inquiry)] {
        let mut body: Value = serde_json::from_slice(&call.body).unwrap();
        let owned = body.as_object_mut().unwrap();
        for key in ["virtualAccountName", "virtualAccountPhone", "virtualAccountEmail", "sourceAccountName"] {
            owned.insert(key.to_owned(), json!("SITI 0812-3456"));
        }
        owned.insert("additionalInfo".to_owned(), json!({ "payer": ["SITI"] }));
        owned.insert("freeTexts".to_owned(), json!([{ "english": "SITI" }]));
        if service == SnapService::Payment {
            owned["paidAmount"]["by"] = json!("SITI");
        } else {
            owned.insert("trxId".to_owned(), json!("SITI"));
        }
        let call = caller.signed(service, &token, &body, "1", now());
        let admitted = bank.admit(service, &call.path, &call.headers, &call.body, now()).unwrap();
        let kept = String::from_utf8(admitted.body.clone()).unwrap();
        assert!(!kept.contains("SITI") && !kept.contains("0812") && !kept.contains("Name"), "{kept}");
        assert!(kept.contains(&format!("\"customerNo\":\"{digits}\"")), "{kept}");
        assert!(bank.read_kept(&admitted.kept, &admitted.body) == Some(admitted.call));
    }
}

#[test]
fn answers_are_those_of_the_standard() {
    let (caller, bank) = simulated();
    let token = token(&bank, &caller, now());
    let digits = virtual_account::digits_of(&code("P0042")).unwrap();
    let SnapCall::Inquiry(inquiry) = admit(&bank, &caller.inquiry(&token, &digits, "Q1", "1", now()), now()).unwrap()
    else {
        panic!()
    };
    let owes = bank.owes(&inquiry, "Pelanggan Contoh", Money::rupiah(183_150));
    assert_eq!((owes.status, owes.code()), (200, "2002400"));
    let data = &owes.body["virtualAccountData"];
    assert_eq!(data["totalAmount"], json!({ "value": "183150.00", "currency": "IDR" }));
    assert_eq!((&data["partnerServiceId"], &data["inquiryRequestId"]), (&json!("   88899"), &json!("Q1")));
    assert_eq!((&data["inquiryStatus"], &data["subCompany"]), (&json!("00"), &json!("00000")));
    let call = SnapCall::Inquiry(inquiry.clone());
    let codes = [Refusal::Unknown, Refusal::Paid, Refusal::Repeated, Refusal::Trouble].map(|refusal| {
        let answer = bank.refuse_call(&call, refusal);
        (answer.status, answer.code().to_owned(), answer.body["virtualAccountData"]["inquiryStatus"].clone())
    });
    let of = |status: u16, code: &str| (status, code.to_owned(), json!("01"));
    assert_eq!(codes, [of(404, "4042412"), of(404, "4042414"), of(409, "4092400"), of(500, "5002400")]);
    assert_eq!(bank.owes(&inquiry, "x", Money::ZERO).code(), "4042414");
    // Money is said to be rejected only where nothing is booked for certain.
    let paid = caller.payment(&token, &digits, ("P1", Money::rupiah(1_000)), "2", now());
    let paid = admit(&bank, &paid, now()).unwrap();
    for (refusal, code, flag) in [
        (Refusal::Unknown, "4042512", "01"),
        (Refusal::Repeated, "4092500", "02"),
        (Refusal::Trouble, "5002500", "02"),
        (Refusal::InProgress, "2022500", "02"),
        (Refusal::Differs, "4042518", "02"),
    ] {
        let answer = bank.refuse_call(&paid, refusal);
        assert_eq!((answer.code(), &answer.body["virtualAccountData"]["paymentFlagStatus"]), (code, &json!(flag)));
    }
    let mut settings = SimulatedBank::settings(code("bca-va"));
    settings.payment_service = 30;
    let other = SnapBank::try_new(settings).unwrap();
    let answer = other.refuse(SnapService::Payment, Refusal::Signature);
    assert_eq!(answer.code(), "4013000", "a bank that has another service code");
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let change = |change: fn(&mut SnapSettings)| {
        let mut settings = SimulatedBank::settings(code("bca-va"));
        change(&mut settings);
        SnapBank::try_new(settings).err().map(|error| error.code())
    };
    assert_eq!(change(|_| {}), None);
    assert_eq!(change(|s| s.service_id = "123456789".to_owned()), Some("gateway.missing"));
    assert_eq!(change(|s| s.service_id = "88a".to_owned()), Some("gateway.missing"));
    assert_eq!(change(|s| s.client_key.clear()), Some("gateway.missing"));
    assert_eq!(change(|s| s.partner_id = " ".to_owned()), Some("gateway.missing"));
    assert_eq!(change(|s| s.public_key = "nonsense".to_owned()), Some("gateway.bad_key"));
    assert_eq!(change(|s| s.client_secret = "".into()), Some("gateway.bad_key"));
    assert_eq!(change(|s| s.token_key = "short".into()), Some("gateway.missing"));
    assert_eq!(change(|s| s.client_secret = s.token_key.clone()), Some("gateway.missing"));
}
