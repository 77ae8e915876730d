//! Search and filters of the dialog.

use super::picking::{Picking, Showing};
use crate::components::model_words::{type_name, type_of};
use crate::ui::dom::{first_in, focus};
use crate::ui::{FilterMenu, FilterOption, SearchBox, topmost, whole};
use keygate_contract::{ModelList, ModelType};
use leptos::prelude::*;

#[component]
pub(super) fn Toolbar(picking: Picking) -> impl IntoView {
    let state = picking.query.state();
    let part = picking.part;
    // How many there are in all: as long as nothing is searched for.
    let all = Memo::new(move |before: Option<&Option<u64>>| {
        let narrow = part.with(|part| part.filter.is_narrow());
        let now =
            state.with(|s| s.value.as_ref().filter(|_| !narrow && !s.outdated).map(|list| list.page.total));
        now.or_else(|| before.copied().flatten())
    });
    let placeholder =
        move || Some(all.get().map_or("Search models".to_owned(), |n| format!("Search {} models", whole(n))));
    let facets = move |of: fn(&ModelList) -> Vec<FilterOption>| {
        Signal::derive(move || state.with(|s| s.value.as_ref().map(of).unwrap_or_default()))
    };
    let vendors = facets(|list| list.vendors.iter().map(|v| (v.vendor.clone(), Some(v.count))).collect());
    let types = facets(|list| list.types.iter().map(|t| (t.kind.to_string(), Some(t.count))).collect());
    let to_rows = Callback::new(move |()| {
        if let Some(row) = topmost().and_then(|dialog| first_in(&dialog, "tbody input[tabindex='0']")) {
            focus(&row);
        }
    });
    // They narrow what there is to choose from, not what is chosen.
    let is_idle = move || matches!(picking.showing.get(), Showing::Chosen(..));
    view! {
        <div class="toolbar" inert=is_idle>
            <SearchBox
                label="Search models"
                placeholder=Signal::derive(placeholder)
                value=Signal::derive(move || part.with(|part| part.filter.q.clone()))
                on_search=Callback::new(move |q| picking.narrow(|filter| filter.q = q))
                on_enter=to_rows
            />
            <FilterMenu
                label="Vendor"
                options=vendors
                name=|name: String| name
                chosen=Signal::derive(move || part.with(|part| part.filter.vendor.clone()))
                on_choose=Callback::new(move |vendor| picking.narrow(|filter| filter.vendor = vendor))
            />
            <FilterMenu
                label="Type"
                options=types
                name=|name: String| type_of(&name).map_or(name, |kind| type_name(kind).to_owned())
                chosen=Signal::derive(move || {
                    part.with(|part| part.filter.kind.map_or("", ModelType::as_str).to_owned())
                })
                on_choose=Callback::new(move |kind: String| picking.narrow(|filter| filter.kind = type_of(&kind)))
            />
        </div>
    }
}
