//! The name and its sign.

use leptos::prelude::*;

/// The sign and the name beside it.
#[component]
pub fn Brand() -> impl IntoView {
    view! {
        <svg viewBox="0 0 22 22" aria-hidden="true">
            <rect class="plate" width="22" height="22" rx="6"></rect>
            <path class="gate" d="M6 16V9a5 5 0 0 1 10 0v7M11 12v4"></path>
        </svg>
        <span>"Keygate"</span>
    }
}
