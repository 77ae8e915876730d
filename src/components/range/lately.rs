//! Ranges of time that end now.

/// A range that ends now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lately {
    /// 15 minutes.
    Minutes15,
    /// An hour.
    Hour,
    /// 24 hours.
    Day,
    /// 7 days.
    Week,
    /// 14 days.
    Fortnight,
    /// 30 days.
    Month,
    /// 90 days.
    Quarter,
    /// 12 months of 365 days.
    Year,
}

impl Lately {
    /// As it stands in the address.
    pub fn name(self) -> &'static str {
        match self {
            Self::Minutes15 => "15m",
            Self::Hour => "1h",
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Fortnight => "14d",
            Self::Month => "30d",
            Self::Quarter => "90d",
            Self::Year => "12mo",
        }
    }

    /// On its button.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Minutes15 => "15 m",
            Self::Hour => "1 h",
            Self::Day => "24 h",
            Self::Week => "7 d",
            Self::Fortnight => "14 d",
            Self::Month => "30 d",
            Self::Quarter => "90 d",
            Self::Year => "12 mo",
        }
    }

    /// Within a sentence: `last 24 hours`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Minutes15 => "last 15 minutes",
            Self::Hour => "last hour",
            Self::Day => "last 24 hours",
            Self::Week => "last 7 days",
            Self::Fortnight => "last 14 days",
            Self::Month => "last 30 days",
            Self::Quarter => "last 90 days",
            Self::Year => "last 12 months",
        }
    }

    /// Its length in milliseconds.
    pub fn millis(self) -> i64 {
        const MINUTE: i64 = 60_000;
        const DAY: i64 = 24 * 60 * MINUTE;
        match self {
            Self::Minutes15 => 15 * MINUTE,
            Self::Hour => 60 * MINUTE,
            Self::Day => DAY,
            Self::Week => 7 * DAY,
            Self::Fortnight => 14 * DAY,
            Self::Month => 30 * DAY,
            Self::Quarter => 90 * DAY,
            Self::Year => 365 * DAY,
        }
    }
}
