//! How much of a limit is used.

use leptos::prelude::*;

/// A bar that fills up to a limit. The number stands beside it in words, so it is hidden from assistive technology.
#[component]
pub fn Meter(
    /// How much is used.
    value: u32,
    /// The limit.
    max: u32,
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

fn percent(value: u32, max: u32) -> u32 {
    if max == 0 { 100 } else { (u64::from(value) * 100 / u64::from(max)).min(100) as u32 }
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn a_bar_is_never_longer_than_its_track() {
        assert_eq!([percent(0, 20), percent(5, 20), percent(25, 20), percent(0, 0)], [0, 25, 100, 100]);
        assert_eq!(percent(u32::MAX, u32::MAX), 100);
    }
}
