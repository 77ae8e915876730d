//! The list of workspaces to choose from, with a search.

use crate::api::{Queries, WorkspaceListKey};
use crate::state::{Regions, Workspaces, use_navigation, use_place};
use crate::ui::dom::lower_case;
use crate::ui::{Avatar, ComboList, close_popover};
use keygate_contract::Workspace;
use leptos::prelude::*;

/// The list to search. A region's first page is filtered here; if there are more pages, the server searches.
#[component]
pub(super) fn WorkspacePicker(
    /// The panel it is in.
    panel: &'static str,
) -> impl IntoView {
    let (queries, regions, workspaces, place) =
        (Queries::expect(), Regions::expect(), Workspaces::expect(), use_place());
    let navigation = use_navigation();
    let text = RwSignal::new(String::new());
    let has_more = move || workspaces.list.value().is_some_and(|page| page.next_page_token.is_some());
    let found = queries.workspaces(Signal::derive(move || {
        let region = regions.id.get()?;
        let q = if has_more() { text.get().trim().to_owned() } else { String::new() };
        Some(WorkspaceListKey { q, ..WorkspaceListKey::first(region) })
    }));
    let options = Memo::new(move |_| {
        let all = found.value().map(|page| page.items).unwrap_or_default();
        text.with(|text| all.into_iter().filter(|workspace| matches(workspace, text)).collect::<Vec<_>>())
    });
    let choose = Callback::new(move |workspace: Workspace| {
        close_popover(panel);
        let (Some(region), Some(here)) = (regions.id.get_untracked(), place.get_untracked()) else { return };
        workspaces.choose(&region, &workspace.id);
        let there = here.clone().moved_to(region, workspace.id);
        if there != here.page() {
            navigation.to(&there.to_string());
        }
    });
    let is_current = Callback::new(move |workspace: Workspace| {
        workspaces.id.get_untracked().as_ref() == Some(&workspace.id)
    });
    let row = Callback::new(|Workspace { name, id, .. }: Workspace| {
        view! {
            <Avatar letter=name.chars().next() />
            <span class="who"><bdi>{name}</bdi><small class="mono">{id.to_string()}</small></span>
        }
        .into_any()
    });
    let none = move || match found.error() {
        Some(_) => "The workspaces could not be read.",
        None if found.value().is_none() => "Reading the workspaces…",
        None => "No workspace has this in its name or ID.",
    };
    let note = Signal::derive(move || options.with(Vec::is_empty).then(|| none().to_owned()));
    view! {
        <ComboList
            label="Find a workspace"
            what="Workspaces"
            text
            options
            is_current
            row
            note
            on_choose=choose
        />
    }
}

fn matches(workspace: &Workspace, text: &str) -> bool {
    let text = lower_case(text.trim());
    lower_case(&workspace.name).contains(&text) || workspace.id.as_str().contains(&text)
}
