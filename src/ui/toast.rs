//! Notices in the corner. They stand above everything, an open modal layer included.

use super::dom::by_id;
use super::icon::{Glyph, Icon};
use leptos::html;
use leptos::prelude::*;
use std::time::Duration;

/// The element that holds the notices. A modal layer takes it in while it is open.
pub(super) const TOASTS_ID: &str = "toasts";

const STAYS: Duration = Duration::from_secs(6);

/// Brings the notices to the top of all layers.
pub(super) fn raise_toasts() {
    if let Some(toasts) = by_id(TOASTS_ID).filter(|toasts| toasts.child_element_count() > 0) {
        // Each fails only if it already is as wanted.
        let _ = toasts.hide_popover();
        let _ = toasts.show_popover();
    }
}

/// The notices: spoken politely, gone after some seconds, not while the pointer or the focus is on them.
#[component]
pub fn ToastStack(
    /// Id and words of each.
    toasts: Signal<Vec<(u32, String)>>,
    /// Takes one away.
    on_dismiss: Callback<u32>,
) -> impl IntoView {
    let node = NodeRef::<html::Div>::new();
    let held = RwSignal::new(false);
    Effect::new(move |_| {
        if node.get().is_some() && toasts.with(|list| !list.is_empty()) {
            raise_toasts();
        }
    });
    view! {
        <div
            node_ref=node
            id=TOASTS_ID
            class="toasts"
            popover="manual"
            role="status"
            on:pointerenter=move |_| held.set(true)
            on:pointerleave=move |_| held.set(false)
            on:focusin=move |_| held.set(true)
            on:focusout=move |_| held.set(false)
        >
            <For each=move || toasts.get() key=|(id, _)| *id let((id, text))>
                <ToastLine text held=held.into() on_dismiss=Callback::new(move |()| on_dismiss.run(id)) />
            </For>
        </div>
    }
}

#[component]
fn ToastLine(text: String, held: Signal<bool>, on_dismiss: Callback<()>) -> impl IntoView {
    Effect::new(move |timer: Option<Option<TimeoutHandle>>| {
        if let Some(timer) = timer.flatten() {
            timer.clear();
        }
        if held.get() {
            return None;
        }
        let dismiss = move || {
            on_dismiss.try_run(());
        };
        set_timeout_with_handle(dismiss, STAYS).ok()
    });
    view! {
        <div class="toast">
            <Icon glyph=Glyph::Check />
            <bdi>{text}</bdi>
            <button type="button" class="btn quiet small square" aria-label="Dismiss" on:click=move |_| on_dismiss.run(())>
                <Icon glyph=Glyph::Close />
            </button>
        </div>
    }
}
