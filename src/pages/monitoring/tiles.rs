//! The figures of the whole range, each with its change.

use super::figures::{failure_rate, spans};
use super::range::{before, words};
use crate::api::Query;
use crate::components::PageRange;
use crate::ui::{compact, decimal, duration, now, percent, whole};
use keygate_contract::{Usage, UsageFigures};
use leptos::prelude::*;

/// One figure.
#[derive(Clone, Debug, PartialEq)]
struct Tile {
    value: String,
    /// How it changed, and whether that is `good` or `bad`.
    change: (String, &'static str),
    detail: String,
}

/// The tiles, in their final place from the beginning.
#[component]
pub(super) fn Tiles(usage: Query<Usage>, range: Memo<PageRange>) -> impl IntoView {
    let tiles = Memo::new(move |_| {
        let before = before(range.get());
        usage.state().with(|state| state.value.as_ref().map(|usage| tiles(usage, &before)))
    });
    let tile = move |i: usize, label: &'static str, with_range: bool| {
        let label = move || {
            if with_range { format!("{label}, {}", words(range.get())) } else { label.to_owned() }
        };
        let figures = move || match tiles.with(|tiles| tiles.as_ref().map(|tiles| tiles[i].clone())) {
            Some(Tile { value, change: (change, sense), detail }) => view! {
                <dd class="value">{value}</dd>
                <dd class=format!("change {sense}")>{change}</dd>
                <dd>{detail}</dd>
            }
            .into_any(),
            None => view! {
                <dd class="value"><i class="bone"></i></dd>
                <dd><i class="bone long"></i></dd>
                <dd><i class="bone"></i></dd>
            }
            .into_any(),
        };
        view! { <div class="card tile"><dt>{label}</dt>{figures}</div> }
    };
    view! {
        <dl class="tiles">
            {tile(0, "Calls", true)}
            {tile(1, "Failure rate", false)}
            {tile(2, "Latency p95", false)}
            {tile(3, "Tokens", true)}
        </dl>
    }
}

const SAME: &str = "as in";

fn tiles(usage: &Usage, before: &str) -> [Tile; 4] {
    let (this, that) = (&usage.period.total, usage.previous.as_ref().map(|period| &period.total));
    let passed = spans(usage).passed(now());
    let tokens = |figures: &UsageFigures| figures.input_tokens + figures.output_tokens;
    let p95 = |figures: &UsageFigures| figures.latency_ms.map(|latency| latency.p95);
    let of_sum = |of: fn(&UsageFigures) -> u64| {
        let earlier = that.map(|that| of(that) as f64 * passed);
        (relative(Some(of(this) as f64), earlier, before), "")
    };
    let (rate, earlier) = (failure_rate(this), that.and_then(failure_rate));
    let (took, took_earlier) = (p95(this), that.and_then(p95));
    let dash = || "–".to_owned();
    [
        Tile {
            value: whole(this.calls),
            change: of_sum(|figures| figures.calls),
            detail: format!("{} answered", whole(this.calls.saturating_sub(this.failures))),
        },
        Tile {
            value: rate.map_or_else(dash, percent),
            change: less_is_better(points(rate, earlier, before), rate, earlier),
            detail: format!("{} failed · {} throttled", whole(this.failures), whole(this.throttled)),
        },
        Tile {
            value: took.map_or_else(dash, duration),
            change: less_is_better(relative(took, took_earlier, before), took, took_earlier),
            detail: this.first_token_ms.map_or_else(
                || "no streams".to_owned(),
                |first| format!("first token p95 {}", duration(first.p95)),
            ),
        },
        Tile {
            value: compact(tokens(this) as f64),
            change: of_sum(|figures| figures.input_tokens + figures.output_tokens),
            detail: format!(
                "{} in · {} out",
                compact(this.input_tokens as f64),
                compact(this.output_tokens as f64)
            ),
        },
    ]
}

/// A change, and what it means. One that is too small to be told means nothing.
fn less_is_better(words: String, this: Option<f64>, that: Option<f64>) -> (String, &'static str) {
    let sense = match this.zip(that) {
        _ if words.starts_with(SAME) => "",
        Some((this, that)) if this > that => "bad",
        Some((this, that)) if this < that => "good",
        _ => "",
    };
    (words, sense)
}

fn signed(change: f64, words: impl Fn(f64) -> String, before: &str) -> String {
    let sign = if change < 0.0 { '−' } else { '+' };
    format!("{sign}{} on {before}", words(change.abs()))
}

fn relative(this: Option<f64>, that: Option<f64>, before: &str) -> String {
    match (this, that.filter(|that| *that > 0.0)) {
        (Some(this), Some(that)) if (this / that - 1.0).abs() < 0.0005 => format!("{SAME} {before}"),
        // A hundred times as much says more than 9,900 %.
        (Some(this), Some(that)) if this / that >= 10.0 => {
            format!("{}× {before}", whole((this / that).round() as u64))
        }
        (Some(this), Some(that)) => signed((this / that - 1.0) * 100.0, one_decimal, before),
        (_, None) => format!("none in {before}"),
        (None, Some(_)) => format!("unlike {before}"),
    }
}

fn one_decimal(percent: f64) -> String {
    format!("{}%", decimal((percent * 10.0).round() / 10.0))
}

fn points(this: Option<f64>, that: Option<f64>, before: &str) -> String {
    match (this, that) {
        (Some(this), Some(that)) if (this - that).abs() < 0.000_05 => format!("{SAME} {before}"),
        (Some(this), Some(that)) => {
            signed((this - that) * 100.0, |points| format!("{} points", decimal(points)), before)
        }
        (_, None) => format!("no calls in {before}"),
        (None, Some(_)) => format!("unlike {before}"),
    }
}
