//! Creates a workspace.

use crate::api::{Queries, workspace_create};
use crate::components::{Checked, ErrorNote, Submission, Unsaved, UnsavedQuestion};
use crate::state::{Toasts, Workspaces};
use crate::ui::{Dialog, Form, SubmitButton, TextField};
use keygate_contract::{RegionId, WORKSPACE_NAME_MAX, WorkspaceCreate, WorkspaceName};
use leptos::prelude::*;

/// The dialog.
#[component]
pub(super) fn CreateDialog(region: Memo<Option<RegionId>>, on_close: Callback<()>) -> impl IntoView {
    let (queries, toasts, workspaces) = (Queries::expect(), Toasts::expect(), Workspaces::expect());
    let (name, submission) = (Checked::new(""), Submission::new());
    let dirty = Signal::derive(move || name.text.with(|text| !text.trim().is_empty()));
    let unsaved = Unsaved::new(dirty, submission.busy(), on_close);
    let submit = Callback::new(move |()| {
        let (Some(region), Some(name)) = (region.get_untracked(), name.parse(WorkspaceName::parse)) else {
            return;
        };
        let key = submission.key_for(name.as_str());
        let call = workspace_create(queries, region.clone(), WorkspaceCreate { name }, key);
        submission.send(call, move |workspace| {
            workspaces.choose(&region, &workspace.id);
            toasts.show(format!("Workspace “{}” created", workspace.name));
            unsaved.leave();
        });
    });
    view! {
        <Dialog title="Create workspace" on_close=unsaved.on_close()>
            <Form on_submit=submit>
                <div class="body">
                    <TextField
                        label="Workspace name"
                        value=name.text
                        error=name.error(submission, "name")
                        max=WORKSPACE_NAME_MAX
                        hint="Unique in the region."
                        autofocus=true
                    />
                    <p class="muted">"It starts with no API keys and no models: calls with its keys are refused until models are granted to it."</p>
                    <ErrorNote error=submission.error_beside(&["name"]) />
                </div>
                <footer>
                    <button type="button" class="btn" on:click=move |_| unsaved.on_close().run(())>"Cancel"</button>
                    <SubmitButton label="Create workspace" busy_label="Creating…" busy=submission.busy() />
                </footer>
            </Form>
            <UnsavedQuestion unsaved />
        </Dialog>
    }
}
