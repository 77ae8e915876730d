//! What handlers take: each refuses bad input at the door, in the one shape of errors.

use super::change::Author;
use super::{Console, permission};
use crate::access_log::SignedIn;
use crate::listen::Peer;
use crate::problem::{Problem, RequestId};
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use keygate_contract::{ErrorCode, Session};
use keygate_gateway::memory::{Buffer, FillError, Holder};
use keygate_store::{Actor, Once, now_ms};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use std::pin::pin;
use std::time::Duration;

/// The largest body of any operation, in bytes: 2,000 grants of models with the longest names have half of it.
const BODY_MAX: usize = 1 << 20;
/// The same without a session. It is not charged to the memory budget, which strangers could otherwise exhaust.
const STRANGER_BODY_MAX: usize = keygate_gateway::memory::FREE;
/// How long a body may take.
const BODY_WITHIN: Duration = Duration::from_secs(30);
/// How much of an oversized body is read and dropped, so that its sender sees the error, and for how long.
const DRAIN_MAX: usize = 256 << 20;
const DRAIN_WITHIN: Duration = Duration::from_secs(10);

/// Who is signed in, and the request they make.
pub(super) struct Signed {
    pub(super) session: Session,
    pub(super) token_hash: [u8; 32],
    origin: Origin,
}

impl Signed {
    /// Refuses what the role does not permit.
    pub(super) fn require(&self, operation: permission::Operation) -> Result<(), Problem> {
        permission::require(operation, self.session.role)
    }

    /// As the audit log knows them, and by which session.
    pub(super) fn author(&self) -> Author {
        let actor = Actor {
            account: self.session.account.id.clone(),
            member: Some(self.session.member.id.clone()),
            email: self.session.member.email.clone(),
            address: self.origin.address.clone(),
            request_id: self.origin.request_id.clone(),
        };
        Author { actor, token_hash: self.token_hash }
    }
}

impl FromRequestParts<Console> for Signed {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Problem> {
        let token = console.cookie.token(&parts.headers).ok_or_else(Problem::not_signed_in)?;
        let token_hash = console.secret.session_hash(&token);
        let session =
            console.store.session_find(&token_hash, now_ms()).await?.ok_or_else(Problem::not_signed_in)?;
        if let Some(signed_in) = parts.extensions.get::<SignedIn>() {
            signed_in.set();
        }
        Ok(Self { session, token_hash, origin: Origin::of(parts) })
    }
}

/// Where a request comes from.
pub(super) struct Origin {
    pub(super) address: String,
    pub(super) request_id: String,
}

impl Origin {
    fn of(parts: &Parts) -> Self {
        Self {
            address: parts.extensions.get::<Peer>().map(|p| p.0.to_string()).unwrap_or_default(),
            request_id: parts.extensions.get::<RequestId>().map(|r| r.0.clone()).unwrap_or_default(),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Origin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self::of(parts))
    }
}

/// A JSON body.
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Console> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Problem> {
        let is_json = is_json(request.headers());
        // Handlers extract [`Signed`] before the body.
        let is_signed_in = request.extensions().get::<SignedIn>().is_some_and(SignedIn::is_set);
        let limit = if is_signed_in { BODY_MAX } else { STRANGER_BODY_MAX };
        let bytes = read(request.into_body(), limit, console).await?;
        if !is_json {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                ErrorCode::UnsupportedMediaType,
                "Send JSON, with the header `Content-Type: application/json`.",
            ));
        }
        parse(&bytes).map(Self)
    }
}

/// A JSON body that may be left out: then everything has its default.
pub(super) struct JsonOrNothing<T>(pub(super) T);

impl<T: DeserializeOwned + Default> FromRequest<Console> for JsonOrNothing<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Problem> {
        if http_body::Body::is_end_stream(request.body()) {
            return Ok(Self(T::default()));
        }
        Json::from_request(request, console).await.map(|Json(value)| Self(value))
    }
}

