//! A name within a sentence.

use crate::state::{Regions, Workspaces};
use leptos::prelude::*;

/// The name; a bone in its place until it is known, and words without it if it cannot be known.
#[component]
pub fn Named(
    /// The name of a workspace or a region.
    name: Memo<Option<String>>,
    /// What is said without the name.
    #[prop(default = "this workspace")]
    or: &'static str,
) -> impl IntoView {
    let (regions, workspaces) = (Regions::expect(), Workspaces::expect());
    let is_lost = move || regions.list.error().is_some() || workspaces.error().is_some();
    move || match name.get() {
        Some(name) => view! { <b><bdi>{name}</bdi></b> }.into_any(),
        None if is_lost() => or.into_any(),
        None => view! { <i class="bone"></i> }.into_any(),
    }
}
