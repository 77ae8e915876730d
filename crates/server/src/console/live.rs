//! The running minute: what the limits count now.

use super::Console;
use super::extract::{Path, Signed};
use super::grant::Standing;
use super::permission::Operation;
use crate::problem::{Problem, Problems};
use axum::Json;
use axum::extract::State;
use keygate_contract::{
    AccountId, Live, LiveModel, LiveWindow, ModelId, ModelInWorkspace, RegionId, WorkspaceId,
};
use keygate_gateway::limit::{Subject, Use};
use keygate_store::{now_ms, timestamp};
use std::collections::HashSet;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// How many days back the default workspace's models are looked for: as far as the console's longest range goes.
const CALLED_DAYS: u32 = 31;

pub(super) fn router() -> OpenApiRouter<Console> {
    OpenApiRouter::new().routes(routes!(live_view))
}

/// Show the running minute
///
/// What the limits have counted in the minute that ends now, beside them: of each model that is granted, called or not;
/// of the default workspace, which may call every model, of each that it has called in the last 31 days. The workspace's
/// own, and the whole account's. One that is archived has none.
#[utoipa::path(
    get, path = "/regions/{region}/workspaces/{workspace}/live", operation_id = "live_view", tag = "usage",
    security(("session" = [])), params(("region" = RegionId, Path), ("workspace" = WorkspaceId, Path)),
    responses((status = 200, description = "Each model", body = Live), Problems),
)]
async fn live_view(
    State(console): State<Console>,
    signed: Signed,
    Path((region, workspace)): Path<(RegionId, WorkspaceId)>,
) -> Result<Json<Live>, Problem> {
    signed.require(Operation::LiveView)?;
    let items = match console.workspace_had(&signed, &region, &workspace).await? {
        true => Vec::new(),
        false => live_models(&console, &signed.session.account.id, &region, &workspace).await?,
    };
    Ok(Json(Live { time: timestamp(now_ms()), items }))
}

async fn live_models(
    console: &Console,
    account: &AccountId,
    region: &RegionId,
    workspace: &WorkspaceId,
) -> Result<Vec<LiveModel>, Problem> {
    let standing = Standing::read(console, account, region, workspace).await?;
    // Most workspaces call a few models of those that they may; a list of all would hide them.
    let called: Option<HashSet<ModelId>> = match standing.is_default() {
        true => Some(console.usage.models_called(workspace, CALLED_DAYS).await?.into_iter().collect()),
        false => None,
    };
    let models = console.catalogue.in_region(region).iter();
    let live = models.filter_map(|model| {
        let own: ModelInWorkspace = standing.view(model)?.workspace?;
        let subject = Subject { account, workspace, slot: model.slot };
        let counted = console.limiter.counted(subject, console.clock.now());
        let is_called = counted.workspace != Use::default()
            || own.last_called_at.is_some()
            || called.as_ref().is_none_or(|called| called.contains(&model.id));
        let window = |used: Use, rpm, tpm| LiveWindow { calls: used.requests, rpm, tokens: used.tokens, tpm };
        is_called.then(|| LiveModel {
            model: model.id.clone(),
            workspace: window(counted.workspace, own.rpm, own.tpm),
            account: window(counted.account, model.limits.rpm, model.limits.tpm),
        })
    });
    Ok(live.collect())
}
