//! A chart as a table.

use super::data::{ChartData, Spans};
use crate::ui::pager::Pager;
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

/// The figures, the newest first.
#[component]
pub(super) fn FigureTable(
    /// What is shown.
    data: Memo<Option<ChartData>>,
    /// Of what.
    title: Signal<String>,
) -> impl IntoView {
    let page = RwSignal::new(0);
    let table = move |data: &ChartData| {
        let count = data.spans.count;
        let pages = count.div_ceil(PAGE).max(1);
        let here = page.get().min(pages - 1);
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
        let rows = (0..count).rev().skip(here * PAGE).take(PAGE).map(row).collect_view();
        let pager = (pages > 1).then(|| {
            let go = move |to: usize| Callback::new(move |()| page.set(to));
            view! {
                <div class="figures-foot">
                    <Pager
                        has_previous=Signal::stored(here > 0)
                        has_next=Signal::stored(here + 1 < pages)
                        place=format!("Page {} of {pages}", here + 1)
                        on_previous=go(here.saturating_sub(1))
                        on_next=go(here + 1)
                    />
                </div>
            }
        });
        view! {
            <div class="figures" tabindex="0" role="region" aria-label=format!("{}, table", title.get_untracked())>
                <table aria-label=title.get_untracked()>
                    <thead><tr><th scope="col">"Time"</th>{head.collect_view()}</tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            {pager}
        }
    };
    view! { <div class="plot as-table">{move || data.with(|data| data.as_ref().map(table))}</div> }
}
