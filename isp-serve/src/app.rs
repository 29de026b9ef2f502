//! What the routes share.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::extract::ConnectInfo;
use axum::http::Request;
use chrono::{DateTime, Utc};
use isp_core::ports::Watch;
use tokio::sync::{Mutex, Notify, watch};

use crate::metrics::Metrics;
use crate::pages::upload::Seats;
use crate::portal::Lines;
use crate::provider::Provider;
use crate::queue::{self, Queue};
use crate::server;
use crate::settings::Settings;
use crate::source::Source;
use crate::source_address::{Limit, client};

/// How long an answer may take to reach somebody before the connection is cut.
const TO_ANSWER: Duration = Duration::from_secs(3);

/// What the routes share.
pub struct App {
    /// Whose webhooks and pages these are.
    pub provider: Provider,
    /// Settings of the server.
    pub settings: Settings,
    /// Figures.
    pub metrics: Arc<Metrics>,
    pub(crate) sources: Vec<Arc<dyn Source>>,
    pub(crate) lines: Option<Arc<dyn Lines>>,
    pub(crate) queue: Queue,
    pub(crate) limit: Limit,
    pub(crate) uploads: Seats,
    pub(crate) arrived: Arc<Notify>,
    pub(crate) due: Arc<Notify>,
    watch: Arc<dyn Watch>,
    stopping: watch::Sender<bool>,
    pub(crate) current: AtomicBool,
    /// When the database was last asked whether it answers, and whether it did.
    asked: Mutex<Option<(Instant, bool)>>,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("provider", &self.provider).finish_non_exhaustive()
    }
}

impl App {
    /// An app, and the work that keeps webhooks: it has to run as long as the app serves.
    pub fn new(
        provider: Provider,
        settings: Settings,
        sources: Vec<Arc<dyn Source>>,
        lines: Option<Arc<dyn Lines>>,
        watch: Arc<dyn Watch>,
    ) -> (Arc<Self>, impl Future<Output = ()> + Send) {
        let arrived = Arc::new(Notify::new());
        let (queue, keeping) = queue::queue(provider.clone(), Arc::clone(&arrived));
        let app = Self {
            limit: Limit::new(settings.per_minute),
            uploads: Seats::default(),
            provider,
            settings,
            metrics: Arc::default(),
            sources,
            lines,
            queue,
            arrived,
            due: Arc::default(),
            watch,
            stopping: watch::Sender::new(false),
            current: AtomicBool::new(true),
            asked: Mutex::default(),
        };
        app.metrics.publish();
        (Arc::new(app), keeping)
    }

    /// Says that the server stops: it is not ready any more.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// True once it stops.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Ends when the server has been stopping for so long that who still waits is to be answered: soon it is cut off.
    pub(crate) async fn is_going(&self) {
        // The sender is this app's own.
        let _ = self.stopping.subscribe().wait_for(|stopping| *stopping).await;
        tokio::time::sleep(server::LAST.saturating_sub(TO_ANSWER)).await;
    }

    /// Says whether the tables of the database are those of this program.
    pub fn set_current(&self, current: bool) {
        self.current.store(current, Ordering::Relaxed);
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.watch.now()
    }

    pub(crate) fn watch(&self) -> &dyn Watch {
        self.watch.as_ref()
    }

    pub(crate) fn source(&self, name: &str) -> Option<&Arc<dyn Source>> {
        self.sources.iter().find(|source| source.name() == name)
    }

    /// The address that a request comes from.
    pub(crate) fn client<B>(&self, request: &Request<B>) -> IpAddr {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip());
        let mut forwarded = request.headers().get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        let forwarded = forwarded.next_back();
        client(peer, forwarded, &self.settings.trusted_proxies)
    }

    /// Whether the database answers within a second. It is asked once a second at most, however often somebody wants to know.
    pub(crate) async fn answers(&self) -> bool {
        const SECOND: Duration = Duration::from_secs(1);
        let mut asked = self.asked.lock().await;
        if let Some((at, answer)) = *asked
            && at.elapsed() < SECOND
        {
            return answer;
        }
        let call = self.provider.store.last_run(self.provider.tenant);
        let answer = matches!(tokio::time::timeout(SECOND, call).await, Ok(Ok(_)));
        *asked = Some((Instant::now(), answer));
        answer
    }
}
