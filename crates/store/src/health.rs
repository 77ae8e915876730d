//! Whether a database can be written.
//!
//! Every write reports its outcome. A server answers `GET /ready` from this, and runs small probe writes while nothing
//! else is written.

use crate::time::now_ms;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The interval between two probe writes to a database whose last write failed.
const PROBE_FAILING: Duration = Duration::from_secs(1);
/// The delay between the last write and a probe, so that an idle server also notices a full disk.
const PROBE_IDLE: Duration = Duration::from_secs(30);
/// A probe write is small. Its success counts as a recovery only if no larger write has failed for this long, which is
/// longer than any task waits between two attempts. Otherwise, `GET /ready` would change its answer every second on a
/// nearly full disk.
const SETTLED: Duration = Duration::from_secs(6);
/// The interval between two log lines about failing writes, across all databases.
const LOG_EVERY: Duration = Duration::from_secs(60);

/// The write health of a database. Cheap to clone; clones share their state.
#[derive(Clone, Debug)]
pub struct WriteHealth {
    database: &'static str,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    /// The time since which writes fail, in Unix milliseconds.
    failing_since: Option<i64>,
    failures: u64,
    last_failure: Option<Instant>,
    last_attempt: Instant,
    /// Whether the current failure was logged.
    is_logged: bool,
}

impl WriteHealth {
    pub(crate) fn new(database: &'static str) -> Self {
        let state = State {
            failing_since: None,
            failures: 0,
            last_failure: None,
            last_attempt: Instant::now(),
            is_logged: false,
        };
        Self { database, state: Arc::new(Mutex::new(state)) }
    }

    /// The name of the database, for messages and labels.
    pub fn database(&self) -> &'static str {
        self.database
    }

    /// The time since which writes fail, in Unix milliseconds; `None` while they succeed.
    pub fn failing_since(&self) -> Option<i64> {
        self.state().failing_since
    }

    /// How many writes have failed since the process started.
    pub fn failures(&self) -> u64 {
        self.state().failures
    }

    /// Whether a probe write is due.
    pub fn is_probe_due(&self) -> bool {
        let state = self.state();
        let every = if state.failing_since.is_some() { PROBE_FAILING } else { PROBE_IDLE };
        state.last_attempt.elapsed() >= every
    }

    /// Records a write that failed.
    pub(crate) fn failed(&self, error: &dyn std::fmt::Display) {
        let mut state = self.state();
        let now = Instant::now();
        state.failures += 1;
        state.last_failure = Some(now);
        state.last_attempt = now;
        let since = *state.failing_since.get_or_insert_with(now_ms);
        let failures = state.failures;
        let is_due = failure_log_is_due();
        state.is_logged |= is_due;
        drop(state);
        if is_due {
            let seconds = (now_ms() - since).max(0) / 1000;
            tracing::error!(database = self.database, %error, failures, seconds, "writes to the database are failing; free disk space or fix the disk, and pending data will be written");
        }
    }

    /// Records a write that succeeded.
    pub(crate) fn succeeded(&self) {
        self.recovered(|_| true);
    }

    /// Records a probe write that succeeded.
    pub(crate) fn probed(&self) {
        self.recovered(|state| state.last_failure.is_none_or(|at| at.elapsed() >= SETTLED));
    }

    fn recovered(&self, is_certain: impl FnOnce(&State) -> bool) {
        let mut state = self.state();
        state.last_attempt = Instant::now();
        if state.failing_since.is_none() || !is_certain(&state) {
            return;
        }
        state.failing_since = None;
        let is_logged = std::mem::take(&mut state.is_logged);
        let failures = state.failures;
        drop(state);
        if is_logged {
            tracing::info!(database = self.database, failures, "writes to the database succeed again");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a log line about a failing store is due: at most one a minute, whatever fails.
pub fn failure_log_is_due() -> bool {
    static LAST: Mutex<Option<Instant>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let is_due = last.is_none_or(|last| last.elapsed() >= LOG_EVERY);
    if is_due {
        *last = Some(Instant::now());
    }
    is_due
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failure_lasts_until_a_write_succeeds() {
        let health = WriteHealth::new("test");
        assert_eq!((health.failing_since(), health.failures()), (None, 0));
        health.failed(&"full");
        health.failed(&"full");
        let since = health.failing_since();
        assert!(since.is_some());
        health.probed();
        assert_eq!(
            (health.failing_since(), health.failures()),
            (since, 2),
            "a small write fits where others do not"
        );
        health.succeeded();
        assert_eq!((health.failing_since(), health.failures()), (None, 2));
    }

    #[test]
    fn one_line_a_minute_tells_of_failures() {
        let due = (0..1000).filter(|_| failure_log_is_due()).count();
        assert!(due <= 1, "{due}");
    }
}
