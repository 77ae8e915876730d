//! Small dealings with the page that the view macro has no words for.

use leptos::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlElement};

/// An id no other element has.
pub fn unique_id(prefix: &str) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("{prefix}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The HTML element with this id.
pub fn by_id(id: &str) -> Option<HtmlElement> {
    document().get_element_by_id(id)?.dyn_into().ok()
}

/// The first HTML element inside `root` that matches.
pub fn first_in(root: &Element, selector: &str) -> Option<HtmlElement> {
    root.query_selector(selector).ok().flatten()?.dyn_into().ok()
}

/// All HTML elements inside `root` that match, in order.
pub fn all_in(root: &Element, selector: &str) -> Vec<HtmlElement> {
    let Ok(found) = root.query_selector_all(selector) else { return Vec::new() };
    (0..found.length()).filter_map(|i| found.item(i)?.dyn_into().ok()).collect()
}

/// Moves the focus; an element that cannot take it leaves the focus where it is.
pub fn focus(element: &HtmlElement) {
    // Only a detached document refuses.
    let _ = element.focus();
}

/// Whether what had the focus is gone.
pub fn is_focus_lost() -> bool {
    document().active_element().is_none_or(|active| active.tag_name() == "BODY")
}

/// Moves the focus to the page's heading, when what had it is gone.
pub fn focus_heading() {
    if let Some(heading) = document().body().and_then(|body| first_in(&body, "main h1")) {
        focus(&heading);
    }
}

/// Moves the focus to the first field that is marked as wrong, once the marks are drawn.
pub fn focus_first_invalid(root: Element) {
    request_animation_frame(move || {
        if let Some(field) = first_in(&root, "[aria-invalid=true], [data-wrong=true]") {
            focus(&field);
        }
    });
}

/// Scrolls to the first notice of what went wrong, once it is drawn: in the uppermost layer, so nowhere out of sight.
pub fn reveal_alert() {
    request_animation_frame(|| {
        if let Some(alert) = super::topmost().and_then(|root| first_in(&root, ".body > [role=alert]")) {
            alert.scroll_into_view();
        }
    });
}

/// Scrolls a list just so far that what is in it is in view. Both are placed by the same element.
pub fn scroll_to(list: &HtmlElement, item: &HtmlElement) {
    let top = item.offset_top() - list.offset_top();
    let lowest = top + item.offset_height() - list.client_height();
    list.set_scroll_top(list.scroll_top().clamp(lowest.min(top), top));
}

/// A text in lower case, by the browser's tables: the program carries none.
pub fn lower_case(text: &str) -> String {
    js_sys::JsString::from(text).to_lower_case().into()
}

/// The element an event came from.
pub fn target(event: &Event) -> Option<Element> {
    event.target()?.dyn_into().ok()
}

/// Whether a key press there is meant as text.
pub fn takes_text(element: &Element) -> bool {
    element
        .closest("input:not([type=checkbox]), textarea, select, [contenteditable]")
        .is_ok_and(|found| found.is_some())
}

/// Removes what `index.html` painted in the program's place.
pub fn remove_boot_screen() {
    if let Some(screen) = document().get_element_by_id("boot") {
        screen.remove();
    }
}

/// Whether nothing has yet taken the place of what `index.html` painted.
pub fn is_booting() -> bool {
    document().document_element().is_some_and(|root| root.has_attribute("data-boot"))
}

/// The page stands.
pub fn end_boot() {
    if let Some(root) = document().document_element() {
        // The attribute's name is valid, which is all that could fail.
        let _ = root.remove_attribute("data-boot");
    }
}

/// Has the page say that the program stopped; `boot.js` does, as it needs nothing of the program.
pub fn tell_failure() {
    if let Ok(event) = Event::new("keygate:failure") {
        // Nobody cancels it.
        let _ = window().dispatch_event(&event);
    }
}
