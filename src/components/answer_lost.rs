//! A key whose secret nobody has.

use crate::ui::{Dialog, Glyph, Note};
use leptos::prelude::*;

/// The first attempt got through and its answer did not: the key exists, and no one has its secret.
#[component]
pub(super) fn AnswerLost(description: String, on_close: Callback<()>) -> impl IntoView {
    view! {
        <Dialog title="The key was created, its secret is lost" on_close>
            <div class="body">
                <Note class="note bad" glyph=Glyph::Error>
                    "The connection broke after the key was created. A secret is sent once, so it cannot be shown any more. Delete "
                    <b><bdi>{description}</bdi></b> " and add another key."
                </Note>
            </div>
            <footer>
                <button type="button" class="btn primary" on:click=move |_| on_close.run(())>"Close"</button>
            </footer>
        </Dialog>
    }
}
