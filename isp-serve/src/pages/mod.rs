//! The pages of customers: by a link, and by the address of an isolated line. Looking has no effect.

pub(crate) mod html;
mod paper;
mod token;
pub(crate) mod upload;
mod view;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Method, Request, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use isp_core::engine::{EngineError, NewProof};
use isp_core::ids::{CustomerId, PaymentRequestId, derive};
use isp_core::message::inbound::Answer;
use isp_core::ports::{AccessQuery, InvoiceQuery, PageQuery, PaymentRow};
use isp_core::text::Language;

pub use token::Token;

use crate::app::App;
use crate::hooks;
use crate::settings::host_of;
use crate::source_address::Asker;
use html::redirect;
use paper::{BILL, RECEIPT, is_paper, paper, payments};
use view::{BillLine, Line, Shop};

/// How long a page waits for the database, besides the time for a form to come.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bills and receipts on a page.
const SHOWN: usize = 24;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/t/{token}", get(by_link))
        .route("/t/{token}/{what}", get(by_link_more).merge(post(by_link_do)))
        .route("/isolir", get(by_address))
        .route("/isolir/{what}", get(by_address_more).merge(post(by_address_do)))
}

/// Whose page is asked for, and how.
struct Asked {
    customer: Option<CustomerId>,
    base: String,
    by_address: bool,
    language: Option<Language>,
    said: Option<String>,
}

type Req = Request<Body>;

async fn by_link(State(app): State<Arc<App>>, Path(token): Path<String>, request: Req) -> Response {
    show(app, Ask::Link(token), "", request).await
}

async fn by_link_more(
    State(app): State<Arc<App>>,
    Path((token, what)): Path<(String, String)>,
    request: Req,
) -> Response {
    show(app, Ask::Link(token), &what, request).await
}

async fn by_link_do(
    State(app): State<Arc<App>>,
    Path((token, what)): Path<(String, String)>,
    request: Req,
) -> Response {
    act(app, Ask::Link(token), &what, request).await
}

async fn by_address(State(app): State<Arc<App>>, request: Req) -> Response {
    show(app, Ask::Address, "", request).await
}

async fn by_address_more(State(app): State<Arc<App>>, Path(what): Path<String>, request: Req) -> Response {
    show(app, Ask::Address, &what, request).await
}

async fn by_address_do(State(app): State<Arc<App>>, Path(what): Path<String>, request: Req) -> Response {
    act(app, Ask::Address, &what, request).await
}

/// By what somebody asks for a page.
enum Ask {
    Link(String),
    Address,
}

/// The host that a request names, without regard to capitals.
fn host(request: &Req) -> String {
    let named = request.uri().host().map(str::to_owned);
    let header = request.headers().get(header::HOST).and_then(|value| value.to_str().ok()).map(str::to_owned);
    header.or(named).unwrap_or_default().to_ascii_lowercase()
}

/// True when the request names a host of ours: a page of ours is shown under no other name.
fn ours(app: &App, request: &Req) -> bool {
    let host = host(request);
    let urls = [&app.settings.public_url, &app.settings.portal_url];
    let hosts: Vec<&str> = urls.into_iter().flatten().filter_map(|url| host_of(url)).collect();
    let bare = host
        .rsplit_once(':')
        .map_or(host.as_str(), |(name, port)| if port.bytes().all(|b| b.is_ascii_digit()) { name } else { &host });
    let this_machine =
        bare == "localhost" || bare.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    hosts.is_empty() || this_machine || hosts.iter().any(|known| known.eq_ignore_ascii_case(&host))
}

/// Anything else: a probe of a phone, or a page that an isolated customer wanted, is sent to the page for isolated lines.
pub(crate) async fn elsewhere(State(app): State<Arc<App>>, request: Req) -> Response {
    let portal = app.settings.portal_url.as_deref();
    match portal {
        Some(portal) if !ours(&app, &request) => sent_to(&app, portal),
        Some(_) if request.uri().path() == "/" => redirect(StatusCode::FOUND, "/isolir"),
        _ => finish(&app, "other", view::unknown(&shop(&app), false, Language::Id).answer(StatusCode::NOT_FOUND)),
    }
}

