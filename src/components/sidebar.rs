//! The pages of the console.

use super::switcher::WorkspaceSwitcher;
use crate::routes::Place;
use crate::state::{Regions, Workspaces, use_place};
use crate::ui::{Glyph, Icon};
use keygate_contract::{RegionId, WorkspaceId};
use leptos::prelude::*;

/// A page that stands in the sidebar.
struct Entry {
    label: &'static str,
    glyph: Glyph,
    place: fn(RegionId, WorkspaceId) -> Place,
}

const ENTRIES: &[Entry] = &[
    Entry { label: "Workspaces", glyph: Glyph::Grid, place: |region, _| Place::workspaces(region) },
    Entry {
        label: "API keys",
        glyph: Glyph::Key,
        place: |region, workspace| Place::ApiKeys { region, workspace },
    },
    Entry {
        label: "Models",
        glyph: Glyph::Cube,
        place: |region, workspace| Place::Models { region, workspace },
    },
    Entry { label: "Endpoints", glyph: Glyph::Plug, place: |region, _| Place::Endpoints { region } },
];

/// The pages, and the workspace they are about at the foot.
#[component]
pub fn Sidebar() -> impl IntoView {
    let (regions, workspaces, here) = (Regions::expect(), Workspaces::expect(), use_place());
    let link = |entry: &'static Entry| {
        let place = Memo::new(move |_| Some((entry.place)(regions.id.get()?, workspaces.id.get()?)));
        let current = move || here.get().map(Place::page).filter(|here| Some(here) == place.get().as_ref());
        view! {
            <a href=move || place.get().map(|place| place.to_string()) aria-current=move || current().map(|_| "page")>
                <Icon glyph=entry.glyph />
                {entry.label}
            </a>
        }
    };
    view! {
        <nav class="sidebar" aria-label="Console">
            <div class="links">{ENTRIES.iter().map(link).collect_view()}</div>
            <WorkspaceSwitcher />
        </nav>
    }
}
