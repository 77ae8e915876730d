//! Refusals of the console API, and the one place that gives them their shape.
//!
//! A handler returns a [`Problem`]. It travels as an extension of an empty response until [`finish`] writes the body,
//! because only there is the request's id known.

use crate::access_log::{AccessLog, SignedIn};
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use keygate_contract::{ApiKeyStatus, ErrorBody, ErrorCode, ErrorDetail};
use keygate_store::{QuotaScope, StoreError, failure_log_is_due};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use utoipa::openapi::{RefOr, ResponseBuilder};

/// A refusal or failure of the console API.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: ErrorCode,
    message: String,
    field: Option<String>,
    retry_after: Option<u64>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: ErrorCode, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), field: None, retry_after: None }
    }

    pub(crate) fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    pub(crate) fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            ErrorCode::NotFound,
            "There is no such thing here, or it is not yours.",
        )
    }

    pub(crate) fn no_page() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            ErrorCode::NotFound,
            "There is nothing at this path. Applications call the base URL that the console shows, such as \
             …/compatible-mode/v1.",
        )
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            ErrorCode::MethodNotAllowed,
            "This path takes another method.",
        )
    }

    pub(crate) fn not_signed_in() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            ErrorCode::NotSignedIn,
            "Sign in first; your session may have ended.",
        )
    }

    pub(crate) fn not_permitted() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            ErrorCode::NotPermitted,
            "Your role does not permit this. Ask an owner or administrator of the account.",
        )
    }

    fn headers_too_large(limit: HeaderLimit) -> Self {
        Self::new(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            ErrorCode::HeadersTooLarge,
            format!(
                "The headers are larger than {} bytes. Clear this site's cookies, or send fewer headers.",
                limit.0
            ),
        )
    }

    pub(crate) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            ErrorCode::Internal,
            "The server failed. Try again; if it stays, give the request id to whoever runs it.",
        )
    }

    pub(crate) fn overloaded() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::ServerOverloaded,
            "The server is busy with other large requests. Try again in a few seconds.",
        )
        .retry_after(5)
    }

    fn store_unavailable() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::StoreUnavailable,
            "The server's database is busy, or its disk is full or failing. Nothing was changed. Try again shortly.",
        )
        .retry_after(1)
    }

    /// Adds what a failed write means for the object of the operation.
    pub(crate) fn if_unwritten(mut self, consequence: &str) -> Self {
        if self.code == ErrorCode::StoreUnavailable {
            self.message.push(' ');
            self.message.push_str(consequence);
        }
        self
    }

    pub(crate) fn invalid_field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, ErrorCode::InvalidField, message).field(field)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        use StatusCode as S;
        match error {
            StoreError::NotFound => Self::not_found(),
            StoreError::VersionConflict => Self::new(
                S::CONFLICT,
                ErrorCode::VersionConflict,
                "This was changed by someone else since you read it. Read it again and repeat your change.",
            ),
            StoreError::NameTaken => Self::new(
                S::CONFLICT,
                ErrorCode::NameTaken,
                "Another workspace of this region has this name. Choose a different one.",
            )
            .field("name"),
            StoreError::NameMismatch => Self::new(
                S::UNPROCESSABLE_ENTITY,
                ErrorCode::NameMismatch,
                "Type the workspace's name exactly as it is shown.",
            )
            .field("name"),
            StoreError::DefaultWorkspace => Self::new(
                S::CONFLICT,
                ErrorCode::DefaultWorkspace,
                "The default workspace cannot be archived.",
            ),
            StoreError::KeyInactive(status) => Self::new(
                S::CONFLICT,
                ErrorCode::ApiKeyInactive,
                match status {
                    ApiKeyStatus::Disabled => "This key is disabled. Enable it first.",
                    ApiKeyStatus::Expired => "This key has expired. Give it more time first.",
                    ApiKeyStatus::OwnerDisabled => "The owner of this key is disabled. Enable them first.",
                    ApiKeyStatus::Active => "This key was changed just now. Try again.",
                },
            ),
            StoreError::TooMuch { most } => Self::invalid_field(
                "group_by",
                format!(
                    "One answer holds {most} spans of groups at most. Use a longer `step`, a shorter range, a filter by \
                     `model` or `api_key`, or `group_by=none`; the CSV export has no such bound."
                ),
            ),
            StoreError::Quota { scope, limit } => quota(scope, limit),
            StoreError::PageToken => Self::new(
                S::BAD_REQUEST,
                ErrorCode::InvalidPageToken,
                "This page token is not one that the list gave out. Begin again without it.",
            )
            .field("page_token"),
            StoreError::IdempotencyConflict => Self::new(
                S::CONFLICT,
                ErrorCode::IdempotencyConflict,
                "This Idempotency-Key was used for another request. Make a new one for each request.",
            ),
            error if error.is_unavailable() => {
                if failure_log_is_due() {
                    tracing::error!(%error, "store unavailable");
                }
                Self::store_unavailable()
            }
            error => {
                tracing::error!(%error, "store failed");
                Self::internal()
            }
        }
    }
}

