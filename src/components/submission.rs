//! Sending a form once.

use crate::api::{ApiError, IdempotencyKey, Result};
use crate::ui::dom::{focus_first_invalid, reveal_alert};
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::future::Future;

/// The state of a form's sending.
#[derive(Clone, Copy)]
pub struct Submission {
    busy: RwSignal<bool>,
    error: RwSignal<Option<ApiError>>,
    /// What was sent last without a decision, and under which key.
    attempt: StoredValue<Option<(String, IdempotencyKey)>>,
}

impl Submission {
    /// Nothing was sent yet.
    pub fn new() -> Self {
        Self { busy: RwSignal::new(false), error: RwSignal::new(None), attempt: StoredValue::new(None) }
    }

    /// Whether an answer is awaited.
    pub fn busy(self) -> Signal<bool> {
        self.busy.into()
    }

    /// Why the last attempt failed.
    pub fn error(self) -> Option<ApiError> {
        self.error.get()
    }

    /// Sends, unless an answer is awaited, and goes on with `done` if the form is still there.
    pub fn send<T: 'static>(
        self,
        call: impl Future<Output = Result<T>> + 'static,
        done: impl FnOnce(T) + 'static,
    ) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        self.error.set(None);
        spawn_local(async move {
            let answer = call.await;
            let gone = self.busy.try_set(false).is_some();
            match answer {
                _ if gone => {}
                Ok(value) => done(value),
                Err(error) => self.fail(error),
            }
        });
    }

    fn fail(self, error: ApiError) {
        if !error.is_undecided() {
            self.attempt.set_value(None);
        }
        self.error.set(Some(error));
        reveal_alert();
        if let Some(body) = document().body() {
            focus_first_invalid(body.into());
        }
    }

    /// The key for sending these words: the one of the last attempt while it is undecided whether that was carried out.
    pub fn key_for(self, words: &str) -> IdempotencyKey {
        let used = self.attempt.with_value(|attempt| attempt.clone().filter(|(sent, _)| sent == words));
        let (_, key) = used.unwrap_or_else(|| (words.to_owned(), IdempotencyKey::random()));
        self.attempt.set_value(Some((words.to_owned(), key.clone())));
        key
    }

    /// The next sending is another one, be its words the same: the last one was carried out.
    pub fn forget(self) {
        self.attempt.set_value(None);
    }

    /// The last error, if it is not about one of the fields, which show their own.
    pub fn error_beside(self, fields: &'static [&'static str]) -> Signal<Option<ApiError>> {
        self.error_unless(move |field| fields.contains(&field))
    }

    /// The last error, if it is not about a field that shows its own.
    pub fn error_unless(
        self,
        shows: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Signal<Option<ApiError>> {
        let is_shown = move |error: &ApiError| error.field.as_deref().is_some_and(&shows);
        Signal::derive(move || self.error.get().filter(|error| !is_shown(error)))
    }
}

impl Default for Submission {
    fn default() -> Self {
        Self::new()
    }
}
