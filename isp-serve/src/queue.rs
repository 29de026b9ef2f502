//! Webhooks on their way to the database: all that wait are written in one commit.

use std::sync::Arc;

use isp_core::ports::{StoreError, Webhook};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::provider::Provider;

/// A request on its way to the database, with who waits for it.
pub(crate) struct Arriving(pub(crate) Webhook, pub(crate) oneshot::Sender<Result<(), StoreError>>);

/// How many requests may wait for the database; more are told to come again.
const QUEUE: usize = 4_096;
/// How many are written in one commit.
const TOGETHER: usize = 256;
/// Where requests wait for the database.
pub(crate) type Queue = mpsc::Sender<Arriving>;

/// A queue, and the work that empties it: all that wait are written in one commit.
pub(crate) fn queue(provider: Provider, arrived: Arc<Notify>) -> (Queue, impl Future<Output = ()> + Send) {
    let (queue, mut waiting) = mpsc::channel(QUEUE);
    let work = async move {
        let mut batch: Vec<Arriving> = Vec::new();
        while waiting.recv_many(&mut batch, TOGETHER).await > 0 {
            let webhooks: Vec<Webhook> = batch.iter().map(|Arriving(webhook, _)| webhook.clone()).collect();
            let kept = provider.inbox.keep_webhooks(provider.tenant, webhooks).await;
            if batch.len() > 1 && kept.as_ref().is_err_and(|error| !error.retryable()) {
                // One of them cannot be written: the others are.
                for Arriving(webhook, done) in batch.drain(..) {
                    let kept = provider.inbox.keep_webhooks(provider.tenant, vec![webhook]).await;
                    let _ = done.send(kept.map(drop));
                }
            } else {
                for Arriving(_, done) in batch.drain(..) {
                    let _ = done.send(kept.as_ref().map(drop).map_err(Clone::clone));
                }
            }
            arrived.notify_one();
        }
    };
    (queue, work)
}
