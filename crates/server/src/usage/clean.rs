//! Deletes usage that has expired or exceeds the maximum size.
//!
//! Expiry follows the system clock, and a clock that is wrong for an hour must not delete the log for good. [`Trust`]
//! decides when to follow the clock.

use crate::stop::Stop;
use keygate_store::{Retention, StoreError, UsageStore, failure_log_is_due, now_ms};
use std::time::Duration;
use tokio::time::Instant;

/// The delay before the first check, so that it does not slow down the start, and the interval of checks of the log's
/// size.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// The interval between two rounds of deletion by age.
const ROUND_EVERY: Duration = Duration::from_secs(3600);

/// How much usage is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keep {
    pub(crate) retention: Retention,
    /// The maximum size of the log, in bytes.
    pub(crate) log_bytes: u64,
}

/// Deletes until the stop, in small steps that let calls be written in between.
pub(crate) async fn clean(store: UsageStore, keep: Keep, mut stop: Stop) {
    let mut trust = Trust::new(store.known_time(), now_ms(), Instant::now());
    let mut next_round = Instant::now() + LOOK_EVERY;
    loop {
        let look = async {
            tokio::time::sleep(LOOK_EVERY).await;
            if Instant::now() >= next_round {
                next_round = Instant::now() + ROUND_EVERY;
                round(&store, keep.retention, &mut trust).await?;
            }
            match store.clean_to_size(keep.log_bytes, now_ms()).await? {
                0 => {}
                rows => tracing::info!(
                    rows,
                    "deleted the oldest requests of the log, which had exceeded `usage.log_bytes`"
                ),
            }
            Ok::<_, StoreError>(())
        };
        let done = tokio::select! {
            done = look => done,
            _ = stop.wait() => return,
        };
        if let Err(error) = done {
            // Sooner than in an hour.
            next_round = Instant::now();
            if failure_log_is_due() {
                tracing::warn!(%error, "failed to delete expired usage; will retry");
            }
        }
    }
}

async fn round(store: &UsageStore, retention: Retention, trust: &mut Trust) -> Result<(), StoreError> {
    let now = now_ms();
    if let Err(doubt) = trust.look(now, Instant::now()) {
        tracing::warn!(?doubt, "skipped deleting usage by age: the system clock may be wrong");
        return Ok(());
    }
    store.known_time_set(now).await?;
    match store.clean(retention, now).await? {
        0 => {}
        rows => tracing::info!(rows, "deleted expired usage"),
    }
    Ok(())
}

/// How far, in milliseconds, the system clock may diverge from the monotonic clock between two checks. Synchronized
/// clocks diverge by seconds in an hour; a clock that is set, or a suspend, causes more.
const DRIFT_MS: i64 = 60_000;
/// How far, in milliseconds, the clock may be ahead of the last trusted time. The log is kept for at least a day, so a
/// clock that is wrong by less deletes at most a day's usage too early.
const AHEAD_MS: i64 = 24 * 3600 * 1000;
/// How long a clock that is further ahead must be steady before it is followed. That is time for people to notice that
/// it is wrong, and lets a server that was off for a week delete again.
const STEADY: Duration = Duration::from_secs(24 * 3600);

/// Whether to follow the system clock.
#[derive(Debug)]
struct Trust {
    /// The last trusted time, in Unix milliseconds, and the instant from which elapsed time is added to it.
    known: Option<(i64, Instant)>,
    last: (i64, Instant),
    steady_since: Instant,
}

/// Why the clock is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doubt {
    /// It was set, or stood still, since the last check.
    Moved,
    /// It is far ahead of the last trusted time.
    FarAhead,
}

impl Trust {
    fn new(known: Option<i64>, system: i64, monotonic: Instant) -> Self {
        Self {
            known: known.map(|known| (known, monotonic)),
            last: (system, monotonic),
            steady_since: monotonic,
        }
    }

