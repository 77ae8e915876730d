//! Numbers in the person's language, by the browser's own library.

use js_sys::{Array, Intl, Object, Reflect};
use wasm_bindgen::JsValue;

thread_local! {
    static WHOLE: Intl::NumberFormat = Intl::NumberFormat::new(&Array::new(), &Object::new());
    static COMPACT: Intl::NumberFormat = formatter(&[("notation", "compact".into()), ("maximumFractionDigits", 1.into())]);
    static DECIMAL: Intl::NumberFormat = formatter(&[("maximumFractionDigits", 2.into())]);
    static THREE: Intl::NumberFormat = formatter(&[("maximumSignificantDigits", 3.into())]);
    static PERCENT: Intl::NumberFormat = formatter(&[("style", "percent".into()), ("maximumFractionDigits", 2.into())]);
}

fn formatter(options: &[(&str, JsValue)]) -> Intl::NumberFormat {
    let bag = Object::new();
    for (name, value) in options {
        // A plain object takes every field.
        let _ = Reflect::set(&bag, &JsValue::from_str(name), value);
    }
    Intl::NumberFormat::new(&Array::new(), &bag)
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

/// An amount of money, to the millionth: `$0.287`. What has no more than two digits so keeps three.
pub fn money(amount: f64, currency: &str) -> String {
    let is_tiny = amount > 0.0 && amount < 1e-4;
    let digits = if is_tiny { ("maximumSignificantDigits", 3) } else { ("maximumFractionDigits", 6) };
    money_with(&[digits], amount, currency)
}

/// An amount of money with so many decimals, at most 20.
pub fn money_to(decimals: u32, amount: f64, currency: &str) -> String {
    money_with(&[("minimumFractionDigits", decimals), ("maximumFractionDigits", decimals)], amount, currency)
}

fn money_with(digits: &[(&str, u32)], amount: f64, currency: &str) -> String {
    // The library throws at a code that is not of this form.
    if currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_alphabetic()) {
        return format!("{amount} {currency}");
    }
    let mut options = vec![("style", "currency".into()), ("currency", currency.into())];
    options.extend(digits.iter().map(|(name, digits)| (*name, JsValue::from(*digits))));
    write(&formatter(&options), amount)
}

/// A number in a few letters: `41.7M`.
pub fn compact(number: f64) -> String {
    COMPACT.with(|format| write(format, number))
}

/// A number with at most two decimals: `1,204.5`.
pub fn decimal(number: f64) -> String {
    DECIMAL.with(|format| write(format, number))
}

/// A number with at most so many decimals, at most 20: `0.005`.
pub fn decimal_to(decimals: u32, number: f64) -> String {
    write(&formatter(&[("maximumFractionDigits", decimals.into())]), number)
}

/// A part of a whole, from 0 to 1: `0.38%`.
pub fn percent(part: f64) -> String {
    PERCENT.with(|format| write(format, part))
}

/// The same with at most so many decimals, at most 20.
pub fn percent_to(decimals: u32, part: f64) -> String {
    write(&formatter(&[("style", "percent".into()), ("maximumFractionDigits", decimals.into())]), part)
}

/// How long something took, to three digits: `410 ms`, `1.84 s`.
pub fn duration(millis: f64) -> String {
    let three = |number| THREE.with(|format| write(format, number));
    // What rounds to a second is one.
    if millis < 999.5 { format!("{} ms", three(millis)) } else { format!("{} s", three(millis / 1000.0)) }
}
