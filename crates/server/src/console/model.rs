//! Models of a region.

use super::Console;
use super::extract::{Path, Query, Signed};
use super::grant::Standing;
use super::permission::Operation;
use crate::problem::{Problem, Problems};
use axum::Json;
use axum::extract::State;
use keygate_contract::{
    Model, ModelList, ModelType, PageSize, RegionId, SearchText, TypeCount, VendorCount, WorkspaceId,
};
use keygate_gateway::catalogue;
use keygate_store::PageRequest;
use serde::Deserialize;
use std::collections::BTreeMap;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn router() -> OpenApiRouter<Console> {
    OpenApiRouter::new().routes(routes!(model_list))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ModelListQuery {
    /// Words, each part of an id or a vendor.
    #[param(value_type = Option<String>, max_length = 128)]
    q: Option<SearchText>,
    /// Only models of this vendor.
    vendor: Option<String>,
    /// Only models of this type.
    #[serde(rename = "type")]
    kind: Option<ModelType>,
    /// Only models this workspace may call, and how fast it may.
    workspace: Option<WorkspaceId>,
    /// Items in a page, 1 to 100; 20 unless told.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 20)]
    page_size: PageSize,
    /// The `next_page_token` of the page before.
    page_token: Option<String>,
}

/// List models
///
/// The models of a region in the order of their ids, with the account's limits. Counts by vendor and by type go with
/// each page.
#[utoipa::path(
    get, path = "/regions/{region}/models", operation_id = "model_list", tag = "models",
    security(("session" = [])), params(("region" = RegionId, Path), ModelListQuery),
    responses((status = 200, description = "A page of models", body = ModelList), Problems),
)]
async fn model_list(
    State(console): State<Console>,
    signed: Signed,
    Path(region): Path<RegionId>,
    Query(query): Query<ModelListQuery>,
) -> Result<Json<ModelList>, Problem> {
    signed.require(Operation::ModelList)?;
    console.region(&region)?;
    let standing = match &query.workspace {
        Some(workspace) => {
            Some(Standing::read(&console, &signed.session.account.id, &region, workspace).await?)
        }
        None => None,
    };
    let search = Search::new(&query.q.unwrap_or_default());
    let models = console.catalogue.in_region(&region).iter().filter(|model| search.finds(model));
    let found: Vec<Model> = match &standing {
        None => models.map(view).collect(),
        Some(standing) => models.filter_map(|model| standing.view(model)).collect(),
    };
    let is_vendor = |model: &Model| query.vendor.as_ref().is_none_or(|vendor| &model.vendor == vendor);
    let is_type = |model: &Model| query.kind.is_none_or(|kind| model.kind == kind);
    let vendors = count(found.iter().filter(|m| is_type(m)).map(|m| m.vendor.clone()));
    let types = count(found.iter().filter(|m| is_vendor(m)).map(|m| m.kind));
    let items: Vec<Model> = found.into_iter().filter(|m| is_vendor(m) && is_type(m)).collect();
    let page = PageRequest { size: query.page_size, token: query.page_token };
    let position = |model: &Model| {
        let (folded, id) = catalogue::order(&model.id);
        (folded, id.to_string())
    };
    Ok(Json(ModelList {
        page: page.page_of(items, position)?,
        vendors: vendors.into_iter().map(|(vendor, count)| VendorCount { vendor, count }).collect(),
        types: types.into_iter().map(|(kind, count)| TypeCount { kind, count }).collect(),
    }))
}

/// How many there are of each, in order.
fn count<T: Ord>(each: impl Iterator<Item = T>) -> BTreeMap<T, u64> {
    let mut counts = BTreeMap::new();
    each.for_each(|one| *counts.entry(one).or_default() += 1);
    counts
}

/// What is searched for: each word must be part of the id or the vendor, whatever the case.
struct Search(Vec<String>);

impl Search {
    fn new(text: &SearchText) -> Self {
        Self(text.as_str().to_lowercase().split_whitespace().map(str::to_owned).collect())
    }

    fn finds(&self, model: &catalogue::Model) -> bool {
        let (id, vendor) = (model.id.as_str().to_lowercase(), model.vendor.to_lowercase());
        self.0.iter().all(|word| id.contains(word) || vendor.contains(word))
    }
}

/// A model of the catalogue as the API shows it.
pub(super) fn view(model: &catalogue::Model) -> Model {
    Model {
        id: model.id.clone(),
        vendor: model.vendor.clone(),
        kind: model.kind,
        rpm: model.limits.rpm,
        tpm: model.limits.tpm,
        context_window: model.context_window,
        max_output_tokens: model.max_output_tokens,
        prices: model.prices.clone(),
        workspace: None,
    }
}
