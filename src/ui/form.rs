//! A form that validates when it is sent, never before.

use super::dom::focus_first_invalid;
use leptos::html;
use leptos::prelude::*;
use web_sys::{KeyboardEvent, SubmitEvent};

/// A form. After it was sent the focus goes to the first field found wrong, if one was. Ctrl Enter sends it.
#[component]
pub fn Form(
    /// What the browser's layout needs.
    #[prop(default = "")]
    class: &'static str,
    /// Validates and sends.
    on_submit: Callback<()>,
    /// What it holds.
    children: Children,
) -> impl IntoView {
    let node = NodeRef::<html::Form>::new();
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        on_submit.run(());
        if let Some(form) = node.get_untracked() {
            focus_first_invalid(form.into());
        }
    };
    let on_keydown = move |event: KeyboardEvent| {
        if event.key() == "Enter"
            && (event.ctrl_key() || event.meta_key())
            && let Some(form) = node.get_untracked()
        {
            event.prevent_default();
            // It is in the page and has no constraints of the browser's own.
            let _ = form.request_submit();
        }
    };
    view! {
        <form node_ref=node class=class novalidate on:submit=submit on:keydown=on_keydown>
            {children()}
        </form>
    }
}
