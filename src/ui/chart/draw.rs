//! Paths.

use super::ChartShape;
use super::data::{ChartData, Series};
use super::scale::Frame;
use std::fmt::Write;

/// Bars narrower than this stand without a gap between them.
const NARROW: f64 = 4.0;

/// How a series is drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Mark {
    /// Its line, or the outline of its bars.
    pub(super) path: String,
    /// Its points that have no neighbour.
    pub(super) dots: String,
    /// The height of its value in each span.
    pub(super) heights: Vec<Option<f64>>,
}

/// The highest value, or sum of a bar.
pub(super) fn highest(data: &ChartData, shape: ChartShape) -> f64 {
    let most = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max);
    match shape {
        ChartShape::Lines => most(&mut data.series.iter().flat_map(|s| &s.values).filter_map(|v| *v)),
        ChartShape::StackedBars => {
            let lines = data.series.iter().filter(|s| s.dashed).flat_map(|s| &s.values).filter_map(|v| *v);
            most(&mut stack(data).last().into_iter().flatten().copied().chain(lines))
        }
    }
}

/// Where the part of each series ends, in each span. A dashed one is no part: it is a line over the bars.
fn stack(data: &ChartData) -> Vec<Vec<f64>> {
    let mut below = vec![0.0; data.spans.count];
    let upon = data.series.iter().map(|series| {
        for (sum, value) in below.iter_mut().zip(&series.values).filter(|_| !series.dashed) {
            *sum += value.unwrap_or_default();
        }
        below.clone()
    });
    upon.collect()
}

/// How each series is drawn.
pub(super) fn marks(frame: Frame, data: &ChartData, shape: ChartShape) -> Vec<Mark> {
    match shape {
        ChartShape::Lines => data.series.iter().map(|series| line(frame, &series.values)).collect(),
        ChartShape::StackedBars => {
            let mut low = vec![0.0; frame.count];
            let part = |high: Vec<f64>| {
                let mark = bars(frame, &low, &high);
                low = high;
                mark
            };
            let parts: Vec<_> = stack(data).into_iter().map(part).collect();
            let over = |(mark, series): (Mark, &Series)| {
                if series.dashed { line(frame, &series.values) } else { mark }
            };
            parts.into_iter().zip(&data.series).map(over).collect()
        }
    }
}

fn line(frame: Frame, values: &[Option<f64>]) -> Mark {
    let mut mark =
        Mark { heights: values.iter().map(|value| value.map(|v| frame.y(v))).collect(), ..Mark::default() };
    for (i, y) in mark.heights.iter().enumerate() {
        let Some(y) = y else { continue };
        let neighbour = |i: usize| mark.heights.get(i).is_some_and(Option::is_some);
        let (after, before) = (neighbour(i + 1), i > 0 && neighbour(i - 1));
        let x = frame.middle(i);
        // Writing to a `String` cannot fail.
        let _ = match (before, after) {
            (false, false) => write!(mark.dots, "M{x:.1} {y:.1}h0"),
            (false, true) => write!(mark.path, "M{x:.1} {y:.1}"),
            (true, _) => write!(mark.path, "L{x:.1} {y:.1}"),
        };
    }
    mark
}

