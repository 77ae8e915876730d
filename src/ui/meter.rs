//! How much of a limit is used.

use leptos::prelude::*;

/// A bar that fills up to a limit. The number stands beside it in words, so it is hidden from assistive technology.
#[component]
pub fn Meter(
    /// How much is used.
    #[prop(into)]
    value: u64,
    /// The limit.
    #[prop(into)]
    max: u64,
) -> impl IntoView {
    let percent = percent(value, max);
    let class = match percent {
        100.. => "meter bad",
        80..100 => "meter warn",
        _ => "meter",
    };
    view! {
        <div class=class aria-hidden="true">
            <i style:inline-size=format!("{percent}%")></i>
        </div>
    }
}

fn percent(value: u64, max: u64) -> u64 {
    value.saturating_mul(100).checked_div(max).map_or(100, |percent| percent.min(100))
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn a_bar_is_never_longer_than_its_track() {
        assert_eq!([percent(0, 20), percent(5, 20), percent(25, 20), percent(0, 0)], [0, 25, 100, 100]);
        assert_eq!(percent(u64::MAX / 100, u64::MAX / 100), 100);
    }
}