fn quota(scope: QuotaScope, limit: u32) -> Problem {
    let (code, message) = match scope {
        QuotaScope::Workspaces => (
            ErrorCode::WorkspaceQuota,
            format!("This region has {limit} workspaces already. Archive one that is no longer needed."),
        ),
        QuotaScope::KeysPerWorkspace => (
            ErrorCode::ApiKeyQuota,
            format!("This workspace has {limit} API keys already. Delete one that is no longer needed."),
        ),
        QuotaScope::KeysPerOwner => (
            ErrorCode::ApiKeyQuota,
            format!(
                "Each member has at most {limit} API keys in this region, in all workspaces. Delete one of yours that is \
                 no longer needed."
            ),
        ),
        QuotaScope::KeysPerRegion => (
            ErrorCode::ApiKeyQuota,
            format!(
                "This region has {limit} API keys already, in all workspaces. Delete one that is no longer needed."
            ),
        ),
    };
    Problem::new(StatusCode::CONFLICT, code, message)
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// For the description: every operation may answer these.
pub(crate) struct Problems;

impl utoipa::IntoResponses for Problems {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        let content = || {
            utoipa::openapi::ContentBuilder::new()
                .schema(Some(utoipa::openapi::Ref::from_schema_name("ErrorBody")))
                .build()
        };
        [
            ("400", "malformed"),
            ("401", "not signed in"),
            ("403", "not permitted"),
            ("404", "not there, or not yours"),
            ("405", "another method"),
            ("408", "too slow"),
            ("409", "conflict or quota"),
            ("413", "too large"),
            ("415", "not JSON"),
            ("422", "a field is wrong"),
            ("429", "too many attempts"),
            ("431", "headers too large"),
            ("500", "a fault of the server"),
            ("503", "the store is away"),
        ]
        .into_iter()
        .map(|(status, text)| {
            let response =
                ResponseBuilder::new().description(text).content("application/json", content()).build();
            (status.to_owned(), RefOr::T(response))
        })
        .collect()
    }
}

/// The most bytes of headers a request may have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeaderLimit(pub(crate) usize);

/// The state of [`finish`].
#[derive(Clone, Debug)]
pub(crate) struct Finish {
    pub(crate) limit: HeaderLimit,
    pub(crate) log: Arc<AccessLog>,
}

/// The id of a request, given to it by [`finish`].
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) String);

/// Around every request of the console: gives it an id, refuses headers of more than `limit` bytes, shapes a
/// [`Problem`], and writes the one log line.
pub(crate) async fn finish(
    State(Finish { limit, log }): State<Finish>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let id = uuid::Uuid::new_v4().to_string();
    let method = request.method().clone();
    let is_console = request.uri().path().starts_with("/console/");
    // Not the path: people paste keys into it.
    let route = request.extensions().get::<MatchedPath>().cloned();
    let signed_in = SignedIn::default();
    request.extensions_mut().insert(RequestId(id.clone()));
    request.extensions_mut().insert(signed_in.clone());

    let mut response = if keygate_gateway::header_bytes(request.headers(), request.uri()) > limit.0 {
        Problem::headers_too_large(limit).into_response()
    } else {
        next.run(request).await
    };
    let code = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => {
            let code = problem.code;
            response = shaped(problem, &response, &id);
            Some(code)
        }
        None => None,
    };
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", value);
    }
    let status = response.status().as_u16();
    let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    // Among a stranger's requests, only a sign-in creates anything.
    let is_signed_in = signed_in.is_set() || response.status() == StatusCode::CREATED;
    let left_out = match is_console {
        true if is_signed_in => Some(0),
        true => log.line_for_stranger(),
        false => None,
    };
    if let Some(left_out) = left_out {
        let code = code.and_then(|code| serde_json::to_value(code).ok());
        let code = code.as_ref().and_then(|code| code.as_str());
        let route = route.as_ref().map(MatchedPath::as_str);
        let requests_left_out = (left_out > 0).then_some(left_out);
        tracing::info!(request.id = %id, http.method = %method, http.route = route, http.status = status, error.code = code, duration_ms = millis, requests_left_out, "console request");
    }
    response
}

fn shaped(problem: Problem, response: &Response, id: &str) -> Response {
    let body = ErrorBody {
        error: ErrorDetail {
            code: problem.code,
            message: problem.message,
            field: problem.field,
            request_id: id.to_owned(),
        },
    };
    let mut shaped = (problem.status, axum::Json(body)).into_response();
    let of_the_empty_body =
        |name: &http::HeaderName| *name == header::CONTENT_LENGTH || *name == header::CONTENT_TYPE;
    for (name, value) in response.headers().iter().filter(|(name, _)| !of_the_empty_body(name)) {
        shaped.headers_mut().entry(name).or_insert_with(|| value.clone());
    }
    if let Some(seconds) = problem.retry_after {
        shaped.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    shaped.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    shaped
}
