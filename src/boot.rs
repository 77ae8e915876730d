//! What `static/boot.js` hands over: it has found the console's place, and begun to ask, before the program arrived.

use crate::api::Backends;
use crate::uri::decode;
use js_sys::{Object, Promise, Reflect};
use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::Response;

fn handed(name: &str) -> Option<JsValue> {
    let all = Reflect::get(&window(), &"keygate".into()).ok()?;
    Reflect::get(&all, &name.into()).ok().filter(|value| !value.is_undefined())
}

/// Where on its host the console stands, see [`crate::routes::base`].
pub fn base() -> String {
    handed("base").and_then(|base| base.as_string()).unwrap_or_default()
}

/// Takes the token of the sign-in link that the page was opened with. The address no longer contains it.
pub fn take_token() -> Option<String> {
    let token = handed("token")?.as_string()?;
    let all = Reflect::get(&window(), &"keygate".into()).ok()?;
    // Nobody else can read it. If it cannot be removed, it is used anyway.
    let _ = Reflect::delete_property(all.unchecked_ref::<Object>(), &"token".into());
    decode(&token).filter(|token| !token.is_empty())
}

/// The servers that `config.json` names; the page's own without that file. A host that answers every path with the
/// console answers this one with HTML, and has no such file either.
///
/// # Errors
/// What is wrong with it, for the person who hosts the console.
pub async fn backends() -> Result<Backends, String> {
    let Some(answer) = handed("config").and_then(|promise| promise.dyn_into::<Promise>().ok()) else {
        return Ok(Backends::own());
    };
    let unreadable = |_| "It could not be loaded.".to_owned();
    let answer: Response = JsFuture::from(answer).await.and_then(JsCast::dyn_into).map_err(unreadable)?;
    let kind = answer.headers().get("content-type").ok().flatten().unwrap_or_default();
    if answer.status() == 404 || (answer.ok() && kind.contains("text/html")) {
        return Ok(Backends::own());
    }
    if !answer.ok() {
        return Err(format!("It could not be loaded: the host answered {}.", answer.status()));
    }
    let text = JsFuture::from(answer.text().map_err(unreadable)?).await.map_err(unreadable)?;
    let is_https = window().location().protocol().is_ok_and(|protocol| protocol == "https:");
    Backends::parse(&text.as_string().unwrap_or_default(), is_https)
}
