//! The drawing.

use super::ChartShape;
use super::data::{ChartData, Spans};
use super::draw::{Mark, highest, marks};
use super::scale::{DAY, Frame, HEIGHT, moment_ticks, value_ticks};
use crate::ui::time::{Short, ahead_of_utc};
use leptos::prelude::*;

/// A line across that would press everything else to the ground, by so many times, is left out and only told.
const FAR: f64 = 8.0;

/// Between two moments beside the axis, in pixels.
const APART: f64 = 84.0;

/// All that is drawn of a chart's figures.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Picture {
    pub(super) frame: Frame,
    pub(super) marks: Vec<Mark>,
    /// Heights of values beside the axis, with their words.
    values: Vec<(f64, String)>,
    /// Places of moments beside the axis, with their words.
    moments: Vec<(f64, String)>,
    /// The height of the limit, and its words; without a height it is far above.
    limit: Option<(Option<f64>, String)>,
}

impl Picture {
    /// Draws the figures at this width.
    pub(super) fn of(data: &ChartData, shape: ChartShape, width: f64) -> Self {
        let highest = highest(data, shape);
        let limit = data.limit.as_ref().map(|l| (l.value, l.label.clone()));
        let near = |(value, _): &&(f64, String)| highest <= 0.0 || *value <= highest * FAR;
        let reach = limit.as_ref().filter(near).map_or(highest, |(value, _)| highest.max(*value));
        let ticks = value_ticks(reach, data.unit.is_whole());
        let words: Vec<_> = ticks.iter().map(|value| data.unit.on_axis(*value, ticks[1])).collect();
        let frame = Frame {
            width,
            left: 14.0 + words.iter().map(|words| length(words)).fold(0.0, f64::max),
            most: ticks.last().copied().unwrap_or(1.0),
            count: data.spans.count,
        };
        Self {
            frame,
            marks: marks(frame, data, shape),
            values: ticks.iter().map(|value| frame.y(*value)).zip(words).collect(),
            moments: moments(frame, data.spans),
            limit: limit.map(|(value, label)| ((value <= frame.most).then(|| frame.y(value)), label)),
        }
    }

    /// What is behind the series: lines across, values and moments.
    pub(super) fn ground(&self) -> AnyView {
        let (left, right) = (self.frame.left, self.frame.begin(self.frame.count));
        let lines: String =
            self.values.iter().map(|(y, _)| format!("M{left:.1} {y:.1}H{right:.1}")).collect();
        let value = |(y, words): &(f64, String)| {
            let (x, y) = (format!("{:.1}", left - 8.0), format!("{y:.1}"));
            view! { <text x=x y=y text-anchor="end" dominant-baseline="central">{words.clone()}</text> }
        };
        let moment = |(x, words): &(f64, String)| {
            // What would stand out at either side stands inside.
            let half = length(words) / 2.0;
            let (x, y) = (format!("{:.1}", x.min(right - half).max(half)), HEIGHT - 6.0);
            view! { <text x=x y=y text-anchor="middle">{words.clone()}</text> }
        };
        view! {
            <path class="grid" d=lines></path>
            {self.values.iter().map(value).collect_view()}
            {self.moments.iter().map(moment).collect_view()}
        }
        .into_any()
    }

    /// The limit, above all series.
    pub(super) fn limit(&self) -> Option<AnyView> {
        let (y, words) = self.limit.as_ref()?;
        let (left, right) = (self.frame.left, self.frame.begin(self.frame.count));
        let line = y.map(|y| view! { <path class="limit" d=format!("M{left:.1} {y:.1}H{right:.1}")></path> });
        let words = if y.is_some() { words.clone() } else { format!("{words}, far above") };
        let at = format!("{:.1}", y.unwrap_or(14.0) - 5.0);
        Some(
            view! {
                {line}
                <text class="limit" x=format!("{right:.1}") y=at text-anchor="end">{words}</text>
            }
            .into_any(),
        )
    }
}

/// The moments beside the axis.
fn moments(frame: Frame, spans: Spans) -> Vec<(f64, String)> {
    let at_most = (frame.room() / APART).floor();
    let days = spans.are_days();
    let (step, ticks) = moment_ticks(spans, at_most, |t| if days { 0.0 } else { ahead_of_utc(t) });
    let word = |tick: f64| {
        let midnight = (tick + ahead_of_utc(tick)).rem_euclid(DAY) == 0.0;
        match () {
            () if days => Short::DayUtc.write(tick),
            () if step >= DAY || midnight => Short::Day.write(tick),
            () => Short::Clock.write(tick),
        }
    };
    let place = |tick: f64| {
        let x = frame.left + frame.room() * (tick - spans.from) / (spans.span * spans.count as f64);
        // A day's name stands below the middle of its bar.
        if days { x + frame.span() / 2.0 } else { x }
    };
    ticks.into_iter().map(|tick| (place(tick), word(tick))).collect()
}

/// How long words beside an axis are, in pixels, at most; what is not ASCII may be twice as wide.
fn length(words: &str) -> f64 {
    words.chars().map(|c| if c.is_ascii() { 6.6 } else { 11.0 }).sum()
}
