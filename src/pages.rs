//! The pages: a file each, and a folder beside it for the parts that no other page has.

mod analytics;
mod api_keys;
mod endpoints;
mod home;
mod misconfigured;
mod models;
mod monitoring;
mod not_found;
mod requests;
mod sign_in;
mod workspaces;

pub use analytics::AnalyticsPage;
pub use api_keys::ApiKeysPage;
pub use endpoints::EndpointsPage;
pub use home::HomePage;
pub use misconfigured::MisconfiguredPage;
pub use models::ModelsPage;
pub use monitoring::MonitoringPage;
pub use not_found::NotFoundPage;
pub use requests::RequestsPage;
pub use sign_in::SignInPage;
pub use workspaces::WorkspacesPage;
