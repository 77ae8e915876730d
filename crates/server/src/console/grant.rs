//! Grants: which models the keys of a workspace may call, and how fast.

use super::change::Done;
use super::extract::{Json, Path, Query, Signed};
use super::permission::Operation;
use super::{Console, model};
use crate::problem::{Problem, Problems};
use axum::extract::State;
use http::StatusCode;
use keygate_contract::{
    AccountId, GrantList, GrantReplace, Model, ModelGrant, ModelId, ModelInWorkspace, PerMinute, RegionId,
    WorkspaceId,
};
use keygate_gateway::catalogue::{self, Catalogue};
use keygate_store::{Change, Grants, timestamp};
use serde::Deserialize;
use std::collections::{HashMap, HashSet};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn router() -> OpenApiRouter<Console> {
    OpenApiRouter::new().routes(routes!(grant_list, grant_replace))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct GrantListQuery {
    /// `models`: the granted models as `model_list` gives them, too.
    #[param(inline)]
    expand: Option<Expand>,
}

#[derive(Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum Expand {
    Models,
}

/// List grants
///
/// Which models the workspace's keys may call and how fast, in one list. The default workspace may call every model as
/// fast as the account.
#[utoipa::path(
    get, path = "/regions/{region}/workspaces/{workspace}/model-grants", operation_id = "grant_list", tag = "models",
    security(("session" = [])),
    params(("region" = RegionId, Path), ("workspace" = WorkspaceId, Path), GrantListQuery),
    responses((status = 200, description = "All grants", body = GrantList), Problems),
)]
async fn grant_list(
    State(console): State<Console>,
    signed: Signed,
    Path((region, workspace)): Path<(RegionId, WorkspaceId)>,
    Query(query): Query<GrantListQuery>,
) -> Result<axum::Json<GrantList>, Problem> {
    signed.require(Operation::GrantList)?;
    console.region(&region)?;
    let standing = Standing::read(&console, &signed.session.account.id, &region, &workspace).await?;
    let models = console.catalogue.in_region(&region);
    let items = if standing.grants.is_default {
        models.iter().filter_map(account_grant).collect()
    } else {
        standing.grants.items.clone()
    };
    let models = query.expand.map(|Expand::Models| models.iter().filter_map(|m| standing.view(m)).collect());
    Ok(axum::Json(GrantList { items, version: standing.grants.version, models }))
}

/// Replace grants
///
/// The whole set, in place of what was there. Limits are at least 1 and at most the account's. The next call meets
/// what is answered here; calls under way finish. With a stale `version` nothing is changed.
#[utoipa::path(
    put, path = "/regions/{region}/workspaces/{workspace}/model-grants", operation_id = "grant_replace",
    tag = "models", security(("session" = [])),
    params(("region" = RegionId, Path), ("workspace" = WorkspaceId, Path)), request_body = GrantReplace,
    responses((status = 200, description = "All grants as they are now", body = GrantList), Problems),
)]
async fn grant_replace(
    State(console): State<Console>,
    signed: Signed,
    Path((region, workspace)): Path<(RegionId, WorkspaceId)>,
    Json(body): Json<GrantReplace>,
) -> Result<Done<GrantList>, Problem> {
    signed.require(Operation::GrantReplace)?;
    console.region(&region)?;
    let catalogue = console.catalogue.clone();
    console
        .changes
        .run(signed.author(), None, StatusCode::OK, move |change| {
            Box::pin(async move {
                let wanted = Wanted { field: "items", grants: body.items.as_slice(), version: body.version };
                wanted.replace(change, &catalogue, &region, &workspace).await?;
                let Grants { items, version, .. } = change.grant_list(&region, &workspace).await?;
                Ok::<_, Problem>(GrantList { items, version, models: None })
            })
        })
        .await
}

/// The grants that a request wants, and the field they stand in.
pub(super) struct Wanted<'a> {
    pub(super) field: &'static str,
    pub(super) grants: &'a [ModelGrant],
    pub(super) version: Option<u64>,
}

