//! A bank that calls us by SNAP BI. It signs as the standard says; a test may change what it signed, or when.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, FixedOffset, Utc};
use isp_core::Money;
use isp_core::text::Code;
use isp_http::Exchange;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

use crate::settings::SettingsError;
use crate::snap::{SnapService, SnapSettings, hmac_sha512, string_to_sign};

const SERVICE_ID: &str = "88899";
const CLIENT: &str = "BANKCLIENT01";
const PARTNER: &str = "88899";
const SECRET: &str = "simulated-client-secret";
/// The key of the simulated bank, PKCS #8. It opens nothing anywhere.
const PRIVATE: &str = "MIIEvAIBADANBgkqhkiG9w0BAQEFAASCBKYwggSiAgEAAoIBAQCUd5DJFgnIEkWxZUfQ7R+o9O36KmpRpdYZnosDMQjz/Atl6CpXmQtyWRYYa6\
    SUcAqsT4JLw5CF2lp21Tj/fX1IOWk/Pc+GD/mGoETjjtb/4PzIB/A0uJx2Xa+MQfHnweNRicijZGnvfbLP+x94QTnc3hZAxGUcKjqHAoYzFFn8\
    SPreYP8uJHn5pM4elw/PM6z3Kc5CK7S0+MDTYdOh3U1OB8J9NOkY9r0aisHemnhdYMQAEZ8JqWL/NN45Uih+FyYhXHBIi2FfUMEtpdhVjLr3B+\
    uzktgStHkN+6MJOAYRI0zDDz4q+7DnAWNUTG5TFXqm6k9c0EeBEHg2JmsGcg65AgMBAAECggEAIMoPVfniCyfN8JHXvJLCLUR60odPl9yyXlIf\
    jYLk4U3HDqipwVLxrj1ync4YORhNoySkOCtm3ckNtbT9s595bdwQHIGANbGNgGghDsjbPwPnkB4AtQQYuiOSw71EudSeacGuaDejFduDBGAH4T\
    02lEsQSxmU4xWIe4zZKqrR/N+jDWsHuX6k0nodmMOPhzJucUJzGYUKefH8xXJ+cGoEHB62x3z6hz+Wvve2mVZmlkKKYK+pE5K178XCSawl7DDJ\
    opU3pmaIWbRVTOL5NdPNhqzPP5NPwpc+ilNOPl+5B1nypAeGB7eGu2FuOSdcr5/0R3QhQ9YfSCxosShZjKDfoQKBgQDP6TuU3+utvBOrYGSjEm\
    QjOIDG4QgViO+VRdKB3K1m/C5u4AicXK2r5Bpok7jcn2z+qxaZtVVZBD/0cqFow+2sKnz0pgSjnuEKW95hu835Osu/bnrLBCDka3SNfJVHspiq\
    oGKLBkCiJSb5CTMh+OUvVEI3clKHxHgACStbiNknFQKBgQC2zo1JroC1A/Y7j05mdoYSt60FC5pWEoXrtps+DQ7+KMPx6HPlXor3+zcNCx68Tz\
    9sjrW6ULBEX7TitiC2zphycNyvLmQY1cEykhn9E9Zl3HRiGhrbdvJcwH3ymxGdmBzeYJx2UGPIWO6Dt33MSCL+0eOLRTxbw+NXJO6z2vDyFQKB\
    gC4vIxsY+qNnKf9htDk9Np1USdbj2gXem0nPbsmGGcbMsgvTHFaPh8ytKOieF+x6RZ30p1qRm1ngxcwpQo2hKEScU5GM527pNhg0/Bs9uq1oUC\
    ZABmreiefzrrpXOFnq5FrSsdEsHGNoWVXsoz0iqtZuox7p+EdMb1Oitczpg0NZAoGARkRY7LSFxo6STEyGXz45xOITQHg4R9Nw5KzZOV29oJY8\
    0zR9r/HKSw2mGH5ovwtbHrgwRECVsIJ1PhuxsXLyCDM3sKKNWTp4u56LHMtOQvMdTUQphKhQ+rQG9YUDnWcF2bibC6NU54K/k6OpWCd2RCqbY0\
    ImtEM0lJ+enUWQDg0CgYBDPqAjIztEFCHWZpfqLW0cSotmTe/4gtf57w1koQRDl2QTPL8elGSkSscq6iCizlKxWIFJxLb9SIE1g0X9rdV3Lcbx\
    W7TMYlYL3fLXQOQNSl314ywSMeFwowFzMVkHYTWlthQJka96dV4sMs4x8c16dcbuaGkQnIcDFInd/RlBhg==";
