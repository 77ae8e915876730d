//! The choice of workspace: a button with the one the console is in, and a list to search.

use super::workspace_picker::WorkspacePicker;
use crate::routes::Place;
use crate::state::{Regions, Workspaces};
use crate::ui::{Avatar, Glyph, Icon, Popover, close_popover};
use leptos::prelude::*;

const PANEL: &str = "workspace-picker";

/// The button and its list. The page stays; it is then about the workspace chosen.
#[component]
pub fn WorkspaceSwitcher() -> impl IntoView {
    let (regions, workspaces) = (Regions::expect(), Workspaces::expect());
    let open = RwSignal::new(false);
    let button = move || match workspaces.current.get() {
        Some(workspace) => view! {
            <Avatar letter=workspace.name.chars().next() />
            <span class="who">
                <span class="sr-only">"Workspace "</span>
                <bdi>{workspace.name}</bdi>
                <small class="mono">{workspace.id.to_string()}</small>
            </span>
        }
        .into_any(),
        // The page says what is the matter with it.
        None if workspaces.error().is_some() => view! {
            <Icon glyph=Glyph::Grid />
            <span class="who"><span>"Choose a workspace"</span></span>
        }
        .into_any(),
        None => view! {
            <i class="bone box"></i>
            <span class="who"><span class="sr-only">"Workspace"</span><i class="bone"></i></span>
        }
        .into_any(),
    };
    let all = move || regions.id.get().map(|region| Place::workspaces(region).to_string());
    view! {
        <button
            type="button"
            class="switcher"
            id=format!("{PANEL}-button")
            popovertarget=PANEL
            aria-haspopup="dialog"
            aria-expanded=move || open.get().to_string()
        >
            {button}
            <Icon glyph=Glyph::ChevronsUpDown />
        </button>
        <Popover id=PANEL.to_owned() class="menu picker" role="dialog" label=Signal::stored("Switch workspace".to_owned()) open>
            {move || open.get().then(|| view! { <WorkspacePicker panel=PANEL /> })}
            <footer>
                <a href=all on:click=|_| close_popover(PANEL)>
                    <Icon glyph=Glyph::Grid />
                    "All workspaces"
                </a>
            </footer>
        </Popover>
    }
}
