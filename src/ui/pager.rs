//! The way through a list's pages.

use leptos::prelude::*;

/// Two buttons; nothing where there is one page only.
#[component]
pub fn Pager(
    /// Whether this is not the first page.
    has_previous: Signal<bool>,
    /// Whether another page follows.
    has_next: Signal<bool>,
    /// Which page this is, such as `Page 1 of 13`.
    #[prop(optional, into)]
    place: MaybeProp<String>,
    /// Goes back a page.
    on_previous: Callback<()>,
    /// Goes on a page.
    on_next: Callback<()>,
) -> impl IntoView {
    let button = |label: &'static str, on: Signal<bool>, act: Callback<()>| {
        let press = move |_| {
            if on.get_untracked() {
                act.run(());
            }
        };
        view! {
            <button type="button" class="btn small" aria-disabled=move || (!on.get()).then_some("true") on:click=press>
                {label}
            </button>
        }
    };
    // A button that has the focus stays while the other one changes.
    let is_shown = Memo::new(move |_| has_previous.get() || has_next.get());
    let words = move || view! { <span class="nowrap">{move || place.get()}</span> };
    move || {
        is_shown.get().then(|| {
            (button("Previous", has_previous, on_previous), words(), button("Next", has_next, on_next))
        })
    }
}

/// Which page is shown of rows that are all here.
#[derive(Clone, Copy)]
pub struct Pages {
    size: usize,
    chosen: RwSignal<usize>,
    count: Memo<usize>,
}

impl Pages {
    /// Pages of so many rows each. `rows` tells how many there are in all.
    pub fn of(size: usize, rows: impl Fn() -> usize + Send + Sync + 'static) -> Self {
        let count = Memo::new(move |_| rows().div_ceil(size).max(1));
        Self { size, chosen: RwSignal::new(0), count }
    }

    /// How many rows come before those of the page. It is tracked.
    pub fn before(self) -> usize {
        self.here() * self.size
    }

    /// Whether there are more pages than one. It is tracked.
    pub fn are_several(self) -> bool {
        self.count.get() > 1
    }

    /// Goes to a page.
    pub fn go(self, page: usize) {
        self.chosen.set(page);
    }

    fn here(self) -> usize {
        // There may be fewer than when it was chosen.
        self.chosen.get().min(self.count.get() - 1)
    }
}

/// The way through pages of rows that are all here.
#[component]
pub fn RowPager(
    /// Which one is shown, of how many.
    pages: Pages,
) -> impl IntoView {
    let go = move |to: fn(usize) -> usize| Callback::new(move |()| pages.go(to(untrack(|| pages.here()))));
    view! {
        <Pager
            has_previous=Signal::derive(move || pages.here() > 0)
            has_next=Signal::derive(move || pages.here() + 1 < pages.count.get())
            place=Signal::derive(move || Some(format!("Page {} of {}", pages.here() + 1, pages.count.get())))
            on_previous=go(|page| page.saturating_sub(1))
            on_next=go(|page| page + 1)
        />
    }
}
