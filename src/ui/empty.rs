//! What stands where nothing is.

use super::icon::{Glyph, Icon};
use leptos::prelude::*;

/// Says what is missing, why, and offers the one act that helps.
#[component]
pub fn Empty(
    /// Which icon.
    glyph: Glyph,
    /// What is missing.
    #[prop(into)]
    title: String,
    /// `empty bad` if something went wrong.
    #[prop(default = "empty")]
    class: &'static str,
    /// `alert` if something went wrong.
    #[prop(optional)]
    role: Option<&'static str>,
    /// The explanation, and the act in a `div.acts`.
    children: Children,
) -> impl IntoView {
    view! {
        <div class=class role=role>
            <Icon glyph />
            <h2>{title}</h2>
            {children()}
        </div>
    }
}
