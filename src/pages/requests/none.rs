//! What stands where no call is.

use crate::api::{ModelFilter, ModelListKey, Queries};
use crate::components::{HowToCall, use_list_navigation};
use crate::routes::Place;
use crate::state::use_workspace_place;
use crate::ui::{Empty, Glyph};
use keygate_contract::ModelType;
use leptos::prelude::*;

/// Nothing was called lately, or ever: how to.
#[component]
pub(super) fn NoCalls() -> impl IntoView {
    let workspace = use_workspace_place();
    let models = Queries::expect().models(Signal::derive(move || {
        let workspace = workspace.get()?;
        Some(ModelListKey {
            region: workspace.region,
            workspace: Some(workspace.id),
            filter: ModelFilter { kind: Some(ModelType::Text), ..ModelFilter::default() },
            page_token: String::new(),
            page_size: 1,
        })
    }));
    let keys = move || {
        let workspace = workspace.get()?;
        Some(Place::ApiKeys { region: workspace.region, workspace: workspace.id }.to_string())
    };
    let model = Memo::new(move |_| models.value().and_then(|list| list.page.items.into_iter().next()));
    view! {
        <Empty glyph=Glyph::List title="No calls in the last 14 days">
            <p>"Each call that an application makes with an API key of this workspace is listed here shortly after it ends. By default, the server keeps the log for up to 14 days, or less if the log grows very large."</p>
            <div class="acts"><a class="btn primary" href=keys>"Go to API keys"</a></div>
        </Empty>
        {move || model.get().map(|model| view! { <div class="try"><h2>"How to call"</h2><HowToCall model /></div> })}
    }
}

/// The filters leave nothing.
#[component]
pub(super) fn NoneFound() -> impl IntoView {
    let navigation = use_list_navigation();
    view! {
        <Empty glyph=Glyph::Search title="No call found">
            <p>"No call of this workspace is of this range and like this."</p>
            <div class="acts">
                <button type="button" class="btn" on:click=move |_| navigation.show_all()>"Show all calls"</button>
            </div>
        </Empty>
    }
}
