//! Writes down when keys were used and from where they were refused, off the way of calls.
//!
//! Each key's last use is written at most once a minute, a refusal within a second, and what is left at a clean stop.

use crate::stop::Stop;
use keygate_contract::ApiKeyId;
use keygate_gateway::directory::{Directory, KeyEntry};
use keygate_store::{ApiKeyUse, Store};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(1);
/// The interval between two writes of a key's last use, by the monotonic clock: setting the system clock back must not
/// stop the writing.
const USE_EVERY: Duration = Duration::from_secs(60);

/// Writes until the stop. Then retries what is left until the deadline, and ends.
pub(crate) async fn keep(directory: Arc<Directory>, store: Store, mut stop: Stop) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut keeper = Keeper::default();
    loop {
        let deadline = tokio::select! {
            _ = ticks.tick() => None,
            deadline = stop.wait() => Some(deadline),
        };
        let mut left = keeper.write(&directory, &store, deadline.is_some()).await;
        if let Some(deadline) = deadline {
            while left > 0 && deadline.is_ahead() {
                tokio::time::sleep(EVERY).await;
                left = keeper.write(&directory, &store, true).await;
            }
            if left > 0 {
                tracing::error!(keys = left, "the last use of some keys was not written");
            }
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
    at: Instant,
    used_at: Option<i64>,
    refused: Option<(IpAddr, i64)>,
}

impl Keeper {
    /// Writes what is due, or everything, and returns how many keys could not be written.
    async fn write(&mut self, directory: &Directory, store: &Store, all: bool) -> usize {
        for key in directory.used().take() {
            self.waiting.insert(key.id.clone(), key);
        }
        let uses = self.due(Instant::now(), all);
        if uses.is_empty() {
            return 0;
        }
        match store.api_keys_used(&uses).await {
            Ok(()) => {
                self.written(uses, Instant::now());
                0
            }
            Err(error) => {
                tracing::debug!(%error, "failed to save the last use of keys; will retry");
                uses.len()
            }
        }
    }

    /// What to write now; `all`: whatever is not written yet.
    fn due(&mut self, now: Instant, all: bool) -> Vec<ApiKeyUse> {
        self.written.retain(|id, written| self.waiting.contains_key(id) || now - written.at < USE_EVERY);
        let due = self.waiting.values().filter_map(|key| {
            let (used_at, refused) = (key.last_use.used_at(), key.last_use.refused());
            let before = self.written.get(&key.id);
            let is_time = all || before.is_none_or(|before| now - before.at >= USE_EVERY);
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

    fn written(&mut self, uses: Vec<ApiKeyUse>, now: Instant) {
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
