//! What was used over time, by whom or with what, and what it cost.

mod cells;
mod choice;
mod figures;
mod names;
mod table;
mod toolbar;

use crate::api::{Queries, UsageKey, UsageRange, WorkspaceKey};
use crate::components::{
    ErrorNote, ErrorView, Lately, Named, PageHead, PageRange, RangePicker, Steps, use_list_navigation,
    use_piece, use_range, use_steps, use_told,
};
use crate::state::{Workspaces, use_list_view, use_workspace_place};
use crate::ui::dom::end_boot;
use crate::ui::{Chart, ChartShape, Glyph, Icon, compact, millis, money, now};
use cells::cents;
use choice::{By, What};
use figures::{chart, currencies, groups, passed, usual_currency};
use keygate_contract::{Timestamp, Usage, UsageGroup, UsageStep};
use leptos::prelude::*;
use names::use_group_names;
use table::GroupTable;
use toolbar::Toolbar;

const RANGES: &[Lately] = &[Lately::Week, Lately::Month, Lately::Quarter, Lately::Year];
const USUAL: Lately = Lately::Month;

/// In spans of what length a range is shown.
fn wanted_step(range: PageRange) -> UsageStep {
    let is_whole_days = match range {
        PageRange::Lately(_) => true,
        PageRange::Between(from, to) => [from, to].into_iter().all(|end| UsageStep::Day.floor(end) == end),
    };
    let is_short = UsageRange::from(range).length() <= Lately::Week.millis();
    if is_short || !is_whole_days { UsageStep::Hour } else { UsageStep::Day }
}

/// The range as it was summed up.
fn range_words(range: PageRange, usage: Option<&Usage>) -> String {
    let days = if usage.is_some_and(|usage| usage.step == UsageStep::Day) { " of UTC" } else { "" };
    let end = |end: &Timestamp| millis(end.as_str()).map(|end| end as i64);
    let ends = usage.and_then(|usage| end(&usage.period.from).zip(end(&usage.period.to)));
    match (range, ends) {
        (PageRange::Between(..), Some((from, to))) => PageRange::Between(from, to).words(),
        (range, _) => format!("{}{days}", range.words()),
    }
}

