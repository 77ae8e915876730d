//! The parts of an open workspace.

use crate::ui::{Meter, ReasonedButton};
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
