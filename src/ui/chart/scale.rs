//! Where values and moments stand.

use super::data::Spans;

/// The height of the drawing.
pub(super) const HEIGHT: f64 = 208.0;
/// Above the highest value.
const TOP: f64 = 14.0;
/// Below zero, for the moments.
const BOTTOM: f64 = 24.0;
/// After the last span.
const RIGHT: f64 = 12.0;

/// The field that values are drawn in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Frame {
    /// Of the whole drawing.
    pub(super) width: f64,
    /// Where the first span begins.
    pub(super) left: f64,
    /// The value at the upper edge.
    pub(super) most: f64,
    /// How many spans there are.
    pub(super) count: usize,
}

impl Frame {
    /// The width of all spans together.
    pub(super) fn room(self) -> f64 {
        (self.width - self.left - RIGHT).max(1.0)
    }

    /// The width of one.
    pub(super) fn span(self) -> f64 {
        self.room() / self.count.max(1) as f64
    }

    /// Where a span begins.
    pub(super) fn begin(self, i: usize) -> f64 {
        self.left + self.span() * i as f64
    }

    /// The middle of a span.
    pub(super) fn middle(self, i: usize) -> f64 {
        self.begin(i) + self.span() / 2.0
    }

    /// The height of a value.
    pub(super) fn y(self, value: f64) -> f64 {
        let field = HEIGHT - TOP - BOTTOM;
        HEIGHT - BOTTOM - field * (value / self.most).clamp(0.0, 1.0)
    }

    /// The span that is drawn there, or the nearest one.
    pub(super) fn nearest(self, x: f64) -> usize {
        let i = ((x - self.left) / self.span()).floor().max(0.0) as usize;
        i.min(self.count.saturating_sub(1))
    }
}

/// Round values from zero to one that is no less than the highest, about four steps.
pub(super) fn value_ticks(highest: f64, whole: bool) -> Vec<f64> {
    if !highest.is_finite() || highest <= 0.0 {
        return vec![0.0, 1.0];
    }
    let rough = highest / 4.0;
    let power = 10_f64.powf(rough.log10().floor());
    let fits = |step: &f64| *step >= rough * 0.999 && (!whole || step.fract() == 0.0);
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].map(|n| n * power).into_iter().find(fits).unwrap_or(1.0);
    let steps = (highest / step - 1e-9).ceil() as usize;
    (0..=steps.max(1)).map(|i| i as f64 * step).collect()
}

const MINUTE: f64 = 60_000.0;
const HOUR: f64 = 60.0 * MINUTE;
/// A day.
pub(super) const DAY: f64 = 24.0 * HOUR;

/// How far apart the moments beside the axis may be.
const STEPS: [f64; 21] = [
    MINUTE,
    2.0 * MINUTE,
    5.0 * MINUTE,
    10.0 * MINUTE,
    15.0 * MINUTE,
    30.0 * MINUTE,
    HOUR,
    2.0 * HOUR,
    3.0 * HOUR,
    6.0 * HOUR,
    12.0 * HOUR,
    DAY,
    2.0 * DAY,
    4.0 * DAY,
    7.0 * DAY,
    14.0 * DAY,
    28.0 * DAY,
    56.0 * DAY,
    91.0 * DAY,
    182.0 * DAY,
    364.0 * DAY,
];

/// Round moments in the spans, at most so many, and how far they are apart. `offset` tells how far a clock is ahead of
/// UTC at a moment, in milliseconds.
pub(super) fn moment_ticks(spans: Spans, at_most: f64, offset: impl Fn(f64) -> f64) -> (f64, Vec<f64>) {
    let length = spans.span * spans.count as f64;
    let fits = |step: &f64| *step >= spans.span && length / *step <= at_most.max(1.0);
    let step = STEPS.into_iter().find(fits).unwrap_or(STEPS[20]);
    let ahead = offset(spans.from);
    let first = ((spans.from + ahead) / step).ceil() * step - ahead;
    let ticks = (0..)
        .map(|i| first + f64::from(i) * step)
        // The clock may be put forward or back between.
        .map(|tick| if step > HOUR { tick + ahead - offset(tick) } else { tick })
        .take_while(|tick| *tick < spans.from + length)
        .filter(|tick| *tick >= spans.from);
    (step, ticks.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_beside_the_axis_are_round_and_reach_the_highest() {
        assert_eq!(value_ticks(0.0, true), [0.0, 1.0]);
        assert_eq!(value_ticks(f64::NAN, true), [0.0, 1.0]);
        assert_eq!(value_ticks(1.0, true), [0.0, 1.0]);
        assert_eq!(value_ticks(3.0, true), [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(value_ticks(9.0, true), [0.0, 5.0, 10.0]);
        assert_eq!(value_ticks(400.0, true), [0.0, 100.0, 200.0, 300.0, 400.0]);
        assert_eq!(value_ticks(401.0, true), [0.0, 200.0, 400.0, 600.0]);
        assert_eq!(value_ticks(0.8, false), [0.0, 0.2, 0.4, 0.6000000000000001, 0.8]);
        for highest in [1e-6, 0.003, 7.7, 12_345.0, 9.9e15] {
            let ticks = value_ticks(highest, false);
            assert!((2..=6).contains(&ticks.len()) && *ticks.last().unwrap() >= highest * 0.999, "{ticks:?}");
        }
    }

    #[test]
    fn moments_are_round_on_the_clock_of_the_person() {
        let minutes = |from: f64, count| Spans { from: from * MINUTE, span: MINUTE, count };
        let (step, ticks) = moment_ticks(minutes(7.0, 60), 5.0, |_| 0.0);
        assert_eq!((step, ticks), (15.0 * MINUTE, [15.0, 30.0, 45.0, 60.0].map(|m| m * MINUTE).to_vec()));
        // Half past the hour in UTC is a full hour in Mumbai.
        let (_, ticks) = moment_ticks(minutes(0.0, 120), 2.0, |_| 5.5 * HOUR);
        assert_eq!(ticks, [30.0 * MINUTE, 90.0 * MINUTE]);
    }

    #[test]
    fn days_begin_at_midnight_before_and_after_the_clock_is_put_back() {
        let spans = Spans { from: 0.0, span: HOUR, count: 72 };
        let offset = |t: f64| if t < 30.0 * HOUR { 2.0 * HOUR } else { HOUR };
        let (step, ticks) = moment_ticks(spans, 4.0, offset);
        assert_eq!((step, ticks), (DAY, vec![22.0 * HOUR, 47.0 * HOUR, 71.0 * HOUR]));
    }

    #[test]
    fn spans_fill_the_field_and_are_found_again() {
        let frame = Frame { width: 112.0, left: 40.0, most: 10.0, count: 6 };
        assert_eq!((frame.begin(0), frame.begin(6), frame.middle(1)), (40.0, 100.0, 55.0));
        assert_eq!((frame.y(0.0), frame.y(10.0), frame.y(99.0)), (HEIGHT - BOTTOM, TOP, TOP));
        assert_eq!([-5.0, 40.0, 59.0, 1e9].map(|x| frame.nearest(x)), [0, 0, 1, 5]);
    }
}