fn sent_to(app: &App, portal: &str) -> Response {
    finish(app, "probe", redirect(StatusCode::FOUND, &format!("{portal}/isolir")))
}

/// A status and nothing else.
fn bare(status: StatusCode) -> Response {
    html::guarded(status.into_response(), "text/plain; charset=utf-8")
}

fn shop(app: &App) -> Shop<'_> {
    let banks = app.sources.iter().filter_map(|source| source.bank()).collect();
    Shop { sender: app.provider.sender.as_ref(), qris: app.provider.qris.as_ref(), banks }
}

/// Counts a page and gives it out.
fn finish(app: &App, page: &'static str, response: Response) -> Response {
    let status = response.status().as_u16().to_string();
    app.metrics.add("isp_page_requests_total", &[("page", page), ("status", &status)], 1);
    response
}

fn name_of(asked: &Ask) -> &'static str {
    match asked {
        Ask::Link(_) => "link",
        Ask::Address => "address",
    }
}

/// What a request says of itself, besides what it asks for.
struct Head {
    from: IpAddr,
    language: Option<Language>,
    said: Option<String>,
}

/// Reads it. A response instead when it is for no page of ours, or comes too often.
fn head(app: &App, request: &Req) -> Result<Head, Box<Response>> {
    if !ours(app, request) {
        return Err(Box::new(match app.settings.portal_url.as_deref() {
            Some(portal) => sent_to(app, portal),
            None => view::unknown(&shop(app), false, Language::Id).answer(StatusCode::NOT_FOUND),
        }));
    }
    let from = app.client(request);
    if !app.limit.has_room(Asker::at(from)) {
        return Err(Box::new(bare(StatusCode::TOO_MANY_REQUESTS)));
    }
    let query = request.uri().query().unwrap_or_default();
    let value = |key: &str| query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
    let language = value("lang").and_then(|code| Language::parse(code).ok());
    let said = value("said").map(str::to_owned);
    Ok(Head { from, language, said })
}

/// Finds out whose page it is.
async fn find(app: &App, ask: &Ask, head: Head) -> Result<Asked, Box<Response>> {
    let Head { from, language, said } = head;
    let customer = whose(app, ask, from).await;
    let (base, by_address) = match ask {
        Ask::Link(text) => (format!("/t/{text}"), false),
        Ask::Address => ("/isolir".to_owned(), true),
    };
    // Who guesses is counted by address. A link that opens a page is counted by itself.
    let asker = match &customer {
        Ok(Some(customer)) if !by_address => Asker::Customer(*customer),
        _ => Asker::at(from),
    };
    if !app.limit.admits(asker) {
        return Err(Box::new(bare(StatusCode::TOO_MANY_REQUESTS)));
    }
    match customer {
        Ok(customer) => Ok(Asked { customer, base, by_address, language, said }),
        Err(error) => {
            tracing::error!(code = error.code(), "a page cannot be shown: {error}");
            Err(Box::new(busy(app, language)))
        }
    }
}

/// Whose page it is; `None` for nobody's.
async fn whose(app: &App, ask: &Ask, from: IpAddr) -> Result<Option<CustomerId>, EngineError> {
    match ask {
        Ask::Link(text) => by_token(app, text).await,
        Ask::Address => at_address(app, from).await,
    }
}

