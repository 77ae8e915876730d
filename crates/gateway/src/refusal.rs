//! Why a call is refused or fails, told apart from how a door says it.
//!
//! Status and codes follow the service this gateway stands in for, so that clients branch as they always did. Where
//! that service documents none, the codes are our own and listed in `docs/api-design.md`. Messages are our own, say
//! what to do, and never hold any part of a key.

mod words;

use crate::limit::{Dimension, Exceeded, Scope};
use http::{Method, StatusCode};
use keygate_contract::ThrottledBy;
use std::fmt;
use words::{limit_message, short};

/// Why a call is refused or fails.
#[derive(Clone, PartialEq, Eq)]
pub enum Refusal {
    /// No key was sent.
    KeyMissing,
    /// A key was sent in the query, where logs and proxies keep it.
    KeyInQuery,
    /// The key is malformed, unknown, deleted, or its secret is wrong. Which of these is never told.
    KeyInvalid,
    /// The key is good, in another region.
    WrongRegion {
        /// The base URL of the key's own region, if this process serves it.
        base_url: Option<String>,
    },
    /// The key is good, and someone disabled it.
    KeyDisabled,
    /// The key is good, and its time is over.
    KeyExpired,
    /// The temporary key was good, and its time is over.
    TemporaryKeyExpired,
    /// The key is good, its owner is disabled.
    OwnerDisabled,
    /// The host called is that of another workspace.
    WrongEndpoint,
    /// The key may not be used from the caller's address, which the caller is not told.
    AddressRefused,
    /// A temporary key was to make another one.
    TemporaryKeyMints,
    /// The region has no temporary keys.
    NoTemporaryKeys,
    /// A query field does not keep its rule.
    BadQuery {
        /// A sentence that says what is wrong with it.
        message: String,
        /// The field that is wrong.
        param: &'static str,
    },
    /// The body names no model.
    ModelMissing,
    /// The region has no such model.
    ModelNotFound {
        /// The name that was asked for.
        model: String,
    },
    /// The workspace was not granted the model.
    ModelNotGranted {
        /// The name that was asked for.
        model: String,
    },
    /// The workspace may call the model, the key may not.
    ModelOutOfScope {
        /// The name that was asked for.
        model: String,
    },
    /// A limit per minute would be passed.
    LimitReached {
        /// The model that was asked for.
        model: String,
        /// Which limit, and when there is room again.
        exceeded: Box<Exceeded>,
    },
    /// As many calls of the key as there may be are under way.
    TooManyCalls {
        /// How many there may be.
        limit: u32,
    },
    /// The body is not the JSON it should be.
    BadBody {
        /// A sentence that says what is wrong with it.
        message: String,
        /// The field that is wrong.
        param: Option<String>,
    },
    /// The body is larger than the gateway takes.
    BodyTooLarge {
        /// The most it takes, in bytes.
        limit: usize,
    },
    /// The body did not arrive in time.
    BodyTimeout,
    /// The memory for requests and answers is exhausted.
    MemoryFull,
    /// The headers are larger than the gateway takes.
    HeadersTooLarge {
        /// The most it takes, in bytes.
        limit: usize,
    },
    /// The door has no such path.
    PathNotFound,
    /// The path takes another method.
    MethodNotAllowed {
        /// The method it takes.
        allowed: Method,
    },
    /// Calls cannot be recorded at the moment, and so not be made.
    UsageUnavailable,
    /// No upstream is configured for the model.
    NoUpstream,
    /// The upstream took the call and refused it as the caller's mistake.
    UpstreamRejected {
        /// A client error other than those about keys and paths.
        status: StatusCode,
        /// The upstream's own words.
        message: String,
        /// The field it named.
        param: Option<String>,
    },
    /// The upstream has no room.
    UpstreamBusy {
        /// Seconds to wait, if the upstream said.
        retry_after: Option<u64>,
    },
    /// The upstream could not be reached.
    UpstreamUnreachable,
    /// The upstream did not answer, or stopped answering, in time.
    UpstreamTimeout,
    /// The upstream's answer was cut off or cannot be read.
    UpstreamBroken,
    /// The upstream's answer is larger than the gateway holds for one key.
    AnswerTooLarge,
}

