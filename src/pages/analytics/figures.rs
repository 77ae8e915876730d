//! Usage by group, as table and chart show it.

use super::choice::{By, What};
use crate::ui::{ChartData, Hue, Series, Spans, Unit, millis, whole};
use keygate_contract::{Usage, UsageFigures, UsagePeriod, UsageTotal};
use std::collections::{BTreeSet, HashMap};

/// How many groups stand for themselves in the chart.
const LARGEST: usize = 5;
const HUES: [Hue; LARGEST] = [Hue::C1, Hue::C3, Hue::C2, Hue::C4, Hue::C5];

/// A group and what it used.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Group {
    /// Of a model, a key or a workspace; empty: no model.
    pub(super) id: String,
    pub(super) figures: UsageFigures,
    /// Of what is shown.
    pub(super) amount: f64,
    /// In the range before; none: it used nothing then.
    pub(super) before: Option<f64>,
}

/// What the costs are in, of the range and the one before it.
pub(super) fn currencies(usage: &Usage) -> Vec<String> {
    let periods = [Some(&usage.period), usage.previous.as_ref()];
    let all: BTreeSet<_> =
        periods.into_iter().flatten().flat_map(|period| period.total.cost.keys()).collect();
    all.into_iter().cloned().collect()
}

/// The currency that most groups have costs in, of the range or else of the one before it.
pub(super) fn usual_currency(usage: &Usage) -> Option<String> {
    let groups = |currency: &str| {
        let has_it = |total: &&UsageTotal| total.figures.cost.contains_key(currency);
        let in_period = |period: &UsagePeriod| period.totals.iter().filter(has_it).count();
        (in_period(&usage.period), usage.previous.as_ref().map_or(0, in_period))
    };
    // Of several, the last that is as good as any other would win.
    currencies(usage).into_iter().rev().max_by_key(|currency| groups(currency))
}

/// What share of the range has passed at `now`: as much of the one before is comparable.
pub(super) fn passed(usage: &Usage, now: f64) -> f64 {
    spans(&usage.period, usage.step.millis() as f64).passed(now)
}

/// All groups that used something in the range or in the one before, those that used most first. Of the range before,
/// `passed` is the share that is comparable.
pub(super) fn groups(usage: &Usage, passed: f64, by: By, what: What, currency: &str) -> Vec<Group> {
    let earlier = usage.previous.as_ref().map(|period| period.totals.as_slice()).unwrap_or_default();
    let amount = |total: &UsageTotal| what.amount(&total.figures, currency);
    let mut before: HashMap<&str, f64> = earlier.iter().map(|t| (by.id(&t.of), amount(t) * passed)).collect();
    let now = usage.period.totals.iter().map(|total| {
        let id = by.id(&total.of);
        let before = before.remove(id);
        Group { id: id.to_owned(), figures: total.figures.clone(), amount: amount(total), before }
    });
    let mut groups: Vec<Group> = now.collect();
    // Those that are left are gone.
    for id in earlier.iter().map(|total| by.id(&total.of)) {
        if let Some(before) = before.remove(id) {
            let figures = UsageFigures::default();
            groups.push(Group { id: id.to_owned(), figures, amount: 0.0, before: Some(before) });
        }
    }
    groups.sort_by(|a, b| b.amount.total_cmp(&a.amount).then(b.figures.calls.cmp(&a.figures.calls)));
    groups
}

fn spans(period: &UsagePeriod, span: f64) -> Spans {
    let [from, to] = [&period.from, &period.to].map(|end| millis(end.as_str()).unwrap_or_default());
    Spans::between(from, to, span)
}