/// What a page comes to; that it is not possible now when the database hangs, or the server stops. `more` is the time that a file may take. What was begun may be done all the same: a form that is
/// sent again asks for the same.
async fn in_time(app: &App, more: Duration, made: impl Future<Output = Response>) -> Response {
    let time = PATIENCE + Duration::from_secs(app.settings.slow_seconds.into()) + more;
    tokio::select! {
        made = tokio::time::timeout(time, made) => made.unwrap_or_else(|_| {
            tracing::error!("a page cannot be shown: the database does not answer in time");
            busy(app, None)
        }),
        // Such as a file that comes slowly: its sender is told to send it again, to the server that comes next.
        () = app.is_going() => busy(app, None),
    }
}

fn busy(app: &App, language: Option<Language>) -> Response {
    let language = language.unwrap_or(Language::Id);
    let text = view::said("busy", language).unwrap_or_default();
    let body = format!("<section class=\"c wait\"><h1>{text}</h1></section>");
    let title = app.provider.sender.as_ref().map(|s| s.name.to_string()).unwrap_or_default();
    html::Page { language, title, body, again: Some(15) }.answer(StatusCode::SERVICE_UNAVAILABLE)
}

async fn by_token(app: &App, text: &str) -> Result<Option<CustomerId>, EngineError> {
    let Some(token) = Token::parse(text) else { return Ok(None) };
    let Some(link) = app.provider.inbox.link(app.provider.tenant, token.hash()).await? else { return Ok(None) };
    let engine = app.provider.engine();
    let owes = engine.owed_by(link.customer_id).await?.is_positive();
    let paid = match owes {
        true => None,
        false => engine.last_payment(link.customer_id).await?.map(|row| row.payment.received_at),
    };
    Ok(link.holds(owes, paid, app.now()).then_some(link.customer_id))
}

async fn at_address(app: &App, from: IpAddr) -> Result<Option<CustomerId>, EngineError> {
    // A proxy's own address is nobody's line, and only what is ours is looked up.
    let ours = app.settings.line_networks.iter().any(|net| net.contains(from));
    let proxy = app.settings.trusted_proxies.iter().any(|net| net.contains(from));
    let Some(lines) = app.lines.as_ref().filter(|_| ours && !proxy) else { return Ok(None) };
    let Some(line) = lines.line_at(from).await else { return Ok(None) };
    let query = AccessQuery::Subscriptions(vec![line]);
    let facts = app.provider.store.load_access(app.provider.tenant, &query, PageQuery::first(1)).await?;
    Ok(facts.first().map(|facts| facts.customer_id))
}

async fn show(app: Arc<App>, ask: Ask, what: &str, request: Req) -> Response {
    let name = name_of(&ask);
    let head = head(&app, &request);
    drop(request);
    let made = async {
        match head {
            Ok(head) => match find(&app, &ask, head).await {
                Ok(asked) => shown(&app, &asked, what).await,
                Err(response) => *response,
            },
            Err(response) => *response,
        }
    };
    let response = in_time(&app, Duration::ZERO, made).await;
    finish(&app, name, response)
}

async fn shown(app: &App, asked: &Asked, what: &str) -> Response {
    let nobody = || {
        let status = if asked.by_address { StatusCode::OK } else { StatusCode::NOT_FOUND };
        view::unknown(&shop(app), asked.by_address, asked.language.unwrap_or(Language::Id)).answer(status)
    };
    let Some(customer) = asked.customer else { return nobody() };
    if !asked.by_address && is_paper(what) {
        return match paper(app, customer, what).await {
            Ok(Some(response)) => response,
            Ok(None) => nobody(),
            Err(error) => {
                tracing::error!(code = error.code(), "a paper cannot be shown: {error}");
                busy(app, asked.language)
            }
        };
    }
    let page = match what {
        "" => home(app, asked, customer).await,
        // An address shows no history: a neighbour may be on the same Wi-Fi.
        "bills" if !asked.by_address => bills(app, asked, customer).await,
        _ => return nobody(),
    };
    page.map_or_else(
        |error| {
            tracing::error!(code = error.code(), "a page cannot be shown: {error}");
            busy(app, asked.language)
        },
        |page| page.answer(StatusCode::OK),
    )
}

