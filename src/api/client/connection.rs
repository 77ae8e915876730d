//! What is known of the way to a backend.

use super::REGIONS;
use super::exchange::Answer;
use crate::api::error::{ApiError, Result};
use keygate_contract::ErrorCode;
use leptos::prelude::{GetUntracked, RwSignal, Set};

/// What the answers so far told about the connection to a backend.
#[derive(Clone, Copy, Debug)]
pub struct Connection {
    /// The server, or the way to it, is down.
    pub away: RwSignal<bool>,
    /// The server said that nobody is signed in.
    pub signed_out: RwSignal<bool>,
}

impl Connection {
    /// Takes note of the answer to a request.
    pub(super) fn note(self, path: &str, answer: &Result<Answer>) {
        let set = |signal: RwSignal<bool>, value: bool| {
            if signal.get_untracked() != value {
                signal.set(value);
            }
        };
        let error = answer.as_ref().err();
        set(self.away, error.is_some_and(ApiError::is_away));
        if error.is_some_and(|error| error.code == ErrorCode::NotSignedIn) {
            set(self.signed_out, true);
        } else if error.is_none() && path == REGIONS {
            // Perhaps by another window.
            set(self.signed_out, false);
        }
    }
}
