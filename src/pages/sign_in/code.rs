//! Asks for the code that was sent.

use crate::api::{Client, session_code, session_create};
use crate::components::{ErrorNote, Submission};
use crate::ui::{Form, SubmitButton, TextField};
use js_sys::Date;
use keygate_contract::{Email, EmailCodeCreate, Session, SessionCreate};
use leptos::prelude::*;

const DIGITS: usize = 6;

/// The server sends one code per this time, in milliseconds. Its answer is the same if it sends none.
const STEP_MS: f64 = 60_000.0;

/// Asks for the code and signs in with it.
#[component]
pub(super) fn CodeStep(
    client: Client,
    email: Email,
    on_done: Callback<Session>,
    on_back: Callback<()>,
) -> impl IntoView {
    let address = email.to_string();
    let (sign_in, again) = (Submission::new(), Submission::new());
    let code = RwSignal::new(String::new());
    let incomplete = RwSignal::new(false);
    let (sent_at, notice) = (StoredValue::new(Date::now()), RwSignal::new(None::<String>));
    let submit = {
        let email = email.clone();
        Callback::new(move |()| {
            let digits = digits(&code.get_untracked());
            incomplete.set(digits.is_none());
            let Some(digits) = digits else { return };
            let body = SessionCreate { email: Some(email.clone()), code: Some(digits), token: None };
            sign_in.send(session_create(client, body), move |session| on_done.run(session));
        })
    };
    let send_again = move |_| {
        let left = sent_at.get_value() + STEP_MS - Date::now();
        if left > 0.0 {
            let seconds = (left / 1000.0).ceil();
            return notice.set(Some(format!("You can request one code a minute. Try again in {seconds} s.")));
        }
        notice.set(None);
        let call = session_code(client, EmailCodeCreate { email: email.clone() });
        again.send(call, move |()| {
            sent_at.set_value(Date::now());
            notice.set(Some("Another code is on its way. The previous code no longer works.".into()));
        });
    };
    let wrong = Signal::derive(move || {
        let short = incomplete.get() && code.with(|code| digits(code).is_none());
        let told = || sign_in.error().filter(|e| e.field.as_deref() == Some("code")).map(|e| e.message);
        if short { Some(format!("Enter the {DIGITS} digits of the code.")) } else { told() }
    });
    view! {
        <header>
            <h1>"Enter the code"</h1>
            <p>"If " <b><bdi>{address}</bdi></b> " can sign in, a " {DIGITS} "-digit code is on its way there. It works only in this browser, for 10 minutes."</p>
        </header>
        <Form on_submit=submit>
            <TextField
                label="Code"
                value=code
                error=wrong
                inputmode="numeric"
                autocomplete="one-time-code"
                class="input code"
                autofocus=true
            />
            <ErrorNote error=sign_in.error_beside(&["code"]) />
            <ErrorNote error=again.error_beside(&[]) />
            <SubmitButton label="Sign in" busy_label="Signing in…" busy=sign_in.busy() />
        </Form>
        <div class="others">
            <button type="button" class="btn quiet small" on:click=move |_| on_back.run(())>"Use another address"</button>
            <button type="button" class="btn quiet small" on:click=send_again>"Send again"</button>
        </div>
        <p class="notice" role="status">{move || notice.get()}</p>
    }
}

/// The digits of a code, however it was typed or pasted.
fn digits(text: &str) -> Option<String> {
    let code: String = text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    (code.len() == DIGITS && code.bytes().all(|b| b.is_ascii_digit())).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::digits;

    #[test]
    fn a_code_is_taken_as_people_paste_it() {
        for good in ["123456", " 123 456 ", "123-456"] {
            assert_eq!(digits(good).as_deref(), Some("123456"), "{good:?}");
        }
        for bad in ["", "12345", "1234567", "12345a", "１２３４５６"] {
            assert_eq!(digits(bad), None, "{bad:?}");
        }
    }
}