async fn home(app: &App, asked: &Asked, customer: CustomerId) -> Result<html::Page, EngineError> {
    let facts = app.provider.engine().page_facts(customer, app.now()).await?;
    let language = asked.language.unwrap_or(facts.customer.language);
    let said = asked.said.as_deref().and_then(|word| view::said(word, language));
    let mut shop = shop(app);
    if asked.by_address {
        // A bank says the customer's name to whoever types the number: a neighbour may be on the same Wi-Fi.
        shop.banks.clear();
    }
    Ok(view::customer(&facts, &shop, &asked.base, said, language))
}

async fn bills(app: &App, asked: &Asked, customer: CustomerId) -> Result<html::Page, EngineError> {
    let (store, tenant, engine) = (&app.provider.store, app.provider.tenant, app.provider.engine());
    let facts = engine.page_facts(customer, app.now()).await?;
    let query = InvoiceQuery { customer: Some(customer), ..InvoiceQuery::default() };
    let (mut invoices, mut page) = (Vec::new(), PageQuery::first(500));
    loop {
        let rows = store.invoices(tenant, query, page).await?;
        let more = page.advance(&rows, |(invoice, _)| invoice.id);
        invoices.extend(rows);
        if !more {
            break;
        }
    }
    invoices.sort_by_key(|(invoice, _)| std::cmp::Reverse((invoice.issue_date, invoice.number)));
    invoices.truncate(SHOWN);
    let shown = invoices.iter().map(|(invoice, _)| invoice.id).collect();
    let without_money = engine.without_money(Some(customer), &shown).await?;
    let line = |(invoice, paid): &(isp_core::billing::Invoice, isp_core::money::Money)| BillLine {
        line: Line {
            what: invoice.display_number(),
            paper: format!("{BILL}{}", invoice.display_number()),
            on: invoice.issue_date,
            amount: invoice.total,
            open: invoice.total - *paid,
        },
        state: without_money.state(&[invoice.id], invoice.total, *paid),
    };
    let invoices: Vec<BillLine> = invoices.iter().map(line).collect();
    let mut payments = payments(app, customer).await?;
    // A slip of tax is no money that came in.
    payments.retain(|row| row.reversal.is_none() && row.payment.channel.is_money());
    payments.sort_by_key(|row| std::cmp::Reverse((row.payment.paid_at, row.payment.id)));
    let receipt = |row: &PaymentRow| Line {
        what: row.payment.reference.to_string(),
        paper: format!("{RECEIPT}{}", row.payment.id),
        on: facts.zone.date_of(row.payment.paid_at),
        amount: row.payment.amount,
        open: row.left,
    };
    let receipts: Vec<Line> = payments.iter().take(SHOWN).map(receipt).collect();
    let language = asked.language.unwrap_or(facts.customer.language);
    Ok(view::bills(&shop(app), &asked.base, &invoices, &receipts, language))
}

/// True when a form of another site sent it.
fn foreign(request: &Req) -> bool {
    let origin = request.headers().get(header::ORIGIN).and_then(|value| value.to_str().ok());
    // A page that is told to send no referrer sends the origin `null`.
    let other = origin.is_some_and(|origin| {
        origin != "null" && host_of(origin).is_none_or(|of| !of.eq_ignore_ascii_case(&host(request)))
    });
    let site = request.headers().get("sec-fetch-site").and_then(|value| value.to_str().ok());
    other || site.is_some_and(|site| site == "cross-site")
}

async fn act(app: Arc<App>, ask: Ask, what: &str, request: Req) -> Response {
    let name = name_of(&ask);
    if request.method() == Method::POST && foreign(&request) {
        return finish(&app, name, bare(StatusCode::FORBIDDEN));
    }
    let more = if what == "proof" { upload::TIME } else { Duration::ZERO };
    let made = async {
        let found = match head(&app, &request) {
            Ok(head) => find(&app, &ask, head).await,
            Err(response) => Err(response),
        };
        match found {
            Ok(asked) => match asked.customer {
                Some(customer) => done(&app, &ask, &asked, customer, what, request).await,
                None => shown(&app, &asked, "").await,
            },
            Err(response) => *response,
        }
    };
    let response = in_time(&app, more, made).await;
    finish(&app, name, response)
}

