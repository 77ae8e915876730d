//! The control plane: the JSON API behind the console.
//!
//! The way of a request: `route → permission → store → audit`. Each resource is a module with a `router()`; request
//! and response types are in the contract; a handler's doc comment is the operation's summary in the description.

mod api_key;
mod attempts;
mod browser;
mod call;
mod change;
mod cookie;
mod cors;
mod extract;
mod grant;
mod held;
mod live;
mod model;
mod network;
mod origin;
mod permission;
mod proxy;
mod region;
mod session;
mod usage;
mod workspace;

use crate::config::SESSION_COOKIE;
use crate::mail::Mailer;
use crate::problem::Problem;
use crate::secret::ServerSecret;
use axum::Router;
use axum::middleware::from_fn_with_state;
use change::Changes;
use extract::Signed;
use keygate_contract::{ErrorBody, Region, RegionId, WorkspaceId};
use keygate_gateway::catalogue::Catalogue;
use keygate_gateway::credential::{KeyHasher, TemporaryKeySigner};
use keygate_gateway::limit::{Clock, Limiter};
use keygate_gateway::memory::MemoryBudget;
use keygate_store::{ApiKeyQuota, Store, UsageStore, WorkspaceQuota};
use std::sync::Arc;
use tower_http::cors::CorsLayer;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;

pub(crate) use attempts::Attempts;
pub(crate) use change::Changes as ChangeRunner;
pub(crate) use cookie::{CookieReach, SessionCookie};
pub(crate) use origin::Origins;
pub(crate) use proxy::ProxyCheck;

/// Where the API stands.
pub(crate) const PREFIX: &str = "/console/v1";

/// What handlers work with. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Console(Arc<Inner>);

pub(crate) struct Parts {
    pub(crate) store: Store,
    pub(crate) changes: Changes,
    pub(crate) secret: ServerSecret,
    pub(crate) key_hasher: KeyHasher,
    pub(crate) temporary_key_signer: TemporaryKeySigner,
    pub(crate) mailer: Mailer,
    pub(crate) attempts: Attempts,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) limiter: Arc<Limiter>,
    pub(crate) clock: Clock,
    pub(crate) usage: UsageStore,
    /// The memory budget for requests and answers.
    pub(crate) memory: Arc<MemoryBudget>,
    /// In the order of the configuration.
    pub(crate) regions: Vec<Region>,
    /// How browsers keep a session.
    pub(crate) cookie: SessionCookie,
    /// The origins whose pages may change things.
    pub(crate) origins: Origins,
    /// Detects a proxy that is missing from the configuration.
    pub(crate) proxy: ProxyCheck,
}

struct Inner {
    parts: Parts,
    cors: CorsLayer,
}

impl std::ops::Deref for Console {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0.parts
    }
}

impl Console {
    pub(crate) fn new(parts: Parts) -> Self {
        let cors = cors::layer(parts.origins.listed());
        Self(Arc::new(Inner { parts, cors }))
    }

    /// A region this process serves.
    fn region(&self, id: &RegionId) -> Result<&Region, Problem> {
        self.regions.iter().find(|r| &r.id == id).ok_or_else(Problem::not_found)
    }

    /// Refuses a workspace that never was there, or is not of the account that asks. What was called in one that is archived
    /// can still be read. Tells whether it is archived.
    async fn workspace_had(
        &self,
        signed: &Signed,
        region: &RegionId,
        id: &WorkspaceId,
    ) -> Result<bool, Problem> {
        self.region(region)?;
        Ok(self.store.workspace_is_archived(&signed.session.account.id, region, id).await?)
    }

    /// All workspaces that the account has, or had, in a region.
    async fn workspaces(&self, signed: &Signed, region: &RegionId) -> Result<Vec<WorkspaceId>, Problem> {
        self.region(region)?;
        Ok(self.store.workspace_ids(&signed.session.account.id, region).await?)
    }
}

fn workspace_quota(region: &Region) -> WorkspaceQuota {
    WorkspaceQuota {
        workspaces: region.limits.workspaces,
        keys_per_workspace: region.limits.keys_per_workspace,
    }
}

fn api_key_quota(region: &Region) -> ApiKeyQuota {
    let limits = &region.limits;
    ApiKeyQuota {
        per_workspace: limits.keys_per_workspace,
        per_region: limits.keys_per_region,
        per_owner: limits.keys_per_owner,
    }
}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Keygate console API",
        description = "The control plane of Keygate: sessions, regions, models, workspaces, grants, API keys and usage. Errors have one shape, \
                       `{\"error\": {\"code\", \"message\", \"field\"?, \"request_id\"}}`; codes are stable.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers((url = "/console/v1")),
    components(schemas(ErrorBody)),
)]
struct Description;

/// Every operation takes the session's cookie, but those that make one.
fn name_cookie(mut api: utoipa::openapi::OpenApi, name: &str) -> utoipa::openapi::OpenApi {
    use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
    let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(name)));
    api.components.get_or_insert_default().security_schemes.insert("session".into(), cookie.into());
    api
}

fn routes() -> OpenApiRouter<Console> {
    OpenApiRouter::with_openapi(Description::openapi())
        .merge(session::router())
        .merge(region::router())
        .merge(model::router())
        .merge(workspace::router())
        .merge(grant::router())
        .merge(api_key::router())
        .merge(usage::router())
        .merge(live::router())
        .merge(call::router())
}

/// The OpenAPI 3.1 description of the console API of a server that is not configured.
pub fn openapi() -> utoipa::openapi::OpenApi {
    name_cookie(routes().into_openapi(), SESSION_COOKIE)
}

/// The API, to be nested below [`PREFIX`].
pub(crate) fn router(console: Console) -> Router {
    let (routes, description) = routes().split_for_parts();
    let description = axum::Json(name_cookie(description, console.cookie.name()));
    routes
        .route("/openapi.json", axum::routing::get(move || std::future::ready(description.clone())))
        .fallback(async || Problem::not_found())
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .layer(from_fn_with_state(console.clone(), held::answers))
        .layer(from_fn_with_state(console.clone(), origin::guard))
        .layer(from_fn_with_state(console.clone(), cors::share))
        .layer(from_fn_with_state(console.clone(), proxy::notice))
        .with_state(console)
}
