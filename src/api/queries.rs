//! All that is kept of the server's answers, and what a change makes stale.

use super::api_key::{ApiKeyListKey, api_key_list};
use super::backend::{BackendId, Backends};
use super::cache::Cache;
use super::call::{CallKey, CallListKey, CallPage, call_list, call_view};
use super::client::Client;
use super::model::{ModelListKey, grant_list, model_list};
use super::query::{Query, use_query};
use super::region::region_list;
use super::serving::Serving;
use super::session::session_view;
use super::usage::{UsageKey, live_view, usage_query};
use super::workspace::{WorkspaceKey, WorkspaceListKey, workspace_list, workspace_view};
use keygate_contract::{
    ApiKey, ApiKeyList, Call, GrantList, Live, ModelList, Page, Region, RegionId, Session, Usage, Workspace,
};
use leptos::prelude::*;
use leptos::task::spawn_local;

/// The client and the answers it got, as one context.
#[derive(Clone, Copy)]
pub struct Queries {
    /// Sends requests.
    pub client: Client,
    session: Cache<BackendId, Session>,
    regions: Cache<BackendId, Page<Region>>,
    workspaces: Cache<WorkspaceListKey, Page<Workspace>>,
    workspace: Cache<WorkspaceKey, Workspace>,
    api_keys: Cache<ApiKeyListKey, ApiKeyList>,
    models: Cache<ModelListKey, ModelList>,
    grants: Cache<WorkspaceKey, GrantList>,
    usage: Cache<UsageKey, Usage>,
    live: Cache<WorkspaceKey, Live>,
    pub(super) calls: Cache<CallListKey, CallPage>,
    call: Cache<CallKey, Call>,
}

impl Queries {
    /// Nothing is known yet.
    pub fn new(backends: Backends) -> Self {
        Self {
            client: Client::new(backends),
            session: Cache::new(),
            regions: Cache::new(),
            workspaces: Cache::new(),
            workspace: Cache::new(),
            api_keys: Cache::new(),
            models: Cache::new(),
            grants: Cache::new(),
            usage: Cache::new(),
            live: Cache::new(),
            calls: Cache::new(),
            call: Cache::new(),
        }
    }

    /// The queries of this console.
    pub fn expect() -> Self {
        expect_context()
    }

    /// Who is signed in to a backend.
    pub fn session(self, backend: Signal<Option<BackendId>>) -> Query<Session> {
        use_query(self.session, backend, move |backend| session_view(self.client.at(backend)))
    }

    /// The regions of a backend.
    pub fn regions(self, backend: BackendId) -> Query<Page<Region>> {
        use_query(self.regions, Signal::stored(Some(backend)), move |backend| {
            region_list(self.client, backend)
        })
    }

    /// A region of the backend that was told before, if one was.
    pub fn known_region(self, backend: BackendId) -> Option<RegionId> {
        let page = self.regions.peek(&backend)?;
        let serves = |id: &RegionId| self.client.backend_of_untracked(id) == Some(backend);
        page.items.into_iter().map(|region| region.id).find(serves)
    }

    /// The first region of the backend, asked for now. The backends before it are asked too, unless they have told:
    /// a region that they have as well is theirs.
    pub async fn first_region(self, backend: BackendId) -> Option<RegionId> {
        let before = self.client.backends.all().map(|(id, _)| id).take_while(|id| *id != backend);
        for earlier in before.filter(|id| self.client.is_awaited(*id)) {
            spawn_local(async move { drop(self.read_regions(earlier).await) });
        }
        for region in self.read_regions(backend).await?.items {
            if self.client.server_of(&region.id).await == Some(backend) {
                return Some(region.id);
            }
        }
        None
    }

    async fn read_regions(self, backend: BackendId) -> Option<Page<Region>> {
        let page = region_list(self.client, backend).await.ok()?;
        self.regions.put(&backend, page.clone());
        Some(page)
    }

    /// A page of a region's workspaces.
    pub fn workspaces(self, key: Signal<Option<WorkspaceListKey>>) -> Query<Page<Workspace>> {
        use_query(self.workspaces, key, move |key| async move { workspace_list(self.client, &key).await })
    }

    /// One workspace.
    pub fn workspace(self, key: Signal<Option<WorkspaceKey>>) -> Query<Workspace> {
        use_query(self.workspace, key, move |key| async move { workspace_view(self.client, &key).await })
    }

