//! Regions.

use super::Console;
use super::extract::Signed;
use super::permission::Operation;
use crate::problem::{Problem, Problems};
use axum::Json;
use axum::extract::State;
use keygate_contract::{Page, Region};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn router() -> OpenApiRouter<Console> {
    OpenApiRouter::new().routes(routes!(region_list))
}

/// List regions
///
/// All regions of this server, in one page: where their applications call, what their keys can do, their limits,
/// and how long their usage is kept.
#[utoipa::path(
    get, path = "/regions", operation_id = "region_list", tag = "regions", security(("session" = [])),
    responses((status = 200, description = "All regions", body = Page<Region>), Problems),
)]
async fn region_list(State(console): State<Console>, signed: Signed) -> Result<Json<Page<Region>>, Problem> {
    signed.require(Operation::RegionList)?;
    let items = console.regions.clone();
    Ok(Json(Page { total: items.len() as u64, items, next_page_token: None }))
}
