//! A list to choose one thing of, with a field that searches it.

use super::dom::{by_id, focus, scroll_to, unique_id};
use super::icon::{Glyph, Icon};
use leptos::html;
use leptos::prelude::*;
use web_sys::KeyboardEvent;

/// The field and the list. The focus stays in the field; arrows move through the list, Enter chooses.
#[component]
pub fn ComboList<T>(
    /// What is done in the field, such as `Find a workspace`.
    label: &'static str,
    /// What the list holds, such as `Workspaces`.
    what: &'static str,
    /// What is typed.
    text: RwSignal<String>,
    /// What is found.
    options: Memo<Vec<T>>,
    /// Whether it is the one chosen now.
    is_current: Callback<T, bool>,
    /// It in its row.
    row: Callback<T, AnyView>,
    /// Said below the list, if there is something to say.
    #[prop(into)]
    note: Signal<Option<String>>,
    /// Runs with what is chosen.
    on_choose: Callback<T>,
) -> impl IntoView
where
    T: Clone + PartialEq + Send + Sync + 'static,
{
    let list_id = unique_id("list");
    let node = NodeRef::<html::Input>::new();
    Effect::new(move |_| {
        if let Some(input) = node.get() {
            focus(&input);
        }
    });
    let active = RwSignal::new(0_usize);
    let option_id = {
        let list_id = list_id.clone();
        move |i: usize| format!("{list_id}-{i}")
    };
    let go = {
        let (list_id, option_id) = (list_id.clone(), option_id.clone());
        move |i: usize| {
            active.set(i);
            if let (Some(list), Some(option)) = (by_id(&list_id), by_id(&option_id(i))) {
                scroll_to(&list, &option);
            }
        }
    };
    let on_keydown = move |event: KeyboardEvent| {
        let (count, here) = (options.with_untracked(Vec::len), active.get_untracked());
        match event.key().as_str() {
            "ArrowDown" if count > 0 => go((here + 1) % count),
            "ArrowUp" if count > 0 => go((here + count - 1) % count),
            "Enter" => {
                if let Some(option) = options.with_untracked(|options| options.get(here).cloned()) {
                    on_choose.run(option);
                }
            }
            _ => return,
        }
        event.prevent_default();
    };
    let active_id = {
        let option_id = option_id.clone();
        move || options.with(|options| !options.is_empty()).then(|| option_id(active.get()))
    };
    let option = move |(i, option): (usize, T)| {
        let (current, words) = (is_current.run(option.clone()), row.run(option.clone()));
        view! {
            <div
                role="option"
                id=option_id(i)
                aria-selected=move || (active.get() == i).to_string()
                aria-current=current.then_some("true")
                on:click=move |_| on_choose.run(option.clone())
            >
                {words}
                <Icon glyph=Glyph::Check class="icon tick" />
            </div>
        }
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
                aria-label=label
                placeholder=label
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
        <div role="listbox" id=list_id aria-label=what>
            {move || options.get().into_iter().enumerate().map(option.clone()).collect_view()}
        </div>
        {move || note.get().map(|note| view! { <p class="none" role="status">{note}</p> })}
    }
}
