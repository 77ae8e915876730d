//! One API key in the list.

use super::menu::{Acts, RowMenu};
use super::open::Open;
use super::words;
use crate::ui::{Ago, Badge, CopyText, Date, DateOrTime, Glyph, Icon, millis, moment, now};
use keygate_contract::{ApiKey, ApiKeyStatus, Permission};
use leptos::prelude::*;

/// A row.
pub(super) fn row(key: Memo<ApiKey>, acts: Acts) -> impl IntoView {
    let ApiKey { id, created_at, created_by, .. } = key.get_untracked();
    let description = Memo::new(move |_| key.with(|key| key.description.clone()));
    let masked = Memo::new(move |_| key.with(|key| key.masked.clone()));
    let last_used = Memo::new(move |_| key.with(|key| key.last_used_at.clone()));
    let status = Memo::new(move |_| key.with(|key| key.status));
    let permission = Memo::new(move |_| key.with(|key| key.permission.clone()));
    let owner = created_by.email;
    let edit = Callback::new(move |()| acts.open.run(Open::Edit(key.get_untracked())));
    view! {
        <tr role="row">
            <td role="cell" class="lead">
                <div class="main"><bdi>{move || description.get()}</bdi></div>
                <CopyText text=id.to_string() what="API key ID" />
                <Notes key />
            </td>
            <td role="cell" data-label="API key" class="mono muted nowrap roomy">{move || masked.get()}</td>
            <td role="cell" data-label="Permission">
                {move || permission.with(|permission| permission_cell(permission, description, edit))}
            </td>
            <td role="cell" data-label="Created by" class="muted clip wide">
                <bdi title=owner.clone()>{owner.clone()}</bdi>
                <span class="sub"><Date at=created_at.to_string() /></span>
            </td>
            <td role="cell" data-label="Last used" class="muted">
                {move || match last_used.get() {
                    Some(at) => view! { <Ago at=at.to_string() /> }.into_any(),
                    None => "Never".into_any(),
                }}
            </td>
            <td role="cell" data-label="Status">
                {move || {
                    let (tone, label) = words::status(status.get());
                    view! { <Badge tone label /> }
                }}
            </td>
            <td role="cell" class="acts"><div><RowMenu key acts /></div></td>
        </tr>
    }
}

/// The permission; of a custom one how much it names, and the way to all of it.
fn permission_cell(permission: &Permission, description: Memo<String>, edit: Callback<()>) -> AnyView {
    let name = words::permission(permission);
    match words::restriction(permission) {
        None => name.into_any(),
        Some(restriction) => view! {
            <button type="button" class="link" on:click=move |_| edit.run(())>
                {name}
                <span class="sr-only">{move || format!(" permission of {}: show", description.get())}</span>
            </button>
            <div class="sub">{restriction}</div>
        }
        .into_any(),
    }
}

/// What will stop by itself, and when.
#[component]
fn Notes(key: Memo<ApiKey>) -> impl IntoView {
    let times = Memo::new(move |_| {
        key.with(|key| {
            let previous = key.previous_secret.as_ref().map(|previous| previous.expires_at.clone());
            (key.expires_at.clone(), key.status, previous)
        })
    });
    move || {
        let (expires_at, status, previous) = times.get();
        let expiry = expires_at.map(|at| {
            let is_over =
                status == ApiKeyStatus::Expired || millis(at.as_str()).is_some_and(|at| at <= now());
            let word = if is_over { "Expired " } else { "Expires " };
            view! { <div class="sub">{word} <DateOrTime at=at.to_string() /></div> }
        });
        let overlap = previous.map(|at| {
            view! { <div class="sub warn"><Icon glyph=Glyph::Clock />"Old secret works until " {moment(at.as_str())}</div> }
        });
        view! { {expiry} {overlap} }
    }
}
