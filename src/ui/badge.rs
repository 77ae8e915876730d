//! A word that tells a state.

use leptos::prelude::*;

/// What the state means to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Something to look at.
    Warn,
    /// Something does not work.
    Bad,
    /// Neither: a state.
    Muted,
    /// Neither: a mark.
    Plain,
}

/// A word that tells a state; its colour repeats what the word says.
#[component]
pub fn Badge(
    /// What it means.
    tone: Tone,
    /// The word.
    #[prop(into)]
    label: String,
) -> impl IntoView {
    let class = match tone {
        Tone::Good => "badge good",
        Tone::Warn => "badge warn",
        Tone::Muted => "badge",
        Tone::Bad => "badge bad",
        Tone::Plain => "badge plain",
    };
    view! { <span class=class>{label}</span> }
}
