//! A filter: one value of several, each with how much it leaves where that is known.

use super::icon::{Glyph, Icon};
use super::menu::Menu;
use super::menu_item::MenuRadio;
use super::number::whole;
use leptos::prelude::*;

/// A value and how much it leaves, where that is known.
pub type FilterOption = (String, Option<u64>);

/// A button that shows what is chosen, and a menu to choose from.
#[component]
pub fn FilterMenu(
    /// What it filters by, such as `Vendor`.
    label: &'static str,
    /// The values and how much each leaves.
    options: Signal<Vec<FilterOption>>,
    /// A value in words.
    #[prop(into)]
    name: Callback<String, String>,
    /// The value chosen; empty: any.
    chosen: Signal<String>,
    /// Runs with the value, or with nothing for any.
    on_choose: Callback<String>,
) -> impl IntoView {
    let shown = move || {
        chosen.with(|value| if value.is_empty() { "any".to_owned() } else { name.run(value.clone()) })
    };
    let trigger = view! {
        <span class="word">{label} ": " <b>{shown}</b></span>
        <Icon glyph=Glyph::ChevronDown />
    };
    let item = move |value: String, words: String, count: Option<u64>| {
        let this = value.clone();
        let checked = Signal::derive(move || chosen.with(|chosen| *chosen == this));
        let choose = Callback::new(move |()| on_choose.run(value.clone()));
        view! { <MenuRadio label=words detail=count.map(whole).unwrap_or_default() checked on_select=choose /> }
    };
    let items = move || {
        let any = item(String::new(), format!("Any {}", label.to_ascii_lowercase()), None);
        let others = options.get().into_iter().map(|(value, count)| {
            let words = name.run(value.clone());
            item(value, words, count)
        });
        std::iter::once(any).chain(others).collect_view()
    };
    view! {
        <Menu label class="btn filter" trigger=trigger.into_any()>
            {items}
        </Menu>
    }
}
