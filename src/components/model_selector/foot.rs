//! Below the rows: where in the list they are, and what is chosen.

use super::picking::{PAGE, Picking, Showing};
use crate::ui::{Pager, whole};
use leptos::prelude::*;

/// The way through the pages, and all results in one act.
#[component]
pub(super) fn Foot(picking: Picking) -> impl IntoView {
    let (rows, total) = (picking.rows, picking.total);
    let range = move || {
        let first = picking.page() * PAGE;
        let last = first + rows.with(Vec::len);
        format!("{}–{} of {}", whole(first as u64 + 1), whole(last as u64), whole(total.get() as u64))
    };
    let pages = move || total.get().div_ceil(PAGE).max(1);
    let place = Signal::derive(move || {
        Some(format!("Page {} of {}", whole(picking.page() as u64 + 1), whole(pages() as u64)))
    });
    let busy = picking.walk.busy();
    // How many there are is not known while the rows are those of before.
    let is_waiting = Memo::new(move |_| busy.get() || picking.is_outdated());
    let all_chosen = Memo::new(move |_| {
        matches!(picking.showing.get(), Showing::Chosen(..))
            || picking.whole.with(|whole| picking.part.with(|part| whole.as_ref() == Some(&part.filter)))
    });
    // One button for all of it, so that the focus stays on it.
    let act = move |_| {
        if is_waiting.get_untracked() {
        } else if all_chosen.get_untracked() {
            picking.clear();
        } else {
            picking.choose_all();
        }
    };
    let words = move || {
        let total = whole(total.get() as u64);
        match (busy.get(), all_chosen.get()) {
            (true, _) => format!("Selecting {} of {total}…", whole(picking.met.get() as u64)),
            (false, true) => "Clear selection".to_owned(),
            (false, false) => format!("Select all {total} results"),
        }
    };
    let is_offered = Memo::new(move |_| total.get() > PAGE || all_chosen.get());
    view! {
        <div class="table-foot">
            <span class="nowrap">{range}</span>
            {move || is_offered.get().then(|| view! {
                <button type="button" class="btn quiet small" aria-disabled=move || is_waiting.get().then_some("true") on:click=act>{words}</button>
            })}
            <div class="spring"></div>
            <Pager
                has_previous=Signal::derive(move || picking.page() > 0)
                has_next=Signal::derive(move || picking.has_next())
                place
                on_previous=Callback::new(move |()| picking.previous())
                on_next=Callback::new(move |()| picking.next())
            />
        </div>
    }
}

/// How many are chosen, and where they are.
#[component]
pub(super) fn Chosen(picking: Picking, count: Memo<usize>) -> impl IntoView {
    let elsewhere = Memo::new(move |_| count.get().saturating_sub(picking.page_tick().1));
    let words = move || match (count.get(), elsewhere.get()) {
        (0, _) => "Nothing selected".to_owned(),
        (n, 0) => format!("{} selected", whole(n as u64)),
        (1, _) => "1 selected, on another page".to_owned(),
        (n, 1) => format!("{} selected, 1 on another page", whole(n as u64)),
        (n, m) => format!("{} selected, {} on other pages", whole(n as u64), whole(m as u64)),
    };
    let is_turned = move || matches!(picking.showing.get(), Showing::Chosen(..));
    let is_offered = Memo::new(move |_| count.get() > 0 || is_turned());
    view! {
        <span class="muted chosen">
            <span role="status">{words}</span>
            {move || is_offered.get().then(|| view! {
                " · "
                <button type="button" class="link" on:click=move |_| picking.turn_over()>
                    {move || if is_turned() { "Show all" } else { "Show selected" }}
                </button>
            })}
        </span>
    }
}
