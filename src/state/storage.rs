//! What this browser remembers between visits: choices, never data. Every access may fail, and nothing depends on one.

use leptos::prelude::window;

fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok().flatten()
}

pub(super) fn read(key: &str) -> Option<String> {
    storage()?.get_item(&format!("keygate.{key}")).ok().flatten()
}

pub(super) fn write(key: &str, value: Option<&str>) {
    let Some(storage) = storage() else { return };
    let key = format!("keygate.{key}");
    // A full or closed storage only means that the choice is forgotten.
    let _ = match value {
        Some(value) => storage.set_item(&key, value),
        None => storage.remove_item(&key),
    };
}
