//! Usage: what was called, how fast, at what cost.

mod export;
mod range;
mod step;

use super::Console;
use super::extract::{Path, Query, Signed};
use super::permission::Operation;
use crate::problem::{Problem, Problems};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use keygate_contract::{ApiKeyId, ModelId, RegionId, Usage, UsageGroup, UsageStep, WorkspaceId};
use keygate_store::{UsageQuery, UsageScope, now_ms};
pub(super) use range::Range;
use serde::Deserialize;
use step::{Kept, Length};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The longest name of a model, in bytes; longer ones are mistakes.
const MODEL_MAX: usize = 256;

pub(super) fn router() -> OpenApiRouter<Console> {
    OpenApiRouter::new()
        .routes(routes!(usage_query))
        .routes(routes!(usage_region_query))
        .routes(routes!(usage_export))
        .routes(routes!(usage_region_export))
}

/// The fields of every query of usage.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct UsageFields {
    /// RFC 3339 with any offset; a day before `to` unless told. The step it is in counts as a whole.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<String>,
    /// RFC 3339 with any offset; now unless told. Not part of the range, but the step it is in counts as a whole.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<String>,
    /// How long the spans are.
    #[serde(default)]
    #[param(inline)]
    step: UsageStep,
    /// What is told apart in each span.
    #[serde(default)]
    #[param(inline)]
    group_by: UsageGroup,
    /// What is told apart in the totals of the whole range; as `group_by` unless told.
    #[param(inline)]
    totals_by: Option<UsageGroup>,
    /// Only calls of this model; empty: only those of none.
    #[param(value_type = Option<String>, max_length = 256)]
    model: Option<ModelId>,
    /// Only calls with this key.
    api_key: Option<ApiKeyId>,
    /// Also the range of the same length before.
    #[serde(default)]
    previous: bool,
}

/// The fields of a file of usage: it has neither totals nor a range before.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct FileFields {
    /// RFC 3339 with any offset; a day before `to` unless told. The step it is in counts as a whole.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<String>,
    /// RFC 3339 with any offset; now unless told. Not part of the range, but the step it is in counts as a whole.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<String>,
    /// How long the spans are.
    #[serde(default)]
    #[param(inline)]
    step: UsageStep,
    /// What is told apart in each span.
    #[serde(default)]
    #[param(inline)]
    group_by: UsageGroup,
    /// Only calls of this model; empty: only those of none.
    #[param(value_type = Option<String>, max_length = 256)]
    model: Option<ModelId>,
    /// Only calls with this key.
    api_key: Option<ApiKeyId>,
}

impl From<FileFields> for UsageFields {
    fn from(fields: FileFields) -> Self {
        let FileFields { from, to, step, group_by, model, api_key } = fields;
        Self { from, to, step, group_by, totals_by: None, model, api_key, previous: false }
    }
}

impl UsageFields {
    /// What is asked; `of` are the groupings that there are.
    fn read(self, workspaces: Vec<WorkspaceId>, of: &[UsageGroup]) -> Result<Asked, Problem> {
        for (field, group) in [("group_by", Some(self.group_by)), ("totals_by", self.totals_by)] {
            if group.is_some_and(|group| !of.contains(&group)) {
                let names: Vec<&str> = of.iter().map(|group| group.as_str()).collect();
                let message = format!("Here usage is told apart by {}.", names.join(", "));
                return Err(Problem::invalid_field(field, message));
            }
        }
        check_model(self.model.as_ref())?;
        let range = Range::read(self.from.as_deref(), self.to.as_deref(), now_ms())?;
        let steps = range.in_steps(self.step);
        let query = UsageQuery {
            of: UsageScope::Workspaces(workspaces),
            from: steps.from,
            to: steps.to,
            step: self.step,
            group_by: self.group_by,
            totals_by: self.totals_by,
            model: self.model,
            api_key: self.api_key,
        };
        Ok(Asked { query, range, previous: self.previous })
    }
}

/// What is asked.
struct Asked {
    /// In whole steps.
    query: UsageQuery,
    /// The range as it was told.
    range: Range,
    /// Whether the range before is asked for, too.
    previous: bool,
}

impl Asked {
    /// Refuses a step in which there is no telling it.
    async fn require_step(
        &self,
        console: &Console,
        region: &RegionId,
        length: Length,
    ) -> Result<(), Problem> {
        let previous = self.previous && length == Length::Answer;
        Kept::read(console, region).await?.require(self.range, previous, self.query.step, length)
    }
}

/// Refuses what cannot be the name of a model.
pub(super) fn check_model(model: Option<&ModelId>) -> Result<(), Problem> {
    match model {
        Some(model) if model.as_str().len() > MODEL_MAX => Err(Problem::invalid_field(
            "model",
            format!("Names of models have at most {MODEL_MAX} characters."),
        )),
        _ => Ok(()),
    }
}

/// What usage of one workspace is told apart by.
const IN_WORKSPACE: [UsageGroup; 3] = [UsageGroup::None, UsageGroup::Model, UsageGroup::ApiKey];
/// What usage of a region is told apart by. Keys may be hundreds of thousands.
const IN_REGION: [UsageGroup; 3] = [UsageGroup::None, UsageGroup::Model, UsageGroup::Workspace];

