//! One workspace, open over the list: rename it, see what it holds, archive it.

use super::archive::ArchiveDialog;
use super::sections::{ArchiveSection, KeysField, ModelsSection};
use crate::api::{Queries, Result, WorkspaceKey, workspace_update, workspace_view};
use crate::components::{Checked, ErrorNote, ErrorView, Submission, Unsaved, UnsavedQuestion};
use crate::routes::Place;
use crate::state::{Toasts, Workspaces, use_list_view, use_navigation};
use crate::ui::{CopyText, Drawer, Form, Note, SubmitButton, TextField};
use keygate_contract::{ErrorCode, WORKSPACE_NAME_MAX, Workspace, WorkspaceName, WorkspaceUpdate};
use leptos::prelude::*;

/// The drawer. It reads the workspace anew when it opens: the list may be old.
#[component]
pub(super) fn WorkspaceDrawer(key: WorkspaceKey) -> impl IntoView {
    let (queries, workspaces) = (Queries::expect(), Workspaces::expect());
    let query = queries.workspace(Signal::stored(Some(key.clone())));
    let retry = Callback::new(move |()| query.retry());
    let (view, navigation) = (use_list_view(), use_navigation());
    let close = {
        let list = Place::workspaces(key.region.clone());
        Callback::new(move |()| navigation.within(&view.get_untracked().at(&list)))
    };

    // What the person started from: a later answer must not change the text under their hands.
    let base = RwSignal::new(None::<Workspace>);
    let (name, submission) = (Checked::new(""), Submission::new());
    Effect::new(move |_| {
        if let (None, Some(workspace)) = (base.get(), query.value()) {
            name.text.set(workspace.name.clone());
            base.set(Some(workspace));
        }
    });
    let dirty = Signal::derive(move || {
        base.with(|base| base.as_ref().is_some_and(|base| name.text.with(|text| text.trim() != base.name)))
    });
    let unsaved = Unsaved::new(dirty, submission.busy(), close);

    let title = {
        let id = key.id.clone();
        Signal::derive(move || {
            let listed = || workspaces.list.value()?.items.into_iter().find(|w| w.id == id).map(|w| w.name);
            base.get().map(|base| base.name).or_else(listed).unwrap_or_else(|| "Workspace".to_owned())
        })
    };
    let subtitle = {
        let id = key.id.to_string();
        move || view! { <CopyText text=id.clone() what="workspace ID" /> }
    };
    // Once it is loaded, no later answer may replace the form.
    let is_loaded = Memo::new(move |_| base.with(Option::is_some));
    let error = Memo::new(move |_| if is_loaded.get() { None } else { query.error() });
    let content = move || {
        match (is_loaded.get(), error.get()) {
        (true, _) => view! { <Editor key=key.clone() base name submission unsaved dirty /> }.into_any(),
        (false, Some(error)) => view! {
            <div class="body"><ErrorView error what="the workspace" on_retry=retry /></div>
            <footer><button type="button" class="btn" on:click=move |_| close.run(())>"Close"</button></footer>
        }
        .into_any(),
        (false, None) => view! {
            <div class="body skeleton"><i class="bone long"></i><i class="bone long"></i></div>
            <footer></footer>
        }
        .into_any(),
    }
    };
    view! {
        <Drawer title subtitle=subtitle.into() on_close=unsaved.on_close()>
            {content}
            <UnsavedQuestion unsaved />
        </Drawer>
    }
}

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

#[component]
fn Editor(
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
            let update = WorkspaceUpdate { name: Some(new_name), version };
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
    let workspace = Memo::new(move |_| base.get());
    let shown = move || {
        workspace.get().map(|workspace| {
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
                    {move || workspace.get().map(|w| view! { <KeysField count=w.api_key_count limit=w.api_key_limit /> })}
                </section>
                {shown}
            </div>
            <footer>
                <span class="muted" role="status">{move || dirty.get().then_some("Unsaved changes")}</span>
                <div class="spring"></div>
                <button type="button" class="btn" on:click=revert>{move || if dirty.get() { "Discard" } else { "Close" }}</button>
                <SubmitButton label="Save changes" busy_label="Saving…" busy=submission.busy() />
            </footer>
        </Form>
        {move || archiving.get().then(|| workspace.get_untracked()).flatten().map(|workspace| view! {
            <ArchiveDialog
                region=key.region.clone()
                workspace
                on_close=Callback::new(move |()| archiving.set(false))
                on_done=Callback::new(move |()| unsaved.leave())
            />
        })}
    }
}
