//! What was used over time, and what it cost.

use crate::components::{Named, PageHead};
use crate::state::Workspaces;
use leptos::prelude::*;

/// What was used over time, and what it cost.
#[component]
pub fn AnalyticsPage() -> impl IntoView {
    let workspaces = Workspaces::expect();
    let name = Memo::new(move |_| workspaces.current.with(|w| w.as_ref().map(|w| w.name.clone())));
    let intro = view! { "Usage and cost of " <Named name /> "." };
    view! { <PageHead title="Analytics" scope=Signal::derive(move || name.get()) intro=intro.into_any() /> }
}
