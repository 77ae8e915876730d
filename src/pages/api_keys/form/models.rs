//! Which models may be called with a key.

use super::KeyForm;
use super::scope::Spot;
use crate::api::{Queries, WorkspaceKey};
use crate::components::{ModelSelector, Submission, models_word};
use crate::state::Workspaces;
use crate::ui::dom::{by_id, focus, lower_case, unique_id};
use crate::ui::{FieldError, Glyph, Icon, whole};
use keygate_contract::{Model, ModelId};
use leptos::prelude::*;
use std::collections::HashSet;

const ADD_ID: &str = "choose-key-models";
/// Rows drawn; a longer list has a search.
const DRAWN: usize = 50;

/// The list, and the way to choose more.
#[component]
pub(super) fn Models(form: KeyForm, submission: Submission, workspace: WorkspaceKey) -> impl IntoView {
    let (queries, workspaces) = (Queries::expect(), Workspaces::expect());
    let error_id = unique_id("error");
    let error = form.error_at(Spot::Models, submission);
    let q = RwSignal::new(String::new());
    // A default workspace has no grants: it may call all there are.
    let limited = Memo::new(move |_| workspaces.current.with(|w| w.as_ref().is_some_and(|w| !w.is_default)));
    let grants = queries.grants(Signal::derive(move || limited.get().then(|| workspace.clone())));
    let granted = Memo::new(move |_| {
        let items = limited.get().then(|| grants.value()).flatten()?.items;
        Some(items.into_iter().map(|grant| grant.model).collect::<HashSet<_>>())
    });
    let count = Memo::new(move |_| form.scope.with(|scope| scope.models.len()));
    let found = Memo::new(move |_| {
        let q = q.with(|q| lower_case(q.trim()));
        form.scope.with(|scope| {
            let has = |id: &&ModelId| q.is_empty() || lower_case(id.as_str()).contains(&q);
            scope.models.iter().filter(has).cloned().collect::<Vec<_>>()
        })
    });
    let shown = move || found.with(|found| found.iter().take(DRAWN).cloned().collect::<Vec<_>>());
    let more = move || {
        let more = found.with(Vec::len).saturating_sub(DRAWN);
        (more > 0).then(
            || view! { <li class="muted">{format!("{} more: search for them", whole(more as u64))}</li> },
        )
    };
    let remove = Callback::new(move |id: ModelId| {
        form.scope.update(|scope| scope.models.retain(|model| *model != id));
        request_animation_frame(focus_choose);
    });
    let described_by = error_id.clone();
    let words = move || match count.get() {
        0 => "No model chosen".to_owned(),
        n => format!("{} {}", whole(n as u64), models_word(n as u64)),
    };
    view! {
        <div class="stack-s">
            <div class="adder">
                <span class="muted" role="status">{words}</span>
                <div class="spring"></div>
                <button
                    type="button"
                    id=ADD_ID
                    class="btn"
                    aria-describedby=move || error.with(Option::is_some).then(|| described_by.clone())
                    data-wrong=move || error.with(Option::is_some).then_some("true")
                    on:click=move |_| form.picking.set(true)
                >
                    <Icon glyph=Glyph::Plus />
                    "Choose models"
                </button>
            </div>
            <FieldError id=error_id error />
            {move || (count.get() > 8).then(|| view! {
                <input
                    class="input"
                    type="search"
                    autocomplete="off"
                    aria-label="Search the chosen models"
                    placeholder="Search the chosen models"
                    prop:value=move || q.get()
                    on:input:target=move |event| q.set(event.target().value())
                />
            })}
            <ul class="entries" aria-label="Models" hidden=move || count.get() == 0>
                <For each=shown key=Clone::clone let(id)>
                    <Row id granted on_remove=remove />
                </For>
                {more}
            </ul>
        </div>
    }
}

#[component]
fn Row(id: ModelId, granted: Memo<Option<HashSet<ModelId>>>, on_remove: Callback<ModelId>) -> impl IntoView {
    let label = format!("Remove {id}");
    let name = id.to_string();
    let is_lost = {
        let id = id.clone();
        Memo::new(move |_| granted.with(|granted| granted.as_ref().is_some_and(|all| !all.contains(&id))))
    };
    view! {
        <li>
            <span class="words">
                <span class="mono main">{name}</span>
                {move || is_lost.get().then(|| view! {
                    <span class="sub warn"><Icon glyph=Glyph::Warning />"The workspace may not call it any more"</span>
                })}
            </span>
            <button type="button" class="btn quiet small square" aria-label=label on:click=move |_| on_remove.run(id.clone())>
                <Icon glyph=Glyph::Close />
            </button>
        </li>
    }
}

fn focus_choose() {
    if let Some(button) = by_id(ADD_ID) {
        focus(&button);
    }
}

/// The choice of models, when it is open. It belongs beside the form, not in it: it is one of its own.
#[component]
pub(in crate::pages::api_keys) fn ModelPicker(form: KeyForm, workspace: WorkspaceKey) -> impl IntoView {
    let taken = Callback::new(move |id: ModelId| {
        form.scope.with(|scope| scope.models.contains(&id)).then_some("chosen")
    });
    let select = Callback::new(move |models: Vec<Model>| {
        form.scope.update(|scope| scope.models.extend(models.into_iter().map(|model| model.id)));
    });
    let close = Callback::new(move |()| form.picking.set(false));
    move || {
        let WorkspaceKey { region, id } = workspace.clone();
        form.picking.get().then(|| {
            view! { <ModelSelector region workspace=Some(id) taken on_select=select on_close=close /> }
        })
    }
}
