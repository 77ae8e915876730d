//! Where the person is, from the address.

use crate::api::WorkspaceKey;
use crate::routes::{ListView, Place};
use keygate_contract::{RegionId, WorkspaceId};
use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_query_map};

/// The place the address names; none for a path that leads nowhere.
pub fn use_place() -> Memo<Option<Place>> {
    let path = use_location().pathname;
    Memo::new(move |_| path.with(|path| Place::parse(path)))
}

/// The part of a list that the address names.
pub fn use_list_view() -> Memo<ListView> {
    let query = use_query_map();
    Memo::new(move |_| {
        query.with(|query| ListView::read(|name| query.get_str(name).unwrap_or_default().trim().to_owned()))
    })
}

/// The region of the workspaces page, and the workspace open over it. It stays while the page is being left.
pub fn use_workspaces_place() -> Memo<Option<(RegionId, Option<WorkspaceId>)>> {
    let place = use_place();
    Memo::new(move |before: Option<&Option<_>>| match place.get() {
        Some(Place::Workspaces { region, open }) => Some((region, open)),
        _ => before.cloned().flatten(),
    })
}

/// The id of the call that is open over the log.
pub fn use_requests_place() -> Memo<Option<String>> {
    let place = use_place();
    Memo::new(move |before: Option<&Option<_>>| match place.get() {
        Some(Place::Requests { open, .. }) => open,
        _ => before.cloned().flatten(),
    })
}

/// The workspace of a page that is about one; none while it is not known which. It stays while the page is being left.
pub fn use_workspace_place() -> Memo<Option<WorkspaceKey>> {
    let place = use_place();
    Memo::new(move |before: Option<&Option<_>>| {
        let place = place.get();
        if place.as_ref().is_some_and(Place::is_of_usual) {
            return None;
        }
        let here = place
            .and_then(|p| Some(WorkspaceKey { region: p.region()?.clone(), id: p.workspace()?.clone() }));
        here.or_else(|| before.cloned().flatten())
    })
}
