//! The budget with bodies that arrive, stall, stop and lie about their length.

use super::*;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use http_body::Frame;
use http_body_util::StreamBody;
use std::convert::Infallible;
use std::pin::{Pin, pin};

const MIB: usize = 1 << 20;
const WITHIN: Duration = Duration::from_secs(60);

fn budget(total: usize, body_max: usize) -> Arc<MemoryBudget> {
    Arc::new(MemoryBudget::new(total, body_max, WITHIN))
}

type TestBody = Pin<Box<dyn http_body::Body<Data = Bytes, Error = Infallible> + Send>>;

/// A body in chunks of 32 KiB. With `stops`, it then stalls for ever.
fn body(bytes: usize, stops: bool) -> TestBody {
    let pieces = stream::iter(vec![Bytes::from(vec![7; 32 << 10]); bytes / (32 << 10)]);
    let frames = pieces.map(|piece| Ok(Frame::data(piece)));
    match stops {
        true => Box::pin(StreamBody::new(frames.chain(stream::pending()))),
        false => Box::pin(StreamBody::new(frames)),
    }
}

async fn read(
    budget: &Arc<MemoryBudget>,
    key: &KeyMemory,
    mut body: TestBody,
) -> Result<Bytes, FillError<Infallible>> {
    Buffer::new(budget.of(Holder::Key(key)), 8 * MIB)
        .fill(Pin::new(&mut body))
        .await
        .map(|filled| filled.bytes)
}

#[tokio::test(start_paused = true)]
async fn bytes_are_charged_until_their_last_handle_is_dropped() {
    let (budget, key) = (budget(64 * MIB, 8 * MIB), KeyMemory::default());
    let mut whole = read(&budget, &key, body(2 * MIB, false)).await.unwrap();
    assert_eq!(whole.len(), 2 * MIB);
    let used = budget.in_use();
    assert!((2 * MIB as u64 - FREE as u64..=3 * MIB as u64).contains(&used), "{used}");
    let tail = whole.split_off(MIB);
    drop(whole);
    assert_eq!(budget.in_use(), used);
    drop(tail);
    assert_eq!(budget.in_use(), 0);
}

#[tokio::test(start_paused = true)]
async fn small_bodies_are_not_charged() {
    let (budget, key) = (budget(MIB, MIB), KeyMemory::default());
    let small = Bytes::from_static(&[1; FREE]);
    let held = budget.of(Holder::Key(&key)).hold(small.clone()).await.unwrap();
    let mut body = pin!(http_body_util::Full::new(small.clone()));
    let read = Buffer::new(budget.of(Holder::Key(&key)), MIB).fill(body.as_mut()).await.unwrap();
    assert_eq!((held, read.bytes, budget.in_use()), (small.clone(), small, 0));
}

#[tokio::test(start_paused = true)]
async fn unfinished_bodies_of_one_key_leave_the_other_keys_alone() {
    let budget = budget(64 * MIB, 8 * MIB);
    let (greedy, modest) = (KeyMemory::default(), KeyMemory::default());
    let mut stuck: Vec<_> = (0..20).map(|_| Box::pin(read(&budget, &greedy, body(4 * MIB, true)))).collect();
    for body in &mut stuck {
        assert!(body.as_mut().now_or_never().is_none());
    }
    assert!(budget.in_use() <= 17 * MIB as u64, "{}", budget.in_use());
    assert!(read(&budget, &modest, body(4 * MIB, false)).now_or_never().unwrap().is_ok());
    drop(stuck);
    assert_eq!(budget.in_use(), 0);
}

#[tokio::test(start_paused = true)]
async fn small_bodies_pass_while_others_hold_all_memory() {
    let budget = budget(64 * MIB, 8 * MIB);
    let keys: Vec<_> = (0..4).map(|_| KeyMemory::default()).collect();
    let mut stuck: Vec<_> = keys
        .iter()
        .flat_map(|key| [key; 4])
        .map(|key| Box::pin(read(&budget, key, body(8 * MIB, true))))
        .collect();
    for body in &mut stuck {
        assert!(body.as_mut().now_or_never().is_none());
    }
    let modest = KeyMemory::default();
    assert!(
        read(&budget, &modest, body(8 * MIB, false)).now_or_never().is_none(),
        "nothing is left for large ones"
    );
    assert!(read(&budget, &modest, body(MIB / 2, false)).now_or_never().unwrap().is_ok());
    assert!(budget.in_use() <= 64 * MIB as u64);
    drop(stuck);
    assert_eq!(budget.in_use(), 0);
}

#[tokio::test(start_paused = true)]
async fn bodies_that_wait_for_each_other_all_come_through() {
    let budget = budget(32 * MIB, 8 * MIB);
    let keys: Vec<_> = (0..8).map(|_| Arc::new(KeyMemory::default())).collect();
    // Ten times the budget, one chunk of each body at a time.
    let reads = keys.iter().cycle().take(40).map(|key| {
        let (budget, key) = (Arc::clone(&budget), Arc::clone(key));
        tokio::spawn(async move {
            let pieces = stream::repeat(Bytes::from(vec![7; 32 << 10])).take(256);
            let slow = pieces.then(async |piece| {
                tokio::task::yield_now().await;
                Ok(Frame::data(piece))
            });
            read(&budget, &key, Box::pin(StreamBody::new(slow))).await.map(|whole| whole.len())
        })
    });
    for read in reads.collect::<Vec<_>>() {
        assert_eq!(read.await.unwrap().unwrap(), 8 * MIB);
    }
    assert_eq!((budget.in_use(), budget.rejected()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_body_waits_for_the_budget_no_longer_than_it_may() {
    let (budget, key) = (budget(8 * MIB, 8 * MIB), KeyMemory::default());
    let first = read(&budget, &key, body(MIB, false)).await.unwrap();
    let second = read(&budget, &key, body(MIB, false)).await;
    assert!(matches!(second, Err(FillError::OutOfMemory)), "{second:?}");
    assert_eq!(budget.rejected(), 1);
    drop(first);
    assert!(read(&budget, &key, body(MIB, false)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_body_larger_than_its_limit_is_rejected() {
    let (budget, key) = (budget(64 * MIB, 8 * MIB), KeyMemory::default());
    let read = read(&budget, &key, body(9 * MIB, false)).await;
    assert!(matches!(read, Err(FillError::TooLarge)));
    assert_eq!(budget.in_use(), 0);
}
