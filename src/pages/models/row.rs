//! One model in the list.

use super::price::{summary, tokens};
use crate::components::type_name;
use crate::routes::{ListView, Place};
use crate::state::{use_list_view, use_place};
use crate::ui::{CopyIcon, whole};
use keygate_contract::Model;
use leptos::prelude::*;

/// A limit, and the account's beneath it.
fn limit(own: Option<u64>, account: Option<u64>) -> AnyView {
    match (own, account) {
        (Some(own), Some(account)) => {
            view! { {whole(own)} <div class="sub">"of " {whole(account)}</div> }.into_any()
        }
        _ => view! { <span class="sub">"not metered"</span> }.into_any(),
    }
}

/// A row. The name opens the model.
pub(super) fn row(model: Memo<Model>) -> impl IntoView {
    let (view, place) = (use_list_view(), use_place());
    let Model { id, vendor, kind, .. } = model.get_untracked();
    let open = {
        let id = id.to_string();
        move || place.get().map(|place: Place| ListView { model: id.clone(), ..view.get() }.at(&place))
    };
    let rpm = move || model.with(|m| limit(m.workspace.as_ref().map(|w| w.rpm), Some(m.rpm)));
    let tpm = move || model.with(|m| limit(m.workspace.as_ref().and_then(|w| w.tpm), m.tpm));
    let price = move || {
        let (amount, per) = model.with(|m| summary(&m.prices));
        view! { <span class="nowrap">{amount}</span> <div class="sub">{per}</div> }
    };
    view! {
        <tr role="row">
            <td role="cell" class="lead">
                <div class="name">
                    <a class="main mono" href=open data-noscroll>{id.to_string()}</a>
                    <CopyIcon text=id.to_string() what="model name" />
                </div>
                <div class="sub"><bdi>{vendor}</bdi> " · " {type_name(kind)}</div>
            </td>
            <td role="cell" class="num" data-label="Context">{move || tokens(model.with(|m| m.context_window))}</td>
            <td role="cell" class="num" data-label="Times / min">{rpm}</td>
            <td role="cell" class="num" data-label="Tokens / min">{tpm}</td>
            <td role="cell" class="num" data-label="Price">{price}</td>
        </tr>
    }
}
