//! A field whose text keeps a rule of the contract.

use super::submission::Submission;
use leptos::prelude::*;
use std::fmt::Display;

/// What is typed into a field, and what is wrong with what was last sent.
#[derive(Clone, Copy)]
pub struct Checked {
    /// What is typed.
    pub text: RwSignal<String>,
    sent: RwSignal<Option<String>>,
    refused: RwSignal<Option<String>>,
}

impl Checked {
    /// A field that starts with a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: RwSignal::new(text.into()), sent: RwSignal::new(None), refused: RwSignal::new(None) }
    }

    /// The text by its rule; else the field shows why not.
    pub fn parse<T, E: Display>(self, rule: impl Fn(&str) -> Result<T, E>) -> Option<T> {
        let text = self.text.get_untracked();
        let parsed = rule(&text);
        self.refused.set(parsed.as_ref().err().map(ToString::to_string));
        self.sent.set(Some(text));
        parsed.ok()
    }

    /// What is wrong with the field: by its rule, or by the server's answer about `field`. It stands until the text
    /// is changed.
    pub fn error(self, submission: Submission, field: &'static str) -> Signal<Option<String>> {
        let unchanged = move || self.sent.with(|sent| self.text.with(|text| sent.as_deref() == Some(text)));
        let told =
            move || submission.error().filter(|e| e.field.as_deref() == Some(field)).map(|e| e.message);
        Signal::derive(move || unchanged().then(|| self.refused.get().or_else(told)).flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keygate_contract::WorkspaceName;

    #[test]
    fn an_error_stands_until_the_text_is_changed() {
        let owner = Owner::new();
        owner.set();
        let (field, submission) = (Checked::new(" "), Submission::new());
        let error = field.error(submission, "name");
        assert_eq!(error.get_untracked(), None, "nothing is wrong before it is sent");
        assert!(field.parse(WorkspaceName::parse).is_none());
        assert_eq!(error.get_untracked().as_deref(), Some("Enter at least one visible character."));
        field.text.set("Team".into());
        assert_eq!(error.get_untracked(), None);
        assert_eq!(field.parse(WorkspaceName::parse).unwrap().as_str(), "Team");
    }
}