/// The bars between two heights. A part that is not nothing is never too small to be seen.
fn bars(frame: Frame, low: &[f64], high: &[f64]) -> Mark {
    let gap = if frame.span() < NARROW { 0.0 } else { (frame.span() / 8.0).clamp(1.0, 6.0) };
    let edge = |i: usize| {
        let bottom = frame.y(low[i]);
        (high[i] > low[i]).then(|| (bottom, frame.y(high[i]).min(bottom - 1.0)))
    };
    let mut path = String::new();
    let mut i = 0;
    while i < frame.count {
        if edge(i).is_none() {
            i += 1;
            continue;
        }
        // Narrow bars side by side are one outline: up there, and back below.
        let from = i;
        let run = (from..frame.count).map_while(edge).take(if gap == 0.0 { frame.count } else { 1 });
        let run: Vec<_> = run.collect();
        i += run.len();
        // Writing to a `String` cannot fail.
        let _ = write!(path, "M{:.1} {:.1}", frame.begin(from) + gap / 2.0, run[0].0);
        for (n, (_, top)) in run.iter().enumerate() {
            let _ = write!(path, "V{top:.1}H{:.1}", frame.begin(from + n + 1) - gap / 2.0);
        }
        for (n, (bottom, _)) in run.iter().enumerate().rev() {
            let _ = write!(path, "V{bottom:.1}H{:.1}", frame.begin(from + n) + gap / 2.0);
        }
        path.push('z');
    }
    let heights = (0..frame.count).map(|i| edge(i).map(|(_, top)| top)).collect();
    Mark { path, dots: String::new(), heights }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::chart::{Hue, Series, Spans, Unit};

    fn data(values: &[&[Option<f64>]]) -> ChartData {
        let series = values.iter().map(|values| Series {
            name: String::new(),
            hue: Hue::C1,
            values: values.to_vec(),
            dashed: false,
        });
        ChartData {
            spans: Spans { from: 0.0, span: 1.0, count: values[0].len() },
            series: series.collect(),
            unit: Unit::Count,
            limit: None,
        }
    }

    fn frame(width: f64, count: usize) -> Frame {
        Frame { width: width + 12.0, left: 0.0, most: 10.0, count }
    }

    #[test]
    fn a_gap_breaks_the_line_and_a_lone_point_is_a_dot() {
        let data = data(&[&[Some(0.0), Some(10.0), None, Some(5.0), None]]);
        let mark = &marks(frame(50.0, 5), &data, ChartShape::Lines)[0];
        assert_eq!(mark.path, "M5.0 184.0L15.0 14.0");
        assert_eq!(mark.dots, "M35.0 99.0h0");
        assert_eq!(mark.heights[2], None);
    }

    #[test]
    fn parts_of_a_bar_stand_upon_each_other_and_a_gap_adds_nothing() {
        let data = data(&[&[Some(1.0), None], &[None, Some(2.0)], &[Some(3.0), Some(4.0)]]);
        assert_eq!(stack(&data), [[1.0, 0.0], [1.0, 2.0], [4.0, 6.0]]);
        assert_eq!(highest(&data, ChartShape::StackedBars), 6.0);
        assert_eq!(highest(&data, ChartShape::Lines), 4.0);
    }

    #[test]
    fn a_dashed_series_is_a_line_over_the_bars() {
        let mut data = data(&[&[Some(1.0), Some(2.0)], &[Some(8.0), Some(4.0)]]);
        data.series[1].dashed = true;
        assert_eq!(highest(&data, ChartShape::StackedBars), 8.0);
        assert_eq!(stack(&data), [[1.0, 2.0], [1.0, 2.0]]);
        let marks = marks(frame(24.0, 2), &data, ChartShape::StackedBars);
        assert!(
            marks[0].path.ends_with('z') && marks[1].path.starts_with('M') && marks[1].path.contains('L')
        );
    }

    #[test]
    fn wide_bars_stand_apart_and_narrow_ones_are_one_outline() {
        let data = data(&[&[Some(10.0), Some(5.0), Some(0.0)]]);
        let wide = &marks(frame(24.0, 3), &data, ChartShape::StackedBars)[0];
        assert_eq!(wide.path, "M0.5 184.0V14.0H7.5V184.0H0.5zM8.5 184.0V99.0H15.5V184.0H8.5z");
        let narrow = &marks(frame(6.0, 3), &data, ChartShape::StackedBars)[0];
        assert_eq!(narrow.path, "M0.0 184.0V14.0H2.0V99.0H4.0V184.0H2.0V184.0H0.0z");
    }

    #[test]
    fn one_failure_among_many_calls_can_be_seen() {
        let data = data(&[&[Some(9.999)], &[Some(0.001)]]);
        let bars = marks(frame(8.0, 1), &data, ChartShape::StackedBars);
        let (bottom, top) = (bars[0].heights[0].unwrap(), bars[1].heights[0].unwrap());
        assert!(bottom - top >= 0.9, "{bottom} {top}");
    }
}
