//! A line that explains or warns, in its place on the page.

use super::icon::{Glyph, Icon};
use leptos::prelude::*;

/// A line that explains or warns.
#[component]
pub fn Note(
    /// What it looks like: `note`, `note info` or `note bad`.
    #[prop(default = "note")]
    class: &'static str,
    /// Which icon.
    #[prop(default = Glyph::Warning)]
    glyph: Glyph,
    /// `alert` if it comes up after something was tried.
    #[prop(optional)]
    role: Option<&'static str>,
    /// The words.
    children: Children,
) -> impl IntoView {
    view! {
        <div class=class role=role>
            <Icon glyph />
            <div>{children()}</div>
        </div>
    }
}
