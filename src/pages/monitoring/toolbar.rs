//! What is watched, beside the range: which model, which key. All of it is in the address.

use super::range::{RANGES, USUAL};
use crate::api::Query;
use crate::components::{KeyFilter, ModelFilter, PageRange, WayBack, use_called_keys, use_key_names};
use crate::state::{use_list_view, use_workspace_place};
use crate::ui::FilterOption;
use keygate_contract::{Live, Usage};
use leptos::prelude::*;
use std::collections::BTreeSet;

/// The filters, and the way back from a piece of the past.
#[component]
pub(super) fn Toolbar(usage: Query<Usage>, live: Query<Live>, range: Memo<PageRange>) -> impl IntoView {
    let (view, workspace) = (use_list_view(), use_workspace_place());
    let names = use_key_names(workspace);
    let called = use_called_keys(workspace, Signal::derive(move || range.get().into()));
    let models = Signal::derive(move || {
        let mut models = BTreeSet::from([view.with(|view| view.model.clone())]);
        live.state().with(|state| {
            models.extend(state.value.iter().flat_map(|live| &live.items).map(|item| item.model.to_string()));
        });
        usage.state().with(|state| {
            let totals = state.value.iter().flat_map(|usage| &usage.period.totals);
            models.extend(totals.filter_map(|total| total.of.model.as_ref()).map(ToString::to_string));
        });
        options(models)
    });
    let keys = Signal::derive(move || {
        // A key that is gone has a past still.
        let mut keys = names.ids();
        let others = called.get().into_iter().map(|(id, _)| id).chain([view.with(|view| view.key.clone())]);
        for key in others {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        options(keys)
    });
    view! {
        <div class="toolbar">
            <ModelFilter options=models />
            <KeyFilter options=keys names />
            <WayBack ranges=RANGES usual=USUAL />
        </div>
    }
}

fn options(values: impl IntoIterator<Item = String>) -> Vec<FilterOption> {
    values.into_iter().filter(|value| !value.is_empty()).map(|value| (value, None)).collect()
}
