//! Short notices that something is done. An error never stands here alone.

use crate::ui::copy_then;
use leptos::prelude::*;

/// How many stand at a time; the oldest gives way.
const MOST: usize = 3;

/// One notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toast {
    /// Tells two notices of the same words apart.
    pub id: u32,
    /// The words.
    pub text: String,
}

/// The notices, as a context.
#[derive(Clone, Copy)]
pub struct Toasts {
    list: RwSignal<Vec<Toast>>,
    next: StoredValue<u32>,
}

impl Toasts {
    /// Provides the context.
    pub fn provide() -> Self {
        let this = Self { list: RwSignal::new(Vec::new()), next: StoredValue::new(0) };
        provide_context(this);
        this
    }

    /// The notices of this console.
    pub fn expect() -> Self {
        expect_context()
    }

    /// Shows a notice.
    pub fn show(self, text: impl Into<String>) {
        let id = self.next.get_value();
        self.next.set_value(id.wrapping_add(1));
        self.list.update(|list| {
            list.push(Toast { id, text: text.into() });
            let over = list.len().saturating_sub(MOST);
            list.drain(..over);
        });
    }

    /// Copies a text and tells what came of it.
    pub fn copy(self, text: String, what: &'static str) {
        copy_then(text, move |copied| {
            let outcome = if copied { "copied" } else { "not copied: your browser did not allow it" };
            self.show(format!("{what} {outcome}"));
        });
    }

    /// Takes a notice away.
    pub fn dismiss(self, id: u32) {
        self.list.update(|list| list.retain(|toast| toast.id != id));
    }

    /// What stands now.
    pub fn list(self) -> ReadSignal<Vec<Toast>> {
        self.list.read_only()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_notice_gives_way() {
        let owner = Owner::new();
        owner.set();
        let toasts = Toasts::provide();
        for text in ["a", "b", "c", "d"] {
            toasts.show(text);
        }
        let texts: Vec<_> = toasts.list().get_untracked().into_iter().map(|t| t.text).collect();
        assert_eq!(texts, ["b", "c", "d"]);
    }
}
