//! Asks where to send a code.

use crate::api::{Client, session_code};
use crate::components::{Checked, ErrorNote, Submission};
use crate::ui::{Form, SubmitButton, TextField};
use keygate_contract::{Email, EmailCodeCreate};
use leptos::prelude::*;

/// Asks for the address and has a code sent there.
#[component]
pub(super) fn EmailStep(client: Client, on_sent: Callback<Email>) -> impl IntoView {
    let submission = Submission::new();
    let email = Checked::new("");
    let submit = Callback::new(move |()| {
        let Some(email) = email.parse(Email::parse) else { return };
        let call = session_code(client, EmailCodeCreate { email: email.clone() });
        submission.send(call, move |()| on_sent.run(email));
    });
    view! {
        <header>
            <h1>"Sign in"</h1>
            <p>"We send a code to your e-mail address."</p>
        </header>
        <Form on_submit=submit>
            <TextField
                label="E-mail address"
                value=email.text
                error=email.error(submission, "email")
                kind="email"
                inputmode="email"
                autocomplete="email"
                autofocus=true
            />
            <ErrorNote error=submission.error_beside(&["email"]) />
            <SubmitButton label="Send code" busy_label="Sending…" busy=submission.busy() />
        </Form>
    }
}
