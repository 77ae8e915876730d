//! A key whose secret nobody has.

use crate::ui::{Dialog, Glyph, Note};
use leptos::prelude::*;

/// The first attempt got through and its answer did not: the key has a secret that no one knows.
#[component]
pub(super) fn AnswerLost(description: String, is_reset: bool, on_close: Callback<()>) -> impl IntoView {
    let (title, before, after) = if is_reset {
        (
            "The key was reset, its new secret is lost",
            "The connection broke after the key was reset. A secret is sent once, so it cannot be shown any more. Reset ",
            " once more to get another secret.",
        )
    } else {
        (
            "The key was created, its secret is lost",
            "The connection broke after the key was created. A secret is sent once, so it cannot be shown any more. Delete ",
            " and add another key.",
        )
    };
    view! {
        <Dialog title on_close>
            <div class="body">
                <Note class="note bad" glyph=Glyph::Error>
                    {before} <b><bdi>{description}</bdi></b> {after}
                </Note>
            </div>
            <footer>
                <button type="button" class="btn primary" on:click=move |_| on_close.run(())>"Close"</button>
            </footer>
        </Dialog>
    }
}
