//! A sign for something that has a name.

use leptos::prelude::*;

/// The first letter of the name that stands beside it.
#[component]
pub fn Avatar(
    /// The letter.
    letter: Option<char>,
) -> impl IntoView {
    view! { <span class="avatar" aria-hidden="true">{letter.map(String::from)}</span> }
}
