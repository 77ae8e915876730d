//! A search box that follows the address and the address it.

use super::dom::focus;
use super::icon::{Glyph, Icon};
use leptos::html;
use leptos::prelude::*;
use std::time::Duration;
use web_sys::KeyboardEvent;

/// A person who types faster than this is not done.
const PAUSE: Duration = Duration::from_millis(150);

/// A search box. `/` leads to it from anywhere on the page, Escape empties it.
#[component]
pub fn SearchBox(
    /// What it searches.
    label: &'static str,
    /// What is searched for now.
    value: Signal<String>,
    /// What stands in it while it is empty; the label, unless told.
    #[prop(optional, into)]
    placeholder: MaybeProp<String>,
    /// Runs when the person has paused typing.
    on_search: Callback<String>,
    /// Runs on Enter, when the search has been made.
    #[prop(optional)]
    on_enter: Option<Callback<()>>,
) -> impl IntoView {
    let node = NodeRef::<html::Input>::new();
    let text = RwSignal::new(value.get_untracked());
    let sent = StoredValue::new(value.get_untracked());
    let timer = StoredValue::new(None::<TimeoutHandle>);

    // A value that did not come from here, such as by Back, replaces what is typed.
    Effect::new(move |_| {
        let value = value.get();
        if sent.with_value(|sent| *sent != value) {
            sent.set_value(value.clone());
            text.set(value);
        }
    });
    let stop = move || {
        if let Some(timer) = timer.try_update_value(Option::take).flatten() {
            timer.clear();
        }
    };
    let search = move || {
        let wanted = text.get_untracked().trim().to_owned();
        if sent.with_value(|sent| *sent != wanted) {
            sent.set_value(wanted.clone());
            on_search.run(wanted);
        }
    };
    let typed = move |event: web_sys::Event| {
        text.set(event_target_value(&event));
        stop();
        timer.set_value(set_timeout_with_handle(search, PAUSE).ok());
    };
    let clear = move || {
        text.set(String::new());
        stop();
        search();
        if let Some(input) = node.get_untracked() {
            focus(&input);
        }
    };
    on_cleanup(stop);
    let on_keydown = move |event: KeyboardEvent| match event.key().as_str() {
        "Escape" if text.with_untracked(|text| !text.is_empty()) => {
            // A dialog around it is not asked to close.
            event.prevent_default();
            event.stop_propagation();
            clear();
        }
        "Enter" => {
            // A form around it is not sent.
            event.prevent_default();
            stop();
            search();
            if let Some(on_enter) = on_enter.filter(|_| !event.ctrl_key() && !event.meta_key()) {
                on_enter.run(());
            }
        }
        _ => {}
    };
    view! {
        <div class="search" role="search">
            <Icon glyph=Glyph::Search />
            <input
                node_ref=node
                class="input"
                type="search"
                data-search
                dir="auto"
                autocomplete="off"
                spellcheck="false"
                maxlength="128"
                aria-label=label
                aria-keyshortcuts="/"
                placeholder=move || placeholder.get().unwrap_or_else(|| label.to_owned())
                prop:value=move || text.get()
                on:input=typed
                on:keydown=on_keydown
            />
            <kbd aria-hidden="true">"/"</kbd>
            <button type="button" class="btn quiet small clear" aria-label="Clear search" on:click=move |_| clear()>
                <Icon glyph=Glyph::Close />
            </button>
        </div>
    }
}
