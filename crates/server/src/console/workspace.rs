//! Workspaces.

use super::change::Done;
use super::extract::{Idempotency, Json, Path, Query, Signed};
use super::grant::Wanted;
use super::permission::Operation;
use super::{Console, workspace_quota};
use crate::problem::{Problem, Problems};
use axum::extract::State;
use http::StatusCode;
use keygate_contract::{
    Page, PageSize, RegionId, SearchText, Workspace, WorkspaceArchive, WorkspaceCreate, WorkspaceId,
    WorkspaceUpdate,
};
use keygate_store::PageRequest;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn router() -> OpenApiRouter<Console> {
    OpenApiRouter::new()
        .routes(routes!(workspace_list, workspace_create))
        .routes(routes!(workspace_view, workspace_update))
        .routes(routes!(workspace_archive))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct WorkspaceListQuery {
    /// Part of a name or id.
    #[param(value_type = Option<String>, max_length = 128)]
    q: Option<SearchText>,
    /// Items in a page, 1 to 100; 20 unless told.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 20)]
    page_size: PageSize,
    /// The `next_page_token` of the page before.
    page_token: Option<String>,
}

/// List workspaces
///
/// The live workspaces of a region: the default one first, then the oldest.
#[utoipa::path(
    get, path = "/regions/{region}/workspaces", operation_id = "workspace_list", tag = "workspaces",
    security(("session" = [])), params(("region" = RegionId, Path), WorkspaceListQuery),
    responses((status = 200, description = "A page of workspaces", body = Page<Workspace>), Problems),
)]
async fn workspace_list(
    State(console): State<Console>,
    signed: Signed,
    Path(region): Path<RegionId>,
    Query(query): Query<WorkspaceListQuery>,
) -> Result<axum::Json<Page<Workspace>>, Problem> {
    signed.require(Operation::WorkspaceList)?;
    let quota = workspace_quota(console.region(&region)?);
    let search = query.q.unwrap_or_default();
    let page = PageRequest { size: query.page_size, token: query.page_token };
    let account = &signed.session.account.id;
    Ok(axum::Json(console.store.workspace_list(account, &region, &search, quota, &page).await?))
}

/// Create a workspace
///
/// Its keys may call no model until it is granted some.
#[utoipa::path(
    post, path = "/regions/{region}/workspaces", operation_id = "workspace_create", tag = "workspaces",
    security(("session" = [])), params(("region" = RegionId, Path), ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[ -~]+$")),
    request_body = WorkspaceCreate,
    responses((status = 201, description = "The new workspace", body = Workspace), Problems),
)]
async fn workspace_create(
    State(console): State<Console>,
    signed: Signed,
    Path(region): Path<RegionId>,
    once: Idempotency,
    Json(body): Json<WorkspaceCreate>,
) -> Result<Done<Workspace>, Problem> {
    signed.require(Operation::WorkspaceCreate)?;
    let quota = workspace_quota(console.region(&region)?);
    console
        .changes
        .run(signed.author(), once.of(&body), StatusCode::CREATED, move |change| {
            Box::pin(async move { change.workspace_create(&region, &body.name, quota).await })
        })
        .await
}

/// Show a workspace
#[utoipa::path(
    get, path = "/regions/{region}/workspaces/{workspace}", operation_id = "workspace_view", tag = "workspaces",
    security(("session" = [])), params(("region" = RegionId, Path), ("workspace" = WorkspaceId, Path)),
    responses((status = 200, description = "The workspace", body = Workspace), Problems),
)]
async fn workspace_view(
    State(console): State<Console>,
    signed: Signed,
    Path((region, workspace)): Path<(RegionId, WorkspaceId)>,
) -> Result<axum::Json<Workspace>, Problem> {
    signed.require(Operation::WorkspaceView)?;
    let quota = workspace_quota(console.region(&region)?);
    let account = &signed.session.account.id;
    Ok(axum::Json(console.store.workspace_view(account, &region, &workspace, quota).await?))
}

/// Change a workspace
///
/// Only the fields that are sent, all of them or none. With a stale `version` nothing is changed.
#[utoipa::path(
    patch, path = "/regions/{region}/workspaces/{workspace}", operation_id = "workspace_update", tag = "workspaces",
    security(("session" = [])), params(("region" = RegionId, Path), ("workspace" = WorkspaceId, Path)),
    request_body = WorkspaceUpdate,
    responses((status = 200, description = "The workspace as it is now", body = Workspace), Problems),
)]
async fn workspace_update(
    State(console): State<Console>,
    signed: Signed,
    Path((region, workspace)): Path<(RegionId, WorkspaceId)>,
    Json(body): Json<WorkspaceUpdate>,
) -> Result<Done<Workspace>, Problem> {
    signed.require(Operation::WorkspaceUpdate)?;
    if body.grants.is_some() {
        signed.require(Operation::GrantReplace)?;
    }
    let quota = workspace_quota(console.region(&region)?);
    let catalogue = console.catalogue.clone();
    console
        .changes
        .run(signed.author(), None, StatusCode::OK, move |change| {
            Box::pin(async move {
                let name = body.name.as_ref();
                let updated = change.workspace_update(&region, &workspace, name, body.version, quota).await?;
                let Some(grants) = &body.grants else { return Ok::<_, Problem>(updated) };
                // The version was compared above, and has moved on with the name since.
                let wanted = Wanted { field: "grants", grants: grants.as_slice(), version: None };
                wanted.replace(change, &catalogue, &region, &workspace).await?;
                Ok(change.workspace_view(&region, &workspace, quota).await?)
            })
        })
        .await
}

/// Archive a workspace
///
/// Its keys fail from the next call on; what it did stays in the audit log. There is no way back.
#[utoipa::path(
    post, path = "/regions/{region}/workspaces/{workspace}/archive", operation_id = "workspace_archive",
    tag = "workspaces", security(("session" = [])),
    params(("region" = RegionId, Path), ("workspace" = WorkspaceId, Path), ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[ -~]+$")),
    request_body = WorkspaceArchive,
    responses((status = 204, description = "Archived"), Problems),
)]
async fn workspace_archive(
    State(console): State<Console>,
    signed: Signed,
    Path((region, workspace)): Path<(RegionId, WorkspaceId)>,
    once: Idempotency,
    Json(body): Json<WorkspaceArchive>,
) -> Result<Done<()>, Problem> {
    signed.require(Operation::WorkspaceArchive)?;
    console.region(&region)?;
    console
        .changes
        .run(signed.author(), once.of(&body), StatusCode::NO_CONTENT, move |change| {
            Box::pin(async move { change.workspace_archive(&region, &workspace, &body.name).await })
        })
        .await
        .map_err(|problem| problem.if_unwritten("The workspace and its keys still work as before."))
}
