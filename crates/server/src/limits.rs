//! Keeps the limiter's windows in the store, so that a restart forgets no call.
//!
//! What changed is written once a second, off the path of calls. A clean stop writes the rest; a process that is killed
//! forgets at most its last second.
//!
//! **Two clocks.** The limiter runs by the monotonic clock, but the next process knows only the system clock. So
//! windows are saved with system times as of the write. If the system clock is set, or stands still in a suspend, all
//! windows are written again. A later restart neither frees a limit nor holds one for longer than a minute.

use crate::stop::Stop;
use keygate_contract::{AccountId, ModelId, RegionId, WorkspaceId};
use keygate_gateway::catalogue::Catalogue;
use keygate_gateway::limit::{Clock, Limiter, Moment, SavedBucket, SavedWindow};
use keygate_store::{Charge, LimitWindow, Store, StoreError, now_ms};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Between two writes.
const EVERY: Duration = Duration::from_secs(1);
/// Writes between two sweeps of idle windows.
const SWEEP_EVERY: u32 = 60;
/// How long a charge counts: a minute, and the second it was made in.
const COUNTS_MS: u64 = 61_000;
/// How far, in seconds, the two clocks may diverge before all windows are written again: less than that is drift.
const DRIFT: i64 = 2;

/// The limiter of a process, and where its windows are kept.
#[derive(Clone)]
pub(crate) struct Limits {
    pub(crate) limiter: Arc<Limiter>,
    pub(crate) clock: Clock,
    catalogue: Arc<Catalogue>,
    store: Store,
    /// The system's time, in Unix milliseconds.
    system: Arc<dyn Fn() -> i64 + Send + Sync>,
}

impl Limits {
    /// A limiter with the windows of the last minute, as they were when the process before this one ended.
    pub(crate) async fn load(store: &Store, catalogue: &Arc<Catalogue>) -> Result<Self, StoreError> {
        Self::load_at(store, catalogue, Clock::new(), Arc::new(now_ms)).await
    }

    async fn load_at(
        store: &Store,
        catalogue: &Arc<Catalogue>,
        clock: Clock,
        system: Arc<dyn Fn() -> i64 + Send + Sync>,
    ) -> Result<Self, StoreError> {
        let limiter = Arc::new(Limiter::new(catalogue.slots()));
        let now = clock.now();
        let saved = store.limit_windows(signed(now.unix_millis().saturating_sub(COUNTS_MS))).await?;
        // A window of a model that the configuration no longer has is nobody's.
        let windows = saved.into_iter().filter_map(|window| {
            let slot = catalogue.find(&window.region, &window.model)?.slot;
            Some(saved_window(window, slot))
        });
        limiter.restore(windows.collect(), now);
        Ok(Self { limiter, clock, catalogue: Arc::clone(catalogue), store: store.clone(), system })
    }

    /// Writes changes until the stop. Then retries what is left until the deadline, and ends.
    pub(crate) async fn keep(self, mut stop: Stop) {
        let mut writer = Writer::new(self);
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut until_sweep = SWEEP_EVERY;
        loop {
            let deadline = tokio::select! {
                _ = ticks.tick() => None,
                deadline = stop.wait() => Some(deadline),
            };
            let mut saved = writer.save().await;
            if let Some(deadline) = deadline {
                while !saved && deadline.is_ahead() {
                    tokio::time::sleep(EVERY).await;
                    saved = writer.save().await;
                }
                let windows = writer.waiting.len();
                if windows > 0 {
                    tracing::error!(
                        windows,
                        "rate-limit windows were not written; the next start will not count the last minute"
                    );
                }
                return;
            }
            until_sweep -= 1;
            if until_sweep == 0 {
                writer.limits.limiter.sweep(writer.limits.clock.now());
                until_sweep = SWEEP_EVERY;
            }
        }
    }
}

/// Identifies a window.
type Key = (AccountId, RegionId, ModelId, Option<WorkspaceId>);

/// Writes windows.
struct Writer {
    limits: Limits,
    /// Region and model of each slot.
    models: HashMap<usize, (RegionId, ModelId)>,
    /// What could not be written yet: the newest state of each window, and when a model was last called, which is kept
    /// even when the window expires.
    waiting: HashMap<Key, LimitWindow>,
    /// The offset from the limiter's clock to the system clock, in seconds, when all windows were last written.
    offset: i64,
}

impl Writer {
    fn new(limits: Limits) -> Self {
        let models =
            limits.catalogue.all().map(|(region, model)| (model.slot, (region.clone(), model.id.clone())));
        Self { models: models.collect(), waiting: HashMap::new(), offset: 0, limits }
    }

    /// Whether all that changed is written.
    async fn save(&mut self) -> bool {
        let now = self.limits.clock.now();
        let offset = offset((self.limits.system)(), now);
        if (offset - self.offset).abs() >= DRIFT {
            self.offset = offset;
            self.limits.limiter.mark_all_changed();
        }
        for window in self.limits.limiter.take_changes(now) {
            if let Some(window) = self.window(&window) {
                let key = (
                    window.account.clone(),
                    window.region.clone(),
                    window.model.clone(),
                    window.workspace.clone(),
                );
                match self.waiting.get_mut(&key) {
                    Some(before) => replace(before, window),
                    None => drop(self.waiting.insert(key, window)),
                }
            }
        }
        if self.waiting.is_empty() {
            return true;
        }
        let windows: Vec<LimitWindow> = self.waiting.values().cloned().collect();
        match self.limits.store.limit_windows_save(&windows).await {
            Ok(()) => {
                self.waiting.clear();
                true
            }
            Err(error) => {
                tracing::debug!(%error, "failed to save rate-limit windows; will retry with the next ones");
                false
            }
        }
    }

    /// A window as the store keeps it. `None` for one in which nothing counts any more: what is stored of it is as old.
    fn window(&self, saved: &SavedWindow) -> Option<LimitWindow> {
        let (region, model) = self.models.get(&saved.slot)?;
        if saved.buckets.is_empty() {
            return None;
        }
        Some(LimitWindow {
            account: saved.account.clone(),
            region: region.clone(),
            model: model.clone(),
            workspace: saved.workspace.clone(),
            charges: saved.buckets.iter().map(|bucket| charge(bucket, self.offset)).collect(),
        })
    }
}

/// Replaces the state of an unwritten window with a newer one. The time of the last request is kept, even if the
/// request no longer counts.
fn replace(before: &mut LimitWindow, after: LimitWindow) {
    let last_request = before.charges.iter().rfind(|charge| charge.requests > 0).copied();
    *before = after;
    let first = before.charges.first().map_or(u64::MAX, |charge| charge.second);
    if before.charges.iter().all(|charge| charge.requests == 0)
        && let Some(charge) = last_request.filter(|charge| charge.second < first)
    {
        before.charges.insert(0, Charge { tokens: 0, ..charge });
    }
}

/// The offset from the limiter's clock to the system clock, in seconds.
fn offset(system_ms: i64, now: Moment) -> i64 {
    (system_ms - signed(now.unix_millis()) + 500).div_euclid(1000)
}

fn charge(bucket: &SavedBucket, offset: i64) -> Charge {
    Charge {
        second: bucket.second.saturating_add_signed(offset),
        requests: bucket.requests.into(),
        tokens: bucket.tokens,
    }
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

#[cfg(test)]
mod tests;
