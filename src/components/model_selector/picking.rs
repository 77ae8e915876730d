//! What is in view, what is chosen, and how either changes.

use super::selection::Selection;
use crate::api::{Client, ModelFilter, ModelListKey, Queries, Query};
use crate::components::Submission;
use crate::ui::{Tick, Ticked};
use keygate_contract::{Model, ModelId, ModelList, RegionId, WorkspaceId};
use leptos::prelude::*;
use std::sync::Arc;

/// Rows of a page.
pub(super) const PAGE: usize = 10;

/// Which part of the region's models is in view.
#[derive(Clone, Debug, Default)]
pub(super) struct Part {
    pub(super) filter: ModelFilter,
    /// The tokens of the pages after the first, up to this one.
    trail: Vec<String>,
}

/// Which rows are in view.
#[derive(Clone, Debug)]
pub(super) enum Showing {
    All,
    /// What was chosen when the person asked for it, so that a row stays when it is unticked; and the page of it.
    Chosen(Arc<Vec<Model>>, usize),
}

/// What stands in the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    Skeleton,
    Failed,
    Nothing,
    Rows,
}

/// The state of the dialog.
#[derive(Clone, Copy)]
pub(super) struct Picking {
    pub(super) client: Client,
    pub(super) whose: StoredValue<(RegionId, Option<WorkspaceId>)>,
    pub(super) part: RwSignal<Part>,
    pub(super) showing: RwSignal<Showing>,
    pub(super) query: Query<ModelList>,
    pub(super) selection: RwSignal<Selection>,
    pub(super) taken: Callback<ModelId, Option<&'static str>>,
    /// The rows of the page in view.
    pub(super) rows: Memo<Vec<Model>>,
    /// How many rows there are on all pages.
    pub(super) total: Memo<usize>,
    pub(super) shown: Memo<Shown>,
    /// The row that was changed last: where a range begins.
    anchor: StoredValue<Option<usize>>,
    /// The walk through all results, and how many it has met.
    pub(super) walk: Submission,
    pub(super) met: RwSignal<usize>,
    /// The filter all of whose results were just chosen.
    pub(super) whole: RwSignal<Option<ModelFilter>>,
}

impl Picking {
    pub(super) fn new(
        region: RegionId,
        workspace: Option<WorkspaceId>,
        taken: Callback<ModelId, Option<&'static str>>,
    ) -> Self {
        let queries = Queries::expect();
        let part = RwSignal::new(Part::default());
        let showing = RwSignal::new(Showing::All);
        let whose = StoredValue::new((region, workspace));
        let query = queries.models(Signal::derive(move || {
            let Part { filter, mut trail } = part.get();
            Some(key(whose.get_value(), filter, trail.pop().unwrap_or_default(), PAGE as u32))
        }));
        let state = query.state();
        let rows = Memo::new(move |_| match showing.get() {
            Showing::All => {
                state.with(|s| s.value.as_ref().map(|list| list.page.items.clone()).unwrap_or_default())
            }
            Showing::Chosen(models, page) => models.iter().skip(page * PAGE).take(PAGE).cloned().collect(),
        });
        let total = Memo::new(move |_| match showing.get() {
            Showing::All => state.with(|s| s.value.as_ref().map_or(0, |list| list.page.total as usize)),
            Showing::Chosen(models, _) => models.len(),
        });
        let shown = Memo::new(move |_| {
            match (rows.with(Vec::is_empty), state.with(|s| (s.value.is_some(), s.error.is_some()))) {
                (false, _) => Shown::Rows,
                (true, (_, true)) => Shown::Failed,
                (true, (true, false)) => Shown::Nothing,
                (true, (false, false)) => Shown::Skeleton,
            }
        });
        Self {
            client: queries.client,
            whose,
            part,
            showing,
            query,
            selection: RwSignal::new(Selection::default()),
            taken,
            rows,
            total,
            shown,
            anchor: StoredValue::new(None),
            walk: Submission::new(),
            met: RwSignal::new(0),
            whole: RwSignal::new(None),
        }
    }

    /// Changes search or filter: it begins at the first page of all that is found.
    pub(super) fn narrow(self, how: impl FnOnce(&mut ModelFilter)) {
        self.anchor.set_value(None);
        self.showing.set(Showing::All);
        self.part.update(|part| {
            how(&mut part.filter);
            part.trail.clear();
        });
    }

    /// Which page is in view, from 0.
    pub(super) fn page(self) -> usize {
        match self.showing.get() {
            Showing::All => self.part.with(|part| part.trail.len()),
            Showing::Chosen(_, page) => page,
        }
    }

