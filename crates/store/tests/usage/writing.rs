//! What was appended is kept, once, whatever comes between.

use crate::{DAY, Dice, Fixture, HOUR, fixture, history, query, record, subject};
use keygate_contract::{UsageGroup, UsagePeriod, UsageStep};
use keygate_store::{CallRecord, SubjectId, UsageQuery, UsageScope};
use sqlx::Connection as _;

/// Everything of a region, in each step, by each model.
async fn everything(fixture: &Fixture) -> Vec<UsagePeriod> {
    let mut periods = Vec::new();
    for step in UsageStep::ALL {
        let of = UsageScope::Region("here".into());
        let query = UsageQuery { group_by: UsageGroup::Model, ..query(of, DAY, DAY + 72 * HOUR, step) };
        periods.push(fixture.store.usage(&query).await.unwrap());
    }
    periods
}

#[tokio::test]
async fn what_was_not_folded_when_the_process_ended_is_folded_when_the_next_begins() {
    let calls = history(&mut Dice(3), 3000, DAY, 50 * HOUR);
    let mut whole = fixture().await;
    whole.append(&calls, 3000).await;
    whole.writer.fold().await.unwrap();

    let mut broken = fixture().await;
    for (n, calls) in calls.chunks(500).enumerate() {
        broken.append(calls, 50).await;
        if n % 2 == 0 {
            broken = broken.reopen().await;
        }
    }
    broken = broken.reopen().await;
    assert_eq!(everything(&broken).await, everything(&whole).await);
}

#[tokio::test]
async fn an_append_that_was_left_half_way_is_made_good_by_the_next() {
    let mut fixture = fixture().await;
    let calls = history(&mut Dice(5), 400, DAY, HOUR);
    let calls: Vec<(SubjectId, CallRecord)> =
        calls.iter().map(|(s, r)| (fixture.writer.subject(s), r.clone())).collect();
    // Dropped after ever more steps: before the transaction, within it, or after the commit.
    let mut written = 0;
    for polls in 0..40 {
        let until = 10 * polls;
        let mut append = std::pin::pin!(fixture.writer.append(&calls[written..until]));
        for _ in 0..polls {
            let done = std::future::poll_fn(|cx| std::task::Poll::Ready(append.as_mut().poll(cx))).await;
            if done.is_ready() {
                written = until;
                break;
            }
            tokio::time::sleep(std::time::Duration::from_micros(200)).await;
        }
    }
    fixture.writer.append(&calls[written..]).await.unwrap();
    fixture.writer.fold().await.unwrap();
    let all = UsageScope::Workspaces((0..4).map(|n| format!("ws-{n}").into()).collect());
    let told = fixture.store.usage(&query(all, DAY, DAY + HOUR, UsageStep::Hour)).await.unwrap();
    assert_eq!(told.total.calls, 400);
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_doubles_nothing() {
    let mut fixture = fixture().await;
    let known = history(&mut Dice(6), 3000, DAY, HOUR);
    fixture.append(&known[..300], 300).await;
    fixture.writer.fold().await.unwrap();
    // A single statement, because all names are known; and a transaction with so many new names that the disk fills up
    // in the middle of it, and SQLite rolls back by itself.
    let new = (0..3000_u64).map(|n| (subject(1, 100 + n, Some(1)), record(10_000 + n, DAY)));
    for calls in [known[300..].to_vec(), new.collect()] {
        let calls: Vec<(SubjectId, CallRecord)> =
            calls.iter().map(|(s, r)| (fixture.writer.subject(s), r.clone())).collect();
        for _ in 0..3 {
            fixture.store.may_grow(false).await.unwrap();
            let full = fixture.writer.append(&calls).await.unwrap_err();
            assert!(full.is_unavailable(), "{full}");
            assert!(fixture.store.write_health().failing_since().is_some());
        }
        fixture.store.may_grow(true).await.unwrap();
        fixture.writer.append(&calls).await.unwrap();
        assert_eq!(fixture.store.write_health().failing_since(), None);
        fixture.writer.fold().await.unwrap();
    }
    let all = UsageScope::Workspaces((0..4).map(|n| format!("ws-{n}").into()).collect());
    let told = fixture.store.usage(&query(all, DAY, DAY + HOUR, UsageStep::Hour)).await.unwrap();
    assert_eq!(told.total.calls, 6000);
}

#[tokio::test]
async fn a_damaged_block_is_passed_over_and_the_others_are_added_up() {
    let mut fixture = fixture().await;
    let calls = history(&mut Dice(7), 300, DAY, HOUR);
    fixture.append(&calls, 100).await;
    let mut database = sqlx::SqliteConnection::connect(&fixture.url).await.unwrap();
    let damage = sqlx::query("UPDATE call_blocks SET calls = x'01ff' WHERE seq = 2").execute(&mut database);
    assert_eq!(damage.await.unwrap().rows_affected(), 1);
    database.close().await.unwrap();
    let fixture = fixture.reopen().await;
    let all = UsageScope::Workspaces((0..4).map(|n| format!("ws-{n}").into()).collect());
    let told = fixture.store.usage(&query(all, DAY, DAY + HOUR, UsageStep::Hour)).await.unwrap();
    assert!((200..300).contains(&told.total.calls), "{}", told.total.calls);
}
