//! Listening on the port: accepting connections, and restarting.

use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::server;
use super::setup::Simulation;
use super::shared::{Acceptor, Shared};

impl Shared {
    pub(super) fn reboot(self: &Arc<Self>, down: Duration) {
        self.stop();
        {
            let mut state = self.lock();
            state.end_all_sessions();
            state.rebooted();
        }
        let shared = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(down).await;
            // The port is held by this process; a failure here shows as a router that stays down.
            if let Err(error) = shared.listen() {
                tracing::error!(%error, "simulated router cannot listen again");
            }
        });
    }

    pub(super) fn listen(self: &Arc<Self>) -> io::Result<()> {
        let mut listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner);
        if listening.is_some() || self.gone.load(Ordering::Relaxed) {
            return Ok(());
        }
        let socket = reusable_socket()?;
        socket.bind(self.address)?;
        let listener = socket.listen(256)?;
        *listening = Some(tokio::spawn(accept(self.clone(), listener)).abort_handle());
        Ok(())
    }
}

pub(super) fn acceptor(simulation: &Simulation) -> io::Result<Option<Acceptor>> {
    let Some((certificate, key)) = &simulation.tls else { return Ok(None) };
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate.as_bytes()).collect();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(io::Error::other)?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(certificates.map_err(io::Error::other)?, key)
        .map_err(io::Error::other)?;
    Ok(Some(Acceptor(TlsAcceptor::from(Arc::new(config)))))
}

async fn accept(shared: Arc<Shared>, listener: TcpListener) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        shared.lock().counters.connections += 1;
        let open = shared.open.fetch_add(1, Ordering::Relaxed);
        if shared.is_full(open) {
            shared.connection_ended();
            continue;
        }
        tokio::spawn(server::serve(shared.clone(), stream, shared.generation.subscribe()));
    }
}

pub(super) fn reusable_socket() -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    #[cfg(unix)]
    socket.set_reuseport(true)?;
    Ok(socket)
}
