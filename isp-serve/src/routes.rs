//! The routes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, Request, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get};

use crate::app::App;
use crate::{hooks, pages, snap};

/// All routes, to be served or to be nested in a server of yours. It wants
/// [`ConnectInfo`](axum::extract::ConnectInfo)`<SocketAddr>` with each request, to know who asks.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/livez", get(async || plain(StatusCode::OK, "ok\n".to_owned())))
        .route("/readyz", get(ready))
        .route("/healthz", get(ready))
        .route("/metrics", get(metrics))
        .route("/hooks/{sender}", any(hooks::receive))
        .route("/snap/{bank}/v1.0/{*call}", any(snap::receive))
        .merge(pages::routes())
        .fallback(pages::elsewhere)
        .with_state(app)
}

fn plain(status: StatusCode, text: String) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, text).into_response()
}

async fn ready(State(app): State<Arc<App>>, request: Request<axum::body::Body>) -> Response {
    let database = app.answers().await;
    let checks =
        [("database", database), ("migrations", app.current.load(Ordering::Relaxed)), ("running", !app.is_stopping())];
    let ready = checks.iter().all(|(_, holds)| *holds);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let verbose = request.uri().query().is_some_and(|query| query.split('&').any(|key| key == "verbose"));
    let mut text = String::new();
    for (name, holds) in checks.iter().filter(|_| verbose) {
        text += &format!("[{}] {name}\n", if *holds { "ok" } else { "failed" });
    }
    text += if ready { "ready\n" } else { "not ready\n" };
    plain(status, text)
}

async fn metrics(State(app): State<Arc<App>>, request: Request<axum::body::Body>) -> Response {
    let from = app.client(&request);
    if !app.settings.metrics_from.iter().any(|net| net.contains(from)) {
        return plain(StatusCode::FORBIDDEN, String::new());
    }
    let accept = request.headers().get("accept").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let text = app.metrics.text();
    let (kind, text) = match accept.contains("application/openmetrics-text") {
        true => ("application/openmetrics-text; version=1.0.0; charset=utf-8", open_metrics(&text)),
        false => ("text/plain; version=0.0.4; charset=utf-8", text.to_string()),
    };
    ([(CONTENT_TYPE, HeaderValue::from_static(kind))], text).into_response()
}

/// OpenMetrics names a counter without `_total` in its metadata, and ends with a line of its own.
fn open_metrics(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 6);
    for line in text.lines() {
        let mut words = line.split(' ');
        match (words.next(), words.next(), words.next()) {
            (Some("#"), Some(_), Some(name)) => out += &line.replacen(name, name.trim_end_matches("_total"), 1),
            _ => out += line,
        }
        out.push('\n');
    }
    out + "# EOF\n"
}
