//! The choice of theme.

use crate::state::{Theme, ThemeChoice};
use crate::ui::{Glyph, Icon, Menu, MenuRadio};
use leptos::prelude::*;

/// A menu of themes.
#[component]
pub fn ThemeMenu() -> impl IntoView {
    let theme = Theme::expect();
    let glyph = move || match theme.get() {
        ThemeChoice::System => Glyph::Monitor,
        ThemeChoice::Light => Glyph::Sun,
        ThemeChoice::Dark => Glyph::Moon,
    };
    let trigger = view! { {move || view! { <Icon glyph=glyph() /> }} };
    view! {
        <Menu label="Theme" icon_only=true class="btn quiet small square" trigger=trigger.into_any()>
            {ThemeChoice::ALL
                .map(|choice| {
                    view! {
                        <MenuRadio
                            label=choice.label()
                            checked=Signal::derive(move || theme.get() == choice)
                            on_select=Callback::new(move |()| theme.choose(choice))
                        />
                    }
                })
                .collect_view()}
        </Menu>
    }
}
