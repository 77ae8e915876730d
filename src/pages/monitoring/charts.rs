//! The range over time.

use super::figures::{calls, latency, rate};
use crate::api::{ModelFilter, ModelListKey, Queries, Query, WorkspaceKey};
use crate::components::ErrorView;
use crate::state::{use_list_view, use_workspace_place};
use crate::ui::{Chart, ChartData, ChartShape, Limit, now, whole};
use keygate_contract::{Live, ModelList, PAGE_SIZE_MAX, Usage, UsageFigures, UsageStep};
use leptos::prelude::*;

/// Calls and tokens a minute that a workspace may make and use of a model; without tokens it is not metered in them.
type Limits = (u64, Option<u64>);

/// The limits of a model. Those of one that was not called lately are not among the live ones, and are looked for.
fn use_limits(model: Memo<Option<String>>, live: Query<Live>) -> Memo<Option<Limits>> {
    let workspace = use_workspace_place();
    let counted = Memo::new(move |_| {
        let model = model.get()?;
        live.state().with(|state| {
            let items = &state.value.as_ref()?.items;
            let item = items.iter().find(|item| item.model.as_str() == model)?;
            Some((item.workspace.rpm, item.workspace.tpm))
        })
    });
    let is_told = Memo::new(move |_| live.state().with(|state| state.value.is_some()));
    let granted = Queries::expect().models(Signal::derive(move || {
        let (q, WorkspaceKey { region, id }) = (model.get()?, workspace.get()?);
        (is_told.get() && counted.get().is_none()).then(|| ModelListKey {
            region,
            workspace: Some(id),
            filter: ModelFilter { q, ..ModelFilter::default() },
            page_token: String::new(),
            page_size: PAGE_SIZE_MAX,
        })
    }));
    Memo::new(move |_| {
        let model = model.get()?;
        let find = |list: &ModelList| {
            let found = list.page.items.iter().find(|item| item.id.as_str() == model)?;
            found.workspace.as_ref().map(|own| (own.rpm, own.tpm))
        };
        counted.get().or_else(|| granted.state().with(|state| state.value.as_ref().and_then(find)))
    })
}

/// The charts. Two of them are about one model.
#[component]
pub(super) fn Charts(
    /// All that is watched.
    usage: Query<Usage>,
    /// What is watched of the model.
    rates: Query<Usage>,
    /// The model; none where nothing was called.
    model: Memo<Option<String>>,
    /// Whether that is not the person's choice, but the one that was called most.
    busiest: Signal<bool>,
    /// For the limits.
    live: Query<Live>,
    /// Runs with the ends of a range that was chosen in a chart.
    on_brush: Callback<(f64, f64)>,
    /// Reads everything again.
    on_retry: Callback<()>,
) -> impl IntoView {
    let drawn = |usage: Query<Usage>, draw: fn(&Usage) -> ChartData| {
        Memo::new(move |_| usage.state().with(|state| state.value.as_ref().map(draw)))
    };
    let step = Memo::new(move |_| usage.state().with(|state| state.value.as_ref().map(|usage| usage.step)));
    let title = move || match step.get() {
        None | Some(UsageStep::Minute) => "Calls per minute",
        Some(UsageStep::Hour) => "Calls per hour",
        Some(UsageStep::Day) => "Calls per day",
    };
    // The limit is of all keys together.
    let view = use_list_view();
    let is_of_key = Memo::new(move |_| view.with(|view| !view.key.is_empty()));
    let limits = use_limits(model, live);
    let limited = move |name, limit: fn(Limits) -> Option<u64>, of: fn(&UsageFigures) -> u64| {
        Memo::new(move |_| {
            let limit = limits.get().and_then(limit);
            let of_all = if is_of_key.get() { " for all keys" } else { "" };
            let limit = limit
                .map(|limit| Limit { label: format!("limit {}{of_all}", whole(limit)), value: limit as f64 });
            rates.state().with(|state| {
                let usage = state.value.as_ref().filter(|_| !state.outdated)?;
                Some(rate(usage, name, limit, now(), of))
            })
        })
    };
    let about = Signal::derive(move || {
        let Some(model) = model.get() else { return String::new() };
        let most = if busiest.get() { ", called most" } else { "" };
        let key = if is_of_key.get() { ", this key alone" } else { "" };
        format!("{model}{most}{key}")
    });
    let rpm = limited("calls a minute", |(rpm, _)| Some(rpm), |figures| figures.calls);
    let tpm =
        limited("tokens a minute", |(_, tpm)| tpm, |figures| figures.input_tokens + figures.output_tokens);
    let none = "No calls in this range";
    let failed = Memo::new(move |_| rates.error().filter(|_| rates.value().is_none()));
    let of_model = move || match failed.get() {
        Some(error) => view! {
            <div class="card"><ErrorView error what="the calls against the limit" on_retry /></div>
        }
        .into_any(),
        None => view! {
            <Chart
                title="Calls against the limit"
                note=about
                data=rpm
                shape=ChartShape::Lines
                empty=none
                file_name="calls-per-minute"
                on_brush
            />
            <Chart
                title="Tokens against the limit"
                note=about
                data=tpm
                shape=ChartShape::Lines
                empty="No tokens in this range"
                file_name="tokens-per-minute"
                on_brush
            />
        }
        .into_any(),
    };
    view! {
        <div class="charts">
            <Chart
                title=Signal::derive(move || title().to_owned())
                note="by how they ended"
                data=drawn(usage, calls)
                shape=ChartShape::StackedBars
                empty=none
                file_name="calls"
                on_brush
            />
            <Chart
                title="Latency"
                note="of answered calls"
                data=drawn(usage, latency)
                shape=ChartShape::Lines
                empty="No answered calls in this range"
                file_name="latency"
                on_brush
            />
            {of_model}
        </div>
    }
}
