//! When something is done next that is done again and again.

use std::time::Duration;
use tokio::time::Instant;

/// How much of the time it may take: where doing it takes long, it is done less often.
const SHARE: u32 = 10;
/// After a failure it waits so long, and twice as long after each further one, to the longest.
const BACK_OFF: Duration = Duration::from_millis(100);
const BACK_OFF_MAX: Duration = Duration::from_secs(5);

/// When something is done next.
pub(super) struct Pace {
    every: Duration,
    due: Instant,
    back_off: Duration,
}

impl Pace {
    /// At once, and then after `every` at the earliest.
    pub(super) fn every(every: Duration) -> Self {
        Self { every, due: Instant::now(), back_off: BACK_OFF }
    }

    pub(super) fn is_due(&self) -> bool {
        self.due <= Instant::now()
    }

    /// It was begun then, and is done now.
    pub(super) fn done(&mut self, begun: Instant) {
        let now = Instant::now();
        let rest = if self.every.is_zero() { self.every } else { (now - begun) * (SHARE - 1) };
        self.due = now + self.every.max(rest);
        self.back_off = BACK_OFF;
    }

    pub(super) fn failed(&mut self) {
        self.due = Instant::now() + self.back_off;
        self.back_off = (self.back_off * 2).min(BACK_OFF_MAX);
    }
}
