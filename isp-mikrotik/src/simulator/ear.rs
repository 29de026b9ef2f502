//! Who listens.

use tokio::sync::mpsc;

/// Somebody who is told what changes in a menu.
#[derive(Debug)]
pub(super) struct Ear {
    pub(super) menu: String,
    pub(super) queries: Vec<Vec<u8>>,
    pub(super) wanted: Option<Vec<String>>,
    pub(super) rows: mpsc::UnboundedSender<Vec<u8>>,
}
