//! Confirms what stops others' work and can be taken back: it asks once.

use super::error::ErrorNote;
use super::submission::Submission;
use crate::ui::{Dialog, Form, SubmitButton};
use leptos::prelude::*;

/// A dialog that does something once it is confirmed. Errors stay in it.
#[component]
pub fn Confirm(
    /// The act, such as `Disable API key`; the heading and the button.
    verb: &'static str,
    /// The act while it is done, such as `Disabling…`.
    busy_verb: &'static str,
    /// What follows from the act.
    consequence: AnyView,
    /// The act's sending.
    submission: Submission,
    /// Does it.
    on_confirm: Callback<()>,
    /// Leaves everything as it is.
    on_close: Callback<()>,
) -> impl IntoView {
    let close = Callback::new(move |()| {
        if !submission.busy().get_untracked() {
            on_close.run(());
        }
    });
    view! {
        <Dialog title=verb on_close=close>
            <Form on_submit=on_confirm>
                <div class="body">
                    <div>{consequence}</div>
                    <ErrorNote error=submission.error_beside(&[]) />
                </div>
                <footer>
                    <button type="button" class="btn" autofocus=true on:click=move |_| close.run(())>"Cancel"</button>
                    <SubmitButton label=verb busy_label=busy_verb busy=submission.busy() class="btn danger" />
                </footer>
            </Form>
        </Dialog>
    }
}
