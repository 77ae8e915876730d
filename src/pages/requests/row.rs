//! One call in the log.

use crate::api::WorkspaceKey;
use crate::components::{KeyNames, NamedKey, class_name, class_tone};
use crate::routes::{ListView, Place};
use crate::state::use_list_view;
use crate::ui::{At, Badge, duration, whole};
use keygate_contract::Call;
use leptos::prelude::*;

/// The address of a key in the list of keys.
pub(super) fn key_address(workspace: &WorkspaceKey, id: &str) -> String {
    let WorkspaceKey { region, id: workspace } = workspace.clone();
    ListView { q: id.to_owned(), ..ListView::default() }.at(&Place::ApiKeys { region, workspace })
}

/// A key: its description and what of its secret may be shown; the id of one that is not there.
fn key_cell(id: &str, workspace: Memo<Option<WorkspaceKey>>, names: KeyNames) -> AnyView {
    match names.find(id) {
        NamedKey::Key(key) => {
            let address = workspace.get().map(|workspace| key_address(&workspace, id));
            view! {
                <a href=address><bdi>{key.description}</bdi></a>
                <div class="sub mono nowrap">{key.masked}</div>
            }
            .into_any()
        }
        NamedKey::Deleted => {
            let id = id.to_owned();
            view! { <span class="mono muted">{id}</span> <div class="sub">"deleted"</div> }.into_any()
        }
        NamedKey::Unknown => {
            let id = id.to_owned();
            view! { <span class="mono muted">{id}</span> }.into_any()
        }
    }
}

/// A row. The time opens the call.
pub(super) fn row(call: Memo<Call>, workspace: Memo<Option<WorkspaceKey>>, names: KeyNames) -> impl IntoView {
    let view = use_list_view();
    // A call that has ended never changes.
    let Call { request_id, time, api_key, model, status, class, error_code, .. } = call.get_untracked();
    let Call { input_tokens, output_tokens, estimated, latency_ms, count, .. } = call.get_untracked();
    let open = move || {
        let WorkspaceKey { region, id } = workspace.get()?;
        Some(view.get().at(&Place::Requests { region, workspace: id, open: Some(request_id.clone()) }))
    };
    let model = match model {
        Some(model) => view! { <span class="mono">{model.to_string()}</span> }.into_any(),
        None => view! { <span class="muted">"none"</span> }.into_any(),
    };
    let combined = (count > 1).then(|| view! { <div class="sub">{whole(count.into())} " requests"</div> });
    let estimated = estimated.then(|| view! { <div class="sub">"estimated"</div> });
    view! {
        <tr role="row">
            <td role="cell" class="lead">
                <a class="main num" href=open data-noscroll><At at=time.to_string() /></a>
            </td>
            <td role="cell" data-label="Status">
                <span class="name"><Badge tone=class_tone(class) label=class_name(class) /> <span class="sub num">{status}</span></span>
                {error_code.map(|code| view! { <div class="sub mono">{code}</div> })}
                {combined}
            </td>
            <td role="cell" data-label="Model" class="anywhere model">{model}</td>
            <td role="cell" data-label="API key" class="anywhere">
                {move || key_cell(api_key.as_str(), workspace, names)}
            </td>
            <td role="cell" data-label="Tokens in" class="num wide">{whole(input_tokens)} {estimated}</td>
            <td role="cell" data-label="Tokens out" class="num wide">{whole(output_tokens)}</td>
            <td role="cell" data-label="Latency" class="num">
                <span class="nowrap">{duration(latency_ms)}</span>
            </td>
        </tr>
    }
}