/// The body of an operation that takes no fields: none, or an empty object. What is sent all the same is refused, so
/// that nobody believes it was heeded.
#[derive(Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoFields {}

async fn read(body: axum::body::Body, limit: usize, console: &Console) -> Result<bytes::Bytes, Problem> {
    let mut body = pin!(body);
    let mut buffer = Buffer::new(console.memory.of(Holder::Console), limit);
    let filled = tokio::time::timeout(BODY_WITHIN, buffer.fill(body.as_mut())).await;
    let was_waiting = buffer.was_waiting();
    drop(buffer);
    let problem = match filled {
        Ok(Ok(filled)) => return Ok(filled.bytes),
        Ok(Err(FillError::TooLarge)) => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            ErrorCode::BodyTooLarge,
            format!("The body is larger than {limit} bytes, the limit for this request."),
        ),
        Ok(Err(FillError::Broken(_))) => {
            return Err(Problem::new(
                StatusCode::BAD_REQUEST,
                ErrorCode::MalformedJson,
                "The body was cut off. Send it again.",
            ));
        }
        Err(_) if !was_waiting => {
            return Err(Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                ErrorCode::BodyTimeout,
                "The body did not arrive in time. Send it again.",
            ));
        }
        Ok(Err(FillError::OutOfMemory)) | Err(_) => Problem::overloaded(),
    };
    keygate_gateway::drain(body, DRAIN_MAX, DRAIN_WITHIN).await;
    Err(problem)
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.split(';').next())
        .is_some_and(|v| v.trim().eq_ignore_ascii_case("application/json"))
}

/// Reads JSON. What is not JSON is malformed (400); what is JSON and breaks a rule is a wrong field (422).
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let malformed = |e: &serde_json::Error| {
        let place = format!("line {}, column {}", e.line(), e.column());
        Problem::new(
            StatusCode::BAD_REQUEST,
            ErrorCode::MalformedJson,
            format!("The body is not valid JSON, at {place}."),
        )
    };
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|e| {
        let path = e.path().to_string();
        let inner = e.into_inner();
        if inner.is_data() { wrong_field(path, &inner.to_string()) } else { malformed(&inner) }
    })?;
    reader.end().map_err(|e| malformed(&e))?;
    Ok(value)
}

/// A rule that a field breaks. serde names unknown and missing fields only in its message.
fn wrong_field(path: String, message: &str) -> Problem {
    let message = message.rsplit_once(" at line ").map_or(message, |(text, _)| text);
    let quoted = |prefix: &str| message.strip_prefix(prefix)?.split('`').next().map(str::to_owned);
    let unprocessable = |code, text: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, text);
    let within = |field: &str| match path.as_str() {
        "." | "" => field.to_owned(),
        path if path == field || path.ends_with(&format!(".{field}")) => path.to_owned(),
        path => format!("{path}.{field}"),
    };
    if let Some(field) = quoted("unknown field `") {
        let text = format!("There is no field `{field}` here. Check its spelling, or leave it out.");
        return unprocessable(ErrorCode::UnknownField, text).field(within(&field));
    }
    if let Some(field) = quoted("missing field `") {
        return unprocessable(ErrorCode::MissingField, format!("The field `{field}` is required."))
            .field(within(&field));
    }
    if let Some(field) = quoted("duplicate field `") {
        return Problem::invalid_field(
            within(&field),
            format!("The field `{field}` stands twice. Send it once."),
        );
    }
    Problem::invalid_field(if path == "." { "body".to_owned() } else { path }, sentence(message))
}

/// A reader's message as a sentence, without the names that types have in code.
fn sentence(message: &str) -> String {
    let text = without_value(message);
    let mut text = text.replace("u64", "a whole number").replace("u32", "a whole number");
    if !text.ends_with('.') {
        text.push('.');
    }
    text
}

/// The deserializer's message without the value that it quotes, which may be a malformed code or token.
fn without_value(message: &str) -> String {
    match message.split_once(", expected ") {
        Some((found, expected)) if found.starts_with("invalid type: ") => {
            let kind = found.split(['`', '"']).next().unwrap_or(found).trim_end();
            format!("{kind}, expected {expected}")
        }
        _ => message.to_owned(),
    }
}

