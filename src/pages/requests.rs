//! Every call, one by one.

use crate::components::{Named, PageHead};
use crate::state::Workspaces;
use leptos::prelude::*;

/// Every call, one by one.
#[component]
pub fn RequestsPage() -> impl IntoView {
    let workspaces = Workspaces::expect();
    let name = Memo::new(move |_| workspaces.current.with(|w| w.as_ref().map(|w| w.name.clone())));
    let intro = view! { "Calls of " <Named name /> "." };
    view! { <PageHead title="Call log" scope=Signal::derive(move || name.get()) intro=intro.into_any() /> }
}
