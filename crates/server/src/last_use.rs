//! Writes down when keys were used and from where they were refused, off the way of calls.
//!
//! Each key's last use is written at most once a minute, a refusal within a second, and what is left at a clean stop.

use keygate_contract::ApiKeyId;
use keygate_gateway::directory::{Directory, KeyEntry};
use keygate_store::{ApiKeyUse, Store, now_ms};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(1);
/// Between two writes of a key's last use, in milliseconds.
const USE_EVERY_MS: i64 = 60_000;

/// Writes until `stop` is dropped; then what is left, and ends.
pub(crate) async fn keep(directory: Arc<Directory>, store: Store, mut stop: oneshot::Receiver<()>) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut keeper = Keeper::default();
    loop {
        let stopped = tokio::select! {
            _ = ticks.tick() => false,
            _ = &mut stop => true,
        };
        for key in directory.used().take() {
            keeper.waiting.insert(key.id.clone(), key);
        }
        let uses = keeper.due(now_ms(), stopped);
        if !uses.is_empty() {
            match store.api_keys_used(&uses).await {
                Ok(()) => keeper.written(uses, now_ms()),
                Err(error) => tracing::warn!(%error, "the last use of keys could not be written; it will be"),
            }
        }
        if stopped {
            return;
        }
    }
}

#[derive(Default)]
struct Keeper {
    /// Keys whose use is not written, or not all of it.
    waiting: HashMap<ApiKeyId, Arc<KeyEntry>>,
    /// What was written of keys within the last minute.
    written: HashMap<ApiKeyId, Written>,
}

struct Written {
    at: i64,
    used_at: Option<i64>,
    refused: Option<(IpAddr, i64)>,
}

impl Keeper {
    /// What to write now; `all`: whatever is not written yet.
    fn due(&mut self, now: i64, all: bool) -> Vec<ApiKeyUse> {
        self.written.retain(|id, written| self.waiting.contains_key(id) || now - written.at < USE_EVERY_MS);
        let due = self.waiting.values().filter_map(|key| {
            let (used_at, refused) = (key.last_use.used_at(), key.last_use.refused());
            let before = self.written.get(&key.id);
            let is_time = all || before.is_none_or(|before| now - before.at >= USE_EVERY_MS);
            let use_is_due = is_time && used_at != before.and_then(|b| b.used_at);
            let refusal_is_due = refused != before.and_then(|b| b.refused);
            (use_is_due || refusal_is_due).then(|| ApiKeyUse {
                id: key.id.clone(),
                used_at: if use_is_due { used_at } else { before.and_then(|b| b.used_at) },
                refused,
            })
        });
        due.collect()
    }

    fn written(&mut self, uses: Vec<ApiKeyUse>, now: i64) {
        for written in uses {
            let before = self.written.get(&written.id);
            // The minute counts from the use that was written, not from a refusal.
            let at = before.filter(|b| b.used_at == written.used_at).map_or(now, |b| b.at);
            let entry = Written { at, used_at: written.used_at, refused: written.refused };
            self.written.insert(written.id, entry);
        }
        let Self { waiting, written } = self;
        waiting.retain(|id, key| {
            written
                .get(id)
                .is_none_or(|w| w.used_at != key.last_use.used_at() || w.refused != key.last_use.refused())
        });
    }
}
