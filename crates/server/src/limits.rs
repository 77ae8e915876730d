//! Keeps the limiter's windows in the store, so that a restart forgets no call.
//!
//! What changed is written once a second, off the path of calls. A clean stop writes the rest; a process that is killed
//! forgets at most its last second.

use keygate_contract::{ModelId, RegionId};
use keygate_gateway::catalogue::Catalogue;
use keygate_gateway::limit::{Clock, Limiter, Moment, SavedBucket, SavedWindow};
use keygate_store::{Charge, LimitWindow, Store, StoreError};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// Between two writes.
const EVERY: Duration = Duration::from_secs(1);
/// Writes between two sweeps of idle windows.
const SWEEP_EVERY: u32 = 60;
/// How often a stop tries again to write what is left.
const TRIES_AT_STOP: u32 = 3;
/// How long a charge counts: a minute, and the second it was made in.
const COUNTS_MS: u64 = 61_000;

/// The limiter of a process, and where its windows are kept.
#[derive(Clone)]
pub(crate) struct Limits {
    pub(crate) limiter: Arc<Limiter>,
    pub(crate) clock: Clock,
    catalogue: Arc<Catalogue>,
    store: Store,
}

impl Limits {
    /// A limiter with the windows of the last minute, as they were when the process before this one ended.
    pub(crate) async fn load(store: &Store, catalogue: &Arc<Catalogue>) -> Result<Self, StoreError> {
        let (limiter, clock) = (Arc::new(Limiter::new(catalogue.slots())), Clock::new());
        let now = clock.now();
        let saved = store.limit_windows(signed(now.unix_millis().saturating_sub(COUNTS_MS))).await?;
        // A window of a model that the configuration no longer has is nobody's.
        let windows = saved.into_iter().filter_map(|window| {
            let slot = catalogue.find(&window.region, &window.model)?.slot;
            Some(saved_window(window, slot))
        });
        limiter.restore(windows.collect(), now);
        Ok(Self { limiter, clock, catalogue: Arc::clone(catalogue), store: store.clone() })
    }

    /// Writes what changes, until `stop` is dropped; then what is left, and ends.
    pub(crate) async fn keep(self, mut stop: oneshot::Receiver<()>) {
        let models =
            Models(self.catalogue.all().map(|(region, model)| (model.slot, (region, &model.id))).collect());
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut until_sweep = SWEEP_EVERY;
        loop {
            let stopped = tokio::select! {
                _ = ticks.tick() => false,
                _ = &mut stop => true,
            };
            let now = self.clock.now();
            let mut saved = self.save(&models, now).await;
            if stopped {
                for _ in 0..TRIES_AT_STOP {
                    if saved {
                        return;
                    }
                    tokio::time::sleep(EVERY).await;
                    saved = self.save(&models, now).await;
                }
                tracing::error!(
                    "calls of the last minute were not written down; the limits will not know of them"
                );
                return;
            }
            until_sweep -= 1;
            if until_sweep == 0 {
                self.limiter.sweep(now);
                until_sweep = SWEEP_EVERY;
            }
        }
    }

    /// Whether all that changed is written.
    async fn save(&self, models: &Models<'_>, now: Moment) -> bool {
        let changes = self.limiter.take_changes(now);
        let windows: Vec<LimitWindow> = changes.iter().filter_map(|window| models.window(window)).collect();
        if windows.is_empty() {
            return true;
        }
        let saved = self.store.limit_windows_save(&windows).await;
        if let Err(error) = &saved {
            tracing::warn!(%error, "the limits' windows could not be written; they will be, with the next ones");
            self.limiter.return_changes(&changes);
        }
        saved.is_ok()
    }
}

/// Region and model of each slot.
struct Models<'a>(HashMap<usize, (&'a RegionId, &'a ModelId)>);

impl Models<'_> {
    /// A window as the store keeps it. `None` for one in which nothing counts any more: what is stored of it is as old.
    fn window(&self, saved: &SavedWindow) -> Option<LimitWindow> {
        let (region, model) = self.0.get(&saved.slot)?;
        if saved.buckets.is_empty() {
            return None;
        }
        Some(LimitWindow {
            account: saved.account.clone(),
            region: (*region).clone(),
            model: (*model).clone(),
            workspace: saved.workspace.clone(),
            charges: saved.buckets.iter().map(charge).collect(),
        })
    }
}

fn charge(bucket: &SavedBucket) -> Charge {
    Charge { second: bucket.second, requests: bucket.requests.into(), tokens: bucket.tokens }
}

fn saved_window(window: LimitWindow, slot: usize) -> SavedWindow {
    let bucket = |charge: Charge| SavedBucket {
        second: charge.second,
        requests: u32::try_from(charge.requests).unwrap_or(u32::MAX),
        tokens: charge.tokens,
    };
    SavedWindow {
        account: window.account,
        slot,
        workspace: window.workspace,
        buckets: window.charges.into_iter().map(bucket).collect(),
    }
}

fn signed(millis: u64) -> i64 {
    i64::try_from(millis).unwrap_or(i64::MAX)
}
