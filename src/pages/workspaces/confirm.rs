//! Confirms a change that takes models away from applications that use them.

use super::draft::{Changes, Draft};
use super::drawer::Editing;
use super::editor::IN_USE_HOURS;
use crate::api::ApiError;
use crate::components::{ErrorNote, Submission, models_word};
use crate::ui::{Dialog, Form, SubmitButton, ago, hours_before_now, whole};
use leptos::prelude::*;

/// Names told; more are counted.
const NAMED: usize = 50;

/// The dialog: all that saving does, and what follows from it.
#[component]
pub(super) fn ConfirmRemoval(
    editing: Editing,
    changes: Memo<Changes>,
    submission: Submission,
    error: Signal<Option<ApiError>>,
    on_confirm: Callback<()>,
    on_close: Callback<()>,
) -> impl IntoView {
    let in_use = editing.draft.with_untracked(|d: &Draft| d.removed_since(&hours_before_now(IN_USE_HOURS)));
    let Changes { added, removed, limits } = changes.get_untracked();
    let close = Callback::new(move |()| {
        if !submission.busy().get_untracked() {
            on_close.run(());
        }
    });
    let unnamed = in_use.len().saturating_sub(NAMED);
    let idle = removed - in_use.len();
    let named = in_use.into_iter().take(NAMED).map(|(id, at)| {
        view! {
            <li>
                <span class="mono">{id.to_string()}</span>
                <time class="muted" datetime=at.to_string()>"last called " {ago(at.as_str())}</time>
            </li>
        }
    });
    let count = |n: usize| format!("{} {}", whole(n as u64), models_word(n as u64));
    let new_name =
        untrack(|| editing.is_renamed()).then(|| editing.name.text.get_untracked().trim().to_owned());
    let also: Vec<AnyView> = [
        (unnamed > 0).then(|| {
            view! { <li>"Removes " {count(unnamed)} " more that were called in the last day"</li> }.into_any()
        }),
        (idle > 0)
            .then(|| view! { <li>"Removes " {count(idle)} " not called in the last day"</li> }.into_any()),
        (added > 0).then(|| view! { <li>"Adds " {count(added)}</li> }.into_any()),
        (limits > 0).then(|| view! { <li>"Changes the limits of " {count(limits)}</li> }.into_any()),
        new_name
            .map(|name| view! { <li>"Renames the workspace to " <b><bdi>{name}</bdi></b></li> }.into_any()),
    ]
    .into_iter()
    .flatten()
    .collect();
    let also = (!also.is_empty()).then(
        || view! { <div><p class="muted">"Saving also does this:"</p><ul class="also">{also}</ul></div> },
    );
    view! {
        <Dialog title="Remove models and save" on_close=close>
            <Form on_submit=on_confirm>
                <div class="body">
                    <p>
                        "Applications called these models with keys of this workspace in the last day. Once it is saved, calls to them fail at once with 403."
                    </p>
                    <ul class="in-use" tabindex="0" aria-label="Models in use that are removed">{named.collect_view()}</ul>
                    {also}
                    <ErrorNote error />
                </div>
                <footer>
                    <button type="button" class="btn" autofocus=true on:click=move |_| close.run(())>"Cancel"</button>
                    <SubmitButton label="Remove models and save" busy_label="Saving…" busy=submission.busy() class="btn danger" />
                </footer>
            </Form>
        </Dialog>
    }
}
