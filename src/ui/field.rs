//! A field of a form: label, input, hint, counter and what is wrong with it.

use super::dom::unique_id;
use super::icon::{Glyph, Icon};
use leptos::prelude::*;

/// One line of text.
#[component]
pub fn TextField(
    /// Always visible.
    #[prop(into)]
    label: String,
    /// What is typed.
    value: RwSignal<String>,
    /// What is wrong with it, in a sentence.
    error: Signal<Option<String>>,
    /// The most characters it may have: told before the limit is broken.
    #[prop(optional)]
    max: Option<usize>,
    /// What to type, in a few words.
    #[prop(optional)]
    hint: &'static str,
    /// Has the focus when its dialog opens.
    #[prop(optional)]
    autofocus: bool,
    /// `email` and the like.
    #[prop(default = "text")]
    kind: &'static str,
    /// `email`, `one-time-code` and the like; `off` for what is no one's personal data.
    #[prop(default = "off")]
    autocomplete: &'static str,
    /// `numeric` for digits.
    #[prop(default = "text")]
    inputmode: &'static str,
    /// `input`, and more.
    #[prop(default = "input")]
    class: &'static str,
) -> impl IntoView {
    let (id, hint_id, error_id) = (unique_id("field"), unique_id("hint"), unique_id("error"));
    let below = (!hint.is_empty() || max.is_some()).then(|| hint_id.clone());
    let described_by = {
        let error_id = error_id.clone();
        move || {
            let error = error.with(Option::is_some).then(|| error_id.clone());
            let ids: Vec<_> = below.clone().into_iter().chain(error).collect();
            (!ids.is_empty()).then(|| ids.join(" "))
        }
    };
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <input
                id=id
                class=class
                type=kind
                dir="auto"
                autocomplete=autocomplete
                inputmode=inputmode
                spellcheck="false"
                autofocus=autofocus
                aria-invalid=move || error.with(Option::is_some).then_some("true")
                aria-describedby=described_by
                prop:value=move || value.get()
                on:input:target=move |event| value.set(event.target().value())
            />
            <FieldError id=error_id error />
            {(!hint.is_empty() || max.is_some())
                .then(|| {
                    view! {
                        <div class="below" id=hint_id>
                            {(!hint.is_empty()).then_some(hint)}
                            {max.map(|max| view! { <Counter value max /> })}
                        </div>
                    }
                })}
        </div>
    }
}

#[component]
fn Counter(value: RwSignal<String>, max: usize) -> impl IntoView {
    let count = move || value.with(|text| text.trim().chars().count());
    view! {
        <span class="counter" class:over=move || { count() > max }>
            {move || format!("{} of {max} characters", count())}
        </span>
    }
}

/// What is wrong with a field, beside it.
#[component]
pub fn FieldError(
    /// For the field's `aria-describedby`.
    id: String,
    /// The sentence.
    error: Signal<Option<String>>,
) -> impl IntoView {
    move || {
        error.get().map(|error| {
            view! {
                <p class="wrong" id=id.clone()>
                    <Icon glyph=Glyph::Error />
                    <span>{error}</span>
                </p>
            }
        })
    }
}
