//! Deletes usage that is older than it is kept.

use keygate_store::{Retention, UsageStore, now_ms};
use std::time::Duration;
use tokio::sync::oneshot;

/// Before the first round, so that a start is not slowed down by it, and between two.
const FIRST: Duration = Duration::from_secs(60);
const EVERY: Duration = Duration::from_secs(3600);

/// Deletes until `stop` is dropped, in small steps between which calls are written.
pub(crate) async fn clean(store: UsageStore, retention: Retention, mut stop: oneshot::Receiver<()>) {
    let mut wait = FIRST;
    loop {
        let round = async {
            tokio::time::sleep(wait).await;
            store.clean(retention, now_ms()).await
        };
        let done = tokio::select! {
            done = round => done,
            _ = &mut stop => return,
        };
        wait = EVERY;
        match done {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "usage that was too old is deleted"),
            Err(error) => tracing::warn!(%error, "usage that is too old could not be deleted; it will be"),
        }
    }
}