/// What was used over time.
#[component]
pub fn AnalyticsPage() -> impl IntoView {
    let (queries, workspaces) = (Queries::expect(), Workspaces::expect());
    let (workspace, view, navigation) = (use_workspace_place(), use_list_view(), use_list_navigation());
    let Steps { range, step } = use_steps(use_range(RANGES, USUAL), wanted_step);
    let by = Memo::new(move |_| view.with(|view| By::of_name(&view.by)));
    let what = Memo::new(move |_| view.with(|view| What::of_name(&view.what)));
    let names = use_group_names(workspace, by);

    let key = move || {
        let (WorkspaceKey { region, id }, by) = (workspace.get()?, by.get());
        let of_region = by == By::Workspace;
        Some(UsageKey {
            region,
            workspace: (!of_region).then_some(id),
            range: range.get().into(),
            step: step.get()?,
            group_by: by.group(),
            totals_by: UsageGroup::None,
            model: view.with(|view| view.model.clone()),
            // A key is of one workspace.
            api_key: if of_region { String::new() } else { view.with(|view| view.key.clone()) },
            previous: false,
        })
    };
    // The range before is read without its groups over time: nobody sees them, and they are most of the answer.
    let grouped = queries.usage(Signal::derive(key));
    let whole = queries.usage(Signal::derive(move || {
        let key = key()?;
        Some(UsageKey { totals_by: key.group_by, group_by: UsageGroup::None, previous: true, ..key })
    }));
    // Bars and sums of different ranges are never beside each other.
    let [grouped, usage] = grouped.together_with(whole);
    let told = use_told(range, usage);
    let file = move || {
        let key = key()?;
        queries.client.address(&key.region, &key.csv_path())
    };

    let state = usage.state();
    let all_currencies =
        Memo::new(move |_| state.with(|state| state.value.as_ref().map(currencies).unwrap_or_default()));
    let currency = Memo::new(move |_| {
        let chosen = view.with(|view| view.currency.clone());
        let all = all_currencies.get();
        let usual = || state.with(|state| state.value.as_ref().and_then(usual_currency)).unwrap_or_default();
        if all.contains(&chosen) { chosen } else { usual() }
    });
    // Of several currencies the address keeps the one that costs are shown in: another grouping or range would show
    // another one.
    Effect::new(move |_| {
        let is_open = view.with(|view| view.currency.is_empty()) && all_currencies.with(|all| all.len() > 1);
        if is_open && what.get() == What::Cost && !state.with(|state| state.outdated) {
            let shown = currency.get();
            navigation.narrow(|view| view.currency = shown);
        }
    });
    let rows = Memo::new(move |_| {
        let (by, what, currency) = (by.get(), what.get(), currency.get());
        state.with(|state| {
            state.value.as_ref().map(|usage| groups(usage, passed(usage, now()), by, what, &currency))
        })
    });
    let data = Signal::derive(move || {
        let (by, what, currency, rows) = (by.get(), what.get(), currency.get(), rows.get()?);
        let (grouped, usage) = (grouped.value()?, usage.value()?);
        Some(chart((&grouped, &usage), &rows, by, what, &currency, |id| names.unique(id, &rows)))
    });
    let failed = Memo::new(move |_| usage.error().or_else(|| grouped.error()));
    let is_shown = Memo::new(move |_| usage.value().is_some() && grouped.value().is_some());
    Effect::new(move |_| {
        if is_shown.get() || failed.with(Option::is_some) {
            end_boot();
        }
    });
    let retry = Callback::new(move |()| {
        usage.retry();
        grouped.retry();
    });
    let brush = use_piece();

    let name = Memo::new(move |_| workspaces.current.with(|w| w.as_ref().map(|w| w.name.clone())));
    let intro = move || match by.get() {
        By::Workspace => "Usage and cost of all workspaces of this region.".into_any(),
        By::Model | By::Key => view! { "Usage and cost of " <Named name /> "." }.into_any(),
    };
    let title = Signal::derive(move || {
        let of = if what.get() == What::Cost { currency.get() } else { String::new() };
        let of = if of.is_empty() { of } else { format!(" in {of}") };
        format!("{}{of} by {}", what.get().words(), by.get().in_title())
    });
    let note = Signal::derive(move || {
        let total =
            state.with(|s| s.value.as_ref().map(|u| what.get().amount(&u.period.total, &currency.get())));
        let total = total.map(|total| match what.get() {
            What::Cost if currency.with(String::is_empty) => String::new(),
            What::Cost => money(cents(total), &currency.get()),
            What::Tokens | What::Calls => compact(total),
        });
        let total = total.filter(|total| !total.is_empty()).map(|total| format!("{total}, "));
        let range = state.with(|s| range_words(told.get(), s.value.as_ref()));
        format!("{}{range}", total.unwrap_or_default())
    });
    let empty = Signal::derive(move || match what.get() {
        What::Cost if currency.with(String::is_empty) => {
            "The catalogue has no price for what was used, or nothing was.".to_owned()
        }
        _ => "Nothing was used then.".to_owned(),
    });
    let missing =
        Memo::new(move |_| workspaces.current.with(Option::is_none).then(|| workspaces.error()).flatten());
    let failed_whole = Memo::new(move |_| if is_shown.get() { None } else { failed.get() });
    let failed_again =
        Signal::derive(move || failed.get().filter(|error| is_shown.get() && !error.is_away()));
    let outdated = Memo::new(move |_| state.with(|s| s.outdated));
    let figures = move || {
        match failed_whole.get() {
        Some(error) => {
            view! { <div class="card"><ErrorView error what="the usage" on_retry=retry /></div> }.into_any()
        }
        None => view! {
            <div class="monitor" aria-busy=move || outdated.get().to_string()>
                <Chart title note data shape=ChartShape::StackedBars empty file_name="keygate-analytics" on_brush=brush />
                <GroupTable rows usage by what currency names />
            </div>
        }
        .into_any(),
    }
    };
    view! {
        <PageHead title="Analytics" scope=Signal::derive(move || name.get()) intro=intro.into_any()>
            <div class="head-acts">
                <RangePicker range ranges=RANGES usual=USUAL />
                <a class="btn" href=file download rel="external">
                    <Icon glyph=Glyph::Download />
                    "Download CSV"
                </a>
            </div>
        </PageHead>
        {move || match missing.get() {
            Some(error) => {
                let retry = Callback::new(move |()| workspaces.retry());
                view! { <div class="card"><ErrorView error what="the workspace" on_retry=retry /></div> }.into_any()
            }
            None => view! {
                <Toolbar by what range currency currencies=all_currencies />
                <div class="list-note"><ErrorNote error=failed_again on_retry=retry /></div>
                {figures}
            }
            .into_any(),
        }}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_is_shown_in_hours_and_more_in_days() {
        let step = wanted_step;
        assert_eq!(step(PageRange::Lately(Lately::Week)), UsageStep::Hour);
        assert_eq!(step(PageRange::Lately(Lately::Month)), UsageStep::Day);
        assert_eq!(step(PageRange::Between(0, 3_600_000)), UsageStep::Hour);
        assert_eq!(step(PageRange::Between(0, 30 * UsageStep::Day.millis())), UsageStep::Day);
        assert_eq!(step(PageRange::Between(1, 30 * UsageStep::Day.millis())), UsageStep::Hour);
    }
}
