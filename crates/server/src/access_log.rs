//! The log line of a console request.
//!
//! Each request of a signed-in member gets a line. Strangers pay nothing for a request, so their lines have a budget:
//! requests beyond it are only counted, and the next line reports how many were left out.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lines per [`WINDOW`] for requests of strangers.
const LINES: u32 = 120;
const WINDOW: Duration = Duration::from_secs(60);

/// Decides which console requests are logged. Shared by all listeners.
#[derive(Debug, Default)]
pub(crate) struct AccessLog(Mutex<Budget>);

#[derive(Debug, Default)]
struct Budget {
    /// When the current window began.
    since: Option<Instant>,
    /// Lines in it.
    lines: u32,
    /// Requests left out since the last line.
    left_out: u64,
}

/// Whether the request turned out to have a valid session. Handlers set it, and the log reads it afterwards.
#[derive(Clone, Debug, Default)]
pub(crate) struct SignedIn(Arc<AtomicBool>);

impl SignedIn {
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl AccessLog {
    /// Returns whether a stranger's request is logged now and, if so, how many before it were left out.
    pub(crate) fn line_for_stranger(&self) -> Option<u64> {
        self.line_at(Instant::now())
    }

    fn line_at(&self, now: Instant) -> Option<u64> {
        let mut budget = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if budget.since.is_none_or(|since| now.duration_since(since) >= WINDOW) {
            (budget.since, budget.lines) = (Some(now), 0);
        }
        if budget.lines >= LINES {
            budget.left_out += 1;
            return None;
        }
        budget.lines += 1;
        Some(std::mem::take(&mut budget.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_share_a_budget_of_lines() {
        let (log, start) = (AccessLog::default(), Instant::now());
        let lines = (0..60_000).filter(|_| log.line_at(start).is_some()).count();
        assert_eq!(lines, LINES as usize);
        let left_out = 60_000 - u64::from(LINES);
        assert_eq!(log.line_at(start + WINDOW), Some(left_out), "the next line says how many were left out");
        assert_eq!(log.line_at(start + WINDOW), Some(0));
    }
}
