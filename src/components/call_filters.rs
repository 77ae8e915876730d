//! Filters of what was called: by model and by key. They stand in the address.

use super::key_names::KeyNames;
use super::list_navigation::use_list_navigation;
use crate::api::{Queries, UsageKey, UsageRange, WorkspaceKey};
use crate::state::use_list_view;
use crate::ui::{FilterMenu, FilterOption};
use keygate_contract::{UsageGroup, UsageStep, UsageTotal};
use leptos::prelude::*;

/// What was called with, so that it can be chosen from: the models and the keys of a range, those with the most calls
/// first.
#[derive(Clone, Copy)]
pub struct Called {
    /// The models.
    pub models: Signal<Vec<FilterOption>>,
    /// The ids of the keys.
    pub keys: Signal<Vec<FilterOption>>,
}

/// What a workspace called with.
pub fn use_called(workspace: Memo<Option<WorkspaceKey>>, range: Signal<UsageRange>) -> Called {
    let models = use_totals(workspace, range, UsageGroup::Model, |total| {
        total.of.model.as_ref().map(ToString::to_string)
    });
    Called { models, keys: use_called_keys(workspace, range) }
}

/// The ids of the keys that a workspace called with.
pub fn use_called_keys(
    workspace: Memo<Option<WorkspaceKey>>,
    range: Signal<UsageRange>,
) -> Signal<Vec<FilterOption>> {
    use_totals(workspace, range, UsageGroup::ApiKey, |total| {
        total.of.api_key.as_ref().map(ToString::to_string)
    })
}

/// The names of what was called, told from whole days, which is little to read.
fn use_totals(
    workspace: Memo<Option<WorkspaceKey>>,
    range: Signal<UsageRange>,
    by: UsageGroup,
    of: fn(&UsageTotal) -> Option<String>,
) -> Signal<Vec<FilterOption>> {
    let usage = Queries::expect().usage(Signal::derive(move || {
        let WorkspaceKey { region, id } = workspace.get()?;
        Some(UsageKey {
            region,
            workspace: Some(id),
            range: range.get(),
            step: UsageStep::Day,
            group_by: UsageGroup::None,
            totals_by: by,
            model: String::new(),
            api_key: String::new(),
            previous: false,
        })
    }));
    Signal::derive(move || {
        usage.state().with(|state| {
            let totals = state.value.iter().flat_map(|usage| &usage.period.totals);
            // Calls without a model cannot be asked for.
            let names = totals.filter_map(of).filter(|name| !name.is_empty());
            names.map(|name| (name, None)).collect()
        })
    })
}

/// Chooses a model.
#[component]
pub fn ModelFilter(
    /// What there is to choose from.
    options: Signal<Vec<FilterOption>>,
) -> impl IntoView {
    let (view, navigation) = (use_list_view(), use_list_navigation());
    view! {
        <FilterMenu
            label="Model"
            options
            name=|model: String| model
            chosen=Signal::derive(move || view.with(|view| view.model.clone()))
            on_choose=Callback::new(move |model| navigation.narrow(|view| view.model = model))
        />
    }
}

/// Chooses a key.
#[component]
pub fn KeyFilter(
    /// The ids there are to choose from.
    options: Signal<Vec<FilterOption>>,
    /// What the keys are called.
    names: KeyNames,
) -> impl IntoView {
    let (view, navigation) = (use_list_view(), use_list_navigation());
    view! {
        <FilterMenu
            label="Key"
            options
            name=move |id: String| names.words(&id)
            chosen=Signal::derive(move || view.with(|view| view.key.clone()))
            on_choose=Callback::new(move |key| navigation.narrow(|view| view.key = key))
        />
    }
}
