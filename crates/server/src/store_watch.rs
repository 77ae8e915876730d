//! Runs small probe writes while nothing else is written, so that `GET /ready` and the metrics notice when a failing
//! disk recovers, and when the disk of an idle server is full.

use crate::stop::Stop;
use keygate_store::{Store, UsageStore};
use std::time::Duration;

/// The interval of checks whether a probe is due.
const EVERY: Duration = Duration::from_secs(1);

/// Watches until the stop.
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
