//! When a call is counted.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// A point in time, as a [`Clock`] tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(u64);

impl Moment {
    /// The moment this many milliseconds after the Unix epoch.
    pub const fn from_unix_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn unix_millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the Unix epoch.
    pub(super) const fn second(self) -> u64 {
        self.0 / 1000
    }
}

/// Measures time: it starts from the Unix time at process start and then follows the monotonic clock. So while the
/// process lives, neither setting the system clock nor a suspend frees or blocks anyone. Saved times follow the system
/// clock, which may have diverged by then: whoever saves them converts them.
///
/// Copies tell the same time. Two clocks made apart need not.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    unix_millis_at_start: u64,
    start: Instant,
}

impl Clock {
    /// A clock that goes by the system's time as it is now.
    pub fn new() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { unix_millis_at_start: millis(since_epoch), start: Instant::now() }
    }

    /// Now. Never earlier than what any copy has told before.
    pub fn now(&self) -> Moment {
        Moment(self.unix_millis_at_start.saturating_add(millis(self.start.elapsed())))
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_of_a_clock_tell_unix_time_and_never_go_back() {
        let clock = Clock::new();
        let copy = clock;
        let (first, second) = (clock.now(), copy.now());
        assert!(first <= second);
        let system = millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap());
        assert!(first.unix_millis().abs_diff(system) < 60_000);
    }
}
