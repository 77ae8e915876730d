//! Deletes an API key.

use super::gone::when_gone;
use crate::api::{Queries, WorkspaceKey, api_key_delete};
use crate::components::{Submission, TypedConfirm};
use crate::state::Toasts;
use crate::ui::dom::focus_heading;
use keygate_contract::ApiKey;
use leptos::prelude::*;

/// The dialog.
#[component]
pub(super) fn DeleteDialog(
    workspace: WorkspaceKey,
    key: ApiKey,
    on_gone: Callback<String>,
    on_close: Callback<()>,
) -> impl IntoView {
    let (queries, toasts, submission) = (Queries::expect(), Toasts::expect(), Submission::new());
    let ApiKey { id, masked, description, .. } = key;
    let gone = description.clone();
    when_gone(submission, move || on_gone.run(gone.clone()));
    let consequence = view! {
        <p>
            "The next call with " <span class="mono">{masked}</span>
            " is refused with 401. Applications that use it stop working until they have another key. This cannot be undone."
        </p>
    };
    let confirm = {
        let description = description.clone();
        Callback::new(move |()| {
            let call = api_key_delete(queries, workspace.clone(), id.clone());
            let notice = format!("API key “{description}” deleted");
            submission.send(call, move |()| {
                toasts.show(notice);
                on_close.run(());
                // What opened the dialog goes with the row.
                request_animation_frame(focus_heading);
            });
        })
    };
    view! {
        <TypedConfirm
            verb="Delete API key"
            busy_verb="Deleting…"
            what="description"
            expected=description
            consequence=consequence.into_any()
            submission
            on_confirm=confirm
            on_close
        />
    }
}
