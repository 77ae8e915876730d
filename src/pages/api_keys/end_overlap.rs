//! Ends the time in which the secret before the last reset works.

use super::gone::when_gone;
use crate::api::{Queries, WorkspaceKey, api_key_overlap_end};
use crate::components::{Confirm, Submission};
use crate::state::Toasts;
use crate::ui::moment;
use keygate_contract::{ApiKey, PreviousSecret};
use leptos::prelude::*;

/// The dialog.
#[component]
pub(super) fn EndOverlapDialog(
    workspace: WorkspaceKey,
    key: ApiKey,
    previous: PreviousSecret,
    on_gone: Callback<String>,
    on_close: Callback<()>,
) -> impl IntoView {
    let (queries, toasts, submission) = (Queries::expect(), Toasts::expect(), Submission::new());
    let ApiKey { id, description, .. } = key;
    let gone = description.clone();
    when_gone(submission, move || on_gone.run(gone.clone()));
    let consequence = view! {
        <p>
            "The old secret of " <b><bdi>{description.clone()}</bdi></b> ", "
            <span class="mono">{previous.masked}</span> ", would work until "
            {moment(previous.expires_at.as_str())}
            ". Once its overlap is ended, the next call with it is refused with 401. The new secret goes on working."
        </p>
    };
    let confirm = Callback::new(move |()| {
        let call = api_key_overlap_end(queries, workspace.clone(), id.clone());
        let notice = format!("The old secret of “{description}” works no more");
        submission.send(call, move |()| {
            toasts.show(notice);
            on_close.run(());
        });
    });
    view! {
        <Confirm
            verb="End overlap"
            busy_verb="Ending…"
            consequence=consequence.into_any()
            submission
            on_confirm=confirm
            on_close
        />
    }
}
