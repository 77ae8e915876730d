//! The range of time that a query is about.

use crate::problem::Problem;
use http::StatusCode;
use keygate_contract::{ErrorCode, Timestamp, UsageStep};
use keygate_store::from_timestamp;

/// Without a `from`, a query is about the day before its `to`, in milliseconds.
const UNLESS_TOLD: i64 = 24 * 3_600_000;
/// Times before 1970 and after 2200, in Unix milliseconds, are mistakes.
const EARLIEST: i64 = 0;
const LATEST: i64 = 7_258_118_400_000;

/// A range of time in Unix milliseconds, not empty. Its end is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) from: i64,
    pub(crate) to: i64,
}

impl Range {
    /// The range of the query fields `from` and `to`: RFC 3339, with whatever offset.
    pub(crate) fn read(from: Option<&str>, to: Option<&str>, now: i64) -> Result<Self, Problem> {
        let (from, to) = Self::ends(from, to)?;
        let to = to.unwrap_or(now);
        let from = from.unwrap_or(to - UNLESS_TOLD);
        // Without a `to` the range may begin in the future.
        if from < to { Ok(Self { from, to }) } else { Err(backwards()) }
    }

    /// Both ends, as far as they are told.
    pub(crate) fn ends(from: Option<&str>, to: Option<&str>) -> Result<(Option<i64>, Option<i64>), Problem> {
        let from = from.map(|text| read_time("from", text)).transpose()?;
        let to = to.map(|text| read_time("to", text)).transpose()?;
        if from.zip(to).is_some_and(|(from, to)| from >= to) {
            return Err(backwards());
        }
        Ok((from, to))
    }

    /// The same in whole steps: a begun one at either end counts as a whole.
    pub(crate) fn in_steps(self, step: UsageStep) -> Self {
        let length = step.millis();
        Self {
            from: self.from.div_euclid(length) * length,
            to: (self.to + length - 1).div_euclid(length) * length,
        }
    }

    /// The range of the same length before it.
    pub(crate) fn before(self) -> Self {
        Self { from: (self.from - self.length()).max(EARLIEST), to: self.from }
    }

    pub(crate) fn length(self) -> i64 {
        self.to - self.from
    }
}

fn backwards() -> Problem {
    let message = "`from` must be before `to`. Exchange them, or leave out `to` for now.";
    Problem::invalid_field("from", message)
}

fn read_time(field: &'static str, text: &str) -> Result<i64, Problem> {
    // A `+` that was not escaped arrives as a space, and nothing else in such a time can be one.
    let text = text.replace(' ', "+");
    let ms = from_timestamp(&Timestamp::from_rfc3339(text)).filter(|ms| (EARLIEST..=LATEST).contains(ms));
    ms.ok_or_else(|| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            ErrorCode::InvalidQuery,
            format!("In the query: `{field}` must be a time such as 2026-11-20T08:30:00Z or 2026-11-20T16:30:00+08:00."),
        )
        .field(field)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;
    /// 2026-11-20T08:30:00Z.
    const NOW: i64 = 1_795_163_400_000;

    fn range(from: &str, to: &str) -> Result<Range, String> {
        let given = |text: &'static str| Some(text).filter(|text| !text.is_empty());
        let (from, to) =
            (Box::leak(from.to_owned().into_boxed_str()), Box::leak(to.to_owned().into_boxed_str()));
        Range::read(given(from), given(to), NOW).map_err(|problem| format!("{problem:?}"))
    }

    #[test]
    fn a_range_is_the_last_day_unless_told() {
        assert_eq!(range("", ""), Ok(Range { from: NOW - 24 * HOUR, to: NOW }));
        assert_eq!(range("2026-11-20T08:00:00Z", ""), Ok(Range { from: NOW - HOUR / 2, to: NOW }));
        assert_eq!(range("", "2026-11-20T07:30:00Z"), Ok(Range { from: NOW - 25 * HOUR, to: NOW - HOUR }));
    }

    #[test]
    fn any_offset_is_read_also_with_a_plus_that_was_not_escaped() {
        for text in ["2026-11-20T16:00:00+08:00", "2026-11-20T16:00:00 08:00", "2026-11-20T02:00:00-06:00"] {
            assert_eq!(range(text, "").map(|range| range.from), Ok(NOW - HOUR / 2), "{text}");
        }
    }

    #[test]
    fn what_is_no_range_is_refused_by_its_field() {
        for (from, to, field) in [
            ("yesterday", "", "from"),
            ("2026-11-20", "", "from"),
            ("", "2026-11-20T08:30:00", "to"),
            ("1969-12-31T00:00:00Z", "", "from"),
            ("", "9999-12-31T00:00:00Z", "to"),
            ("2026-11-20T08:30:00Z", "2026-11-20T08:30:00Z", "from"),
            ("2026-11-20T08:30:01Z", "2026-11-20T08:30:00Z", "from"),
        ] {
            let refused = range(from, to).unwrap_err();
            assert!(refused.contains(&format!("field: Some(\"{field}\")")), "{from} {to}: {refused}");
        }
    }

    #[test]
    fn steps_at_the_ends_count_as_whole_ones() {
        let range = Range { from: NOW + 1, to: NOW + 2 };
        assert_eq!(range.in_steps(UsageStep::Minute), Range { from: NOW, to: NOW + 60_000 });
        let hour = Range { from: NOW - HOUR / 2, to: NOW + HOUR / 2 };
        assert_eq!(range.in_steps(UsageStep::Hour), hour);
        assert_eq!(hour.in_steps(UsageStep::Hour), hour);
        assert_eq!(hour.before(), Range { from: NOW - 3 * HOUR / 2, to: NOW - HOUR / 2 });
    }
}
