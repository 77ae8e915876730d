//! The page of every path that is no place of the console.

use crate::components::NotFound;
use leptos::prelude::*;

/// The page of every path that is no place of the console.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    view! { <NotFound /> }
}
