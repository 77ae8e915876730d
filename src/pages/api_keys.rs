//! The API keys of a workspace: find one, add one and see its secret once, describe it anew, delete it.

mod create;
mod delete;
mod edit;
mod row;

use crate::api::{ApiKeyListKey, CreatedKey, Queries};
use crate::components::{ErrorView, ListCard, PageHead, SecretDialog, use_list_navigation};
use crate::routes::ListView;
use crate::state::{Workspaces, use_list_view, use_workspace_place};
use crate::ui::{Column, Empty, Glyph, Icon, ReasonedButton, SearchBox};
use create::CreateDialog;
use delete::DeleteDialog;
use edit::EditDialog;
use keygate_contract::{ApiKey, Page};
use leptos::prelude::*;
use row::row;

const COLUMNS: &[Column] = &[
    Column { label: "Description", class: "" },
    Column { label: "API key", class: "" },
    Column { label: "Permission", class: "" },
    Column { label: "Created by", class: "" },
    Column { label: "Created", class: "" },
    Column { label: "Status", class: "" },
    Column { label: "", class: "acts" },
];

/// What is open over the page.
#[derive(Clone)]
enum Open {
    Nothing,
    Create,
    Created(CreatedKey),
    Edit(ApiKey),
    Delete(ApiKey),
}

/// The API keys of a workspace.
#[component]
pub fn ApiKeysPage() -> impl IntoView {
    let (queries, workspaces) = (Queries::expect(), Workspaces::expect());
    let (workspace, view, navigation) = (use_workspace_place(), use_list_view(), use_list_navigation());
    let list = queries.api_keys(Signal::derive(move || {
        let ListView { q, page, .. } = view.get();
        Some(ApiKeyListKey { workspace: workspace.get()?, q, page_token: page })
    }));

    let open = RwSignal::new(Open::Nothing);
    let close = Callback::new(move |()| open.set(Open::Nothing));
    let create = Callback::new(move |()| open.set(Open::Create));
    let created = Callback::new(move |key| open.set(Open::Created(key)));
    let on_edit = Callback::new(move |key| open.set(Open::Edit(key)));
    let on_delete = Callback::new(move |key| open.set(Open::Delete(key)));
    let used = Memo::new(move |_| {
        workspaces.current.with(|w| w.as_ref().map(|w| (w.api_key_count, w.api_key_limit)))
    });
    let full = Signal::derive(move || {
        let (used, limit) = used.get()?;
        (used >= limit)
            .then(|| format!("This workspace holds at most {limit} keys. Delete one to add another."))
    });
    let count = move || used.get().map(|(used, limit)| format!("{used}/{limit}"));
    let name = Memo::new(move |_| workspaces.current.with(|w| w.as_ref().map(|w| w.name.clone())));
    let intro = view! {
        "Keys of "
        {move || match name.get() {
            Some(name) => view! { <b><bdi>{name}</bdi></b> }.into_any(),
            None => view! { <i class="bone"></i> }.into_any(),
        }}
        ". A key carries this workspace's model access and rate limits."
    };

    let empty = move || {
        view! {
            <Empty glyph=Glyph::Key title="No API keys yet">
                <p>"An application sends an API key with every call. The key decides which models it may call and how often."</p>
                <div class="acts">
                    <button type="button" class="btn primary" on:click=move |_| create.run(())>"Add API key"</button>
                </div>
            </Empty>
        }
    };
    let no_results = move || {
        view! {
            <Empty glyph=Glyph::Search title="No API key found">
                <p>"No ID or description in this workspace has “"<bdi>{move || view.get().q}</bdi>"” in it."</p>
                <div class="acts">
                    <button type="button" class="btn" on:click=move |_| navigation.search(String::new())>"Clear search"</button>
                </div>
            </Empty>
        }
    };
    let foot = move |page: Page<ApiKey>| match used.get() {
        Some((_, limit)) if view.with(|view| view.q.is_empty()) => {
            format!("{} of {limit} keys in this workspace", page.total)
        }
        _ => format!("{} found", page.total),
    };
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
            </div>
            <ListCard
                query=list
                what="API keys"
                columns=COLUMNS
                id=|key: &ApiKey| key.id.as_str()
                row=Callback::new(move |key| row(key, on_edit, on_delete).into_any())
                empty=empty.into()
                no_results=no_results.into()
                foot=Callback::new(foot)
            />
        }
    };
    view! {
        <PageHead title="API keys" scope=Signal::derive(move || name.get()) intro=intro.into_any()>
            <ReasonedButton reason=full on_press=create class="btn primary">
                <Icon glyph=Glyph::Plus />
                "Add API key"
                <span class="count">{count}</span>
            </ReasonedButton>
        </PageHead>
        {move || match missing.get() {
            Some(error) => {
                let retry = Callback::new(move |()| workspaces.retry());
                view! { <div class="card"><ErrorView error what="the workspace" on_retry=retry /></div> }.into_any()
            }
            None => page().into_any(),
        }}
        {move || {
            let workspace = workspace.get_untracked();
            match (open.get(), workspace) {
                (Open::Create, Some(workspace)) => view! { <CreateDialog workspace on_close=close on_created=created /> }.into_any(),
                (Open::Created(created), _) => view! { <SecretDialog created on_close=close /> }.into_any(),
                (Open::Edit(key), Some(workspace)) => view! { <EditDialog workspace key on_close=close /> }.into_any(),
                (Open::Delete(key), Some(workspace)) => view! { <DeleteDialog workspace key on_close=close /> }.into_any(),
                (Open::Nothing, _) | (_, None) => ().into_any(),
            }
        }}
    }
}
