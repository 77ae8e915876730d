//! The start: leads on to the workspaces of the region last used, or of the first.

use crate::components::ErrorView;
use crate::routes::Place;
use crate::state::Regions;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;

/// Leads on as soon as the regions are known.
#[component]
pub fn HomePage() -> impl IntoView {
    let regions = Regions::expect();
    let navigate = use_navigate();
    Effect::new(move |_| {
        if let Some(region) = regions.id.get() {
            let options = NavigateOptions { replace: true, ..NavigateOptions::default() };
            navigate(&Place::workspaces(region).to_string(), options);
        }
    });
    let retry = Callback::new(move |()| regions.list.retry());
    move || {
        let error = regions.list.error().filter(|error| error.status != 401);
        error.map(|error| view! { <ErrorView error what="the regions" on_retry=retry /> })
    }
}
