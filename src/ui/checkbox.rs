//! A box to tick, by itself: in a table, where the row says what it is about.

use leptos::html;
use leptos::prelude::*;
use web_sys::MouseEvent;

/// What a box shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tick {
    /// Not ticked.
    Off,
    /// Some of what it stands for is ticked.
    Part,
    /// Ticked.
    On,
}

/// A change of a box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticked {
    /// What it shows now.
    pub on: bool,
    /// Shift was held: all since the last change is meant.
    pub with_shift: bool,
}

/// A box. One that is fixed can be reached and says that it cannot be changed.
#[component]
pub fn Checkbox(
    /// What it ticks.
    #[prop(into)]
    label: Signal<String>,
    /// What it shows.
    tick: Signal<Tick>,
    /// It cannot be changed.
    #[prop(optional, into)]
    fixed: Signal<bool>,
    /// `-1` where arrows lead to it.
    #[prop(default = Signal::stored("0"))]
    tabindex: Signal<&'static str>,
    /// Runs when the person has changed it.
    on_change: Callback<Ticked>,
) -> impl IntoView {
    let node = NodeRef::<html::Input>::new();
    let with_shift = StoredValue::new(false);
    // Not by the view: what the browser shows after a press may differ from what was last drawn.
    Effect::new(move |_| {
        let tick = tick.get();
        if let Some(input) = node.get() {
            input.set_checked(tick == Tick::On);
            input.set_indeterminate(tick == Tick::Part);
        }
    });
    let click = move |event: MouseEvent| {
        with_shift.set_value(event.shift_key());
        if fixed.get_untracked() {
            event.prevent_default();
        }
    };
    view! {
        <input
            node_ref=node
            type="checkbox"
            aria-label=move || label.get()
            aria-disabled=move || fixed.get().then_some("true")
            tabindex=move || tabindex.get()
            on:click=click
            on:change:target=move |event| {
                on_change.run(Ticked { on: event.target().checked(), with_shift: with_shift.get_value() });
            }
        />
    }
}
