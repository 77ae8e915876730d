//! Whether the process lives, and whether it can work.

use crate::problem::Problem;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use http::header;
use keygate_contract::{Health, RegionId};
use keygate_store::Store;
use serde_json::{Value, json};

/// `GET /health` and `GET /ready`, on every listener.
pub(crate) fn router(store: Store, region: RegionId) -> Router {
    let health = Health { status: "ok".into(), region };
    let live = move || std::future::ready(live(&health));
    Router::new().route("/health", get(live)).route("/ready", get(ready)).with_state(store)
}

/// Any page may read it: a console that is served elsewhere checks its endpoints with it, and it tells nothing that
/// the endpoint's address does not.
fn live(health: &Health) -> impl IntoResponse + use<> {
    let shared = [(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"), (CORP, "cross-origin")];
    (shared, Json(health.clone()))
}

const CORP: http::HeaderName = http::HeaderName::from_static("cross-origin-resource-policy");

async fn ready(State(store): State<Store>) -> Result<Json<Value>, Problem> {
    store.ping().await?;
    Ok(Json(json!({ "status": "ok" })))
}
