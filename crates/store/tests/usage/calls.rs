//! The list of calls.

use crate::{
    DAY, Dice, Fixture, HOUR, MINUTE, any_call, combine, fixture, history, record, request_id, subject, uuid,
};
use keygate_contract::{Call, CallClass, Page, PageSize};
use keygate_store::{CallFilter, CallRecord, CallSubject, PageRequest, StoreError, timestamp};

async fn page(
    fixture: &Fixture,
    filter: &CallFilter,
    size: u32,
    token: Option<String>,
) -> Result<Page<Call>, StoreError> {
    let request = PageRequest { size: PageSize::try_from(size).unwrap(), token };
    fixture.store.calls(&"ws-1".into(), filter, &request).await
}

/// All pages of a list, and the total that the first told.
async fn list(fixture: &Fixture, filter: &CallFilter, size: u32) -> (Vec<Call>, u64) {
    let (mut calls, mut token, mut total) = (Vec::new(), None, None);
    loop {
        let page = page(fixture, filter, size, token).await.unwrap();
        total.get_or_insert(page.total);
        assert!(page.items.len() as u32 == size || page.next_page_token.is_none());
        calls.extend(page.items);
        token = page.next_page_token;
        if token.is_none() {
            return (calls, total.unwrap());
        }
    }
}

fn matching<'a>(
    calls: &'a [(CallSubject, CallRecord)],
    filter: &'a CallFilter,
) -> impl Iterator<Item = &'a CallRecord> {
    let wanted = move |(subject, record): &&(CallSubject, CallRecord)| {
        subject.workspace == "ws-1".into()
            && filter.from.is_none_or(|from| record.ended_at >= from)
            && filter.to.is_none_or(|to| record.ended_at < to)
            && filter.class.is_none_or(|class| record.class == class)
            && filter.api_key.as_ref().is_none_or(|key| subject.api_key == *key)
            && filter.model.as_ref().is_none_or(|model| subject.model.clone().unwrap_or("".into()) == *model)
    };
    calls.iter().filter(wanted).map(|(_, record)| record)
}

fn id(record: &CallRecord) -> String {
    uuid(record.request_id)
}

