//! The table of a workspace's grants, a page at a time.

use super::draft::Draft;
use super::grant_row::GrantRow;
use super::permission::{GrantView, PAGE, focus_add};
use crate::ui::{Column, Empty, Glyph, Pager, TableHead, whole};
use keygate_contract::ModelId;
use leptos::prelude::*;

const COLUMNS: &[Column] = &[
    Column { label: "Model", class: "" },
    Column { label: "Times / min", class: "num limit" },
    Column { label: "Tokens / min", class: "num limit" },
    Column { label: "", class: "acts" },
];

/// The table. Only the rows of the page are drawn.
#[component]
pub(super) fn Grants(draft: RwSignal<Draft>, view: GrantView) -> impl IntoView {
    let found = Memo::new(move |_| {
        view.q.with(|q| {
            draft.with(|draft| {
                // Rows may have gone from under the page.
                let total = draft.page(q, 0, 0).1;
                let page = view.page.get().min(total.saturating_sub(1) / PAGE);
                let (ids, _) = draft.page(q, page, PAGE);
                (ids, page, total)
            })
        })
    });
    let ids = Memo::new(move |_| {
        let reading = draft.with(Draft::reading);
        found.with(|(ids, ..)| ids.iter().map(|id| (reading, id.clone())).collect::<Vec<_>>())
    });
    let place = Memo::new(move |_| found.with(|(ids, page, total)| (page * PAGE, ids.len(), *total)));
    let page = move || found.with(|(_, page, _)| *page);
    let range = move || {
        let (before, rows, total) = place.get();
        let [first, last, total] = [before + 1, before + rows, total].map(|n| whole(n as u64));
        format!("{first}–{last} of {total}")
    };
    // What had the focus goes with the row.
    let on_gone = Callback::new(move |()| focus_add());
    let row = move |(_, id): (u32, ModelId)| {
        let row = draft.with_untracked(|draft| draft.row(&id));
        row.map(|row| view! { <GrantRow row draft on_gone /> })
    };
    let none = move || {
        view! {
            <Empty glyph=Glyph::Search title="No model found">
                <p>"No granted model has “"<bdi>{move || view.q.get()}</bdi>"” in its name, vendor or type."</p>
                <div class="acts">
                    <button type="button" class="btn" on:click=move |_| view.q.set(String::new())>"Clear search"</button>
                </div>
            </Empty>
        }
    };
    let some = move || {
        view! {
            <table class="table grants" role="table" aria-label="Granted models">
                <TableHead columns=COLUMNS />
                <tbody role="rowgroup">
                    <For each=move || ids.get() key=Clone::clone children=row />
                </tbody>
            </table>
            <div class="table-foot">
                <span>{range}</span>
                <div class="spring"></div>
                <Pager
                    has_previous=Signal::derive(move || page() > 0)
                    has_next=Signal::derive(move || place.with(|(before, rows, total)| before + rows < *total))
                    on_previous=Callback::new(move |()| view.page.set(untrack(page).saturating_sub(1)))
                    on_next=Callback::new(move |()| view.page.set(untrack(page) + 1))
                />
            </div>
        }
    };
    let is_none = Memo::new(move |_| ids.with(Vec::is_empty));
    view! {
        <div class="card">{move || if is_none.get() { none().into_any() } else { some().into_any() }}</div>
    }
}
