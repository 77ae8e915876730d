//! The call log.

use super::Console;
use super::extract::{Path, Query, Signed};
use super::permission::Operation;
use super::usage::{Range, check_model};
use crate::problem::{Problem, Problems};
use axum::Json;
use axum::extract::State;
use keygate_contract::{ApiKeyId, Call, CallClass, ModelId, Page, PageSize, RegionId, WorkspaceId};
use keygate_store::{CallFilter, PageRequest};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn router() -> OpenApiRouter<Console> {
    OpenApiRouter::new().routes(routes!(request_list)).routes(routes!(request_view))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CallFields {
    /// RFC 3339 with any offset; as far back as the log goes unless told.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<String>,
    /// RFC 3339 with any offset; now unless told. Not part of the range.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<String>,
    /// Only calls that ended so.
    #[param(inline)]
    class: Option<CallClass>,
    /// Only calls of this model; empty: only those of none.
    #[param(value_type = Option<String>, max_length = 256)]
    model: Option<ModelId>,
    /// Only calls with this key.
    api_key: Option<ApiKeyId>,
    /// Items in a page, 1 to 100; 20 unless told.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 20)]
    page_size: PageSize,
    /// The `next_page_token` of the page before.
    page_token: Option<String>,
}

/// List calls
///
/// The call log, latest first, for 14 days unless the configuration says otherwise. It holds nothing of what was asked
/// or answered.
#[utoipa::path(
    get, path = "/regions/{region}/workspaces/{workspace}/requests", operation_id = "request_list", tag = "usage",
    security(("session" = [])), params(("region" = RegionId, Path), ("workspace" = WorkspaceId, Path), CallFields),
    responses((status = 200, description = "A page of calls", body = Page<Call>), Problems),
)]
async fn request_list(
    State(console): State<Console>,
    signed: Signed,
    Path((region, workspace)): Path<(RegionId, WorkspaceId)>,
    Query(fields): Query<CallFields>,
) -> Result<Json<Page<Call>>, Problem> {
    signed.require(Operation::RequestList)?;
    console.workspace_had(&signed, &region, &workspace).await?;
    check_model(fields.model.as_ref())?;
    let (from, to) = Range::ends(fields.from.as_deref(), fields.to.as_deref())?;
    let filter = CallFilter { from, to, class: fields.class, model: fields.model, api_key: fields.api_key };
    let page = PageRequest { size: fields.page_size, token: fields.page_token };
    Ok(Json(console.usage.calls(&workspace, &filter, &page).await?))
}

/// Show a call
///
/// By the id that its answer told in `x-request-id`.
#[utoipa::path(
    get, path = "/regions/{region}/workspaces/{workspace}/requests/{request}", operation_id = "request_view", tag = "usage",
    security(("session" = [])), params(("region" = RegionId, Path), ("workspace" = WorkspaceId, Path), ("request" = String, Path, description = "The call's request id")),
    responses((status = 200, description = "The call", body = Call), Problems),
)]
async fn request_view(
    State(console): State<Console>,
    signed: Signed,
    Path((region, workspace, request)): Path<(RegionId, WorkspaceId, String)>,
) -> Result<Json<Call>, Problem> {
    signed.require(Operation::RequestView)?;
    console.workspace_had(&signed, &region, &workspace).await?;
    let call = console.usage.call(&workspace, &request).await?;
    call.map(Json).ok_or_else(Problem::not_found)
}
