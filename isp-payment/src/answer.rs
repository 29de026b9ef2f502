//! Calls of a gateway, and what its answers mean wherever they mean the same.

use chrono::{DateTime, Datelike, Utc};
use isp_core::Money;
use isp_core::payment::NoticeRefused;
use isp_core::ports::PortError;
use isp_core::text::Reference;
use isp_http::{Exchange, NotSent};
use reqwest::{Method, RequestBuilder, Url};
use secrecy::ExposeSecret;
use serde_json::Value;

use crate::settings::{GatewayKind, GatewaySettings, SettingsError};
use crate::sign::is_blank;

/// A client of one account.
pub(crate) struct Client {
    pub(crate) settings: GatewaySettings,
    http: reqwest::Client,
    api: Url,
    pages: Url,
}

/// What a gateway answered in its own words: JSON.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

/// Whether a call changes something there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It asks only: whatever goes wrong, nothing happened.
    None,
    /// It may have happened when no answer comes.
    Some,
}

impl Client {
    pub(crate) fn try_new(settings: GatewaySettings) -> Result<Self, SettingsError> {
        use GatewayKind::{Duitku, DuitkuPop, Tripay, TripayOpen, Xendit};
        let key = settings.key.expose_secret();
        if key.is_empty() || !key.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(SettingsError::BadKey("key"));
        }
        if settings.webhook_key.expose_secret().bytes().any(|b| !b.is_ascii_graphic()) {
            return Err(SettingsError::BadKey("webhook key"));
        }
        if let Some((sandbox, live)) = settings.kind.prefixes() {
            let (wanted, other) = if settings.sandbox { (sandbox, live) } else { (live, sandbox) };
            if key.starts_with(other) && !key.starts_with(wanted) || (wanted.is_empty() && key.starts_with(other)) {
                return Err(SettingsError::Environment);
            }
        }
        let needs = |what, given: bool| if given { Ok(()) } else { Err(SettingsError::Missing(what)) };
        let kind = settings.kind;
        if matches!(kind, Tripay | TripayOpen | Duitku | DuitkuPop) {
            needs("merchant", !settings.merchant.trim().is_empty())?;
        }
        if matches!(kind, Tripay | Duitku | DuitkuPop) {
            needs("email", settings.email.contains('@'))?;
        }
        if matches!(kind, Tripay | TripayOpen | Xendit) {
            needs("webhook_key", !is_blank(&settings.webhook_key))?;
        }
        if matches!(kind, Duitku | DuitkuPop) {
            needs("callback_url", settings.callback_url.is_some())?;
        }
        needs("sandbox = false: it has none for open payments", !(kind == TripayOpen && settings.sandbox))?;
        let (api, pages) = settings.kind.addresses(settings.sandbox);
        let api = settings.base_url.as_deref().unwrap_or(api);
        let pages = settings.base_url.as_deref().or(pages).unwrap_or(api);
        let address = |text: &str| isp_http::address(text).map_err(|_| SettingsError::BadAddress);
        let (api, pages) = (address(api)?, address(pages)?);
        let http = isp_http::client(settings.deadline).map_err(|_| SettingsError::Client)?;
        Ok(Self { settings, http, api, pages })
    }

    /// A request of the API; each part of the path is one segment.
    pub(crate) fn api(&self, method: Method, path: &[&str]) -> RequestBuilder {
        self.request(&self.api, method, path)
    }

    /// A question of the API about one thing.
    pub(crate) fn question(&self, path: &[&str], key: &str, value: &str) -> RequestBuilder {
        let mut url = self.api.clone();
        url.query_pairs_mut().append_pair(key, value);
        self.request(&url, Method::GET, path)
    }

    /// A request of what makes pages.
    pub(crate) fn pages(&self, method: Method, path: &[&str]) -> RequestBuilder {
        self.request(&self.pages, method, path)
    }

    fn request(&self, base: &Url, method: Method, path: &[&str]) -> RequestBuilder {
        let mut url = base.clone();
        // An address with a host always can have a path.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        self.http.request(method, url).header("accept", "application/json")
    }

    /// Makes a call, once. An answer that is not JSON is not the gateway's: the page of a proxy, or of its own trouble.
    pub(crate) async fn call(&self, request: RequestBuilder, effect: Effect) -> Result<Answer, PortError> {
        let unknown = |reason: String| match effect {
            Effect::None => PortError::NotSent { reason },
            Effect::Some => PortError::Unknown { reason },
        };
        let answered = match isp_http::exchange(request).await {
            Exchange::Answered { status, body } => (status, serde_json::from_slice::<Value>(&body)),
            Exchange::NotSent(NotSent::ConnectFailed) => {
                return Err(PortError::NotSent { reason: "no connection to the gateway".to_owned() });
            }
            Exchange::NotSent(NotSent::NoTls) => {
                let reason = "no trusted TLS connection to the gateway (its certificate, something in between, or this machine's clock)";
                return Err(PortError::NotSent { reason: reason.to_owned() });
            }
            Exchange::NotSent(NotSent::ConnectTimeout) => {
                return Err(PortError::NotSent { reason: "no connection to the gateway in time".to_owned() });
            }
            Exchange::Unknown(_) => return Err(unknown("the gateway did not answer".to_owned())),
        };
        let (status, body) = match answered {
            (status, Ok(body)) => (status, body),
            // A proxy in front of it turned the request away.
            (status @ (403 | 404 | 429), Err(_)) => {
                return Err(PortError::NotSent { reason: format!("not the gateway answered, with HTTP {status}") });
            }
            (status, Err(_)) => return Err(unknown(format!("not the gateway answered, with HTTP {status}"))),
        };
        tracing::debug!(gateway = %self.settings.name, status, "gateway answered");
        match status {
            401 => Err(refused("gateway.key", "it does not take the key")),
            429 => Err(PortError::NotSent { reason: "the gateway is asked too often".to_owned() }),
            500.. => Err(unknown(format!("the gateway has trouble of its own (HTTP {status})"))),
            _ => Ok(Answer { status, body }),
        }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("gateway", &self.settings.name).finish_non_exhaustive()
    }
}

