//! Each model: now, and in the range.

use super::figures::failure_rate;
use crate::api::Query;
use crate::routes::ListView;
use crate::state::{use_list_view, use_place};
use crate::ui::{
    Column, Meter, Pages, RowPager, Short, SkeletonRows, TableHead, duration, millis, percent, whole,
};
use keygate_contract::{Live, LiveModel, LiveWindow, Usage, UsageFigures};
use leptos::prelude::*;
use std::collections::{HashMap, HashSet};

const COLUMNS: &[Column] = &[
    Column { label: "Model", class: "" },
    Column { label: "Calls / min, now", class: "" },
    Column { label: "Tokens / min, now", class: "" },
    Column { label: "Calls", class: "num" },
    Column { label: "Failures", class: "num" },
    Column { label: "Latency p95", class: "num" },
];

/// Models on a page of the table.
const PAGE: usize = 100;

/// What is known of one.
#[derive(Clone, Debug, PartialEq)]
struct ModelRow {
    /// Its name; empty: no model.
    model: String,
    /// None: it may not be called any more.
    live: Option<LiveModel>,
    /// None: it was not called in the range.
    figures: Option<UsageFigures>,
}

/// Those that were called most come first; then the others that the workspace may call, or has called before.
fn rows(usage: Option<&Usage>, live: Option<&Live>, only: &str) -> Vec<ModelRow> {
    let totals = usage.map(|usage| usage.period.totals.as_slice()).unwrap_or_default();
    let live = live.map(|live| live.items.as_slice()).unwrap_or_default();
    let now: HashMap<_, _> = live.iter().map(|item| (&item.model, item)).collect();
    let called = totals.iter().filter_map(|total| {
        let model = total.of.model.as_ref()?;
        let live = now.get(model).map(|item| (*item).clone());
        Some(ModelRow { model: model.to_string(), live, figures: Some(total.figures.clone()) })
    });
    let mut rows: Vec<_> = called.collect();
    let in_range: HashSet<_> = totals.iter().filter_map(|total| total.of.model.as_ref()).collect();
    let others = live.iter().filter(|item| !in_range.contains(&item.model));
    rows.extend(others.map(|item| ModelRow {
        model: item.model.to_string(),
        live: Some(item.clone()),
        figures: None,
    }));
    rows.retain(|row| only.is_empty() || row.model == only);
    rows
}

/// The table. Nothing stands in its place where there is no model.
#[component]
pub(super) fn ModelTable(usage: Query<Usage>, live: Query<Live>) -> impl IntoView {
    let view = use_list_view();
    let rows = Memo::new(move |_| {
        let only = view.get().model;
        usage
            .state()
            .with(|usage| live.state().with(|live| rows(usage.value.as_ref(), live.value.as_ref(), &only)))
    });
    let pages = Pages::of(PAGE, move || rows.with(Vec::len));
    let shown = Memo::new(move |_| {
        let before = pages.before();
        rows.with(|rows| rows.iter().skip(before).take(PAGE).cloned().collect::<Vec<_>>())
    });
    let awaited = Memo::new(move |_| {
        let waits = |there: bool, failed: bool| !there && !failed;
        usage.state().with(|s| waits(s.value.is_some(), s.error.is_some()))
            || live.state().with(|s| waits(s.value.is_some(), s.error.is_some()))
    });
    let is_empty = Memo::new(move |_| rows.with(Vec::is_empty) && !awaited.get());
    let until = move || {
        let end = live.state().with(|state| state.value.as_ref().and_then(|live| millis(live.time.as_str())));
        let keys = view.with(|view| if view.key.is_empty() { "" } else { ", of all keys" });
        end.map(|end| format!("“Now” is the minute to {}{keys}.", Short::Seconds.write(end)))
    };
    let row = move |first: ModelRow| {
        let model = first.model.clone();
        let this = Memo::new(move |before: Option<&ModelRow>| {
            let now = shown.with(|rows| rows.iter().find(|row| row.model == model).cloned());
            now.or_else(|| before.cloned()).unwrap_or_else(|| first.clone())
        });
        view! { <Row row=this /> }
    };
    let body = move || {
        if awaited.get() {
            view! { <SkeletonRows columns=COLUMNS /> }.into_any()
        } else {
            view! {
                <tbody role="rowgroup">
                    <For each=move || shown.get() key=|row| row.model.clone() children=row />
                </tbody>
            }
            .into_any()
        }
    };
    move || {
        (!is_empty.get()).then(|| {
            view! {
                <section class="card" aria-label="Models">
                    <table class="table traffic" role="table" aria-label="Models">
                        <TableHead columns=COLUMNS />
                        {body}
                    </table>
                    <div class="table-foot">
                        <span>{until}</span>
                        <div class="spring"></div>
                        <RowPager pages />
                    </div>
                </section>
            }
        })
    }
}

