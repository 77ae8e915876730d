//! What happens now.

use crate::components::{Named, PageHead};
use crate::state::Workspaces;
use leptos::prelude::*;

/// What happens now.
#[component]
pub fn MonitoringPage() -> impl IntoView {
    let workspaces = Workspaces::expect();
    let name = Memo::new(move |_| workspaces.current.with(|w| w.as_ref().map(|w| w.name.clone())));
    let intro = view! { "Live traffic of " <Named name /> "." };
    view! { <PageHead title="Monitoring" scope=Signal::derive(move || name.get()) intro=intro.into_any() /> }
}
