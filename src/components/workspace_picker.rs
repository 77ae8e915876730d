//! The list of workspaces to choose from, with a search.

use crate::api::{Queries, WorkspaceListKey};
use crate::state::{Regions, Workspaces, use_navigation, use_place};
use crate::ui::dom::{focus, lower_case, unique_id};
use crate::ui::{Avatar, Glyph, Icon, close_popover};
use keygate_contract::Workspace;
use leptos::html;
use leptos::prelude::*;
use web_sys::KeyboardEvent;

/// The list to search. A region's first page is filtered here; if there are more pages, the server searches.
#[component]
pub(super) fn WorkspacePicker(
    /// The panel it is in.
    panel: &'static str,
) -> impl IntoView {
    let (queries, regions, workspaces, place) =
        (Queries::expect(), Regions::expect(), Workspaces::expect(), use_place());
    let navigation = use_navigation();
    let list_id = unique_id("workspaces");
    let node = NodeRef::<html::Input>::new();
    Effect::new(move |_| {
        if let Some(input) = node.get() {
            focus(&input);
        }
    });
    let (text, active) = (RwSignal::new(String::new()), RwSignal::new(0_usize));
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
    let on_keydown = move |event: KeyboardEvent| {
        let (count, here) = (options.with_untracked(Vec::len), active.get_untracked());
        match event.key().as_str() {
            "ArrowDown" if count > 0 => active.set((here + 1) % count),
            "ArrowUp" if count > 0 => active.set((here + count - 1) % count),
            "Enter" => {
                if let Some(workspace) = options.with_untracked(|options| options.get(here).cloned()) {
                    choose.run(workspace);
                }
            }
            _ => return,
        }
        event.prevent_default();
    };
    let option_id = {
        let list_id = list_id.clone();
        move |i: usize| format!("{list_id}-{i}")
    };
    let active_id = {
        let option_id = option_id.clone();
        move || options.with(|options| !options.is_empty()).then(|| option_id(active.get()))
    };
    let option = move |(i, workspace): (usize, Workspace)| {
        let current = workspaces.id.get_untracked().as_ref() == Some(&workspace.id);
        let (name, id, chosen) = (workspace.name.clone(), workspace.id.to_string(), workspace);
        view! {
            <div
                role="option"
                id=option_id(i)
                aria-selected=move || (active.get() == i).to_string()
                aria-current=current.then_some("true")
                on:click=move |_| choose.run(chosen.clone())
            >
                <Avatar letter=name.chars().next() />
                <span class="who"><bdi>{name}</bdi><small class="mono">{id}</small></span>
                <Icon glyph=Glyph::Check class="icon tick" />
            </div>
        }
    };
    let none = move || match found.error() {
        Some(_) => "The workspaces could not be read.",
        None if found.value().is_none() => "Reading the workspaces…",
        None => "No workspace has this in its name or ID.",
    };
    view! {
        <div class="search">
            <Icon glyph=Glyph::Search />
            <input
                node_ref=node
                class="input"
                role="combobox"
                dir="auto"
                autocomplete="off"
                spellcheck="false"
                aria-label="Find a workspace"
                placeholder="Find a workspace"
                aria-expanded="true"
                aria-controls=list_id.clone()
                aria-autocomplete="list"
                aria-activedescendant=active_id
                prop:value=move || text.get()
                on:input:target=move |event| {
                    text.set(event.target().value());
                    active.set(0);
                }
                on:keydown=on_keydown
            />
        </div>
        <div role="listbox" id=list_id aria-label="Workspaces">
            {move || options.get().into_iter().enumerate().map(option.clone()).collect_view()}
        </div>
        {move || options.with(Vec::is_empty).then(|| view! { <p class="none" role="status">{none()}</p> })}
    }
}

fn matches(workspace: &Workspace, text: &str) -> bool {
    let text = lower_case(text.trim());
    lower_case(&workspace.name).contains(&text) || workspace.id.as_str().contains(&text)
}
