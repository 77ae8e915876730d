//! Which models the keys of a workspace may call, and how fast.

use super::draft::Draft;
use super::grants::Grants;
use crate::components::{ModelSelector, models_word};
use crate::ui::dom::{by_id, focus};
use crate::ui::{Empty, Glyph, Icon, Note, SearchBox, whole};
use keygate_contract::{Model, ModelId, RegionId};
use leptos::prelude::*;

/// Rows of a page.
pub(super) const PAGE: usize = 10;
/// Where the focus goes when a row with the focus is gone.
const ADD_ID: &str = "add-models";

/// Which part of the grants is in view.
#[derive(Clone, Copy)]
pub(super) struct GrantView {
    pub(super) q: RwSignal<String>,
    pub(super) page: RwSignal<usize>,
}

impl GrantView {
    pub(super) fn new() -> Self {
        Self { q: RwSignal::new(String::new()), page: RwSignal::new(0) }
    }

    fn show(self, row: usize) {
        self.q.set(String::new());
        self.page.set(row / PAGE);
    }

    /// Turns to the page with the first row that has something wrong.
    pub(super) fn show_refused(self, draft: RwSignal<Draft>) {
        if let Some(row) = draft.with_untracked(Draft::first_refused) {
            self.show(row);
        }
    }
}

/// The section.
#[component]
pub(super) fn Permission(
    is_default: Memo<bool>,
    draft: RwSignal<Draft>,
    view: GrantView,
    /// What the server would refuse of the grants as a whole.
    too_many: RwSignal<Option<String>>,
    on_add: Callback<()>,
) -> impl IntoView {
    let count = Memo::new(move |_| draft.with(Draft::count));
    let is_empty = Memo::new(move |_| draft.with(Draft::has_no_rows));
    let words = move || match (is_default.get(), count.get()) {
        (true, _) => "All models".to_owned(),
        (false, n) => format!("{} {}", whole(n as u64), models_word(n as u64)),
    };
    let default_words = || {
        view! {
            <Note class="note info" glyph=Glyph::Cube>
                "Keys of the default workspace may call every model of the region, also those added later, at the account's limits. This cannot be changed: create a workspace of its own for whoever is to have less."
            </Note>
        }
    };
    let add = move || {
        view! {
            <button type="button" class="btn" id=ADD_ID on:click=move |_| on_add.run(())>
                <Icon glyph=Glyph::Plus />
                "Add models"
            </button>
        }
    };
    let empty = move || {
        view! {
            <div class="card">
                <Empty glyph=Glyph::Lock title="No models yet">
                    <p>"Every call with a key of this workspace is refused with 403 until it may call some models."</p>
                    <div class="acts">{add()}</div>
                </Empty>
            </div>
        }
    };
    let search = move |q| {
        view.q.set(q);
        view.page.set(0);
    };
    let full = move || {
        view! {
            <div class="toolbar">
                <h2>"Model permission"</h2>
                <span class="muted nowrap">{words}</span>
                <div class="spring"></div>
                <SearchBox label="Filter granted models" value=view.q.into() on_search=Callback::new(search) />
                {add()}
            </div>
            {move || too_many.get().map(|text| view! { <Note class="note bad" glyph=Glyph::Error role="alert">{text}</Note> })}
            <Grants draft view />
        }
    };
    let bare = move |content: AnyView| {
        view! {
            <div class="title"><h2>"Model permission"</h2><span class="muted">{words}</span></div>
            {content}
        }
    };
    view! {
        <section class="stack permission">
            {move || match (is_default.get(), is_empty.get()) {
                (true, _) => bare(default_words().into_any()).into_any(),
                (false, true) => bare(empty().into_any()).into_any(),
                (false, false) => full().into_any(),
            }}
        </section>
    }
}

/// Moves the focus to the button, once it is drawn: it is another one when the first model comes or the last one goes.
pub(super) fn focus_add() {
    request_animation_frame(|| {
        if let Some(button) = by_id(ADD_ID) {
            focus(&button);
        }
    });
}

/// The choice of models to add.
#[component]
pub(super) fn ModelPicker(
    region: RegionId,
    draft: RwSignal<Draft>,
    view: GrantView,
    on_close: Callback<()>,
) -> impl IntoView {
    let taken = Callback::new(move |id: ModelId| {
        let is_new = |row: std::sync::Arc<super::draft::Row>| row.granted.is_none();
        draft.with(|draft| {
            let word = if draft.row(&id).is_some_and(is_new) { "added" } else { "granted" };
            draft.grants(&id).then_some(word)
        })
    });
    let select = Callback::new(move |models: Vec<Model>| {
        draft.update(|draft| draft.add(models));
        // The new rows stand on top.
        view.show(0);
        focus_add();
    });
    view! { <ModelSelector region taken on_select=select on_close /> }
}
