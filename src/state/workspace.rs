//! The workspaces of the region, and the one the console is in.

use super::navigation::use_navigation;
use super::place::use_place;
use super::region::Regions;
use super::storage;
use crate::api::{ApiError, Queries, Query, Result, WorkspaceKey, WorkspaceListKey, workspace_list};
use crate::routes::Place;
use keygate_contract::{Page, RegionId, Workspace, WorkspaceId};
use leptos::prelude::*;

/// The workspaces, as a context.
#[derive(Clone, Copy)]
pub struct Workspaces {
    /// The first page of the region's workspaces.
    pub list: Query<Page<Workspace>>,
    /// The one whose page this is; elsewhere the one last used, or the default.
    pub id: Memo<Option<WorkspaceId>>,
    /// The same with all that is known of it.
    pub current: Memo<Option<Workspace>>,
    /// It, read by itself, when it is not in the first page of the list.
    single: Query<Workspace>,
    /// Notified when another workspace is chosen on a page that names none.
    chosen: Trigger,
}

impl Workspaces {
    /// Provides the context.
    pub fn provide(queries: Queries) -> Self {
        let place = use_place();
        let region = Regions::expect().id;
        let list = queries.workspaces(Signal::derive(move || region.get().map(WorkspaceListKey::first)));
        let named =
            Memo::new(move |_| place.with(|place| place.as_ref().and_then(|p| p.workspace().cloned())));
        let find = move |id: &WorkspaceId| {
            list.value().and_then(|page| page.items.into_iter().find(|w| w.id == *id))
        };

        let single = queries.workspace(Signal::derive(move || {
            let (region, id) = (region.get()?, named.get()?);
            let listed = list.value().is_none() || find(&id).is_some();
            (!listed).then_some(WorkspaceKey { region, id })
        }));
        let chosen = Trigger::new();
        let usual = move || {
            chosen.track();
            let last = region.get().and_then(|r| last_used(&r)).filter(|id| find(id).is_some());
            last.or_else(|| {
                list.value().and_then(|page| page.items.into_iter().next()).map(|workspace| workspace.id)
            })
        };
        let id = Memo::new(move |_| named.get().or_else(usual));
        let current = Memo::new(move |_| {
            let id = id.get()?;
            find(&id).or_else(|| single.value().filter(|workspace| workspace.id == id))
        });
        Effect::new(move |_| {
            if let (Some(region), Some(workspace), Some(_)) = (region.get(), current.get(), named.get()) {
                remember(&region, &workspace.id);
            }
        });
        let navigation = use_navigation();
        Effect::new(move |_| {
            let Some(here) = place.get().filter(Place::is_of_usual) else { return };
            let (Some(region), Some(page)) = (region.get(), list.value()) else { return };
            let to = match id.get() {
                Some(workspace) => here.moved_to(region, workspace),
                None if page.items.is_empty() => Place::workspaces(region),
                None => return,
            };
            navigation.replace(&to.to_string());
        });
        let this = Self { list, id, current, single, chosen };
        provide_context(this);
        this
    }

    /// The workspaces of this console.
    pub fn expect() -> Self {
        expect_context()
    }

    /// Makes it the one that pages without a workspace in their path refer to.
    pub fn choose(self, region: &RegionId, workspace: &WorkspaceId) {
        remember(region, workspace);
        self.chosen.notify();
    }

    /// Why the workspace the path names cannot be shown.
    pub fn error(self) -> Option<ApiError> {
        self.single.error().or_else(|| if self.current.get().is_none() { self.list.error() } else { None })
    }

    /// Asks again after an error.
    pub fn retry(self) {
        self.list.retry();
        self.single.retry();
    }
}

fn slot(region: &RegionId) -> String {
    format!("workspace.{region}")
}

fn last_used(region: &RegionId) -> Option<WorkspaceId> {
    storage::read(&slot(region)).map(WorkspaceId::from)
}

fn remember(region: &RegionId, workspace: &WorkspaceId) {
    storage::write(&slot(region), Some(workspace.as_str()));
}

/// The workspace to be in after a change to `region`: the one last used there, or the default; none where there is none.
///
/// # Errors
/// What reading the workspaces can meet.
pub async fn workspace_on_entering(queries: Queries, region: &RegionId) -> Result<Option<WorkspaceId>> {
    let key = WorkspaceListKey::first(region.clone());
    let page = workspace_list(queries.client, &key).await?;
    let last = last_used(region).filter(|id| page.items.iter().any(|w| w.id == *id));
    let id = last.or_else(|| page.items.first().map(|w| w.id.clone()));
    queries.workspaces_read(&key, page);
    Ok(id)
}
