//! A modal layer over the native `<dialog>`: the browser keeps the focus inside and all else inert.

use super::dom::{self, by_id, focus_heading};
use super::toast::{TOASTS_ID, raise_toasts};
use leptos::html;
use leptos::prelude::*;
use web_sys::{HtmlDialogElement, HtmlElement, KeyboardEvent};

/// A modal layer, open as long as it is in the view.
///
/// Nothing closes it but its owner: Escape, the backdrop and the platform's own ways only ask.
#[component]
pub fn Modal(
    /// `dialog` or `drawer`, and more.
    class: &'static str,
    /// The id of its heading.
    labelled_by: String,
    /// Runs when the person asks to close it.
    on_close: Callback<()>,
    /// What it holds.
    children: Children,
) -> impl IntoView {
    let node = NodeRef::<html::Dialog>::new();
    // A press that began inside and ended on the backdrop selects text; it does not ask to close.
    let pressed_backdrop = StoredValue::new(false);
    let is_backdrop = move |event: &web_sys::Event| {
        event.target().zip(node.get_untracked()).is_some_and(|(target, dialog)| target == *dialog.as_ref())
    };

    Effect::new(move |_| {
        if let Some(dialog) = node.get() {
            open(&dialog);
        }
    });
    on_cleanup(move || {
        if let Some(dialog) = node.get_untracked() {
            close(&dialog);
        }
    });

    let on_keydown = move |event: KeyboardEvent| {
        if event.key() == "Escape" {
            // Prevented here, the browser does not go on to close the dialog by itself.
            event.prevent_default();
            event.stop_propagation();
            on_close.run(());
        }
    };
    let on_cancel = move |event: web_sys::Event| {
        if is_backdrop(&event) {
            event.prevent_default();
            on_close.run(());
        }
    };
    let on_native_close = move |event: web_sys::Event| {
        // The platform closed it without asking. It is still in the view, so it belongs on the screen. One that is open
        // took over the element of the layer before, whose end this tells.
        if let Some(dialog) = node.try_get_untracked().flatten()
            && is_backdrop(&event)
            && dialog.is_connected()
            && !dialog.open()
        {
            open(&dialog);
            on_close.run(());
        }
    };
    view! {
        <dialog
            node_ref=node
            class=class
            aria-labelledby=labelled_by
            on:keydown=on_keydown
            on:cancel=on_cancel
            on:close=on_native_close
            on:pointerdown=move |event| pressed_backdrop.set_value(is_backdrop(&event))
            on:click=move |event| {
                if pressed_backdrop.get_value() && is_backdrop(&event) {
                    on_close.run(());
                }
            }
        >
            {children()}
        </dialog>
    }
}

fn open(dialog: &HtmlDialogElement) {
    if dialog.open() || dialog.show_modal().is_err() {
        return;
    }
    // All outside a modal dialog is inert, notices included: they move in while it is open.
    if let Some(toasts) = by_id(TOASTS_ID)
        && dialog.append_child(&toasts).is_ok()
    {
        raise_toasts();
    }
}

/// Closes it before it leaves the page: only then does the browser give the focus back to what opened it.
fn close(dialog: &HtmlDialogElement) {
    let below = dialog.parent_element().and_then(|parent| parent.closest("dialog[open]").ok().flatten());
    let host = below.or_else(|| document().body().map(Into::into));
    if let (Some(toasts), Some(host)) = (by_id(TOASTS_ID), host)
        && dialog.contains(Some(&toasts))
        && host.append_child(&toasts).is_ok()
    {
        raise_toasts();
    }
    dialog.close();
    request_animation_frame(|| {
        if dom::is_focus_lost() {
            focus_heading();
        }
    });
}

/// What a key press is meant for: the uppermost modal layer, or the page where none is open.
pub fn topmost() -> Option<HtmlElement> {
    let body = document().body()?;
    // One that opens over another stands inside it.
    dom::all_in(&body, "dialog[open]").pop().or(Some(body))
}
