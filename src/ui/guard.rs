//! Keeps a person from leaving by accident: by Back, by reload, by closing the tab.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::JsValue;
use web_sys::{BeforeUnloadEvent, Event};

/// While `active`, Back stays here and `on_blocked` runs; a reload or closing the tab makes the browser ask.
pub fn use_leave_guard(active: Signal<bool>, on_blocked: Callback<()>) {
    let unload = window_event_listener(leptos::ev::beforeunload, move |event: BeforeUnloadEvent| {
        if active.get_untracked() {
            event.prevent_default();
        }
    });
    on_cleanup(move || unload.remove());

    let Ok(here) = window().location().href() else { return };
    let blocked = move |event: Event| {
        if active.get_untracked() {
            event.stop_immediate_propagation();
            // The address has already changed: put ours back on top, as if nothing had happened.
            let history = window().history();
            drop(history.and_then(|h| h.push_state_with_url(&JsValue::NULL, "", Some(&here))));
            on_blocked.run(());
        }
    };
    // Capturing, so that it runs before the router hears of it.
    let listener = StoredValue::new_local(Closure::<dyn Fn(Event)>::new(blocked));
    listener.with_value(|listener| {
        let callback = listener.as_ref().unchecked_ref();
        drop(window().add_event_listener_with_callback_and_bool("popstate", callback, true));
    });
    on_cleanup(move || {
        listener.with_value(|listener| {
            let callback = listener.as_ref().unchecked_ref();
            drop(window().remove_event_listener_with_callback_and_bool("popstate", callback, true));
        });
    });
}
