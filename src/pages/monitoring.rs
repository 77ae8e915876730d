//! What the keys of a workspace call: how much, how fast, with what success, and how near to the limits.

mod charts;
mod figures;
mod live;
mod models;
mod range;
mod refresh;
mod tiles;
mod toolbar;

use crate::api::{Queries, UsageKey, WorkspaceKey};
use crate::components::{
    ErrorNote, ErrorView, Lately, Named, PageHead, RangePicker, Steps, use_piece, use_range, use_steps,
    use_told,
};
use crate::routes::{ListView, Place};
use crate::state::{Workspaces, use_list_view, use_place, use_workspace_place};
use crate::ui::dom::end_boot;
use crate::ui::{Empty, Glyph};
use charts::Charts;
use keygate_contract::{UsageGroup, UsageStep};
use leptos::prelude::*;
use live::LiveState;
use models::ModelTable;
use range::{RANGES, USUAL};
use refresh::Refresh;
use tiles::Tiles;
use toolbar::Toolbar;

/// The traffic of a workspace.
#[component]
pub fn MonitoringPage() -> impl IntoView {
    let (queries, workspaces) = (Queries::expect(), Workspaces::expect());
    let (workspace, view) = (use_workspace_place(), use_list_view());
    let Steps { range, step } = use_steps(use_range(RANGES, USUAL), |_| UsageStep::Minute);
    let key = move |model: String, totals_by: UsageGroup| {
        let WorkspaceKey { region, id } = workspace.get()?;
        Some(UsageKey {
            region,
            workspace: Some(id),
            range: range.get().into(),
            step: step.get()?,
            group_by: UsageGroup::None,
            totals_by,
            model,
            api_key: view.with(|view| view.key.clone()),
            previous: totals_by != UsageGroup::None,
        })
    };
    let chosen = Memo::new(move |_| view.with(|view| view.model.clone()));
    let usage = queries.usage(Signal::derive(move || key(chosen.get(), UsageGroup::Model)));
    let live = queries.live(Signal::derive(move || workspace.get()));
    // Of the model that was called most, where none is chosen.
    let most_called = Memo::new(move |_| {
        usage.state().with(|state| {
            let mut totals = state.value.iter().flat_map(|usage| &usage.period.totals);
            totals.find_map(|total| {
                total.of.model.as_ref().map(ToString::to_string).filter(|id| !id.is_empty())
            })
        })
    });
    let model =
        Memo::new(move |_| Some(chosen.get()).filter(|id| !id.is_empty()).or_else(|| most_called.get()));
    let of_most_called = queries.usage(Signal::derive(move || {
        if chosen.with(String::is_empty) { key(most_called.get()?, UsageGroup::None) } else { None }
    }));
    let refresh = Refresh::start(range, usage, of_most_called, live);
    let retry = Callback::new(move |()| refresh.all());

    let failed =
        Memo::new(move |_| usage.state().with(|state| state.error.clone().filter(|_| state.value.is_none())));
    // Where there are no figures of the model at all, that is told in their place.
    let rates_error = move || of_most_called.error().filter(|_| of_most_called.value().is_some());
    let refresh_error = Signal::derive(move || {
        let error = usage.error().or_else(rates_error).or_else(|| live.error());
        error.filter(|error| failed.with(Option::is_none) && !error.is_away())
    });
    let failing = Signal::derive(move || {
        [usage.error(), of_most_called.error(), live.error()].iter().any(Option::is_some)
    });
    let is_empty = Memo::new(move |_| {
        usage.state().with(|state| state.value.as_ref().is_some_and(|usage| usage.period.total.calls == 0))
    });
    Effect::new(move |_| {
        if usage.state().with(|state| state.value.is_some() || state.error.is_some()) {
            end_boot();
        }
    });

    let brush = use_piece();
    let outdated =
        Memo::new(move |_| [usage, of_most_called].iter().any(|q| q.state().with(|state| state.outdated)));
    let told = use_told(range, usage);
    let content = move || {
        if is_empty.get() {
            return view! { <div class="card"><NoCalls /></div> }.into_any();
        }
        let busiest = Signal::derive(move || chosen.with(String::is_empty));
        let rates = if busiest.get() { of_most_called } else { usage };
        view! { <Charts usage rates model busiest live on_brush=brush on_retry=retry /> }.into_any()
    };
    let page = move || match failed.get() {
        Some(error) => {
            view! { <div class="card"><ErrorView error what="the traffic" on_retry=retry /></div> }.into_any()
        }
        None => view! {
            <div class="monitor" aria-busy=move || outdated.get().to_string()>
                <Tiles usage range=told />
                {content}
                <ModelTable usage live />
            </div>
        }
        .into_any(),
    };
    let missing =
        Memo::new(move |_| workspaces.current.with(Option::is_none).then(|| workspaces.error()).flatten());
    let name = Memo::new(move |_| workspaces.current.with(|w| w.as_ref().map(|w| w.name.clone())));
    let intro = view! { "Live traffic of " <Named name /> " against its limits." };
    view! {
        <PageHead title="Monitoring" scope=Signal::derive(move || name.get()) intro=intro.into_any()>
            <LiveState refresh range failing />
            <RangePicker range ranges=RANGES usual=USUAL />
        </PageHead>
        {move || match missing.get() {
            Some(error) => {
                let retry = Callback::new(move |()| workspaces.retry());
                view! { <div class="card"><ErrorView error what="the workspace" on_retry=retry /></div> }.into_any()
            }
            None => view! {
                <Toolbar usage live range />
                <div class="list-note"><ErrorNote error=refresh_error on_retry=retry /></div>
                {page}
            }
            .into_any(),
        }}
    }
}

/// Stands in the charts' place.
#[component]
fn NoCalls() -> impl IntoView {
    let (view, place, workspace) = (use_list_view(), use_place(), use_workspace_place());
    let is_narrow = move || view.with(|view| !view.model.is_empty() || !view.key.is_empty());
    let wider = Memo::new(move |_| {
        let wider = ListView { range: Lately::Month.name().into(), ..ListView::default() };
        place.get().filter(|_| view.with(|view| *view != wider)).map(|place| wider.at(&place))
    });
    let models = move || {
        workspace.get().map(|WorkspaceKey { region, id }| Place::Models { region, workspace: id }.to_string())
    };
    view! {
        <Empty glyph=Glyph::Pulse title="No calls in this range">
            <p>
                {move || if is_narrow() {
                    "No call of this model and key ended in this range."
                } else {
                    "Calls with keys of this workspace show up here within seconds."
                }}
            </p>
            <div class="acts">
                {move || wider.get().map(|wider| {
                    let words = if is_narrow() { "Show all of 30 days" } else { "Show 30 days" };
                    view! { <a class="btn" href=wider>{words}</a> }
                })}
                <a class="btn" href=models>"How to call a model"</a>
            </div>
        </Empty>
    }
}
