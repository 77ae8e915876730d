//! A ring that empties as time goes by.

use leptos::prelude::*;

/// A ring around a text. The text says the same, so it is hidden from assistive technology.
#[component]
pub fn Ring(
    /// How much is left, from 1 to 0.
    left: Signal<f64>,
    /// What stands in it.
    text: Signal<String>,
) -> impl IntoView {
    let dashes = move || format!("{:.2} 100", left.get().clamp(0.0, 1.0) * 100.0);
    view! {
        <svg class="ring" viewBox="0 0 64 64" aria-hidden="true">
            <circle class="track" cx="32" cy="32" r="28"></circle>
            <circle class="left" cx="32" cy="32" r="28" pathLength="100" stroke-dasharray=dashes transform="rotate(-90 32 32)"></circle>
            <text x="32" y="32" text-anchor="middle" dominant-baseline="central">{move || text.get()}</text>
        </svg>
    }
}
