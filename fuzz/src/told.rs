//! Bodies of moota and of phones. Each is tried as it came, and with the signature that fits.

use chrono::{DateTime, Utc};
use isp_core::bank::{Mutation, ToldRow};
use isp_core::text::Code;
use isp_payment::told::moota::Moota;
use isp_payment::told::phone::{self, Phone};
use serde_json::Value;

const SECRET: &str = "fuzzed-with-16-signs";

/// What is read holds: a name, an amount that is one, a text that a database takes.
fn holds(row: &ToldRow) {
    assert!(!row.id.is_empty() && row.id.len() <= 200 && row.hundredths != 0);
    assert!(row.text.chars().count() <= Mutation::LONGEST && !row.text.contains(char::is_control));
}

/// An array is read row by row, or refused; what is kept of it is read alike, and holds no token.
pub(crate) fn moota(data: &[u8]) {
    let moota = Moota::try_new(SECRET.into()).unwrap();
    assert!(moota.read(&[], data).is_err(), "a signature was guessed");
    let headers = [("signature".to_owned(), moota.signature(data))];
    let Ok(told) = moota.read(&headers, data) else {
        assert!(moota.reduced(&headers, data).is_err());
        return;
    };
    told.rows.iter().for_each(holds);
    let Ok(Value::Array(rows)) = serde_json::from_slice(data) else { panic!("it was read, and is no array") };
    assert_eq!(told.rows.len() + told.unread.len(), rows.len());
    let reduced = moota.reduced(&headers, data).unwrap();
    assert_eq!(moota.read_kept(&moota.kept(&reduced), &reduced), Ok(told));
    assert!(moota.read(&moota.kept(&reduced), &reduced).is_err(), "what we keep is not what moota sends");
    let text = String::from_utf8(reduced).unwrap();
    assert!(["\"token\"", "\"bank\":{", "\"meta\""].iter().all(|secret| !text.contains(secret)));
}

/// A notification is read only when it is signed over its four parts, and is of now.
pub(crate) fn phone(data: &[u8]) {
    let code = |text| Code::parse("code", text).unwrap();
    let phones = [Phone::try_new(code("hp"), "fuzzed", SECRET.into(), code("QRIS"), None).unwrap()];
    let now: DateTime<Utc> = DateTime::from_timestamp(1_768_921_200, 0).unwrap();
    assert!(phone::read(&phones, data, now).is_err(), "a signature was guessed");
    let Ok(Value::Object(mut body)) = serde_json::from_slice(data) else { return };
    let written = |key: &str| match body.get(key) {
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let signature = phones[0].signature(&written("amount"), &written("timestamp"), &written("nonce"));
    body.insert("device_key".to_owned(), "fuzzed".into());
    body.insert("signature".to_owned(), signature.into());
    if let Ok((_, row)) = phone::read(&phones, Value::Object(body).to_string().as_bytes(), now) {
        holds(&row);
        assert!(row.hundredths > 0 && row.hundredths % 100 == 0 && row.on.to_string().starts_with("2026-01-2"));
    }
}
