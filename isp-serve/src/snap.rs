//! SNAP BI: a bank asks what is owed on a customer's virtual account, and tells that it was paid.
//!
//! A call is believed, kept, acted upon and then answered, in this order. What was kept and not acted upon, because the process died,
//! is acted upon by whichever process reads it. What the bank calls a request (`X-EXTERNAL-ID`) it uses once a day: the key of the
//! row is made of it, so that two processes that are called at once keep one.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Method, Request, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use isp_core::engine::{EngineError, VaPayment, VaTaken};
use isp_core::ids::{TenantId, WebhookId, derive};
use isp_core::ports::Webhook;
use isp_payment::snap::{Refusal, SnapAdmitted, SnapAnswer, SnapBank, SnapCall, SnapService};
use uuid::Uuid;

use crate::app::App;
use crate::hooks;
use crate::provider::Provider;
use crate::source::{Acted, Refused, Source};
use crate::source_address::Asker;

/// How long the bank waits for the database. It gives up after some seconds itself, and asks again.
const PATIENCE: Duration = Duration::from_secs(5);

/// A bank that may call, under the name that it has in the settings.
#[derive(Debug)]
pub struct Bank {
    bank: SnapBank,
}

impl Bank {
    /// This bank.
    #[must_use]
    pub fn new(bank: SnapBank) -> Self {
        Self { bank }
    }
}

#[async_trait]
impl Source for Bank {
    fn name(&self) -> &str {
        self.bank.name().as_str()
    }

    fn bank(&self) -> Option<&SnapBank> {
        Some(&self.bank)
    }

    fn kept(&self, webhook: &Webhook) -> Vec<(String, String)> {
        webhook.headers.clone()
    }

    /// Its calls come on paths of their own.
    fn admit(&self, _: &Webhook) -> Result<(), Refused> {
        Err(Refused { status: 404, why: "unknown_sender" })
    }

    async fn act(&self, provider: &Provider, webhook: &Webhook, now: DateTime<Utc>) -> Result<Acted, EngineError> {
        match self.bank.read_kept(&webhook.headers, &webhook.body) {
            Some(call) => Ok(done(&self.bank, provider, &call, (webhook.received_at, now)).await?.1),
            // It was believed when it came: the secret has changed since.
            None => {
                let note = "it is not believed any more: the client secret has changed".to_owned();
                Ok(Acted { unread: 1, note, ..Acted::default() })
            }
        }
    }
}

/// Does what a call says that was kept at the first of two moments, and what is answered.
async fn done(
    bank: &SnapBank,
    provider: &Provider,
    call: &SnapCall,
    (kept, now): (DateTime<Utc>, DateTime<Utc>),
) -> Result<(SnapAnswer, Acted), EngineError> {
    let acted = |note: &str| Acted { note: note.to_owned(), ..Acted::default() };
    let unknown = || bank.refuse_call(call, Refusal::Unknown);
    let engine = provider.engine();
    match call {
        SnapCall::Inquiry(inquiry) => {
            let holder = match bank.digits(call) {
                Some(digits) => engine.va_holder(digits).await?,
                None => None,
            };
            Ok(match holder {
                Some(holder) => {
                    let answer = bank.owes(inquiry, holder.customer.name.as_str(), holder.owed);
                    (answer, acted("a bank asked what is owed"))
                }
                None => (unknown(), acted("a bank asked about a virtual account that no customer has")),
            })
        }
        SnapCall::Payment(notice) => {
            let taken = match bank.digits(call) {
                Some(digits) => {
                    let paid = VaPayment {
                        bank: bank.name().clone(),
                        digits: digits.to_owned(),
                        reference: notice.request_id.clone(),
                        amount: notice.amount,
                        paid_at: notice.paid_at,
                        told_at: kept,
                    };
                    engine.va_paid(&paid, now).await?
                }
                None => VaTaken::Unknown,
            };
            Ok(match taken {
                VaTaken::Booked(name, report) => {
                    let note = if report.known { "booked before" } else { "booked" };
                    let payments = u64::from(!report.known);
                    (bank.booked(notice, name.as_str()), Acted { payments, deliver: true, ..acted(note) })
                }
                // The bank gives it back to the payer. So it is read and done: read again, when somebody has the number, it would
                // book money that never came.
                VaTaken::Unknown => {
                    let note = "money for a virtual account that no customer has was refused";
                    tracing::warn!(sender = bank.name().as_str(), "{note}");
                    (unknown(), acted(note))
                }
                VaTaken::Differs => {
                    let note = "a payment that is known was told with another amount or customer, and was refused";
                    (bank.refuse_call(call, Refusal::Differs), Acted { unread: 1, ..acted(note) })
                }
            })
        }
    }
}

