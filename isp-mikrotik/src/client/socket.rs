//! Sockets.

use std::io::{self, Read};
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use super::options::{ConnectOptions, Tls};
use super::tls;
use crate::error::{Error, Stage};

/// A way to write and read from the caller's own task, which saves wake-ups. Not with TLS.
pub(super) struct Direct {
    write: Arc<OwnedWriteHalf>,
    /// The same socket, so that what has arrived is seen before the runtime hears of it.
    read: std::net::TcpStream,
}

impl Direct {
    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.write.try_write(bytes)
    }

    pub(super) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        (&self.read).read(buffer)
    }
}

pub(super) enum Stream {
    Plain(OwnedReadHalf, Arc<OwnedWriteHalf>),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Opens the socket, with `TCP_NODELAY`: Nagle's algorithm against delayed acknowledgements costs 44 ms a command.
pub(super) async fn connect(options: &ConnectOptions) -> Result<(Stream, Option<Direct>), Error> {
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
    match &options.tls {
        Tls::Off => {
            let (stream, twin) = with_twin(stream).map_err(|error| not_connected(format!("{address}: {error}")))?;
            let (read, write) = stream.into_split();
            let write = Arc::new(write);
            Ok((Stream::Plain(read, write.clone()), Some(Direct { write, read: twin })))
        }
        trust => Ok((Stream::Tls(Box::new(tls::handshake(stream, trust, options).await?)), None)),
    }
}

fn with_twin(stream: TcpStream) -> io::Result<(TcpStream, std::net::TcpStream)> {
    let stream = stream.into_std()?;
    let twin = stream.try_clone()?;
    Ok((TcpStream::from_std(stream)?, twin))
}
