//! Light, dark, or as the system says.

use super::storage;
use leptos::prelude::*;

/// Which theme the person chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThemeChoice {
    /// As the system says.
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl ThemeChoice {
    /// In the order of the menu.
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// For the menu.
    pub fn label(self) -> &'static str {
        match self {
            Self::System => "As the system",
            Self::Light => "Light",
            Self::Dark => "Dark",
        }
    }

    /// The value of `data-theme`, and what the browser remembers; `boot.js` reads it before the first paint.
    fn name(self) -> Option<&'static str> {
        match self {
            Self::System => None,
            Self::Light => Some("light"),
            Self::Dark => Some("dark"),
        }
    }

    fn from_name(name: Option<&str>) -> Self {
        Self::ALL.into_iter().find(|choice| choice.name() == name).unwrap_or(Self::System)
    }
}

/// The theme, as a context.
#[derive(Clone, Copy)]
pub struct Theme(RwSignal<ThemeChoice>);

impl Theme {
    /// Provides the context with what this browser remembers.
    pub fn provide() {
        provide_context(Self(RwSignal::new(ThemeChoice::from_name(storage::read("theme").as_deref()))));
    }

    /// The theme of this console.
    pub fn expect() -> Self {
        expect_context()
    }

    /// What is chosen.
    pub fn get(self) -> ThemeChoice {
        self.0.get()
    }

    /// Changes the theme, here and for the next visits.
    pub fn choose(self, choice: ThemeChoice) {
        self.0.set(choice);
        storage::write("theme", choice.name());
        if let Some(root) = document().document_element() {
            // The attribute's name is valid, which is all that could fail.
            let _ = match choice.name() {
                Some(name) => root.set_attribute("data-theme", name),
                None => root.remove_attribute("data-theme"),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_survives_being_remembered_and_nonsense_means_the_system() {
        for choice in ThemeChoice::ALL {
            assert_eq!(ThemeChoice::from_name(choice.name()), choice);
        }
        assert_eq!(ThemeChoice::from_name(Some("sepia")), ThemeChoice::System);
    }
}
