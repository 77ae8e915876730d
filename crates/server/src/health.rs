//! Whether the process lives, and whether it can work.

use crate::problem::Problem;
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use keygate_store::Store;
use serde_json::{Value, json};

/// `GET /health` and `GET /ready`, on every listener.
pub(crate) fn router(store: Store) -> Router {
    Router::new().route("/health", get(live)).route("/ready", get(ready)).with_state(store)
}

async fn live() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

async fn ready(State(store): State<Store>) -> Result<Json<Value>, Problem> {
    store.ping().await?;
    Ok(Json(json!({ "status": "ok" })))
}
