//! API keys.

mod state;
mod wish;

use super::change::Done;
use super::extract::{Idempotency, Json, Path, Query, Signed};
use super::permission::Operation;
use super::{Console, api_key_quota};
use crate::problem::{Problem, Problems};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use keygate_contract::{
    ApiKey, ApiKeyCreate, ApiKeyCreated, ApiKeyId, ApiKeyList, ApiKeyStatus, ApiKeyUpdate, PageSize,
    Permission, RegionId, SearchText, WorkspaceId,
};
use keygate_store::{ApiKeyEdit, ApiKeyFilter, NewApiKey, PageRequest};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The consequence of a failed write, if the key was to be deleted, disabled or given a new secret.
const STILL_WORKS: &str = "The key still works as before.";
/// The consequence of a failed write, if the key was to be changed in another way.
const AS_IT_WAS: &str = "The key is unchanged.";

pub(super) fn router() -> OpenApiRouter<Console> {
    OpenApiRouter::new()
        .routes(routes!(api_key_list, api_key_create))
        .routes(routes!(api_key_view, api_key_update, api_key_delete))
        .merge(state::router())
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ApiKeyListQuery {
    /// Part of an id or description.
    #[param(value_type = Option<String>, max_length = 128)]
    q: Option<SearchText>,
    /// Only keys in this state.
    #[param(value_type = Option<ApiKeyStatus>)]
    status: Option<ApiKeyStatus>,
    /// Items in a page, 1 to 100; 20 unless told.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 20)]
    page_size: PageSize,
    /// The `next_page_token` of the page before.
    page_token: Option<String>,
}

/// List API keys
///
/// The keys of a workspace, newest first, and how many keys there are in the region. Their secrets are never shown
/// again.
#[utoipa::path(
    get, path = "/regions/{region}/workspaces/{workspace}/api-keys", operation_id = "api_key_list", tag = "API keys",
    security(("session" = [])),
    params(("region" = RegionId, Path), ("workspace" = WorkspaceId, Path), ApiKeyListQuery),
    responses((status = 200, description = "A page of keys", body = ApiKeyList), Problems),
)]
async fn api_key_list(
    State(console): State<Console>,
    signed: Signed,
    Path((region, workspace)): Path<(RegionId, WorkspaceId)>,
    Query(query): Query<ApiKeyListQuery>,
) -> Result<axum::Json<ApiKeyList>, Problem> {
    signed.require(Operation::ApiKeyList)?;
    console.region(&region)?;
    let filter = ApiKeyFilter { search: query.q.unwrap_or_default(), status: query.status };
    let page = PageRequest { size: query.page_size, token: query.page_token };
    let account = &signed.session.account.id;
    let page = console.store.api_key_list(account, &region, &workspace, &filter, &page).await?;
    let counts = console.store.api_key_counts(account, &region, &signed.session.member.id).await?;
    Ok(axum::Json(ApiKeyList { page, counts }))
}

/// Create an API key
///
/// The answer holds the secret, this once: only a hash of it is kept. Repeated for the same `Idempotency-Key`, the
/// answer is without it.
#[utoipa::path(
    post, path = "/regions/{region}/workspaces/{workspace}/api-keys", operation_id = "api_key_create", tag = "API keys",
    security(("session" = [])),
    params(("region" = RegionId, Path), ("workspace" = WorkspaceId, Path), ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[ -~]+$")),
    request_body = ApiKeyCreate,
    responses((status = 201, description = "The new key and its secret", body = ApiKeyCreated), Problems),
)]
async fn api_key_create(
    State(console): State<Console>,
    signed: Signed,
    Path((region, workspace)): Path<(RegionId, WorkspaceId)>,
    once: Idempotency,
    Json(body): Json<ApiKeyCreate>,
) -> Result<Response, Problem> {
    signed.require(Operation::ApiKeyCreate)?;
    let here = console.region(&region)?;
    let quota = api_key_quota(here);
    wish::check_region(&body.permission, here)?;
    let catalogue = console.catalogue.clone();
    let owner = signed.session.member.id.clone();
    let minted = console.key_hasher.mint();
    let (public_id, secret_hash, masked) = (minted.public_id, minted.secret_hash, minted.masked);
    let done = console
        .changes
        .run(signed.author(), once.of(&body), StatusCode::CREATED, move |change| {
            Box::pin(async move {
                // Looked at here, so that a repeated request is answered as the first one was.
                let expires_at = body.expires_at.as_ref().map(wish::expiry).transpose()?;
                let place = (&region, &workspace);
                wish::check_models(change, &catalogue, place, &body.permission, &Permission::default())
                    .await?;
                let new = NewApiKey {
                    description: &body.description,
                    permission: &body.permission,
                    expires_at,
                    owner: &owner,
                    public_id: public_id.as_str(),
                    secret_hash,
                    masked: &masked,
                };
                Ok::<_, Problem>(change.api_key_create(&region, &workspace, new, quota).await?)
            })
        })
        .await
        .map_err(|problem| problem.if_unwritten("No key was created."))?;
    Ok(no_store(match done {
        Done::Fresh(status, key) => {
            let created = ApiKeyCreated { key, secret: Some(minted.secret.expose().to_owned()) };
            Done::Fresh(status, created).into_response()
        }
        repeated @ Done::Repeated(_) => repeated.into_response(),
    }))
}

