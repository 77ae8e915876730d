//! Confirms what cannot be undone by having its name typed.

use super::error::ErrorNote;
use super::submission::Submission;
use crate::ui::dom::unique_id;
use crate::ui::{Dialog, FieldError, Form, SubmitButton};
use leptos::prelude::*;

/// A dialog that does something final once the name is typed. Errors stay in it.
#[component]
pub fn TypedConfirm(
    /// The act, such as `Delete API key`; the heading and the button.
    verb: &'static str,
    /// The act while it is done, such as `Deleting…`.
    busy_verb: &'static str,
    /// What is typed, such as `description`.
    what: &'static str,
    /// The text to type.
    expected: String,
    /// What follows from the act.
    consequence: AnyView,
    /// The act's sending.
    submission: Submission,
    /// Does it.
    on_confirm: Callback<()>,
    /// Leaves everything as it is.
    on_close: Callback<()>,
) -> impl IntoView {
    let (id, error_id, hint_id) =
        (unique_id("confirm"), unique_id("confirm-error"), unique_id("confirm-hint"));
    let typed = RwSignal::new(String::new());
    let mismatch = RwSignal::new(false);
    let close = Callback::new(move |()| {
        if !submission.busy().get_untracked() {
            on_close.run(());
        }
    });
    let submit = {
        let expected = expected.clone();
        Callback::new(move |()| {
            let matches = typed.with_untracked(|typed| typed.trim() == expected.trim());
            mismatch.set(!matches);
            if matches {
                on_confirm.run(());
            }
        })
    };
    let error =
        Signal::derive(move || mismatch.get().then(|| format!("Type the {what} exactly as it is shown.")));
    let described_by = {
        let (hint_id, error_id) = (hint_id.clone(), error_id.clone());
        move || if mismatch.get() { format!("{hint_id} {error_id}") } else { hint_id.clone() }
    };
    view! {
        <Dialog title=verb on_close=close>
            <Form on_submit=submit>
                <div class="body">
                    <div>{consequence}</div>
                    <div class="field">
                        <label for=id.clone()>{format!("Type the {what} to confirm")}</label>
                        <p class="below" id=hint_id><bdi class="mono">{expected}</bdi></p>
                        <input
                            id=id
                            class="input"
                            dir="auto"
                            autocomplete="off"
                            spellcheck="false"
                            aria-invalid=move || mismatch.get().then_some("true")
                            aria-describedby=described_by
                            prop:value=move || typed.get()
                            on:input:target=move |event| {
                                typed.set(event.target().value());
                                mismatch.set(false);
                            }
                        />
                        <FieldError id=error_id error />
                    </div>
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
