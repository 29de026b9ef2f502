//! A server that says nothing any more: a cable that was cut ends no connection, and its answer would be waited for without end.

use std::collections::hash_map::RandomState;
use std::future::Future;
use std::hash::BuildHasher as _;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use isp_core::ports::StoreError;
use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};

use crate::error::unavailable;

/// How long an answer is waited for before the server is asked whether it is there at all, and how long that may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long an answer is waited for in all: a minute longer than the server lets a statement run.
const LONGEST: Duration = Duration::from_mins(11);
/// How long the connections may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(10);

pub(super) const SILENT: &str = "its server does not answer any more";

/// How long an answer may still be on its way when the server works on nothing of ours any more.
const ON_ITS_WAY: Duration = Duration::from_secs(5);
/// The name of a connection that asks after the others.
pub(super) const ASKS: &str = "isp";

/// The way to the server.
#[derive(Clone)]
pub(super) struct Wire {
    options: Arc<PgConnectOptions>,
    /// By which the server knows the connections of this program from those of others.
    name: Arc<str>,
    /// When an answer did not come.
    silent: Arc<Mutex<Option<Instant>>>,
}

impl Wire {
    pub(super) fn new(options: PgConnectOptions) -> Self {
        let name = format!("{ASKS} {:016x}", RandomState::new().hash_one(std::process::id()));
        Self { options: Arc::new(options.application_name(ASKS)), name: name.into(), silent: Arc::default() }
    }

    /// The options of the connections that are asked after.
    pub(super) fn named(&self) -> PgConnectOptions {
        self.options.as_ref().clone().application_name(&self.name)
    }

    /// Waits for an answer of the server, for as long as it can be reached. A statement may take its time; a new connection is made
    /// at once by a server that is there.
    pub(super) async fn answer<T>(&self, answer: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let mut answer = pin!(answer);
        let begun = Instant::now();
        loop {
            if let Ok(answer) = tokio::time::timeout(PATIENCE, &mut answer).await {
                return answer;
            }
            tokio::select! {
                answer = &mut answer => return answer,
                there = self.is_there() => if !there || begun.elapsed() > LONGEST {
                    if let Ok(answer) = tokio::time::timeout(if there { Duration::ZERO } else { ON_ITS_WAY }, &mut answer).await {
                        return answer;
                    }
                    *self.silent.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
                    return Err(unavailable(SILENT));
                },
            }
        }
    }

    /// True when the server takes a connection and still works for this program, or says why it takes none.
    ///
    /// A server that was killed and started again takes new connections and knows nothing of the old ones, and a firewall or a
    /// pooler between may forget one of many: its end is told to nobody, and nobody would ever answer.
    async fn is_there(&self) -> bool {
        match tokio::time::timeout(PATIENCE, PgConnection::connect_with(&self.options)).await {
            Ok(Ok(mut connection)) => {
                let works = tokio::time::timeout(PATIENCE, self.works_for_us(&mut connection)).await.unwrap_or(false);
                let _ = tokio::time::timeout(GOODBYE, connection.close()).await;
                works
            }
            Ok(Err(error)) => error.as_database_error().is_some(),
            Err(_) => false,
        }
    }

    /// Whether a connection of this program is at work. Where the names of connections do not reach the server nothing can be told,
    /// and the answer is waited for.
    async fn works_for_us(&self, connection: &mut PgConnection) -> bool {
        let sql = "SELECT current_setting('application_name') <> $1 OR EXISTS (SELECT 1 FROM pg_stat_activity
            WHERE starts_with(application_name, $2) AND state IS DISTINCT FROM 'idle')";
        let works = sqlx::query_scalar::<_, bool>(sql).bind(ASKS).bind(&*self.name).persistent(false);
        works.fetch_one(connection).await.unwrap_or(true)
    }

    /// Whether a connection may be used again. For a while after a silence none is: an answer that comes too late would be taken
    /// for that of the next statement.
    pub(super) fn is_sound(&self) -> bool {
        self.since_silence().is_none_or(|since| since > LONGEST)
    }

    /// Fails right after a silence: what still wants to tidy up need not wait once more.
    pub(super) fn not_silent(&self) -> Result<(), StoreError> {
        match self.since_silence() {
            Some(since) if since < GOODBYE => Err(unavailable(SILENT)),
            _ => Ok(()),
        }
    }

    fn since_silence(&self) -> Option<Duration> {
        self.silent.lock().unwrap_or_else(PoisonError::into_inner).map(|at| at.elapsed())
    }

    /// Lets the connections end, for a while: none waits for a server that is away.
    pub(super) async fn goodbye(&self, end: impl Future<Output = ()>) {
        let _ = tokio::time::timeout(GOODBYE, end).await;
    }
}
