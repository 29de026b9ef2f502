//! Sockets: connecting, the reader task and the writer task.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until, timeout};

use super::options::ConnectOptions;
use super::{CloseReason, Shared};
use crate::error::{Error, Stage};

const READ_BUFFER: usize = 64 << 10;

/// A way to write from the caller's own task, which saves a wake-up for a single command.
pub(super) struct Direct(Arc<OwnedWriteHalf>);

impl Direct {
    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }
}

pub(super) struct Stream {
    read: OwnedReadHalf,
    write: Arc<OwnedWriteHalf>,
}

/// Opens the socket, with `TCP_NODELAY`: Nagle's algorithm against delayed acknowledgements costs 44 ms a command.
pub(super) async fn connect(options: &ConnectOptions) -> Result<Stream, Error> {
    let address = &options.address;
    let not_connected = |detail: String| Error::NotSent { stage: Stage::Connect, detail };
    let stream = match timeout(options.connect_timeout, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(not_connected(format!("{address}: {error}"))),
        Err(_) => {
            let limit = options.connect_timeout;
            return Err(not_connected(format!(
                "{address} did not answer within {limit:?}: down, or this host is not in the service's allowed addresses"
            )));
        }
    };
    stream.set_nodelay(true).map_err(|error| not_connected(format!("{address}: {error}")))?;
    let (read, write) = stream.into_split();
    Ok(Stream { read, write: Arc::new(write) })
}

impl Stream {
    pub(super) fn direct(&self) -> Option<Direct> {
        Some(Direct(self.write.clone()))
    }

    pub(super) fn spawn(self, shared: &Arc<Shared>) -> [AbortHandle; 2] {
        let reader = tokio::spawn(read_loop(shared.clone(), self.read)).abort_handle();
        let writer = tokio::spawn(write_loop(shared.clone(), self.write)).abort_handle();
        [reader, writer]
    }
}

async fn read_loop(shared: Arc<Shared>, mut socket: impl AsyncRead + Unpin) {
    let reason = read_until_end(&shared, &mut socket).await;
    shared.shut(&reason);
}

async fn read_until_end(shared: &Shared, socket: &mut (impl AsyncRead + Unpin)) -> CloseReason {
    let mut buffer = vec![0_u8; READ_BUFFER];
    let keep_alive = shared.options.keep_alive;
    let mut pinged = false;
    let mut quiet_until = Instant::now() + keep_alive;
    loop {
        let wake = shared.reap_at().map_or(quiet_until, |at| at.min(quiet_until));
        tokio::select! {
            biased;
            count = socket.read(&mut buffer) => match count {
                Ok(0) => return CloseReason::new("closed by the router"),
                Ok(count) => {
                    if let Err(reason) = shared.receive(buffer.get(..count).unwrap_or_default()) {
                        return reason;
                    }
                    pinged = false;
                    quiet_until = Instant::now() + keep_alive;
                }
                Err(error) => return CloseReason::new(error.to_string()),
            },
            () = shared.wake_reader.notified() => {
                if shared.lock().closed.is_some() {
                    return CloseReason::new("closed by this side");
                }
            }
            () = sleep_until(wake) => {
                let now = Instant::now();
                if shared.overdue(now) {
                    return CloseReason::new("router did not end a cancelled command");
                }
                if now >= quiet_until {
                    if pinged {
                        return CloseReason::new("router is silent");
                    }
                    shared.ping();
                    pinged = true;
                    quiet_until = now + keep_alive;
                }
            }
        }
    }
}

async fn write_loop(shared: Arc<Shared>, socket: Arc<OwnedWriteHalf>) {
    let mut batch = Vec::new();
    loop {
        shared.wake_writer.notified().await;
        loop {
            {
                let mut core = shared.lock();
                if core.closed.is_some() {
                    return;
                }
                core.connection.take_output(&mut batch);
                if batch.is_empty() {
                    core.writing = false;
                    break;
                }
            }
            if let Err(error) = write_all(&shared, &socket, &batch).await {
                shared.shut(&CloseReason::new(error.to_string()));
                return;
            }
        }
    }
}

async fn write_all(shared: &Shared, socket: &OwnedWriteHalf, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        socket.writable().await?;
        match socket.try_write(bytes) {
            Ok(count) => {
                shared.lock().connection.wrote_taken(count);
                bytes = bytes.get(count..).unwrap_or_default();
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
