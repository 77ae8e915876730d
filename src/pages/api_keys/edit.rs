//! Describes an API key anew.

use crate::api::{Queries, Result, WorkspaceKey, api_key_update, api_key_view};
use crate::components::{Checked, ErrorNote, Submission, Unsaved, UnsavedQuestion};
use crate::state::Toasts;
use crate::ui::{Dialog, Form, Note, SubmitButton, TextField};
use keygate_contract::{ApiKey, ApiKeyId, ApiKeyUpdate, DESCRIPTION_MAX, Description, ErrorCode};
use leptos::prelude::*;

/// What became of saving.
enum Saved {
    Done,
    /// Someone else was faster; this is what they made of it.
    Conflict(ApiKey),
}

async fn save(
    queries: Queries,
    workspace: WorkspaceKey,
    id: ApiKeyId,
    update: ApiKeyUpdate,
) -> Result<Saved> {
    match api_key_update(queries, workspace.clone(), id.clone(), update).await {
        Err(error) if error.code == ErrorCode::VersionConflict => {
            api_key_view(queries.client, &workspace, &id).await.map(Saved::Conflict)
        }
        answer => answer.map(|_| Saved::Done),
    }
}

/// The dialog.
#[component]
pub(super) fn EditDialog(workspace: WorkspaceKey, key: ApiKey, on_close: Callback<()>) -> impl IntoView {
    let (queries, toasts) = (Queries::expect(), Toasts::expect());
    let (description, submission) = (Checked::new(&*key.description), Submission::new());
    let masked = key.masked.clone();
    let id = key.id.clone();
    let base = RwSignal::new(key);
    let conflict = RwSignal::new(false);
    let dirty = Signal::derive(move || {
        base.with(|base| description.text.with(|text| text.trim() != base.description))
    });
    let unsaved = Unsaved::new(dirty, submission.busy(), on_close);
    let submit = Callback::new(move |()| {
        let Some(parsed) = description.parse(Description::parse) else { return };
        if !dirty.get_untracked() {
            unsaved.leave();
            return;
        }
        let update = ApiKeyUpdate {
            description: Some(parsed),
            version: Some(base.with_untracked(|base| base.version)),
            ..ApiKeyUpdate::default()
        };
        submission.send(save(queries, workspace.clone(), id.clone(), update), move |saved| match saved {
            Saved::Done => {
                toasts.show("Description saved");
                unsaved.leave();
            }
            Saved::Conflict(current) => {
                base.set(current);
                conflict.set(true);
            }
        });
    });
    view! {
        <Dialog title="Edit description" subtitle=view! { <span class="mono">{masked}</span> }.into_any() on_close=unsaved.on_close()>
            <Form on_submit=submit>
                <div class="body">
                    {move || conflict.get().then(|| view! {
                        <Note role="alert">
                            "It was changed elsewhere in the meantime: the description is now "
                            <b><bdi>{move || base.get().description}</bdi></b>
                            ". What you typed is kept; save again to replace that."
                        </Note>
                    })}
                    <TextField
                        label="Description"
                        value=description.text
                        error=description.error(submission, "description")
                        max=DESCRIPTION_MAX
                        autofocus=true
                    />
                    <ErrorNote error=submission.error_beside(&["description"]) />
                </div>
                <footer>
                    <button type="button" class="btn" on:click=move |_| unsaved.on_close().run(())>"Cancel"</button>
                    <SubmitButton label="Save description" busy_label="Saving…" busy=submission.busy() />
                </footer>
            </Form>
            <UnsavedQuestion unsaved />
        </Dialog>
    }
}
