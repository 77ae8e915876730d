//! One workspace in the list.

use crate::routes::Place;
use crate::state::{Toasts, use_list_view, use_navigation};
use crate::ui::{Badge, CopyText, Date, Glyph, Icon, Menu, MenuItem, Tone, whole};
use keygate_contract::{RegionId, Workspace};
use leptos::prelude::*;

/// What the list says about how many models a workspace may call.
pub(super) fn models(count: Option<u32>) -> String {
    match count {
        None => "All models".to_owned(),
        Some(0) => "No models yet".to_owned(),
        Some(1) => "1 model".to_owned(),
        Some(count) => format!("{} models", whole(count.into())),
    }
}

/// A row. The name and Edit open the workspace; the number of keys leads to them.
pub(super) fn row(
    workspace: Memo<Workspace>,
    region: Memo<Option<RegionId>>,
    on_archive: Callback<Workspace>,
) -> impl IntoView {
    let view = use_list_view();
    let (navigation, toasts) = (use_navigation(), Toasts::expect());
    let id = workspace.with_untracked(|w| w.id.clone());
    let at = move |place: fn(RegionId, &Workspace) -> Place| {
        region.get().map(|region| workspace.with(|workspace| place(region, workspace)))
    };
    let edit = move || {
        let place = at(|region, w| Place::Workspaces { region, open: Some(w.id.clone()) })?;
        Some(view.get().at(&place))
    };
    let keys = move || {
        at(|region, w| Place::ApiKeys { region, workspace: w.id.clone() }).map(|place| place.to_string())
    };
    let name = Memo::new(move |_| workspace.with(|w| w.name.clone()));
    let go_to_keys = Callback::new(move |()| {
        if let Some(keys) = untrack(keys) {
            navigation.to(&keys);
        }
    });
    let go_to_edit = Callback::new(move |()| {
        if let Some(edit) = untrack(edit) {
            navigation.within(&edit);
        }
    });
    let copy_id = {
        let id = id.clone();
        Callback::new(move |()| toasts.copy(id.to_string(), "Workspace ID"))
    };
    let archive = Callback::new(move |()| on_archive.run(workspace.get_untracked()));
    let kept = workspace.with_untracked(|w| w.is_default).then_some("The default workspace stays");
    view! {
        <tr role="row">
            <td role="cell" class="lead">
                <span class="name">
                    <a class="main" href=edit data-noscroll><bdi>{move || name.get()}</bdi></a>
                    {move || workspace.with(|w| w.is_default).then(|| view! { <Badge tone=Tone::Plain label="default" /> })}
                </span>
            </td>
            <td role="cell" data-label="Workspace ID"><CopyText text=id.to_string() what="workspace ID" /></td>
            <td role="cell" data-label="Models" class:muted=move || workspace.with(|w| w.model_count == Some(0))>
                {move || models(workspace.with(|w| w.model_count))}
            </td>
            <td role="cell" data-label="API keys" class="num">
                <a href=keys aria-label=move || format!("API keys of {}: {}", name.get(), workspace.with(key_count))>
                    {move || workspace.with(key_count)}
                </a>
            </td>
            <td role="cell" data-label="Created"><Date at=workspace.with_untracked(|w| w.created_at.to_string()) /></td>
            <td role="cell" class="acts">
                <div>
                    <a class="btn small" href=edit data-noscroll aria-label=move || format!("Edit {}", name.get())>"Edit"</a>
                    <Menu
                        label=Signal::derive(move || format!("Actions for {}", name.get()))
                        icon_only=true
                        class="btn quiet small square"
                        trigger=view! { <Icon glyph=Glyph::Dots class="icon dots" /> }.into_any()
                    >
                        <MenuItem glyph=Glyph::Copy label="Copy ID" on_select=copy_id />
                        <MenuItem glyph=Glyph::Key label="Show API keys" on_select=go_to_keys />
                        <MenuItem glyph=Glyph::Pencil label="Edit" on_select=go_to_edit />
                        <div role="separator"></div>
                        <MenuItem glyph=Glyph::Trash label="Archive…" danger=true reason=kept on_select=archive />
                    </Menu>
                </div>
            </td>
        </tr>
    }
}

fn key_count(workspace: &Workspace) -> String {
    format!("{} / {}", workspace.api_key_count, workspace.api_key_limit)
}

#[cfg(test)]
mod tests {
    use super::models;

    #[test]
    fn no_models_is_not_all_models() {
        assert_eq!([None, Some(0), Some(1)].map(models), ["All models", "No models yet", "1 model"]);
    }
}
