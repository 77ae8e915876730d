//! What the colours mean. Each series can be switched off.

use super::data::ChartData;
use crate::ui::time::time_zone;
use leptos::prelude::*;

/// The names of the series, and whose clock the moments are of.
#[component]
pub(super) fn Legend(
    /// All figures.
    data: Signal<Option<ChartData>>,
    /// The names of those that are switched off.
    hidden: RwSignal<Vec<String>>,
) -> impl IntoView {
    let names = Memo::new(move |_| {
        let of = |data: &ChartData| {
            data.series.iter().map(|s| (s.name.clone(), s.hue.class(), s.dashed)).collect::<Vec<_>>()
        };
        data.with(|data| data.as_ref().map(of).unwrap_or_default())
    });
    let item = move |(name, hue, dashed): (String, &'static str, bool)| {
        let class = format!("key {hue}{}", if dashed { " dashed" } else { "" });
        let words = view! { <i></i> <bdi>{name.clone()}</bdi> };
        if names.with_untracked(Vec::len) < 2 {
            return view! { <span class=class>{words}</span> }.into_any();
        }
        let is_on = {
            let name = name.clone();
            move || hidden.with(|hidden| !hidden.contains(&name)).to_string()
        };
        let toggle = move |_| {
            hidden.update(|hidden| match hidden.iter().position(|other| *other == name) {
                Some(i) => drop(hidden.remove(i)),
                None => hidden.push(name.clone()),
            });
        };
        view! { <button type="button" class=class aria-pressed=is_on on:click=toggle>{words}</button> }
            .into_any()
    };
    let zone = Memo::new(move |_| match data.with(|data| data.as_ref().map(|data| data.spans.are_days())) {
        Some(true) => "Days of UTC".to_owned(),
        Some(false) => time_zone().unwrap_or_default(),
        None => String::new(),
    });
    view! {
        <footer>
            <div class="legend" role="group" aria-label="Series">
                {move || names.get().into_iter().map(item).collect_view()}
            </div>
            <span class="zone">{zone}</span>
        </footer>
    }
}
