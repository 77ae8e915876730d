//! Disables an API key.

use super::gone::when_gone;
use crate::api::{Queries, WorkspaceKey, api_key_disable};
use crate::components::{Confirm, Submission};
use crate::state::Toasts;
use keygate_contract::ApiKey;
use leptos::prelude::*;

/// The dialog.
#[component]
pub(super) fn DisableDialog(
    workspace: WorkspaceKey,
    key: ApiKey,
    on_gone: Callback<String>,
    on_close: Callback<()>,
) -> impl IntoView {
    let (queries, toasts, submission) = (Queries::expect(), Toasts::expect(), Submission::new());
    let ApiKey { id, description, .. } = key;
    let gone = description.clone();
    when_gone(submission, move || on_gone.run(gone.clone()));
    let consequence = view! {
        <p>
            "The next call with " <b><bdi>{description.clone()}</bdi></b>
            " is refused with 401, and so are calls with temporary keys made from it. It works again, with the same secret, once it is enabled."
        </p>
    };
    let confirm = Callback::new(move |()| {
        let call = api_key_disable(queries, workspace.clone(), id.clone());
        let notice = format!("API key “{description}” disabled");
        submission.send(call, move |_| {
            toasts.show(notice);
            on_close.run(());
        });
    });
    view! {
        <Confirm
            verb="Disable API key"
            busy_verb="Disabling…"
            consequence=consequence.into_any()
            submission
            on_confirm=confirm
            on_close
        />
    }
}
