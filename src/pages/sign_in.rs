//! Signing in to a backend: by the link from the terminal, or by a code sent to the person's address.

mod code;
mod email;
mod link;
mod others;

use crate::api::{BackendId, Queries};
use crate::boot::take_token;
use crate::routes::{Place, next_path};
use crate::state::use_navigation;
use crate::ui::dom::end_boot;
use crate::ui::{Brand, Glyph, Icon};
use code::CodeStep;
use email::EmailStep;
use keygate_contract::{Email, Session};
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::use_query_map;
use link::LinkStep;
use others::OtherBackends;

/// How far the person is.
#[derive(Clone)]
enum Step {
    /// Asking whether to sign in with a link.
    Link,
    /// Asking for the address.
    Email,
    /// Asking for the code that was sent there.
    Code(Email),
}

/// The page. It stands outside the shell: nobody is signed in to this backend.
#[component]
pub fn SignInPage() -> impl IntoView {
    let (query, queries) = (use_query_map(), Queries::expect());
    let backends = queries.client.backends;
    let first_token = StoredValue::new(take_token());
    let backend = Memo::new(move |_| {
        let named = query.with(|query| query.get_str("backend").and_then(|name| backends.named(name)));
        named.unwrap_or_else(|| backends.first())
    });
    end_boot();
    // Another backend is another sign-in, from the start.
    move || view! { <SignIn backend=backend.get() token=first_token.try_update_value(Option::take).flatten() /> }
}

#[component]
fn SignIn(backend: BackendId, token: Option<String>) -> impl IntoView {
    let queries = Queries::expect();
    let (query, navigation) = (use_query_map(), use_navigation());
    let client = queries.client.at(backend);
    let step = RwSignal::new(if token.is_some() { Step::Link } else { Step::Email });
    let token = StoredValue::new(token.unwrap_or_default());
    let done = Callback::new(move |session: Session| {
        token.set_value(String::new());
        queries.signed_in(backend, session);
        let next = query.with_untracked(|query| query.get_str("next").map(str::to_owned));
        spawn_local(async move {
            let next = match next {
                None if client.backends.are_several() => start_of(queries, backend).await,
                next => next_path(next.as_deref()),
            };
            navigation.replace(&next);
        });
    });
    let name = client.backends.are_several().then(|| &*client.backends.get(backend).name);
    document().set_title(&match name {
        Some(name) => format!("Sign in · {name} · Keygate"),
        None => "Sign in · Keygate".to_owned(),
    });
    let ask_email = Callback::new(move |()| {
        token.set_value(String::new());
        step.set(Step::Email);
    });
    let host = match client.backends.get(backend).url.split_once("://") {
        Some((_, host)) => host.to_owned(),
        None => window().location().host().unwrap_or_default(),
    };
    let ask_code = Callback::new(move |email| step.set(Step::Code(email)));
    view! {
        <main class="sign-in">
            <div class="brand"><Brand /></div>
            <div class="card">
                {name.map(|name| view! { <p class="backend"><Icon glyph=Glyph::Globe /><span class="sr-only">"Server "</span><bdi>{name}</bdi></p> })}
                {move || match step.get() {
                    Step::Link => view! { <LinkStep client host=host.clone() token on_done=done on_email=ask_email /> }.into_any(),
                    Step::Email => view! { <EmailStep client on_sent=ask_code /> }.into_any(),
                    Step::Code(email) => view! { <CodeStep client email on_done=done on_back=ask_email /> }.into_any(),
                }}
            </div>
            <OtherBackends backend />
            <p class="hint">"Did you just start the server? Open the sign-in link it printed, or print another with " <code>"keygate sign-in-link"</code> "."</p>
        </main>
    }
}

/// The start within a backend: whoever signed in to it wants to see it, not the one they were in last.
async fn start_of(queries: Queries, backend: BackendId) -> String {
    let region = queries.first_region(backend).await;
    region.map_or(Place::Home, Place::workspaces).to_string()
}
