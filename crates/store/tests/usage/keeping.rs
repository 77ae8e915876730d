//! What is kept, what is deleted, and what can be made anew.

use crate::{
    DAY, Dice, Fixture, HOUR, MINUTE, fixture, history, query, record, request_id, subject, uuid, workspace,
};
use keygate_contract::{UsageGroup, UsageItem, UsageStep};
use keygate_store::{
    CallFilter, PageRequest, Retention, StoreError, UsageQuery, UsageScope, UsageStore, now_ms,
};

const STEP_DAY: i64 = 24 * HOUR;

async fn items(fixture: &Fixture, step: UsageStep) -> Vec<UsageItem> {
    let of = UsageScope::Region("here".into());
    let query = UsageQuery { group_by: UsageGroup::ApiKey, ..query(of, DAY, DAY + 40 * STEP_DAY, step) };
    fixture.store.usage(&query).await.unwrap().items
}

async fn calls(fixture: &Fixture, from: Option<i64>) -> u64 {
    let filter = CallFilter { from, ..CallFilter::default() };
    fixture.store.calls(&"ws-1".into(), &filter, &PageRequest::default()).await.unwrap().total
}

#[tokio::test]
async fn what_is_older_than_it_is_kept_goes_and_the_rest_stays() {
    let mut fixture = fixture().await;
    let history = history(&mut Dice(20), 6000, DAY, 40 * STEP_DAY);
    fixture.append(&history, 3000).await;
    fixture.writer.fold().await.unwrap();
    let before = [items(&fixture, UsageStep::Hour).await, items(&fixture, UsageStep::Day).await];
    let minutes = items(&fixture, UsageStep::Minute).await;

    // Nine hours into the day, so that the log begins within a day.
    let now = DAY + 40 * STEP_DAY + 9 * HOUR;
    let old = |days: i64| now - days * STEP_DAY;
    assert!(fixture.store.clean(Retention::default(), now).await.unwrap() > 1000);
    assert_eq!(fixture.store.clean(Retention::default(), now).await.unwrap(), 0);
    let kept =
        history.iter().filter(|(s, r)| s.workspace == "ws-1".into() && r.ended_at >= old(14)).count() as u64;
    assert_eq!((calls(&fixture, None).await, calls(&fixture, Some(old(30))).await), (kept, kept));
    let (whose, gone) = &history[0];
    let id = uuid(gone.request_id);
    assert_eq!(fixture.store.call(&whose.workspace, &id).await.unwrap(), None);
    assert_eq!([items(&fixture, UsageStep::Hour).await, items(&fixture, UsageStep::Day).await], before);
    let kept: Vec<UsageItem> = items(&fixture, UsageStep::Minute).await;
    assert!(minutes.ends_with(&kept) && kept[0].time >= keygate_store::timestamp(DAY + 10 * STEP_DAY));

    // Rows are deleted by whole days, and it is known since when all are there.
    let from = fixture.store.sums_from().await.unwrap();
    assert!(from.minutes > DAY && from.minutes <= DAY + 10 * STEP_DAY, "{from:?}");
    assert_eq!(from.hours, 0);
    assert!(kept[0].time < keygate_store::timestamp(DAY + 10 * STEP_DAY + 9 * HOUR));

    // What can be made from the log is made from it, and what cannot stays.
    fixture.writer.rebuild().await.unwrap();
    assert_eq!([items(&fixture, UsageStep::Hour).await, items(&fixture, UsageStep::Day).await], before);
    assert_eq!(items(&fixture, UsageStep::Minute).await, kept);

    let hours = Retention { log: 1, minutes: 2, hours: 3 };
    fixture.store.clean(hours, now).await.unwrap();
    assert!(items(&fixture, UsageStep::Hour).await.len() < before[0].len() / 10);
    assert_eq!(items(&fixture, UsageStep::Day).await, before[1]);
    // Numbers of blocks go on where they were, though the last are gone.
    fixture.store.clean(hours, now + 100 * STEP_DAY).await.unwrap();
    let mut fixture = fixture.reopen().await;
    assert_eq!(calls(&fixture, None).await, 0);
    let at = now + 101 * STEP_DAY;
    fixture.append(&[(subject(1, 1, None), record(1, at))], 1).await;
    fixture.writer.fold().await.unwrap();
    assert_eq!(calls(&fixture, None).await, 1);
    let day = query(workspace(1), at, at + 1, UsageStep::Day);
    assert_eq!(fixture.store.usage(&day).await.unwrap().total.calls, 1);
}

/// The end times of the calls of all workspaces in the log.
async fn listed(fixture: &Fixture) -> Vec<keygate_contract::Timestamp> {
    let mut found = Vec::new();
    for n in 1..=3 {
        let mut page = PageRequest { size: 100.try_into().unwrap(), token: None };
        loop {
            let workspace = format!("ws-{n}").into();
            let calls = fixture.store.calls(&workspace, &CallFilter::default(), &page).await.unwrap();
            found.extend(calls.items.into_iter().map(|call| call.time));
            page.token = calls.next_page_token;
            if page.token.is_none() {
                break;
            }
        }
    }
    found
}

