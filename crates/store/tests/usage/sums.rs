//! Sums are those of the calls, however they are asked for.

use crate::{DAY, Dice, HOUR, MINUTE, combine, fixture, history, query, record, subject, workspace};
use keygate_contract::{CallClass, UsageFigures, UsageGroup, UsageOf, UsageStep};
use keygate_store::{CallCost, CallRecord, CallSubject, StoreError, UsageQuery, UsageScope};
use std::collections::BTreeMap;

/// The figures of calls, added up one by one.
fn naive<'a>(calls: impl Iterator<Item = &'a CallRecord>) -> (UsageFigures, Vec<u64>, Vec<u64>) {
    let (mut figures, mut latency, mut first) = (UsageFigures::default(), Vec::new(), Vec::new());
    for call in calls {
        let count = u64::from(call.count);
        figures.calls += count;
        match call.class {
            CallClass::Ok => {}
            CallClass::ClientError => figures.client_errors += 1,
            CallClass::Throttled => figures.throttled += count,
            CallClass::ServerError => figures.server_errors += 1,
        }
        figures.failures += if call.class == CallClass::Ok { 0 } else { count };
        figures.input_tokens += call.input_tokens;
        figures.output_tokens += call.output_tokens;
        figures.cached_tokens += call.cached_tokens;
        figures.estimated_calls += u64::from(call.estimated);
        if call.class == CallClass::Ok {
            latency.push(call.latency_us);
            first.extend(call.first_token_us);
            figures.unpriced_calls += u64::from(call.cost == CallCost::Unpriced);
        }
        if let CallCost::Priced { currency, pico } = call.cost {
            *figures.cost.entry(String::from_utf8(currency.to_vec()).unwrap()).or_default() += pico as f64;
        }
    }
    (figures, latency, first)
}

fn check(told: &UsageFigures, calls: &[&CallRecord]) {
    let (mut exact, mut latency, mut first) = naive(calls.iter().copied());
    for (told, durations) in [(told.latency_ms, &mut latency), (told.first_token_ms, &mut first)] {
        durations.sort_unstable();
        let Some(told) = told else {
            assert!(durations.is_empty());
            continue;
        };
        for (percent, told) in [(50, told.p50), (95, told.p95), (99, told.p99)] {
            let exact = durations[(durations.len() * percent).div_ceil(100) - 1] as f64 / 1000.0;
            assert!(told >= exact && told <= exact * (1.0 + 1.0 / 128.0), "p{percent}: {exact}, told {told}");
        }
    }
    assert_eq!(told.cost.keys().collect::<Vec<_>>(), exact.cost.keys().collect::<Vec<_>>());
    for (currency, pico) in &exact.cost {
        assert!((told.cost[currency] - pico / 1e12).abs() < 1e-9, "{currency}");
    }
    exact.latency_ms = told.latency_ms;
    exact.first_token_ms = told.first_token_ms;
    exact.cost.clone_from(&told.cost);
    assert_eq!(*told, exact);
}

/// Whether a query wants a call.
fn wanted(query: &UsageQuery, subject: &CallSubject) -> bool {
    let model = subject.model.clone().unwrap_or("".into());
    let scope = match &query.of {
        UsageScope::Workspaces(ids) => ids.contains(&subject.workspace),
        UsageScope::Region(region) => *region == subject.region,
    };
    scope
        && query.api_key.as_ref().is_none_or(|k| *k == subject.api_key)
        && query.model.as_ref().is_none_or(|m| *m == model)
}

fn group(by: UsageGroup, subject: &CallSubject) -> UsageOf {
    match by {
        UsageGroup::None => UsageOf::default(),
        UsageGroup::Model => {
            UsageOf { model: Some(subject.model.clone().unwrap_or("".into())), ..UsageOf::default() }
        }
        UsageGroup::ApiKey => UsageOf { api_key: Some(subject.api_key.clone()), ..UsageOf::default() },
        UsageGroup::Workspace => UsageOf { workspace: Some(subject.workspace.clone()), ..UsageOf::default() },
    }
}

