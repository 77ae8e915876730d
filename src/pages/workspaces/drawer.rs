//! One workspace, open over the list: rename it, see what it holds, archive it.

use super::editor::Editor;
use crate::api::{Queries, WorkspaceKey};
use crate::components::{Checked, ErrorView, Submission, Unsaved, UnsavedQuestion};
use crate::routes::Place;
use crate::state::{Workspaces, use_list_view, use_navigation};
use crate::ui::{CopyText, Drawer};
use keygate_contract::Workspace;
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
