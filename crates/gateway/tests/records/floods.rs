//! Many rejections of one key leave few records, and each is counted.

use crate::rig::Rig;
use keygate_gateway::SINGLE_REJECTIONS;
use keygate_gateway::ended::{EndedCall, EndedCalls};

const PLUS: &str = r#"{"model":"plus","messages":[]}"#;
const SENT: u32 = 3_000;

/// A gateway without an upstream, whose queue has `places` permits.
fn rig(places: usize) -> Rig {
    let second = std::time::Duration::from_secs(1);
    Rig::before("http://127.0.0.1:9/v1", |catalogue| EndedCalls::with_places(catalogue, places, second))
}

/// All records, including combined rejections.
fn all(rig: &Rig) -> Vec<EndedCall> {
    let mut records = rig.ended.take();
    rig.ended.stop();
    records.extend(rig.ended.take());
    assert_eq!(rig.ended.depth(), 0);
    records.into_iter().map(|record| *record).collect()
}

#[tokio::test]
async fn rejections_past_the_budget_are_combined_and_counted() {
    let rig = rig(50_000);
    let disabled = rig.key_with("ws-all", |key| key.disabled = true);
    let other = rig.key_with("ws-all", |key| key.disabled = true);
    for _ in 0..SENT {
        assert_eq!(rig.chat(&disabled, PLUS).await.status(), 401);
    }
    rig.chat(&other, PLUS).await;
    let records = all(&rig);
    // A minute may pass while the test runs.
    assert!(records.len() <= 2 * (SINGLE_REJECTIONS as usize + 1) + 1, "{} records", records.len());
    assert_eq!(records.iter().map(|record| record.count).sum::<u32>(), SENT + 1);
    let of_other = records.iter().filter(|record| record.key.public_id.as_str() == &other[6..18]);
    assert_eq!(
        of_other.map(|record| record.count).collect::<Vec<_>>(),
        [1],
        "each key has a budget of its own"
    );
}

#[tokio::test]
async fn combined_rejections_differ_by_model_and_code() {
    let rig = rig(50_000);
    let key = rig.key_with("ws-granted", |_| {});
    for _ in 0..SINGLE_REJECTIONS {
        rig.chat(&key, "{").await;
    }
    all(&rig);
    for (body, status) in
        [("{", 400), (r#"{"model":"free"}"#, 403), (r#"{"model":"nowhere"}"#, 403), ("{", 400)]
    {
        assert_eq!(rig.chat(&key, body).await.status(), status);
    }
    let mut counts: Vec<(Option<usize>, u16, u32)> =
        all(&rig).into_iter().map(|record| (record.slot, record.status, record.count)).collect();
    counts.sort_unstable();
    assert_eq!(counts.iter().map(|(.., count)| count).sum::<u32>(), 4);
    assert_eq!(counts.iter().filter(|(slot, ..)| slot.is_some()).count(), 2, "{counts:?}");
}

#[tokio::test]
async fn a_flood_of_rejections_does_not_use_up_the_queue() {
    let rig = rig(SINGLE_REJECTIONS as usize * 2 + 10);
    let disabled = rig.key_with("ws-all", |key| key.disabled = true);
    for _ in 0..SENT {
        assert_eq!(rig.chat(&disabled, PLUS).await.status(), 401);
    }
    // Nothing has been written in the meantime, and another key still gets a permit.
    assert_eq!(rig.chat(&rig.key(), PLUS).await.status(), 503, "the upstream is unreachable");
    assert_eq!(rig.ended.unrecorded(), 0);
}

#[tokio::test]
async fn forwarded_requests_are_never_combined() {
    let rig = rig(50_000);
    let key = rig.key();
    for _ in 0..SINGLE_REJECTIONS + 50 {
        assert_eq!(rig.chat(&key, PLUS).await.status(), 503, "the upstream is unreachable");
    }
    let records = all(&rig);
    assert_eq!(records.len(), SINGLE_REJECTIONS as usize + 50);
    assert!(records.iter().all(|record| record.count == 1));
}
