//! Copying. That it is done is shown and spoken.

use super::icon::{Glyph, Icon};
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::time::Duration;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{HtmlDocument, HtmlTextAreaElement};

const SHOWN: Duration = Duration::from_secs(2);

/// What came of the last copy.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Idle,
    Copied,
    Failed,
}

/// A text, such as an id, that copies itself.
#[component]
pub fn CopyText(
    /// The text.
    #[prop(into)]
    text: String,
    /// What it is, for assistive technology.
    what: &'static str,
) -> impl IntoView {
    let outcome = RwSignal::new(Outcome::Idle);
    let shown = text.clone();
    let label = format!("Copy {what} {text}");
    view! {
        <button
            type="button"
            class="copyable mono"
            class:done=move || outcome.get() == Outcome::Copied
            aria-label=label
            title="Copy"
            on:click=move |_| copy(text.clone(), outcome, None)
        >
            <span>{shown}</span>
            <Sign outcome />
        </button>
        <Spoken outcome />
    }
}

/// An icon that copies the text beside it.
#[component]
pub fn CopyIcon(
    /// The text.
    text: String,
    /// What it is, for assistive technology.
    what: &'static str,
) -> impl IntoView {
    let outcome = RwSignal::new(Outcome::Idle);
    let label = format!("Copy {what} {text}");
    view! {
        <button
            type="button"
            class="copyable"
            class:done=move || outcome.get() == Outcome::Copied
            aria-label=label
            title="Copy"
            on:click=move |_| copy(text.clone(), outcome, None)
        >
            <Sign outcome />
        </button>
        <Spoken outcome />
    }
}

/// A button that copies a text. The text is asked for at that moment, so that none is held.
#[component]
pub fn CopyButton(
    /// Gives the text.
    text: Callback<(), String>,
    /// What it copies, for assistive technology.
    what: &'static str,
    /// What it looks like.
    #[prop(default = "btn small")]
    class: &'static str,
    /// Runs when it is copied.
    #[prop(optional)]
    on_copied: Option<Callback<()>>,
) -> impl IntoView {
    let outcome = RwSignal::new(Outcome::Idle);
    let word = move || match outcome.get() {
        Outcome::Idle => "Copy",
        Outcome::Copied => "Copied",
        Outcome::Failed => "Not copied",
    };
    view! {
        <button
            type="button"
            class=class
            class:done=move || outcome.get() == Outcome::Copied
            on:click=move |_| copy(text.run(()), outcome, on_copied)
        >
            <Sign outcome />
            {word}
            <span class="sr-only">{format!(" {what}")}</span>
        </button>
        <Spoken outcome />
    }
}

/// Copies without a button of its own; `told` runs with whether it got there.
pub fn copy_then(text: String, told: impl FnOnce(bool) + 'static) {
    spawn_local(async move { told(copy_text(&text).await) });
}

#[component]
fn Sign(outcome: RwSignal<Outcome>) -> impl IntoView {
    move || match outcome.get() {
        Outcome::Idle => view! { <Icon glyph=Glyph::Copy /> },
        Outcome::Copied => view! { <Icon glyph=Glyph::Check /> },
        Outcome::Failed => view! { <Icon glyph=Glyph::Close /> },
    }
}

#[component]
fn Spoken(outcome: RwSignal<Outcome>) -> impl IntoView {
    let words = move || match outcome.get() {
        Outcome::Idle => "",
        Outcome::Copied => "Copied",
        Outcome::Failed => "Your browser did not allow copying. Select the text and copy it by hand.",
    };
    view! { <span class="sr-only" role="status">{words}</span> }
}

fn copy(text: String, outcome: RwSignal<Outcome>, on_copied: Option<Callback<()>>) {
    spawn_local(async move {
        let copied = copy_text(&text).await;
        outcome.try_set(if copied { Outcome::Copied } else { Outcome::Failed });
        if copied && let Some(on_copied) = on_copied {
            on_copied.try_run(());
        }
        let reset = move || {
            outcome.try_set(Outcome::Idle);
        };
        set_timeout(reset, SHOWN);
    });
}

/// Puts a text on the clipboard; whether it got there.
async fn copy_text(text: &str) -> bool {
    if window().is_secure_context() {
        return JsFuture::from(window().navigator().clipboard().write_text(text)).await.is_ok();
    }
    copy_by_selection(text).unwrap_or(false)
}

/// The way for a console served over plain HTTP, where browsers hide the clipboard.
fn copy_by_selection(text: &str) -> Option<bool> {
    let document = document();
    let focused = document.active_element()?;
    let field: HtmlTextAreaElement = document.create_element("textarea").ok()?.unchecked_into();
    field.set_class_name("sr-only");
    field.set_value(text);
    // Beside the button: all outside an open dialog is inert.
    focused.parent_element()?.append_child(&field).ok()?;
    field.select();
    let copied = document.unchecked_into::<HtmlDocument>().exec_command("copy").unwrap_or(false);
    field.remove();
    if let Some(focused) = focused.dyn_ref() {
        super::dom::focus(focused);
    }
    Some(copied)
}