/// Query fields.
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let reader = serde_urlencoded::Deserializer::new(form_pairs(query));
        serde_path_to_error::deserialize(reader).map(Self).map_err(|e| {
            let path = e.path().to_string();
            let message = sentence(&e.into_inner().to_string());
            let problem = Problem::new(
                StatusCode::BAD_REQUEST,
                ErrorCode::InvalidQuery,
                format!("In the query: {message}"),
            );
            if path == "." { problem } else { problem.field(path) }
        })
    }
}

fn form_pairs(query: &str) -> form_urlencoded::Parse<'_> {
    form_urlencoded::parse(query.as_bytes())
}

/// Parts of the path. One that cannot be read names nothing.
pub(super) struct Path<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let found: Result<_, PathRejection> = axum::extract::Path::from_request_parts(parts, state).await;
        found.map(|axum::extract::Path(value)| Self(value)).map_err(|_| Problem::not_found())
    }
}

/// The `Idempotency-Key` of a request, and what the request is.
pub(super) struct Idempotency {
    key: Option<String>,
    target: String,
}

impl Idempotency {
    /// What the store needs to answer the same request the same way.
    pub(super) fn of(self, body: &impl Serialize) -> Option<Once> {
        let key = self.key?;
        let body = serde_json::to_vec(body).expect("request types are plain data");
        let fingerprint =
            Sha256::new().chain_update(self.target).chain_update([0]).chain_update(body).finalize().into();
        Some(Once { key, fingerprint })
    }
}

impl<S: Sync> FromRequestParts<S> for Idempotency {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let key = match parts.headers.get("idempotency-key") {
            None => None,
            Some(value) => {
                let text = value.to_str().ok().filter(|t| (1..=255).contains(&t.len()));
                Some(text.map(str::to_owned).ok_or_else(|| {
                    Problem::new(
                        StatusCode::BAD_REQUEST,
                        ErrorCode::InvalidIdempotencyKey,
                        "An Idempotency-Key is 1 to 255 printable ASCII characters, such as a UUID.",
                    )
                })?)
            }
        };
        Ok(Self { key, target: format!("{} {}", parts.method, parts.uri.path()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::response::IntoResponse as _;
    use keygate_contract::{ApiKeyCreate, SessionCreate, WorkspaceCreate};

    fn refused<T: DeserializeOwned>(body: &str) -> String {
        let problem = parse::<T>(body.as_bytes()).err().unwrap();
        let text = format!("{problem:?}");
        assert!(!problem.into_response().status().is_success());
        text
    }

    #[test]
    fn json_that_breaks_a_rule_names_its_field() {
        for (body, expected) in [
            (r#"{"name":""}"#, "field: Some(\"name\")"),
            (r#"{"name":7}"#, "field: Some(\"name\")"),
            (r#"{"name":"a","colour":"red"}"#, "code: UnknownField"),
            ("{}", "code: MissingField"),
            ("[]", "status: 422"),
            ("null", "status: 422"),
            ("{", "code: MalformedJson"),
            ("", "code: MalformedJson"),
            (r#"{"name":"a"} x"#, "code: MalformedJson"),
        ] {
            let text = refused::<WorkspaceCreate>(body);
            assert!(text.contains(expected), "{body}: {text}");
        }
        for body in [r#"{"token":123456}"#, r#"{"token":[123456]}"#, r#"{"token":{"a":123456}}"#] {
            let text = refused::<SessionCreate>(body);
            assert!(text.contains("expected a string") && !text.contains("123456"), "{text}");
        }
        let text = refused::<ApiKeyCreate>(r#"{"description":"a","permission":{"kind":"all","ips":[]}}"#);
        assert!(text.contains("restricts nothing") && text.contains("field: Some(\"permission\")"), "{text}");
    }
}