#[tokio::test]
async fn a_log_that_is_too_large_loses_its_oldest_minutes() {
    let mut fixture = fixture().await;
    let history = history(&mut Dice(24), 9000, DAY, 30 * HOUR);
    // A request recorded with a clock far ahead must not hide the others.
    fixture.append(&[(subject(1, 1, None), record(70_000, DAY + 900 * STEP_DAY))], 1).await;
    fixture.append(&history, 30).await;
    fixture.writer.fold().await.unwrap();
    let sums = [items(&fixture, UsageStep::Minute).await, items(&fixture, UsageStep::Day).await];
    let now = DAY + 30 * HOUR;
    let full = fixture.store.log_bytes().await.unwrap();
    assert_eq!(fixture.store.clean_to_size(full, now).await.unwrap(), 0);
    let mut first = DAY;
    for parts in 2..12 {
        assert!(fixture.store.clean_to_size(full / parts, now).await.unwrap() > 10);
        let left = fixture.store.log_bytes().await.unwrap();
        assert!(left <= full / parts && left + 4096 > full / parts, "{left} of {full} / {parts}");
        // The list begins with a whole minute, and everything younger is still there.
        let found = listed(&fixture).await;
        let oldest = found.iter().min().unwrap();
        let oldest = history.iter().find(|(_, r)| keygate_store::timestamp(r.ended_at) == *oldest).unwrap();
        first = oldest.1.ended_at / MINUTE * MINUTE;
        assert_eq!(found.len(), history.iter().filter(|(_, r)| r.ended_at >= first).count());
    }
    // Deletion by age does not bring back deleted rows, and the sums still include all of them.
    fixture.store.clean(Retention::default(), now).await.unwrap();
    assert_eq!(calls(&fixture, Some(first)).await, calls(&fixture, None).await);
    fixture.writer.rebuild().await.unwrap();
    assert_eq!([items(&fixture, UsageStep::Minute).await, items(&fixture, UsageStep::Day).await], sums);
}

#[tokio::test]
async fn the_bytes_of_the_log_are_about_those_of_the_file() {
    for batch in [4, 2000] {
        let mut fixture = fixture().await;
        let before = fixture.store.size().await.unwrap();
        let calls: Vec<_> = (0..20_000).map(|n| (subject(1, 1, Some(1)), record(n, DAY))).collect();
        fixture.append(&calls, batch).await;
        fixture.writer.fold().await.unwrap();
        let grown = fixture.store.size().await.unwrap() - before;
        let counted = fixture.store.log_bytes().await.unwrap();
        assert!(
            counted.abs_diff(grown) < grown / 4,
            "{counted} bytes counted, and the file has {grown} more"
        );
    }
}

#[tokio::test]
async fn the_time_that_was_known_to_be_right_outlives_the_process() {
    let mut fixture = fixture().await;
    assert_eq!(fixture.store.known_time(), None);
    fixture.append(&[(subject(1, 1, None), record(1, DAY))], 1).await;
    let fixture = fixture.reopen().await;
    assert_eq!(fixture.store.known_time(), Some(DAY), "the newest request");
    fixture.store.known_time_set(DAY + HOUR).await.unwrap();
    let fixture = fixture.reopen().await;
    assert_eq!(fixture.store.known_time(), Some(DAY + HOUR));
}

#[tokio::test]
async fn calls_that_are_not_in_the_sums_yet_are_not_deleted() {
    let mut fixture = fixture().await;
    fixture.append(&history(&mut Dice(21), 500, DAY, HOUR), 100).await;
    fixture.store.clean(Retention::default(), DAY + 90 * STEP_DAY).await.unwrap();
    assert_eq!(calls(&fixture, None).await, 0);
    fixture.writer.fold().await.unwrap();
    let day = query(UsageScope::Region("here".into()), DAY, DAY + HOUR, UsageStep::Day);
    assert!(fixture.store.usage(&day).await.unwrap().total.calls > 200);
}

#[tokio::test]
async fn sums_made_anew_from_the_log_are_the_same() {
    let mut fixture = fixture().await;
    let history = history(&mut Dice(22), 5000, DAY, 70 * HOUR);
    for calls in history.chunks(333) {
        fixture.append(calls, 21).await;
        fixture.writer.fold().await.unwrap();
    }
    let mut before = Vec::new();
    for step in UsageStep::ALL {
        before.push(items(&fixture, step).await);
    }
    // Some wait to be folded: these are not to be counted twice.
    fixture.append(&[(subject(3, 1, None), record(90_000, DAY))], 1).await;
    fixture.writer.rebuild().await.unwrap();
    fixture.writer.fold().await.unwrap();
    for (step, before) in UsageStep::ALL.into_iter().zip(before) {
        assert_eq!(items(&fixture, step).await, before, "{step}");
    }
    let there = query(UsageScope::Region("there".into()), DAY, DAY + 70 * HOUR, UsageStep::Hour);
    let expected = history.iter().filter(|(s, _)| s.region == "there".into()).count() as u64 + 1;
    assert_eq!(fixture.store.usage(&there).await.unwrap().total.calls, expected);
}

