//! Who is signed in to the backend of the region the console is in.

use super::navigation::{Navigation, use_navigation};
use super::region::Regions;
use crate::api::{BackendId, Client, Queries, Query, Result, session_delete, session_delete_all};
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
    /// Where.
    pub backend: Memo<Option<BackendId>>,
    queries: Queries,
    navigation: Navigation,
}

impl SignedIn {
    /// Provides the context, and leads to the sign-in page whenever an answer of that backend says that nobody is
    /// signed in. It must be asked for where the regions are provided.
    pub fn provide(queries: Queries) -> Self {
        let regions = Regions::expect();
        let session = queries.session(regions.backend.into());
        let (location, navigation) = (use_location(), use_navigation());
        let this = Self { session, backend: regions.backend, queries, navigation };
        Effect::new(move |_| {
            if let Some(backend) = regions.backend.get()
                && queries.client.connection(backend).signed_out.get()
            {
                let here = format!(
                    "{}{}",
                    location.pathname.get_untracked(),
                    search(&location.search.get_untracked())
                );
                queries.signed_out(backend);
                navigation.replace(&sign_in_path(&here, this.name(backend)));
            }
        });
        provide_context(this);
        this
    }

    /// The session of this console.
    pub fn expect() -> Self {
        expect_context()
    }

    /// The backend's name, where there are several.
    pub fn name(self, backend: BackendId) -> Option<&'static str> {
        let backends = self.queries.client.backends;
        backends.are_several().then(|| &*backends.get(backend).name)
    }

    /// Ends the session on the backend. `failed` runs if the server could not be told.
    pub fn sign_out(self, failed: impl FnOnce() + 'static) {
        let Some((backend, client)) = self.there() else { return };
        spawn_local(async move {
            match session_delete(client).await {
                Err(error) if error.status != 401 => failed(),
                _ => self.left(backend),
            }
        });
    }

    /// Ends all sessions of this person on the backend, on every device.
    ///
    /// # Errors
    /// What any request can meet.
    pub async fn sign_out_everywhere(self) -> Result<()> {
        let Some((backend, client)) = self.there() else { return Ok(()) };
        match session_delete_all(client).await {
            Err(error) if error.status != 401 => Err(error),
            _ => {
                self.left(backend);
                Ok(())
            }
        }
    }

    fn there(self) -> Option<(BackendId, Client)> {
        let backend = self.backend.get_untracked()?;
        Some((backend, self.queries.client.at(backend)))
    }

    fn left(self, backend: BackendId) {
        self.queries.signed_out(backend);
        self.navigation.to(&sign_in_path(&Place::Home.to_string(), self.name(backend)));
    }
}

fn search(query: &str) -> String {
    if query.is_empty() { String::new() } else { format!("?{}", query.trim_start_matches('?')) }
}
