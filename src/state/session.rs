//! Who is signed in.

use crate::api::{Queries, Query, session_delete};
use crate::routes::{Place, sign_in_path};
use keygate_contract::Session;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate};

/// The session, as a context below the shell.
#[derive(Clone, Copy)]
pub struct SignedIn {
    /// Who it is.
    pub session: Query<Session>,
    queries: Queries,
}

impl SignedIn {
    /// Provides the context, and leads to the sign-in page whenever an answer says that nobody is signed in.
    pub fn provide(queries: Queries) -> Self {
        let session = queries.session();
        let signed_out = queries.client.connection.signed_out;
        let (location, navigate) = (use_location(), use_navigate());
        Effect::new(move |_| {
            if signed_out.get() {
                let here = format!("{}{}", location.pathname.get_untracked(), search(&location.search.get_untracked()));
                queries.signed_out();
                navigate(&sign_in_path(&here), NavigateOptions { replace: true, ..NavigateOptions::default() });
            }
        });
        let this = Self { session, queries };
        provide_context(this);
        this
    }

    /// The session of this console.
    pub fn expect() -> Self {
        expect_context()
    }

    /// Ends the session. `failed` runs if the server could not be told.
    pub fn sign_out(self, navigate: impl Fn(&str, NavigateOptions) + 'static, failed: impl FnOnce() + 'static) {
        let queries = self.queries;
        spawn_local(async move {
            match session_delete(queries.client).await {
                Err(error) if error.status != 401 => failed(),
                _ => {
                    queries.signed_out();
                    navigate(&Place::SignIn.to_string(), NavigateOptions::default());
                }
            }
        });
    }
}

fn search(query: &str) -> String {
    if query.is_empty() { String::new() } else { format!("?{}", query.trim_start_matches('?')) }
}
