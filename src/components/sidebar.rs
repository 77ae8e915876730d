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

/// Pages that belong together, under a name; the first ones need none.
struct Group {
    name: Option<&'static str>,
    entries: &'static [Entry],
}

const GROUPS: &[Group] = &[
    Group { name: None, entries: SET_UP },
    Group { name: Some("Observe"), entries: OBSERVE },
    Group { name: Some("Account"), entries: ACCOUNT },
];

const SET_UP: &[Entry] = &[
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
];

const OBSERVE: &[Entry] = &[
    Entry {
        label: "Monitoring",
        glyph: Glyph::Pulse,
        place: |region, workspace| Place::Monitoring { region, workspace },
    },
    Entry {
        label: "Analytics",
        glyph: Glyph::Bars,
        place: |region, workspace| Place::Analytics { region, workspace },
    },
    Entry { label: "Call log", glyph: Glyph::List, place: Place::requests },
];

const ACCOUNT: &[Entry] =
    &[Entry { label: "Endpoints", glyph: Glyph::Plug, place: |region, _| Place::Endpoints { region } }];

/// The pages, and the workspace they are about at the foot.
#[component]
pub fn Sidebar() -> impl IntoView {
    let (regions, workspaces, here) = (Regions::expect(), Workspaces::expect(), use_place());
    let link = |entry: &'static Entry| {
        let place = Memo::new(move |_| {
            let workspace = workspaces.id.get().unwrap_or_else(Place::usual);
            Some((entry.place)(regions.id.get()?, workspace))
        });
        // While the workspaces are on their way it is soon known which one a link leads to.
        let is_soon_known = move |place: &Place| place.is_of_usual() && workspaces.error().is_none();
        let href = move || place.get().filter(|place| !is_soon_known(place)).map(|place| place.to_string());
        let current = move || here.get().map(Place::page).filter(|here| Some(here) == place.get().as_ref());
        view! {
            <a href=href aria-current=move || current().map(|_| "page")>
                <Icon glyph=entry.glyph />
                {entry.label}
            </a>
        }
    };
    let group = |group: &'static Group| {
        let name = group.name.map(|name| view! { <p class="group">{name}</p> });
        view! {
            {name}
            {group.entries.iter().map(link).collect_view()}
        }
    };
    view! {
        <nav class="sidebar" aria-label="Console">
            <div class="links">{GROUPS.iter().map(group).collect_view()}</div>
            <WorkspaceSwitcher />
        </nav>
    }
}
