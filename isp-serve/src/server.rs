//! Listening: how long a head may take, how many may be there at once, and stopping without cutting anybody off.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use crate::settings::Settings;
use crate::source_address::{Net, household};

/// How long requests under way may take once the server stops.
pub(crate) const LAST: Duration = Duration::from_secs(10);

/// Serves until `stop` is true, then lets requests under way end.
pub async fn serve(listener: TcpListener, router: Router, settings: &Settings, mut stop: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(settings.connections.into()));
    let seats = Seats::new(settings);
    let graceful = GracefulShutdown::new();
    let slow = Duration::from_secs(settings.slow_seconds.into());
    loop {
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let Ok(place) = place else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Such as too many open files: it passes, and a tight loop would not help.
                tracing::warn!(kind = %error.kind(), "a connection cannot be taken");
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
        };
        let Some(seat) = seats.take(peer.ip()) else {
            // It has its share; what it opens beyond is closed, so that others get through.
            continue;
        };
        let _ = stream.set_nodelay(true);
        let router = router.clone();
        let service = tower_service(router, peer);
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(slow).max_buf_size(64 * 1_024);
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // A caller that goes away, or is too slow, is no trouble of ours.
            let _ = connection.await;
            drop((place, seat));
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(LAST, graceful.shutdown()).await;
}

/// How many connections each address has. One that holds many open, and sends nothing, keeps nobody else out.
#[derive(Clone)]
struct Seats {
    each: usize,
    proxies: Arc<[Net]>,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// The place of one connection among those of its address.
struct Seat(Option<(Seats, IpAddr)>);

impl Seats {
    fn new(settings: &Settings) -> Self {
        let each = usize::from(settings.connections / 8).max(8);
        Self { each, proxies: settings.trusted_proxies.as_slice().into(), taken: Arc::default() }
    }

    /// A seat; `None` when the address has its share. This machine and proxies bring everybody's.
    fn take(&self, address: IpAddr) -> Option<Seat> {
        if address.to_canonical().is_loopback() || self.proxies.iter().any(|net| net.contains(address)) {
            return Some(Seat(None));
        }
        let address = household(address);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(address).or_insert(0);
        if *count >= self.each {
            return None;
        }
        *count += 1;
        drop(taken);
        Some(Seat(Some((self.clone(), address))))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let Some((seats, address)) = &self.0 else { return };
        let mut taken = seats.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(address) {
            *count -= 1;
            if *count == 0 {
                taken.remove(address);
            }
        }
    }
}

fn tower_service(
    router: Router,
    peer: SocketAddr,
) -> impl hyper::service::Service<
    Request<Incoming>,
    Response = axum::response::Response,
    Error = std::convert::Infallible,
    Future: Send + 'static,
> + Send {
    TowerToHyperService::new(WithPeer { router, peer })
}

/// The routes, which learn who asks.
#[derive(Clone)]
struct WithPeer {
    router: Router,
    peer: SocketAddr,
}

impl tower_service::Service<Request<Incoming>> for WithPeer {
    type Response = axum::response::Response;
    type Error = std::convert::Infallible;
    type Future = <Router as tower_service::Service<Request<Incoming>>>::Future;

    fn poll_ready(&mut self, cx: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Self::Error>> {
        tower_service::Service::<Request<Incoming>>::poll_ready(&mut self.router, cx)
    }

    fn call(&mut self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(ConnectInfo(self.peer));
        tower_service::Service::call(&mut self.router, request)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn one_address_has_its_share_of_connections_and_gives_it_back() {
        let proxies = vec!["10.0.0.2".parse().unwrap()];
        let seats = Seats::new(&Settings { connections: 80, trusted_proxies: proxies, ..Settings::default() });
        let many = |address: &str| (0..99).map_while(|_| seats.take(address.parse().unwrap())).collect::<Vec<_>>();
        let held = many("192.0.2.1");
        assert_eq!(held.len(), 10);
        assert!(seats.take("192.0.2.2".parse().unwrap()).is_some(), "another one");
        assert_eq!([many("10.0.0.2").len(), many("127.0.0.1").len()], [99, 99], "proxies bring everybody's");
        let house: Vec<_> = (0..20).map_while(|n| seats.take(format!("2001:db8::{n}").parse().unwrap())).collect();
        assert_eq!(house.len(), 10, "one household");
        drop((held, house));
        assert_eq!(many("192.0.2.1").len(), 10);
        assert!(seats.taken.lock().unwrap().is_empty(), "nothing is remembered of who has gone");
    }
}
