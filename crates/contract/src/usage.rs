//! What was used: calls, tokens, cost and latency over time.

mod retention;

use crate::id::{ApiKeyId, ModelId, WorkspaceId};
use crate::time::Timestamp;
pub use retention::UsageRetention;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// How long the spans are that usage is added up in. They begin at whole minutes, hours and days of UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum UsageStep {
    /// A minute; for the last 30 days unless the configuration says otherwise.
    Minute,
    /// An hour; for the last 400 days unless the configuration says otherwise.
    #[default]
    Hour,
    /// A day; kept.
    Day,
}

impl UsageStep {
    /// Every step, the finest first.
    pub const ALL: [Self; 3] = [Self::Minute, Self::Hour, Self::Day];

    /// Its length in milliseconds.
    pub fn millis(self) -> i64 {
        match self {
            Self::Minute => 60_000,
            Self::Hour => 3_600_000,
            Self::Day => 86_400_000,
        }
    }

    /// When the step begins that a moment is in, in Unix milliseconds.
    pub fn floor(self, moment_ms: i64) -> i64 {
        moment_ms.div_euclid(self.millis()).saturating_mul(self.millis())
    }

    /// The same moment, or when the step ends that it is in.
    pub fn ceil(self, moment_ms: i64) -> i64 {
        self.floor(moment_ms.saturating_add(self.millis() - 1))
    }

    /// The most of these steps that one `usage_query` covers; one more where it begins within a step.
    pub fn most(self) -> i64 {
        match self {
            // A day, an hour to spare for both ends.
            Self::Minute => 25 * 60,
            // Two months.
            Self::Hour => 62 * 24,
            // Four years.
            Self::Day => 4 * 366,
        }
    }

    /// Whether one `usage_query` covers a range of so many milliseconds in these steps. Those that the range begins and ends
    /// within count as one.
    pub fn covers(self, range_ms: i64) -> bool {
        range_ms <= self.most() * self.millis()
    }

    /// The finest step that a range of so many milliseconds may be asked for in; `None`: longer than any. How far back the
    /// step is kept is for [`UsageRetention::finest_for`].
    pub fn finest_for(range_ms: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.covers(range_ms))
    }

    /// The step as it stands on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }
}

impl fmt::Display for UsageStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What usage is told apart by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum UsageGroup {
    /// Nothing: all together.
    #[default]
    None,
    /// The model that was called.
    Model,
    /// The key that called. Of one workspace only.
    ApiKey,
    /// The workspace whose key called. Of a whole region only.
    Workspace,
}

impl UsageGroup {
    /// The grouping as it stands on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Model => "model",
            Self::ApiKey => "api_key",
            Self::Workspace => "workspace",
        }
    }
}

/// Answer of `usage_query` and `usage_region_query`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Usage {
    /// The length of the spans.
    pub step: UsageStep,
    /// The range that was asked for.
    #[serde(flatten)]
    pub period: UsagePeriod,
    /// The range of the same length before it, if `previous=true` asked for it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub previous: Option<UsagePeriod>,
}

/// What was used in a range of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UsagePeriod {
    /// Where the first span begins: what was asked for, or a little before.
    pub from: Timestamp,
    /// Where the last span ends: what was asked for, or a little after.
    pub to: Timestamp,
    /// Each span of each group in which there was a call, in the order of time. Spans without one are left out.
    pub items: Vec<UsageItem>,
    /// All of the range together.
    pub total: UsageFigures,
    /// All of the range for each value of `totals_by`, or of `group_by` if that was not given; those with the most
    /// calls first. Empty when there is neither.
    pub totals: Vec<UsageTotal>,
}

/// What was used in a span of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UsageItem {
    /// When the span begins.
    pub time: Timestamp,
    /// Of what.
    #[serde(flatten)]
    pub of: UsageOf,
    /// How much.
    #[serde(flatten)]
    pub figures: UsageFigures,
}

/// What one model, key or workspace used in the whole range.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UsageTotal {
    /// Of what.
    #[serde(flatten)]
    pub of: UsageOf,
    /// How much.
    #[serde(flatten)]
    pub figures: UsageFigures,
}

/// Whose usage it is: the field of the grouping is there, the others are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UsageOf {
    /// The model. Empty for calls that named none, or one that the region does not have.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub model: Option<ModelId>,
    /// The key.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub api_key: Option<ApiKeyId>,
    /// The workspace.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub workspace: Option<WorkspaceId>,
}

/// How much was used.
///
/// A call belongs to the span it ended in. `calls` = answered + `failures`, and
/// `failures` = `throttled` + `client_errors` + `server_errors`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UsageFigures {
    /// Every call whose key was proven, refused ones too.
    pub calls: u64,
    /// Those that were refused or failed, for whatever reason.
    pub failures: u64,
    /// Failures for a limit: 429.
    pub throttled: u64,
    /// Failures by the caller's mistake: other 4xx.
    pub client_errors: u64,
    /// Failures of the gateway or of the model behind it: 5xx, and streams that broke.
    pub server_errors: u64,
    /// Tokens of prompts.
    pub input_tokens: u64,
    /// Tokens of answers.
    pub output_tokens: u64,
    /// Those of the tokens of prompts that the upstream had in its cache.
    pub cached_tokens: u64,
    /// Calls whose upstream told no usage, so that their tokens are estimates.
    pub estimated_calls: u64,
    /// Answered calls whose model has no price for what they used.
    pub unpriced_calls: u64,
    /// What it cost at the catalogue's prices of the time, by ISO 4217 currency. Left out when nothing has a price.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub cost: BTreeMap<String, f64>,
    /// From the head of the request to the end of the answer, of answered calls, in milliseconds; null: there are none.
    pub latency_ms: Option<Percentiles>,
    /// From the head of the request to the first word, or piece of a tool call, of the answer, of answered streams, in
    /// milliseconds; null: there are none.
    pub first_token_ms: Option<Percentiles>,
}

/// Percentiles of a duration, in milliseconds. Each is at most 0.8 % above the true one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Percentiles {
    /// Half were at most this long.
    pub p50: f64,
    /// 95 of a hundred were.
    pub p95: f64,
    /// 99 of a hundred were.
    pub p99: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_finest_step_for_a_range_is_the_first_that_covers_it() {
        let day = UsageStep::Day.millis();
        for (range, step) in [
            (1, Some(UsageStep::Minute)),
            (day, Some(UsageStep::Minute)),
            (2 * day, Some(UsageStep::Hour)),
            (31 * day, Some(UsageStep::Hour)),
            (63 * day, Some(UsageStep::Day)),
            (1465 * day, None),
        ] {
            assert_eq!(UsageStep::finest_for(range), step, "{range}");
        }
    }

    #[test]
    fn a_step_and_a_grouping_are_named_the_same_in_code_and_on_the_wire() {
        for step in UsageStep::ALL {
            assert_eq!(serde_json::to_string(&step).unwrap(), format!("\"{step}\""));
        }
        for group in [UsageGroup::None, UsageGroup::Model, UsageGroup::ApiKey, UsageGroup::Workspace] {
            assert_eq!(serde_json::to_string(&group).unwrap(), format!("\"{}\"", group.as_str()));
        }
    }
}
