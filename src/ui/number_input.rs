//! A number in a table: its column and row say what it is, its bound stands beneath.

use super::dom::unique_id;
use super::field::FieldError;
use leptos::prelude::*;

/// A number to type.
#[component]
pub fn NumberInput(
    /// What it is, with what its row is about: `Times per minute, qwen-plus`.
    label: String,
    /// What is typed.
    value: Signal<String>,
    /// What is wrong with it, in a sentence.
    error: Signal<Option<String>>,
    /// Its bound: told before it is broken.
    hint: String,
    /// Runs with what is typed.
    on_input: Callback<String>,
) -> impl IntoView {
    let (hint_id, error_id) = (unique_id("hint"), unique_id("error"));
    let described_by = {
        let (hint_id, error_id) = (hint_id.clone(), error_id.clone());
        move || {
            if error.with(Option::is_some) { format!("{error_id} {hint_id}") } else { hint_id.clone() }
        }
    };
    view! {
        <input
            class="input num"
            inputmode="numeric"
            autocomplete="off"
            aria-label=label
            aria-invalid=move || error.with(Option::is_some).then_some("true")
            aria-describedby=described_by
            prop:value=move || value.get()
            on:input:target=move |event| on_input.run(event.target().value())
        />
        <div class="sub num" id=hint_id>{hint}</div>
        <FieldError id=error_id error />
    }
}
