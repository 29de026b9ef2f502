//! Who stops a program that runs until it is stopped.

/// Listens from when it is made.
pub(crate) struct Stop {
    #[cfg(unix)]
    signals: Vec<tokio::signal::unix::Signal>,
}

impl Stop {
    /// Ctrl-C (SIGINT) and SIGTERM.
    pub(crate) fn listen() -> std::io::Result<Self> {
        Self::to(false)
    }

    /// The same, and the end of the terminal that it runs in. Not for a server: that one may outlive its terminal.
    pub(crate) fn listen_also_to_the_terminal() -> std::io::Result<Self> {
        Self::to(true)
    }

    #[cfg(unix)]
    fn to(hangup: bool) -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [SignalKind::interrupt(), SignalKind::terminate()].into_iter();
        let kinds = kinds.chain(hangup.then(SignalKind::hangup));
        Ok(Self { signals: kinds.map(signal).collect::<Result<_, _>>()? })
    }

    #[cfg(not(unix))]
    fn to(_: bool) -> std::io::Result<Self> {
        Ok(Self {})
    }

    /// Waits until somebody stops it.
    pub(crate) async fn come(&mut self) -> std::io::Result<()> {
        #[cfg(unix)]
        {
            futures::future::select_all(self.signals.iter_mut().map(|signal| Box::pin(signal.recv()))).await;
            Ok(())
        }
        #[cfg(not(unix))]
        tokio::signal::ctrl_c().await
    }
}
