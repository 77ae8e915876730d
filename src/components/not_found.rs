//! A path that leads nowhere.

use super::PageHead;
use crate::routes::Place;
use crate::ui::dom::end_boot;
use crate::ui::{Empty, Glyph};
use leptos::prelude::*;

/// Says that nothing is here, inside the shell, and leads back.
#[component]
pub fn NotFound() -> impl IntoView {
    end_boot();
    let intro = "This address leads nowhere in this console.";
    view! {
        <PageHead title="Page not found" scope=Signal::stored(None) intro=intro.into_any() />
        <div class="card">
            <Empty glyph=Glyph::Search title="Nothing is here">
                <p>"The address may be mistyped, or what it named was removed."</p>
                <div class="acts">
                    <a class="btn" href=Place::Home.to_string()>"Go to workspaces"</a>
                </div>
            </Empty>
        </div>
    }
}
