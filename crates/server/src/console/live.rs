//! The running minute: what the limits count now.

use super::Console;
use super::extract::{Path, Signed};
use super::grant::Standing;
use super::permission::Operation;
use crate::problem::{Problem, Problems};
use axum::Json;
use axum::extract::State;
use keygate_contract::{AccountId, Live, LiveModel, LiveWindow, ModelInWorkspace, RegionId, WorkspaceId};
use keygate_gateway::catalogue::Model;
use keygate_gateway::limit::{Subject, Use};
use keygate_store::{now_ms, timestamp};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn router() -> OpenApiRouter<Console> {
    OpenApiRouter::new().routes(routes!(live_view))
}

/// Show the running minute
///
/// What the limits have counted in the minute that ends now, of each model that the workspace has called: the
/// workspace's own, and the whole account's.
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
    console.region(&region)?;
    let account = &signed.session.account.id;
    let standing = Standing::read(&console, account, &region, &workspace).await?;
    let models = console.catalogue.in_region(&region).iter();
    let items =
        models.filter_map(|model| live_model(&console, &standing, (account, &workspace), model)).collect();
    Ok(Json(Live { time: timestamp(now_ms()), items }))
}

/// A model as it stands now, if the workspace may call it and has.
fn live_model(
    console: &Console,
    standing: &Standing,
    (account, workspace): (&AccountId, &WorkspaceId),
    model: &Model,
) -> Option<LiveModel> {
    let own: ModelInWorkspace = standing.view(model)?.workspace?;
    let subject = Subject { account, workspace, slot: model.slot };
    let counted = console.limiter.counted(subject, console.clock.now());
    if own.last_called_at.is_none() && counted.workspace == Use::default() {
        return None;
    }
    let window = |used: Use, rpm, tpm| LiveWindow { calls: used.requests, rpm, tokens: used.tokens, tpm };
    Some(LiveModel {
        model: model.id.clone(),
        workspace: window(counted.workspace, own.rpm, own.tpm),
        account: window(counted.account, model.limits.rpm, model.limits.tpm),
    })
}
