//! Runs small writes where there are no others: so `GET /ready` and the metrics learn that a failing disk works again, and
//! that the disk of an idle server is full.

use crate::stop::Stop;
use keygate_store::{Store, UsageStore};
use std::time::Duration;

/// Between two looks at whether a write is due.
const EVERY: Duration = Duration::from_secs(1);

/// Watches until it is to stop.
pub(crate) async fn watch(store: Store, usage: UsageStore, mut stop: Stop) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let look = async {
            ticks.tick().await;
            let keys = async {
                if store.write_health().is_probe_due() {
                    store.probe_write().await;
                }
            };
            let usage = async {
                if usage.write_health().is_probe_due() {
                    usage.probe_write().await;
                }
            };
            tokio::join!(keys, usage);
        };
        tokio::select! {
            () = look => {}
            _ = stop.wait() => return,
        }
    }
}
