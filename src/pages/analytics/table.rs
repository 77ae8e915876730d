//! Every group, with all that is known of what it used.

use super::cells::cells;
use super::choice::{By, What};
use super::figures::{Group, passed};
use super::names::GroupNames;
use crate::api::Query;
use crate::routes::{ListView, Place};
use crate::state::{use_list_view, use_place};
use crate::ui::{Column, Empty, Glyph, Pages, RowPager, SkeletonRows, TableHead, now};
use keygate_contract::Usage;
use leptos::prelude::*;

/// The columns, of which the first says what the groups are.
const fn columns(first: &'static str) -> [Column; 9] {
    const fn num(label: &'static str) -> Column {
        Column { label, class: "num" }
    }
    [
        Column { label: first, class: "" },
        num("Calls"),
        num("Failures"),
        num("Tokens in"),
        num("Tokens out"),
        num("Cached"),
        num("Cost"),
        num("Share"),
        num("Change"),
    ]
}

const COLUMNS: [[Column; 9]; 3] =
    [columns(By::Model.words()), columns(By::Key.words()), columns(By::Workspace.words())];

/// How many groups stand on a page.
const PAGE: usize = 100;

/// The table, or what stands in its place where nothing was used.
#[component]
pub(super) fn GroupTable(
    rows: Memo<Option<Vec<Group>>>,
    usage: Query<Usage>,
    by: Memo<By>,
    what: Memo<What>,
    currency: Memo<String>,
    names: GroupNames,
) -> impl IntoView {
    let (view, place) = (use_list_view(), use_place());
    // Only that group: a model or a key is a filter, a workspace has a page of its own.
    let only = move |id: &str| {
        let (by, place, view) = (by.get(), place.get()?, view.get());
        match by {
            By::Model => Some(ListView { model: id.to_owned(), ..view }.at(&place)),
            By::Key => Some(ListView { key: id.to_owned(), ..view }.at(&place)),
            By::Workspace => {
                let place = Place::Analytics { region: place.region()?.clone(), workspace: id.into() };
                Some(ListView { by: String::new(), ..view }.at(&place))
            }
        }
    };
    let pages = Pages::of(PAGE, move || rows.with(|rows| rows.as_ref().map_or(0, Vec::len)));
    Effect::new(move |_| {
        by.track();
        pages.go(0);
    });
    let shown = Memo::new(move |_| {
        let before = pages.before();
        rows.with(|rows| rows.iter().flatten().skip(before).take(PAGE).cloned().collect::<Vec<Group>>())
    });
    let total =
        Memo::new(move |_| rows.with(|rows| rows.iter().flatten().map(|group| group.amount).sum::<f64>()));
    // A row stays while its figures change, and with it the focus.
    let row = move |first: Group| {
        let id = first.id.clone();
        let group = Memo::new(move |before: Option<&Group>| {
            let now = shown.with(|rows| rows.iter().find(|group| group.id == first.id).cloned());
            now.or_else(|| before.cloned()).unwrap_or_else(|| first.clone())
        });
        let name = {
            let id = id.clone();
            move || names.of(&id)
        };
        let name = if id.is_empty() {
            view! { <span class="main">{name}</span> <div class="sub">"None was named, or one that the region does not have"</div> }.into_any()
        } else {
            let class = if by.get_untracked() == By::Model { "main mono" } else { "main" };
            view! { <a class=class href=move || only(&id) data-noscroll><bdi>{name}</bdi></a> }.into_any()
        };
        let figures = move || {
            group
                .with(|group| cells(&group.figures, group.amount, group.before, total.get(), &currency.get()))
        };
        view! { <tr role="row"><td role="cell" class="lead">{name}</td> {figures}</tr> }.into_any()
    };
    let all = move || {
        let (what, currency, usage) = (what.get(), currency.get(), usage.value()?);
        let passed = passed(&usage, now());
        let before = usage.previous.as_ref().map(|period| what.amount(&period.total, &currency) * passed);
        let figures = usage.period.total;
        let amount = what.amount(&figures, &currency);
        Some(view! {
            <tr role="row" class="all">
                <td role="cell" class="lead"><span class="main">"All"</span></td>
                {cells(&figures, amount, before, amount, &currency)}
            </tr>
        })
    };
    let is_awaited = Memo::new(move |_| rows.with(Option::is_none));
    let body = move || {
        if is_awaited.get() {
            return view! { <SkeletonRows columns=&COLUMNS[0] /> }.into_any();
        }
        view! {
            <tbody role="rowgroup">
                <For each=move || shown.get() key=move |group| (by.get_untracked(), group.id.clone()) children=row />
                {all}
            </tbody>
        }
        .into_any()
    };
    let is_empty = Memo::new(move |_| rows.with(|rows| rows.as_ref().is_some_and(Vec::is_empty)));
    let foot = move || {
        let share = match what.get() {
            What::Tokens => "tokens".to_owned(),
            What::Calls => "calls".to_owned(),
            What::Cost => format!("costs in {}", currency.get()),
        };
        format!(
            "Share and change of {share}. The change is on as much of the range before as has passed of this one."
        )
    };
    let keys = move || {
        let place = place.get()?;
        let (region, workspace) = (place.region()?.clone(), place.workspace()?.clone());
        Some(Place::ApiKeys { region, workspace }.to_string())
    };
    move || {
        if is_empty.get() {
            return view! {
                <div class="card">
                    <Empty glyph=Glyph::Bars title="Nothing was used">
                        <p>"No call ended in this range, nor in the one before it. Choose a longer range, or call a model with an API key."</p>
                        <div class="acts"><a class="btn" href=keys>"Go to API keys"</a></div>
                    </Empty>
                </div>
            }
            .into_any();
        }
        view! {
            <section class="card" aria-label="Groups">
                <div class="scroll">
                    <table class="table usage" role="table" aria-label="Groups">
                        {move || view! { <TableHead columns=&COLUMNS[by.get() as usize] /> }}
                        {body}
                    </table>
                </div>
                <div class="table-foot">
                    <span>{foot}</span>
                    <div class="spring"></div>
                    <RowPager pages />
                </div>
            </section>
        }
        .into_any()
    }
}
