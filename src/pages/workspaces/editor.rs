//! The form of an open workspace.

use super::archive::ArchiveDialog;
use super::sections::{ArchiveSection, KeysField, ModelsSection};
use crate::api::{Queries, Result, WorkspaceKey, workspace_update, workspace_view};
use crate::components::{Checked, ErrorNote, Submission, Unsaved};
use crate::state::Toasts;
use crate::ui::{Form, Note, SubmitButton, TextField};
use keygate_contract::{ErrorCode, WORKSPACE_NAME_MAX, Workspace, WorkspaceName, WorkspaceUpdate};
use leptos::prelude::*;

/// What became of saving.
enum Saved {
    Done(Workspace),
    /// Someone else was faster; this is what they made of it.
    Conflict(Workspace),
}

async fn save(queries: Queries, key: WorkspaceKey, update: WorkspaceUpdate) -> Result<Saved> {
    match workspace_update(queries, key.clone(), update).await {
        Err(error) if error.code == ErrorCode::VersionConflict => {
            workspace_view(queries.client, &key).await.map(Saved::Conflict)
        }
        answer => answer.map(Saved::Done),
    }
}

/// The form. `base` is what the person started from, and what they type is compared with.
#[component]
pub(super) fn Editor(
    key: WorkspaceKey,
    base: RwSignal<Option<Workspace>>,
    name: Checked,
    submission: Submission,
    unsaved: Unsaved,
    dirty: Signal<bool>,
) -> impl IntoView {
    let (queries, toasts) = (Queries::expect(), Toasts::expect());
    let archiving = RwSignal::new(false);
    let conflict = RwSignal::new(None::<String>);
    let submit = {
        let key = key.clone();
        Callback::new(move |()| {
            let Some(new_name) = name.parse(WorkspaceName::parse) else { return };
            if !dirty.get_untracked() {
                unsaved.leave();
                return;
            }
            let version = base.with_untracked(|base| base.as_ref().map(|base| base.version));
            let update = WorkspaceUpdate { name: Some(new_name), grants: None, version };
            submission.send(save(queries, key.clone(), update), move |saved| match saved {
                Saved::Done(workspace) => {
                    toasts.show(format!("Workspace renamed to “{}”", workspace.name));
                    unsaved.leave();
                }
                Saved::Conflict(workspace) => {
                    conflict.set(Some(workspace.name.clone()));
                    base.set(Some(workspace));
                }
            });
        })
    };
    let revert = move |_| {
        if dirty.get_untracked() {
            name.text.set(base.get_untracked().map(|base| base.name).unwrap_or_default());
            conflict.set(None);
        } else {
            unsaved.leave();
        }
    };
    let sections = move || {
        base.get().map(|workspace| {
            let archive = Callback::new(move |()| archiving.set(true));
            view! {
                <ModelsSection count=workspace.model_count />
                <ArchiveSection is_default=workspace.is_default on_archive=archive />
            }
        })
    };
    view! {
        <Form class="contents" on_submit=submit>
            <div class="body">
                {move || conflict.get().map(|name| view! {
                    <Note role="alert">
                        "It was changed elsewhere in the meantime: its name is now " <b><bdi>{name}</bdi></b>
                        ". What you typed is kept; save again to replace that."
                    </Note>
                })}
                <ErrorNote error=submission.error_beside(&["name"]) />
                <section class="pair">
                    <TextField label="Workspace name" value=name.text error=name.error(submission, "name") max=WORKSPACE_NAME_MAX />
                    {move || base.get().map(|w| view! { <KeysField count=w.api_key_count limit=w.api_key_limit /> })}
                </section>
                {sections}
            </div>
            <footer>
                <span class="muted" role="status">{move || dirty.get().then_some("Unsaved changes")}</span>
                <div class="spring"></div>
                <button type="button" class="btn" on:click=revert>{move || if dirty.get() { "Discard" } else { "Close" }}</button>
                <SubmitButton label="Save changes" busy_label="Saving…" busy=submission.busy() />
            </footer>
        </Form>
        {move || archiving.get().then(|| base.get_untracked()).flatten().map(|workspace| view! {
            <ArchiveDialog
                region=key.region.clone()
                workspace
                on_close=Callback::new(move |()| archiving.set(false))
                on_done=Callback::new(move |()| unsaved.leave())
            />
        })}
    }
}
