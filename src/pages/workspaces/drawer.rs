//! One workspace, open over the list: rename it, say what its keys may call, archive it.

use super::draft::Draft;
use super::editor::Editor;
use crate::api::{Queries, WorkspaceKey};
use crate::components::{Checked, ErrorView, Submission, Unsaved, UnsavedQuestion};
use crate::routes::Place;
use crate::state::{Workspaces, use_list_view, use_navigation};
use crate::ui::{CopyText, Drawer};
use keygate_contract::Workspace;
use leptos::prelude::*;

/// What is edited: what the person started from, and what they made of it. A later answer must not change the text
/// under their hands.
#[derive(Clone, Copy)]
pub(super) struct Editing {
    /// None until it is read. Its version is that of the older of the two answers it is from.
    pub(super) base: RwSignal<Option<Workspace>>,
    pub(super) name: Checked,
    /// Stays empty for the default workspace, which may call everything.
    pub(super) draft: RwSignal<Draft>,
}

impl Editing {
    fn new() -> Self {
        Self { base: RwSignal::new(None), name: Checked::new(""), draft: RwSignal::new(Draft::default()) }
    }

    /// Whether the name is another.
    pub(super) fn is_renamed(self) -> bool {
        self.base.with(|base| {
            base.as_ref().is_some_and(|base| self.name.text.with(|text| text.trim() != base.name))
        })
    }
}

/// The drawer. It reads the workspace anew when it opens: the list may be old.
#[component]
pub(super) fn WorkspaceDrawer(key: WorkspaceKey) -> impl IntoView {
    let (queries, workspaces) = (Queries::expect(), Workspaces::expect());
    let editing = Editing::new();
    let Editing { base, name, draft } = editing;
    let listed = {
        let id = key.id.clone();
        Memo::new(move |_| workspaces.list.value()?.items.into_iter().find(|w| w.id == id))
    };
    // Once it is loaded, no later answer may replace the form, and none is asked for.
    let is_loaded = Memo::new(move |_| base.with(Option::is_some));
    let wanted = {
        let key = key.clone();
        move || (!is_loaded.get()).then(|| key.clone())
    };
    let query = queries.workspace(Signal::derive(wanted.clone()));
    let is_default = move || query.value().or_else(|| listed.get()).map(|workspace| workspace.is_default);
    let is_other = Memo::new(move |_| is_default() == Some(false));
    let grants = queries.grants(Signal::derive(move || wanted().filter(|_| is_other.get())));
    Effect::new(move |_| {
        let fresh = query.state().with(|s| s.value.clone().filter(|_| !s.fetching));
        let Some(workspace) = fresh.filter(|_| base.with_untracked(Option::is_none)) else { return };
        let version = if workspace.is_default {
            workspace.version
        } else {
            let fresh = grants.state().with(|s| s.value.clone().filter(|_| !s.fetching));
            let Some(list) = fresh else { return };
            let version = list.version.min(workspace.version);
            draft.set(Draft::new(list));
            version
        };
        name.text.set(workspace.name.clone());
        base.set(Some(Workspace { version, ..workspace }));
    });
    let (view, navigation) = (use_list_view(), use_navigation());
    let close = {
        let list = Place::workspaces(key.region.clone());
        Callback::new(move |()| navigation.within(&view.get_untracked().at(&list)))
    };
    let submission = Submission::new();
    let changes = Memo::new(move |_| draft.with(Draft::changes));
    let dirty = Signal::derive(move || editing.is_renamed() || changes.get().total() > 0);
    let unsaved = Unsaved::new(dirty, submission.busy(), close);

    let title = Signal::derive(move || {
        let named = base.with(|base| base.as_ref().map(|base| base.name.clone()));
        named.or_else(|| listed.get().map(|w| w.name)).unwrap_or_else(|| "Workspace".to_owned())
    });
    let subtitle = {
        let id = key.id.to_string();
        move || view! { <CopyText text=id.clone() what="workspace ID" /> }
    };
    let retry = Callback::new(move |()| {
        query.retry();
        grants.retry();
    });
    let error =
        Memo::new(move |_| if is_loaded.get() { None } else { query.error().or_else(|| grants.error()) });
    let content = move || {
        match (is_loaded.get(), error.get()) {
        (true, _) => view! { <Editor key=key.clone() editing changes submission unsaved /> }.into_any(),
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
