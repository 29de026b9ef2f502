//! Commands that never end by themselves.

use std::future::poll_fn;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::flight::{Flights, settle};
use super::shared::{Shared, Waiter};
use crate::error::Error;
use crate::proto::command::Command;
use crate::proto::connection::RowsGo;
use crate::proto::sentence::Row;

/// Rows of a command that never ends; see [`Client::listen`](super::Client::listen).
pub struct Listener {
    rows: mpsc::Receiver<Row>,
    flights: Flights,
    command: Command,
    ended: bool,
}

/// A listener that falls this many rows behind is cancelled instead of filling the memory.
const LISTEN_BUFFER: usize = 4096;

impl Listener {
    pub(super) async fn start(shared: &Arc<Shared>, command: &Command) -> Result<Listener, Error> {
        let deadline = Instant::now() + shared.options.deadline;
        shared.place(deadline).await?;
        let (sender, rows) = mpsc::channel(LISTEN_BUFFER);
        let mut flights = Flights::new(shared.clone());
        {
            let mut core = shared.lock();
            let waiter = Waiter { caller: None, index: 0, placed: true, rows: Some(sender) };
            flights.send_waiter(&mut core, command, deadline, waiter, RowsGo::Events)?;
            shared.flush(&mut core, true);
        }
        Ok(Listener { rows, flights, command: command.clone(), ended: false })
    }

    /// The next row; `None` when the router ended the command. A deleted object comes with `=.dead=`.
    ///
    /// # Errors
    ///
    /// What ended the command, if it was not the router's `!done`: [`Error::Unknown`] when the connection broke (listen
    /// again, and print what was missed), [`Error::Refused`] when the router has no such command.
    pub async fn next(&mut self) -> Result<Option<Row>, Error> {
        if let Some(row) = self.rows.recv().await {
            return Ok(Some(row));
        }
        if self.ended {
            return Ok(None);
        }
        poll_fn(|cx| self.flights.poll_landed(cx)).await;
        self.ended = true;
        match self.flights.settle() {
            Some(Ok(reply)) => settle(&self.command, reply).map(|_| None),
            Some(Err(broken)) => Err(broken.error(&self.command)),
            None => Ok(None),
        }
    }
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener").field("command", &self.command).field("ended", &self.ended).finish()
    }
}