#[component]
fn Row(row: Memo<ModelRow>) -> impl IntoView {
    let (view, place) = (use_list_view(), use_place());
    let model = row.with_untracked(|row| row.model.clone());
    let name = if model.is_empty() {
        view! {
            <span class="main">"No model"</span>
            <div class="sub">"None was named, or one that the region does not have"</div>
        }
        .into_any()
    } else {
        let only = {
            let model = model.clone();
            move || {
                let view = ListView { model: model.clone(), page: String::new(), ..view.get() };
                place.get().map(|place| view.at(&place))
            }
        };
        view! { <a class="main mono" href=only data-noscroll><bdi>{model}</bdi></a> }.into_any()
    };
    let now = move |workspace: fn(LiveWindow) -> (u64, Option<u64>)| {
        move || match row.with(|row| row.live.as_ref().map(|live| (live.workspace, live.account))) {
            Some((own, account)) => against(workspace(own), workspace(account)),
            None => view! { <span class="sub">"–"</span> }.into_any(),
        }
    };
    let figure = move |of: fn(&UsageFigures) -> Option<String>| {
        move || row.with(|row| row.figures.as_ref().and_then(of)).unwrap_or_else(|| "–".to_owned())
    };
    let failures = move || {
        let failed = |figures: &UsageFigures| figures.failures > 0;
        let class = if row.with(|row| row.figures.as_ref().is_some_and(failed)) { "" } else { "sub" };
        view! { <span class=class>{figure(|figures| failure_rate(figures).map(percent))()}</span> }
    };
    view! {
        <tr role="row">
            <td role="cell" class="lead">{name}</td>
            <td role="cell" data-label="Calls / min, now">{now(|window| (window.calls, Some(window.rpm)))}</td>
            <td role="cell" data-label="Tokens / min, now">{now(|window| (window.tokens, window.tpm))}</td>
            <td role="cell" class="num" data-label="Calls">{figure(|figures| Some(whole(figures.calls)))}</td>
            <td role="cell" class="num" data-label="Failures">{failures}</td>
            <td role="cell" class="num" data-label="Latency p95">
                {figure(|figures| figures.latency_ms.map(|latency| duration(latency.p95)))}
            </td>
        </tr>
    }
}

/// What the workspace uses of its limit, and the account of its own.
fn against((used, limit): (u64, Option<u64>), (of_all, account): (u64, Option<u64>)) -> AnyView {
    let Some((limit, account)) = limit.zip(account) else {
        return view! { <span class="sub">"not metered in tokens"</span> }.into_any();
    };
    view! {
        <div class="against">
            <span><b>{whole(used)}</b> " of " {whole(limit)}</span>
            <Meter value=used max=limit />
            <span class="sub">"Account " {whole(of_all)} " of " {whole(account)}</span>
            <Meter value=of_all max=account />
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use keygate_contract::{Timestamp, UsageOf, UsagePeriod, UsageStep, UsageTotal};

    #[test]
    fn models_that_were_called_come_first_and_every_live_one_is_there_once() {
        let time = || Timestamp::from_rfc3339("2026-11-20T08:30:00.000Z".into());
        let total = |model: &str, calls| UsageTotal {
            of: UsageOf { model: Some(model.into()), ..UsageOf::default() },
            figures: UsageFigures { calls, ..UsageFigures::default() },
        };
        let period = UsagePeriod {
            from: time(),
            to: time(),
            items: vec![],
            total: UsageFigures::default(),
            totals: vec![total("b", 9), total("", 2)],
        };
        let usage = Usage { step: UsageStep::Minute, period, previous: None };
        let window = LiveWindow { calls: 0, rpm: 1, tokens: 0, tpm: None };
        let item = |model: &str| LiveModel { model: model.into(), workspace: window, account: window };
        let live = Live { time: time(), items: vec![item("a"), item("b")] };
        let names = |only: &str| {
            let rows = rows(Some(&usage), Some(&live), only);
            rows.into_iter().map(|r| (r.model, r.live.is_some(), r.figures.is_some())).collect::<Vec<_>>()
        };
        assert_eq!(
            names(""),
            [("b".into(), true, true), (String::new(), false, true), ("a".into(), true, false)]
        );
        assert_eq!(names("a"), [("a".into(), true, false)]);
    }
}
