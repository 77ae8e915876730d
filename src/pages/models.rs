//! The models that a workspace may call: how fast, at what price, and how.

mod details;
mod price;
mod row;

use crate::api::{ModelFilter, ModelListKey, Queries};
use crate::components::{
    ErrorView, ListCard, Named, PageHead, models_word, type_name, type_of, use_list_navigation,
};
use crate::routes::{ListView, Place};
use crate::state::{SignedIn, Workspaces, use_list_view, use_workspace_place};
use crate::ui::{Column, Empty, FilterMenu, FilterOption, Glyph, SearchBox, whole};
use details::Details;
use keygate_contract::{Model, ModelList, ModelType, PAGE_SIZE_DEFAULT, Page, Role};
use leptos::prelude::*;
use row::row;

const COLUMNS: &[Column] = &[
    Column { label: "Model", class: "" },
    Column { label: "Context", class: "num" },
    Column { label: "Times / min", class: "num" },
    Column { label: "Tokens / min", class: "num" },
    Column { label: "Price", class: "num" },
];

/// The models of a workspace.
#[component]
pub fn ModelsPage() -> impl IntoView {
    let (queries, workspaces, signed_in) = (Queries::expect(), Workspaces::expect(), SignedIn::expect());
    let (workspace, view, navigation) = (use_workspace_place(), use_list_view(), use_list_navigation());
    let list = queries.models(Signal::derive(move || {
        let (workspace, ListView { q, vendor, kind, page, .. }) = (workspace.get()?, view.get());
        Some(ModelListKey {
            region: workspace.region,
            workspace: Some(workspace.id),
            filter: ModelFilter { q, vendor, kind: type_of(&kind) },
            page_token: page,
            page_size: PAGE_SIZE_DEFAULT,
        })
    }));
    let opened = Memo::new(move |_| view.with(|view| Some(view.model.clone()).filter(|id| !id.is_empty())));

    let name = Memo::new(move |_| workspaces.current.with(|w| w.as_ref().map(|w| w.name.clone())));
    let is_default = Memo::new(move |_| workspaces.current.with(|w| w.as_ref().map(|w| w.is_default)));
    let may_grant = move || {
        signed_in.session.value().is_some_and(|session| matches!(session.role, Role::Owner | Role::Admin))
    };
    let grants = move || {
        let workspace = workspace.get()?;
        Some(Place::Workspaces { region: workspace.region, open: Some(workspace.id) }.to_string())
    };
    let intro = view! {
        "What keys of "
        <Named name />
        " may call, how fast, and at what price."
    };
    let edit = move || {
        (is_default.get() == Some(false) && may_grant())
            .then(|| view! { <a class="btn" href=grants>"Edit model permission"</a> })
    };

    let empty = move || {
        view! {
            <Empty glyph=Glyph::Cube title="No models granted yet">
                <p>
                    {move || if may_grant() {
                        "Calls with keys of this workspace are refused with 403 until it may call some models."
                    } else {
                        "Calls with keys of this workspace are refused with 403. An owner or admin of the account can grant models to it."
                    }}
                </p>
                {move || may_grant().then(|| view! {
                    <div class="acts"><a class="btn primary" href=grants>"Add models"</a></div>
                })}
            </Empty>
        }
    };
    let no_results = move || {
        view! {
            <Empty glyph=Glyph::Search title="No model found">
                <p>"This workspace may call no model that is named and filtered so."</p>
                <div class="acts">
                    <button type="button" class="btn" on:click=move |_| navigation.show_all()>"Show all models"</button>
                </div>
            </Empty>
        }
    };
    let foot = move |page: Page<Model>| {
        let (total, found) = (page.total, view.with(ListView::is_narrow));
        format!("{} {}{}", whole(total), models_word(total), if found { " found" } else { "" })
    };
    let state = list.state();
    let facets = move |of: fn(&ModelList) -> Vec<FilterOption>| {
        Signal::derive(move || state.with(|s| s.value.as_ref().map(of).unwrap_or_default()))
    };
    let vendors = facets(|list| list.vendors.iter().map(|v| (v.vendor.clone(), Some(v.count))).collect());
    let types = facets(|list| list.types.iter().map(|t| (t.kind.to_string(), Some(t.count))).collect());
    let missing =
        Memo::new(move |_| workspaces.current.with(Option::is_none).then(|| workspaces.error()).flatten());
    let page = move || {
        view! {
            <div class="toolbar">
                <SearchBox
                    label="Model name"
                    value=Signal::derive(move || view.get().q)
                    on_search=Callback::new(move |q| navigation.search(q))
                />
                <FilterMenu
                    label="Vendor"
                    options=vendors
                    name=|name: String| name
                    chosen=Signal::derive(move || view.get().vendor)
                    on_choose=Callback::new(move |vendor| navigation.narrow(|view| view.vendor = vendor))
                />
                <FilterMenu
                    label="Type"
                    options=types
                    name=|name: String| type_of(&name).map_or("any", type_name).to_owned()
                    chosen=Signal::derive(move || type_of(&view.get().kind).map_or("", ModelType::as_str).to_owned())
                    on_choose=Callback::new(move |kind| navigation.narrow(|view| view.kind = kind))
                />
            </div>
            <ListCard
                query=list.map(|list| list.page.clone())
                what="models"
                columns=COLUMNS
                id=|model: &Model| model.id.as_str()
                row=Callback::new(move |model| row(model).into_any())
                empty=empty.into()
                no_results=no_results.into()
                foot=Callback::new(foot)
            />
        }
    };
    view! {
        <PageHead title="Models" scope=Signal::derive(move || name.get()) intro=intro.into_any()>
            {edit}
        </PageHead>
        {move || match missing.get() {
            Some(error) => {
                let retry = Callback::new(move |()| workspaces.retry());
                view! { <div class="card"><ErrorView error what="the workspace" on_retry=retry /></div> }.into_any()
            }
            None => page().into_any(),
        }}
        {move || {
            let (id, workspace) = (opened.get()?, workspace.get_untracked()?);
            Some(view! { <Details id workspace list /> })
        }}
    }
}
