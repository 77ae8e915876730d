//! Signing in with a link. `static/boot.js` has removed the token from the address and the history before the first
//! paint. The token stays in this program's memory, never in the page, and is sent only when the person clicks: mail
//! scanners and prefetching browsers open links, too, and must not use one up.

use crate::api::{Client, session_create};
use crate::components::{ErrorNote, Submission};
use crate::ui::dom::focus_heading;
use crate::ui::{Form, SubmitButton};
use keygate_contract::{ErrorCode, Session, SessionCreate};
use leptos::prelude::*;

/// Asks whether to sign in; if the link is invalid, offers to sign in by e-mail.
#[component]
pub(super) fn LinkStep(
    client: Client,
    /// The host to sign in to.
    host: String,
    token: StoredValue<String>,
    on_done: Callback<Session>,
    on_email: Callback<()>,
) -> impl IntoView {
    let submission = Submission::new();
    let sign_in = Callback::new(move |()| {
        let body = SessionCreate { email: None, code: None, token: Some(token.get_value()) };
        submission.send(session_create(client, body), move |session| on_done.run(session));
    });
    let failed = move || submission.error();
    // A rejected link stays rejected; one that could not be tried may still work.
    let is_over = move || failed().is_some_and(|error| error.code == ErrorCode::SignInFailed);
    Effect::new(move |_| {
        if is_over() {
            // The button that had the focus has been removed.
            focus_heading();
        }
    });
    view! {
        <header>
            <h1 tabindex="-1">{move || if is_over() { "This link did not sign you in" } else { "Sign in" }}</h1>
            <p>{move || if is_over() {
                view! { "A link works once, within 15 minutes." }.into_any()
            } else {
                view! { "You opened a sign-in link for " <b><bdi>{host.clone()}</bdi></b> ". It works once, within 15 minutes." }.into_any()
            }}</p>
        </header>
        <ErrorNote error=submission.error_beside(&[]) />
        {move || if is_over() {
            view! { <button type="button" class="btn primary" on:click=move |_| on_email.run(())>"Sign in by e-mail"</button> }.into_any()
        } else {
            view! {
                <Form on_submit=sign_in>
                    <SubmitButton label="Sign in" busy_label="Signing in…" busy=submission.busy() />
                </Form>
                <div class="others">
                    <button type="button" class="btn quiet small" on:click=move |_| on_email.run(())>"Sign in by e-mail instead"</button>
                </div>
            }.into_any()
        }}
    }
}