#[tokio::test]
async fn an_export_tells_a_year_in_chunks_as_one_query_would() {
    let mut fixture = fixture().await;
    let calls = history(&mut Dice(23), 5000, DAY, 365 * STEP_DAY);
    fixture.append(&calls, 5000).await;
    fixture.writer.fold().await.unwrap();
    for (step, group_by) in [(UsageStep::Day, UsageGroup::ApiKey), (UsageStep::Hour, UsageGroup::Model)] {
        let of = UsageScope::Region("here".into());
        let query = UsageQuery { group_by, ..query(of, 0, DAY + 800 * STEP_DAY, step) };
        let mut export = fixture.store.export(&query);
        let mut items = Vec::new();
        let mut chunks = 0;
        while let Some(chunk) = export.next_chunk().await.unwrap() {
            assert!(chunk.len() < 5000);
            items.extend(chunk);
            chunks += 1;
        }
        assert!(chunks > 2);
        assert_eq!(items, fixture.store.usage(&query).await.unwrap().items);
    }
}

#[tokio::test]
async fn a_clock_that_was_ahead_hides_no_call_when_it_is_right_again() {
    let mut fixture = fixture().await;
    let call = |n: u64, at: i64| [(subject(1, 1, Some(1)), record(n, at))];
    let clean = async |fixture: &Fixture, now: i64| {
        fixture.store.clean(Retention::default(), now).await.unwrap();
        calls(fixture, None).await
    };
    let ahead = DAY + 3_000 * STEP_DAY;
    fixture.append(&call(1, DAY), 1).await;
    fixture.writer.fold().await.unwrap();
    assert_eq!(clean(&fixture, ahead).await, 0, "what the clock says is old goes");
    fixture.append(&call(2, DAY + 2 * MINUTE), 1).await;
    fixture.writer.fold().await.unwrap();
    assert_eq!(calls(&fixture, None).await, 1, "and what is called then is there");
    // Calls that ended by the wrong clock move where the log begins, and the next round moves it back.
    fixture.append(&call(3, ahead), 1).await;
    fixture.writer.fold().await.unwrap();
    assert_eq!(clean(&fixture, ahead).await, 1);
    fixture.append(&call(4, DAY + 9 * MINUTE), 1).await;
    fixture.writer.fold().await.unwrap();
    assert_eq!(clean(&fixture, DAY + HOUR).await, 2);
    // What was deleted cannot be added up anew, so the sums of that time stay as they are.
    let sums = items(&fixture, UsageStep::Day).await;
    fixture.writer.rebuild().await.unwrap();
    assert_eq!(items(&fixture, UsageStep::Day).await, sums);
}

#[tokio::test]
async fn a_second_process_is_kept_out_until_the_first_is_done() {
    let mut fixture = fixture().await;
    let refused = UsageStore::open(&fixture.url).await.map(|_| ()).unwrap_err();
    assert!(matches!(&refused, StoreError::InUse(file) if fixture.url.ends_with(file)), "{refused}");
    fixture.append(&[(subject(1, 1, None), record(1, DAY))], 1).await;
    // Somebody may still hold on to a store that is closed.
    let closed = fixture.store.clone();
    let fixture = fixture.reopen().await;
    assert_eq!(calls(&fixture, None).await, 1);
    drop(closed);
}

#[tokio::test]
async fn the_models_of_a_workspace_are_those_that_were_called() {
    let mut fixture = fixture().await;
    let now = now_ms();
    let call = |n: u64, ws, model, at| {
        (subject(ws, 1, model), {
            let mut call = record(n, at);
            call.request_id = request_id(at, n);
            call
        })
    };
    let calls = [
        call(1, 1, Some(7), now),
        call(2, 1, Some(3), now - 100 * STEP_DAY),
        call(3, 1, None, now),
        call(4, 2, Some(9), now),
    ];
    fixture.append(&calls, 10).await;
    fixture.writer.fold().await.unwrap();
    let models = fixture.store.models_called(&"ws-1".into(), 400).await.unwrap();
    assert_eq!(models, ["model-3".into(), "model-7".into()]);
    assert_eq!(fixture.store.models_called(&"ws-1".into(), 31).await.unwrap(), ["model-7".into()]);
    assert!(fixture.store.models_called(&"ws-9".into(), 31).await.unwrap().is_empty());
    assert!(fixture.store.size().await.unwrap() > 10_000);
}
