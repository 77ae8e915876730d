//! One API key in the list.

use crate::state::Toasts;
use crate::ui::{Badge, CopyText, Date, Glyph, Icon, Menu, MenuItem, Tone};
use keygate_contract::{ApiKey, ApiKeyStatus, Permission};
use leptos::prelude::*;

/// A row.
pub(super) fn row(
    key: Memo<ApiKey>,
    on_edit: Callback<ApiKey>,
    on_delete: Callback<ApiKey>,
) -> impl IntoView {
    let toasts = Toasts::expect();
    let ApiKey { id, masked, created_at, created_by, .. } = key.get_untracked();
    let description = Memo::new(move |_| key.with(|key| key.description.clone()));
    let copy_id = {
        let id = id.to_string();
        Callback::new(move |()| toasts.copy(id.clone(), "API key ID"))
    };
    let edit = Callback::new(move |()| on_edit.run(key.get_untracked()));
    let delete = Callback::new(move |()| on_delete.run(key.get_untracked()));
    let owner = created_by.email;
    view! {
        <tr role="row">
            <td role="cell" class="lead">
                <div class="main"><bdi>{move || description.get()}</bdi></div>
                <CopyText text=id.to_string() what="API key ID" />
            </td>
            <td role="cell" data-label="API key" class="mono muted nowrap">{masked}</td>
            <td role="cell" data-label="Permission">{move || key.with(|key| permission(&key.permission))}</td>
            <td role="cell" data-label="Created by" class="muted clip"><bdi title=owner.clone()>{owner.clone()}</bdi></td>
            <td role="cell" data-label="Created" class="muted"><Date at=created_at.to_string() /></td>
            <td role="cell" data-label="Status">
                {move || {
                    let (tone, label) = key.with(|key| status(key.status));
                    view! { <Badge tone label /> }
                }}
            </td>
            <td role="cell" class="acts">
                <div>
                    <Menu
                        label=Signal::derive(move || format!("Actions for {}", description.get()))
                        icon_only=true
                        class="btn quiet small square"
                        trigger=view! { <Icon glyph=Glyph::Dots class="icon dots" /> }.into_any()
                    >
                        <MenuItem glyph=Glyph::Copy label="Copy ID" on_select=copy_id />
                        <MenuItem glyph=Glyph::Pencil label="Edit description" on_select=edit />
                        <div role="separator"></div>
                        <MenuItem glyph=Glyph::Trash label="Delete…" danger=true on_select=delete />
                    </Menu>
                </div>
            </td>
        </tr>
    }
}

fn permission(permission: &Permission) -> &'static str {
    match permission {
        Permission::All {} => "All",
        Permission::Custom(_) => "Custom",
    }
}

fn status(status: ApiKeyStatus) -> (Tone, &'static str) {
    match status {
        ApiKeyStatus::Active => (Tone::Good, "active"),
        ApiKeyStatus::Disabled => (Tone::Plain, "disabled"),
        ApiKeyStatus::Expired => (Tone::Bad, "expired"),
        ApiKeyStatus::OwnerDisabled => (Tone::Bad, "owner disabled"),
    }
}
