//! What is open over the page.

use super::create::CreateDialog;
use super::delete::DeleteDialog;
use super::disable::DisableDialog;
use super::edit::EditDialog;
use super::end_overlap::EndOverlapDialog;
use super::gone::GoneDialog;
use super::reset::ResetDialog;
use super::temporary::TemporaryDialog;
use crate::api::{CreatedKey, WorkspaceKey};
use crate::components::SecretDialog;
use keygate_contract::{ApiKey, PreviousSecret};
use leptos::prelude::*;

/// What is open over the page.
#[derive(Clone)]
pub(super) enum Open {
    Nothing,
    Create,
    Created(CreatedKey),
    Edit(ApiKey),
    Temporary(ApiKey),
    Disable(ApiKey),
    Reset(ApiKey),
    /// The key was reset.
    Renewed(CreatedKey),
    EndOverlap(ApiKey, PreviousSecret),
    Delete(ApiKey),
    /// A key of this description was deleted elsewhere.
    Gone(String),
}

/// The dialog that is open, if one is.
#[component]
pub(super) fn OpenDialog(open: RwSignal<Open>, workspace: Memo<Option<WorkspaceKey>>) -> impl IntoView {
    let on_close = Callback::new(move |()| open.set(Open::Nothing));
    let on_created = Callback::new(move |key| open.set(Open::Created(key)));
    let on_gone = Callback::new(move |description| open.set(Open::Gone(description)));
    let on_reset = Callback::new(move |key| open.set(Open::Renewed(key)));
    move || {
        let open = open.get();
        let Some(workspace) = workspace.get_untracked() else { return ().into_any() };
        match open {
            Open::Nothing => ().into_any(),
            Open::Create => view! { <CreateDialog workspace on_close on_created /> }.into_any(),
            Open::Created(created) => view! { <SecretDialog created on_close /> }.into_any(),
            Open::Renewed(created) => view! { <SecretDialog created is_reset=true on_close /> }.into_any(),
            Open::Edit(key) => view! { <EditDialog workspace key on_gone on_close /> }.into_any(),
            Open::Temporary(key) => view! { <TemporaryDialog workspace key on_gone on_close /> }.into_any(),
            Open::Disable(key) => view! { <DisableDialog workspace key on_gone on_close /> }.into_any(),
            Open::Reset(key) => view! { <ResetDialog workspace key on_gone on_close on_reset /> }.into_any(),
            Open::EndOverlap(key, previous) => {
                view! { <EndOverlapDialog workspace key previous on_gone on_close /> }.into_any()
            }
            Open::Gone(description) => view! { <GoneDialog description on_close /> }.into_any(),
            Open::Delete(key) => view! { <DeleteDialog workspace key on_gone on_close /> }.into_any(),
        }
    }
}
