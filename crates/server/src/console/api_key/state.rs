//! A key's life: disable, enable, a new secret, and temporary keys.

use super::super::Console;
use super::super::change::Done;
use super::super::extract::{Idempotency, JsonOrNothing, NoFields, Path, Signed};
use super::super::permission::Operation;
use super::{AS_IT_WAS, STILL_WORKS, no_store};
use crate::problem::{Problem, Problems};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use keygate_contract::{
    ApiKey, ApiKeyCreated, ApiKeyId, ApiKeyReset, ErrorCode, RegionId, TemporaryKeyCreate,
    TemporaryKeyCreated, WorkspaceId,
};
use keygate_gateway::credential::PublicId;
use keygate_store::{NewSecret, StoreError, now_ms, timestamp};
use std::sync::{Arc, OnceLock};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn router() -> OpenApiRouter<Console> {
    OpenApiRouter::new()
        .routes(routes!(api_key_disable))
        .routes(routes!(api_key_enable))
        .routes(routes!(api_key_reset))
        .routes(routes!(api_key_overlap_end))
        .routes(routes!(temporary_key_create))
}

type KeyPath = Path<(RegionId, WorkspaceId, ApiKeyId)>;

/// Disable an API key
///
/// It fails from the next call on, and so do temporary keys made from it, until it is enabled again.
#[utoipa::path(
    post, path = "/regions/{region}/workspaces/{workspace}/api-keys/{api_key}/disable", operation_id = "api_key_disable",
    tag = "API keys", security(("session" = [])),
    params(("region" = RegionId, Path), ("workspace" = WorkspaceId, Path), ("api_key" = ApiKeyId, Path), ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[ -~]+$")),
    responses((status = 200, description = "The key as it is now", body = ApiKey), Problems),
)]
async fn api_key_disable(
    State(console): State<Console>,
    signed: Signed,
    Path((region, workspace, api_key)): KeyPath,
    once: Idempotency,
    JsonOrNothing(NoFields {}): JsonOrNothing<NoFields>,
) -> Result<Done<ApiKey>, Problem> {
    signed.require(Operation::ApiKeyDisable)?;
    console.region(&region)?;
    console
        .changes
        .run(signed.author(), once.of(&()), StatusCode::OK, move |change| {
            Box::pin(async move { change.api_key_disable(&region, &workspace, &api_key).await })
        })
        .await
        .map_err(|problem| problem.if_unwritten(STILL_WORKS))
}

/// Enable an API key
///
/// It works again from the next call on, unless it has expired or its owner is disabled.
#[utoipa::path(
    post, path = "/regions/{region}/workspaces/{workspace}/api-keys/{api_key}/enable", operation_id = "api_key_enable",
    tag = "API keys", security(("session" = [])),
    params(("region" = RegionId, Path), ("workspace" = WorkspaceId, Path), ("api_key" = ApiKeyId, Path), ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[ -~]+$")),
    responses((status = 200, description = "The key as it is now", body = ApiKey), Problems),
)]
async fn api_key_enable(
    State(console): State<Console>,
    signed: Signed,
    Path((region, workspace, api_key)): KeyPath,
    once: Idempotency,
    JsonOrNothing(NoFields {}): JsonOrNothing<NoFields>,
) -> Result<Done<ApiKey>, Problem> {
    signed.require(Operation::ApiKeyEnable)?;
    console.region(&region)?;
    console
        .changes
        .run(signed.author(), once.of(&()), StatusCode::OK, move |change| {
            Box::pin(async move { change.api_key_enable(&region, &workspace, &api_key).await })
        })
        .await
        .map_err(|problem| problem.if_unwritten(AS_IT_WAS))
}