    /// A page of a workspace's API keys, and how many there are in the region.
    pub fn api_key_list(self, key: Signal<Option<ApiKeyListKey>>) -> Query<ApiKeyList> {
        use_query(self.api_keys, key, move |key| async move { api_key_list(self.client, &key).await })
    }

    /// A page of a workspace's API keys.
    pub fn api_keys(self, key: Signal<Option<ApiKeyListKey>>) -> Query<Page<ApiKey>> {
        self.api_key_list(key).map(|list| list.page.clone())
    }

    /// A page of models.
    pub fn models(self, key: Signal<Option<ModelListKey>>) -> Query<ModelList> {
        use_query(self.models, key, move |key| async move { model_list(self.client, &key).await })
    }

    /// All grants of a workspace, with their models.
    pub fn grants(self, key: Signal<Option<WorkspaceKey>>) -> Query<GrantList> {
        use_query(self.grants, key, move |key| async move { grant_list(self.client, &key).await })
    }

    /// What was used.
    pub fn usage(self, key: Signal<Option<UsageKey>>) -> Query<Usage> {
        use_query(self.usage, key, move |key| usage_query(self.client, key))
    }

    /// What the limits of a workspace have counted in the minute that ends now.
    pub fn live(self, key: Signal<Option<WorkspaceKey>>) -> Query<Live> {
        use_query(self.live, key, move |key| async move { live_view(self.client, &key).await })
    }

    /// A page of a workspace's calls.
    pub fn calls(self, key: Signal<Option<CallListKey>>) -> Query<CallPage> {
        use_query(self.calls, key, move |key| async move { call_list(self.client, &key).await })
    }

    /// One call.
    pub fn call(self, key: Signal<Option<CallKey>>) -> Query<Call> {
        use_query(self.call, key, move |key| async move { call_view(self.client, &key).await })
    }

    /// Keeps who has just signed in to a backend.
    pub fn signed_in(self, backend: BackendId, session: Session) {
        self.client.connection(backend).signed_out.set(false);
        self.client.serving(|serving| serving.ask(backend));
        self.session.put(&backend, session);
        self.regions.forget(&backend);
    }

    /// Forgets everything of a backend: nobody is signed in to it any more. What is kept by region goes whole; the
    /// other backends are asked again.
    pub fn signed_out(self, backend: BackendId) {
        self.client.serving(|serving| serving.forget(backend));
        self.session.forget(&backend);
        self.regions.forget(&backend);
        self.workspaces.clear();
        self.workspace.clear();
        self.api_keys.clear();
        self.models.clear();
        self.grants.clear();
        self.usage.clear();
        self.live.clear();
        self.calls.clear();
        self.call.clear();
    }

    /// Asks again for all that could not be had.
    pub fn retry_failed(self) {
        self.client.serving(Serving::ask_failed);
        self.session.retry_failed();
        self.regions.retry_failed();
        self.workspaces.retry_failed();
        self.workspace.retry_failed();
        self.api_keys.retry_failed();
        self.models.retry_failed();
        self.grants.retry_failed();
        self.usage.retry_failed();
        self.live.retry_failed();
        self.calls.retry_failed();
        self.call.retry_failed();
    }

    /// Keeps a list that was read outside a view.
    pub(crate) fn workspaces_read(self, key: &WorkspaceListKey, page: Page<Workspace>) {
        self.workspaces.put(key, page);
    }

    /// Workspaces of the region were changed, or the number of their keys.
    pub(crate) fn workspaces_changed(self, region: &RegionId) {
        self.workspaces.invalidate(|key| key.region == *region);
        self.workspace.invalidate(|key| key.region == *region);
    }

    /// What the workspace may call was changed.
    pub(crate) fn grants_changed(self, workspace: &WorkspaceKey) {
        self.grants.invalidate(|key| key == workspace);
        self.models.invalidate(|key| {
            key.region == workspace.region && key.workspace.as_ref() == Some(&workspace.id)
        });
    }

    /// Keys of the workspace were changed, and with them what the lists of the region count.
    pub(crate) fn api_keys_changed(self, workspace: &WorkspaceKey) {
        self.api_keys.invalidate(|key| key.workspace.region == workspace.region);
        self.workspaces_changed(&workspace.region);
    }
}
