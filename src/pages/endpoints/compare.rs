//! What is different from region to region.

use crate::routes::Place;
use crate::state::Regions;
use crate::ui::{Badge, Column, TableHead, Tone, whole};
use keygate_contract::Region;
use leptos::prelude::*;

const COLUMNS: &[Column] = &[
    Column { label: "Region", class: "" },
    Column { label: "Custom key permission", class: "" },
    Column { label: "Temporary keys", class: "" },
    Column { label: "Workspaces", class: "num" },
    Column { label: "Keys / workspace", class: "num" },
    Column { label: "Keys / region", class: "num" },
    Column { label: "Keys / owner", class: "num" },
];

/// All regions, each with what its keys can do and how many there may be.
#[component]
pub(super) fn Compare() -> impl IntoView {
    let regions = Regions::expect();
    let all = Memo::new(move |_| regions.list.value().map(|page| page.items).unwrap_or_default());
    view! {
        <section class="stack" aria-labelledby="compare">
            <div>
                <h2 id="compare">"What changes between regions"</h2>
                <p class="muted">
                    "Keys do not cross regions. With a key of another region a call gets 401, and the message names the base URL that the key is for."
                </p>
            </div>
            <div class="card">
                <table class="table" role="table" aria-labelledby="compare">
                    <TableHead columns=COLUMNS />
                    <tbody role="rowgroup">
                        {move || all.get().into_iter().map(|region| view! { <Row region /> }).collect_view()}
                    </tbody>
                </table>
            </div>
        </section>
    }
}

#[component]
fn Row(region: Region) -> impl IntoView {
    let regions = Regions::expect();
    let Region { id, name, features, limits, .. } = region;
    let place = Place::Endpoints { region: id.clone() }.to_string();
    let code = id.to_string();
    let is_here = Memo::new(move |_| regions.id.with(|here| here.as_ref() == Some(&id)));
    let has = |feature: bool| if feature { "Yes" } else { "No" };
    let per_owner = match limits.keys_per_owner {
        Some(limit) => whole(limit.into()).into_any(),
        None => view! { <span class="sub">"no limit of its own"</span> }.into_any(),
    };
    view! {
        <tr role="row">
            <td role="cell" class="lead">
                <div class="name">
                    <a class="main" href=place aria-current=move || is_here.get().then_some("true")><bdi>{name}</bdi></a>
                    {move || is_here.get().then(|| view! { <Badge tone=Tone::Plain label="You are here" /> })}
                </div>
                <div class="sub mono">{code}</div>
            </td>
            <td role="cell" data-label="Custom key permission">{has(features.custom_permission)}</td>
            <td role="cell" data-label="Temporary keys">{has(features.temporary_keys)}</td>
            <td role="cell" class="num" data-label="Workspaces">{whole(limits.workspaces.into())}</td>
            <td role="cell" class="num" data-label="Keys / workspace">{whole(limits.keys_per_workspace.into())}</td>
            <td role="cell" class="num" data-label="Keys / region">{whole(limits.keys_per_region.into())}</td>
            <td role="cell" class="num" data-label="Keys / owner">{per_owner}</td>
        </tr>
    }
}