/// The gateway said no: nothing happened.
pub(crate) fn refused(code: &'static str, reason: impl Into<String>) -> PortError {
    PortError::Refused { code, reason: reason.into() }
}

/// An answer that says that something was done, but not what it is.
pub(crate) fn unreadable() -> PortError {
    PortError::Unknown { reason: "the answer of the gateway cannot be read".to_owned() }
}

/// An answer to a question that cannot be read; asking changed nothing.
pub(crate) fn not_told(_: NoticeRefused) -> PortError {
    PortError::NotSent { reason: "the answer of the gateway cannot be read".to_owned() }
}

/// A text of an answer.
pub(crate) fn text<'a>(body: &'a Value, key: &str) -> Option<&'a str> {
    body.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// A text that is kept and shown. A sign that is none, such as a zero byte, is left out: no database takes it.
pub(crate) fn owned(body: &Value, key: &str) -> Option<String> {
    text(body, key).map(|text| text.chars().filter(|c| !c.is_control()).collect())
}

/// An id of an answer: a text, or a whole number.
pub(crate) fn id_of(body: &Value, key: &str) -> Option<String> {
    owned(body, key).or_else(|| body.get(key).and_then(Value::as_u64).map(|number| number.to_string()))
}

/// A word of the gateway, such as a code of its errors, that is shown: letters, digits, blanks and few signs, and not long.
pub(crate) fn word(text: Option<&str>) -> String {
    let fits = |c: &char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | ',');
    text.unwrap_or_default().chars().filter(fits).take(80).collect()
}

/// A reference of an answer.
pub(crate) fn reference(field: &'static str, text: Option<&str>) -> Result<Reference, NoticeRefused> {
    Reference::parse(field, text.unwrap_or_default()).map_err(|_| NoticeRefused::Malformed)
}

/// Whole rupiah of a number or a text such as `165000.00`. Below zero, a fraction and anything else is refused.
pub(crate) fn rupiah(value: Option<&Value>) -> Result<Money, NoticeRefused> {
    let told = match value {
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        _ => return Err(NoticeRefused::Amount),
    };
    let (whole, fraction) = told.split_once('.').unwrap_or((&told, "0"));
    let digits = |text: &str| !text.is_empty() && text.len() <= 13 && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.bytes().any(|b| b != b'0') {
        return Err(NoticeRefused::Amount);
    }
    whole.parse().map(Money::rupiah).map_err(|_| NoticeRefused::Amount)
}

/// The same, where it may be missing.
pub(crate) fn maybe_rupiah(value: Option<&Value>) -> Result<Option<Money>, NoticeRefused> {
    match value {
        None | Some(Value::Null) => Ok(None),
        told => rupiah(told).map(Some),
    }
}

/// Rupiah, where an answer says in what it is; some do not say it.
pub(crate) fn in_rupiah(body: &Value) -> Result<(), NoticeRefused> {
    match body.get("currency") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(currency)) if currency == "IDR" => Ok(()),
        Some(_) => Err(NoticeRefused::Currency),
    }
}

/// A moment that an answer tells. A year that nobody lives in is none: no database and no calendar takes it.
pub(crate) fn moment(at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    (2000..3000).contains(&at.year()).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_that_are_kept_hold_no_control_signs() {
        assert_eq!(owned(&json!({ "a": "BCA\0VA\n<b>" }), "a").as_deref(), Some("BCAVA<b>"));
        assert_eq!(owned(&json!({ "a": "" }), "a"), None);
    }

    #[test]
    fn a_currency_that_is_no_text_is_not_rupiah() {
        for good in [json!({}), json!({ "currency": null }), json!({ "currency": "IDR" })] {
            assert_eq!(in_rupiah(&good), Ok(()), "{good}");
        }
        for bad in [
            json!({ "currency": "USD" }),
            json!({ "currency": 360 }),
            json!({ "currency": "" }),
            json!({ "currency": ["IDR"] }),
        ] {
            assert_eq!(in_rupiah(&bad), Err(NoticeRefused::Currency), "{bad}");
        }
    }

    #[test]
    fn amounts_are_whole_rupiah_or_refused() {
        let read = |value: Value| rupiah(Some(&value)).map(Money::as_i64);
        for good in [json!(165_000), json!("165000"), json!("165000.00"), json!(165_000.0), json!("165000.0")] {
            assert_eq!(read(good), Ok(165_000));
        }
        for bad in [
            json!("165000.50"),
            json!(-1),
            json!("-1"),
            json!("1.650.00"),
            json!(""),
            json!(null),
            json!("1e5"),
            json!("99999999999999"),
        ] {
            assert_eq!(read(bad.clone()), Err(NoticeRefused::Amount), "{bad}");
        }
        assert_eq!(maybe_rupiah(Some(&json!(null))), Ok(None));
    }
}
