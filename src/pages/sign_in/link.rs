//! Signing in by a link. Its token leaves the address before anything else happens.

use crate::api::{Client, session_create};
use crate::components::{ErrorNote, Submission};
use crate::routes::Place;
use crate::uri::{decode, query};
use keygate_contract::{Session, SessionCreate};
use leptos::prelude::*;
use wasm_bindgen::JsValue;

/// Takes the token out of the address and the history.
pub(super) fn take_token() -> Option<String> {
    let search = window().location().search().ok()?;
    let (token, rest) = split_token(&search)?;
    let clean = format!("{}{rest}", Place::SignIn);
    let history = window().history().ok()?;
    history.replace_state_with_url(&JsValue::NULL, "", Some(&clean)).ok()?;
    Some(token)
}

/// The token in a query, and the query that stays without it.
fn split_token(search: &str) -> Option<(String, String)> {
    let field = |name: &str| {
        let fields = search.trim_start_matches('?').split('&');
        fields
            .filter_map(|field| field.split_once('='))
            .find(|(n, _)| *n == name)
            .and_then(|(_, value)| decode(value))
    };
    let [backend, next] = ["backend", "next"].map(|name| field(name).unwrap_or_default());
    Some((
        field("token").filter(|token| !token.is_empty())?,
        query(&[("backend", &backend), ("next", &next)]),
    ))
}

/// Signs in at once; a link that does not work leads to the other way.
#[component]
pub(super) fn LinkStep(
    client: Client,
    token: String,
    on_done: Callback<Session>,
    on_email: Callback<()>,
) -> impl IntoView {
    let submission = Submission::new();
    let sign_in = Callback::new(move |()| {
        let body = SessionCreate { email: None, code: None, token: Some(token.clone()) };
        submission.send(session_create(client, body), move |session| on_done.run(session));
    });
    sign_in.run(());
    let failed = move || submission.error();
    let may_retry = move || failed().is_some_and(|error| error.is_undecided());
    view! {
        <header>
            <h1>{move || if failed().is_some() { "This link did not sign you in" } else { "Signing you in…" }}</h1>
            <p>{move || failed().is_some().then_some("A link works once and for 15 minutes.")}</p>
        </header>
        <ErrorNote error=submission.error_beside(&[]) />
        {move || failed().is_some().then(|| view! {
            <div class="acts">
                {may_retry().then(|| view! { <button type="button" class="btn primary" on:click=move |_| sign_in.run(())>"Try again"</button> })}
                <button type="button" class="btn" on:click=move |_| on_email.run(())>"Sign in by e-mail"</button>
            </div>
        })}
    }
}

#[cfg(test)]
mod tests {
    use super::split_token;

    #[test]
    fn the_token_is_taken_and_the_way_on_stays() {
        let split = |search| split_token(search);
        assert_eq!(split("?token=abc"), Some(("abc".into(), String::new())));
        assert_eq!(split("?next=%2Fa&token=a%2Bc"), Some(("a+c".into(), "?next=%2Fa".into())));
        assert_eq!(
            split("?token=abc&backend=Home%20lab"),
            Some(("abc".into(), "?backend=Home%20lab".into()))
        );
        for without in ["", "?", "?next=%2Fa", "?token=", "?tokens=abc"] {
            assert_eq!(split(without), None, "{without}");
        }
    }
}
