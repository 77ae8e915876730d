//! What `static/boot.js` hands over: it has found the console's place, and begun to ask, before the program arrived.

use js_sys::Reflect;
use leptos::prelude::window;
use wasm_bindgen::JsValue;

fn handed(name: &str) -> Option<JsValue> {
    let all = Reflect::get(&window(), &"keygate".into()).ok()?;
    Reflect::get(&all, &name.into()).ok().filter(|value| !value.is_undefined())
}

/// Where on its host the console stands, see [`crate::routes::base`].
pub fn base() -> String {
    handed("base").and_then(|base| base.as_string()).unwrap_or_default()
}
