//! Chooses models of a region, or of one of its workspaces. What is chosen outlives pages, search and filters.

mod foot;
mod picking;
mod rows;
mod selection;
mod toolbar;
mod walk;

use super::error::{ErrorNote, ErrorView};
use super::model_words::models_word;
use super::unsaved::{Unsaved, UnsavedQuestion};
use crate::ui::{Dialog, Empty, Form, Glyph, SkeletonRows, whole};
use foot::{Chosen, Foot};
use keygate_contract::{Model, ModelId, RegionId, WorkspaceId};
use leptos::prelude::*;
use picking::{Picking, Shown};
use rows::{COLUMNS, Rows};
use toolbar::Toolbar;

/// The dialog.
#[component]
pub fn ModelSelector(
    /// Whose models there are to choose from.
    region: RegionId,
    /// Only what this workspace may call.
    #[prop(optional_no_strip)]
    workspace: Option<WorkspaceId>,
    /// Says why a model cannot be chosen, in a word: `granted`.
    taken: Callback<ModelId, Option<&'static str>>,
    /// Runs with what was chosen.
    on_select: Callback<Vec<Model>>,
    /// Leaves everything as it is.
    on_close: Callback<()>,
) -> impl IntoView {
    let picking = Picking::new(region, workspace, taken);
    let count = Memo::new(move |_| picking.selection.with(selection::Selection::len));
    let unsaved = Unsaved::new(
        Signal::derive(move || count.get() > 0 || picking.walk.busy().get()),
        Signal::stored(false),
        Callback::new(move |()| on_close.run(())),
    );
    let submit = Callback::new(move |()| {
        // Not yet all that was asked for.
        if picking.walk.busy().get_untracked() {
            return;
        }
        let models = picking.selection.with_untracked(selection::Selection::models);
        if !models.is_empty() {
            on_select.run(models);
        }
        unsaved.leave();
    });
    let close = unsaved.on_close();
    view! {
        <Dialog
            title="Add models"
            subtitle="Your selection is kept across pages, search and filters.".into_any()
            class="dialog pick-dialog"
            on_close=close
        >
            <Form on_submit=submit>
                <div class="body">
                    <Toolbar picking />
                    <ErrorNote error=picking.walk.error_beside(&[]) />
                    <Card picking />
                </div>
                <footer>
                    <Chosen picking count />
                    <div class="spring"></div>
                    <button type="button" class="btn" on:click=move |_| close.run(())>"Cancel"</button>
                    <button type="submit" class="btn primary" aria-disabled=move || picking.walk.busy().get().then_some("true")>
                        {move || format!("Select ({})", whole(count.get() as u64))}
                        <span class="sr-only">{move || format!(" {}", models_word(count.get() as u64))}</span>
                    </button>
                </footer>
            </Form>
            <UnsavedQuestion unsaved />
        </Dialog>
    }
}

/// The rows, or what stands in their place.
#[component]
fn Card(picking: Picking) -> impl IntoView {
    let retry = Callback::new(move |()| picking.query.retry());
    let show_all = move |_| picking.narrow(|filter| *filter = crate::api::ModelFilter::default());
    let none = move || {
        view! {
            <Empty glyph=Glyph::Search title="No model found">
                <p>"No model to choose from is named and filtered so."</p>
                <div class="acts">
                    <button type="button" class="btn" on:click=show_all>"Show all models"</button>
                </div>
            </Empty>
        }
    };
    view! {
        <div class="card pick-card">
            {move || match picking.shown.get() {
                Shown::Rows => view! { <Rows picking /> <Foot picking /> }.into_any(),
                Shown::Nothing => none().into_any(),
                Shown::Failed => {
                    picking.query.error().map(|error| view! { <ErrorView error what="the models" on_retry=retry /> }).into_any()
                }
                Shown::Skeleton => view! {
                    <table class="table tabular"><SkeletonRows columns=COLUMNS /></table>
                }.into_any(),
            }}
        </div>
    }
}
