//! The parts of an open workspace.

use super::row::models;
use crate::ui::{Glyph, Meter, Note, ReasonedButton};
use leptos::prelude::*;

/// How many keys it has of how many it may have.
#[component]
pub(super) fn KeysField(count: u32, limit: u32) -> impl IntoView {
    view! {
        <div class="field">
            <span class="label">"API keys"</span>
            <div class="keys">
                {format!("{count} of {limit}")}
                <Meter value=count max=limit />
            </div>
        </div>
    }
}

/// Which models its keys may call.
#[component]
pub(super) fn ModelsSection(count: Option<u32>) -> impl IntoView {
    let words = match count {
        None => view! {
            <p class="muted">"Keys of the default workspace may call every model of the region, also those added later."</p>
        }
        .into_any(),
        Some(0) => view! {
            <Note class="note info" glyph=Glyph::Lock>
                "Keys of this workspace can call no model: every call is refused with 403 until models are granted to the workspace."
            </Note>
        }
        .into_any(),
        Some(_) => view! { <p class="muted">"Keys of this workspace may call these models and no others."</p> }.into_any(),
    };
    view! {
        <section class="stack">
            <div class="title"><h2>"Model permission"</h2><span class="muted">{models(count)}</span></div>
            {words}
        </section>
    }
}

/// The end of the workspace.
#[component]
pub(super) fn ArchiveSection(is_default: bool, on_archive: Callback<()>) -> impl IntoView {
    let reason =
        is_default.then(|| "The default workspace cannot be archived: every region keeps one.".to_owned());
    view! {
        <section class="stack">
            <h2>"Danger zone"</h2>
            <div class="danger-zone">
                <div>
                    <b>"Archive workspace"</b>
                    <p>{if is_default {
                        "The default workspace cannot be archived: every region keeps one."
                    } else {
                        "Its API keys die at once. Its usage and audit history stay."
                    }}</p>
                </div>
                <ReasonedButton reason=Signal::stored(reason) on_press=on_archive class="btn danger-line">"Archive…"</ReasonedButton>
            </div>
        </section>
    }
}
