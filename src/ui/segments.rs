//! A choice of a few, side by side.

use leptos::prelude::*;

/// Buttons, one of which is pressed.
#[component]
pub fn Segments(
    /// What they choose.
    label: &'static str,
    /// The values, with their words.
    #[prop(into)]
    options: Signal<Vec<(String, String)>>,
    /// The value chosen.
    #[prop(into)]
    chosen: Signal<String>,
    /// Runs with the value.
    on_choose: Callback<String>,
) -> impl IntoView {
    let button = move |(value, words): (String, String)| {
        let this = value.clone();
        let is_chosen = move || chosen.with(|chosen| *chosen == this).to_string();
        view! {
            <button type="button" aria-pressed=is_chosen on:click=move |_| on_choose.run(value.clone())>{words}</button>
        }
    };
    view! {
        <div class="tabs" role="group" aria-label=label>
            {move || options.get().into_iter().map(button).collect_view()}
        </div>
    }
}
