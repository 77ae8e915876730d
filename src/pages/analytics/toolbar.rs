//! What is shown, by what, of which model and key. All of it is in the address.

use super::choice::{By, What};
use super::{RANGES, USUAL};
use crate::components::{
    KeyFilter, ModelFilter, PageRange, WayBack, use_called, use_key_names, use_list_navigation,
};
use crate::state::use_workspace_place;
use crate::ui::Segments;
use leptos::prelude::*;

#[component]
pub(super) fn Toolbar(
    by: Memo<By>,
    what: Memo<What>,
    range: Memo<PageRange>,
    /// The one that costs are shown in.
    currency: Memo<String>,
    /// All that there are costs in.
    currencies: Memo<Vec<String>>,
) -> impl IntoView {
    let (workspace, navigation) = (use_workspace_place(), use_list_navigation());
    let called = use_called(workspace, Signal::derive(move || range.get().into()));
    let names = use_key_names(workspace);
    let whats = What::ALL.map(|what| (what.name().to_owned(), what.words().to_owned())).to_vec();
    let bys = By::ALL.map(|by| (by.name().to_owned(), by.words().to_owned())).to_vec();
    let choose_what = Callback::new(move |name: String| {
        let is_usual = What::of_name("") == What::of_name(&name);
        navigation.narrow(|view| view.what = if is_usual { String::new() } else { name });
    });
    let choose_by = Callback::new(move |name: String| {
        let is_usual = By::of_name("") == By::of_name(&name);
        navigation.narrow(|view| {
            view.by = if is_usual { String::new() } else { name };
            if By::of_name(&view.by) == By::Workspace {
                view.key.clear();
            }
        });
    });
    let choose_currency = Callback::new(move |code| navigation.narrow(|view| view.currency = code));
    let several = Memo::new(move |_| currencies.with(|all| all.len() > 1));
    let of_workspace = Memo::new(move |_| by.get() != By::Workspace);
    let codes = move || currencies.get().into_iter().map(|code| (code.clone(), code)).collect::<Vec<_>>();
    view! {
        <div class="toolbar">
            <Segments label="What" options=whats chosen=Signal::derive(move || what.get().name().to_owned()) on_choose=choose_what />
            <span class="muted">"by"</span>
            <Segments label="Told apart by" options=bys chosen=Signal::derive(move || by.get().name().to_owned()) on_choose=choose_by />
            {move || several.get().then(|| view! {
                <Segments label="Currency" options=Signal::derive(codes) chosen=currency on_choose=choose_currency />
            })}
            <div class="spring"></div>
            <WayBack ranges=RANGES usual=USUAL />
            <ModelFilter options=called.models />
            {move || of_workspace.get().then(|| view! { <KeyFilter options=called.keys names /> })}
        </div>
    }
}
