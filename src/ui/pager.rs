//! The way through a list's pages.

use leptos::prelude::*;

/// Two buttons; nothing where there is one page only.
#[component]
pub fn Pager(
    /// Whether this is not the first page.
    has_previous: Signal<bool>,
    /// Whether another page follows.
    has_next: Signal<bool>,
    /// Which page this is, such as `Page 1 of 13`.
    #[prop(optional, into)]
    place: MaybeProp<String>,
    /// Goes back a page.
    on_previous: Callback<()>,
    /// Goes on a page.
    on_next: Callback<()>,
) -> impl IntoView {
    let button = |label: &'static str, on: Signal<bool>, act: Callback<()>| {
        let press = move |_| {
            if on.get_untracked() {
                act.run(());
            }
        };
        view! {
            <button type="button" class="btn small" aria-disabled=move || (!on.get()).then_some("true") on:click=press>
                {label}
            </button>
        }
    };
    // A button that has the focus stays while the other one changes.
    let is_shown = Memo::new(move |_| has_previous.get() || has_next.get());
    let words = move || view! { <span class="nowrap">{move || place.get()}</span> };
    move || {
        is_shown.get().then(|| {
            (button("Previous", has_previous, on_previous), words(), button("Next", has_next, on_next))
        })
    }
}
