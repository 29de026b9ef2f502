//! One HTTP request in the words of this crate.

use std::time::Duration;

use isp_http::{Lost, NotSent, SetupError};
use reqwest::Url;

use crate::error::WhatsAppError;
use crate::outcome::{UnknownCause, Unreachable};

/// What came back from one request.
pub(crate) enum Exchange {
    Answered { status: u16, body: Vec<u8> },
    NotSent(Unreachable),
    Unknown(UnknownCause),
}

impl From<SetupError> for WhatsAppError {
    fn from(error: SetupError) -> Self {
        match error {
            SetupError::BadUrl => Self::BadBaseUrl,
            SetupError::InsecureUrl => Self::InsecureBaseUrl,
            SetupError::Client => Self::Client,
        }
    }
}

pub(crate) fn client(deadline: Duration) -> Result<reqwest::Client, WhatsAppError> {
    Ok(isp_http::client(deadline)?)
}

pub(crate) fn address(text: &str) -> Result<Url, WhatsAppError> {
    Ok(isp_http::address(text)?)
}

pub(crate) async fn exchange(request: reqwest::RequestBuilder) -> Exchange {
    match isp_http::exchange(request).await {
        isp_http::Exchange::Answered { status, body } => Exchange::Answered { status, body },
        isp_http::Exchange::NotSent(NotSent::ConnectFailed) => Exchange::NotSent(Unreachable::ConnectFailed),
        isp_http::Exchange::NotSent(NotSent::NoTls) => Exchange::NotSent(Unreachable::NoTls),
        isp_http::Exchange::NotSent(NotSent::ConnectTimeout) => Exchange::NotSent(Unreachable::ConnectTimeout),
        isp_http::Exchange::Unknown(Lost::Timeout) => Exchange::Unknown(UnknownCause::Timeout),
        isp_http::Exchange::Unknown(Lost::ConnectionLost) => Exchange::Unknown(UnknownCause::ConnectionLost),
    }
}

#[cfg(feature = "simulator")]
pub(crate) async fn post_loopback(url: &str, signature: &str, body: Vec<u8>) -> std::io::Result<u16> {
    use std::io::{Error, ErrorKind};
    let url = address(url).map_err(Error::other)?;
    if url.scheme() != "http" {
        return Err(Error::new(ErrorKind::InvalidInput, "the simulator posts to plain http on loopback only"));
    }
    let client = client(Duration::from_secs(5)).map_err(Error::other)?;
    let request =
        client.post(url).header("content-type", "application/json").header("x-hub-signature-256", signature).body(body);
    match exchange(request).await {
        Exchange::Answered { status, .. } => Ok(status),
        Exchange::NotSent(_) => Err(ErrorKind::ConnectionRefused.into()),
        Exchange::Unknown(_) => Err(ErrorKind::TimedOut.into()),
    }
}