/// Reset an API key
///
/// Gives it a new secret, shown this once; its id stays. The old secret fails from the next call on, or works for
/// `overlap_seconds` yet. Temporary keys end with the secret they were made under. Repeated for the same
/// `Idempotency-Key`, the answer is without the secret.
#[utoipa::path(
    post, path = "/regions/{region}/workspaces/{workspace}/api-keys/{api_key}/reset", operation_id = "api_key_reset",
    tag = "API keys", security(("session" = [])),
    params(("region" = RegionId, Path), ("workspace" = WorkspaceId, Path), ("api_key" = ApiKeyId, Path), ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[ -~]+$")),
    request_body = Option<ApiKeyReset>,
    responses((status = 200, description = "The key and its new secret", body = ApiKeyCreated), Problems),
)]
async fn api_key_reset(
    State(console): State<Console>,
    signed: Signed,
    Path((region, workspace, api_key)): KeyPath,
    once: Idempotency,
    JsonOrNothing(body): JsonOrNothing<ApiKeyReset>,
) -> Result<Response, Problem> {
    signed.require(Operation::ApiKeyReset)?;
    console.region(&region)?;
    let hasher = console.key_hasher.clone();
    // Made inside the change, where the part that stays is known; it must not get into the answer that is kept.
    let made = Arc::new(OnceLock::new());
    let slot = Arc::clone(&made);
    let done = console
        .changes
        .run(signed.author(), once.of(&body), StatusCode::OK, move |change| {
            Box::pin(async move {
                let public_id = public_id(&change.api_key_public_id(&region, &workspace, &api_key).await?)?;
                let minted = hasher.mint_for(public_id);
                let new = NewSecret {
                    hash: minted.secret_hash,
                    masked: &minted.masked,
                    overlap_seconds: body.overlap_seconds.get(),
                };
                let key = change.api_key_reset(&region, &workspace, &api_key, new).await?;
                drop(slot.set(minted.secret));
                Ok::<_, Problem>(key)
            })
        })
        .await
        .map_err(|problem| problem.if_unwritten(STILL_WORKS))?;
    Ok(no_store(match done {
        Done::Fresh(status, key) => {
            let secret = made.get().map(|secret| secret.expose().to_owned());
            Done::Fresh(status, ApiKeyCreated { key, secret }).into_response()
        }
        repeated @ Done::Repeated(_) => repeated.into_response(),
    }))
}

/// End an overlap
///
/// The secret before the last reset fails from the next call on.
#[utoipa::path(
    delete, path = "/regions/{region}/workspaces/{workspace}/api-keys/{api_key}/previous-secret",
    operation_id = "api_key_overlap_end", tag = "API keys", security(("session" = [])),
    params(("region" = RegionId, Path), ("workspace" = WorkspaceId, Path), ("api_key" = ApiKeyId, Path)),
    responses((status = 204, description = "Ended, or there was none"), Problems),
)]
async fn api_key_overlap_end(
    State(console): State<Console>,
    signed: Signed,
    Path((region, workspace, api_key)): KeyPath,
) -> Result<Done<()>, Problem> {
    signed.require(Operation::ApiKeyReset)?;
    console.region(&region)?;
    console
        .changes
        .run(signed.author(), None, StatusCode::NO_CONTENT, move |change| {
            Box::pin(async move { change.api_key_overlap_end(&region, &workspace, &api_key).await })
        })
        .await
        .map_err(|problem| problem.if_unwritten(AS_IT_WAS))
}

/// Create a temporary key
///
/// It may do what the key may, for 1 to 1,800 seconds, and fails with it. It is shown this once and not listed.
#[utoipa::path(
    post, path = "/regions/{region}/workspaces/{workspace}/api-keys/{api_key}/temporary-key",
    operation_id = "temporary_key_create", tag = "API keys", security(("session" = [])),
    params(("region" = RegionId, Path), ("workspace" = WorkspaceId, Path), ("api_key" = ApiKeyId, Path), ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[ -~]+$")),
    request_body = Option<TemporaryKeyCreate>,
    responses((status = 201, description = "The temporary key", body = TemporaryKeyCreated), Problems),
)]
async fn temporary_key_create(
    State(console): State<Console>,
    signed: Signed,
    Path((region, workspace, api_key)): KeyPath,
    once: Idempotency,
    JsonOrNothing(body): JsonOrNothing<TemporaryKeyCreate>,
) -> Result<Response, Problem> {
    signed.require(Operation::TemporaryKeyCreate)?;
    if !console.region(&region)?.features.temporary_keys {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            ErrorCode::NotInRegion,
            "This region has no temporary keys. Use the API key itself.",
        ));
    }
    let signer = console.temporary_key_signer.clone();
    let expires_at = now_ms() + i64::from(body.expires_in_seconds.get()) * 1000;
    let made = Arc::new(OnceLock::new());
    let slot = Arc::clone(&made);
    let done = console
        .changes
        .run(signed.author(), once.of(&body), StatusCode::CREATED, move |change| {
            Box::pin(async move {
                let parent = change.temporary_key_create(&region, &workspace, &api_key, expires_at).await?;
                let public_id = public_id(&parent.public_id)?;
                drop(slot.set(signer.mint(public_id, &parent.secret_hash, expires_at)));
                Ok::<_, Problem>(TemporaryKeyCreated { token: None, expires_at: timestamp(expires_at) })
            })
        })
        .await?;
    Ok(no_store(match done {
        Done::Fresh(status, created) => {
            let token = made.get().map(|token| token.expose().to_owned());
            Done::Fresh(status, TemporaryKeyCreated { token, ..created }).into_response()
        }
        repeated @ Done::Repeated(_) => repeated.into_response(),
    }))
}

fn public_id(stored: &str) -> Result<PublicId, StoreError> {
    PublicId::parse(stored).ok_or_else(|| StoreError::Corrupt("public id".into()))
}
