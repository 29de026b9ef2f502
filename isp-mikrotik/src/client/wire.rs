//! Connecting and logging in.

use std::sync::Arc;

use tokio::time::Instant;

use super::options::ConnectOptions;
use super::shared::{CloseReason, Shared};
use super::{socket, transport};
use crate::error::{Cause, Error, Stage};
use crate::proto::login;

/// A connection, logged in. It closes when the last handle is dropped.
pub(super) struct Wire {
    pub(super) shared: Arc<Shared>,
    tasks: [tokio::task::AbortHandle; 2],
}

impl Wire {
    /// Connects and logs in.
    pub(super) async fn connect(options: &ConnectOptions) -> Result<Wire, Error> {
        let (stream, direct) = socket::connect(options).await?;
        let shared = Arc::new(Shared::new(options, direct));
        let tasks = transport::spawn(stream, &shared);
        let wire = Wire { shared, tasks };
        wire.log_in().await?;
        Ok(wire)
    }

    async fn log_in(&self) -> Result<(), Error> {
        let options = &self.shared.options;
        let command = login::command(&options.user, secrecy::ExposeSecret::expose_secret(&options.password));
        let within = options.connect_timeout;
        let outcome = match self.shared.call_raw(&command, Instant::now() + within).await {
            Ok(reply) => login::outcome(&reply).map_err(Error::from),
            Err(Error::Unknown { cause: Cause::Deadline, .. }) => {
                let detail = format!("no answer from {} within {within:?}", options.address);
                Err(Error::NotSent { stage: Stage::Login, detail })
            }
            Err(error) => Err(Error::NotSent { stage: Stage::Login, detail: error.to_string() }),
        };
        if outcome.is_err() {
            self.shared.shut(&CloseReason::new("not logged in"));
        }
        outcome
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.shared.shut(&CloseReason::new("closed by this side"));
        for task in &self.tasks {
            task.abort();
        }
    }
}
