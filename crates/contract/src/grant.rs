//! Grants: which models the keys of a workspace may call, and how fast.

use crate::id::ModelId;
use crate::limits::{GRANTS_MAX, LIMIT_MAX};
use crate::model::Model;
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// A limit of calls or tokens a minute: a whole number, at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = u64, minimum = 1, maximum = 1_000_000_000_000_u64))]
#[serde(try_from = "u64", into = "u64")]
pub struct PerMinute(u64);

/// Why a limit was refused. Its `Display` is a sentence for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitError {
    /// Not a whole number of digits.
    NotWhole,
    /// Less than 1.
    TooLow,
    /// More than `max`.
    TooHigh {
        /// The most there may be: the account's own limit, where it is known.
        max: u64,
    },
}

impl fmt::Display for LimitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotWhole => f.write_str("Enter a whole number."),
            Self::TooLow => f.write_str("Enter at least 1. To stop all calls, remove the model."),
            Self::TooHigh { max } => write!(f, "Enter at most {max}, the limit of the account."),
        }
    }
}

impl std::error::Error for LimitError {}

impl PerMinute {
    /// Checks a limit against the account's.
    ///
    /// # Errors
    /// [`LimitError::TooLow`] or [`LimitError::TooHigh`].
    pub fn within(value: u64, account: u64) -> Result<Self, LimitError> {
        match value {
            0 => Err(LimitError::TooLow),
            value if value > account => Err(LimitError::TooHigh { max: account }),
            value => Ok(Self(value)),
        }
    }

    /// Reads what a person typed: digits, in groups of three if they like, with what their language puts between them.
    ///
    /// # Errors
    /// A [`LimitError`] whose sentence says how to mend it.
    pub fn parse(text: &str, account: u64) -> Result<Self, LimitError> {
        let text = text.trim();
        let groups: Vec<&str> = text.split([',', '.', '\'', '’', ' ', '\u{a0}', '\u{202f}']).collect();
        let grouped =
            groups.len() == 1 || (groups[0].len() <= 3 && groups[1..].iter().all(|group| group.len() == 3));
        if !grouped || groups.iter().any(|g| g.is_empty() || !g.bytes().all(|b| b.is_ascii_digit())) {
            return Err(if text.starts_with('-') { LimitError::TooLow } else { LimitError::NotWhole });
        }
        // What does not fit is more than any account has.
        Self::within(groups.concat().parse().unwrap_or(u64::MAX), account)
    }

    /// The number.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl TryFrom<u64> for PerMinute {
    type Error = LimitError;

    fn try_from(value: u64) -> Result<Self, LimitError> {
        Self::within(value, LIMIT_MAX)
    }
}

impl From<PerMinute> for u64 {
    fn from(limit: PerMinute) -> u64 {
        limit.0
    }
}

impl fmt::Display for PerMinute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A model that a workspace may call, and how fast.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ModelGrant {
    /// The model.
    pub model: ModelId,
    /// Calls a minute, at most the account's limit.
    pub rpm: PerMinute,
    /// Tokens a minute, at most the account's limit; null for a model that is not metered in tokens, and only there.
    #[serde(default)]
    pub tpm: Option<PerMinute>,
}

/// All grants of a workspace: at most 2,000, each model once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = Vec<ModelGrant>, max_items = 2000))]
#[serde(transparent)]
pub struct ModelGrants(Vec<ModelGrant>);

impl ModelGrants {
    /// Takes a set of grants.
    ///
    /// # Errors
    /// A sentence that says how to mend it, when there are too many. Whether a model stands twice is checked where the
    /// place of the second can be told.
    pub fn new(grants: Vec<ModelGrant>) -> Result<Self, String> {
        if grants.len() > GRANTS_MAX {
            return Err(format!("Grant at most {GRANTS_MAX} models; these are {}.", grants.len()));
        }
        Ok(Self(grants))
    }

    /// The grants, in the order given.
    pub fn as_slice(&self) -> &[ModelGrant] {
        &self.0
    }
}

impl<'de> Deserialize<'de> for ModelGrants {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Vec::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Answer of `grant_list` and `grant_replace`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GrantList {
    /// The grants, in the order of the models' names.
    pub items: Vec<ModelGrant>,
    /// The workspace's version; give it back with a change.
    pub version: u64,
    /// The granted models as `model_list` gives them; only when asked for with `expand=models`. A granted model that
    /// the region no longer has is not among them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub models: Option<Vec<Model>>,
}

/// Body of `grant_replace`: the whole set, in place of what was there.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct GrantReplace {
    /// All models the workspace may call from now on.
    pub items: ModelGrants,
    /// The version that was read. A stale one is refused, so that no one's change is lost.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_whole_number_from_1_to_the_accounts() {
        assert_eq!(PerMinute::parse(" 1,000 ", 1000).map(PerMinute::get), Ok(1000));
        assert_eq!(PerMinute::parse("1 000 000", 1_000_000).map(PerMinute::get), Ok(1_000_000));
        assert_eq!(PerMinute::parse("1.000.000", 1_000_000).map(PerMinute::get), Ok(1_000_000));
        assert_eq!(PerMinute::parse("1’000", 1000).map(PerMinute::get), Ok(1000));
        for (text, error) in [
            ("", LimitError::NotWhole),
            ("many", LimitError::NotWhole),
            ("1.5", LimitError::NotWhole),
            ("1,5", LimitError::NotWhole),
            ("10,00", LimitError::NotWhole),
            ("1234.567", LimitError::NotWhole),
            ("1e3", LimitError::NotWhole),
            ("0", LimitError::TooLow),
            ("-5", LimitError::TooLow),
            ("601", LimitError::TooHigh { max: 600 }),
            ("1000000000000000000", LimitError::TooHigh { max: 600 }),
            ("99999999999999999999999", LimitError::TooHigh { max: 600 }),
        ] {
            assert_eq!(PerMinute::parse(text, 600), Err(error), "{text:?}");
        }
    }

    #[test]
    fn json_takes_no_other_number() {
        for bad in ["0", "-1", "1.5", "1000000000000000000", "\"60\"", "null"] {
            assert!(serde_json::from_str::<PerMinute>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_set_holds_2000_grants_and_no_more() {
        let grant = ModelGrant { model: "m".into(), rpm: PerMinute(1), tpm: None };
        assert!(ModelGrants::new(vec![grant.clone(); 2000]).is_ok());
        let error = ModelGrants::new(vec![grant; 2001]).unwrap_err();
        assert_eq!(error, "Grant at most 2000 models; these are 2001.");
    }
}
