//! Parts that know the console: its router, its API, its state.

mod account_menu;
mod away;
mod checked;
mod error;
mod head;
mod list;
mod not_found;
mod region_menu;
mod secret_dialog;
mod shell;
mod sidebar;
mod snippets;
mod submission;
mod switcher;
mod theme_menu;
mod toaster;
mod typed_confirm;
mod unsaved;

pub use account_menu::AccountMenu;
pub use away::AwayBanner;
pub use checked::Checked;
pub use error::{ErrorNote, ErrorView};
pub use head::PageHead;
pub use list::{ListCard, use_list_navigation};
pub use not_found::NotFound;
pub use region_menu::RegionMenu;
pub use secret_dialog::SecretDialog;
pub use shell::Shell;
pub use sidebar::Sidebar;
pub use submission::Submission;
pub use switcher::WorkspaceSwitcher;
pub use theme_menu::ThemeMenu;
pub use toaster::Toaster;
pub use typed_confirm::TypedConfirm;
pub use unsaved::{Unsaved, UnsavedQuestion};