impl Wanted<'_> {
    /// Checks the grants against the catalogue and puts them in place of what was there.
    pub(super) async fn replace(
        &self,
        change: &mut Change,
        catalogue: &Catalogue,
        region: &RegionId,
        workspace: &WorkspaceId,
    ) -> Result<(), Problem> {
        let held = change.grant_list(region, workspace).await?;
        if !held.is_default && self.version.is_none_or(|version| version == held.version) {
            // A stale set is refused as such: what it holds may be gone by now.
            self.check(catalogue, region, &held.items)?;
        }
        change.grant_replace(region, workspace, self.grants, self.version).await?;
        Ok(())
    }

    /// Refuses the first grant that cannot be, by its field. One that is held already may stay as it is, even if the
    /// configuration has since taken the model away or lowered the account's limit, which holds anyway: nobody should
    /// have to give it up for wanting to change another.
    fn check(&self, catalogue: &Catalogue, region: &RegionId, held: &[ModelGrant]) -> Result<(), Problem> {
        let held: HashSet<&ModelGrant> = held.iter().collect();
        let mut seen = HashSet::new();
        for (index, grant) in self.grants.iter().enumerate() {
            let wrong = |field: &str, message: String| {
                Err(Problem::invalid_field(format!("{}[{index}].{field}", self.field), message))
            };
            let name = short(&grant.model);
            if !seen.insert(&grant.model) {
                return wrong("model", format!("`{name}` stands here twice. Grant each model once."));
            }
            if held.contains(&grant) {
                continue;
            }
            let Some(model) = catalogue.find(region, &grant.model) else {
                return wrong("model", format!("There is no model `{name}` in this region."));
            };
            if let Err(error) = PerMinute::within(grant.rpm.get(), model.limits.rpm) {
                return wrong("rpm", error.to_string());
            }
            match (grant.tpm, model.limits.tpm) {
                (Some(tpm), Some(account)) => {
                    if let Err(error) = PerMinute::within(tpm.get(), account) {
                        return wrong("tpm", error.to_string());
                    }
                }
                (None, Some(account)) => {
                    return wrong(
                        "tpm",
                        format!("`{name}` is metered in tokens. Give 1 to {account} a minute."),
                    );
                }
                (Some(_), None) => {
                    return wrong("tpm", format!("`{name}` is not metered in tokens. Leave `tpm` out."));
                }
                (None, None) => {}
            }
        }
        Ok(())
    }
}

/// A model's name out of a request, short enough for a message.
fn short(model: &ModelId) -> String {
    model.as_str().chars().take(80).collect()
}

/// The grant that stands for "as fast as the account".
fn account_grant(model: &catalogue::Model) -> Option<ModelGrant> {
    let tpm = model.limits.tpm.map(PerMinute::try_from).transpose().ok()?;
    Some(ModelGrant { model: model.id.clone(), rpm: PerMinute::try_from(model.limits.rpm).ok()?, tpm })
}

/// How the models of a region stand in a workspace.
pub(super) struct Standing {
    grants: Grants,
    by_model: HashMap<ModelId, ModelGrant>,
    last_called: HashMap<ModelId, i64>,
}

impl Standing {
    /// Reads it.
    pub(super) async fn read(
        console: &Console,
        account: &AccountId,
        region: &RegionId,
        workspace: &WorkspaceId,
    ) -> Result<Self, Problem> {
        let grants = console.store.grant_list(account, region, workspace).await?;
        let last_called = console.store.models_last_called(account, workspace).await?;
        let by_model = grants.items.iter().map(|g| (g.model.clone(), g.clone())).collect();
        Ok(Self { grants, by_model, last_called })
    }

    /// Whether it is the default workspace, which may call every model.
    pub(super) fn is_default(&self) -> bool {
        self.grants.is_default
    }

    /// A model as the API shows it, if the workspace may call it.
    pub(super) fn view(&self, model: &catalogue::Model) -> Option<Model> {
        let (rpm, tpm) = if self.grants.is_default {
            (model.limits.rpm, model.limits.tpm)
        } else {
            let grant = self.by_model.get(&model.id)?;
            (grant.rpm.get(), grant.tpm.map(PerMinute::get))
        };
        let last_called_at = self.last_called.get(&model.id).copied().map(timestamp);
        let workspace = Some(ModelInWorkspace { rpm, tpm, last_called_at });
        Some(Model { workspace, ..model::view(model) })
    }
}
