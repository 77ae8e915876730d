//! The choice of region. The page stays, as far as it exists there.

use crate::api::{BackendId, Queries};
use crate::routes::{Place, sign_in_path};
use crate::state::{Regions, SignedIn, use_navigation, use_place, workspace_on_entering};
use crate::ui::dom::unique_id;
use crate::ui::{Glyph, Icon, Menu, MenuItem, MenuRadio};
use keygate_contract::{Region, RegionId};
use leptos::prelude::*;
use leptos::task::spawn_local;

/// A menu of regions, in groups where there are several backends.
#[component]
pub fn RegionMenu() -> impl IntoView {
    let (queries, regions) = (Queries::expect(), Regions::expect());
    let trigger = view! {
        <Icon glyph=Glyph::Globe />
        {move || match regions.current.get() {
            Some(region) => view! { <span class="sr-only">"Region "</span><bdi>{region.name}</bdi> }.into_any(),
            None if regions.list.value().is_some() || regions.list.error().is_some() => "Region".into_any(),
            None => view! { <i class="bone"></i><span class="sr-only">"Region"</span> }.into_any(),
        }}
        <Icon glyph=Glyph::ChevronDown />
    };
    let backends = queries.client.backends;
    let groups = move || match backends.are_several() {
        true => backends.all().map(|(backend, _)| view! { <Group backend /> }).collect_view().into_any(),
        false => view! { <Items backend=backends.first() /> }.into_any(),
    };
    view! {
        <Menu label="Region" class="btn small region" trigger=trigger.into_any()>
            {groups()}
        </Menu>
    }
}

/// A backend's regions under its name, and what is the matter with it.
#[component]
fn Group(backend: BackendId) -> impl IntoView {
    let (queries, signed_in) = (Queries::expect(), SignedIn::expect());
    let (place, navigation, id) = (use_place(), use_navigation(), unique_id("backend"));
    let heading = id.clone();
    let connection = queries.client.connection(backend);
    let name = signed_in.name(backend).unwrap_or_default();
    let sign_in = Callback::new(move |()| {
        let here = place.get_untracked().and_then(|p| p.region().cloned());
        // A region of its own that the address names is where to come back to.
        let next =
            here.filter(|id| queries.client.backend_of_untracked(id).is_none()).and(place.get_untracked());
        navigation.to(&sign_in_path(&next.unwrap_or(Place::Home).to_string(), Some(name)));
    });
    let trouble = move || match (connection.away.get(), connection.signed_out.get()) {
        (true, _) => view! {
            <div role="presentation" class="group-note"><Icon glyph=Glyph::Unplugged />"Does not answer"</div>
        }
        .into_any(),
        (false, true) => {
            view! { <MenuItem glyph=Glyph::User label="Sign in…" on_select=sign_in /> }.into_any()
        }
        (false, false) => ().into_any(),
    };
    view! {
        <div role="group" class="group" aria-labelledby=heading>
            <div role="presentation" class="group-name" id=id>
                <bdi>{name}</bdi>
                {move || connection.away.get().then(|| view! { <span class="sr-only">" does not answer"</span> })}
            </div>
            <Items backend />
            {trouble}
        </div>
    }
}

#[component]
fn Items(backend: BackendId) -> impl IntoView {
    let (queries, regions, place) = (Queries::expect(), Regions::expect(), use_place());
    let navigation = use_navigation();
    let enter = move |region: RegionId| {
        spawn_local(async move {
            // Where the workspaces cannot be read the page says so itself, and goes on once they can.
            let workspace =
                workspace_on_entering(queries, &region).await.unwrap_or_else(|_| Some(Place::usual()));
            let here = place.get_untracked();
            let to = match (here, workspace) {
                (Some(here), Some(workspace)) => here.moved_to(region, workspace),
                _ => Place::workspaces(region),
            };
            navigation.to(&to.to_string());
        });
    };
    let told = regions.of(backend);
    let all = Memo::new(move |_| {
        let served = |region: Region| {
            let by = queries.client.backend_of(&region.id);
            (by == Some(backend), by.map(|by| &*queries.client.backends.get(by).name), region)
        };
        let page = told.value().map(|page| page.items).unwrap_or_default();
        page.into_iter().map(served).collect::<Vec<_>>()
    });
    let item = move |(is_served, by, region): (bool, Option<&'static str>, Region)| {
        let id = region.id.clone();
        let checked = Signal::derive(move || is_served && regions.id.get().as_ref() == Some(&id));
        let reason =
            by.filter(|_| !is_served).map(|by| format!("{by} has this region too, and stands first."));
        let (id, detail) = (region.id.clone(), region.id.to_string());
        view! {
            <MenuRadio label=region.name detail checked reason on_select=Callback::new(move |()| enter(id.clone())) />
        }
    };
    move || all.get().into_iter().map(item).collect_view()
}
