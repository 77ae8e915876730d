//! A panel beside the button that opens it, in the browser's top layer: it stands above dialogs and is never clipped.

use super::dom::{by_id, focus};
use leptos::html;
use leptos::prelude::*;
use web_sys::HtmlElement;

/// Between button and panel, and panel and window, in pixels.
const GAP: i32 = 4;

/// A panel. Its button has `popovertarget` and the id `{id}-button`; the browser closes the panel on Escape or a press
/// elsewhere and gives the focus back.
#[component]
pub fn Popover(
    /// The panel's id.
    id: String,
    /// `menu`, and more.
    class: &'static str,
    /// `menu` or `dialog`.
    role: &'static str,
    /// What it is called.
    label: Signal<String>,
    /// Whether it is open; kept up to date.
    open: RwSignal<bool>,
    /// Runs when it has opened, to place the focus.
    #[prop(optional)]
    on_open: Option<Callback<HtmlElement>>,
    /// What it holds.
    children: Children,
) -> impl IntoView {
    let node = NodeRef::<html::Div>::new();
    let is_open = move || {
        node.try_get_untracked()
            .flatten()
            .is_some_and(|panel| panel.matches(":popover-open").unwrap_or(false))
    };
    // It stays with its button while the page scrolls or the window changes.
    let follow = {
        let button = button_id(&id);
        move || {
            if let (true, Some(panel), Some(button)) = (is_open(), node.get_untracked(), by_id(&button)) {
                place(&panel, &button);
            }
        }
    };
    let scroll = window_event_listener(leptos::ev::scroll, {
        let follow = follow.clone();
        move |_| follow()
    });
    let resize = window_event_listener(leptos::ev::resize, move |_| follow());
    on_cleanup(move || {
        scroll.remove();
        resize.remove();
    });
    let before = {
        let button = button_id(&id);
        move |_: web_sys::Event| {
            if let (false, Some(panel), Some(button)) = (is_open(), node.get_untracked(), by_id(&button)) {
                place(&panel, &button);
            }
        }
    };
    let after = move |_| {
        open.set(is_open());
        if let (true, Some(panel), Some(on_open)) = (is_open(), node.get_untracked(), on_open) {
            on_open.run(panel.into());
        }
    };
    view! {
        <div
            node_ref=node
            id=id
            class=class
            role=role
            aria-label=move || label.get()
            popover="auto"
            on:beforetoggle=before
            on:toggle=after
        >
            {children()}
        </div>
    }
}

/// The id of a panel's button.
pub(super) fn button_id(panel: &str) -> String {
    format!("{panel}-button")
}

/// Closes a panel and gives the focus to its button.
pub fn close_popover(id: &str) {
    if let Some(panel) = by_id(id) {
        // Fails only if it is closed.
        let _ = panel.hide_popover();
    }
    if let Some(button) = by_id(&button_id(id)) {
        focus(&button);
    }
}

/// Puts the panel at its button: below if there is more room than above, along the side nearer to the window's edge.
fn place(panel: &HtmlElement, button: &HtmlElement) {
    let Some(root) = document().document_element() else { return };
    let (width, height) = (root.client_width(), root.client_height());
    let rect = button.get_bounding_client_rect();
    let [top, bottom, left, right] =
        [rect.top(), rect.bottom(), rect.left(), rect.right()].map(|edge| edge.round() as i32);
    let below = top < height - bottom;
    let leftward = left < width - right;
    let edges = [
        ("top", below.then_some(bottom + GAP)),
        ("bottom", (!below).then_some(height - top + GAP)),
        ("left", leftward.then_some(left.max(GAP))),
        ("right", (!leftward).then_some((width - right).max(GAP))),
    ];
    for (edge, distance) in edges {
        let length = distance.map_or_else(|| "auto".to_owned(), |distance| format!("{distance}px"));
        // These properties always take a length.
        let _ = panel.style().set_property(edge, &length);
    }
}
