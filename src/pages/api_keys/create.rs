//! Adds an API key.

use crate::api::{CreatedKey, Queries, WorkspaceKey, api_key_create};
use crate::components::{Checked, ErrorNote, Submission, Unsaved, UnsavedQuestion};
use crate::state::Workspaces;
use crate::ui::{Dialog, Form, Glyph, Note, SubmitButton, TextField};
use keygate_contract::{ApiKeyCreate, DESCRIPTION_MAX, Description, Permission};
use leptos::prelude::*;

/// The dialog.
#[component]
pub(super) fn CreateDialog(
    workspace: WorkspaceKey,
    on_close: Callback<()>,
    on_created: Callback<CreatedKey>,
) -> impl IntoView {
    let queries = Queries::expect();
    let (description, submission) = (Checked::new(""), Submission::new());
    let dirty = Signal::derive(move || description.text.with(|text| !text.trim().is_empty()));
    let unsaved = Unsaved::new(dirty, submission.busy(), on_close);
    let submit = Callback::new(move |()| {
        let Some(description) = description.parse(Description::parse) else { return };
        let key = submission.key_for(description.as_str());
        let body = ApiKeyCreate { description, permission: Permission::default(), expires_at: None };
        let call = api_key_create(queries, workspace.clone(), body, key);
        submission.send(call, move |created| on_created.run(created));
    });
    view! {
        <Dialog title="Add API key" on_close=unsaved.on_close()>
            <Form on_submit=submit>
                <div class="body">
                    <TextField
                        label="Description"
                        value=description.text
                        error=description.error(submission, "description")
                        max=DESCRIPTION_MAX
                        hint="Which application uses the key, and where."
                        autofocus=true
                    />
                    <Inherits />
                    <ErrorNote error=submission.error_beside(&["description"]) />
                </div>
                <footer>
                    <button type="button" class="btn" on:click=move |_| unsaved.on_close().run(())>"Cancel"</button>
                    <SubmitButton label="Add API key" busy_label="Adding…" busy=submission.busy() />
                </footer>
            </Form>
            <UnsavedQuestion unsaved />
        </Dialog>
    }
}

/// What the key may do, before it exists.
#[component]
fn Inherits() -> impl IntoView {
    let workspaces = Workspaces::expect();
    let may = move || match workspaces.current.get()?.model_count {
        None => Some("It may call every model of the region, within the workspace's rate limits."),
        Some(0) => Some(
            "The workspace may call no model yet, so calls with the key are refused until models are granted to it.",
        ),
        Some(_) => Some("It may call the workspace's models, within the workspace's rate limits."),
    };
    view! {
        <Note class="note info" glyph=Glyph::Key>
            "The key inherits what "
            <b><bdi>{move || workspaces.current.get().map(|workspace| workspace.name)}</bdi></b>
            " may do. "
            {may}
        </Note>
    }
}
