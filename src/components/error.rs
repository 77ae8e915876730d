//! Errors, where they belong: in the place of what could not be shown, or beside what could not be done.

use crate::api::ApiError;
use crate::state::SignedIn;
use crate::ui::{CopyText, Empty, Glyph, Note};
use keygate_contract::ErrorCode;
use leptos::prelude::*;

const CHECK: &str = "Check that the server runs and that you are connected.";

/// What the server in use is called: by its name where there are several.
fn server_in_use() -> &'static str {
    let name = use_context::<SignedIn>().and_then(|s| s.name(s.backend.get_untracked()?));
    name.unwrap_or("Keygate")
}

/// Stands in the place of what could not be read, and offers to read it again where that may help.
#[component]
pub fn ErrorView(
    /// What went wrong.
    error: ApiError,
    /// What could not be shown, such as `the workspaces`.
    what: &'static str,
    /// Reads it again.
    on_retry: Callback<()>,
) -> impl IntoView {
    let (glyph, title) = match error.status {
        403 => (Glyph::Lock, "Your role does not permit this".to_owned()),
        404 => (Glyph::Search, "Not found".to_owned()),
        _ if error.is_away() => (Glyph::Unplugged, format!("{} does not answer", server_in_use())),
        _ => (Glyph::Error, format!("Could not load {what}")),
    };
    let message = match error.code {
        ErrorCode::NotPermitted => {
            format!("{} An owner or admin of the account can change that.", error.message)
        }
        ErrorCode::NotFound => {
            format!("{} It may have been removed, or belong to another account.", error.message)
        }
        _ if error.is_away() => CHECK.to_owned(),
        _ => error.message,
    };
    let helps = !matches!(error.status, 403 | 404);
    view! {
        <Empty glyph title class="empty bad" role="alert">
            <p>{message}</p>
            {error.request_id.map(|id| view! { <Request id /> })}
            {helps
                .then(|| {
                    view! {
                        <div class="acts">
                            <button type="button" class="btn" on:click=move |_| on_retry.run(())>"Retry"</button>
                        </div>
                    }
                })}
        </Empty>
    }
}

/// Stands beside what could not be done.
#[component]
pub fn ErrorNote(
    /// What went wrong, if something did.
    error: Signal<Option<ApiError>>,
    /// Tries again, where that is not what the form's own button does.
    #[prop(optional)]
    on_retry: Option<Callback<()>>,
) -> impl IntoView {
    move || {
        error.get().map(|error| {
            let message = match error.status {
                0 => format!("{} does not answer. {CHECK}", server_in_use()),
                _ => error.message,
            };
            let wait = error.retry_after.map(|seconds| format!(" Try again in {seconds} s."));
            view! {
                <Note class="note bad" glyph=Glyph::Error role="alert">
                    <span>{message}{wait}</span>
                    {error.request_id.map(|id| view! { <Request id /> })}
                    {on_retry.map(|retry| view! {
                        <button type="button" class="btn small" on:click=move |_| retry.run(())>"Retry"</button>
                    })}
                </Note>
            }
        })
    }
}

#[component]
fn Request(id: String) -> impl IntoView {
    view! {
        <p class="request">"Request " <CopyText text=id what="request ID" /></p>
    }
}
