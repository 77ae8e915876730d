//! Which steps a range can be asked for in: those that are not too many, and whose sums are still there.

use super::super::Console;
use super::Range;
use crate::problem::Problem;
use keygate_contract::{RegionId, UsageStep};
use keygate_store::{now_ms, timestamp};

/// How much is told at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// As much as one answer holds.
    Answer,
    /// All that is kept, line by line.
    File,
}

/// Since when sums are there, in Unix milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    minutes: i64,
    hours: i64,
}

impl Kept {
    /// By what the configuration says now, and by what was deleted when it said otherwise.
    pub(super) async fn read(console: &Console, region: &RegionId) -> Result<Self, Problem> {
        let (retention, now) = (console.region(region)?.usage, now_ms());
        let told = |step| retention.kept_from(step, now).unwrap_or(i64::MIN);
        let there = console.usage.sums_from().await?;
        Ok(Self {
            minutes: told(UsageStep::Minute).max(there.minutes),
            hours: told(UsageStep::Hour).max(there.hours),
        })
    }

    fn since(self, step: UsageStep) -> i64 {
        match step {
            UsageStep::Minute => self.minutes,
            UsageStep::Hour => self.hours,
            UsageStep::Day => i64::MIN,
        }
    }

    /// Refuses a step that a range cannot be told in, and names the one to use. `range` is as it was asked for: the steps
    /// that it begins and ends within count as one. With `previous` the range before it is told, too.
    pub(super) fn require(
        self,
        range: Range,
        previous: bool,
        step: UsageStep,
        length: Length,
    ) -> Result<(), Problem> {
        let first = if previous { range.before().from } else { range.from };
        let is_short = |step: UsageStep| length == Length::File || step.covers(range.length());
        let is_there = |step: UsageStep| first >= self.since(step);
        if is_short(step) && is_there(step) {
            return Ok(());
        }
        let Some(to_use) = UsageStep::ALL.into_iter().find(|step| is_short(*step) && is_there(*step)) else {
            let message = format!(
                "A query covers {} at most, with `step=day`. Ask for a shorter range.",
                span(UsageStep::Day)
            );
            return Err(Problem::invalid_field("from", message));
        };
        let steps = of_a(step);
        let message = if is_short(step) {
            let since = timestamp(self.since(step));
            let begins = match range.from >= self.since(step) {
                true => "the range before this one begins earlier",
                false => "this range begins earlier",
            };
            format!(
                "Steps of {steps} are kept since {since}, and {begins}. Use `step={to_use}`, or a later range."
            )
        } else {
            let most = span(step);
            format!(
                "Steps of {steps} cover {most} at most. Use `step={to_use}` for this range, or a shorter range."
            )
        };
        Err(Problem::invalid_field("step", message))
    }
}

/// A step with its article.
fn of_a(step: UsageStep) -> &'static str {
    match step {
        UsageStep::Minute => "a minute",
        UsageStep::Hour => "an hour",
        UsageStep::Day => "a day",
    }
}

/// How much one answer holds, in words.
fn span(step: UsageStep) -> &'static str {
    match step {
        UsageStep::Minute => "25 hours",
        UsageStep::Hour => "62 days",
        UsageStep::Day => "4 years",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;
    const DAY: i64 = 24 * HOUR;
    const NOW: i64 = 20_000 * DAY;
    const KEPT: Kept = Kept { minutes: NOW - 30 * DAY, hours: NOW - 400 * DAY };

    fn range(from: i64, to: i64) -> Range {
        Range { from: NOW - from, to: NOW - to }
    }

    fn refused(range: Range, previous: bool, step: UsageStep, length: Length) -> String {
        format!("{:?}", KEPT.require(range, previous, step, length).unwrap_err())
    }

    #[test]
    fn a_step_too_fine_is_refused_with_the_one_to_use() {
        for (days, step, says) in [
            (2, UsageStep::Minute, "Steps of a minute cover 25 hours at most. Use `step=hour`"),
            (63, UsageStep::Minute, "step=day"),
            (63, UsageStep::Hour, "Steps of an hour cover 62 days at most. Use `step=day`"),
            (2000, UsageStep::Hour, "4 years"),
        ] {
            let refused = refused(range(days * DAY, 0), false, step, Length::Answer);
            assert!(refused.contains("status: 422") && refused.contains(says), "{refused}");
        }
    }

    #[test]
    fn as_much_as_an_answer_holds_may_begin_within_a_step() {
        for (length, step) in [(25 * HOUR, UsageStep::Minute), (62 * DAY, UsageStep::Hour)] {
            let asked = range(length + 1, 1);
            assert!(KEPT.require(asked, false, step, Length::Answer).is_ok(), "{step}");
            let longer = range(length + 1, 0);
            assert!(KEPT.require(longer, false, step, Length::Answer).is_err(), "{step}");
        }
    }

    #[test]
    fn a_step_that_is_gone_where_the_range_begins_is_refused_with_one_that_is_there() {
        let minute = UsageStep::Minute;
        assert!(KEPT.require(range(30 * DAY, 29 * DAY), false, minute, Length::Answer).is_ok());
        for (asked, previous, step, to_use) in [
            (range(30 * DAY + 1, 29 * DAY + 1), false, minute, "this range begins earlier. Use `step=hour`"),
            (
                range(30 * DAY, 29 * DAY),
                true,
                minute,
                "the range before this one begins earlier. Use `step=hour`",
            ),
            (range(401 * DAY, 400 * DAY), false, minute, "step=day"),
            (range(401 * DAY, 400 * DAY), false, UsageStep::Hour, "Steps of an hour are kept since"),
            // Too long for minutes, too old for hours.
            (range(410 * DAY, 380 * DAY), false, minute, "step=day"),
        ] {
            let refused = refused(asked, previous, step, Length::Answer);
            assert!(refused.contains("field: Some(\"step\")") && refused.contains(to_use), "{refused}");
        }
    }

    #[test]
    fn a_file_holds_all_that_is_kept() {
        let hour = UsageStep::Hour;
        assert!(KEPT.require(range(400 * DAY, 0), false, hour, Length::File).is_ok());
        assert!(KEPT.require(range(19_000 * DAY, 0), false, UsageStep::Day, Length::File).is_ok());
        assert!(refused(range(400 * DAY + 1, 0), false, hour, Length::File).contains("step=day"));
    }
}