#[tokio::test]
async fn every_filter_finds_all_that_match_once_in_the_order_of_time() {
    let mut fixture = fixture().await;
    let calls = combine(history(&mut Dice(10), 3000, DAY, 50 * HOUR));
    // Some are in the sums and some are not yet.
    fixture.append(&calls[..2500], 300).await;
    fixture.writer.fold().await.unwrap();
    fixture.append(&calls[2500..], 20).await;
    let mut dice = Dice(11);
    for n in 0..120 {
        let from = DAY - HOUR + dice.below(50 * HOUR as u64) as i64;
        let filter = CallFilter {
            from: (dice.below(2) == 0).then_some(from),
            to: (dice.below(2) == 0).then(|| from + dice.below(30 * HOUR as u64) as i64),
            class: (dice.below(2) == 0).then(|| CallClass::ALL[dice.below(4) as usize]),
            model: [None, None, Some("model-3".into()), Some("".into()), Some("none".into())]
                [dice.below(5) as usize]
                .clone(),
            api_key: (dice.below(3) == 0).then(|| format!("key-1-{}", dice.below(5)).into()),
        };
        let (found, total) = list(&fixture, &filter, 7 + n % 90).await;
        // The list counts rows; the total counts requests.
        assert_eq!(total, matching(&calls, &filter).map(|r| u64::from(r.count)).sum::<u64>(), "{filter:?}");
        let mut expected: Vec<(i64, String)> =
            matching(&calls, &filter).map(|r| (r.ended_at, id(r))).collect();
        assert!(found.is_sorted_by(|a, b| a.time >= b.time));
        let mut found: Vec<(String, String)> =
            found.into_iter().map(|c| (c.time.to_string(), c.request_id)).collect();
        found.sort_unstable();
        expected.sort_unstable();
        let expected: Vec<_> = expected.into_iter().map(|(at, id)| (timestamp(at).to_string(), id)).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
}

#[tokio::test]
async fn a_rare_call_is_found_among_many() {
    let mut fixture = fixture().await;
    let calls: Vec<_> =
        (0..20_000).map(|n| (subject(1, 1, Some(1)), record(n, DAY + n as i64 * 30_000))).collect();
    fixture.append(&calls, 5000).await;
    let rare = CallRecord { class: CallClass::ServerError, status: 502, ..record(99_999, DAY + 777_777) };
    fixture.append(&[(subject(1, 2, None), rare.clone())], 1).await;
    fixture.writer.fold().await.unwrap();
    for filter in [
        CallFilter { class: Some(CallClass::ServerError), ..CallFilter::default() },
        CallFilter { api_key: Some("key-1-2".into()), ..CallFilter::default() },
        CallFilter { model: Some("".into()), class: Some(CallClass::ServerError), ..CallFilter::default() },
    ] {
        let (found, total) = list(&fixture, &filter, 20).await;
        assert_eq!((found.len(), total), (1, 1));
        assert_eq!(found[0].request_id, id(&rare));
    }
}

#[tokio::test]
async fn pages_hold_each_call_once_while_new_ones_come_in() {
    let mut fixture = fixture().await;
    let mut calls = history(&mut Dice(12), 1500, DAY, 2 * HOUR);
    fixture.append(&calls, 40).await;
    fixture.writer.fold().await.unwrap();
    let mut dice = Dice(13);
    for filter in
        [CallFilter::default(), CallFilter { class: Some(CallClass::Throttled), ..CallFilter::default() }]
    {
        let then: Vec<String> = matching(&calls, &filter).map(id).collect();
        let (mut token, mut seen, mut n) = (None, Vec::new(), 0);
        loop {
            let page = page(&fixture, &filter, 13, token).await.unwrap();
            seen.extend(page.items.into_iter().map(|call| call.request_id));
            token = page.next_page_token;
            if token.is_none() {
                break;
            }
            let at = DAY + 2 * HOUR + dice.below(MINUTE as u64) as i64;
            let new: Vec<_> =
                (0..5).map(|i| any_call(&mut dice, 10_000 + calls.len() as u64 + i, at)).collect();
            fixture.append(&new, 5).await;
            calls.extend(new);
            n += 1;
            if n % 3 == 0 {
                fixture.writer.fold().await.unwrap();
            }
        }
        assert_eq!(seen.len(), then.len());
        assert!(then.iter().all(|id| seen.contains(id)));
    }
}

#[tokio::test]
async fn a_token_is_good_for_its_own_list_only() {
    let mut fixture = fixture().await;
    fixture.append(&history(&mut Dice(14), 400, DAY, HOUR), 40).await;
    let all = CallFilter::default();
    let token = page(&fixture, &all, 10, None).await.unwrap().next_page_token.unwrap();
    assert!(page(&fixture, &all, 20, Some(token.clone())).await.is_ok());

    let refused = |result: Result<Page<Call>, StoreError>| matches!(result, Err(StoreError::PageToken));
    for filter in [
        CallFilter { class: Some(CallClass::Ok), ..CallFilter::default() },
        CallFilter { from: Some(DAY), ..CallFilter::default() },
    ] {
        assert!(refused(page(&fixture, &filter, 10, Some(token.clone())).await));
    }
    for at in 0..token.len() {
        let mut altered = token.clone().into_bytes();
        altered[at] = if altered[at] == b'M' { b'N' } else { b'M' };
        let altered = String::from_utf8(altered).unwrap();
        assert!(refused(page(&fixture, &all, 10, Some(altered)).await), "letter {at}");
    }
    let request = PageRequest { size: PageSize::default(), token: Some(token.clone()) };
    assert!(refused(fixture.store.calls(&"ws-2".into(), &all, &request).await));
    assert!(refused(fixture.store.calls(&"ws-none".into(), &all, &request).await));

    // The token of another database, and those of this one after a restart.
    let mut other = crate::fixture().await;
    other.append(&history(&mut Dice(14), 400, DAY, HOUR), 40).await;
    assert!(refused(page(&other, &all, 10, Some(token.clone())).await));
    let fixture = fixture.reopen().await;
    assert!(page(&fixture, &all, 10, Some(token)).await.is_ok());
}

#[tokio::test]
async fn a_call_is_told_as_it_was_recorded() {
    let mut fixture = fixture().await;
    let calls = combine(history(&mut Dice(15), 300, DAY, HOUR));
    let long = CallRecord {
        request_id: request_id(DAY, 7777),
        error_code: Some("é".repeat(60).into()),
        address: "2001:db8::1".parse().unwrap(),
        ..record(1, DAY + 20 * HOUR)
    };
    fixture.append(&calls, 50).await;
    fixture.append(&[(subject(1, 1, Some(9)), long)], 1).await;
    for (subject, record) in &calls {
        let call = fixture.store.call(&subject.workspace, &id(record)).await.unwrap().unwrap();
        assert_eq!((&call.api_key, &call.member), (&subject.api_key, &subject.member));
        assert_eq!((&call.model, &call.request_id), (&subject.model, &id(record)));
        assert_eq!(call.time, timestamp(record.ended_at));
        assert_eq!((call.status, call.class, call.stream), (record.status, record.class, record.stream));
        assert_eq!(call.error_code.as_deref(), record.error_code.as_deref());
        assert_eq!(call.throttled_by, record.throttled_by);
        assert_eq!((call.input_tokens, call.output_tokens), (record.input_tokens, record.output_tokens));
        assert_eq!((call.cached_tokens, call.estimated), (record.cached_tokens, record.estimated));
        assert_eq!((call.latency_ms * 1000.0).round() as u64, record.latency_us);
        assert_eq!(call.first_token_ms.is_some(), record.first_token_us.is_some());
        assert_eq!((call.address.as_str(), call.count), ("192.0.2.7", record.count));
    }
    let long = fixture.store.call(&"ws-1".into(), &uuid(request_id(DAY, 7777))).await.unwrap().unwrap();
    assert_eq!(long.address, "2001:db8::1");
    assert_eq!(long.error_code.unwrap(), "é".repeat(32));

    let (_, first) = calls.iter().find(|(s, _)| s.workspace == "ws-1".into()).unwrap();
    let foreign = fixture.store.call(&"ws-2".into(), &id(first)).await.unwrap();
    assert_eq!(foreign, None);
    for bad in ["", "x", "00000000-0000-0000-0000-000000000000", "é0000000-0000-0000-0000-000000000000"] {
        assert_eq!(fixture.store.call(&"ws-1".into(), bad).await.unwrap(), None);
    }
}
