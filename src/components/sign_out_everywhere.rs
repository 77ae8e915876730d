//! Ends all sessions of a person on a backend.

use super::{ErrorNote, Submission};
use crate::state::SignedIn;
use crate::ui::{Dialog, Form, SubmitButton};
use leptos::prelude::*;

/// The dialog: what stops, and what does not.
#[component]
pub fn SignOutEverywhere(
    /// Leaves everything as it is.
    on_close: Callback<()>,
) -> impl IntoView {
    let (signed_in, submission) = (SignedIn::expect(), Submission::new());
    let name = signed_in.backend.get_untracked().and_then(|backend| signed_in.name(backend));
    let close = Callback::new(move |()| {
        if !submission.busy().get_untracked() {
            on_close.run(());
        }
    });
    let confirm = Callback::new(move |()| submission.send(signed_in.sign_out_everywhere(), |()| {}));
    let of = name.map(|name| view! { " on " <b><bdi>{name}</bdi></b> });
    view! {
        <Dialog title="Sign out everywhere" on_close=close>
            <Form on_submit=confirm>
                <div class="body">
                    <p>
                        "Every session of yours" {of}
                        " ends at once, in this browser and in all others. What is open there can change nothing any more, and has to sign in again."
                    </p>
                    <p class="muted">"API keys go on working."</p>
                    <ErrorNote error=submission.error_beside(&[]) />
                </div>
                <footer>
                    <button type="button" class="btn" autofocus=true on:click=move |_| close.run(())>"Cancel"</button>
                    <SubmitButton label="Sign out everywhere" busy_label="Signing out…" busy=submission.busy() class="btn danger" />
                </footer>
            </Form>
        </Dialog>
    }
}
