//! One model, open over the list.

use super::price::tokens;
use crate::api::{ApiError, ModelFilter, ModelListKey, Queries, Query, WorkspaceKey};
use crate::components::{ErrorView, HowToCall, price_item, price_unit, type_name};
use crate::routes::{ListView, Place};
use crate::state::{use_list_view, use_navigation};
use crate::ui::{Column, CopyIcon, Drawer, Empty, Glyph, TableHead, ago, money, whole};
use keygate_contract::{Model, ModelList, PAGE_SIZE_MAX, Price};
use leptos::prelude::*;

const PRICE_COLUMNS: &[Column] = &[
    Column { label: "What", class: "" },
    Column { label: "Price", class: "num" },
    Column { label: "Per", class: "" },
];

/// The drawer. A model that is not on the page of the list is looked for.
#[component]
pub(super) fn Details(id: String, workspace: WorkspaceKey, list: Query<ModelList>) -> impl IntoView {
    let queries = Queries::expect();
    let (view, navigation) = (use_list_view(), use_navigation());
    let find = {
        let id = id.clone();
        move |list: Option<ModelList>| list?.page.items.into_iter().find(|model| model.id.as_str() == id)
    };
    let listed = {
        let find = find.clone();
        Memo::new(move |_| find(list.value()))
    };
    let other = {
        let (id, workspace) = (id.clone(), workspace.clone());
        queries.models(Signal::derive(move || {
            let is_missing =
                list.state().with(|s| s.value.is_some() || s.error.is_some()) && listed.get().is_none();
            is_missing.then(|| ModelListKey {
                region: workspace.region.clone(),
                workspace: Some(workspace.id.clone()),
                filter: ModelFilter { q: id.clone(), ..ModelFilter::default() },
                page_token: String::new(),
                page_size: PAGE_SIZE_MAX,
            })
        }))
    };
    // What is shown stays while the list behind is read again.
    let model = Memo::new(move |before: Option<&Option<Model>>| {
        listed.get().or_else(|| find(other.value())).or_else(|| before.cloned().flatten())
    });
    let close = {
        let place = Place::Models { region: workspace.region, workspace: workspace.id };
        Callback::new(move |()| {
            navigation.within(&ListView { model: String::new(), ..view.get_untracked() }.at(&place));
        })
    };
    let about = move || {
        model.get().map(|Model { id, vendor, kind, .. }| {
            view! {
                <p class="muted about">
                    <bdi>{vendor}</bdi> " · " {type_name(kind)} " "
                    <CopyIcon text=id.to_string() what="model name" />
                </p>
            }
        })
    };
    let subtitle = move || about;
    let retry = Callback::new(move |()| other.retry());
    let content = move || match (model.get(), other.error(), other.value().is_some()) {
        (Some(model), ..) => view! { <Facts model /> }.into_any(),
        (None, Some(error), _) => failed(error, retry),
        (None, None, true) => view! {
            <Empty glyph=Glyph::Search title="Not among its models">
                <p>"This workspace may not call a model of this name, or the region has none."</p>
            </Empty>
        }
        .into_any(),
        (None, None, false) => view! { <div class="skeleton"><i class="bone long"></i></div> }.into_any(),
    };
    view! {
        <Drawer title=Signal::stored(id) subtitle=subtitle.into() on_close=close>
            <div class="body">{content}</div>
            <footer>
                <button type="button" class="btn" on:click=move |_| close.run(())>"Close"</button>
            </footer>
        </Drawer>
    }
}

fn failed(error: ApiError, retry: Callback<()>) -> AnyView {
    view! { <ErrorView error what="the model" on_retry=retry /> }.into_any()
}

#[component]
fn Facts(model: Model) -> impl IntoView {
    let own = model.workspace.clone();
    let of_account = |own: u64, account: u64| format!("{} of the account's {}", whole(own), whole(account));
    let rpm = own.as_ref().map_or_else(|| whole(model.rpm), |own| of_account(own.rpm, model.rpm));
    let tpm = match (own.as_ref().and_then(|own| own.tpm), model.tpm) {
        (Some(own), Some(account)) => of_account(own, account),
        _ => "not metered".to_owned(),
    };
    let called = own.and_then(|own| own.last_called_at);
    let called = match called {
        Some(at) => view! { <time datetime=at.to_string()>{ago(at.as_str())}</time> }.into_any(),
        None => "not yet".into_any(),
    };
    view! {
        <dl class="facts">
            <dt>"Context, in tokens"</dt><dd>{tokens(model.context_window)}</dd>
            <dt>"Longest answer, in tokens"</dt><dd>{tokens(model.max_output_tokens)}</dd>
            <dt>"Times per minute"</dt><dd>{rpm}</dd>
            <dt>"Tokens per minute"</dt><dd>{tpm}</dd>
            <dt>"Last called"</dt><dd>{called}</dd>
        </dl>
        <section class="stack">
            <h2>"Prices"</h2>
            <Prices prices=model.prices.clone() />
        </section>
        <section class="stack">
            <h2>"How to call it"</h2>
            <HowToCall model />
        </section>
    }
}

#[component]
fn Prices(prices: Vec<Price>) -> impl IntoView {
    if prices.is_empty() {
        return view! { <p class="muted">"The catalogue knows no price of it."</p> }.into_any();
    }
    let row = |price: &Price| {
        view! {
            <tr role="row">
                <td role="cell">{price_item(price)}</td>
                <td role="cell" class="num">{money(price.price, &price.currency)}</td>
                <td role="cell" class="muted">{price_unit(price)}</td>
            </tr>
        }
    };
    view! {
        <div class="card">
            <table class="table tabular prices" role="table" aria-label="Prices">
                <TableHead columns=PRICE_COLUMNS />
                <tbody role="rowgroup">{prices.iter().map(row).collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}
