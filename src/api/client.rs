//! The one place that sends requests, each to the backend that serves the region in its path.

mod connection;
mod exchange;

pub use connection::Connection;

use super::backend::{BackendId, Backends};
use super::error::{ApiError, Result};
use super::serving::{Serving, region_in};
use exchange::{Answer, parse, read, send, write};
use gloo_net::http::Method;
use keygate_contract::RegionId;
use leptos::prelude::{
    Get, GetUntracked, RwSignal, StoredValue, Update, UpdateUntracked, With, WithUntracked, WithValue,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::future::poll_fn;

/// Where the console API stands on its backend.
const BASE: &str = "/console/v1";

/// Where the list of regions is.
pub(super) const REGIONS: &str = "/regions";

/// How long an answer may take, in milliseconds. Nothing the console asks for takes longer than a second or two.
const TIMEOUT_MS: u32 = 30_000;

/// The same for the list of regions where there are several backends: the regions of one must not wait for another.
const REGIONS_TIMEOUT_MS: u32 = 5_000;

/// Sends requests to the console API.
#[derive(Clone, Copy)]
pub struct Client {
    /// All that it sends to.
    pub backends: Backends,
    /// Kept up to date with every answer.
    connections: StoredValue<Vec<Connection>>,
    serving: RwSignal<Serving>,
    /// The one to send to; none: the one that serves the region.
    to: Option<BackendId>,
}

/// Names a submit, so that sending it again does not do it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// A key nobody used before.
    pub fn random() -> Self {
        let crypto = leptos::prelude::window().crypto().expect("every browser with WebAssembly has it");
        Self(crypto.random_uuid())
    }
}

impl Client {
    /// A client that has not sent anything yet.
    pub fn new(backends: Backends) -> Self {
        let connection = |_| Connection { away: RwSignal::new(false), signed_out: RwSignal::new(false) };
        let connections: Vec<_> = backends.all().map(connection).collect();
        let serving = RwSignal::new(Serving::by(connections.len()));
        Self { backends, connections: StoredValue::new(connections), serving, to: None }
    }

    /// Sends to this backend what has no region in its path.
    #[must_use]
    pub fn at(self, backend: BackendId) -> Self {
        Self { to: Some(backend), ..self }
    }

    /// What is known of the connection to a backend.
    pub fn connection(self, BackendId(i): BackendId) -> Connection {
        self.connections.with_value(|all| all[i])
    }

    /// The backend of a region, as far as it is known. It is tracked.
    pub fn backend_of(self, region: &RegionId) -> Option<BackendId> {
        self.serving.with(|serving| serving.known(region))
    }

    /// The same for an act of this moment.
    pub fn backend_of_untracked(self, region: &RegionId) -> Option<BackendId> {
        self.serving.with_untracked(|serving| serving.known(region))
    }

    /// Whether every backend has told its regions, or failed to. It is tracked.
    pub fn knows_all_regions(self) -> bool {
        self.serving.with(Serving::is_settled)
    }

    /// A backend whose connection is so, if there is one. It is tracked.
    pub fn any(self, is_so: impl Fn(Connection) -> RwSignal<bool>) -> Option<BackendId> {
        self.backends.all().map(|(id, _)| id).find(|id| is_so(self.connection(*id)).get())
    }

    pub(super) fn serving(self, change: impl FnOnce(&mut Serving)) {
        self.serving.update(change);
    }

    /// Where a request goes. It waits until that is known.
    async fn target(self, path: &str) -> Result<BackendId> {
        if let Some(backend) = self.to {
            return Ok(backend);
        }
        let region = region_in(path).expect("all but sign-in and the list of regions is about a region");
        let away = || self.backends.all().any(|(id, _)| self.connection(id).away.get_untracked());
        let found = self.server_of(&region).await;
        found.ok_or_else(|| if away() { ApiError::unreachable() } else { ApiError::unserved() })
    }

    /// The backend of a region; none if nobody serves it. It waits until that is known.
    pub(super) async fn server_of(self, region: &RegionId) -> Option<BackendId> {
        poll_fn(|context| {
            let found = self.serving.with_untracked(|serving| serving.find(region));
            if found.is_pending() {
                self.serving.update_untracked(|serving| serving.wait(context.waker()));
            }
            found
        })
        .await
    }

    /// Whether a backend has not yet told its regions, nor failed to.
    pub(super) fn is_awaited(self, backend: BackendId) -> bool {
        self.serving.with_untracked(|serving| serving.is_awaited(backend))
    }

    /// The address of what is read by a link, at a path below the API's base; none while the region's backend is not
    /// known. It is tracked.
    pub fn address(self, region: &RegionId, path: &str) -> Option<String> {
        let backend = self.backend_of(region)?;
        Some(format!("{}{BASE}{path}", self.backends.get(backend).url))
    }

    /// Reads the resource at a path below the API's base.
    pub(crate) async fn get<T: DeserializeOwned>(self, path: &str) -> Result<T> {
        parse(self.exchange(Method::GET, path, None, None).await?)
    }

    /// Creates or does something; the key makes a repetition harmless.
    pub(crate) async fn post<T: DeserializeOwned>(
        self,
        path: &str,
        body: &impl Serialize,
        key: Option<&IdempotencyKey>,
    ) -> Result<T> {
        parse(self.exchange(Method::POST, path, Some(write(body)), key).await?)
    }

    /// Changes the given fields of the resource.
    pub(crate) async fn patch<T: DeserializeOwned>(self, path: &str, body: &impl Serialize) -> Result<T> {
        parse(self.exchange(Method::PATCH, path, Some(write(body)), None).await?)
    }

    /// Does something whose answer says no more than that it is done.
    pub(crate) async fn command(
        self,
        path: &str,
        body: &impl Serialize,
        key: Option<&IdempotencyKey>,
    ) -> Result<()> {
        self.exchange(Method::POST, path, Some(write(body)), key).await.map(drop)
    }

    /// Deletes the resource.
    pub(crate) async fn delete(self, path: &str) -> Result<()> {
        self.exchange(Method::DELETE, path, None, None).await.map(drop)
    }

    /// Sends one request; the answer is the body of a success and its status.
    async fn exchange(
        self,
        method: Method,
        path: &str,
        body: Option<String>,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer> {
        let backend = self.target(path).await?;
        let patience = match path {
            REGIONS if self.backends.are_several() => REGIONS_TIMEOUT_MS,
            _ => TIMEOUT_MS,
        };
        let url = format!("{}{BASE}{path}", self.backends.get(backend).url);
        let answer = match send(method, &url, body, key, patience).await {
            Ok(response) => read(response).await,
            Err(_) => Err(ApiError::unreachable()),
        };
        self.connection(backend).note(path, &answer);
        answer
    }
}
