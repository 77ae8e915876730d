//! The call log of a workspace: find a call by when, how, with what and by its id, and look at one.

mod about;
mod details;
mod find;
mod meaning;
mod none;
mod row;
mod timing;

use crate::api::{CallListKey, Queries, UsageRange};
use crate::components::{
    ErrorView, KeyFilter, Lately, ListCard, ModelFilter, Named, PageHead, RangePicker, class_name, class_of,
    use_called, use_key_names, use_list_navigation, use_range,
};
use crate::routes::ListView;
use crate::state::{Workspaces, use_list_view, use_requests_place, use_workspace_place};
use crate::ui::{Column, FilterMenu, Glyph, Icon, Short, whole};
use details::Details;
use find::FindCall;
use keygate_contract::{Call, CallClass, Page};
use leptos::prelude::*;
use none::{NoCalls, NoneFound};
use row::row;

const COLUMNS: &[Column] = &[
    Column { label: "Time", class: "" },
    Column { label: "Status", class: "" },
    Column { label: "Model", class: "" },
    Column { label: "API key", class: "" },
    Column { label: "Tokens in", class: "num wide" },
    Column { label: "Tokens out", class: "num wide" },
    Column { label: "Latency", class: "num" },
];

const RANGES: &[Lately] = &[Lately::Minutes15, Lately::Hour, Lately::Day, Lately::Week, Lately::Fortnight];
/// As long as the log is kept, unless the server is told otherwise.
const USUAL: Lately = Lately::Fortnight;

/// The call log of a workspace.
#[component]
pub fn RequestsPage() -> impl IntoView {
    let (queries, workspaces) = (Queries::expect(), Workspaces::expect());
    let (workspace, view, navigation) = (use_workspace_place(), use_list_view(), use_list_navigation());
    let range = use_range(RANGES, USUAL);
    let list = queries.calls(Signal::derive(move || {
        let ListView { class, model, key, page, .. } = view.get();
        Some(CallListKey {
            workspace: workspace.get()?,
            range: range.get().into(),
            class: class_of(&class),
            model,
            api_key: key,
            page_token: page,
        })
    }));
    let called = use_called(workspace, Signal::stored(UsageRange::Last(USUAL.millis())));
    let names = use_key_names(workspace);
    let open = use_requests_place();

    let refresh = move |_| {
        if let Some(workspace) = workspace.get_untracked() {
            queries.calls_came(&workspace);
            if view.with_untracked(|view| !view.page.is_empty()) {
                navigation.narrow(|_| ());
            }
        }
    };
    let foot = move |page: Page<Call>| {
        let word = if page.total == 1 { "call" } else { "calls" };
        let until =
            list.state().with(|s| s.value.as_ref().map(|page| Short::DaySeconds.write(page.until as f64)));
        format!("{} {word} until {}", whole(page.total), until.unwrap_or_default())
    };
    let name = Memo::new(move |_| workspaces.current.with(|w| w.as_ref().map(|w| w.name.clone())));
    let intro = view! {
        "Calls with keys of "
        <Named name />
        ". Prompts and answers are never stored."
    };
    let classes = CallClass::ALL.map(|class| (class.to_string(), None)).to_vec();
    let missing =
        Memo::new(move |_| workspaces.current.with(Option::is_none).then(|| workspaces.error()).flatten());
    let page = move || {
        view! {
            <div class="toolbar">
                <FindCall />
                <FilterMenu
                    label="Status"
                    options=Signal::stored(classes.clone())
                    name=|name: String| class_of(&name).map_or("any", class_name).to_owned()
                    chosen=Signal::derive(move || class_of(&view.get().class).map_or("", CallClass::as_str).to_owned())
                    on_choose=Callback::new(move |class| navigation.narrow(|view| view.class = class))
                />
                <ModelFilter options=called.models />
                <KeyFilter options=called.keys names />
            </div>
            <ListCard
                query=list.map(|list| list.page.clone())
                what="calls"
                columns=COLUMNS
                id=|call: &Call| call.request_id.as_str()
                row=Callback::new(move |call| row(call, workspace, names).into_any())
                empty=(|| view! { <NoCalls /> }).into()
                no_results=(|| view! { <NoneFound /> }).into()
                foot=Callback::new(foot)
                is_narrow=ListView::is_narrow_log
            />
        }
    };
    view! {
        <PageHead title="Call log" scope=Signal::derive(move || name.get()) intro=intro.into_any()>
            <div class="head-acts">
                <RangePicker range ranges=RANGES usual=USUAL />
                <button type="button" class="btn" on:click=refresh>
                    <Icon glyph=Glyph::Reset />
                    "Refresh"
                </button>
            </div>
        </PageHead>
        {move || match missing.get() {
            Some(error) => {
                let retry = Callback::new(move |()| workspaces.retry());
                view! { <div class="card"><ErrorView error what="the workspace" on_retry=retry /></div> }.into_any()
            }
            None => page().into_any(),
        }}
        {move || {
            let (request_id, workspace) = (open.get()?, workspace.get_untracked()?);
            Some(view! { <Details request_id workspace list names /> })
        }}
    }
}