/// The largest groups over time, all others together, and the range before as a line.
///
/// `grouped` tells of each group over time, `usage` of all together.
pub(super) fn chart(
    (grouped, usage): (&Usage, &Usage),
    groups: &[Group],
    by: By,
    what: What,
    currency: &str,
    name: impl Fn(&str) -> String,
) -> ChartData {
    let spans = spans(&grouped.period, grouped.step.millis() as f64);
    let used: Vec<_> = groups.iter().filter(|group| group.amount > 0.0).collect();
    let own = used.len().min(LARGEST);
    let mut sums = vec![vec![Some(0.0); spans.count]; own + 1];
    for item in &grouped.period.items {
        let id = by.id(&item.of);
        let row = used[..own].iter().position(|group| group.id == id).unwrap_or(own);
        if let Some(i) = millis(item.time.as_str()).and_then(|moment| spans.find(moment)) {
            let sum = sums[row][i].unwrap_or_default() + what.amount(&item.figures, currency);
            sums[row][i] = Some(sum);
        }
    }
    let rest = sums.pop().unwrap_or_default();
    let mut series: Vec<Series> = sums
        .into_iter()
        .zip(&used)
        .zip(HUES)
        .map(|((values, group), hue)| Series { name: name(&group.id), hue, values, dashed: false })
        .collect();
    if used.len() > own {
        let others = used.len() - own;
        let name =
            if others == 1 { "1 other".to_owned() } else { format!("{} others", whole(others as u64)) };
        series.push(Series { name, hue: Hue::Rest, values: rest, dashed: false });
    }
    series.extend(before(usage, spans, what, currency));
    let unit = if what == What::Cost { Unit::Money(currency.to_owned()) } else { Unit::Count };
    ChartData { spans, series, unit, limit: None }
}

/// All of the range before, moved to where this one is. None where nothing was used then.
fn before(usage: &Usage, spans: Spans, what: What, currency: &str) -> Option<Series> {
    let is_alike = usage.step.millis() as f64 == spans.span;
    let used = |period: &&UsagePeriod| what.amount(&period.total, currency) > 0.0;
    let period = usage.previous.as_ref().filter(|_| is_alike).filter(used)?;
    let shift = spans.from - millis(period.from.as_str())?;
    let given = period.items.iter().filter_map(|item| {
        Some((millis(item.time.as_str())? + shift, Some(what.amount(&item.figures, currency))))
    });
    let values = spans.fill(Some(0.0), given);
    Some(Series { name: "range before".to_owned(), hue: Hue::Rest, values, dashed: true })
}

#[cfg(test)]
mod tests {
    use super::*;
    use keygate_contract::{Timestamp, UsageOf, UsageStep};

    fn total(model: &str, calls: u64, cost: &[(&str, f64)]) -> UsageTotal {
        let cost = cost.iter().map(|(currency, amount)| ((*currency).to_owned(), *amount)).collect();
        let of = UsageOf { model: Some(model.into()), ..UsageOf::default() };
        UsageTotal { of, figures: UsageFigures { calls, cost, ..UsageFigures::default() } }
    }

    fn period(totals: Vec<UsageTotal>) -> UsagePeriod {
        let time = Timestamp::from_rfc3339("2026-11-21T00:00:00.000Z".into());
        let mut sum = UsageFigures::default();
        for total in &totals {
            sum.cost.extend(total.figures.cost.clone());
        }
        UsagePeriod { from: time.clone(), to: time, items: vec![], total: sum, totals }
    }

    fn usage() -> Usage {
        let now =
            period(vec![total("a", 5, &[("CNY", 1.0)]), total("b", 3, &[("CNY", 2.0)]), total("", 1, &[])]);
        let before = period(vec![total("gone", 9, &[("USD", 4.0)]), total("a", 4, &[("CNY", 0.5)])]);
        Usage { step: UsageStep::Day, period: now, previous: Some(before) }
    }

    #[test]
    fn groups_come_by_what_is_shown_and_those_that_are_gone_at_the_end() {
        let ids = |what, currency| -> Vec<String> {
            groups(&usage(), 1.0, By::Model, what, currency).into_iter().map(|group| group.id).collect()
        };
        assert_eq!(ids(What::Calls, ""), ["a", "b", "", "gone"]);
        assert_eq!(ids(What::Cost, "CNY"), ["b", "a", "", "gone"]);
    }

    #[test]
    fn each_group_is_compared_with_itself() {
        let all = groups(&usage(), 0.5, By::Model, What::Calls, "");
        let before: Vec<_> = all.iter().map(|group| group.before).collect();
        assert_eq!(before, [Some(2.0), None, None, Some(4.5)], "of a range of which half has passed");
        assert_eq!(all[3].amount, 0.0);
    }

    #[test]
    fn every_currency_is_told_that_either_range_has() {
        assert_eq!(currencies(&usage()), ["CNY", "USD"]);
        assert_eq!(usual_currency(&usage()).as_deref(), Some("CNY"));
        let mut usage = usage();
        usage.period.totals.clear();
        assert_eq!(usual_currency(&usage).as_deref(), Some("CNY"), "as many groups have one as the other");
        usage.previous = None;
        usage.period.total.cost.clear();
        assert_eq!(usual_currency(&usage), None);
    }
}
