//! Doors: the protocols the gateway speaks, told by the path. Each has its own shape for a refusal.

mod listing;

use crate::refusal::{Codes, Refusal};
use bytes::Bytes;
use keygate_contract::CallDoor;
use serde_json::{Value, json};
use uuid::Uuid;

/// Where the OpenAI-compatible door stands.
pub const OPENAI: &str = "/compatible-mode/v1";
const DASHSCOPE: &str = "/api/v1";
const ANTHROPIC: &str = "/apps/anthropic";

/// A protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// OpenAI-compatible.
    Openai,
    /// DashScope-native. It makes temporary keys; its calls of models are not spoken yet.
    Dashscope,
    /// Anthropic Messages. Only its refusals are spoken yet: it has no operation.
    Anthropic,
}

/// What is asked for through a door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Calls a model.
    Call(Call),
    /// Lists the models the key may call.
    ModelList,
    /// One of them, named in the path, percent-encoded as it came.
    ModelView(String),
    /// Makes a temporary key.
    TemporaryKeyCreate,
}

/// A call of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// `chat/completions`
    ChatCompletions,
    /// `completions`
    Completions,
    /// `embeddings`
    Embeddings,
    /// `responses`
    Responses,
}

impl Call {
    /// The path below the base URL, the same at an OpenAI-compatible upstream.
    pub fn path(self) -> &'static str {
        match self {
            Self::ChatCompletions => "/chat/completions",
            Self::Completions => "/completions",
            Self::Embeddings => "/embeddings",
            Self::Responses => "/responses",
        }
    }

    /// Whether a stream of it tells its usage only when `stream_options` asks; one of responses always does.
    pub(crate) fn has_stream_options(self) -> bool {
        matches!(self, Self::ChatCompletions | Self::Completions)
    }
}

impl Door {
    /// The door a path leads to; `None` for a path that is not the gateway's.
    pub fn of(path: &str) -> Option<Self> {
        [(OPENAI, Self::Openai), (DASHSCOPE, Self::Dashscope), (ANTHROPIC, Self::Anthropic)]
            .into_iter()
            .find(|(prefix, _)| {
                path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
            .map(|(_, door)| door)
    }

    /// The operation at a path, from the method and the path alone.
    ///
    /// # Errors
    /// [`Refusal::PathNotFound`] or [`Refusal::MethodNotAllowed`].
    pub(crate) fn operation(self, method: &http::Method, path: &str) -> Result<Operation, Refusal> {
        let rest = path.strip_prefix(self.path()).ok_or(Refusal::PathNotFound)?;
        let (operation, allowed) = match self {
            Self::Openai => Self::openai(rest)?,
            Self::Dashscope if rest == "/tokens" => (Operation::TemporaryKeyCreate, http::Method::POST),
            Self::Dashscope | Self::Anthropic => return Err(Refusal::PathNotFound),
        };
        if *method == allowed { Ok(operation) } else { Err(Refusal::MethodNotAllowed { allowed }) }
    }

    fn openai(rest: &str) -> Result<(Operation, http::Method), Refusal> {
        Ok(match rest {
            "/chat/completions" => (Operation::Call(Call::ChatCompletions), http::Method::POST),
            "/completions" => (Operation::Call(Call::Completions), http::Method::POST),
            "/embeddings" => (Operation::Call(Call::Embeddings), http::Method::POST),
            "/responses" => (Operation::Call(Call::Responses), http::Method::POST),
            "/models" => (Operation::ModelList, http::Method::GET),
            _ => match rest.strip_prefix("/models/") {
                Some(id) if !id.is_empty() => (Operation::ModelView(id.to_owned()), http::Method::GET),
                _ => return Err(Refusal::PathNotFound),
            },
        })
    }

    /// The code by which this door's clients tell refusals apart.
    pub(crate) fn code(self, codes: &Codes) -> &'static str {
        match self {
            Self::Openai => codes.compatible,
            Self::Dashscope => codes.native,
            Self::Anthropic => codes.anthropic,
        }
    }

    /// A refusal as this door's clients read it.
    pub(crate) fn error_body(self, refusal: &Refusal, request_id: Uuid) -> Bytes {
        Bytes::from(self.error_value(refusal, request_id).to_string())
    }

    /// A refusal in the middle of a stream: one event.
    pub(crate) fn error_event(self, refusal: &Refusal, request_id: Uuid) -> String {
        let data = self.error_value(refusal, request_id);
        match self {
            Self::Openai => format!("data: {data}\n\n"),
            Self::Anthropic | Self::Dashscope => format!("event: error\ndata: {data}\n\n"),
        }
    }

    fn error_value(self, refusal: &Refusal, request_id: Uuid) -> Value {
        let codes = refusal.codes();
        let message = refusal.message();
        match self {
            Self::Openai => json!({
                "error": { "message": message, "type": codes.kind, "param": refusal.param(), "code": codes.compatible },
                "request_id": request_id.to_string(),
            }),
            Self::Dashscope => {
                json!({ "code": codes.native, "message": message, "request_id": request_id.to_string() })
            }
            Self::Anthropic => json!({
                "type": "error",
                "error": { "type": codes.anthropic, "message": message },
                "request_id": request_id.to_string(),
            }),
        }
    }
}

impl From<Door> for CallDoor {
    fn from(door: Door) -> Self {
        match door {
            Door::Openai => Self::Openai,
            Door::Dashscope => Self::Dashscope,
            Door::Anthropic => Self::Anthropic,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Method;

    #[test]
    fn a_path_leads_to_its_door_or_to_none() {
        for (path, door) in [
            ("/compatible-mode/v1/chat/completions", Some(Door::Openai)),
            ("/compatible-mode/v1", Some(Door::Openai)),
            ("/api/v1/services/aigc/text-generation/generation", Some(Door::Dashscope)),
            ("/apps/anthropic/v1/messages", Some(Door::Anthropic)),
            ("/compatible-mode/v10/models", None),
            ("/api/v1x", None),
            ("/console/v1/session", None),
            ("/", None),
        ] {
            assert_eq!(Door::of(path), door, "{path}");
        }
    }

    #[test]
    fn operations_are_told_by_method_and_path() {
        let at = |method: Method, rest: &str| Door::Openai.operation(&method, &format!("{OPENAI}{rest}"));
        assert_eq!(at(Method::POST, "/chat/completions").unwrap(), Operation::Call(Call::ChatCompletions));
        assert_eq!(
            at(Method::GET, "/models/ZHIPU/GLM-5.1").unwrap(),
            Operation::ModelView("ZHIPU/GLM-5.1".into())
        );
        assert!(matches!(at(Method::GET, "/chat/completions"), Err(Refusal::MethodNotAllowed { .. })));
        assert!(matches!(at(Method::DELETE, "/models"), Err(Refusal::MethodNotAllowed { .. })));
        let tokens = |method: Method, path: &str| Door::Dashscope.operation(&method, path);
        assert_eq!(tokens(Method::POST, "/api/v1/tokens").unwrap(), Operation::TemporaryKeyCreate);
        assert!(matches!(tokens(Method::GET, "/api/v1/tokens"), Err(Refusal::MethodNotAllowed { .. })));
        assert!(matches!(tokens(Method::POST, "/api/v1/tokens/"), Err(Refusal::PathNotFound)));
        for unknown in ["", "/", "/models/", "/chat", "/chat/completions/", "/../../etc/passwd", "/files"] {
            assert!(matches!(at(Method::POST, unknown), Err(Refusal::PathNotFound)), "{unknown}");
        }
    }
}
