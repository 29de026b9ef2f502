//! Webhooks at the door: how big, how slow, signed or not, and kept before they are answered.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::response::{IntoResponse as _, Response};
use futures::StreamExt as _;
use isp_core::ports::Webhook;
use tokio::sync::oneshot;

use crate::app::App;
use crate::queue::Arriving;
pub use crate::source::{Acted, Refused, Source};
use crate::source_address::Asker;

/// How long a request waits for the database.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a body that is too long is thrown away before its sender is told so.
const LINGER: Duration = Duration::from_secs(2);

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
    let headers = texts(request.headers());
    let body = body(app, request).await?;
    let mut webhook = Webhook::new(app.provider.tenant, source.name(), headers, body, app.now());
    source.admit(&webhook).map_err(|refused| counted(app, from, refused))?;
    if let Some(body) = source.reduced(&webhook)? {
        webhook = Webhook::new(app.provider.tenant, source.name(), Vec::new(), body, webhook.received_at);
    }
    webhook.headers = source.kept(&webhook);
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
    if wrong && !app.limit.admits(Asker::at(from)) { Refused { status: 429, why: "rate" } } else { refused }
}

/// The whole body, if it is neither too long nor too slow.
pub(crate) async fn body(app: &App, request: Request<Body>) -> Result<Vec<u8>, Refused> {
    let most = app.settings.max_body_kb as usize * 1_024;
    let told = request.headers().get("content-length").and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
    let mut long = told.is_some_and(|told| told > most);
    let mut chunks = request.into_body().into_data_stream();
    let mut bytes = Vec::new();
    let reading = async {
        while !long && let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| Refused { status: 400, why: "broken" })?;
            long = bytes.len() + chunk.len() > most;
            if !long {
                bytes.extend_from_slice(&chunk);
            }
        }
        Ok(())
    };
    let time = Duration::from_secs(app.settings.slow_seconds.into());
    tokio::time::timeout(time, reading).await.unwrap_or(Err(Refused { status: 408, why: "slow" }))?;
    if !long {
        return Ok(bytes);
    }
    // Who writes on sees the answer only when the connection is not cut under it.
    let rest = async { while let Some(Ok(_)) = chunks.next().await {} };
    let _ = tokio::time::timeout(LINGER, rest).await;
    Err(Refused { status: 413, why: "size" })
}

/// The headers that are text, names in small letters.
pub(crate) fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    headers.iter().filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned()))).collect()
}
