//! Tabs as in the ARIA practices: one stop for Tab, arrows move and select.

use super::dom::{all_in, focus};
use leptos::html;
use leptos::prelude::*;
use web_sys::KeyboardEvent;

/// The tabs. Their panel is a [`TabPanel`] of the same `id`.
#[component]
pub fn Tabs(
    /// What they choose between.
    label: &'static str,
    /// Names tabs and panel.
    id: &'static str,
    /// The names.
    tabs: &'static [&'static str],
    /// Which is selected.
    selected: RwSignal<usize>,
) -> impl IntoView {
    let node = NodeRef::<html::Div>::new();
    let on_keydown = move |event: KeyboardEvent| {
        let (here, count) = (selected.get_untracked(), tabs.len());
        let next = match event.key().as_str() {
            "ArrowRight" => (here + 1) % count,
            "ArrowLeft" => (here + count - 1) % count,
            "Home" => 0,
            "End" => count - 1,
            _ => return,
        };
        event.prevent_default();
        selected.set(next);
        if let Some(list) = node.get_untracked() {
            all_in(&list, "[role=tab]").get(next).map(focus);
        }
    };
    let tab = move |(i, name): (usize, &&'static str)| {
        view! {
            <button
                type="button"
                role="tab"
                id=format!("{id}-tab-{i}")
                aria-controls=format!("{id}-panel")
                aria-selected=move || (selected.get() == i).to_string()
                tabindex=move || if selected.get() == i { "0" } else { "-1" }
                on:click=move |_| selected.set(i)
            >
                {*name}
            </button>
        }
    };
    view! {
        <div node_ref=node class="tabs" role="tablist" aria-label=label on:keydown=on_keydown>
            {tabs.iter().enumerate().map(tab).collect_view()}
        </div>
    }
}

/// What the selected tab shows.
#[component]
pub fn TabPanel(
    /// Names tabs and panel.
    id: &'static str,
    /// Which is selected.
    selected: RwSignal<usize>,
    /// `snippet` and the like.
    class: &'static str,
    /// What it shows.
    children: Children,
) -> impl IntoView {
    view! {
        <div
            class=class
            role="tabpanel"
            id=format!("{id}-panel")
            aria-labelledby=move || format!("{id}-tab-{}", selected.get())
            tabindex="0"
        >
            {children()}
        </div>
    }
}
