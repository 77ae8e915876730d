//! What can be done with an API key.

use super::open::Open;
use crate::state::{Regions, Toasts};
use crate::ui::{Glyph, Icon, Menu, MenuItem};
use keygate_contract::{ApiKey, ApiKeyStatus};
use leptos::prelude::*;

/// What the page does about a key.
#[derive(Clone, Copy)]
pub(super) struct Acts {
    /// Opens a dialog.
    pub(super) open: Callback<Open>,
    /// Enables the key.
    pub(super) enable: Callback<ApiKey>,
}

/// Why no temporary key can be made.
fn no_temporary(status: ApiKeyStatus, in_region: bool) -> Option<&'static str> {
    match status {
        _ if !in_region => Some("This region has no temporary keys"),
        ApiKeyStatus::Active => None,
        ApiKeyStatus::Disabled => Some("The key is disabled: enable it first"),
        ApiKeyStatus::Expired => Some("The key is expired: give it more time first"),
        ApiKeyStatus::OwnerDisabled => Some("The key’s owner is disabled"),
    }
}

/// The menu of a row.
#[component]
pub(super) fn RowMenu(key: Memo<ApiKey>, acts: Acts) -> impl IntoView {
    let (toasts, regions) = (Toasts::expect(), Regions::expect());
    let id = key.with_untracked(|key| key.id.to_string());
    let label = Signal::derive(move || key.with(|key| format!("Actions for {}", key.description)));
    let state = Memo::new(move |_| key.with(|key| (key.status, key.previous_secret.is_some())));
    let has_temporary = Memo::new(move |_| {
        regions.current.with(|region| region.as_ref().is_none_or(|region| region.features.temporary_keys))
    });
    let copy_id = Callback::new(move |()| toasts.copy(id.clone(), "API key ID"));
    let opens =
        move |what: fn(ApiKey) -> Open| Callback::new(move |()| acts.open.run(what(key.get_untracked())));
    let enable = Callback::new(move |()| acts.enable.run(key.get_untracked()));
    let end_overlap = opens(|key| match key.previous_secret.clone() {
        Some(previous) => Open::EndOverlap(key, previous),
        None => Open::Nothing,
    });
    let items = move || {
        let (status, overlaps) = state.get();
        let reason = no_temporary(status, has_temporary.get());
        let toggle = if status == ApiKeyStatus::Disabled {
            view! { <MenuItem glyph=Glyph::Check label="Enable" on_select=enable /> }
        } else {
            view! { <MenuItem glyph=Glyph::Ban label="Disable…" on_select=opens(Open::Disable) /> }
        };
        view! {
            <MenuItem glyph=Glyph::Pencil label="Edit" on_select=opens(Open::Edit) />
            <MenuItem glyph=Glyph::Clock label="Temporary key…" reason on_select=opens(Open::Temporary) />
            {toggle}
            <MenuItem glyph=Glyph::Reset label="Reset…" on_select=opens(Open::Reset) />
            {overlaps.then(|| view! { <MenuItem glyph=Glyph::Close label="End overlap…" on_select=end_overlap /> })}
        }
    };
    view! {
        <Menu
            label
            icon_only=true
            class="btn quiet small square"
            trigger=view! { <Icon glyph=Glyph::Dots class="icon dots" /> }.into_any()
        >
            <MenuItem glyph=Glyph::Copy label="Copy ID" on_select=copy_id />
            {items}
            <div role="separator"></div>
            <MenuItem glyph=Glyph::Trash label="Delete…" danger=true on_select=opens(Open::Delete) />
        </Menu>
    }
}
