//! How long usage is kept, and which steps can be asked for because of that.

use super::UsageStep;
use serde::{Deserialize, Serialize};

/// How many days usage is kept. Sums by the day are kept for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UsageRetention {
    /// The log of single calls.
    pub log_days: u32,
    /// Sums by the minute: from the beginning of the day of UTC on that was so many days ago.
    pub minute_days: u32,
    /// Sums by the hour, likewise.
    pub hour_days: u32,
}

impl Default for UsageRetention {
    fn default() -> Self {
        Self { log_days: 14, minute_days: 30, hour_days: 400 }
    }
}

impl UsageRetention {
    /// Since when sums are kept that are kept for so many days, at a Unix time in milliseconds. Whole days of UTC, so that
    /// coarser sums have either all of their finer ones or none, and a range of just so many days can be asked for.
    pub fn since(days: u32, now_ms: i64) -> i64 {
        let day = UsageStep::Day.millis();
        let age = i64::from(days).saturating_mul(day);
        now_ms.saturating_sub(age).div_euclid(day).saturating_mul(day)
    }

    /// When the first sums of a step begin that are kept now, in Unix milliseconds; `None`: all are kept.
    pub fn kept_from(self, step: UsageStep, now_ms: i64) -> Option<i64> {
        let days = match step {
            UsageStep::Minute => self.minute_days,
            UsageStep::Hour => self.hour_days,
            UsageStep::Day => return None,
        };
        Some(Self::since(days, now_ms))
    }

    /// The finest step in which `usage_query` answers for a range of so many milliseconds; `None`: the range is too long for
    /// any. `first_ms` is the first moment that is asked for: the range's `from`, or with `previous=true` the `from` of the
    /// range before it.
    pub fn finest_for(self, range_ms: i64, first_ms: i64, now_ms: i64) -> Option<UsageStep> {
        let is_kept = |step| self.kept_from(step, now_ms).is_none_or(|kept| first_ms >= kept);
        UsageStep::ALL.into_iter().find(|step| step.covers(range_ms) && is_kept(*step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;
    const DAY: i64 = 24 * HOUR;
    /// Nine o'clock of some day.
    const NOW: i64 = 20_000 * DAY + 9 * HOUR;

    #[test]
    fn a_step_is_kept_from_the_beginning_of_a_day_on() {
        let kept = UsageRetention::default();
        assert_eq!(kept.kept_from(UsageStep::Minute, NOW), Some(NOW - 30 * DAY - 9 * HOUR));
        assert_eq!(kept.kept_from(UsageStep::Hour, NOW), Some(NOW - 400 * DAY - 9 * HOUR));
        assert_eq!(kept.kept_from(UsageStep::Day, NOW), None);
    }

    #[test]
    fn the_finest_step_is_one_that_is_kept_at_the_beginning() {
        let kept = UsageRetention { log_days: 1, minute_days: 5, hour_days: 40 };
        for (range, first, step) in [
            (HOUR, NOW - HOUR, Some(UsageStep::Minute)),
            (HOUR, NOW - 5 * DAY, Some(UsageStep::Minute)),
            (HOUR, NOW - 5 * DAY - 9 * HOUR - 1, Some(UsageStep::Hour)),
            (HOUR, NOW - 41 * DAY, Some(UsageStep::Day)),
            (2 * DAY, NOW - 2 * DAY, Some(UsageStep::Hour)),
            (63 * DAY, NOW - 63 * DAY, Some(UsageStep::Day)),
            (1465 * DAY, NOW - 1465 * DAY, None),
        ] {
            assert_eq!(kept.finest_for(range, first, NOW), step, "{range} {first}");
        }
    }
}
