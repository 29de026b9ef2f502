//! A server that says nothing any more: a cable that was cut ends no connection, and its answer would be waited for without end.

use std::future::Future;
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

/// The way to the server.
#[derive(Clone)]
pub(super) struct Wire {
    options: Arc<PgConnectOptions>,
    /// When an answer did not come.
    silent: Arc<Mutex<Option<Instant>>>,
}

impl Wire {
    pub(super) fn new(options: PgConnectOptions) -> Self {
        Self { options: Arc::new(options), silent: Arc::default() }
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
                    *self.silent.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
                    return Err(unavailable(SILENT));
                },
            }
        }
    }

    /// True when the server takes a connection, or says why it does not.
    async fn is_there(&self) -> bool {
        match tokio::time::timeout(PATIENCE, PgConnection::connect_with(&self.options)).await {
            Ok(Ok(connection)) => {
                let _ = tokio::time::timeout(GOODBYE, connection.close()).await;
                true
            }
            Ok(Err(error)) => error.as_database_error().is_some(),
            Err(_) => false,
        }
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
