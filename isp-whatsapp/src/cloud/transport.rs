//! HTTP with our own TLS settings, and what its failures mean.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use rustls::{ClientConfig, RootCertStore};

use crate::error::WhatsAppError;
use crate::outcome::{UnknownCause, Unreachable};

/// A Graph answer is below 2 KiB; anything longer is not one.
const ANSWER_LIMIT: usize = 64 * 1024;
/// A server that closes an idle connection just as we write leaves us not knowing; so we close first.
const IDLE: Duration = Duration::from_secs(10);

/// What came back from one request.
pub(crate) enum Exchange {
    Answered { status: u16, body: Vec<u8> },
    NotSent(Unreachable),
    Unknown(UnknownCause),
}

/// A client that sends each request at most once: no redirects, no repetition, no proxy from the environment.
pub(crate) fn client(deadline: Duration) -> Result<reqwest::Client, WhatsAppError> {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls()?)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .pool_idle_timeout(IDLE)
        .connect_timeout(deadline / 2)
        .timeout(deadline)
        .build()
        .map_err(|_| WhatsAppError::Client)
}

/// The one place that chooses the TLS provider and the trusted roots: ring, and Mozilla's list compiled in, so that
/// a container without a certificate bundle works.
fn tls() -> Result<ClientConfig, WhatsAppError> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| WhatsAppError::Client)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

/// Parses an address; plain HTTP only to this machine, since a bearer token goes along.
pub(crate) fn address(text: &str) -> Result<Url, WhatsAppError> {
    let url = Url::parse(text).map_err(|_| WhatsAppError::BadBaseUrl)?;
    let loopback = match url.host_str() {
        Some("localhost" | "[::1]") => true,
        Some(host) => host.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| ip.is_loopback()),
        None => return Err(WhatsAppError::BadBaseUrl),
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if loopback => Ok(url),
        "http" => Err(WhatsAppError::InsecureBaseUrl),
        _ => Err(WhatsAppError::BadBaseUrl),
    }
}

pub(crate) async fn exchange(request: reqwest::RequestBuilder) -> Exchange {
    let mut response = match request.send().await {
        Ok(response) => response,
        // The request was never made.
        Err(error) if error.is_builder() => return Exchange::NotSent(Unreachable::ConnectFailed),
        Err(error) if error.is_connect() => {
            let cause = if error.is_timeout() { Unreachable::ConnectTimeout } else { Unreachable::ConnectFailed };
            return Exchange::NotSent(cause);
        }
        Err(error) => return Exchange::Unknown(unknown(&error)),
    };
    let status = response.status().as_u16();
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= ANSWER_LIMIT => body.extend_from_slice(&chunk),
            Ok(Some(_)) => return Exchange::Answered { status, body: Vec::new() },
            Ok(None) => return Exchange::Answered { status, body },
            Err(error) => return Exchange::Unknown(unknown(&error)),
        }
    }
}

fn unknown(error: &reqwest::Error) -> UnknownCause {
    if error.is_timeout() { UnknownCause::Timeout } else { UnknownCause::ConnectionLost }
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