/// The codes of a refusal in each door's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Codes {
    pub(crate) status: StatusCode,
    /// DashScope-native code.
    pub(crate) native: &'static str,
    /// OpenAI-compatible `code`.
    pub(crate) compatible: &'static str,
    /// OpenAI-compatible `type`.
    pub(crate) kind: &'static str,
    /// Anthropic `error.type`.
    pub(crate) anthropic: &'static str,
}

/// Without foreign text: a model's name can be as long as a body, and an upstream's message may quote a prompt.
impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let codes = self.codes();
        write!(f, "Refusal({} {}", codes.status.as_u16(), codes.compatible)?;
        match self {
            Self::BadBody { message, param: None } => write!(f, ": {message}")?,
            Self::BadBody { message, param: Some(param) } => write!(f, ", {param}: {message}")?,
            Self::BadQuery { param, .. } => write!(f, ", {param}")?,
            _ => {}
        }
        f.write_str(")")
    }
}

impl Refusal {
    pub(crate) fn codes(&self) -> Codes {
        const INVALID: &str = "invalid_request_error";
        let codes = |status, native, compatible, kind, anthropic| Codes {
            status,
            native,
            compatible,
            kind,
            anthropic,
        };
        match self {
            Self::KeyMissing
            | Self::KeyInQuery
            | Self::KeyInvalid
            | Self::WrongRegion { .. }
            | Self::KeyDisabled
            | Self::KeyExpired
            | Self::TemporaryKeyExpired
            | Self::OwnerDisabled => {
                let status = StatusCode::UNAUTHORIZED;
                codes(status, "InvalidApiKey", "invalid_api_key", INVALID, "authentication_error")
            }
            Self::WrongEndpoint => {
                let code = "access_denied";
                codes(StatusCode::FORBIDDEN, "Endpoint.AccessDenied", code, code, "permission_error")
            }
            Self::TemporaryKeyMints | Self::NoTemporaryKeys => {
                let code = "access_denied";
                codes(StatusCode::FORBIDDEN, "AccessDenied", code, code, "permission_error")
            }
            Self::AddressRefused => {
                let code = "ip_not_allowed";
                codes(StatusCode::FORBIDDEN, code, code, INVALID, "permission_error")
            }
            Self::BadQuery { .. } => {
                codes(StatusCode::BAD_REQUEST, "InvalidParameter", INVALID, INVALID, INVALID)
            }
            Self::ModelMissing => {
                codes(StatusCode::BAD_REQUEST, "BadRequest.EmptyModel", INVALID, INVALID, INVALID)
            }
            Self::ModelNotFound { .. } => {
                codes(StatusCode::NOT_FOUND, "ModelNotFound", "model_not_found", INVALID, "not_found_error")
            }
            Self::ModelNotGranted { .. } | Self::ModelOutOfScope { .. } => {
                let code = "Model.AccessDenied";
                codes(StatusCode::FORBIDDEN, code, code, code, "permission_error")
            }
            Self::LimitReached { exceeded, .. } => {
                let (native, code) = match exceeded.dimension {
                    Dimension::Requests => ("Throttling.RateQuota", "limit_requests"),
                    Dimension::Tokens => ("Throttling.AllocationQuota", "insufficient_quota"),
                };
                codes(StatusCode::TOO_MANY_REQUESTS, native, code, code, "rate_limit_error")
            }
            Self::TooManyCalls { .. } => {
                let (native, code) = ("Throttling.Concurrency", "limit_concurrency");
                codes(StatusCode::TOO_MANY_REQUESTS, native, code, code, "rate_limit_error")
            }
            Self::BadBody { .. } => {
                codes(StatusCode::BAD_REQUEST, "BadRequest.IllegalInput", INVALID, INVALID, INVALID)
            }
            Self::BodyTooLarge { .. } => {
                let status = StatusCode::BAD_REQUEST;
                codes(status, "BadRequest.TooLarge", "request_too_large", INVALID, "request_too_large")
            }
            Self::BodyTimeout => {
                codes(StatusCode::REQUEST_TIMEOUT, "RequestTimeOut", "request_timeout", INVALID, INVALID)
            }
            Self::HeadersTooLarge { .. } => {
                let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
                codes(status, "BadRequest.TooLarge", "headers_too_large", INVALID, INVALID)
            }
            Self::PathNotFound => {
                codes(StatusCode::NOT_FOUND, "NotFound", "not_found", INVALID, "not_found_error")
            }
            Self::MethodNotAllowed { .. } => codes(
                StatusCode::METHOD_NOT_ALLOWED,
                "MethodNotAllowed",
                "method_not_allowed",
                INVALID,
                INVALID,
            ),
            Self::UsageUnavailable => {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                codes(status, "UsageUnavailable", "usage_unavailable", "server_error", "api_error")
            }
            Self::MemoryFull => {
                let (status, code) = (StatusCode::SERVICE_UNAVAILABLE, "server_overloaded");
                codes(status, "ServerOverloaded", code, "server_error", "overloaded_error")
            }
            Self::NoUpstream | Self::UpstreamUnreachable => {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                codes(status, "ModelUnavailable", "model_unavailable", "server_error", "api_error")
            }
            Self::UpstreamRejected { status, .. } => {
                codes(*status, "InvalidParameter", INVALID, INVALID, INVALID)
            }
            Self::UpstreamBusy { .. } => {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                codes(status, "ModelServingError", "model_overloaded", "server_error", "overloaded_error")
            }
            Self::UpstreamTimeout => {
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                codes(status, "RequestTimeOut", "request_timeout", "server_error", "api_error")
            }
            Self::UpstreamBroken | Self::AnswerTooLarge => codes(
                StatusCode::BAD_GATEWAY,
                "InternalError.Upstream",
                "upstream_error",
                "server_error",
                "api_error",
            ),
        }
    }

