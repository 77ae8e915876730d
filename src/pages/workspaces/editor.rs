//! The form of an open workspace.

use super::archive::ArchiveDialog;
use super::confirm::ConfirmRemoval;
use super::draft::{Changes, Draft};
use super::drawer::Editing;
use super::permission::{GrantView, ModelPicker, Permission};
use super::save::{Saved, rebase, save, update};
use super::sections::{ArchiveSection, KeysField};
use crate::api::{Queries, WorkspaceKey};
use crate::components::{ErrorNote, Submission, Unsaved, models_word};
use crate::state::Toasts;
use crate::ui::dom::reveal_alert;
use crate::ui::{Form, Note, SubmitButton, TextField, hours_before_now, whole};
use keygate_contract::{ModelGrants, WORKSPACE_NAME_MAX, WorkspaceName, WorkspaceUpdate};
use leptos::prelude::*;

/// How long after its last call a model counts as in use, in hours.
pub(super) const IN_USE_HOURS: u32 = 24;

/// What is open over the form.
#[derive(Clone)]
enum Open {
    Nothing,
    Archive,
    Models,
    Confirm(WorkspaceUpdate),
}

/// The form.
#[component]
pub(super) fn Editor(
    key: WorkspaceKey,
    editing: Editing,
    changes: Memo<Changes>,
    submission: Submission,
    unsaved: Unsaved,
) -> impl IntoView {
    let (queries, toasts) = (Queries::expect(), Toasts::expect());
    let Editing { base, name, draft } = editing;
    let grants_view = GrantView::new();
    let open = RwSignal::new(Open::Nothing);
    let close = Callback::new(move |()| open.set(Open::Nothing));
    let conflict = RwSignal::new(None::<(String, usize)>);
    let too_many = RwSignal::new(None::<String>);
    // The grants as they were sent: refusals count in them.
    let sent = StoredValue::new(ModelGrants::default());

    let send = {
        let key = key.clone();
        Callback::new(move |update: WorkspaceUpdate| {
            sent.set_value(update.grants.clone().unwrap_or_default());
            submission.send(save(queries, key.clone(), update), move |saved| match saved {
                Saved::Done(workspace) => {
                    toasts.show(format!("Workspace “{}” saved", workspace.name));
                    unsaved.leave();
                }
                Saved::Conflict(workspace, grants) => {
                    close.run(());
                    let name = workspace.name.clone();
                    conflict.set(Some((name, rebase(editing, workspace, grants))));
                    reveal_alert();
                }
            });
        })
    };
    let submit = Callback::new(move |()| {
        // What is under way is told about in the grants that were sent with it.
        if submission.busy().get_untracked() {
            return;
        }
        let new_name = name.parse(WorkspaceName::parse);
        // Both are looked at, so that all that is wrong is told at once.
        let update = new_name.map(|name| update(editing, name));
        too_many.set(None);
        match update {
            None => {}
            Some(Err(problem)) => {
                too_many.set(Some(problem).filter(|text| !text.is_empty()));
                grants_view.show_refused(draft);
            }
            Some(Ok(WorkspaceUpdate { name: None, grants: None, .. })) => unsaved.leave(),
            Some(Ok(update)) => {
                let in_use = draft.with_untracked(|d| d.removed_since(&hours_before_now(IN_USE_HOURS)));
                if in_use.is_empty() { send.run(update) } else { open.set(Open::Confirm(update)) }
            }
        }
    });
    // What the server refuses is told at its field, on whichever page that is.
    let is_told = RwSignal::new(false);
    Effect::new(move |_| {
        let Some(error) = submission.error() else { return };
        let field = error.field.unwrap_or_default();
        let told = sent.with_value(|sent| draft.try_update(|d| d.refuse(sent, &field, error.message)));
        is_told.set(told == Some(true) || field == "name");
        if is_told.get_untracked() {
            close.run(());
            grants_view.show_refused(draft);
        }
    });
    let error = submission.error_beside(&["name"]);
    let error = Signal::derive(move || error.get().filter(|_| !is_told.get()));
    let total = Memo::new(move |_| changes.get().total() + usize::from(editing.is_renamed()));
    let revert = move |_| {
        if total.get_untracked() == 0 {
            unsaved.leave();
            return;
        }
        name.text.set(base.get_untracked().map(|base| base.name).unwrap_or_default());
        draft.update(Draft::discard);
        conflict.set(None);
    };
    let is_default = Memo::new(move |_| base.with(|b| b.as_ref().is_some_and(|b| b.is_default)));
    view! {
        <Form class="contents" on_submit=submit>
            <div class="body">
                {move || conflict.get().map(|(name, lost)| view! {
                    <Note role="alert">
                        "It was changed elsewhere in the meantime: its name is now " <b><bdi>{name}</bdi></b>
                        ", and the models below are as they are now. "
                        {lost_words(lost)}
                        {move || if total.get() > 0 {
                            "What else you changed is kept; save again to put it in place."
                        } else {
                            "Nothing that you changed is left to save."
                        }}
                    </Note>
                })}
                <ErrorNote error />
                <section class="pair">
                    <TextField label="Workspace name" value=name.text error=name.error(submission, "name") max=WORKSPACE_NAME_MAX />
                    {move || base.get().map(|w| view! { <KeysField count=w.api_key_count limit=w.api_key_limit /> })}
                </section>
                <Permission is_default view=grants_view draft too_many on_add=Callback::new(move |()| open.set(Open::Models)) />
                {move || view! { <ArchiveSection is_default=is_default.get() on_archive=Callback::new(move |()| open.set(Open::Archive)) /> }}
            </div>
            <footer>
                <span class="muted" role="status">{move || unsaved_words(total.get())}</span>
                <div class="spring"></div>
                <button type="button" class="btn" on:click=revert>{move || if total.get() > 0 { "Discard" } else { "Close" }}</button>
                <SubmitButton label="Save changes" busy_label="Saving…" busy=submission.busy() />
            </footer>
        </Form>
        {move || match (open.get(), base.get_untracked()) {
            (Open::Archive, Some(workspace)) => {
                let done = Callback::new(move |()| unsaved.leave());
                view! { <ArchiveDialog region=key.region.clone() workspace on_close=close on_done=done /> }.into_any()
            }
            (Open::Models, _) => view! { <ModelPicker region=key.region.clone() draft view=grants_view on_close=close /> }.into_any(),
            (Open::Confirm(update), _) => {
                let confirm = Callback::new(move |()| send.run(update.clone()));
                view! { <ConfirmRemoval editing changes submission error on_confirm=confirm on_close=close /> }.into_any()
            }
            (Open::Nothing, _) | (Open::Archive, None) => ().into_any(),
        }}
    }
}

fn unsaved_words(total: usize) -> Option<String> {
    match total {
        0 => None,
        1 => Some("1 unsaved change".to_owned()),
        n => Some(format!("{} unsaved changes", whole(n as u64))),
    }
}

/// What could not be kept.
fn lost_words(lost: usize) -> Option<String> {
    let count = format!("{} {}", whole(lost as u64), models_word(lost as u64));
    (lost > 0).then(|| format!("Limits that you changed are gone with {count}, removed there. "))
}

#[cfg(test)]
mod tests {
    use super::unsaved_words;

    #[test]
    fn changes_are_counted_in_words() {
        assert_eq!([0, 1].map(unsaved_words), [None, Some("1 unsaved change".into())]);
    }
}
