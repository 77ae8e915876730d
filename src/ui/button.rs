//! Buttons that do more than their element.

use super::dom::unique_id;
use leptos::prelude::*;

/// Sends its form. While that is on its way it says so and takes no second press; it is never disabled by validity.
#[component]
pub fn SubmitButton(
    /// What it does.
    label: &'static str,
    /// What it is doing.
    busy_label: &'static str,
    /// It is on its way.
    busy: Signal<bool>,
    /// What it looks like.
    #[prop(default = "btn primary")]
    class: &'static str,
) -> impl IntoView {
    view! {
        <button type="submit" class=class aria-disabled=move || busy.get().then_some("true")>
            {move || if busy.get() { busy_label } else { label }}
        </button>
    }
}

/// A button that may be out of use. It then stays in reach and says why, instead of doing nothing in silence.
#[component]
pub fn ReasonedButton(
    /// Why it cannot be used now.
    reason: Signal<Option<String>>,
    /// What it does.
    on_press: Callback<()>,
    /// What it looks like.
    #[prop(default = "btn")]
    class: &'static str,
    /// What it says.
    children: Children,
) -> impl IntoView {
    let id = unique_id("reason");
    let described_by = id.clone();
    let press = move |_| {
        if reason.with_untracked(Option::is_none) {
            on_press.run(());
        }
    };
    view! {
        <div class="reasoned">
            <button
                type="button"
                class=class
                aria-disabled=move || reason.with(Option::is_some).then_some("true")
                aria-describedby=move || reason.with(Option::is_some).then(|| described_by.clone())
                on:click=press
            >
                {children()}
            </button>
            {move || reason.get().map(|reason| view! { <span class="reason" role="tooltip" id=id.clone()>{reason}</span> })}
        </div>
    }
}
