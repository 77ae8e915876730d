//! The way to the other backends.

use crate::api::{BackendId, Queries};
use crate::routes::{Place, sign_in_path};
use leptos::prelude::*;

/// Leads to each other backend: into it where someone is signed in, else to signing in there.
#[component]
pub(super) fn OtherBackends(backend: BackendId) -> impl IntoView {
    let queries = Queries::expect();
    let backends = queries.client.backends;
    let link = move |(id, name): (BackendId, &'static str)| {
        let region = queries.known_region(id);
        let (words, path) = match region {
            Some(region) => ("Go on in ", Place::workspaces(region).to_string()),
            None => ("Sign in to ", sign_in_path(&Place::Home.to_string(), Some(name))),
        };
        view! { <li><a href=path>{words} <bdi>{name}</bdi></a></li> }
    };
    let others = backends.all().filter(move |(id, _)| *id != backend).map(|(id, b)| (id, &*b.name));
    backends.are_several().then(
        || view! { <ul class="backends" aria-label="Other servers">{others.map(link).collect_view()}</ul> },
    )
}