    pub(crate) fn message(&self) -> String {
        match self {
            Self::KeyMissing => "Send an API key in the header `Authorization: Bearer <key>`.".into(),
            Self::KeyInQuery => "Send the API key in the header `Authorization: Bearer <key>`. The key in this URL may \
                                 be in logs by now: delete it in the console and create another."
                .into(),
            Self::KeyInvalid => "This API key is not valid here. Check that it was copied whole, that it was not \
                                 deleted, and that the base URL is the one of its region."
                .into(),
            Self::WrongRegion { base_url: Some(url) } => {
                format!("This API key belongs to another region. Set the base URL to {url}")
            }
            Self::WrongRegion { base_url: None } => {
                "This API key belongs to another region. Use the base URL shown on its page in the console.".into()
            }
            Self::KeyDisabled => {
                "This API key is disabled. Enable it in the console, or use another key.".into()
            }
            Self::KeyExpired => {
                "This API key has expired. Give it more time in the console, or use another key.".into()
            }
            Self::TemporaryKeyExpired => {
                "This temporary key has expired. Make another one with POST /api/v1/tokens and the API key it was made \
                 from."
                    .into()
            }
            Self::WrongEndpoint => {
                "This host takes the keys of one workspace only, and this API key is of another. Use the base URL shown \
                 in the console for the key's workspace, or the one of the region."
                    .into()
            }
            Self::AddressRefused => {
                "This API key may not be used from your address. Ask whoever manages the key to allow it: the key's page \
                 in the console shows the address."
                    .into()
            }
            Self::TemporaryKeyMints => {
                "A temporary key cannot make another one. Call this with the API key it was made from.".into()
            }
            Self::NoTemporaryKeys => {
                "This region has no temporary keys. Use the API key itself.".into()
            }
            Self::BadQuery { message, .. } => message.clone(),
            Self::OwnerDisabled => {
                "The owner of this API key is disabled. Ask an administrator to enable them, or use another key.".into()
            }
            Self::ModelMissing => "Name a model in the field `model`.".into(),
            Self::ModelNotFound { model } => {
                format!("There is no model `{}` in this region. GET …/models lists those you may call.", short(model))
            }
            Self::ModelNotGranted { model } => format!(
                "The workspace of this API key may not call `{}`. Ask an administrator to grant the model to it.",
                short(model)
            ),
            Self::ModelOutOfScope { model } => format!(
                "This API key may not call `{}`, although its workspace may. Ask whoever manages the key to allow the \
                 model, or use another key.",
                short(model)
            ),
            Self::LimitReached { model, exceeded } => limit_message(&short(model), exceeded),
            Self::TooManyCalls { limit } => format!(
                "This API key has {limit} calls under way, as many as it may. Try again when one has ended, or use \
                 another key."
            ),
            Self::BadBody { message, .. } => message.clone(),
            Self::BodyTooLarge { limit } => format!("The body is larger than {limit} bytes. Send less at once."),
            Self::BodyTimeout => "The body did not arrive in time. Send it again, faster or smaller.".into(),
            Self::MemoryFull => {
                "The server is busy with other large requests. Try again in a few seconds, or send less at once.".into()
            }
            Self::HeadersTooLarge { limit } => {
                format!("The headers are larger than {limit} bytes. Send fewer or shorter ones.")
            }
            Self::PathNotFound => "There is nothing at this path. Check the base URL and the path.".into(),
            Self::MethodNotAllowed { allowed } => format!("Use {allowed} here."),
            Self::UsageUnavailable => {
                "This call cannot be recorded at the moment, so it was not made. Try again in a moment; if this goes on, \
                 tell an administrator."
                    .into()
            }
            Self::NoUpstream => "No upstream serves this model. Ask an administrator to configure one.".into(),
            Self::UpstreamRejected { message, .. } => message.clone(),
            Self::UpstreamBusy { .. } => "The model has no room for this call. Try again in a moment.".into(),
            Self::UpstreamUnreachable => "The model cannot be reached. Try again in a moment.".into(),
            Self::UpstreamTimeout => "The model did not answer in time. Try again, with less to do if you can.".into(),
            Self::UpstreamBroken => "The model's answer was cut off or could not be read. Try again.".into(),
            Self::AnswerTooLarge => {
                "The model's answer is larger than the gateway can hold. Ask for less at once, or for a stream.".into()
            }
        }
    }

