//! Signing in: by the link from the terminal, or by a code sent to the person's address.

mod code;
mod email;
mod link;

use crate::api::Queries;
use crate::routes::next_path;
use crate::state::use_navigation;
use crate::ui::Brand;
use crate::ui::dom::end_boot;
use code::CodeStep;
use email::EmailStep;
use keygate_contract::{Email, Session};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use link::{LinkStep, take_token};

/// How far the person is.
#[derive(Clone)]
enum Step {
    /// Signing in by the token of a link.
    Link(String),
    /// Asking for the address.
    Email,
    /// Asking for the code that was sent there.
    Code(Email),
}

/// The page. It stands outside the shell: nobody is signed in.
#[component]
pub fn SignInPage() -> impl IntoView {
    let queries = Queries::expect();
    let (query, navigation) = (use_query_map(), use_navigation());
    let step = RwSignal::new(take_token().map_or(Step::Email, Step::Link));
    let done = Callback::new(move |session: Session| {
        queries.signed_in(session);
        let next = query.with_untracked(|query| next_path(query.get_str("next")));
        navigation.replace(&next);
    });
    document().set_title("Sign in · Keygate");
    end_boot();
    let ask_email = Callback::new(move |()| step.set(Step::Email));
    let ask_code = Callback::new(move |email| step.set(Step::Code(email)));
    view! {
        <main class="sign-in">
            <div class="brand"><Brand /></div>
            <div class="card">
                {move || match step.get() {
                    Step::Link(token) => view! { <LinkStep token on_done=done on_email=ask_email /> }.into_any(),
                    Step::Email => view! { <EmailStep on_sent=ask_code /> }.into_any(),
                    Step::Code(email) => view! { <CodeStep email on_done=done on_back=ask_email /> }.into_any(),
                }}
            </div>
            <p class="hint">"Did you just start the server? Open the sign-in link it printed, or print another with " <code>"keygate sign-in-link"</code> "."</p>
        </main>
    }
}
