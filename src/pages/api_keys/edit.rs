//! Changes what an API key is told.

use super::form::{Fields, KeyForm, ModelPicker};
use super::gone::when_gone;
use super::words;
use crate::api::{Queries, Result, WorkspaceKey, api_key_update, api_key_view};
use crate::components::{Submission, Unsaved, UnsavedQuestion};
use crate::state::Toasts;
use crate::ui::{Dialog, Form, Note, SubmitButton};
use keygate_contract::{ApiKey, ApiKeyId, ApiKeyUpdate, ErrorCode};
use leptos::prelude::*;

/// What became of saving.
enum Saved {
    Done,
    /// Someone else was faster; this is what they made of it.
    Conflict(Box<ApiKey>),
}

async fn save(
    queries: Queries,
    workspace: WorkspaceKey,
    id: ApiKeyId,
    update: ApiKeyUpdate,
) -> Result<Saved> {
    match api_key_update(queries, workspace.clone(), id.clone(), update).await {
        Err(error) if error.code == ErrorCode::VersionConflict => {
            api_key_view(queries.client, &workspace, &id).await.map(|key| Saved::Conflict(Box::new(key)))
        }
        answer => answer.map(|_| Saved::Done),
    }
}

/// The dialog.
#[component]
pub(super) fn EditDialog(
    workspace: WorkspaceKey,
    key: ApiKey,
    on_gone: Callback<String>,
    on_close: Callback<()>,
) -> impl IntoView {
    let (queries, toasts) = (Queries::expect(), Toasts::expect());
    let (form, submission) = (KeyForm::of(&key), Submission::new());
    let ApiKey { id, masked, last_refused, .. } = key.clone();
    let owner = Signal::stored(Some(key.created_by.email.clone()));
    let base = RwSignal::new(key);
    let conflict = RwSignal::new(None::<Vec<String>>);
    let dirty = Signal::derive(move || base.with(|base| form.differs(&base.description, &base.permission)));
    let unsaved = Unsaved::new(dirty, submission.busy(), on_close);
    when_gone(submission, move || {
        unsaved.leave();
        on_gone.run(base.with_untracked(|base| base.description.clone()));
    });
    let submit = {
        let workspace = workspace.clone();
        Callback::new(move |()| {
            let Some(filled) = form.parse() else { return };
            if !untrack(|| dirty.get()) {
                unsaved.leave();
                return;
            }
            let update = base.with_untracked(|base| form.update(filled, base));
            let call = save(queries, workspace.clone(), id.clone(), update);
            submission.send(call, move |saved| match saved {
                Saved::Done => {
                    toasts.show("API key saved");
                    unsaved.leave();
                }
                Saved::Conflict(current) => {
                    let before = base.get_untracked();
                    form.follow(&before, &current);
                    conflict.set(Some(words::changes(&before, &current)));
                    base.set(*current);
                }
            });
        })
    };
    let picked = workspace.clone();
    let changed = move || {
        conflict.get().map(|changes| {
            let changes = changes.into_iter().map(|words| view! { <li><bdi>{words}</bdi></li> }).collect_view();
            view! {
                <Note role="alert">
                    "It was changed elsewhere in the meantime. What you changed is kept; save again to replace what is there now."
                    <ul class="also">{changes}</ul>
                </Note>
            }
        })
    };
    view! {
        <Dialog
            title="Edit API key"
            subtitle=view! { <span class="mono">{masked}</span> }.into_any()
            class="dialog wide key-dialog"
            on_close=unsaved.on_close()
        >
            <Form on_submit=submit>
                <div class="body">
                    {changed}
                    <Fields form submission workspace=workspace.clone() owner last_refused />
                </div>
                <footer>
                    <button type="button" class="btn" on:click=move |_| unsaved.on_close().run(())>"Cancel"</button>
                    <SubmitButton label="Save changes" busy_label="Saving…" busy=submission.busy() />
                </footer>
            </Form>
            <ModelPicker form workspace=picked />
            <UnsavedQuestion unsaved />
        </Dialog>
    }
}
