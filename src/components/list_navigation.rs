//! The way through a list, by the address.

use crate::routes::{ListView, Place};
use crate::state::{Navigation, use_list_view, use_navigation, use_place};
use leptos::prelude::*;

/// Moves through a list by the address.
#[derive(Clone, Copy)]
pub struct ListNavigation {
    place: Memo<Option<Place>>,
    view: Memo<ListView>,
    navigation: Navigation,
    /// The tokens of the pages before this one, as far as this visit came through them.
    trail: StoredValue<Vec<String>>,
}

/// The way through the list of this page.
pub fn use_list_navigation() -> ListNavigation {
    ListNavigation {
        place: use_place(),
        view: use_list_view(),
        navigation: use_navigation(),
        trail: StoredValue::new(Vec::new()),
    }
}

impl ListNavigation {
    /// Searches, from the first page. It replaces the entry in the history: no one goes back letter by letter.
    pub fn search(self, q: String) {
        self.narrow(|view| view.q = q);
    }

    /// Searches or filters, from the first page.
    pub fn narrow(self, how: impl FnOnce(&mut ListView)) {
        self.trail.set_value(Vec::new());
        let mut view = ListView { page: String::new(), ..self.view.get_untracked() };
        how(&mut view);
        self.navigation.replace_within(&self.address(&view));
    }

    /// Shows the list without a search and without filters.
    pub fn show_all(self) {
        self.narrow(|view| *view = ListView::default());
    }

    /// Starts over: the token in the address is not one of this list.
    pub(super) fn first_page(self) {
        self.navigation
            .replace_within(&self.address(&ListView { page: String::new(), ..self.view.get_untracked() }));
    }

    /// Goes on a page.
    pub(super) fn next_page(self, token: Option<String>) {
        let Some(page) = token else { return };
        let view = self.view.get_untracked();
        self.trail.update_value(|trail| trail.push(view.page.clone()));
        self.navigation.within(&self.address(&ListView { page, ..view }));
    }

    /// Goes back a page: to the one this visit came from, or else to the first.
    pub(super) fn previous_page(self) {
        let page = self.trail.try_update_value(Vec::pop).flatten().unwrap_or_default();
        self.navigation.within(&self.address(&ListView { page, ..self.view.get_untracked() }));
    }

    fn address(self, view: &ListView) -> String {
        self.place.with_untracked(|place| view.at(place.as_ref().unwrap_or(&Place::Home)))
    }
}
