//! Calls: the log of what applications asked of a workspace's models. Prompts and answers are never part of it.

use crate::id::{ApiKeyId, MemberId, ModelId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A call, as `request_list` tells it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Call {
    /// As the answer's `x-request-id` told the caller.
    pub request_id: String,
    /// When it ended.
    pub time: Timestamp,
    /// The key it came with.
    pub api_key: ApiKeyId,
    /// Whose key that is.
    pub member: MemberId,
    /// The model it asked for; null: none, or one that the region does not have.
    pub model: Option<ModelId>,
    /// The protocol it came by.
    pub door: CallDoor,
    /// The HTTP status of the answer; 499 when the caller left before there was one.
    pub status: u16,
    /// How it ended.
    pub class: CallClass,
    /// The code the caller was told, or what broke a stream that had begun; null: it was answered.
    pub error_code: Option<String>,
    /// Which limit refused it; null: none did.
    pub throttled_by: Option<ThrottledBy>,
    /// Whether it asked for a stream.
    pub stream: bool,
    /// Tokens of the prompt.
    pub input_tokens: u64,
    /// Tokens of the answer.
    pub output_tokens: u64,
    /// Those of the prompt's tokens that the upstream had in its cache.
    pub cached_tokens: u64,
    /// Whether the tokens are estimates, because the upstream told no usage.
    pub estimated: bool,
    /// From the head of the request to the end of the answer, in milliseconds.
    pub latency_ms: f64,
    /// Until it was sent on to the model, in milliseconds; null: it was refused before.
    pub forwarded_ms: Option<f64>,
    /// Until the first word, or piece of a tool call, of the answer, in milliseconds; null: it was not a stream, or there was none.
    pub first_token_ms: Option<f64>,
    /// The address the gateway saw.
    pub address: String,
    /// What it cost; null: nothing that has a price.
    pub cost: Option<Cost>,
    /// How many requests this row represents. More than 1 if a key had more than 100 rejections in a minute: later ones
    /// are combined by model and code, and the row describes the latest.
    pub count: u32,
}

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Cost {
    /// ISO 4217 code.
    pub currency: String,
    /// The amount.
    pub amount: f64,
}

/// The protocol of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CallDoor {
    /// OpenAI-compatible.
    Openai,
    /// DashScope-native.
    Dashscope,
    /// Anthropic.
    Anthropic,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CallClass {
    /// Answered. A stream that its caller left counts as answered.
    Ok,
    /// Refused for the caller's mistake: 4xx other than 429. A caller who left before any answer is among them.
    ClientError,
    /// Refused for a limit: 429.
    Throttled,
    /// Failed in the gateway or behind it: 5xx, and streams that broke.
    ServerError,
}

impl CallClass {
    /// Every class, the good one first.
    pub const ALL: [Self; 4] = [Self::Ok, Self::ClientError, Self::Throttled, Self::ServerError];

    /// The class as it stands on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::ClientError => "client_error",
            Self::Throttled => "throttled",
            Self::ServerError => "server_error",
        }
    }
}

impl fmt::Display for CallClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A limit that refused a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ThrottledBy {
    /// Calls a minute of the workspace.
    WorkspaceRequests,
    /// Tokens a minute of the workspace.
    WorkspaceTokens,
    /// Calls a minute of the account.
    AccountRequests,
    /// Tokens a minute of the account.
    AccountTokens,
    /// Calls of the key under way at once.
    KeyConcurrency,
}

/// Answer of `live_view`: what the limits have counted in the minute that ends now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Live {
    /// When the minute ends.
    pub time: Timestamp,
    /// The models that the workspace is granted, called or not, in the order of their ids. Of the default workspace, which
    /// may call every model, those that it has called in the last 31 days.
    pub items: Vec<LiveModel>,
}

/// A model in the minute that ends now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LiveModel {
    /// The model.
    pub model: ModelId,
    /// Of the workspace.
    pub workspace: LiveWindow,
    /// Of the whole account in the region.
    pub account: LiveWindow,
}

/// What a window has counted, and what it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LiveWindow {
    /// Calls.
    pub calls: u64,
    /// The most calls.
    pub rpm: u64,
    /// Tokens, those that are reserved for calls under way among them.
    pub tokens: u64,
    /// The most tokens; null: the model is not metered in tokens.
    pub tpm: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_named_the_same_in_code_and_on_the_wire() {
        for class in CallClass::ALL {
            assert_eq!(serde_json::to_string(&class).unwrap(), format!("\"{class}\""));
        }
    }
}
