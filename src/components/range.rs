//! The range of time that a page is about: it ends now, or is a piece of the past.

mod custom;
mod lately;
mod steps;
mod way_back;

pub use lately::Lately;
pub use steps::{Steps, use_steps, use_told};
pub use way_back::{WayBack, use_piece};

use super::list_navigation::use_list_navigation;
use crate::api::UsageRange;
use crate::routes::ListView;
use crate::state::use_list_view;
use crate::ui::{Short, is_this_year, millis, rfc3339};
use custom::CustomRange;
use leptos::prelude::*;

/// The range of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageRange {
    /// It ends now.
    Lately(Lately),
    /// From one moment to another, in milliseconds since 1970.
    Between(i64, i64),
}

impl PageRange {
    /// The one that the fields of the address tell, or else the usual one.
    fn read(name: &str, ends: (Option<f64>, Option<f64>), ranges: &[Lately], usual: Lately) -> Self {
        match ends {
            (Some(from), Some(to)) if from < to => Self::Between(from as i64, to as i64),
            _ => Self::Lately(ranges.iter().copied().find(|range| range.name() == name).unwrap_or(usual)),
        }
    }

    /// Whether it ends now.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Lately(_))
    }

    /// Within a sentence: `last 24 hours`, or from when to when.
    pub fn words(self) -> String {
        match self {
            Self::Lately(range) => range.words().to_owned(),
            Self::Between(from, to) => {
                let ends = [from, to].map(|end| end as f64);
                let form =
                    if ends.into_iter().all(is_this_year) { Short::DayClock } else { Short::YearClock };
                ends.map(|end| form.write(end)).join(" to ")
            }
        }
    }
}

impl From<PageRange> for UsageRange {
    fn from(range: PageRange) -> Self {
        match range {
            PageRange::Lately(range) => Self::Last(range.millis()),
            PageRange::Between(from, to) => Self::Between(from, to),
        }
    }
}

/// The range that the address names, of those that the page has.
pub fn use_range(ranges: &'static [Lately], usual: Lately) -> Memo<PageRange> {
    let view = use_list_view();
    Memo::new(move |_| {
        view.with(|ListView { range, from, to, .. }| {
            let moment = |text: &str| millis(text).filter(|_| !text.is_empty());
            PageRange::read(range, (moment(from), moment(to)), ranges, usual)
        })
    })
}

/// The view of a piece of the past, in milliseconds since 1970. A range that ends now is gone.
fn set_between(view: &mut ListView, from: f64, to: f64) {
    view.range.clear();
    view.from = rfc3339(from).unwrap_or_default();
    view.to = rfc3339(to).unwrap_or_default();
}

/// Chooses the range of the page; it stands in the address.
#[component]
pub fn RangePicker(
    /// The range of the page.
    range: Memo<PageRange>,
    /// Those that end now.
    ranges: &'static [Lately],
    /// The one that is left out of the address.
    usual: Lately,
) -> impl IntoView {
    let navigation = use_list_navigation();
    let choose = move |this: Lately| {
        navigation.narrow(|view| {
            view.range = if this == usual { String::new() } else { this.name().to_owned() };
            view.from.clear();
            view.to.clear();
        });
    };
    let button = move |this: Lately| {
        let is_chosen = move || (range.get() == PageRange::Lately(this)).to_string();
        view! {
            <button type="button" data-range=this.name() aria-pressed=is_chosen on:click=move |_| choose(this)>
                {this.label()}
            </button>
        }
    };
    let between = Callback::new(move |(from, to)| navigation.narrow(|view| set_between(view, from, to)));
    view! {
        <div class="tabs" role="group" aria-label="Range of time">
            {ranges.iter().copied().map(button).collect_view()}
            <CustomRange chosen=range on_choose=between />
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANGES: &[Lately] = &[Lately::Hour, Lately::Day];

    #[test]
    fn a_range_the_page_does_not_have_is_the_usual_one() {
        let read = |name| PageRange::read(name, (None, None), RANGES, Lately::Day);
        assert_eq!(read("1h"), PageRange::Lately(Lately::Hour));
        for other in ["", "30d", "1H", "x"] {
            assert_eq!(read(other), PageRange::Lately(Lately::Day), "{other}");
        }
    }

    #[test]
    fn a_piece_of_the_past_needs_both_ends_in_order() {
        let read = |from, to| PageRange::read("1h", (from, to), RANGES, Lately::Day);
        assert_eq!(read(Some(1.0), Some(2.0)), PageRange::Between(1, 2));
        for (from, to) in
            [(Some(1.0), None), (None, Some(1.0)), (Some(2.0), Some(2.0)), (Some(3.0), Some(2.0))]
        {
            assert_eq!(read(from, to), PageRange::Lately(Lately::Hour));
        }
    }
}