#[tokio::test]
async fn sums_by_every_grouping_are_those_of_the_calls() {
    let mut fixture = fixture().await;
    let calls = combine(history(&mut Dice(1), 4000, DAY, 60 * HOUR));
    for (n, calls) in calls.chunks(700).enumerate() {
        fixture.append(calls, 37 + n).await;
        fixture.writer.fold().await.unwrap();
    }
    let mut dice = Dice(2);
    let groups = [UsageGroup::None, UsageGroup::Model, UsageGroup::ApiKey, UsageGroup::Workspace];
    for n in 0..150 {
        let step = UsageStep::ALL[n % 3];
        let from = DAY - HOUR + dice.below(30 * HOUR as u64) as i64;
        let of = match dice.below(4) {
            0 => UsageScope::Region("here".into()),
            1 => UsageScope::Workspaces(vec!["ws-1".into(), "ws-3".into(), "ws-none".into()]),
            n => workspace(n),
        };
        let query = UsageQuery {
            group_by: groups[dice.below(4) as usize],
            totals_by: [None, Some(groups[dice.below(4) as usize])][dice.below(2) as usize],
            model: [None, None, Some("model-2".into()), Some("".into())][dice.below(4) as usize].clone(),
            api_key: (dice.below(3) == 0).then(|| "key-1-2".into()),
            ..query(of, from, from + dice.below(40 * HOUR as u64) as i64, step)
        };
        let told = fixture.store.usage(&query).await.unwrap();

        let floor = |ms: i64| ms - ms.rem_euclid(step.millis());
        let range = floor(query.from)..floor(query.to + step.millis() - 1);
        let mut items: BTreeMap<(i64, UsageOf), Vec<&CallRecord>> = BTreeMap::new();
        let mut totals: BTreeMap<UsageOf, Vec<&CallRecord>> = BTreeMap::new();
        let mut total = Vec::new();
        for (subject, call) in &calls {
            if range.contains(&call.ended_at) && wanted(&query, subject) {
                items.entry((floor(call.ended_at), group(query.group_by, subject))).or_default().push(call);
                let by = query.totals_by.unwrap_or(query.group_by);
                if by != UsageGroup::None {
                    totals.entry(group(by, subject)).or_default().push(call);
                }
                total.push(call);
            }
        }
        assert_eq!(told.items.len(), items.len(), "{query:?}");
        for (item, ((time, of), calls)) in told.items.iter().zip(&items) {
            assert_eq!((&item.time, &item.of), (&keygate_store::timestamp(*time), of));
            check(&item.figures, calls);
        }
        check(&told.total, &total);
        assert_eq!(told.totals.len(), totals.len());
        assert!(told.totals.is_sorted_by(|a, b| a.figures.calls >= b.figures.calls));
        for item in &told.totals {
            check(&item.figures, &totals[&item.of]);
        }
    }
}

#[tokio::test]
async fn absurd_numbers_stay_at_the_most_that_can_be_told() {
    let mut fixture = fixture().await;
    let absurd = |n, ended_at| CallRecord {
        input_tokens: u64::MAX,
        output_tokens: u64::MAX,
        cached_tokens: u64::MAX,
        latency_us: u64::MAX,
        forwarded_us: Some(u64::MAX),
        first_token_us: Some(u64::MAX),
        error_code: Some("é".repeat(9_999).into()),
        cost: CallCost::Priced { currency: *b"\xff\xff\xff", pico: u64::MAX },
        ..record(n, ended_at)
    };
    let subject = subject(1, 1, None);
    let calls: Vec<_> = [DAY, DAY, i64::MIN + 100, -1, i64::MAX]
        .into_iter()
        .enumerate()
        .map(|(n, at)| (subject.clone(), absurd(n as u64, at)))
        .collect();
    fixture.append(&calls, 5).await;
    fixture.writer.fold().await.unwrap();
    let told = fixture.store.usage(&query(workspace(1), DAY, DAY + 1, UsageStep::Minute)).await.unwrap();
    assert_eq!((told.total.calls, told.total.input_tokens), (2, u64::MAX));
    let all = query(workspace(1), i64::MIN, i64::MAX, UsageStep::Day);
    assert_eq!(fixture.store.usage(&all).await.unwrap().total.calls, 5);
    let nothing = query(workspace(1), DAY + MINUTE, DAY, UsageStep::Hour);
    assert_eq!(fixture.store.usage(&nothing).await.unwrap().total.calls, 0);
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_refused_and_a_file_is_not() {
    let mut fixture = fixture().await;
    let calls: Vec<_> = (0..30_020)
        .map(|n: u64| (subject(1, 1, Some(n % 20)), record(n, DAY + (n / 20) as i64 * MINUTE)))
        .collect();
    fixture.append(&calls, 30_020).await;
    fixture.writer.fold().await.unwrap();
    let all = query(workspace(1), DAY, DAY + 1_501 * MINUTE, UsageStep::Minute);
    assert_eq!(fixture.store.usage(&all).await.unwrap().items.len(), 1_501);
    let by_model = UsageQuery { group_by: UsageGroup::Model, ..all };
    let refused = fixture.store.usage(&by_model).await.map(|_| ()).unwrap_err();
    assert!(matches!(refused, StoreError::TooMuch { most: 30_000 }), "{refused}");
    let less = UsageQuery { to: DAY + 1_500 * MINUTE, ..by_model.clone() };
    assert_eq!(fixture.store.usage(&less).await.unwrap().items.len(), 30_000);
    let (mut export, mut items) = (fixture.store.export(&by_model), 0);
    while let Some(chunk) = export.next_chunk().await.unwrap() {
        items += chunk.len();
    }
    assert_eq!(items, 30_020);
}
