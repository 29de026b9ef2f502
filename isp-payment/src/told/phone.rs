//! Phones that pass on notifications: JSON with a device key, an amount, a moment and a nonce, and a signature over these four.
//!
//! The signature is obligatory: a device key alone proves nothing.

use chrono::{DateTime, TimeDelta, Utc};
use isp_core::bank::{Mutation, ToldRow};
use isp_core::calendar::Zone;
use isp_core::payment::NoticeRefused;
use isp_core::text::Code;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::{hundredths, written};
use crate::SettingsError;
use crate::sign::{fits, hmac_sha256};

/// How far a phone's clock may be from ours.
const APART: TimeDelta = TimeDelta::seconds(300);
/// A moment of more is in milliseconds: as seconds it is in the year 5138.
const MILLISECONDS: i64 = 100_000_000_000;
/// The shortest secret, in bytes.
const SHORTEST: usize = 16;

/// A phone that may tell of money.
#[derive(Debug)]
pub struct Phone {
    name: Code,
    key: String,
    secret: SecretString,
    account: Code,
    bank: Option<Code>,
}

impl Phone {
    /// A phone by its name here, what it calls itself, the secret of both, the account on which the money is, and the bank as the
    /// provider of payments, where it is to be another one than `bank`.
    ///
    /// # Errors
    /// [`SettingsError::Teller`] for a key that is empty or has a `|` in it, and for a secret of less than 16 signs.
    pub fn try_new(
        name: Code,
        key: &str,
        secret: SecretString,
        account: Code,
        bank: Option<Code>,
    ) -> Result<Self, SettingsError> {
        // It would make one signature fit two texts.
        if key.trim().is_empty() || key.contains('|') {
            return Err(SettingsError::Teller("the key is empty, or has a | in it"));
        }
        if secret.expose_secret().trim().len() < SHORTEST {
            return Err(SettingsError::Teller("the secret has less than 16 signs"));
        }
        Ok(Self { name, key: key.trim().to_owned(), secret, account, bank })
    }

    /// Its name here.
    #[must_use]
    pub const fn name(&self) -> &Code {
        &self.name
    }

    /// What it calls itself.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The signature of a notification, as the phone makes it.
    #[must_use]
    pub fn signature(&self, amount: &str, timestamp: &str, nonce: &str) -> String {
        hmac_sha256(&self.secret, [self.key(), amount, timestamp, nonce].join("|").as_bytes())
    }
}

/// Reads a notification that came at a moment: which of the phones tells of which mutation.
///
/// # Errors
/// [`NoticeRefused`]: a part that is signed, or the signature, is missing; the phone is unknown or did not sign it; it was made
/// more than five minutes before or after it came; its amount is no whole rupiah above zero.
pub fn read<'a>(phones: &'a [Phone], body: &[u8], at: DateTime<Utc>) -> Result<(&'a Phone, ToldRow), NoticeRefused> {
    let body: Value = serde_json::from_slice(body).map_err(|_| NoticeRefused::Malformed)?;
    let part = |key: &str| written(body.get(key)).ok_or(NoticeRefused::SignatureMissing);
    let (key, signature) = (part("device_key")?, part("signature")?);
    let (amount, timestamp, nonce) = (part("amount")?, part("timestamp")?, part("nonce")?);
    let phone = phones.iter().find(|phone| phone.key == key).ok_or(NoticeRefused::SignatureMismatch)?;
    if !fits(&signature, &phone.signature(&amount, &timestamp, &nonce)) {
        return Err(NoticeRefused::SignatureMismatch);
    }
    let told_at = moment(&timestamp).ok_or(NoticeRefused::Malformed)?;
    if (at - told_at).abs() > APART {
        return Err(NoticeRefused::Stale);
    }
    if nonce.len() > 200 {
        return Err(NoticeRefused::Malformed);
    }
    let hundredths = hundredths(&amount).filter(|amount| *amount > 0 && amount % 100 == 0);
    let text = body.get("raw_text").and_then(Value::as_str).unwrap_or_default();
    let row = ToldRow {
        id: nonce,
        account: phone.account.clone(),
        bank: phone.bank.clone(),
        on: Zone::Wib.date_of(told_at),
        hundredths: hundredths.ok_or(NoticeRefused::Amount)?,
        text: text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(Mutation::LONGEST).collect(),
        balance: None,
    };
    Ok((phone, row))
}

