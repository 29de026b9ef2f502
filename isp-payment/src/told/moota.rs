//! Webhooks of moota (API v2): an array of mutations, signed with the secret token that the webhook was registered with.

use isp_core::bank::{Mutation, ToldRow, account_code};
use isp_core::calendar::Date;
use isp_core::payment::NoticeRefused;
use isp_core::payment::notice::header;
use isp_core::text::Code;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::{Told, hundredths, written};
use crate::SettingsError;
use crate::sign::{fits, hmac_sha256, is_blank};

/// Who signs its webhooks with this secret token.
#[derive(Debug)]
pub struct Moota {
    secret: SecretString,
}

/// The header in which a kept body is signed by ourselves.
const KEPT: &str = "isp-kept";
/// What stands in front of a kept body where it is signed, so that its signature is none of moota's.
const KEPT_AS: &[u8] = b"isp kept\n";

impl Moota {
    /// With the secret token of the webhook.
    ///
    /// # Errors
    /// [`SettingsError::Teller`] for an empty one: anybody could sign with it.
    pub fn try_new(secret: SecretString) -> Result<Self, SettingsError> {
        if is_blank(&secret) { Err(SettingsError::Teller("the secret is empty")) } else { Ok(Self { secret }) }
    }

    /// The value of the header `Signature` for a body.
    #[must_use]
    pub fn signature(&self, body: &[u8]) -> String {
        hmac_sha256(&self.secret, body)
    }

    /// Reads a webhook as it came. Each row is read by itself.
    ///
    /// # Errors
    /// [`NoticeRefused`]: not signed, signed wrongly, no array; [`NoticeRefused::NotAPayment`] for an empty one.
    pub fn read(&self, headers: &[(String, String)], body: &[u8]) -> Result<Told, NoticeRefused> {
        let given = header(headers, "signature").ok_or(NoticeRefused::SignatureMissing)?;
        if !fits(given, &self.signature(body)) {
            return Err(NoticeRefused::SignatureMismatch);
        }
        let Ok(Value::Array(rows)) = serde_json::from_slice(body) else { return Err(NoticeRefused::Malformed) };
        if rows.is_empty() {
            return Err(NoticeRefused::NotAPayment);
        }
        let mut told = Told::default();
        for (place, value) in rows.iter().enumerate() {
            match row(value) {
                Ok(row) => told.rows.push(row),
                Err(field) => told.unread.push((place + 1, field.to_owned())),
            }
        }
        Ok(told)
    }

    /// The body that is kept in place of the one that came, which holds tokens of the account at moota: only what is used.
    ///
    /// # Errors
    /// As [`Moota::read`].
    pub fn reduced(&self, headers: &[(String, String)], body: &[u8]) -> Result<Vec<u8>, NoticeRefused> {
        let Told { rows, unread } = self.read(headers, body)?;
        Ok(json!({ "rows": rows, "unread": unread }).to_string().into_bytes())
    }

    /// The headers by which a reduced body is believed again.
    #[must_use]
    pub fn kept(&self, reduced: &[u8]) -> Vec<(String, String)> {
        vec![(KEPT.to_owned(), self.kept_signature(reduced))]
    }

    /// Reads a reduced body.
    ///
    /// # Errors
    /// [`NoticeRefused`]: it is not signed with this secret, or is no reduced body.
    pub fn read_kept(&self, headers: &[(String, String)], reduced: &[u8]) -> Result<Told, NoticeRefused> {
        let given = header(headers, KEPT).ok_or(NoticeRefused::SignatureMissing)?;
        if !fits(given, &self.kept_signature(reduced)) {
            return Err(NoticeRefused::SignatureMismatch);
        }
        let mut body: Value = serde_json::from_slice(reduced).map_err(|_| NoticeRefused::Malformed)?;
        let mut part = |key: &str| body.get_mut(key).map(Value::take).unwrap_or_default();
        let rows = serde_json::from_value(part("rows")).map_err(|_| NoticeRefused::Malformed)?;
        let unread = serde_json::from_value(part("unread")).map_err(|_| NoticeRefused::Malformed)?;
        Ok(Told { rows, unread })
    }