    pub(super) fn has_next(self) -> bool {
        match self.showing.get() {
            // Not while the page before is still on its way: its token is not known.
            Showing::All => {
                self.query.state().with(|s| !s.outdated && next_token(s.value.as_ref()).is_some())
            }
            Showing::Chosen(models, page) => (page + 1) * PAGE < models.len(),
        }
    }

    pub(super) fn next(self) {
        if !untrack(|| self.has_next()) {
            return;
        }
        self.anchor.set_value(None);
        match self.showing.get_untracked() {
            Showing::Chosen(models, page) => self.showing.set(Showing::Chosen(models, page + 1)),
            Showing::All => {
                let token = self.query.state().with_untracked(|s| next_token(s.value.as_ref()).cloned());
                self.part.update(|part| part.trail.extend(token));
            }
        }
    }

    pub(super) fn previous(self) {
        self.anchor.set_value(None);
        match self.showing.get_untracked() {
            Showing::Chosen(models, page) => {
                self.showing.set(Showing::Chosen(models, page.saturating_sub(1)));
            }
            Showing::All if self.part.with_untracked(|part| !part.trail.is_empty()) => {
                self.part.update(|part| drop(part.trail.pop()));
            }
            Showing::All => {}
        }
    }

    /// Shows what is chosen alone, or all again.
    pub(super) fn turn_over(self) {
        self.anchor.set_value(None);
        let chosen = matches!(self.showing.get_untracked(), Showing::Chosen(..));
        let models = || Arc::new(self.selection.with_untracked(Selection::models));
        self.showing.set(if chosen { Showing::All } else { Showing::Chosen(models(), 0) });
    }

    /// Whether the model can be chosen.
    pub(super) fn is_free(self, model: &Model) -> bool {
        self.taken.run(model.id.clone()).is_none()
    }

    /// Whether the rows in view are not those asked for: what is pressed now is meant for the next ones.
    pub(super) fn is_outdated(self) -> bool {
        matches!(self.showing.get(), Showing::All) && self.query.state().with(|s| s.outdated)
    }

    /// How the box of a model stands.
    pub(super) fn tick(self, id: &ModelId) -> Tick {
        let on = self.taken.run(id.clone()).is_some() || self.selection.with(|chosen| chosen.has(id));
        if on { Tick::On } else { Tick::Off }
    }

    /// The rows in view that can be chosen, and how many of them are.
    pub(super) fn page_tick(self) -> (usize, usize) {
        self.rows.with(|rows| {
            let free: Vec<_> = rows.iter().filter(|model| self.is_free(model)).collect();
            let chosen =
                self.selection.with(|chosen| free.iter().filter(|model| chosen.has(&model.id)).count());
            (free.len(), chosen)
        })
    }

    /// A box was changed; with Shift, all boxes from the last change to this one are.
    pub(super) fn change(self, at: usize, ticked: Ticked) {
        let from = self.anchor.get_value().filter(|_| ticked.with_shift).unwrap_or(at);
        self.anchor.set_value(Some(at));
        self.set(from, at, ticked.on);
    }

    /// The arrows walk with Shift held: what they pass is chosen.
    pub(super) fn extend(self, from: usize, to: usize) {
        let anchor = self.anchor.get_value().unwrap_or(from);
        self.anchor.set_value(Some(anchor));
        self.set(anchor, to, true);
    }

    /// Changes all boxes of the page.
    pub(super) fn change_page(self, ticked: Ticked) {
        self.set(0, PAGE, ticked.on);
    }

    fn set(self, from: usize, to: usize, on: bool) {
        if untrack(|| self.is_outdated()) {
            return;
        }
        let (first, last) = (from.min(to), from.max(to));
        let range = |rows: &Vec<Model>| {
            let range = rows.iter().take(last + 1).skip(first);
            range.filter(|model| self.is_free(model)).cloned().collect()
        };
        let models: Vec<Model> = untrack(|| self.rows.with(range));
        if !on {
            self.whole.set(None);
        }
        self.selection.update(|chosen| if on { chosen.add(models) } else { chosen.take_out(&models) });
    }

    /// Lets go of all that is chosen.
    pub(super) fn clear(self) {
        self.whole.set(None);
        self.showing.set(Showing::All);
        self.selection.update(Selection::clear);
    }
}

pub(super) fn key(
    (region, workspace): (RegionId, Option<WorkspaceId>),
    filter: ModelFilter,
    page_token: String,
    page_size: u32,
) -> ModelListKey {
    ModelListKey { region, workspace, filter, page_token, page_size }
}

fn next_token(list: Option<&ModelList>) -> Option<&String> {
    list?.page.next_page_token.as_ref()
}
