//! A chart over time: drawn, read by pointer and keyboard, as a table, and as a file.

mod csv;
mod data;
mod draw;
mod legend;
mod picture;
mod plot;
mod reading;
mod scale;
mod table;
mod unit;

pub use data::{ChartData, Hue, Limit, Series, Spans};
pub use unit::Unit;

use super::download::download_text;
use super::icon::{Glyph, Icon};
use super::time::rfc3339;
use csv::csv;
use legend::Legend;
use leptos::prelude::*;
use plot::Plot;
use table::FigureTable;

/// How series are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChartShape {
    /// A line each.
    Lines,
    /// Bars of which each is a part, one upon the other.
    StackedBars,
}

/// A chart in its card. It has the same height before its figures come, without any, and with them.
#[component]
pub fn Chart(
    /// What it shows.
    #[prop(into)]
    title: Signal<String>,
    /// More about that, beside the title.
    #[prop(into, optional)]
    note: Signal<String>,
    /// The figures; none while they are awaited.
    #[prop(into)]
    data: Signal<Option<ChartData>>,
    /// How they are drawn.
    shape: ChartShape,
    /// What is said when there are none.
    #[prop(into)]
    empty: Signal<String>,
    /// What the file is called, before the moment it begins with.
    file_name: &'static str,
    /// Runs with the ends of a range that was chosen in the chart, in milliseconds since 1970.
    #[prop(optional)]
    on_brush: Option<Callback<(f64, f64)>>,
) -> impl IntoView {
    let hidden = RwSignal::new(Vec::new());
    let shown =
        Memo::new(move |_| data.with(|data| data.as_ref().map(|data| hidden.with(|h| data.without(h)))));
    let is_blank = Memo::new(move |_| data.with(|data| data.as_ref().is_some_and(ChartData::is_empty)));
    let as_table = RwSignal::new(false);
    let download = move |_| {
        if let Some(data) = shown.get_untracked() {
            let moment = |millis| rfc3339(millis).unwrap_or_default();
            let from: String = moment(data.spans.from).chars().take(16).filter(|c| *c != ':').collect();
            // A browser that saves no files has said so.
            let _ = download_text(&format!("{file_name}-{from}Z.csv"), &csv(&data, moment));
        }
    };
    let body = move || {
        if as_table.get() {
            view! { <FigureTable data=shown title /> }.into_any()
        } else {
            view! { <Plot data=shown is_blank title shape empty on_brush /> }.into_any()
        }
    };
    view! {
        <section class="card chart" aria-label=move || title.get()>
            <header>
                <h2><bdi>{move || title.get()}</bdi> " " <small><bdi>{move || note.get()}</bdi></small></h2>
                <button
                    type="button"
                    class="btn quiet small"
                    aria-pressed=move || as_table.get().to_string()
                    on:click=move |_| as_table.update(|on| *on = !*on)
                >
                    "Table"
                </button>
                <button
                    type="button"
                    class="btn quiet small square"
                    aria-label=move || format!("Download {} as CSV", title.get())
                    aria-disabled=move || shown.with(Option::is_none).then_some("true")
                    on:click=download
                >
                    <Icon glyph=Glyph::Download />
                </button>
            </header>
            {body}
            <Legend data hidden />
        </section>
    }
}
