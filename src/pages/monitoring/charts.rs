//! The range over time.

use super::figures::{calls, latency, rate};
use crate::api::Query;
use crate::ui::{Chart, ChartData, ChartShape, now};
use keygate_contract::{Live, LiveWindow, Usage, UsageFigures, UsageStep};
use leptos::prelude::*;

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
    let window = Memo::new(move |_| {
        let model = model.get()?;
        live.state().with(|state| {
            let items = &state.value.as_ref()?.items;
            items.iter().find(|item| item.model.as_str() == model).map(|item| item.workspace)
        })
    });
    let limited = move |name, limit: fn(LiveWindow) -> Option<u64>, of: fn(&UsageFigures) -> u64| {
        Memo::new(move |_| {
            let limit = window.get().and_then(limit);
            rates.state().with(|state| state.value.as_ref().map(|usage| rate(usage, name, limit, now(), of)))
        })
    };
    let about = Signal::derive(move || {
        let Some(model) = model.get() else { return String::new() };
        let average = match step.get() {
            Some(UsageStep::Hour) => "per minute, on average of the hour",
            Some(UsageStep::Day) => "per minute, on average of the day",
            _ => "per minute",
        };
        format!("{average}, {}{model}", if busiest.get() { "most called: " } else { "" })
    });
    let rpm = limited("calls a minute", |window| Some(window.rpm), |figures| figures.calls);
    let tpm = limited(
        "tokens a minute",
        |window| window.tpm,
        |figures| figures.input_tokens + figures.output_tokens,
    );
    let none = "No calls in this range";
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
        </div>
    }
}