    fn kept_signature(&self, reduced: &[u8]) -> String {
        hmac_sha256(&self.secret, &[KEPT_AS, reduced].concat())
    }
}

/// A row, or the field that is wrong.
fn row(value: &Value) -> Result<ToldRow, &'static str> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::trim).unwrap_or_default();
    let id = written(value.get("mutation_id")).filter(|id| id.len() <= 200).ok_or("mutation_id")?;
    let account = written(value.get("account_number")).and_then(|text| account_code(&text).ok());
    let sign = match text("type").to_ascii_uppercase().as_str() {
        "CR" => 1,
        "DB" => -1,
        _ => return Err("type"),
    };
    // Another time of the same zone, WIB; only the day counts.
    let on = text("date").get(..10).and_then(|day| Date::parse(day).ok()).ok_or("date")?;
    let amount = money(value.get("amount")).filter(|amount| *amount > 0).ok_or("amount")?;
    let said = [text("description"), text("note")].join(" ");
    Ok(ToldRow {
        id,
        account: account.ok_or("account_number")?,
        bank: bank(value.pointer("/bank/bank_type").and_then(Value::as_str).unwrap_or_default()),
        on,
        hundredths: sign * amount,
        text: said.trim().chars().filter(|c| !c.is_control()).take(Mutation::LONGEST).collect(),
        balance: money(value.get("balance")),
    })
}

/// Hundredths of a number or a text.
fn money(value: Option<&Value>) -> Option<i64> {
    match value? {
        Value::String(text) => hundredths(text.trim()),
        Value::Number(number) => hundredths(&number.to_string()),
        _ => None,
    }
}

