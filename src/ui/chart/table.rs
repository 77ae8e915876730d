//! A chart as a table.

use super::data::{ChartData, Spans};
use crate::ui::pager::{Pages, RowPager};
use crate::ui::time::Short;
use leptos::prelude::*;

/// How many spans stand on a page.
const PAGE: usize = 60;

/// When a span is, in words.
pub(super) fn span_words(spans: Spans, i: usize) -> String {
    let begin = spans.begin(i);
    if spans.are_days() {
        Short::LongDayUtc.write(begin)
    } else if spans.span > 60_000.0 {
        format!("{} – {}", Short::DayClock.write(begin), Short::Clock.write(begin + spans.span))
    } else {
        Short::DayClock.write(begin)
    }
}

/// The figures, the newest first. Newer ones take the place of the rows alone, so that the pager keeps the focus.
#[component]
pub(super) fn FigureTable(
    /// What is shown.
    data: Memo<Option<ChartData>>,
    /// Of what.
    title: Signal<String>,
) -> impl IntoView {
    let is_there = Memo::new(move |_| data.with(Option::is_some));
    let pages = Pages::of(PAGE, move || data.with(|data| data.as_ref().map_or(0, |data| data.spans.count)));
    let has_pages = Memo::new(move |_| pages.are_several());
    let label = move || format!("{}, table", title.get());
    let rows = move || data.with(|data| data.as_ref().map(|data| head_and_rows(data, pages.before())));
    view! {
        <div class="plot as-table">
            {move || is_there.get().then(|| view! {
                <div class="figures" tabindex="0" role="region" aria-label=label>
                    <table aria-label=move || title.get()>{rows}</table>
                </div>
            })}
            {move || has_pages.get().then(|| view! { <div class="figures-foot"><RowPager pages /></div> })}
        </div>
    }
}

fn head_and_rows(data: &ChartData, before: usize) -> AnyView {
    let row = |i: usize| {
        let cell = |value: Option<f64>| {
            let words = value.map_or_else(|| "–".to_owned(), |value| data.unit.exactly(value));
            view! { <td class="num">{words}</td> }
        };
        let cells = data.series.iter().map(|s| cell(s.values.get(i).copied().flatten()));
        view! { <tr><th scope="row">{span_words(data.spans, i)}</th>{cells.collect_view()}</tr> }
    };
    let head = data.series.iter().map(|series| {
        view! { <th scope="col" class="num"><bdi>{series.name.clone()}</bdi></th> }
    });
    view! {
        <thead><tr><th scope="col">"Time"</th>{head.collect_view()}</tr></thead>
        <tbody>{(0..data.spans.count).rev().skip(before).take(PAGE).map(row).collect_view()}</tbody>
    }
    .into_any()
}
