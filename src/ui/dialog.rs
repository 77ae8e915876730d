//! The two modal layers: a dialog for one question, a drawer for one thing of the list behind it.

use super::dom::unique_id;
use super::icon::{Glyph, Icon};
use super::modal::Modal;
use leptos::prelude::*;

/// A dialog with its heading. What it holds brings a `div.body` and a `footer`.
#[component]
pub fn Dialog(
    /// The heading.
    #[prop(into)]
    title: String,
    /// A line below the heading.
    #[prop(optional)]
    subtitle: Option<AnyView>,
    /// `dialog`, and more.
    #[prop(default = "dialog")]
    class: &'static str,
    /// Runs when the person asks to close it.
    on_close: Callback<()>,
    /// What it holds.
    children: Children,
) -> impl IntoView {
    let id = unique_id("dialog");
    view! {
        <Modal class labelled_by=id.clone() on_close>
            <header>
                <h1 id=id>{title}</h1>
                {subtitle.map(|line| view! { <p>{line}</p> })}
            </header>
            {children()}
        </Modal>
    }
}

/// A drawer at the side. What it holds brings a `div.body` and a `footer`.
#[component]
pub fn Drawer(
    /// The heading.
    title: Signal<String>,
    /// What stands below the heading.
    subtitle: ViewFn,
    /// Runs when the person asks to close it.
    on_close: Callback<()>,
    /// What it holds.
    children: Children,
) -> impl IntoView {
    let id = unique_id("drawer");
    view! {
        <Modal class="drawer" labelled_by=id.clone() on_close>
            <div class="frame">
                <header>
                    <div>
                        <h1 id=id tabindex="-1" autofocus=true>
                            <bdi>{move || title.get()}</bdi>
                        </h1>
                        {subtitle.run()}
                    </div>
                    <button type="button" class="btn quiet small square" aria-label="Close" on:click=move |_| on_close.run(())>
                        <Icon glyph=Glyph::Close />
                    </button>
                </header>
                {children()}
            </div>
        </Modal>
    }
}
