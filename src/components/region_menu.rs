//! The choice of region. The page stays, as far as it exists there.

use crate::api::Queries;
use crate::routes::Place;
use crate::state::{Regions, use_navigation, use_place, workspace_on_entering};
use crate::ui::{Glyph, Icon, Menu, MenuRadio};
use keygate_contract::RegionId;
use leptos::prelude::*;
use leptos::task::spawn_local;

/// A menu of regions.
#[component]
pub fn RegionMenu() -> impl IntoView {
    let (queries, regions, place) = (Queries::expect(), Regions::expect(), use_place());
    let navigation = use_navigation();
    let enter = move |region: RegionId| {
        spawn_local(async move {
            let workspace = workspace_on_entering(queries, &region).await;
            let here = place.get_untracked();
            let to = match (here, workspace) {
                (Some(here), Some(workspace)) => here.moved_to(region, workspace),
                _ => Place::workspaces(region),
            };
            navigation.to(&to.to_string());
        });
    };
    let trigger = view! {
        <Icon glyph=Glyph::Globe />
        {move || match regions.current.get() {
            Some(region) => view! { <span class="sr-only">"Region "</span><bdi>{region.name}</bdi> }.into_any(),
            None if regions.list.value().is_some() || regions.list.error().is_some() => "Region".into_any(),
            None => view! { <i class="bone"></i><span class="sr-only">"Region"</span> }.into_any(),
        }}
        <Icon glyph=Glyph::ChevronDown />
    };
    let all = Memo::new(move |_| regions.list.value().map(|page| page.items).unwrap_or_default());
    let items = move || {
        let item = |region: keygate_contract::Region| {
            let id = region.id.clone();
            let checked = Signal::derive(move || regions.id.get().as_ref() == Some(&id));
            let (id, detail) = (region.id.clone(), region.id.to_string());
            view! {
                <MenuRadio label=region.name detail checked on_select=Callback::new(move |()| enter(id.clone())) />
            }
        };
        all.get().into_iter().map(item).collect_view()
    };
    view! {
        <Menu label="Region" class="btn small region" trigger=trigger.into_any()>
            {items}
        </Menu>
    }
}
