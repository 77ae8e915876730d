//! What the console knows beyond the server's answers: one small context a concern.

mod navigation;
mod place;
mod region;
mod session;
mod storage;
mod theme;
mod toasts;
mod workspace;

pub use navigation::{Navigation, use_navigation};
pub use place::{use_list_view, use_place, use_requests_place, use_workspace_place, use_workspaces_place};
pub use region::Regions;
pub use session::SignedIn;
pub use theme::{Theme, ThemeChoice};
pub use toasts::{Toast, Toasts};
pub use workspace::{Workspaces, workspace_on_entering};
