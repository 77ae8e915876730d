//! Adds an API key.

use super::form::{Fields, Filled, KeyForm, ModelPicker};
use crate::api::{CreatedKey, Queries, WorkspaceKey, api_key_create};
use crate::components::{Submission, Unsaved, UnsavedQuestion};
use crate::state::{SignedIn, Workspaces};
use crate::ui::{Dialog, Form, Glyph, Note, SubmitButton};
use keygate_contract::{ApiKeyCreate, Permission};
use leptos::prelude::*;

/// The dialog.
#[component]
pub(super) fn CreateDialog(
    workspace: WorkspaceKey,
    on_close: Callback<()>,
    on_created: Callback<CreatedKey>,
) -> impl IntoView {
    let (queries, signed_in) = (Queries::expect(), SignedIn::expect());
    let (form, submission) = (KeyForm::new(), Submission::new());
    let dirty = Signal::derive(move || form.differs("", &Permission::default()));
    let unsaved = Unsaved::new(dirty, submission.busy(), on_close);
    let submit = {
        let workspace = workspace.clone();
        Callback::new(move |()| {
            let Some(Filled { description, permission, expires_at }) = form.parse() else { return };
            let body = ApiKeyCreate { description, permission, expires_at };
            let key = submission.key_for(&serde_json::to_string(&body).unwrap_or_default());
            let call = api_key_create(queries, workspace.clone(), body, key);
            submission.send(call, move |created| on_created.run(created));
        })
    };
    let picked = workspace.clone();
    let owner = Signal::derive(move || signed_in.session.value().map(|session| session.member.email));
    view! {
        <Dialog title="Add API key" class="dialog wide key-dialog" on_close=unsaved.on_close()>
            <Form on_submit=submit>
                <div class="body">
                    <NoModels />
                    <Fields form submission workspace=workspace.clone() owner />
                </div>
                <footer>
                    <button type="button" class="btn" on:click=move |_| unsaved.on_close().run(())>"Cancel"</button>
                    <SubmitButton label="Add API key" busy_label="Adding…" busy=submission.busy() />
                </footer>
            </Form>
            <ModelPicker form workspace=picked />
            <UnsavedQuestion unsaved />
        </Dialog>
    }
}

/// A workspace without models refuses every call: better said before the key exists.
#[component]
fn NoModels() -> impl IntoView {
    let workspaces = Workspaces::expect();
    move || {
        let workspace = workspaces.current.get().filter(|workspace| workspace.model_count == Some(0))?;
        Some(view! {
            <Note class="note info" glyph=Glyph::Key>
                <b><bdi>{workspace.name}</bdi></b>
                " may call no model yet, so calls with the key are refused until models are granted to it."
            </Note>
        })
    }
}
