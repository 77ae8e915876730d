//! A menu button as in the ARIA practices: arrows, Home, End and first letters move; Escape and Tab close.

use super::dom::{all_in, by_id, focus, target, unique_id};
use super::popover::{Popover, button_id, close_popover};
use leptos::context::Provider;
use leptos::prelude::*;
use web_sys::{HtmlElement, KeyboardEvent};

/// The menu an item belongs to.
#[derive(Clone)]
pub(super) struct MenuId(pub(super) String);

/// A button that opens a menu.
#[component]
pub fn Menu(
    /// What the menu is called.
    #[prop(into)]
    label: Signal<String>,
    /// Whether the button needs the label too, as it shows no text.
    #[prop(optional)]
    icon_only: bool,
    /// What the button looks like.
    #[prop(default = "btn quiet small")]
    class: &'static str,
    /// What the button shows.
    trigger: AnyView,
    /// The items.
    children: Children,
) -> impl IntoView {
    let id = unique_id("menu");
    let open = RwSignal::new(false);
    let menu = MenuId(id.clone());
    let on_button_key = {
        let id = id.clone();
        move |event: KeyboardEvent| {
            if matches!(event.key().as_str(), "ArrowDown" | "ArrowUp")
                && let Some(panel) = by_id(&id)
            {
                event.prevent_default();
                // Fails only if it is open.
                let _ = panel.show_popover();
            }
        }
    };
    let on_key = {
        let id = id.clone();
        move |event: KeyboardEvent| move_focus(&id, &event)
    };
    view! {
        <button
            type="button"
            class=class
            id=button_id(&id)
            popovertarget=id.clone()
            aria-haspopup="menu"
            aria-expanded=move || open.get().to_string()
            aria-label=move || icon_only.then(|| label.get())
            title=move || icon_only.then(|| label.get())
            on:keydown=on_button_key
        >
            {trigger}
        </button>
        <Popover id class="menu" role="menu" label open on_open=Callback::new(|panel: HtmlElement| focus_item(&panel))>
            <div role="presentation" on:keydown=on_key>
                <Provider value=menu>{children()}</Provider>
            </div>
        </Popover>
    }
}

fn items(panel: &HtmlElement) -> Vec<HtmlElement> {
    all_in(panel, "[role^=menuitem]")
}

/// The checked item, or the first.
fn focus_item(panel: &HtmlElement) {
    let checked = all_in(panel, "[aria-checked=true]");
    if let Some(item) = checked.into_iter().chain(items(panel)).next() {
        focus(&item);
    }
}

fn move_focus(id: &str, event: &KeyboardEvent) {
    let Some(panel) = by_id(id) else { return };
    let items = items(&panel);
    let here = target(event).and_then(|t| items.iter().position(|item| item.is_same_node(Some(&t))));
    let labels: Vec<String> = items.iter().map(|item| item.text_content().unwrap_or_default()).collect();
    match event.key().as_str() {
        // The dialog below is not asked to close with its menu.
        "Escape" => {
            event.prevent_default();
            close_popover(id);
        }
        "Tab" => close_popover(id),
        key => {
            let Some(next) = destination(key, here, &labels) else { return };
            event.prevent_default();
            focus(&items[next]);
        }
    }
    event.stop_propagation();
}

/// Which item a key leads to.
fn destination(key: &str, here: Option<usize>, labels: &[String]) -> Option<usize> {
    let count = labels.len();
    if count == 0 {
        return None;
    }
    match key {
        "ArrowDown" => Some(here.map_or(0, |i| (i + 1) % count)),
        "ArrowUp" => Some(here.map_or(count - 1, |i| (i + count - 1) % count)),
        "Home" => Some(0),
        "End" => Some(count - 1),
        letter if letter.chars().count() == 1 && letter != " " => {
            let start = here.map_or(0, |i| i + 1);
            let begins = |i: &usize| {
                labels[*i].trim().get(..letter.len()).is_some_and(|start| start.eq_ignore_ascii_case(letter))
            };
            (start..start + count).map(|i| i % count).find(begins)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::destination;

    #[test]
    fn keys_lead_through_the_items_and_around_the_ends() {
        let labels = ["Copy ID", "Edit", "Delete…"].map(String::from);
        let to = |key, here| destination(key, here, &labels);
        assert_eq!(
            [to("ArrowDown", None), to("ArrowDown", Some(2)), to("ArrowUp", Some(0))],
            [Some(0), Some(0), Some(2)]
        );
        assert_eq!([to("Home", Some(2)), to("End", Some(0))], [Some(0), Some(2)]);
        assert_eq!(
            [to("d", Some(0)), to("E", Some(1)), to("x", Some(0)), to("Shift", Some(0))],
            [Some(2), Some(1), None, None]
        );
        assert_eq!(destination("ArrowDown", None, &[]), None);
    }
}