/// Its public half.
const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\n\
    MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAlHeQyRYJyBJFsWVH0O0f\n\
    qPTt+ipqUaXWGZ6LAzEI8/wLZegqV5kLclkWGGuklHAKrE+CS8OQhdpadtU4/319\n\
    SDlpPz3Phg/5hqBE447W/+D8yAfwNLicdl2vjEHx58HjUYnIo2Rp732yz/sfeEE5\n\
    3N4WQMRlHCo6hwKGMxRZ/Ej63mD/LiR5+aTOHpcPzzOs9ynOQiu0tPjA02HTod1N\n\
    TgfCfTTpGPa9GorB3pp4XWDEABGfCali/zTeOVIofhcmIVxwSIthX1DBLaXYVYy6\n\
    9wfrs5LYErR5DfujCTgGESNMww8+Kvuw5wFjVExuUxV6pupPXNBHgRB4NiZrBnIO\n\
    uQIDAQAB\n\
    -----END PUBLIC KEY-----";

/// A call that is signed and not sent yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankCall {
    /// Where it goes, from the root of the server on.
    pub path: String,
    /// Names and values, the signature among them.
    pub headers: Vec<(String, String)>,
    /// The bytes that are signed.
    pub body: Vec<u8>,
}

/// What was answered: the HTTP status, and JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BankAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The body; null when it was no JSON.
    pub body: Value,
}

impl BankAnswer {
    /// `2002500` and so on.
    #[must_use]
    pub fn code(&self) -> &str {
        self.body.get("responseCode").and_then(Value::as_str).unwrap_or_default()
    }

    /// A text of what is said about the number.
    #[must_use]
    pub fn said(&self, pointer: &str) -> &str {
        self.body.pointer(&format!("/virtualAccountData{pointer}")).and_then(Value::as_str).unwrap_or_default()
    }
}

/// A bank of which we are a customer.
pub struct SimulatedBank {
    url: String,
    base: String,
    short: bool,
    http: reqwest::Client,
    key: RsaKeyPair,
}

impl fmt::Debug for SimulatedBank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatedBank").field("url", &self.url).finish_non_exhaustive()
    }
}

impl SimulatedBank {
    /// A bank that calls the server at this address, under this name of the settings.
    ///
    /// # Errors
    /// [`SettingsError::BadAddress`] when the address is none, or plain `http` to another machine.
    pub fn new(server: &str, name: &str) -> Result<Self, SettingsError> {
        let url = server.trim_end_matches('/').to_owned();
        isp_http::address(&url).map_err(|_| SettingsError::BadAddress)?;
        let http = isp_http::client(Duration::from_secs(20)).map_err(|_| SettingsError::Client)?;
        let key = STANDARD.decode(PRIVATE).ok().and_then(|der| RsaKeyPair::from_pkcs8(&der).ok());
        Ok(Self {
            url,
            base: format!("/snap/{name}"),
            short: false,
            http,
            key: key.ok_or(SettingsError::BadKey("private key"))?,
        })
    }

    /// What both sides agreed on.
    #[must_use]
    pub fn settings(name: Code) -> SnapSettings {
        let mut settings = SnapSettings::new(name);
        settings.service_id = SERVICE_ID.to_owned();
        settings.client_key = CLIENT.to_owned();
        settings.partner_id = PARTNER.to_owned();
        settings.public_key = PUBLIC.to_owned();
        settings.client_secret = SECRET.into();
        settings.token_key = "simulated-token-key-of-32-signs-or-more".into();
        settings
    }

    /// The same bank, which knows only the part of a path from `/v1.0/` on, as behind a proxy that adds the rest.
    #[must_use]
    pub fn behind_a_proxy(self) -> Self {
        Self { short: true, ..self }
    }

