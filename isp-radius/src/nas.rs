//! Ending sessions on a NAS over UDP (RFC 5176). Three outcomes matter: it ended them, it has none, it does not answer.

use std::io;
use std::time::Duration;

use tokio::net::{UdpSocket, lookup_host};
use tokio::time::{Instant, timeout_at};

use crate::packet::{Answer, DisconnectRequest, PacketError, SESSION_NOT_FOUND};
use crate::settings::Nas;

/// What became of the sessions of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The NAS ended them.
    Ended,
    /// It has none.
    NotOnline,
    /// It refused, with the `Error-Cause` if there was one.
    Refused(Option<u32>),
}

/// Why nobody knows what became of them.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Silence {
    /// The name is none that RADIUS can carry.
    #[error(transparent)]
    Packet(#[from] PacketError),
    /// The socket.
    #[error("cannot be reached: {0}")]
    Socket(#[from] io::Error),
    /// No answer that is signed with our secret, in all tries.
    #[error("does not answer to Disconnect-Request{}; see /radius incoming, and the secret", if *unsigned { " with our secret" } else { "" })]
    NoAnswer {
        /// Something came, with another signature.
        unsigned: bool,
    },
}

/// Ends the sessions of a user. A request is sent again, the same bytes, until its patience is over: a NAS that has done it and
/// whose answer was lost says then that there is no session.
pub(crate) async fn disconnect(
    host: &str,
    nas: &Nas,
    username: &str,
    patience: &[Duration],
) -> Result<Outcome, Silence> {
    let mut identifier = [0_u8];
    getrandom::fill(&mut identifier).map_err(|_| io::Error::other("no random number"))?;
    let request = DisconnectRequest::new(identifier[0], username, &nas.secret)?;
    let to = lookup_host((host, nas.port)).await?.next().ok_or_else(|| io::Error::other("the name has no address"))?;
    let socket = UdpSocket::bind(if to.is_ipv6() { "[::]:0" } else { "0.0.0.0:0" }).await?;
    // Only what comes from there is received.
    socket.connect(to).await?;
    let (mut buffer, mut unsigned) = ([0_u8; 4_096], false);
    for pause in patience {
        let until = Instant::now() + *pause;
        // A NAS that is switched off may make the system refuse: that is silence, too.
        if socket.send(request.bytes()).await.is_err() {
            tokio::time::sleep_until(until).await;
            continue;
        }
        while let Ok(received) = timeout_at(until, socket.recv(&mut buffer)).await {
            let Ok(length) = received else {
                tokio::time::sleep_until(until).await;
                break;
            };
            match request.answer(buffer.get(..length).unwrap_or_default(), &nas.secret) {
                Ok(Answer::Ended) => return Ok(Outcome::Ended),
                Ok(Answer::Refused(Some(SESSION_NOT_FOUND))) => return Ok(Outcome::NotOnline),
                Ok(Answer::Refused(cause)) => return Ok(Outcome::Refused(cause)),
                Err(error) => unsigned |= error == PacketError::BadSignature,
            }
        }
    }
    Err(Silence::NoAnswer { unsigned })
}
