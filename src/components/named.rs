//! A name within a sentence.

use leptos::prelude::*;

/// The name; a bone in its place until it is known.
#[component]
pub fn Named(
    /// The name of a workspace or a region.
    name: Memo<Option<String>>,
) -> impl IntoView {
    move || match name.get() {
        Some(name) => view! { <b><bdi>{name}</bdi></b> }.into_any(),
        None => view! { <i class="bone"></i> }.into_any(),
    }
}