/// Query the usage of a workspace
///
/// Calls, tokens, cost and latency in spans of time, from sums that are kept as calls end: what ended a second or two
/// ago is in it. Steps of a minute cover 25 hours at most, of an hour 62 days, of a day four years. Minutes and hours are
/// kept as long as `usage` of the region says, by whole days of UTC. A step that is too fine, or no longer kept at `from`
/// (with `previous`, at the `from` of the range before), is refused with the step to use.
#[utoipa::path(
    get, path = "/regions/{region}/workspaces/{workspace}/usage", operation_id = "usage_query", tag = "usage",
    security(("session" = [])), params(("region" = RegionId, Path), ("workspace" = WorkspaceId, Path), UsageFields),
    responses((status = 200, description = "What was used", body = Usage), Problems),
)]
async fn usage_query(
    State(console): State<Console>,
    signed: Signed,
    Path((region, workspace)): Path<(RegionId, WorkspaceId)>,
    Query(fields): Query<UsageFields>,
) -> Result<Response, Problem> {
    signed.require(Operation::UsageQuery)?;
    console.workspace_had(&signed, &region, &workspace).await?;
    let asked = fields.read(vec![workspace], &IN_WORKSPACE)?;
    answer(&console, &region, asked).await
}

/// Query the usage of a region
///
/// The same of all workspaces of the account in a region, those that are archived among them.
#[utoipa::path(
    get, path = "/regions/{region}/usage", operation_id = "usage_region_query", tag = "usage",
    security(("session" = [])), params(("region" = RegionId, Path), UsageFields),
    responses((status = 200, description = "What was used", body = Usage), Problems),
)]
async fn usage_region_query(
    State(console): State<Console>,
    signed: Signed,
    Path(region): Path<RegionId>,
    Query(fields): Query<UsageFields>,
) -> Result<Response, Problem> {
    signed.require(Operation::UsageRegionQuery)?;
    let workspaces = console.workspaces(&signed, &region).await?;
    let asked = fields.read(workspaces, &IN_REGION)?;
    answer(&console, &region, asked).await
}

async fn answer(console: &Console, region: &RegionId, asked: Asked) -> Result<Response, Problem> {
    asked.require_step(console, region, Length::Answer).await?;
    let query = &asked.query;
    let period = console.usage.usage(query).await?;
    let previous = match asked.previous {
        true => {
            let before = Range { from: query.from, to: query.to }.before();
            let query = UsageQuery { from: before.from, to: before.to, ..query.clone() };
            Some(console.usage.usage(&query).await?)
        }
        false => None,
    };
    // Cleaning may have begun in between: totals must not tell what items no longer do.
    asked.require_step(console, region, Length::Answer).await?;
    let usage = Usage { step: query.step, period, previous };
    // Tens of thousands of items take longer to write than this thread may be away from its calls.
    Ok(console.usage.aside(move || Json(usage).into_response()).await?)
}

async fn file(console: &Console, region: &RegionId, asked: &Asked, name: &str) -> Result<Response, Problem> {
    asked.require_step(console, region, Length::File).await?;
    Ok(export::csv(console, &asked.query, name))
}

/// Export the usage of a workspace
///
/// What `usage_query` tells, as CSV, line by line: however long the range is, as far back as the step is kept.
#[utoipa::path(
    get, path = "/regions/{region}/workspaces/{workspace}/usage.csv", operation_id = "usage_export", tag = "usage",
    security(("session" = [])), params(("region" = RegionId, Path), ("workspace" = WorkspaceId, Path), FileFields),
    responses((status = 200, description = "A line for each span of each group", body = String, content_type = "text/csv"), Problems),
)]
async fn usage_export(
    State(console): State<Console>,
    signed: Signed,
    Path((region, workspace)): Path<(RegionId, WorkspaceId)>,
    Query(fields): Query<FileFields>,
) -> Result<Response, Problem> {
    signed.require(Operation::UsageQuery)?;
    console.workspace_had(&signed, &region, &workspace).await?;
    let name = workspace.to_string();
    let asked = UsageFields::from(fields).read(vec![workspace], &IN_WORKSPACE)?;
    file(&console, &region, &asked, &name).await
}

/// Export the usage of a region
///
/// What `usage_region_query` tells, as CSV, line by line.
#[utoipa::path(
    get, path = "/regions/{region}/usage.csv", operation_id = "usage_region_export", tag = "usage",
    security(("session" = [])), params(("region" = RegionId, Path), FileFields),
    responses((status = 200, description = "A line for each span of each group", body = String, content_type = "text/csv"), Problems),
)]
async fn usage_region_export(
    State(console): State<Console>,
    signed: Signed,
    Path(region): Path<RegionId>,
    Query(fields): Query<FileFields>,
) -> Result<Response, Problem> {
    signed.require(Operation::UsageRegionQuery)?;
    let workspaces = console.workspaces(&signed, &region).await?;
    let name = region.to_string();
    let asked = UsageFields::from(fields).read(workspaces, &IN_REGION)?;
    file(&console, &region, &asked, &name).await
}
