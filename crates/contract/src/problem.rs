//! The one shape of an error of the console API.

use serde::{Deserialize, Serialize};

/// Body of every answer that is not a success: `{"error": {…}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorBody {
    /// What went wrong.
    pub error: ErrorDetail,
}

/// What went wrong and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorDetail {
    /// Stable code to branch on.
    pub code: ErrorCode,
    /// One or two sentences for a person, saying what to do.
    pub message: String,
    /// The field of the request that is wrong, as a path such as `permission.kind`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub field: Option<String>,
    /// Names this request in the server's log; also in the header `x-request-id`.
    pub request_id: String,
}

/// Codes of errors. Codes are added, never renamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorCode {
    /// 400: the body is not JSON.
    MalformedJson,
    /// 400: a query field is missing, unknown or of the wrong form.
    InvalidQuery,
    /// 400: the page token is not one this list gave out.
    InvalidPageToken,
    /// 400: the `Idempotency-Key` is empty, too long or not printable ASCII.
    InvalidIdempotencyKey,
    /// 401: no session, or it has ended.
    NotSignedIn,
    /// 401: the e-mail code or the link is wrong, used or too old.
    SignInFailed,
    /// 403: the role does not permit it.
    NotPermitted,
    /// 403: the request comes from a page of another origin, or does not say from which although it has a cookie.
    CrossOrigin,
    /// 404: not there, or not yours.
    NotFound,
    /// 405: the path exists, the method does not.
    MethodNotAllowed,
    /// 408: the body did not arrive in time.
    BodyTimeout,
    /// 409: another workspace of the region has this name.
    NameTaken,
    /// 409: it was changed since it was read.
    VersionConflict,
    /// 409: the default workspace cannot be archived, and always may call every model.
    DefaultWorkspace,
    /// 409: the limit of workspaces in the region is reached.
    WorkspaceQuota,
    /// 409: the limit of keys, of the workspace, the region or their owner, is reached.
    ApiKeyQuota,
    /// 409: the key is disabled or expired, or its owner is disabled: no temporary key can be made from it.
    ApiKeyInactive,
    /// 409: the region does not have this; its `features` say so.
    NotInRegion,
    /// 409: this `Idempotency-Key` was used for another request.
    IdempotencyConflict,
    /// 413: the body is larger than any valid request.
    BodyTooLarge,
    /// 415: the body is not `application/json`.
    UnsupportedMediaType,
    /// 422: a field does not keep its rule.
    InvalidField,
    /// 422: a field this operation does not know.
    UnknownField,
    /// 422: a required field is missing.
    MissingField,
    /// 422: the typed name is not the workspace's.
    NameMismatch,
    /// 429: too many attempts; wait as `Retry-After` says.
    TooManyAttempts,
    /// 431: the request's headers are too large.
    HeadersTooLarge,
    /// 500: a fault of the server; its log has the cause.
    Internal,
    /// 503: the memory for requests and answers is exhausted; wait as `Retry-After` says.
    ServerOverloaded,
    /// 503: the store does not answer.
    StoreUnavailable,
    /// A code this build does not know; read the message.
    #[serde(other)]
    Unknown,
}
