//! The base URLs of a region, by protocol and reach.

use super::address::{Address, PROTOCOLS};
use super::check::Checks;
use super::words::{Scheme, Told, kind_name, protocol_clients, protocol_name, told};
use crate::state::{Regions, SignedIn, Workspaces};
use crate::ui::{Badge, Column, CopyIcon, TableHead};
use keygate_contract::{EndpointKind, Protocol, Role};
use leptos::prelude::*;

pub(super) const COLUMNS: &[Column] = &[
    Column { label: "Reach", class: "reach" },
    Column { label: "Base URL", class: "" },
    Column { label: "From this browser", class: "answer" },
];

/// The table, and what is to know of workspace hosts below it.
#[component]
pub(super) fn BaseUrls(addresses: Memo<Vec<Address>>, checks: Checks) -> impl IntoView {
    let group = move |protocol: Protocol| {
        let of_it = addresses.get().into_iter().filter(|address| address.protocol == protocol);
        let of_it: Vec<_> = of_it.collect();
        view! {
            <tbody role="rowgroup">
                <Heading protocol of_it=of_it.clone() />
                {of_it.into_iter().map(|address| view! { <Row address checks /> }).collect_view()}
            </tbody>
        }
    };
    let has_own =
        Memo::new(move |_| addresses.with(|all| all.iter().any(|a| a.kind == EndpointKind::Workspace)));
    view! {
        <div class="card">
            <table class="table endpoints" role="table" aria-label="Base URLs">
                <TableHead columns=COLUMNS />
                {move || PROTOCOLS.into_iter().map(group).collect_view()}
            </table>
            {move || view! { <OwnHost has_own=has_own.get() /> }}
        </div>
    }
}

/// A protocol, and what is served of it.
#[component]
fn Heading(protocol: Protocol, of_it: Vec<Address>) -> impl IntoView {
    let served = of_it.iter().find(|address| !address.operations.is_empty());
    let served = match (served, of_it.is_empty()) {
        (Some(address), _) => view! { <Served operations=address.operations.clone() /> }.into_any(),
        (None, true) => {
            view! { <p class="sub">"Not served in this region: it has no base URL."</p> }.into_any()
        }
        (None, false) => view! { <p class="sub">"Serves nothing yet: every call is refused."</p> }.into_any(),
    };
    view! {
        <tr role="row" class="group">
            <th role="rowheader" scope="rowgroup" colspan="3">
                <b>{protocol_name(protocol)}</b>
                <p class="sub">{protocol_clients(protocol)}</p>
                {served}
            </th>
        </tr>
    }
}

/// What is served below a base URL.
#[component]
fn Served(operations: Vec<String>) -> impl IntoView {
    let operation = |operation: String| {
        let (method, path) = operation.split_once(' ').unwrap_or(("", &operation));
        let (method, path) = (format!("{method} "), path.to_owned());
        view! { <li class="mono"><span class="muted">{method}</span>{path}</li> }
    };
    view! { <ul class="served" aria-label="Served there">{operations.into_iter().map(operation).collect_view()}</ul> }
}

#[component]
fn Row(address: Address, checks: Checks) -> impl IntoView {
    let (regions, workspaces) = (Regions::expect(), Workspaces::expect());
    let Address { kind, base_url, .. } = address.clone();
    let name = move || workspaces.current.get().map(|workspace| view! { <bdi>{workspace.name}</bdi> });
    let reach = match kind {
        EndpointKind::Public => "Anyone who reaches the gateway".into_any(),
        EndpointKind::Private => "The private network only".into_any(),
        EndpointKind::Workspace => view! { "Keys of " {name} " only" }.into_any(),
    };
    let page = if window().location().protocol().is_ok_and(|p| p == "https:") {
        Scheme::Https
    } else {
        Scheme::Http
    };
    let check = move || {
        let Some(host) = &address.host else {
            return view! { <span class="sub">"Cannot be checked"</span> }.into_any();
        };
        let Some(outcome) = checks.outcome(host) else {
            return view! { <span class="sub">"Not checked"</span> }.into_any();
        };
        let all = regions.list.value().map(|page| page.items).unwrap_or_default();
        let Some(here) = regions.id.get() else { return ().into_any() };
        let Told { tone, label, advice } = told(&outcome, &address, &here, &all, page);
        view! {
            <Badge tone label />
            {advice.map(|advice| view! { <p class="sub">{advice}</p> })}
        }
        .into_any()
    };
    view! {
        <tr role="row">
            <td role="cell" class="reach"><b>{kind_name(kind)}</b> <div class="sub">{reach}</div></td>
            <td role="cell">
                <div class="name">
                    <code>{base_url.clone()}</code>
                    <CopyIcon text=base_url what="base URL" />
                </div>
            </td>
            <td role="cell" class="answer">{check}</td>
        </tr>
    }
}

/// What a workspace's own host is for; or, to those who can change it, how to have one.
#[component]
fn OwnHost(has_own: bool) -> impl IntoView {
    let signed_in = SignedIn::expect();
    let may_configure = move || {
        signed_in.session.value().is_some_and(|session| matches!(session.role, Role::Owner | Role::Admin))
    };
    if has_own {
        return view! {
            <p class="table-foot words">
                "A workspace host takes keys of its workspace only; any other gets 403 "
                <code>"Endpoint.AccessDenied"</code>
                ". It is that of the workspace you are in: switch the workspace to see another."
            </p>
        }
        .into_any();
    }
    let how = move || {
        may_configure().then(|| {
            view! {
                <p class="table-foot words">
                    "No workspace has a host of its own here. Set " <code>"workspace_domain"</code>
                    " of the region in the server's configuration to give each one."
                </p>
            }
        })
    };
    how.into_any()
}
