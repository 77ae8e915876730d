//! What a chart shows.

use super::unit::Unit;

/// Figures over time.
#[derive(Clone, Debug, PartialEq)]
pub struct ChartData {
    /// Over which time.
    pub spans: Spans,
    /// Each has a value, or a gap, for every span.
    pub series: Vec<Series>,
    /// What the values are.
    pub unit: Unit,
    /// What they should stay below.
    pub limit: Option<Limit>,
}

/// Spans of time of one length, one after the other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spans {
    /// Where the first begins, in milliseconds since 1970.
    pub from: f64,
    /// The length of each, in milliseconds. Days are taken to be days of UTC.
    pub span: f64,
    /// How many there are.
    pub count: usize,
}

/// One line, or one part of each bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What it is called.
    pub name: String,
    /// In which colour.
    pub hue: Hue,
    /// A value a span; none is a gap, not a zero.
    pub values: Vec<Option<f64>>,
    /// Whether its line is dashed, so that it is told apart without its colour. Among bars it is the one that is a line.
    pub dashed: bool,
}

/// A line across the chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// What it is called, with its value.
    pub label: String,
    /// Where it is.
    pub value: f64,
}

/// A colour of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "five that mean nothing, one for all others, and three that mean what they say"
)]
pub enum Hue {
    C1,
    C2,
    C3,
    C4,
    C5,
    Rest,
    Good,
    Warn,
    Bad,
}

impl Hue {
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::C1 => "c1",
            Self::C2 => "c2",
            Self::C3 => "c3",
            Self::C4 => "c4",
            Self::C5 => "c5",
            Self::Rest => "rest",
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }
}

impl Spans {
    /// The spans of this length from one moment to another.
    pub fn between(from: f64, to: f64, span: f64) -> Self {
        Self { from, span, count: ((to - from) / span).round().max(0.0) as usize }
    }

    /// When the span begins.
    pub fn begin(self, i: usize) -> f64 {
        self.from + i as f64 * self.span
    }

    /// Which span a moment is in.
    pub fn find(self, moment: f64) -> Option<usize> {
        let i = ((moment - self.from) / self.span).floor();
        (i >= 0.0 && i < self.count as f64).then_some(i as usize)
    }

    /// What share of all of them has passed at a moment.
    pub fn passed(self, now: f64) -> f64 {
        let length = self.span * self.count as f64;
        if length > 0.0 { ((now - self.from) / length).clamp(0.01, 1.0) } else { 1.0 }
    }

    /// A value for each span: those that are given, and what is usual for the others.
    pub fn fill(
        self,
        usual: Option<f64>,
        given: impl IntoIterator<Item = (f64, Option<f64>)>,
    ) -> Vec<Option<f64>> {
        let mut values = vec![usual; self.count];
        for (moment, value) in given {
            if let Some(i) = self.find(moment) {
                values[i] = value;
            }
        }
        values
    }

    /// Whether they are days, which are of UTC.
    pub(super) fn are_days(self) -> bool {
        self.span >= 86_400_000.0
    }
}

impl ChartData {
    /// The same without the series of these names.
    pub(super) fn without(&self, hidden: &[String]) -> Self {
        let shown = |series: &&Series| !hidden.contains(&series.name);
        Self { series: self.series.iter().filter(shown).cloned().collect(), ..self.clone() }
    }

    /// Whether there is nothing to see.
    pub(super) fn is_empty(&self) -> bool {
        self.series.iter().flat_map(|series| &series.values).all(|value| value.is_none_or(|v| v == 0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_given_is_as_usual_and_what_lies_outside_is_left_out() {
        let spans = Spans::between(60_000.0, 240_000.0, 60_000.0);
        assert_eq!(spans.count, 3);
        let given = [(0.0, Some(9.0)), (60_000.0, Some(1.0)), (180_000.0, None), (240_000.0, Some(9.0))];
        assert_eq!(spans.fill(Some(0.0), given), [Some(1.0), Some(0.0), None]);
        assert_eq!(spans.fill(None, given), [Some(1.0), None, None]);
    }

    #[test]
    fn a_moment_is_in_the_span_that_begins_with_or_before_it() {
        let spans = Spans { from: 100.0, span: 10.0, count: 2 };
        assert_eq!(
            [99.0, 100.0, 109.0, 110.0, 120.0].map(|t| spans.find(t)),
            [None, Some(0), Some(0), Some(1), None]
        );
    }
}
