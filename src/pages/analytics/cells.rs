//! Figures in the cells of a row.

use crate::ui::{money, percent, whole};
use keygate_contract::UsageFigures;
use leptos::prelude::*;

/// How much more or less it is than before.
fn change(amount: f64, before: Option<f64>) -> String {
    match before.filter(|before| *before > 0.0) {
        None if amount > 0.0 => "new".to_owned(),
        None => "–".to_owned(),
        Some(before) => match amount / before - 1.0 {
            // So many times as much reads better than so many percent more.
            change if change > 10.0 => format!("×{}", whole((change + 1.0).round() as u64)),
            change if change.abs() < 0.0005 => "±0%".to_owned(),
            change => format!("{}{}", if change < 0.0 { '−' } else { '+' }, percent(round(change.abs()))),
        },
    }
}

/// An amount of money without what is less than a hundredth, unless that is most of it.
pub(super) fn cents(amount: f64) -> f64 {
    if amount < 1.0 { amount } else { (amount * 100.0).round() / 100.0 }
}

/// To a tenth of a percent.
fn round(part: f64) -> f64 {
    (part * 1000.0).round() / 1000.0
}

/// The cells of figures. `total` is the sum over all groups.
pub(super) fn cells(
    figures: &UsageFigures,
    amount: f64,
    before: Option<f64>,
    total: f64,
    currency: &str,
) -> AnyView {
    let failed = if figures.calls > 0 { figures.failures as f64 / figures.calls as f64 } else { 0.0 };
    let failed = (figures.failures > 0).then(|| view! { <div class="sub">{percent(round(failed))}</div> });
    let cost = figures
        .cost
        .get(currency)
        .map(|cost| view! { <span class="nowrap">{money(cents(*cost), currency)}</span> });
    let unpriced = (figures.unpriced_calls > 0).then(|| {
        let word = if figures.unpriced_calls == 1 { "call" } else { "calls" };
        view! { <div class="sub">{format!("no price: {} {word}", whole(figures.unpriced_calls))}</div> }
    });
    let others: Vec<_> = figures.cost.keys().filter(|other| *other != currency).map(String::as_str).collect();
    let others = (!others.is_empty()).then(|| {
        let word = if cost.is_some() { "also in" } else { "in" };
        view! { <div class="sub">{format!("{word} {}", others.join(", "))}</div> }
    });
    let none = (cost.is_none() && others.is_none() && unpriced.is_none()).then_some("–");
    let share = if total > 0.0 { percent(round(amount / total)) } else { "–".to_owned() };
    view! {
        <td role="cell" class="num" data-label="Calls">{whole(figures.calls)}</td>
        <td role="cell" class="num" data-label="Failures">{whole(figures.failures)} {failed}</td>
        <td role="cell" class="num" data-label="Tokens in">{whole(figures.input_tokens)}</td>
        <td role="cell" class="num" data-label="Tokens out">{whole(figures.output_tokens)}</td>
        <td role="cell" class="num" data-label="Cached">{whole(figures.cached_tokens)}</td>
        <td role="cell" class="num" data-label="Cost">{cost} {others} {unpriced} {none}</td>
        <td role="cell" class="num" data-label="Share">{share}</td>
        <td role="cell" class="num nowrap" data-label="Change">{change(amount, before)}</td>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::{cents, round};

    #[test]
    fn small_amounts_keep_their_digits() {
        assert_eq!([cents(22.308_23), cents(0.000_123), cents(1.005)], [22.31, 0.000_123, 1.0]);
    }

    #[test]
    fn parts_are_told_to_a_tenth_of_a_percent() {
        assert_eq!([round(0.123_456), round(12.000_04), round(0.0)], [0.123, 12.0, 0.0]);
    }
}
