//! The start: leads on to the workspaces of the region last used, or of the first.

use super::workspaces::WorkspacesOutline;
use crate::components::ErrorView;
use crate::routes::Place;
use crate::state::{Regions, use_navigation};
use leptos::prelude::*;

/// Leads on as soon as the regions are known; until then it shows the outline of the page it leads to.
#[component]
pub fn HomePage() -> impl IntoView {
    let regions = Regions::expect();
    let navigation = use_navigation();
    Effect::new(move |_| {
        if let Some(region) = regions.id.get() {
            navigation.replace(&Place::workspaces(region).to_string());
        }
    });
    let retry = Callback::new(move |()| regions.list.retry());
    let error = Memo::new(move |_| regions.list.error().filter(|error| error.status != 401));
    move || match error.get() {
        Some(error) => view! { <ErrorView error what="the regions" on_retry=retry /> }.into_any(),
        None => view! { <WorkspacesOutline /> }.into_any(),
    }
}
