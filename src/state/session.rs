//! Who is signed in.

use super::navigation::{Navigation, use_navigation};
use crate::api::{Queries, Query, session_delete};
use crate::routes::{Place, sign_in_path};
use keygate_contract::Session;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::use_location;

/// The session, as a context below the shell.
#[derive(Clone, Copy)]
pub struct SignedIn {
    /// Who it is.
    pub session: Query<Session>,
    queries: Queries,
    navigation: Navigation,
}

impl SignedIn {
    /// Provides the context, and leads to the sign-in page whenever an answer says that nobody is signed in.
    pub fn provide(queries: Queries) -> Self {
        let session = queries.session();
        let signed_out = queries.client.connection.signed_out;
        let (location, navigation) = (use_location(), use_navigation());
        Effect::new(move |_| {
            if signed_out.get() {
                let here = format!(
                    "{}{}",
                    location.pathname.get_untracked(),
                    search(&location.search.get_untracked())
                );
                queries.signed_out();
                navigation.replace(&sign_in_path(&here));
            }
        });
        let this = Self { session, queries, navigation };
        provide_context(this);
        this
    }

    /// The session of this console.
    pub fn expect() -> Self {
        expect_context()
    }

    /// Ends the session. `failed` runs if the server could not be told.
    pub fn sign_out(self, failed: impl FnOnce() + 'static) {
        let Self { queries, navigation, .. } = self;
        spawn_local(async move {
            match session_delete(queries.client).await {
                Err(error) if error.status != 401 => failed(),
                _ => {
                    queries.signed_out();
                    navigation.to(&Place::SignIn.to_string());
                }
            }
        });
    }
}

fn search(query: &str) -> String {
    if query.is_empty() { String::new() } else { format!("?{}", query.trim_start_matches('?')) }
}
