//! What the values of a chart are, in figures.

use crate::ui::number::{compact, decimal, duration, money, percent};

/// What values are.
#[derive(Clone, Debug, PartialEq)]
pub enum Unit {
    /// A number of things.
    Count,
    /// So many of them on average.
    Average,
    /// Milliseconds.
    Millis,
    /// An amount of this currency.
    Money(String),
    /// A part of a whole, from 0 to 1.
    Ratio,
}

impl Unit {
    /// Short, beside the axis.
    pub(super) fn on_axis(&self, value: f64) -> String {
        match self {
            Self::Count => compact(value),
            Self::Average if value >= 10.0 => compact(value),
            _ => self.exactly(value),
        }
    }

    /// As exactly as a person wants it.
    pub(super) fn exactly(&self, value: f64) -> String {
        match self {
            Self::Count | Self::Average => decimal(value),
            Self::Millis => duration(value),
            Self::Money(currency) => money(value, currency),
            Self::Ratio => percent(value),
        }
    }

    /// What stands behind a name at the head of a column of bare numbers.
    pub(super) fn in_head(&self) -> String {
        match self {
            Self::Count | Self::Average => String::new(),
            Self::Millis => " (ms)".to_owned(),
            Self::Money(currency) => format!(" ({currency})"),
            Self::Ratio => " (0 to 1)".to_owned(),
        }
    }

    /// Whether a step of the axis is at least 1.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self, Self::Count)
    }
}