async fn done(app: &App, ask: &Ask, asked: &Asked, customer: CustomerId, what: &str, request: Req) -> Response {
    let engine = app.provider.engine();
    let said = match what {
        "pay" => {
            // The same for everybody who presses at the same time; another one once this is closed.
            let now = app.now();
            let micros = now.timestamp_micros().to_string();
            let id = PaymentRequestId(derive(customer.0, &["page", &micros]));
            engine.request_payment(id, customer, None, now).await.map(|_| "").or_else(|error| match error.code() {
                "request.nothing_owed" => Ok("nothing"),
                _ => Err(error),
            })
        }
        "time" => match hooks::body(app, request).await {
            Ok(body) => {
                let form = String::from_utf8_lossy(&body).into_owned();
                let days = form.split('&').find_map(|pair| pair.strip_prefix("days=")?.parse::<u16>().ok());
                let by = if asked.by_address { "isolation page" } else { "page" };
                engine.ask_for_time(customer, days.unwrap_or(0), by, app.now()).await.map(|answer| {
                    if matches!(answer, Answer::Promised { .. }) {
                        app.due.notify_one();
                    }
                    match answer {
                        Answer::Promised { .. } => "promised",
                        Answer::PromiseUsed { .. } => "used",
                        Answer::NothingOwed => "nothing",
                        _ => "days",
                    }
                })
            }
            Err(_) => Ok("days"),
        },
        "proof" => proof(app, ask, asked, customer, request).await,
        _ => return view::unknown(&shop(app), asked.by_address, Language::Id).answer(StatusCode::NOT_FOUND),
    };
    let said = said.unwrap_or_else(|error| {
        tracing::error!(code = error.code(), "what was asked for on a page cannot be done: {error}");
        "busy"
    });
    let mut query: Vec<String> = Vec::new();
    query.extend((!said.is_empty()).then(|| format!("said={said}")));
    query.extend(asked.language.map(|language| format!("lang={}", language.code())));
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    redirect(StatusCode::SEE_OTHER, &format!("{}{query}", asked.base))
}

/// Keeps a proof of transfer that a customer sends; the word that the page then says.
async fn proof(
    app: &App,
    ask: &Ask,
    asked: &Asked,
    customer: CustomerId,
    request: Req,
) -> Result<&'static str, EngineError> {
    // A file is held whole: more than a few at once would take the memory of everything else.
    let from = app.client(&request);
    let Some(_seat) = app.uploads.take(customer, from) else { return Ok("busy") };
    let upload = match upload::read(request).await {
        Ok(upload) => upload,
        Err(said) => return Ok(said),
    };
    // The file took its time, in which the link may have been taken back, or the address given to somebody else.
    if whose(app, ask, from).await? != Some(customer) {
        return Ok("gone");
    }
    let by = if asked.by_address { "isolation page" } else { "page" };
    let new = NewProof {
        customer_id: customer,
        invoices: Vec::new(),
        amount: None,
        arrived_at: app.now(),
        by: by.to_owned(),
        name: upload.name,
        content: upload.content,
        sure: false,
    };
    match app.provider.engine().record_proof(&new).await {
        Ok(report) => Ok(if report.known { "proof_known" } else { "proof" }),
        Err(error) => match error.code() {
            "proof.kind" => Ok("proof_kind"),
            "proof.too_large" => Ok("proof_large"),
            "proof.too_many" => Ok("proof_many"),
            "value.empty" => Ok("proof_none"),
            "request.nothing_owed" => Ok("nothing"),
            _ => Err(error),
        },
    }
}
