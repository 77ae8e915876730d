//! The workspaces of a region: find one, create one, open one over the list to change it.

mod archive;
mod confirm;
mod create;
mod draft;
mod drawer;
mod editor;
mod grant_row;
mod grants;
mod permission;
mod row;
mod save;
mod sections;

use crate::api::{Queries, WorkspaceKey, WorkspaceListKey};
use crate::components::{ListCard, PageHead, use_list_navigation};
use crate::routes::ListView;
use crate::state::{Regions, Workspaces, use_list_view, use_workspaces_place};
use crate::ui::{Column, Empty, Glyph, Icon, ReasonedButton, SearchBox, SkeletonRows, TableHead};
use archive::ArchiveDialog;
use create::CreateDialog;
use drawer::WorkspaceDrawer;
use keygate_contract::{Page, Workspace};
use leptos::prelude::*;
use row::row;

const COLUMNS: &[Column] = &[
    Column { label: "Name", class: "" },
    Column { label: "Workspace ID", class: "" },
    Column { label: "Models", class: "" },
    Column { label: "API keys", class: "num" },
    Column { label: "Created", class: "" },
    Column { label: "", class: "acts" },
];

/// What is open over the page, beside the workspace that the address names.
#[derive(Clone)]
enum Open {
    Nothing,
    Create,
    Archive(Workspace),
}

const INTRO: &str = "A workspace holds its own API keys, model access, rate limits and usage.";

/// The page before it is known which region it is about.
#[component]
pub fn WorkspacesOutline() -> impl IntoView {
    view! {
        <PageHead title="Workspaces" scope=Signal::stored(None) intro=INTRO.into_any() />
        <div class="toolbar" aria-hidden="true"><div class="search"><div class="input"></div></div></div>
        <div class="card">
            <table class="table" aria-busy="true" aria-label="workspaces">
                <TableHead columns=COLUMNS />
                <SkeletonRows columns=COLUMNS />
            </table>
            <div class="table-foot"></div>
        </div>
    }
}

/// The workspaces of a region.
#[component]
pub fn WorkspacesPage() -> impl IntoView {
    let (queries, regions, workspaces) = (Queries::expect(), Regions::expect(), Workspaces::expect());
    let (place, view, navigation) = (use_workspaces_place(), use_list_view(), use_list_navigation());
    let region = Memo::new(move |_| place.get().map(|(region, _)| region));
    let list = queries.workspaces(Signal::derive(move || {
        let ListView { q, page, .. } = view.get();
        Some(WorkspaceListKey { region: region.get()?, q, page_token: page })
    }));

    let open = RwSignal::new(Open::Nothing);
    let close = Callback::new(move |()| open.set(Open::Nothing));
    let create = Callback::new(move |()| open.set(Open::Create));
    let archive = Callback::new(move |workspace| open.set(Open::Archive(workspace)));
    let limit =
        Memo::new(move |_| regions.current.with(|region| region.as_ref().map(|r| r.limits.workspaces)));
    let used =
        Memo::new(move |_| workspaces.list.state().with(|state| state.value.as_ref().map(|page| page.total)));
    let full = Signal::derive(move || {
        let (used, limit) = (used.get()?, limit.get()?);
        (used >= u64::from(limit))
            .then(|| format!("This region holds at most {limit} workspaces. Archive one to create another."))
    });
    let count = move || used.get().zip(limit.get()).map(|(used, limit)| format!("{used}/{limit}"));

    let empty = move || {
        view! {
            <Empty glyph=Glyph::Grid title="No workspaces yet">
                <p>"A workspace holds its own API keys, model access, rate limits and usage."</p>
                <div class="acts">
                    <button type="button" class="btn primary" on:click=move |_| create.run(())>"Create workspace"</button>
                </div>
            </Empty>
        }
    };
    let no_results = move || {
        view! {
            <Empty glyph=Glyph::Search title="No workspace found">
                <p>"No name or ID in this region has “"<bdi>{move || view.get().q}</bdi>"” in it."</p>
                <div class="acts">
                    <button type="button" class="btn" on:click=move |_| navigation.search(String::new())>"Clear search"</button>
                </div>
            </Empty>
        }
    };
    let opened = Memo::new(move |_| {
        let (region, id) = place.get()?;
        Some(WorkspaceKey { region, id: id? })
    });
    let opened_name = move || {
        let id = opened.get()?.id;
        workspaces
            .list
            .value()?
            .items
            .into_iter()
            .find(|workspace| workspace.id == id)
            .map(|workspace| workspace.name)
    };
    let scope = Signal::derive(move || {
        let names = [opened_name(), regions.current.get().map(|region| region.name)];
        names.into_iter().flatten().reduce(|inner, outer| format!("{inner} · {outer}"))
    });
    view! {
        <PageHead title="Workspaces" scope intro=INTRO.into_any()>
            <ReasonedButton reason=full on_press=create class="btn primary">
                <Icon glyph=Glyph::Plus />
                "Create workspace"
                <span class="count">{count}</span>
            </ReasonedButton>
        </PageHead>
        <div class="toolbar">
            <SearchBox
                label="Name or workspace ID"
                value=Signal::derive(move || view.get().q)
                on_search=Callback::new(move |q| navigation.search(q))
            />
        </div>
        <ListCard
            query=list
            what="workspaces"
            columns=COLUMNS
            id=|workspace: &Workspace| workspace.id.as_str()
            row=Callback::new(move |workspace| row(workspace, region, archive).into_any())
            empty=empty.into()
            no_results=no_results.into()
            foot=Callback::new(move |page| foot(&page, view.with_untracked(|view| !view.q.is_empty())))
        />
        {move || opened.get().map(|key| view! { <WorkspaceDrawer key /> })}
        {move || match open.get() {
            Open::Nothing => ().into_any(),
            Open::Create => view! { <CreateDialog region on_close=close /> }.into_any(),
            Open::Archive(workspace) => {
                region.get_untracked().map(|region| view! { <ArchiveDialog region workspace on_close=close on_done=close /> }).into_any()
            }
        }}
    }
}

fn foot(page: &Page<Workspace>, searching: bool) -> String {
    let (total, shown) = (page.total, page.items.len() as u64);
    let noun = if total == 1 { "workspace" } else { "workspaces" };
    let found = if searching { " found" } else { "" };
    if shown < total { format!("{shown} of {total} {noun}{found}") } else { format!("{total} {noun}{found}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_foot_counts_what_there_is() {
        let page = |total| Page::<Workspace> { items: vec![], next_page_token: None, total };
        assert_eq!(foot(&page(0), true), "0 workspaces found");
        assert_eq!(foot(&page(41), false), "0 of 41 workspaces");
    }
}
