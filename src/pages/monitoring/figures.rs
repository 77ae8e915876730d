//! Usage as charts show it.

use crate::ui::{ChartData, Hue, Limit, Series, Spans, Unit, millis};
use keygate_contract::{Percentiles, Usage, UsageFigures, UsageStep};

/// The spans of the range.
pub(super) fn spans(usage: &Usage) -> Spans {
    let [from, to] =
        [&usage.period.from, &usage.period.to].map(|end| millis(end.as_str()).unwrap_or_default());
    Spans::between(from, to, usage.step.millis() as f64)
}

/// A value of each span; `usual` where nothing was called.
fn values(usage: &Usage, usual: Option<f64>, of: impl Fn(&UsageFigures) -> Option<f64>) -> Vec<Option<f64>> {
    let given = usage.period.items.iter().filter_map(|i| Some((millis(i.time.as_str())?, of(&i.figures))));
    spans(usage).fill(usual, given)
}

fn series(name: &str, hue: Hue, values: Vec<Option<f64>>) -> Series {
    Series { name: name.to_owned(), hue, values, dashed: false }
}

/// How calls ended.
pub(super) fn calls(usage: &Usage) -> ChartData {
    let part = |name, hue, of: fn(&UsageFigures) -> u64| {
        series(name, hue, values(usage, Some(0.0), |figures| Some(of(figures) as f64)))
    };
    ChartData {
        spans: spans(usage),
        series: vec![
            part("ok", Hue::C1, |f| f.calls.saturating_sub(f.failures)),
            part("client error", Hue::C4, |f| f.client_errors),
            part("throttled", Hue::C3, |f| f.throttled),
            part("server error", Hue::Bad, |f| f.server_errors),
        ],
        unit: Unit::Count,
        limit: None,
    }
}

/// How long answers took.
pub(super) fn latency(usage: &Usage) -> ChartData {
    let of_calls = |name, hue, of: fn(Percentiles) -> f64| {
        series(name, hue, values(usage, None, |figures| figures.latency_ms.map(of)))
    };
    let first = values(usage, None, |figures| figures.first_token_ms.map(|first| first.p95));
    ChartData {
        spans: spans(usage),
        series: vec![
            of_calls("p50", Hue::C1, |p| p.p50),
            of_calls("p95", Hue::C2, |p| p.p95),
            of_calls("p99", Hue::C3, |p| p.p99),
            Series { dashed: true, ..series("first token p95", Hue::C4, first) },
        ],
        unit: Unit::Millis,
        limit: None,
    }
}

/// Calls or tokens a minute; of longer spans the average. The span that still runs at `now` has no such figure yet.
pub(super) fn rate(
    usage: &Usage,
    name: &str,
    limit: Option<Limit>,
    now: f64,
    of: fn(&UsageFigures) -> u64,
) -> ChartData {
    let minutes = (usage.step.millis() / UsageStep::Minute.millis()) as f64;
    let name = match usage.step {
        UsageStep::Minute => name.to_owned(),
        UsageStep::Hour => format!("{name}, hourly average"),
        UsageStep::Day => format!("{name}, daily average"),
    };
    let spans = spans(usage);
    let mut values = values(usage, Some(0.0), |figures| Some(of(figures) as f64 / minutes));
    if let Some(running) = spans.find(now) {
        values[running..].fill(None);
    }
    ChartData {
        spans,
        series: vec![series(&name, Hue::C1, values)],
        unit: if minutes > 1.0 { Unit::Average } else { Unit::Count },
        limit,
    }
}

/// Failures among all calls.
pub(super) fn failure_rate(figures: &UsageFigures) -> Option<f64> {
    (figures.calls > 0).then(|| figures.failures as f64 / figures.calls as f64)
}
