#![doc = include_str!("../README.md")]

#[cfg(feature = "server")]
pub mod server;

use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use rustls::{ClientConfig, RootCertStore};

/// An answer of an API is short; anything longer is not one, and is read as an empty body.
const ANSWER_LIMIT: usize = 64 * 1024;
/// A server that closes an idle connection just as we write leaves us not knowing; so we close first.
const IDLE: Duration = Duration::from_secs(10);

/// A setting with which no client can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// The address is no address, or neither `https` nor `http`.
    #[error("the address is not an https address")]
    BadUrl,
    /// Plain `http` to another machine: secrets would be readable on the way.
    #[error("the address is plain http to another machine")]
    InsecureUrl,
    /// The client could not be made.
    #[error("the https client could not be made")]
    Client,
}

/// What came back from one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exchange {
    /// Somebody answered.
    Answered {
        /// The HTTP status.
        status: u16,
        /// The body; empty when it was too long to be an answer.
        body: Vec<u8>,
    },
    /// The request was never made.
    NotSent(NotSent),
    /// The request went out, and nothing that can be read came back.
    Unknown(Lost),
}

/// Why a request was never made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSent {
    /// Refused, no route, no such name.
    ConnectFailed,
    /// Connected, and there is no TLS that can be trusted: its certificate, something in between, or the clock of this machine.
    NoTls,
    /// Not connected in time.
    ConnectTimeout,
}

/// Why nothing came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// The deadline passed.
    Timeout,
    /// The connection broke.
    ConnectionLost,
}

/// A client that sends each request at most once: no redirects, no repetition, no proxy from the environment.
///
/// # Errors
/// [`SetupError::Client`].
pub fn client(deadline: Duration) -> Result<reqwest::Client, SetupError> {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls()?)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .pool_idle_timeout(IDLE)
        .connect_timeout(deadline / 2)
        .timeout(deadline)
        .build()
        .map_err(|_| SetupError::Client)
}

/// The one place that chooses the TLS provider and the trusted roots: ring, and Mozilla's list compiled in, so that
/// a container without a certificate bundle works.
fn tls() -> Result<ClientConfig, SetupError> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| SetupError::Client)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

/// Parses an address; plain HTTP only to this machine, since a secret goes along.
///
/// # Errors
/// [`SetupError::BadUrl`], [`SetupError::InsecureUrl`].
pub fn address(text: &str) -> Result<Url, SetupError> {
    let url = Url::parse(text).map_err(|_| SetupError::BadUrl)?;
    let loopback = match url.host_str() {
        Some("localhost" | "[::1]") => true,
        Some(host) => host.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| ip.is_loopback()),
        None => return Err(SetupError::BadUrl),
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if loopback => Ok(url),
        "http" => Err(SetupError::InsecureUrl),
        _ => Err(SetupError::BadUrl),
    }
}

/// Makes a request, once.
pub async fn exchange(request: reqwest::RequestBuilder) -> Exchange {
    let mut response = match request.send().await {
        Ok(response) => response,
        // The request was never made.
        Err(error) if error.is_builder() => return Exchange::NotSent(NotSent::ConnectFailed),
        Err(error) if error.is_connect() => {
            return Exchange::NotSent(match (error.is_timeout(), is_tls(&error)) {
                (true, _) => NotSent::ConnectTimeout,
                (false, true) => NotSent::NoTls,
                (false, false) => NotSent::ConnectFailed,
            });
        }
        Err(error) => return Exchange::Unknown(lost(&error)),
    };
    let status = response.status().as_u16();
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= ANSWER_LIMIT => body.extend_from_slice(&chunk),
            Ok(Some(_)) => return Exchange::Answered { status, body: Vec::new() },
            Ok(None) => return Exchange::Answered { status, body },
            Err(error) => return Exchange::Unknown(lost(&error)),
        }
    }
}

/// True when TLS itself failed, however deep that lies.
fn is_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    // An I/O error gives the source of what it holds and passes over that itself.
    let held = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    error.is::<rustls::Error>() || held.is_some_and(|held| is_tls(held)) || error.source().is_some_and(is_tls)
}

fn lost(error: &reqwest::Error) -> Lost {
    if error.is_timeout() { Lost::Timeout } else { Lost::ConnectionLost }
}

/// A value of a query or a form with its `%XX` and `+` read; `None` when it is cut off or no UTF-8.
#[must_use]
pub fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let high = char::from(rest.next()?).to_digit(16)?;
                let low = char::from(rest.next()?).to_digit(16)?;
                u8::try_from(high * 16 + low).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_goes_to_this_machine_only() {
        for good in ["https://api.example.com", "http://127.0.0.1:80", "http://localhost/x", "http://[::1]:9"] {
            assert!(address(good).is_ok(), "{good}");
        }
        assert_eq!(address("http://api.example.com").unwrap_err(), SetupError::InsecureUrl);
        for bad in ["ftp://127.0.0.1", "api.example.com", ""] {
            assert_eq!(address(bad).unwrap_err(), SetupError::BadUrl, "{bad}");
        }
    }
}
