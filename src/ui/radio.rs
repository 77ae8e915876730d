//! One of several, all in sight: the browser's own radio buttons, which arrows move through.

use super::dom::unique_id;
use leptos::prelude::*;

/// One of the choices.
#[derive(Clone, Debug)]
pub struct Choice<T> {
    /// What it stands for.
    pub value: T,
    /// Its words.
    pub label: &'static str,
    /// What follows from it; may be empty.
    pub detail: String,
}

/// A group of radio buttons.
#[component]
pub fn RadioGroup<T>(
    /// What is chosen.
    label: &'static str,
    /// The choices.
    choices: Vec<Choice<T>>,
    /// The one chosen.
    chosen: Signal<T>,
    /// Runs with the one the person chooses.
    on_choose: Callback<T>,
    /// `radios`, and more.
    #[prop(default = "radios")]
    class: &'static str,
) -> impl IntoView
where
    T: Copy + PartialEq + Send + Sync + 'static,
{
    let name = unique_id("radio");
    let choice = |Choice { value, label, detail }: Choice<T>| {
        view! {
            <label>
                <input
                    type="radio"
                    name=name.clone()
                    prop:checked=move || chosen.get() == value
                    on:change=move |_| on_choose.run(value)
                />
                <span>
                    {label}
                    {(!detail.is_empty()).then(|| view! { <small>{detail}</small> })}
                </span>
            </label>
        }
    };
    view! {
        <fieldset class="field">
            <legend>{label}</legend>
            <div class=class>{choices.into_iter().map(choice).collect_view()}</div>
        </fieldset>
    }
}
