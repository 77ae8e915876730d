//! What a call spent its time on: a bar, and the same in words.

use crate::ui::duration;
use keygate_contract::Call;
use leptos::prelude::*;

/// How wide the drawing is, in its own units.
const WIDTH: f64 = 1000.0;
/// A part that took any time is not narrower than this.
const LEAST: f64 = 4.0;

/// A part of the time.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Part {
    label: &'static str,
    hue: &'static str,
    ms: f64,
}

/// The parts, one after the other. Together they are as long as the call.
fn parts(call: &Call) -> Vec<Part> {
    let whole = call.latency_ms.max(0.0);
    let part = |label, hue, ms: f64| Part { label, hue, ms: ms.max(0.0) };
    let Some(forwarded) = call.forwarded_ms else {
        return vec![part("In the gateway, which refused it", "c3", whole)];
    };
    let forwarded = forwarded.clamp(0.0, whole);
    let gateway = part("In the gateway, until it was sent on", "c3", forwarded);
    match call.first_token_ms {
        None => vec![gateway, part("Waiting for the answer", "c1", whole - forwarded)],
        Some(first) => {
            let first = first.clamp(forwarded, whole);
            vec![
                gateway,
                part("Waiting for the first piece", "c1", first - forwarded),
                part("Streaming", "c2", whole - first),
            ]
        }
    }
}

/// Where each part begins and how wide it is.
fn layout(parts: &[Part]) -> Vec<(f64, f64)> {
    let wide = |ms: f64, unit: f64| if ms > 0.0 { (ms * unit).max(LEAST) } else { 0.0 };
    let total: f64 = parts.iter().map(|part| part.ms).sum();
    let unit = if total > 0.0 { WIDTH / total } else { 0.0 };
    // What the narrow ones are given, all give in proportion.
    let sum: f64 = parts.iter().map(|part| wide(part.ms, unit)).sum();
    let scale = if sum > 0.0 { WIDTH / sum } else { 0.0 };
    let mut x = 0.0;
    let place = parts.iter().map(|part| {
        let width = wide(part.ms, unit) * scale;
        let at = (x, width);
        x += width;
        at
    });
    place.collect()
}

/// The bar, and its parts in words.
pub(super) fn timing(call: &Call) -> AnyView {
    let parts = parts(call);
    let bars = parts.iter().zip(layout(&parts)).map(|(part, (x, width))| {
        view! {
            <rect class=part.hue x=format!("{x:.1}") y="0" width=format!("{width:.1}") height="12"></rect>
        }
    });
    let words = parts.iter().map(|part| {
        view! {
            <dt class=part.hue><i></i> {part.label}</dt>
            <dd>{duration(part.ms)}</dd>
        }
    });
    view! {
        <div class="timing">
            <svg viewBox="0 0 1000 12" preserveAspectRatio="none" aria-hidden="true">{bars.collect_view()}</svg>
            <dl>
                {words.collect_view()}
                <dt class="total">"Together"</dt>
                <dd class="total">{duration(call.latency_ms)}</dd>
            </dl>
        </div>
    }    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::requests::meaning::tests::call;

    fn millis(forwarded: Option<f64>, first: Option<f64>) -> Vec<f64> {
        let call = Call { latency_ms: 100.0, forwarded_ms: forwarded, first_token_ms: first, ..call() };
        parts(&call).iter().map(|part| part.ms).collect()
    }

    #[test]
    fn the_parts_are_together_as_long_as_the_call() {
        assert_eq!(millis(None, None), [100.0]);
        assert_eq!(millis(Some(2.0), None), [2.0, 98.0]);
        assert_eq!(millis(Some(2.0), Some(30.0)), [2.0, 28.0, 70.0]);
        assert_eq!(millis(Some(200.0), Some(1.0)), [100.0, 0.0, 0.0], "clocks that disagree");
    }

    #[test]
    fn a_short_part_can_be_seen_and_the_bar_keeps_its_length() {
        let part = |ms| Part { label: "", hue: "c1", ms };
        let bars = layout(&[part(0.1), part(0.0), part(999.9)]);
        assert!(bars[0].1 > 3.9 && bars[1].1 == 0.0);
        assert!((bars[2].0 + bars[2].1 - WIDTH).abs() < 0.01);
        assert_eq!(layout(&[part(0.0)]), [(0.0, 0.0)]);
    }
}
