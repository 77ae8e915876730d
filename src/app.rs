//! The whole console: what is shared by all pages, and which page a path shows.

use crate::api::Queries;
use crate::components::{Shell, Toaster};
use crate::pages::{
    ApiKeysPage, EndpointsPage, HomePage, ModelsPage, NotFoundPage, SignInPage, WorkspacesPage,
};
use crate::state::{Theme, Toasts};
use crate::ui::LeaveGuards;
use leptos::prelude::*;
use leptos_router::components::{ParentRoute, Route, Router, Routes};
use leptos_router::path;

/// The whole console. The paths are those of [`crate::routes::Place`].
#[component]
pub fn App() -> impl IntoView {
    provide_context(Queries::new());
    LeaveGuards::provide();
    Theme::provide();
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
                    <Route path=path!("/:region/endpoints") view=EndpointsPage />
                    <Route path=path!("/*any") view=NotFoundPage />
                </ParentRoute>
            </Routes>
        </Router>
        <Toaster />
    }
}