/// The bank as the provider of a payment, of moota's kinds of access to it: `bca`, `bcaGiro`, `mandiriOnline`, `bniBisnis`, `briCmsVA`.
fn bank(kind: &str) -> Option<Code> {
    let kind = kind.to_ascii_lowercase();
    // Another bank.
    if kind.starts_with("bcasyariah") {
        return None;
    }
    let known = ["bca", "mandiri", "bni", "bri", "bsi"].into_iter().find(|bank| kind.starts_with(bank))?;
    Code::parse("bank", known).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moota() -> Moota {
        Moota::try_new("rahasia-moota".into()).unwrap()
    }

    fn one() -> Value {
        json!({
            "account_number": "131-00-0123456-7", "date": "2026-01-20 23:59:59", "description": "TRSF PLG-0001",
            "note": "", "amount": "183151.00", "type": "CR", "balance": 1_183_151, "mutation_id": "XqZ7",
            "token": "t0k3n", "bank_id": "B1", "taggings": [], "bank": {"bank_type": "bcaGiro", "atas_nama": "Contoh",
                "meta": {"session": "s3cr3t-session"}, "corporate_id": "C0RP"},
        })
    }

    fn read(body: &Value) -> Result<Told, NoticeRefused> {
        let (moota, bytes) = (moota(), body.to_string().into_bytes());
        moota.read(&[("signature".to_owned(), moota.signature(&bytes))], &bytes)
    }

    fn only(change: impl FnOnce(&mut Value)) -> Result<ToldRow, String> {
        let mut row = one();
        change(&mut row);
        let mut told = read(&json!([row])).unwrap();
        assert_eq!(told.rows.len() + told.unread.len(), 1);
        told.rows.pop().ok_or_else(|| told.unread.remove(0).1)
    }

    /// Worked out with `openssl dgst -sha256 -hmac rahasia-moota`.
    #[test]
    fn it_is_signed_as_moota_signs() {
        assert_eq!(moota().signature(b"[]"), "f9bdaf35aacc4c1ceece4116ecef73f4c6ab8b183b4f678e0c401682c5410f57");
        let headers = |value: &str| vec![("Signature".to_owned(), value.to_owned())];
        let good = moota().signature(b"[]");
        assert_eq!(moota().read(&headers(&good), b"[]"), Err(NoticeRefused::NotAPayment));
        assert_eq!(moota().read(&headers(&good), b"[ ]"), Err(NoticeRefused::SignatureMismatch));
        assert_eq!(moota().read(&headers(""), b"[]"), Err(NoticeRefused::SignatureMismatch));
        assert_eq!(moota().read(&[], b"[]"), Err(NoticeRefused::SignatureMissing));
        assert_eq!(read(&json!({})), Err(NoticeRefused::Malformed));
        assert!(Moota::try_new(" ".into()).is_err());
    }

    #[test]
    fn a_row_is_read_as_a_file_of_the_bank_would_be() {
        let row = only(|_| {}).unwrap();
        assert_eq!(
            (row.id.as_str(), row.account.as_str(), row.on.to_string().as_str()),
            ("XqZ7", "1310001234567", "2026-01-20")
        );
        assert_eq!((row.hundredths, row.balance, row.bank.unwrap().as_str()), (18_315_100, Some(118_315_100), "bca"));
        assert_eq!(row.text, "TRSF PLG-0001");
        for (change, expected) in [
            (json!({"amount": 10_000}), 1_000_000),
            (json!({"amount": 10_000.0}), 1_000_000),
            (json!({"amount": "12111.45"}), 1_211_145),
            (json!({"amount": 2_500, "type": "db"}), -250_000),
        ] {
            let row = only(|row| change.as_object().unwrap().iter().for_each(|(key, value)| row[key] = value.clone()));
            assert_eq!(row.unwrap().hundredths, expected, "{change}");
        }
        for (kind, expected) in [("bniVA", "bni"), ("mandiriMcm2", "mandiri"), ("briCms", "bri"), ("BSI", "bsi")] {
            assert_eq!(only(|row| row["bank"]["bank_type"] = json!(kind)).unwrap().bank.unwrap().as_str(), expected);
        }
        for kind in [json!("bcaSyariah"), json!("qris"), json!(null), json!(5)] {
            assert_eq!(only(|row| row["bank"]["bank_type"] = kind.clone()).unwrap().bank, None, "{kind}");
        }
        assert_eq!(only(|row| row["mutation_id"] = json!(4711)).unwrap().id, "4711");
    }

    #[test]
    fn an_odd_row_is_named_and_takes_nothing_from_the_others() {
        for (key, value) in [
            ("amount", json!("12,111.00")),
            ("amount", json!(null)),
            ("amount", json!(0)),
            ("amount", json!(-5)),
            ("type", json!("XX")),
            ("date", json!("besok")),
            ("date", json!("2026-02-31 00:00:00")),
            ("mutation_id", json!("")),
            ("mutation_id", json!(null)),
            ("account_number", json!({})),
        ] {
            assert_eq!(only(|row| row[key] = value.clone()).unwrap_err(), key, "{value}");
        }
        let told = read(&json!([5, one(), "x", null])).unwrap();
        assert_eq!((told.rows.len(), told.unread.iter().map(|one| one.0).collect::<Vec<_>>()), (1, vec![1, 3, 4]));
    }

    #[test]
    fn what_is_kept_holds_no_token_and_is_believed_again() {
        let (moota, body) = (moota(), json!([one(), {"bank": {"meta": "s3cr3t"}}]).to_string().into_bytes());
        let headers = [("signature".to_owned(), moota.signature(&body))];
        let told = moota.read(&headers, &body).unwrap();
        let reduced = moota.reduced(&headers, &body).unwrap();
        let text = String::from_utf8(reduced.clone()).unwrap();
        assert!(["s3cr3t", "t0k3n", "C0RP", "Contoh", "B1"].iter().all(|secret| !text.contains(secret)), "{text}");
        let kept = moota.kept(&reduced);
        assert_eq!(moota.read_kept(&kept, &reduced), Ok(told));
        // It is none of moota's, and moota's is none of ours.
        let as_moota = [("signature".to_owned(), kept[0].1.clone())];
        assert_eq!(moota.read(&as_moota, &reduced), Err(NoticeRefused::SignatureMismatch));
        let as_kept = [(KEPT.to_owned(), moota.signature(&reduced))];
        assert_eq!(moota.read_kept(&as_kept, &reduced), Err(NoticeRefused::SignatureMismatch));
        let other = Moota::try_new("another".into()).unwrap();
        assert_eq!(other.read_kept(&kept, &reduced), Err(NoticeRefused::SignatureMismatch));
        assert!(!format!("{moota:?}").contains("rahasia"));
    }
}
