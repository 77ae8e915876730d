//! Keeps a person from leaving by accident: by Back, by reload, by closing the tab.

use leptos::prelude::*;
use wasm_bindgen::JsValue;
use web_sys::{BeforeUnloadEvent, PopStateEvent};

/// What stands between a person and an accident, as a context. The last guard is asked first.
#[derive(Clone, Copy)]
pub struct LeaveGuards(StoredValue<Vec<Guard>>);

#[derive(Clone)]
struct Guard {
    active: Signal<bool>,
    on_blocked: Callback<()>,
    /// The address that is guarded.
    href: StoredValue<String>,
}

impl LeaveGuards {
    /// Provides the context. It must be there before the router: listeners of the window run in the order they came
    /// in, and the router must not hear of a step back that is taken back.
    pub fn provide() {
        let this = Self(StoredValue::new(Vec::new()));
        window_event_listener(leptos::ev::popstate, move |event: PopStateEvent| {
            let Some(guard) = this.active() else { return };
            event.stop_immediate_propagation();
            // The address has already changed: put ours back on top, as if nothing had happened.
            let history = window().history();
            drop(
                history
                    .and_then(|h| h.push_state_with_url(&JsValue::NULL, "", Some(&guard.href.get_value()))),
            );
            guard.on_blocked.run(());
        });
        window_event_listener(leptos::ev::beforeunload, move |event: BeforeUnloadEvent| {
            if this.active().is_some() {
                event.prevent_default();
            }
        });
        provide_context(this);
    }

    fn active(self) -> Option<Guard> {
        self.0.with_value(|guards| guards.iter().rev().find(|guard| guard.active.get_untracked()).cloned())
    }
}

/// While `active`, Back stays here and `on_blocked` runs; a reload or closing the tab makes the browser ask.
pub fn use_leave_guard(active: Signal<bool>, on_blocked: Callback<()>) {
    let LeaveGuards(guards) = expect_context();
    let href = StoredValue::new(String::new());
    // Not now: what is guarded may be drawn before the router has changed the address.
    Effect::new(move |_| {
        if active.get() {
            href.set_value(window().location().href().unwrap_or_default());
        }
    });
    guards.update_value(|guards| guards.push(Guard { active, on_blocked, href }));
    on_cleanup(move || {
        guards.try_update_value(|guards| guards.retain(|guard| guard.href != href));
    });
}
