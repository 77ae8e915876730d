//! Ranges in whole steps.

use super::PageRange;
use crate::api::{Query, UsageRange};
use crate::state::Regions;
use keygate_contract::{UsageRetention, UsageStep};
use leptos::prelude::*;

/// The range of the page in whole steps, which is what figures can be told of.
#[derive(Clone, Copy)]
pub struct Steps {
    /// From the beginning of a step to the end of one.
    pub range: Memo<PageRange>,
    /// How long the steps are; none while it is not known what is kept of that time.
    pub step: Memo<Option<UsageStep>>,
}

/// The range of the page in steps that are as fine as `wanted` where such are kept.
pub fn use_steps(chosen: Memo<PageRange>, wanted: fn(PageRange) -> UsageStep) -> Steps {
    let regions = Regions::expect();
    let step = Memo::new(move |_| {
        let (chosen, kept) = (chosen.get(), regions.current.with(|region| region.as_ref().map(|r| r.usage)));
        // What has just been is kept nearly everywhere: it is not waited for.
        let kept = if chosen.is_live() { kept.unwrap_or_default() } else { kept? };
        Some(step(chosen.into(), wanted(chosen), kept, crate::ui::now() as i64))
    });
    let range = Memo::new(move |_| match (chosen.get(), step.get()) {
        (PageRange::Between(from, to), Some(step)) => PageRange::Between(step.floor(from), step.ceil(to)),
        (range, _) => range,
    });
    Steps { range, step }
}

/// The range that the figures in view are of: the one before, while those of the chosen one are on their way.
pub fn use_told<V: Clone + PartialEq + Send + Sync + 'static>(
    range: Memo<PageRange>,
    figures: Query<V>,
) -> Memo<PageRange> {
    Memo::new(move |before: Option<&PageRange>| {
        let is_old = figures.state().with(|state| state.outdated);
        before.copied().filter(|_| is_old).unwrap_or_else(|| range.get())
    })
}

/// The finest step for a range and the one before it.
fn step(range: UsageRange, wanted: UsageStep, kept: UsageRetention, now: i64) -> UsageStep {
    let length = range.length();
    let from = match range {
        UsageRange::Last(_) => now - length,
        UsageRange::Between(from, _) => from,
    };
    kept.finest_for(length, from - length, now).unwrap_or(UsageStep::Day).max(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use UsageStep::{Day, Hour, Minute};

    const HOUR: i64 = 3_600_000;
    const DAY: i64 = 24 * HOUR;
    const NOW: i64 = 20_000 * DAY;

    #[test]
    fn a_step_is_kept_where_the_range_and_the_one_before_it_begin() {
        let step = |range, wanted| step(range, wanted, UsageRetention::default(), NOW);
        let ago = |days: i64| UsageRange::Between(NOW - days * DAY, NOW - days * DAY + 20 * HOUR);
        let all = [ago(1), ago(29), ago(30), ago(399), ago(400)].map(|range| step(range, Minute));
        assert_eq!(all, [Minute, Minute, Hour, Hour, Day]);
        assert_eq!(step(ago(1), Day), Day);
        assert_eq!(step(UsageRange::Last(HOUR), Minute), Minute);
        assert_eq!(step(UsageRange::Last(30 * DAY), Minute), Hour);
        assert_eq!(step(UsageRange::Between(0, NOW), Minute), Day);
    }
}
