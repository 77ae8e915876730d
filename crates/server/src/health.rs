//! Whether the process lives, and whether it can work.

use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use http::{StatusCode, header};
use keygate_contract::{Health, RegionId, Timestamp};
use keygate_store::{Store, StoreError, UsageStore, WriteHealth, timestamp};
use serde::Serialize;
use std::time::Duration;

/// How long a read may take before the database counts as unreadable.
const READ_WITHIN: Duration = Duration::from_secs(3);

/// `GET /health` and `GET /ready`, on every listener.
pub(crate) fn router(store: Store, usage: UsageStore, region: RegionId) -> Router {
    let health = Health { status: "ok".into(), region };
    let live = move || std::future::ready(live(&health));
    Router::new().route("/health", get(live)).route("/ready", get(ready)).with_state((store, usage))
}

/// Any page may read it: a console that is served elsewhere checks its endpoints with it, and it tells nothing that
/// the endpoint's address does not.
fn live(health: &Health) -> impl IntoResponse + use<> {
    let shared = [(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"), (CORP, "cross-origin")];
    (shared, Json(health.clone()))
}

const CORP: http::HeaderName = http::HeaderName::from_static("cross-origin-resource-policy");

/// The body of `GET /ready`: reads and writes, in total and per database.
#[derive(Serialize)]
struct Ready {
    status: Outcome,
    reads: Outcome,
    writes: Outcome,
    databases: Databases,
}

#[derive(Serialize)]
struct Databases {
    keygate: Database,
    usage: Database,
}

#[derive(Serialize)]
struct Database {
    reads: Outcome,
    writes: Outcome,
    /// The time since which writes fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    writes_failing_since: Option<Timestamp>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Ok,
    Failing,
}

impl Outcome {
    fn and(self, other: Self) -> Self {
        if self == Self::Ok { other } else { self }
    }
}

async fn ready(State((store, usage)): State<(Store, UsageStore)>) -> impl IntoResponse {
    let (keygate, usage) = tokio::join!(
        database(store.ping(), store.write_health()),
        database(usage.ping(), usage.write_health())
    );
    let (reads, writes) = (keygate.reads.and(usage.reads), keygate.writes.and(usage.writes));
    let status = reads.and(writes);
    let code = if status == Outcome::Ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let fresh = [(header::CACHE_CONTROL, "no-store")];
    (code, fresh, Json(Ready { status, reads, writes, databases: Databases { keygate, usage } }))
}

async fn database(read: impl Future<Output = Result<(), StoreError>>, health: &WriteHealth) -> Database {
    let reads = match tokio::time::timeout(READ_WITHIN, read).await {
        Ok(Ok(())) => Outcome::Ok,
        _ => Outcome::Failing,
    };
    let since = health.failing_since();
    let writes = if since.is_none() { Outcome::Ok } else { Outcome::Failing };
    Database { reads, writes, writes_failing_since: since.map(timestamp) }
}
