//! The items of a menu.

use super::icon::{Glyph, Icon};
use super::menu::MenuId;
use super::popover::close_popover;
use leptos::prelude::*;

/// An item that does something.
#[component]
pub fn MenuItem(
    /// Which icon.
    glyph: Glyph,
    /// What it does.
    label: &'static str,
    /// It takes something away for good.
    #[prop(optional)]
    danger: bool,
    /// Why it cannot be used.
    #[prop(optional_no_strip)]
    reason: Option<&'static str>,
    /// Does it.
    on_select: Callback<()>,
) -> impl IntoView {
    let MenuId(id) = expect_context();
    let select = move |_| {
        if reason.is_none() {
            close_popover(&id);
            on_select.run(());
        }
    };
    view! {
        <button
            type="button"
            role="menuitem"
            tabindex="-1"
            class=if danger && reason.is_none() { "danger" } else { "" }
            aria-disabled=reason.map(|_| "true")
            on:click=select
        >
            {reason.is_none().then(|| view! { <Icon glyph /> })}
            <span>{label}</span>
            {reason.map(|reason| view! { <small class="sub">{reason}</small> })}
        </button>
    }
}

/// An item that is one choice of several.
#[component]
pub fn MenuRadio(
    /// The choice.
    #[prop(into)]
    label: String,
    /// What is told beside it.
    #[prop(optional, into)]
    detail: String,
    /// Whether it is the one chosen.
    checked: Signal<bool>,
    /// Why it cannot be chosen.
    #[prop(optional_no_strip)]
    reason: Option<String>,
    /// Chooses it.
    on_select: Callback<()>,
) -> impl IntoView {
    let MenuId(id) = expect_context();
    let is_open = reason.is_none();
    let select = move |_| {
        if is_open {
            close_popover(&id);
            on_select.run(());
        }
    };
    view! {
        <button
            type="button"
            role="menuitemradio"
            tabindex="-1"
            aria-checked=move || checked.get().to_string()
            aria-disabled=(!is_open).then_some("true")
            on:click=select
        >
            <bdi>{label}</bdi>
            {match reason {
                Some(reason) => view! { <small class="sub">{reason}</small> }.into_any(),
                None => view! {
                    {(!detail.is_empty()).then(|| view! { <span class="sub mono">{detail}</span> })}
                    <Icon glyph=Glyph::Check class="icon tick" />
                }
                .into_any(),
            }}
        </button>
    }
}