    /// Checks both clocks.
    fn look(&mut self, system: i64, monotonic: Instant) -> Result<(), Doubt> {
        let (system_before, monotonic_before) = std::mem::replace(&mut self.last, (system, monotonic));
        let ahead_of = |time: i64, since: Instant| {
            let passed = i64::try_from((monotonic - since).as_millis()).unwrap_or(i64::MAX);
            system.saturating_sub(time).saturating_sub(passed)
        };
        let moved = ahead_of(system_before, monotonic_before);
        if moved.abs() > DRIFT_MS {
            self.steady_since = monotonic;
            return Err(Doubt::Moved);
        }
        // An empty log has no trusted time, and nothing that could be deleted too early.
        let is_far = self.known.is_some_and(|(known, since)| ahead_of(known, since) > AHEAD_MS);
        if is_far && monotonic - self.steady_since < STEADY {
            return Err(Doubt::FarAhead);
        }
        self.known = Some((system, monotonic));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3600 * 1000;
    const DAY_MS: i64 = 24 * HOUR_MS;
    const NOW: i64 = 1_795_132_800_000;

    /// Clocks that can be set.
    struct Clocks {
        trust: Trust,
        system: i64,
        monotonic: Instant,
    }

    impl Clocks {
        fn new(known: Option<i64>, system: i64) -> Self {
            let monotonic = Instant::now();
            Self { trust: Trust::new(known, system, monotonic), system, monotonic }
        }

        /// Lets `hours` pass, and moves the system clock by `moved` more milliseconds.
        fn pass(&mut self, hours: u32, moved: i64) -> Result<(), Doubt> {
            self.monotonic += Duration::from_secs(3600) * hours;
            self.system += i64::from(hours) * HOUR_MS + moved;
            self.trust.look(self.system, self.monotonic)
        }
    }

    #[test]
    fn a_steady_clock_is_followed() {
        let mut clocks = Clocks::new(Some(NOW - HOUR_MS), NOW);
        for moved in [0, 2_000, -2_000, 0] {
            assert_eq!(clocks.pass(1, moved), Ok(()));
        }
        assert_eq!(Clocks::new(None, NOW).pass(1, 0), Ok(()), "an empty log");
    }

    #[test]
    fn a_clock_that_is_set_ahead_deletes_nothing_for_a_day() {
        let mut clocks = Clocks::new(Some(NOW), NOW);
        assert_eq!(clocks.pass(1, 0), Ok(()));
        assert_eq!(clocks.pass(1, 500 * DAY_MS), Err(Doubt::Moved));
        for _ in 0..23 {
            assert_eq!(clocks.pass(1, 0), Err(Doubt::FarAhead));
        }
        assert_eq!(clocks.pass(1, -500 * DAY_MS), Err(Doubt::Moved), "it is set right");
        assert_eq!(clocks.pass(1, 0), Ok(()));
    }

    #[test]
    fn a_server_that_starts_with_a_wrong_clock_deletes_nothing() {
        let mut clocks = Clocks::new(Some(NOW), NOW + 500 * DAY_MS);
        assert_eq!(clocks.pass(1, 0), Err(Doubt::FarAhead));
        // Another start starts the wait again.
        let mut clocks = Clocks::new(Some(NOW), clocks.system);
        for _ in 0..23 {
            assert_eq!(clocks.pass(1, 0), Err(Doubt::FarAhead));
        }
        assert_eq!(clocks.pass(1, 0), Ok(()), "a server that was off for long deletes again");
    }

    #[test]
    fn a_suspended_night_costs_one_round() {
        let mut clocks = Clocks::new(Some(NOW), NOW);
        assert_eq!(clocks.pass(1, 9 * HOUR_MS), Err(Doubt::Moved));
        assert_eq!(clocks.pass(1, 0), Ok(()));
    }

    #[test]
    fn a_clock_behind_is_followed_and_deletes_less() {
        let mut clocks = Clocks::new(Some(NOW), NOW - 30 * DAY_MS);
        assert_eq!(clocks.pass(1, 0), Ok(()));
    }
}
