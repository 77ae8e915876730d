//! One call, open over the log.

use super::about::about;
use crate::api::{CallKey, CallPage, Queries, Query, WorkspaceKey};
use crate::components::{ErrorView, KeyNames};
use crate::routes::Place;
use crate::state::{use_list_view, use_navigation};
use crate::ui::{CopyText, Drawer, Empty, Glyph};
use keygate_contract::Call;
use leptos::prelude::*;

/// The drawer. A call that is not on the page of the log is read by itself.
#[component]
pub(super) fn Details(
    request_id: String,
    workspace: WorkspaceKey,
    list: Query<CallPage>,
    names: KeyNames,
) -> impl IntoView {
    let (queries, view, navigation) = (Queries::expect(), use_list_view(), use_navigation());
    let listed = {
        let id = request_id.clone();
        Memo::new(move |before: Option<&Option<Call>>| {
            let find = |page: &CallPage| page.page.items.iter().find(|call| call.request_id == id).cloned();
            // It stays while the log behind it is read again.
            let found = list.state().with(|state| state.value.as_ref().and_then(find));
            found.or_else(|| before.cloned().flatten())
        })
    };
    let other = {
        let key = CallKey { workspace: workspace.clone(), request_id: request_id.clone() };
        queries.call(Signal::derive(move || {
            let is_missing =
                list.state().with(|s| s.value.is_some() || s.error.is_some()) && listed.with(Option::is_none);
            is_missing.then(|| key.clone())
        }))
    };
    let call = Memo::new(move |_| listed.get().or_else(|| other.value()));
    let close = {
        let place = Place::requests(workspace.region.clone(), workspace.id.clone());
        Callback::new(move |()| navigation.within(&view.get_untracked().at(&place)))
    };
    let retry = Callback::new(move |()| other.retry());
    let content = move || {
        match (call.get(), other.error()) {
        (Some(call), _) => about(&call, workspace.clone(), names),
        (None, Some(error)) if error.status == 404 => view! {
            <Empty glyph=Glyph::Search title="No such call">
                <p>
                    "No call of this workspace that is still in the log has this request ID. It may be of another workspace, older than the log, or have come with a key that is not valid: such calls are nobody’s. A call is listed when it has ended."
                </p>
            </Empty>
        }
        .into_any(),
        (None, Some(error)) => view! { <ErrorView error what="the call" on_retry=retry /> }.into_any(),
        (None, None) => {
            view! { <div class="skeleton stack"><i class="bone long"></i><i class="bone long"></i></div> }.into_any()
        }
    }
    };
    let subtitle = move || view! { <CopyText text=request_id.clone() what="request ID" /> };
    view! {
        <Drawer title=Signal::stored("Call".to_owned()) subtitle=subtitle.into() on_close=close>
            <div class="body">{content}</div>
            <footer>
                <span class="muted aside">"Prompts and answers are never stored."</span>
                <button type="button" class="btn" on:click=move |_| close.run(())>"Close"</button>
            </footer>
        </Drawer>
    }
}
