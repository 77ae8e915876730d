//! Times in the person's language and time zone, by the browser's own library.

use js_sys::{Array, Intl, Object, Reflect};
use leptos::prelude::*;
use wasm_bindgen::JsValue;

thread_local! {
    static DAY: Intl::DateTimeFormat = formatter(&[("dateStyle", "medium")]);
    static MOMENT: Intl::DateTimeFormat = formatter(&[("dateStyle", "long"), ("timeStyle", "long")]);
}

fn formatter(options: &[(&str, &str)]) -> Intl::DateTimeFormat {
    let bag = Object::new();
    for (name, value) in options {
        // A plain object takes every field.
        let _ = Reflect::set(&bag, &JsValue::from_str(name), &JsValue::from_str(value));
    }
    Intl::DateTimeFormat::new(&Array::new(), &bag)
}

fn write(with: &Intl::DateTimeFormat, rfc3339: &str) -> String {
    let date = js_sys::Date::new(&JsValue::from_str(rfc3339));
    if date.get_time().is_nan() {
        return rfc3339.to_owned();
    }
    with.format()
        .call1(with, &date)
        .ok()
        .and_then(|text| text.as_string())
        .unwrap_or_else(|| rfc3339.to_owned())
}

/// A day; the exact moment with its time zone is in the title.
#[component]
pub fn Date(
    /// The moment, in RFC 3339.
    at: String,
) -> impl IntoView {
    let (day, moment) = (DAY.with(|f| write(f, &at)), MOMENT.with(|f| write(f, &at)));
    view! { <time class="nowrap" datetime=at title=moment>{day}</time> }
}
