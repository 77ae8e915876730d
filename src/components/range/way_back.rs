//! The way back from a piece of the past.

use super::{Lately, PageRange, use_range};
use crate::routes::ListView;
use crate::state::{use_list_view, use_navigation, use_place};
use crate::ui::dom::{first_in, focus};
use crate::ui::{Glyph, Icon, rfc3339};
use leptos::prelude::*;

/// Shows a piece of the range, from one moment to another in milliseconds since 1970. The range stays in the address: the
/// way back leads to it.
pub fn use_piece() -> Callback<(f64, f64)> {
    let (view, place, navigation) = (use_list_view(), use_place(), use_navigation());
    Callback::new(move |(from, to): (f64, f64)| {
        let [from, to] = [from, to].map(|end| rfc3339(end).unwrap_or_default());
        if let Some(place) = place.get_untracked() {
            let view = ListView { from, to, page: String::new(), ..view.get_untracked() };
            navigation.within(&view.at(&place));
        }
    })
}

/// Leads from a piece of the past to the range that it was chosen in, or else the usual one.
#[component]
pub fn WayBack(
    /// Those that the page has.
    ranges: &'static [Lately],
    /// The one that is left out of the address.
    usual: Lately,
) -> impl IntoView {
    let (view, place, range) = (use_list_view(), use_place(), use_range(ranges, usual));
    let is_past = Memo::new(move |_| matches!(range.get(), PageRange::Between(..)));
    let back = Memo::new(move |_| {
        view.with(|view| ranges.iter().copied().find(|range| range.name() == view.range)).unwrap_or(usual)
    });
    let address = move || {
        let view = ListView { from: String::new(), to: String::new(), page: String::new(), ..view.get() };
        place.get().map(|place| view.at(&place))
    };
    // The link goes when it has been followed.
    let hand_on_focus = move |_| {
        let button = format!("button[data-range=\"{}\"]", back.get_untracked().name());
        if let Some(button) = document().body().and_then(|body| first_in(&body, &button)) {
            focus(&button);
        }
    };
    move || {
        is_past.get().then(|| {
            view! {
                <a class="btn quiet" href=address data-noscroll on:click=hand_on_focus>
                    <Icon glyph=Glyph::Undo />
                    {move || format!("Back to the {}", back.get().words())}
                </a>
            }
        })
    }
}
