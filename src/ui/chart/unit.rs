//! What the values of a chart are, in figures.

use crate::ui::number::{compact, decimal, decimal_to, duration, money, money_to, percent, percent_to};

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
    /// Short, beside the axis, whose values are `step` apart: with as many decimals as tell them apart.
    pub(super) fn on_axis(&self, value: f64, step: f64) -> String {
        match self {
            Self::Count => compact(value),
            Self::Average if value >= 10.0 => compact(value),
            Self::Average => decimal_to(decimals(step), value),
            Self::Millis => self.exactly(value),
            // `5.0` is no amount of money.
            Self::Money(currency) => match decimals(step) {
                1 => money_to(2, value, currency),
                decimals => money_to(decimals, value, currency),
            },
            Self::Ratio => percent_to(decimals(step * 100.0), value),
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

/// How many decimals tell round values apart that are so far from each other: 1 for 2.5, 3 for 0.005.
fn decimals(step: f64) -> u32 {
    /// More would tell nothing, and formatters take no more than 20.
    const MOST: u32 = 12;
    let is_whole = |decimals: &u32| {
        let scaled = step * 10_f64.powi(*decimals as i32);
        scaled >= 0.99 && (scaled - scaled.round()).abs() < 1e-6 * scaled
    };
    (0..MOST).find(is_whole).unwrap_or(MOST)
}

#[cfg(test)]
mod tests {
    use super::decimals;
    use crate::ui::chart::scale::value_ticks;

    #[test]
    fn values_beside_the_axis_have_the_decimals_that_tell_them_apart() {
        assert_eq!([1.0, 20.0, 2.5, 0.2, 0.25, 0.005, 0.0000025].map(decimals), [0, 0, 1, 1, 2, 3, 7]);
        for highest in [0.02, 3e-7, 0.0031, 0.6, 1.1, 7.7, 9.9, 12_345.0] {
            let ticks = value_ticks(highest, false);
            let decimals = decimals(ticks[1]) as usize;
            let words: std::collections::BTreeSet<_> =
                ticks.iter().map(|t| format!("{t:.decimals$}")).collect();
            assert_eq!(words.len(), ticks.len(), "{words:?}");
        }
    }
}