/// An answer with a secret, which nothing on its way may keep.
fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Show an API key
#[utoipa::path(
    get, path = "/regions/{region}/workspaces/{workspace}/api-keys/{api_key}", operation_id = "api_key_view",
    tag = "API keys", security(("session" = [])),
    params(("region" = RegionId, Path), ("workspace" = WorkspaceId, Path), ("api_key" = ApiKeyId, Path)),
    responses((status = 200, description = "The key", body = ApiKey), Problems),
)]
async fn api_key_view(
    State(console): State<Console>,
    signed: Signed,
    Path((region, workspace, api_key)): Path<(RegionId, WorkspaceId, ApiKeyId)>,
) -> Result<axum::Json<ApiKey>, Problem> {
    signed.require(Operation::ApiKeyView)?;
    console.region(&region)?;
    let account = &signed.session.account.id;
    Ok(axum::Json(console.store.api_key_view(account, &region, &workspace, &api_key).await?))
}

/// Change an API key
///
/// Only the fields that are sent. With a stale `version` nothing is changed. The secret stays.
#[utoipa::path(
    patch, path = "/regions/{region}/workspaces/{workspace}/api-keys/{api_key}", operation_id = "api_key_update",
    tag = "API keys", security(("session" = [])),
    params(("region" = RegionId, Path), ("workspace" = WorkspaceId, Path), ("api_key" = ApiKeyId, Path)),
    request_body = ApiKeyUpdate,
    responses((status = 200, description = "The key as it is now", body = ApiKey), Problems),
)]
async fn api_key_update(
    State(console): State<Console>,
    signed: Signed,
    Path((region, workspace, api_key)): Path<(RegionId, WorkspaceId, ApiKeyId)>,
    Json(body): Json<ApiKeyUpdate>,
) -> Result<Done<ApiKey>, Problem> {
    signed.require(Operation::ApiKeyUpdate)?;
    let here = console.region(&region)?;
    if let Some(permission) = &body.permission {
        wish::check_region(permission, here)?;
    }
    let expires_at = match &body.expires_at {
        Some(Some(at)) => Some(Some(wish::expiry(at)?)),
        other => other.as_ref().map(|_| None),
    };
    let catalogue = console.catalogue.clone();
    console
        .changes
        .run(signed.author(), None, StatusCode::OK, move |change| {
            Box::pin(async move {
                if let Some(permission) = &body.permission {
                    let held = change.api_key_permission(&region, &workspace, &api_key).await?;
                    let place = (&region, &workspace);
                    wish::check_models(change, &catalogue, place, permission, &held).await?;
                }
                let edit = ApiKeyEdit {
                    description: body.description.as_ref(),
                    permission: body.permission.as_ref(),
                    expires_at,
                    version: body.version,
                };
                Ok::<_, Problem>(change.api_key_update(&region, &workspace, &api_key, edit).await?)
            })
        })
        .await
        .map_err(|problem| problem.if_unwritten(AS_IT_WAS))
}

/// Delete an API key
///
/// It fails from the next call on. There is no way back.
#[utoipa::path(
    delete, path = "/regions/{region}/workspaces/{workspace}/api-keys/{api_key}", operation_id = "api_key_delete",
    tag = "API keys", security(("session" = [])),
    params(("region" = RegionId, Path), ("workspace" = WorkspaceId, Path), ("api_key" = ApiKeyId, Path)),
    responses((status = 204, description = "Deleted"), Problems),
)]
async fn api_key_delete(
    State(console): State<Console>,
    signed: Signed,
    Path((region, workspace, api_key)): Path<(RegionId, WorkspaceId, ApiKeyId)>,
) -> Result<Done<()>, Problem> {
    signed.require(Operation::ApiKeyDelete)?;
    console.region(&region)?;
    console
        .changes
        .run(signed.author(), None, StatusCode::NO_CONTENT, move |change| {
            Box::pin(async move { change.api_key_delete(&region, &workspace, &api_key).await })
        })
        .await
        .map_err(|problem| problem.if_unwritten(STILL_WORKS))
}