    /// Whether the gateway gave up on an upstream that may have worked all the time: it waited too long for it, or could
    /// not hold its answer.
    pub(crate) fn is_given_up(&self) -> bool {
        matches!(self, Self::UpstreamTimeout | Self::AnswerTooLarge | Self::MemoryFull)
    }

    /// The limit that refuses the call, if one does.
    pub(crate) fn throttled_by(&self) -> Option<ThrottledBy> {
        match self {
            Self::LimitReached { exceeded, .. } => Some(match (exceeded.scope, exceeded.dimension) {
                (Scope::Workspace, Dimension::Requests) => ThrottledBy::WorkspaceRequests,
                (Scope::Workspace, Dimension::Tokens) => ThrottledBy::WorkspaceTokens,
                (Scope::Account, Dimension::Requests) => ThrottledBy::AccountRequests,
                (Scope::Account, Dimension::Tokens) => ThrottledBy::AccountTokens,
            }),
            Self::TooManyCalls { .. } => Some(ThrottledBy::KeyConcurrency),
            _ => None,
        }
    }

    /// The field of the request that is wrong.
    pub(crate) fn param(&self) -> Option<&str> {
        match self {
            Self::BadBody { param, .. } | Self::UpstreamRejected { param, .. } => param.as_deref(),
            Self::BadQuery { param, .. } => Some(param),
            Self::ModelMissing => Some("model"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_model_name_is_cut_in_the_message() {
        let refusal = Refusal::ModelNotFound { model: "é".repeat(10_000) };
        assert!(refusal.message().chars().count() < 200);
    }
}