/// A call of a bank.
pub(crate) async fn receive(
    State(app): State<Arc<App>>,
    Path((name, call)): Path<(String, String)>,
    request: Request<Body>,
) -> Response {
    let path = request.uri().path().to_owned();
    let service = SnapService::of_path(&format!("/v1.0/{call}"));
    let bank = app.source(&name).and_then(|source| source.bank());
    let (Some(bank), Some(service)) = (bank, service) else {
        app.metrics.add("isp_webhook_rejected_total", &[("reason", "unknown_sender")], 1);
        return StatusCode::NOT_FOUND.into_response();
    };
    if request.method() != Method::POST {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let started = Instant::now();
    let answer = take(&app, bank, service, &path, request).await;
    let result = answer.status.to_string();
    app.metrics.add("isp_webhook_requests_total", &[("provider", bank.name().as_str()), ("result", &result)], 1);
    app.metrics.time("isp_webhook_seconds", &[], started.elapsed());
    written(&answer)
}

fn written(answer: &SnapAnswer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, answer.body.to_string()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if matches!(status, StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT) {
        // What is still under way is not waited for.
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

async fn take(app: &App, bank: &SnapBank, service: SnapService, path: &str, request: Request<Body>) -> SnapAnswer {
    let from = app.client(&request);
    let headers = hooks::texts(request.headers());
    let refuse = |refusal| counted(app, bank, service, from, bank.refuse(service, refusal), refusal);
    let body = match hooks::body(app, request).await {
        Ok(body) => body,
        Err(Refused { status: 413, .. }) => return refuse(Refusal::TooLong),
        Err(Refused { status: 408, .. }) => return refuse(Refusal::TooSlow),
        Err(_) => return refuse(Refusal::Format("body")),
    };
    let now = app.now();
    if service == SnapService::Token {
        let mut nonce = [0; 16];
        if getrandom::fill(&mut nonce).is_err() {
            return refuse(Refusal::Trouble);
        }
        let answer = bank.token(&headers, &body, now, nonce);
        return limited(app, bank, service, from, answer);
    }
    let admitted = match bank.admit(service, path, &headers, &body, now) {
        Ok(admitted) => admitted,
        Err(answer) => return limited(app, bank, service, from, answer),
    };
    let webhook = row(app.provider.tenant, bank, &admitted, now);
    let keeping = app.provider.inbox.keep_webhooks(app.provider.tenant, vec![webhook]);
    let trouble = |refusal: Refusal| {
        app.metrics.add("isp_webhook_rejected_total", &[("reason", refusal.why())], 1);
        bank.refuse_call(&admitted.call, refusal)
    };
    match tokio::time::timeout(PATIENCE, keeping).await {
        Ok(Ok(0)) => return trouble(Refusal::Repeated),
        Ok(Ok(_)) => {}
        Ok(Err(error)) => {
            tracing::error!(code = error.code(), "a call of a bank cannot be kept: {error}");
            return trouble(Refusal::Trouble);
        }
        Err(_) => return trouble(Refusal::Trouble),
    }
    let done = tokio::time::timeout(PATIENCE, done(bank, &app.provider, &admitted.call, (now, now))).await;
    // The row is still to be marked as read, and what is not done is done then.
    app.arrived.notify_one();
    match done {
        Ok(Ok((answer, acted))) => {
            app.metrics.add("isp_payments_total", &[("channel", bank.name().as_str())], acted.payments);
            if acted.deliver {
                app.due.notify_one();
            }
            answer
        }
        Ok(Err(error)) => {
            tracing::error!(code = error.code(), "a call of a bank is kept and not done yet: {error}");
            trouble(not_done(&admitted.call))
        }
        Err(_) => trouble(not_done(&admitted.call)),
    }
}

/// A payment that is kept will be booked; the bank must not give it back. A question is asked again.
const fn not_done(call: &SnapCall) -> Refusal {
    match call {
        SnapCall::Inquiry(_) => Refusal::Trouble,
        SnapCall::Payment(_) => Refusal::InProgress,
    }
}

/// The row of a call: one for each name that the bank gave a request, and day.
fn row(tenant: TenantId, bank: &SnapBank, admitted: &SnapAdmitted, now: DateTime<Utc>) -> Webhook {
    let day = admitted.day.to_string();
    let names = ["snap external id", &bank.name().folded(), &day];
    let id = WebhookId(Uuid::new_v5(&derive(tenant.0, &names), admitted.external_id.as_bytes()));
    let mut webhook = Webhook::new(tenant, bank.name().as_str(), admitted.kept.clone(), admitted.body.clone(), now);
    webhook.id = id;
    webhook
}

/// The answer to somebody who is wrong: after too many of them from one address, that there were too many. What is signed is never
/// refused for it.
fn limited(app: &App, bank: &SnapBank, service: SnapService, from: IpAddr, answer: SnapAnswer) -> SnapAnswer {
    match answer.refused {
        Some(why) => counted(app, bank, service, from, answer, why),
        None => answer,
    }
}

fn counted(
    app: &App,
    bank: &SnapBank,
    service: SnapService,
    from: IpAddr,
    answer: SnapAnswer,
    why: Refusal,
) -> SnapAnswer {
    // A call whose time is over was signed all the same.
    let believed = answer.status != 401 || why == Refusal::Stale;
    let wrong = !believed && !app.limit.admits(Asker::at(from));
    let why = if wrong { Refusal::TooMany } else { why };
    app.metrics.add("isp_webhook_rejected_total", &[("reason", why.why())], 1);
    tracing::warn!(
        sender = bank.name().as_str(),
        service = service.name(),
        why = why.why(),
        "call of a bank not taken"
    );
    if wrong { bank.refuse(service, Refusal::TooMany) } else { answer }
}
