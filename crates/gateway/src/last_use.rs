//! When keys were used and from where they were refused, noted on the way of a call and written down off it.

use crate::directory::KeyEntry;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How exactly the last use is noted, in milliseconds: a busy key's entry is read by all threads, and each write makes
/// them read it anew.
const STEP_MS: i64 = 1000;

/// The last use of a key. Times are Unix milliseconds.
#[derive(Debug, Default)]
pub struct LastUse {
    /// 0: never, since the process began.
    used_at: AtomicI64,
    refused: Mutex<Option<(IpAddr, i64)>>,
    /// Whether the key waits to have its use written down.
    waits: AtomicBool,
}

impl LastUse {
    /// When a call last came with the key, to the second; `None`: not since the process began.
    pub fn used_at(&self) -> Option<i64> {
        Some(self.used_at.load(Ordering::Relaxed)).filter(|at| *at > 0)
    }

    /// Where the last call came from that the list of addresses refused, and when.
    pub fn refused(&self) -> Option<(IpAddr, i64)> {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the key is to wait from now on, and did not before.
    fn begin_to_wait(&self) -> bool {
        !self.waits.load(Ordering::Relaxed) && !self.waits.swap(true, Ordering::AcqRel)
    }
}

/// The keys that wait to have their use written down, each once.
#[derive(Debug, Default)]
pub struct UsedKeys(Mutex<Vec<Arc<KeyEntry>>>);

impl UsedKeys {
    /// Notes that a call came with the key.
    pub(crate) fn note_use(&self, key: &Arc<KeyEntry>, now: i64) {
        let used_at = &key.last_use.used_at;
        if now - used_at.load(Ordering::Relaxed) >= STEP_MS {
            used_at.fetch_max(now, Ordering::Relaxed);
            self.wait(key);
        }
    }

    /// Notes that the key's list of addresses refused a call.
    pub(crate) fn note_refused(&self, key: &Arc<KeyEntry>, address: IpAddr, now: i64) {
        *key.last_use.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some((address, now));
        self.wait(key);
    }

    fn wait(&self, key: &Arc<KeyEntry>) {
        if key.last_use.begin_to_wait() {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(key));
        }
    }

    /// Those that wait. A key that is used again from now on waits again.
    pub fn take(&self) -> Vec<Arc<KeyEntry>> {
        let keys = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for key in &keys {
            key.last_use.waits.store(false, Ordering::Release);
        }
        keys
    }
}
