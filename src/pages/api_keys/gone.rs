//! A key that was deleted elsewhere while something was about to be done with it.

use crate::components::Submission;
use crate::ui::Dialog;
use keygate_contract::ErrorCode;
use leptos::prelude::*;

/// Runs `then` once the server says that the key is not there any more.
pub(super) fn when_gone(submission: Submission, then: impl Fn() + 'static) {
    Effect::new(move |_| {
        if submission.error().is_some_and(|error| error.code == ErrorCode::NotFound) {
            then();
        }
    });
}

/// Says so, in the place of what was open.
#[component]
pub(super) fn GoneDialog(description: String, on_close: Callback<()>) -> impl IntoView {
    view! {
        <Dialog title="The API key is deleted" on_close>
            <div class="body">
                <p role="alert">
                    <b><bdi>{description}</bdi></b>
                    " was deleted in the meantime, by someone else or in another window. Every call with it is refused with 401."
                </p>
            </div>
            <footer>
                <button type="button" class="btn primary" autofocus=true on:click=move |_| on_close.run(())>"Close"</button>
            </footer>
        </Dialog>
    }
}
