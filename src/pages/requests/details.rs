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
    // One for both: of what is read beside something made of it, a change can pass unseen.
    let told = Memo::new(move |_| {
        let read = || other.state().with(|s| s.value.clone().map(Ok).or_else(|| s.error.clone().map(Err)));
        listed.get().map(Ok).or_else(read)
    });
    let close = {
        let place = Place::requests(workspace.region.clone(), workspace.id.clone());
        Callback::new(move |()| navigation.within(&view.get_untracked().at(&place)))
    };
    let retry = Callback::new(move |()| other.retry());
    let content = move || match told.get() {
        Some(Ok(call)) => about(&call, workspace.clone(), names),
        Some(Err(error)) if error.status == 404 => view! { <NoSuchCall /> }.into_any(),
        Some(Err(error)) => view! { <ErrorView error what="the call" on_retry=retry /> }.into_any(),
        None => {
            let bone = || view! { <i class="bone long"></i> };
            view! { <div class="skeleton stack">{bone()} {bone()}</div> }.into_any()
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

#[component]
fn NoSuchCall() -> impl IntoView {
    view! {
        <Empty glyph=Glyph::Search title="No such call">
            <p>
                "No call of this workspace that is still in the log has this request ID. It may be of another workspace, or older than the log. Calls with a key that is not valid are nobody’s, and a call is listed only when it has ended."
            </p>
        </Empty>
    }
}