    /// The call for a token at this moment.
    #[must_use]
    pub fn token_call(&self, at: DateTime<Utc>) -> BankCall {
        let stamp = stamp(at);
        let signed = format!("{CLIENT}|{stamp}");
        let mut signature = vec![0; self.key.public().modulus_len()];
        // A key of 2048 bits signs anything.
        let _ = self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature);
        let headers = [("x-client-key", CLIENT), ("x-timestamp", &stamp), ("x-signature", &STANDARD.encode(signature))];
        BankCall {
            path: format!("{}/v1.0/access-token/b2b", self.base),
            headers: named(&headers),
            body: json!({ "grantType": "client_credentials" }).to_string().into_bytes(),
        }
    }

    /// A token; `None` when it was not given.
    pub async fn token(&self, at: DateTime<Utc>) -> Option<String> {
        let answer = self.send(&self.token_call(at)).await?;
        answer.body.get("accessToken").and_then(Value::as_str).map(str::to_owned)
    }

    /// The question what is owed on the number of these digits.
    #[must_use]
    pub fn inquiry(&self, token: &str, digits: &str, request: &str, external: &str, at: DateTime<Utc>) -> BankCall {
        let mut body = number(digits);
        body["trxDateInit"] = stamp(at).into();
        body["channelCode"] = 6011.into();
        body["language"] = "".into();
        body["inquiryRequestId"] = request.into();
        body["additionalInfo"] = json!({});
        self.signed(SnapService::Inquiry, token, &body, external, at)
    }

    /// The news that so much was paid on the number of these digits.
    #[must_use]
    pub fn payment(
        &self,
        token: &str,
        digits: &str,
        (request, amount): (&str, Money),
        external: &str,
        at: DateTime<Utc>,
    ) -> BankCall {
        let mut body = number(digits);
        let paid = json!({ "value": format!("{}.00", amount.as_i64()), "currency": "IDR" });
        body["virtualAccountName"] = "PELANGGAN".into();
        body["paymentRequestId"] = request.into();
        body["channelCode"] = 6011.into();
        body["paidAmount"] = paid.clone();
        body["totalAmount"] = paid;
        body["trxDateTime"] = stamp(at).into();
        body["referenceNo"] = "00113829301".into();
        body["flagAdvise"] = "N".into();
        body["subCompany"] = "00000".into();
        self.signed(SnapService::Payment, token, &body, external, at)
    }

    /// A call with any body, signed.
    #[must_use]
    pub fn signed(
        &self,
        service: SnapService,
        token: &str,
        body: &Value,
        external: &str,
        at: DateTime<Utc>,
    ) -> BankCall {
        let path = format!("{}/v1.0/transfer-va/{}", self.base, service.name());
        let (stamp, body) = (stamp(at), body.to_string().into_bytes());
        let signed = if self.short { &path[self.base.len()..] } else { &path };
        let mac = hmac_sha512(&SECRET.into(), string_to_sign(signed, token, &stamp, &body).as_bytes());
        let headers = [
            ("authorization", format!("Bearer {token}").as_str()),
            ("x-timestamp", &stamp),
            ("x-signature", &STANDARD.encode(mac)),
            ("x-partner-id", PARTNER),
            ("x-external-id", external),
            ("channel-id", "95231"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        BankCall { path, headers: headers.to_vec(), body }
    }

    /// Sends a call as it stands, once; `None` when nobody answered.
    pub async fn send(&self, call: &BankCall) -> Option<BankAnswer> {
        let request = self.http.post(format!("{}{}", self.url, call.path)).body(call.body.clone());
        let request = request.header("content-type", "application/json");
        let request = call.headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        match isp_http::exchange(request).await {
            Exchange::Answered { status, body } => {
                Some(BankAnswer { status, body: serde_json::from_slice(&body).unwrap_or_default() })
            }
            _ => None,
        }
    }
}

fn named(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The service number has eight places, with blanks in front.
fn number(digits: &str) -> Value {
    json!({
        "partnerServiceId": format!("{SERVICE_ID:>8}"),
        "customerNo": digits,
        "virtualAccountNo": format!("{SERVICE_ID:>8}{digits}"),
    })
}

/// `2026-11-22T10:00:30+07:00`.
fn stamp(at: DateTime<Utc>) -> String {
    let wib = FixedOffset::east_opt(7 * 3_600).map(|zone| at.with_timezone(&zone));
    wib.map(|at| at.format("%Y-%m-%dT%H:%M:%S%:z").to_string()).unwrap_or_default()
}
