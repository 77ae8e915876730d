//! The ranges of time that can be watched.

use crate::api::UsageRange;
use crate::components::{Lately, PageRange};
use keygate_contract::UsageStep;

/// Those that end now.
pub(super) const RANGES: &[Lately] =
    &[Lately::Minutes15, Lately::Hour, Lately::Day, Lately::Week, Lately::Month];

/// The one that is left out of the address.
pub(super) const USUAL: Lately = Lately::Hour;

/// Whether it ends now.
pub(super) fn is_live(range: PageRange) -> bool {
    matches!(range, PageRange::Lately(_))
}

/// In spans of what length it is shown.
pub(super) fn step(range: PageRange) -> UsageStep {
    UsageStep::finest_for(UsageRange::from(range).length()).unwrap_or(UsageStep::Day)
}

/// For the labels of figures: `last hour`.
pub(super) fn words(range: PageRange) -> &'static str {
    match range {
        PageRange::Lately(range) => range.words(),
        PageRange::Between(..) => "chosen range",
    }
}

/// The range that it is compared with: `the hour before`.
pub(super) fn before(range: PageRange) -> String {
    let length = match range {
        PageRange::Lately(range) => range.words().trim_start_matches("last "),
        PageRange::Between(..) => "same time",
    };
    format!("the {length} before")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_up_to_a_day_and_hours_beyond() {
        use UsageStep::{Hour, Minute};
        let steps: Vec<_> = RANGES.iter().map(|range| step(PageRange::Lately(*range))).collect();
        assert_eq!(steps, [Minute, Minute, Minute, Hour, Hour]);
    }

    #[test]
    fn a_range_is_compared_with_the_one_before_it() {
        assert_eq!(before(PageRange::Lately(Lately::Hour)), "the hour before");
        assert_eq!(before(PageRange::Lately(Lately::Week)), "the 7 days before");
        assert_eq!(before(PageRange::Between(1, 2)), "the same time before");
    }
}
