//! The reader task and the writer task.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWriteExt, WriteHalf};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};
use tokio_rustls::client::TlsStream;

use super::shared::{CloseReason, Shared};
use super::socket::Stream;

/// Starts the reader and the writer.
pub(super) fn spawn(stream: Stream, shared: &Arc<Shared>) -> [AbortHandle; 2] {
    match stream {
        Stream::Plain(read, write) => {
            let reader = tokio::spawn(read_loop(shared.clone(), read)).abort_handle();
            [reader, tokio::spawn(write_loop(shared.clone(), Outlet::Plain(write))).abort_handle()]
        }
        Stream::Tls(stream) => {
            let (read, write) = tokio::io::split(*stream);
            let reader = tokio::spawn(read_loop(shared.clone(), read)).abort_handle();
            [reader, tokio::spawn(write_loop(shared.clone(), Outlet::Tls(write))).abort_handle()]
        }
    }
}

enum Outlet {
    Plain(Arc<OwnedWriteHalf>),
    Tls(WriteHalf<TlsStream<TcpStream>>),
}

impl Outlet {
    async fn write_all(&mut self, shared: &Shared, bytes: &[u8]) -> io::Result<()> {
        match self {
            Outlet::Plain(socket) => write_plain(shared, socket, bytes).await,
            Outlet::Tls(socket) => {
                // What TLS has taken may have left even if it then reports an error.
                shared.lock().connection.wrote_taken(bytes.len());
                socket.write_all(bytes).await?;
                socket.flush().await
            }
        }
    }
}

async fn read_loop(shared: Arc<Shared>, mut socket: impl AsyncRead + Unpin) {
    let reason = read_until_end(&shared, &mut socket).await;
    shared.shut(&reason);
}

async fn read_until_end(shared: &Shared, socket: &mut (impl AsyncRead + Unpin)) -> CloseReason {
    let keep_alive = shared.options.keep_alive;
    let mut pinged: Option<Instant> = None;
    // Rearmed only when it rings, not with each byte.
    let mut alarm = pin!(sleep_until(Instant::now() + keep_alive));
    loop {
        tokio::select! {
            biased;
            read = poll_fn(|cx| shared.poll_read(socket, cx)) => if let Err(reason) = read {
                return reason;
            },
            () = shared.wake_reader.notified() => {
                if shared.lock().closed.is_some() {
                    return CloseReason::new("closed by this side");
                }
                if let Some(at) = shared.reap_at().filter(|at| *at < alarm.deadline()) {
                    alarm.as_mut().reset(at);
                }
            }
            () = alarm.as_mut() => {
                let now = Instant::now();
                if shared.overdue(now) {
                    return CloseReason::new("router did not end a cancelled command");
                }
                let heard = shared.lock().heard;
                pinged = pinged.filter(|at| *at >= heard);
                if now >= pinged.unwrap_or(heard) + keep_alive {
                    if pinged.is_some() {
                        return CloseReason::new("router is silent");
                    }
                    shared.ping();
                    pinged = Some(now);
                }
                let quiet_until = pinged.unwrap_or(heard) + keep_alive;
                alarm.as_mut().reset(shared.reap_at().map_or(quiet_until, |at| at.min(quiet_until)));
            }
        }
    }
}

async fn write_loop(shared: Arc<Shared>, mut outlet: Outlet) {
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
            if let Err(error) = outlet.write_all(&shared, &batch).await {
                shared.shut(&CloseReason::new(error.to_string()));
                return;
            }
        }
    }
}

async fn write_plain(shared: &Shared, socket: &OwnedWriteHalf, mut bytes: &[u8]) -> io::Result<()> {
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
