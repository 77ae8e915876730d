//! The whole console: what is shared by all pages, and which page a path shows.

use crate::api::{Backends, Queries};
use crate::components::{Shell, Toaster};
use crate::pages::{
    AnalyticsPage, ApiKeysPage, EndpointsPage, HomePage, MisconfiguredPage, ModelsPage, MonitoringPage,
    NotFoundPage, RequestsPage, SignInPage, WorkspacesPage,
};
use crate::state::{Theme, Toasts};
use crate::ui::LeaveGuards;
use leptos::prelude::*;
use leptos_router::components::{ParentRoute, Route, Router, Routes};
use leptos_router::path;

/// The whole console, or what is wrong with its configuration.
#[component]
pub fn App(
    /// The servers it speaks to.
    backends: Result<Backends, String>,
) -> impl IntoView {
    Theme::provide();
    match backends {
        Ok(backends) => view! { <Console backends /> }.into_any(),
        Err(problem) => view! { <MisconfiguredPage problem /> }.into_any(),
    }
}

/// The console. The paths are those of [`crate::routes::Place`].
#[component]
fn Console(backends: Backends) -> impl IntoView {
    provide_context(Queries::new(backends));
    LeaveGuards::provide();
    Toasts::provide();
    view! {
        <Router base=crate::routes::base()>
            <Routes fallback=NotFoundPage>
                <Route path=path!("/sign-in") view=SignInPage />
                <ParentRoute path=path!("") view=Shell>
                    <Route path=path!("/") view=HomePage />
                    <Route path=path!("/:region/workspaces/:workspace?") view=WorkspacesPage />
                    <Route path=path!("/:region/w/:workspace/api-keys") view=ApiKeysPage />
                    <Route path=path!("/:region/w/:workspace/models") view=ModelsPage />
                    <Route path=path!("/:region/w/:workspace/monitoring") view=MonitoringPage />
                    <Route path=path!("/:region/w/:workspace/analytics") view=AnalyticsPage />
                    <Route path=path!("/:region/w/:workspace/requests/:request?") view=RequestsPage />
                    <Route path=path!("/:region/endpoints") view=EndpointsPage />
                    <Route path=path!("/*any") view=NotFoundPage />
                </ParentRoute>
            </Routes>
        </Router>
        <Toaster />
    }
}
