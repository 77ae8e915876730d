//! The log line of a console request.
//!
//! Requests of people who are signed in are logged one line each. Strangers pay nothing for a request, so their lines
//! have a budget: past it they are counted, and the next line that is written says how many were left out.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lines for requests of strangers in a [`WINDOW`].
const LINES: u32 = 120;
const WINDOW: Duration = Duration::from_secs(60);

/// Decides which console requests get a line. One for all listeners.
#[derive(Debug, Default)]
pub(crate) struct AccessLog(Mutex<Budget>);

#[derive(Debug, Default)]
struct Budget {
    /// When the current window began.
    since: Option<Instant>,
    /// Lines in it.
    lines: u32,
    /// Requests without a line since the last line.
    left_out: u64,
}

/// Whether a request turned out to be of someone who is signed in. Handlers set it, and the log reads it afterwards.
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
    /// Whether a stranger's request gets a line now; if so, how many before it did not.
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