fn moment(text: &str) -> Option<DateTime<Utc>> {
    let number: i64 = text.parse().ok()?;
    if number.unsigned_abs() < MILLISECONDS.unsigned_abs() {
        DateTime::from_timestamp(number, 0)
    } else {
        DateTime::from_timestamp_millis(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn code(text: &str) -> Code {
        Code::parse("code", text).unwrap()
    }

    fn phones() -> Vec<Phone> {
        let of = |name: &str, secret: &str| {
            Phone::try_new(code(name), &format!("kunci-{name}"), secret.into(), code("QRIS-TOKO"), Some(code("bca")))
                .unwrap()
        };
        vec![of("hp-1", "rahasia-hp-satu-123"), of("hp-2", "rahasia-hp-dua-1234")]
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_768_921_200, 0).unwrap()
    }

    fn body(amount: Value, timestamp: Value) -> Value {
        let said = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let signature = phones()[0].signature(&said(&amount), &said(&timestamp), "n-1");
        json!({
            "device_key": "kunci-hp-1", "amount": amount, "source_app": "id.dana.merchant", "nonce": "n-1",
            "raw_text": "Rp183.151 dari BUDI\nSANTOSO", "timestamp": timestamp, "signature": signature,
        })
    }

    fn told(body: &Value) -> Result<(String, ToldRow), NoticeRefused> {
        let all = phones();
        let (phone, row) = read(&all, body.to_string().as_bytes(), now())?;
        Ok((phone.name().to_string(), row))
    }

    /// Worked out with `openssl dgst -sha256 -hmac rahasia-hp-satu-123`.
    #[test]
    fn it_is_signed_over_its_four_parts() {
        assert_eq!(
            phones()[0].signature("183151", "1768921200", "n-1"),
            "3d09582b37168eb169caf5598d38fb7bfcc2e660968c3e59c03fcc4b1a3da178"
        );
    }

    #[test]
    fn a_notification_is_a_mutation_of_its_phones_account() {
        let (name, row) = told(&body(json!(183_151), json!(1_768_921_200))).unwrap();
        assert_eq!((name.as_str(), row.id.as_str(), row.account.as_str()), ("hp-1", "n-1", "QRIS-TOKO"));
        assert_eq!((row.on.to_string().as_str(), row.hundredths, row.balance), ("2026-01-20", 18_315_100, None));
        assert_eq!((row.text.as_str(), row.bank.unwrap().as_str()), ("Rp183.151 dari BUDI SANTOSO", "bca"));
        // As text, with milliseconds, and to the second at both ends.
        for (amount, timestamp) in [
            (json!("183151"), json!("1768921200")),
            (json!("183151.00"), json!(1_768_921_200_999_i64)),
            (json!(183_151), json!(1_768_921_200 - 300)),
            (json!(183_151), json!(1_768_921_200 + 300)),
        ] {
            assert_eq!(told(&body(amount, timestamp)).unwrap().1.hundredths, 18_315_100);
        }
        // The text may be missing.
        let mut bare = body(json!(1), json!(1_768_921_200));
        bare.as_object_mut().unwrap().remove("raw_text");
        assert_eq!(told(&bare).unwrap().1.text, "");
    }

    #[test]
    fn what_is_not_signed_or_not_of_now_is_not_believed() {
        let good = body(json!(183_151), json!(1_768_921_200));
        for (key, value) in [
            ("amount", json!(183_152)),
            ("amount", json!("183151.0")),
            ("timestamp", json!(1_768_921_201)),
            ("nonce", json!("n-2")),
            ("device_key", json!("kunci-hp-2")),
            ("device_key", json!("hp-1")),
            ("signature", json!("00")),
        ] {
            let mut body = good.clone();
            body[key] = value;
            assert_eq!(told(&body), Err(NoticeRefused::SignatureMismatch), "{key}");
        }
        for key in ["amount", "timestamp", "nonce", "device_key", "signature"] {
            for value in [json!(""), json!(null), json!(1.5), json!([])] {
                let mut body = good.clone();
                body[key] = value;
                assert_eq!(told(&body), Err(NoticeRefused::SignatureMissing), "{key}");
            }
        }
        assert_eq!(told(&json!([])), Err(NoticeRefused::SignatureMissing));
        for timestamp in [json!(1_768_921_200 - 301), json!(1_768_921_200 + 301), json!(0)] {
            assert_eq!(told(&body(json!(183_151), timestamp)), Err(NoticeRefused::Stale));
        }
        assert_eq!(told(&body(json!(183_151), json!("kemarin"))), Err(NoticeRefused::Malformed));
        for amount in [json!(0), json!(-5), json!("183151.50"), json!("183,151")] {
            assert_eq!(told(&body(amount.clone(), json!(1_768_921_200))), Err(NoticeRefused::Amount), "{amount}");
        }
        let of = |key: &str, secret: &str| Phone::try_new(code("hp"), key, secret.into(), code("a"), None).is_ok();
        assert_eq!(
            [of("k", "1234567890123456"), of("k", "kurang"), of("a|1", "1234567890123456")],
            [true, false, false]
        );
        assert!(!format!("{:?}", phones()).contains("rahasia"));
    }
}
