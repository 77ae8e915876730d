//! Going to another place of the console.

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;

/// Goes to paths of the console. Copied into whatever needs to.
#[derive(Clone, Copy)]
pub struct Navigation(StoredValue<Navigate>);

type Navigate = Box<dyn Fn(&str, NavigateOptions) + Send + Sync>;

/// The way to go to another place. It must be asked for below the router.
pub fn use_navigation() -> Navigation {
    Navigation(StoredValue::new(Box::new(use_navigate())))
}

impl Navigation {
    /// Goes to a path, to its top.
    pub fn to(self, path: &str) {
        self.go(path, NavigateOptions::default());
    }

    /// Goes to a path and leaves no trace of where it came from in the history.
    pub fn replace(self, path: &str) {
        self.go(path, NavigateOptions { replace: true, ..NavigateOptions::default() });
    }

    /// Changes what is shown on the page, which stays scrolled as it is.
    pub fn within(self, path: &str) {
        self.go(path, NavigateOptions { scroll: false, ..NavigateOptions::default() });
    }

    /// The same without a trace in the history.
    pub fn replace_within(self, path: &str) {
        self.go(path, NavigateOptions { scroll: false, replace: true, ..NavigateOptions::default() });
    }

    fn go(self, path: &str, options: NavigateOptions) {
        // Paths are whole as they are, see `routes`.
        let options = NavigateOptions { resolve: false, ..options };
        // Gone with the view that asked: an answer that came too late leads nowhere.
        self.0.try_with_value(|navigate| navigate(path, options));
    }
}
