//! Numbers in the person's language, by the browser's own library.

use js_sys::{Array, Intl, Object, Reflect};
use wasm_bindgen::JsValue;

thread_local! {
    static WHOLE: Intl::NumberFormat = Intl::NumberFormat::new(&Array::new(), &Object::new());
}

fn write(with: &Intl::NumberFormat, number: f64) -> String {
    with.format()
        .call1(with, &JsValue::from_f64(number))
        .ok()
        .and_then(|text| text.as_string())
        .unwrap_or_else(|| number.to_string())
}

/// A whole number, in groups of digits: `1,000,000`.
pub fn whole(number: u64) -> String {
    // Beyond 2^53 the last digits would differ; no limit or count comes near.
    WHOLE.with(|format| write(format, number as f64))
}

/// An amount of money, to the millionth: `$0.287`.
pub fn money(amount: f64, currency: &str) -> String {
    // The library throws at a code that is not of this form.
    if currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_alphabetic()) {
        return format!("{amount} {currency}");
    }
    let options = Object::new();
    for (name, value) in [
        ("style", JsValue::from_str("currency")),
        ("currency", JsValue::from_str(currency)),
        ("maximumFractionDigits", JsValue::from_f64(6.0)),
    ] {
        // A plain object takes every field.
        let _ = Reflect::set(&options, &JsValue::from_str(name), &value);
    }
    write(&Intl::NumberFormat::new(&Array::new(), &options), amount)
}
