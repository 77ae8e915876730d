//! How fresh the figures are.

use super::refresh::Refresh;
use crate::components::PageRange;
use crate::ui::Short;
use leptos::prelude::*;

/// Whether the page keeps itself up to date, when it last did, and a button to stop that.
#[component]
pub(super) fn LiveState(refresh: Refresh, range: Memo<PageRange>, failing: Signal<bool>) -> impl IntoView {
    let rests = move || refresh.paused.get() || refresh.hidden.get();
    let badge = move || {
        let (class, words) = match () {
            () if rests() => ("badge", "Paused"),
            () if failing.get() => ("badge warn", "Not updating"),
            () => ("badge good", "Live"),
        };
        view! { <span class=class>{words}</span> }
    };
    let updated = move || {
        let when = refresh.updated().map(|at| Short::Seconds.write(at));
        when.map(|when| format!("Updated {when}"))
    };
    let act = move || if refresh.paused.get() { "Resume" } else { "Pause" };
    view! {
        <div class="live">
            {move || range.get().is_live().then_some(badge)}
            <span class="updated">{updated}</span>
            {move || range.get().is_live().then(|| view! {
                <button type="button" class="btn quiet small" on:click=move |_| refresh.toggle()>{act}</button>
            })}
        </div>
    }
}
