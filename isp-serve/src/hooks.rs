//! Webhooks at the door: how big, how slow, signed or not, and kept before they are answered.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::response::{IntoResponse as _, Response};
use isp_core::ports::Webhook;
use tokio::sync::oneshot;

use crate::app::App;
use crate::queue::Arriving;
pub use crate::source::{Acted, Refused, Source};

/// How long a request waits for the database.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) async fn receive(State(app): State<Arc<App>>, Path(name): Path<String>, request: Request<Body>) -> Response {
    let Some(source) = app.source(&name) else {
        app.metrics.add("isp_webhook_rejected_total", &[("reason", "unknown_sender")], 1);
        return answer(404, "");
    };
    let started = Instant::now();
    let from = app.client(&request);
    let (status, why, text) = match take(&app, source.as_ref(), from, request).await {
        Ok(text) => (200, None, text),
        // There is nothing to do, and it need not come again.
        Err(Refused { status: 200, .. }) => (200, None, source.answer().to_owned()),
        Err(Refused { status, why }) => (status, Some(why), String::new()),
    };
    let result = status.to_string();
    app.metrics.add("isp_webhook_requests_total", &[("provider", source.name()), ("result", &result)], 1);
    if let Some(why) = why {
        app.metrics.add("isp_webhook_rejected_total", &[("reason", why)], 1);
        tracing::warn!(sender = source.name(), status, why, "webhook not taken");
    }
    app.metrics.time("isp_webhook_seconds", &[], started.elapsed());
    answer(status, &text)
}

fn answer(status: u16, text: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, text.to_owned()).into_response();
    if status == StatusCode::SERVICE_UNAVAILABLE || status == StatusCode::TOO_MANY_REQUESTS {
        response.headers_mut().insert("retry-after", axum::http::HeaderValue::from_static("30"));
    }
    if status == StatusCode::PAYLOAD_TOO_LARGE || status == StatusCode::REQUEST_TIMEOUT {
        // What is still under way is not waited for.
        response.headers_mut().insert("connection", axum::http::HeaderValue::from_static("close"));
    }
    response
}

async fn take(app: &App, source: &dyn Source, from: IpAddr, request: Request<Body>) -> Result<String, Refused> {
    if request.method() == Method::GET {
        let said = source.subscribe(request.uri().query().unwrap_or_default());
        return said.map_err(|refused| counted(app, from, refused));
    }
    if request.method() != Method::POST {
        return Err(Refused { status: 405, why: "method" });
    }
    let headers = kept(request.headers(), source);
    let body = body(app, request).await?;
    let webhook = Webhook::new(app.provider.tenant, source.name(), headers, body, app.now());
    source.admit(&webhook).map_err(|refused| counted(app, from, refused))?;
    let (done, kept) = oneshot::channel();
    app.queue.try_send(Arriving(webhook, done)).map_err(|_| Refused { status: 503, why: "busy" })?;
    match tokio::time::timeout(PATIENCE, kept).await {
        Ok(Ok(Ok(()))) => Ok(source.answer().to_owned()),
        Ok(Ok(Err(error))) => {
            tracing::error!(code = error.code(), "a webhook cannot be kept: {error}");
            Err(Refused { status: 503, why: "store" })
        }
        Ok(Err(_)) | Err(_) => Err(Refused { status: 503, why: "store" }),
    }
}

/// Who is wrong too often is told so. What is signed is never refused for it.
fn counted(app: &App, from: IpAddr, refused: Refused) -> Refused {
    let wrong = matches!(refused.status, 401 | 403);
    if wrong && !app.limit.admits(from) { Refused { status: 429, why: "rate" } } else { refused }
}

/// The whole body, if it is neither too long nor too slow.
pub(crate) async fn body(app: &App, request: Request<Body>) -> Result<Vec<u8>, Refused> {
    let most = app.settings.max_body_kb as usize * 1_024;
    let long = Refused { status: 413, why: "size" };
    let told = request.headers().get("content-length").and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
    if told.is_some_and(|told| told > most) {
        return Err(long);
    }
    let time = Duration::from_secs(app.settings.slow_seconds.into());
    match tokio::time::timeout(time, axum::body::to_bytes(request.into_body(), most)).await {
        Ok(Ok(bytes)) => Ok(bytes.to_vec()),
        Ok(Err(error)) => {
            // The limit is told as an error inside an error; anything else is a body that broke off.
            let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            if cause.contains("length limit") { Err(long) } else { Err(Refused { status: 400, why: "broken" }) }
        }
        Err(_) => Err(Refused { status: 408, why: "slow" }),
    }
}

/// The headers that a source needs; all values of a name, so that who reads them sees when one is there twice.
fn kept(headers: &HeaderMap, source: &dyn Source) -> Vec<(String, String)> {
    let wanted = headers.iter().filter(|(name, _)| source.keeps(name.as_str()));
    wanted.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned()))).collect()
}
