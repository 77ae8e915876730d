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

/// What a workspace called with. It is told from whole days, which is little to read.
pub fn use_called(workspace: Memo<Option<WorkspaceKey>>, range: Signal<UsageRange>) -> Called {
    let queries = Queries::expect();
    let totals = move |by: UsageGroup, of: fn(&UsageTotal) -> Option<String>| {
        let usage = queries.usage(Signal::derive(move || {
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
            let totals = usage.value().map(|usage| usage.period.totals).unwrap_or_default();
            // Calls without a model cannot be asked for.
            let names = totals.iter().filter_map(of).filter(|name| !name.is_empty());
            names.map(|name| (name, None)).collect()
        })
    };
    Called {
        models: totals(UsageGroup::Model, |total| total.of.model.as_ref().map(ToString::to_string)),
        keys: totals(UsageGroup::ApiKey, |total| total.of.api_key.as_ref().map(ToString::to_string)),
    }
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
