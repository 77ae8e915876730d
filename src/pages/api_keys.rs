//! The API keys of a workspace: find one, add one and see its secret once, change, disable, reset and delete it, or
//! make a temporary key of it.

mod create;
mod delete;
mod disable;
mod edit;
mod end_overlap;
mod form;
mod gone;
mod menu;
mod open;
mod reset;
mod room;
mod row;
mod temporary;
mod turn;
mod words;

use crate::api::{ApiError, ApiKeyListKey, Queries, STATUSES, api_key_enable, status_name, status_of};
use crate::components::{ErrorNote, ErrorView, ListCard, Named, PageHead, use_list_navigation};
use crate::routes::ListView;
use crate::state::{Regions, Toasts, Workspaces, use_list_view, use_workspace_place};
use crate::ui::{Column, Empty, FilterMenu, Glyph, Icon, ReasonedButton, SearchBox};
use keygate_contract::{ApiKey, ErrorCode, PAGE_SIZE_DEFAULT, Page};
use leptos::prelude::*;
use leptos::task::spawn_local;
use menu::Acts;
use open::{Open, OpenDialog};
use room::no_room;
use row::row;
use turn::read_at_each_turn;

const COLUMNS: &[Column] = &[
    Column { label: "Description", class: "" },
    Column { label: "API key", class: "roomy" },
    Column { label: "Permission", class: "" },
    Column { label: "Created by", class: "wide" },
    Column { label: "Last used", class: "" },
    Column { label: "Status", class: "" },
    Column { label: "", class: "acts" },
];

/// The API keys of a workspace.
#[component]
pub fn ApiKeysPage() -> impl IntoView {
    let (queries, workspaces, regions) = (Queries::expect(), Workspaces::expect(), Regions::expect());
    let toasts = Toasts::expect();
    let (workspace, view, navigation) = (use_workspace_place(), use_list_view(), use_list_navigation());
    let list = queries.api_key_list(Signal::derive(move || {
        let ListView { q, status, page, .. } = view.get();
        let status = status_of(&status);
        let page_size = PAGE_SIZE_DEFAULT;
        Some(ApiKeyListKey { workspace: workspace.get()?, q, status, page_token: page, page_size })
    }));

    read_at_each_turn(list);

    let open = RwSignal::new(Open::Nothing);
    let create = Callback::new(move |()| open.set(Open::Create));
    let act_error = RwSignal::new(None::<ApiError>);
    let enable = Callback::new(move |key: ApiKey| {
        let Some(workspace) = workspace.get_untracked() else { return };
        act_error.set(None);
        spawn_local(async move {
            let ApiKey { id, description, .. } = key;
            match api_key_enable(queries, workspace, id).await {
                Ok(_) => toasts.show(format!("API key “{description}” enabled")),
                Err(error) if error.code == ErrorCode::NotFound => {
                    drop(open.try_set(Open::Gone(description)));
                }
                Err(error) => drop(act_error.try_set(Some(error))),
            }
        });
    });
    let acts = Acts { open: Callback::new(move |next| open.set(next)), enable };

    let used = Memo::new(move |_| {
        workspaces.current.with(|w| w.as_ref().map(|w| (w.api_key_count, w.api_key_limit)))
    });
    let per_owner = Memo::new(move |_| {
        regions.current.with(|region| region.as_ref().and_then(|region| region.limits.keys_per_owner))
    });
    let full = Signal::derive(move || {
        let limits = regions.current.with(|region| region.as_ref().map(|region| region.limits));
        let counts = list.state().with(|state| state.value.as_ref().map(|list| list.counts));
        workspaces.current.with(|workspace| no_room(workspace.as_ref(), limits, counts.unwrap_or_default()))
    });
    let count = move || used.get().map(|(used, limit)| format!("{used}/{limit}"));
    let name = Memo::new(move |_| workspaces.current.with(|w| w.as_ref().map(|w| w.name.clone())));
    let owners =
        move || per_owner.get().map(|most| format!(" In this region a member may own at most {most} keys."));
    let intro = view! {
        "Keys of "
        <Named name />
        ". A key carries this workspace's model access and rate limits."
        {owners}
    };

    let empty = move || {
        view! {
            <Empty glyph=Glyph::Key title="No API keys yet">
                <p>"An application sends an API key with every call. The key decides which models it may call and how often."</p>
                <div class="acts">
                    <ReasonedButton reason=full on_press=create class="btn primary">"Add API key"</ReasonedButton>
                </div>
            </Empty>
        }
    };
    let no_results = move || {
        view! {
            <Empty glyph=Glyph::Search title="No API key found">
                <p>{move || match view.get() {
                    ListView { q, status, .. } if status.is_empty() => {
                        view! { "No ID or description in this workspace has “"<bdi>{q}</bdi>"” in it." }.into_any()
                    }
                    _ => "No key of this workspace is named and filtered so.".into_any(),
                }}</p>
                <div class="acts">
                    <button type="button" class="btn" on:click=move |_| navigation.show_all()>"Show all keys"</button>
                </div>
            </Empty>
        }
    };
    let foot = move |page: Page<ApiKey>| match used.get() {
        Some((_, limit)) if !view.with(ListView::is_narrow) => {
            format!("{} of {limit} keys in this workspace", page.total)
        }
        _ => format!("{} found", page.total),
    };
    let statuses = STATUSES.map(|status| (status_name(status).to_owned(), None)).to_vec();
    let missing =
        Memo::new(move |_| workspaces.current.with(Option::is_none).then(|| workspaces.error()).flatten());
    let page = move || {
        view! {
            <div class="toolbar">
                <SearchBox
                    label="API key ID or description"
                    value=Signal::derive(move || view.get().q)
                    on_search=Callback::new(move |q| navigation.search(q))
                />
                <FilterMenu
                    label="Status"
                    options=Signal::stored(statuses.clone())
                    name=|name: String| status_of(&name).map_or("any", |status| words::status(status).1).to_owned()
                    chosen=Signal::derive(move || status_of(&view.get().status).map_or("", status_name).to_owned())
                    on_choose=Callback::new(move |status| navigation.narrow(|view| view.status = status))
                />
            </div>
            <div class="list-note"><ErrorNote error=act_error.into() /></div>
            <ListCard
                query=list.map(|list| list.page.clone())
                what="API keys"
                columns=COLUMNS
                id=|key: &ApiKey| key.id.as_str()
                row=Callback::new(move |key| row(key, acts).into_any())
                empty=empty.into()
                no_results=no_results.into()
                foot=Callback::new(foot)
            />
        }
    };
    let add = move || {
        missing.with(Option::is_none).then(|| {
            view! {
                <ReasonedButton reason=full on_press=create class="btn primary">
                    <Icon glyph=Glyph::Plus />
                    "Add API key"
                    <span class="count">{count}</span>
                </ReasonedButton>
            }
        })
    };
    view! {
        <PageHead title="API keys" scope=Signal::derive(move || name.get()) intro=intro.into_any()>
            {add}
        </PageHead>
        {move || match missing.get() {
            Some(error) => {
                let retry = Callback::new(move |()| workspaces.retry());
                view! { <div class="card"><ErrorView error what="the workspace" on_retry=retry /></div> }.into_any()
            }
            None => page().into_any(),
        }}
        <OpenDialog open workspace />
    }
}
