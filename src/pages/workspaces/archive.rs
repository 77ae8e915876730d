//! Archives a workspace.

use crate::api::{Queries, WorkspaceKey, workspace_archive};
use crate::components::{Submission, TypedConfirm};
use crate::state::Toasts;
use crate::ui::dom::focus_heading;
use keygate_contract::{RegionId, Workspace, WorkspaceArchive};
use leptos::prelude::*;

/// The dialog.
#[component]
pub(super) fn ArchiveDialog(
    region: RegionId,
    workspace: Workspace,
    on_close: Callback<()>,
    on_done: Callback<()>,
) -> impl IntoView {
    let (queries, toasts, submission) = (Queries::expect(), Toasts::expect(), Submission::new());
    let Workspace { id, name, api_key_count, .. } = workspace;
    let key = WorkspaceKey { region, id };
    let consequence = view! {
        <p>
            {keys_die(api_key_count)}
            " Its usage and audit history stay, and it cannot be brought back."
        </p>
    };
    let confirm = {
        let name = name.clone();
        Callback::new(move |()| {
            let call = workspace_archive(queries, key.clone(), WorkspaceArchive { name: name.clone() });
            let notice = format!("Workspace “{name}” archived");
            submission.send(call, move |()| {
                toasts.show(notice);
                on_done.run(());
                // What opened the dialog goes with the row.
                request_animation_frame(focus_heading);
            });
        })
    };
    view! {
        <TypedConfirm
            verb="Archive workspace"
            busy_verb="Archiving…"
            what="name"
            expected=name
            consequence=consequence.into_any()
            submission
            on_confirm=confirm
            on_close
        />
    }
}

fn keys_die(count: u32) -> String {
    match count {
        0 => "The workspace has no API keys; no application is affected.".to_owned(),
        1 => "Its API key dies at once: the next call with it is refused.".to_owned(),
        _ => format!("Its {count} API keys die at once: the next call with any of them is refused."),
    }
}
