//! Spans of time that people choose, in whole seconds.

use crate::limits::{OVERLAP_MAX, TEMPORARY_KEY_LIFE, TEMPORARY_KEY_LIFE_MAX};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A span is outside its range. Its `Display` is a sentence for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecondsError {
    /// The least seconds it may have.
    pub min: u32,
    /// The most seconds it may have.
    pub max: u32,
}

impl fmt::Display for SecondsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Give a whole number of seconds from {} to {}.", self.min, self.max)
    }
}

impl std::error::Error for SecondsError {}

macro_rules! seconds {
    ($(#[$doc:meta])* $name:ident, $range:expr, $default:expr, $($schema:tt)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[cfg_attr(feature = "openapi", schema(value_type = u32, $($schema)*))]
        #[serde(try_from = "u64", into = "u32")]
        pub struct $name(u32);

        impl $name {
            /// Reads a number of seconds as a person or a query gives it.
            ///
            /// # Errors
            /// [`SecondsError`], with the range.
            pub fn parse(text: &str) -> Result<Self, SecondsError> {
                let digits = text.bytes().all(|b| b.is_ascii_digit());
                text.parse().ok().filter(|_| digits).map_or_else(|| Err(Self::error()), |value: u64| Self::try_from(value))
            }

            /// The number of seconds.
            pub fn get(self) -> u32 {
                self.0
            }

            fn error() -> SecondsError {
                SecondsError { min: *$range.start(), max: *$range.end() }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self($default)
            }
        }

        impl TryFrom<u64> for $name {
            type Error = SecondsError;

            fn try_from(value: u64) -> Result<Self, SecondsError> {
                u32::try_from(value).ok().filter(|v| $range.contains(v)).map(Self).ok_or_else(Self::error)
            }
        }

        impl From<$name> for u32 {
            fn from(seconds: $name) -> u32 {
                seconds.0
            }
        }
    };
}

seconds! {
    /// How long a secret works beside the one that replaces it: at most a day, not at all unless told.
    Overlap, 0..=OVERLAP_MAX, 0,
    minimum = 0, maximum = 86_400, default = 0
}
seconds! {
    /// How long a temporary key works: 1 to 1,800 seconds, 60 unless told.
    TemporaryKeyLife, 1..=TEMPORARY_KEY_LIFE_MAX, TEMPORARY_KEY_LIFE,
    minimum = 1, maximum = 1800, default = 60
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_keeps_its_range_however_it_comes() {
        assert_eq!(TemporaryKeyLife::default().get(), 60);
        assert_eq!(Overlap::default().get(), 0);
        for (text, good) in
            [("1", true), ("1800", true), ("0", false), ("1801", false), ("99999999999", false)]
        {
            assert_eq!(TemporaryKeyLife::parse(text).is_ok(), good, "{text}");
            assert_eq!(serde_json::from_str::<TemporaryKeyLife>(text).is_ok(), good, "{text}");
        }
        for bad in ["abc", "", "-1", "+60", "1.5", " 60", "6e1"] {
            assert!(TemporaryKeyLife::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(serde_json::from_str::<Overlap>("86400").unwrap().get(), 86_400);
        let error = serde_json::from_str::<Overlap>("172800").unwrap_err().to_string();
        assert!(error.contains("from 0 to 86400"), "{error}");
    }
}
