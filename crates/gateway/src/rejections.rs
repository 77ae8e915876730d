//! Makes what a rejected request leaves behind as cheap as the rejection itself.
//!
//! A request that never reached an upstream costs its caller nothing, and no rate limit slows it down. If each one left
//! a row in the request log, a single disabled key could fill the disk. So each key has a [`RejectionBudget`]: the
//! first rejections of a minute are recorded one by one, and later ones are combined into rows that say how many
//! requests they represent. Usage, metrics and `total`s still count every request.

use crate::credential::PublicId;
use crate::ended::{EndedCall, Records};
use crate::map::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Rejections of one key that get their own row, per minute.
pub const SINGLE_REJECTIONS: u32 = 100;
/// How long rejections are combined before their row is written.
const COMBINE_FOR: Duration = Duration::from_secs(5);

/// Counts the rejections of a key in the current minute.
#[derive(Debug, Default)]
pub(crate) struct RejectionBudget {
    /// The minute in the upper half, the rejections in it in the lower.
    state: AtomicU64,
}

impl RejectionBudget {
    /// Counts a rejection at `unix_ms`. Returns whether it gets its own row.
    pub(crate) fn spend(&self, unix_ms: i64) -> bool {
        let minute = u32::try_from(unix_ms.div_euclid(60_000)).unwrap_or(u32::MAX);
        let mut allowed = false;
        let update = |state: u64| {
            let spent = if state >> 32 == u64::from(minute) { state & u64::from(u32::MAX) } else { 0 };
            allowed = spent < u64::from(SINGLE_REJECTIONS);
            allowed.then_some(u64::from(minute) << 32 | (spent + 1))
        };
        // An exhausted budget is only read, so that a flood does not bounce the cache line between workers.
        let _ = self.state.fetch_update(Ordering::Relaxed, Ordering::Relaxed, update);
        allowed
    }
}

/// What rejections must have in common to share a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Group {
    key: PublicId,
    slot: Option<usize>,
    status: u16,
    error_code: Option<&'static str>,
    stream: bool,
    /// Rows belong to a minute, and so do rollups.
    minute: i64,
}

/// Rejections that are being combined.
#[derive(Debug, Default)]
pub(crate) struct CombinedRejections {
    rows: HashMap<Group, Box<EndedCall>>,
    /// When the oldest of them began.
    since: Option<Instant>,
}

impl CombinedRejections {
    /// Adds a rejection. Returns whether it was added to an existing row.
    pub(crate) fn add(&mut self, mut record: Box<EndedCall>) -> bool {
        let group = Group {
            key: record.key.public_id,
            slot: record.slot,
            status: record.status,
            error_code: record.error_code,
            stream: record.stream,
            minute: record.ended_at.div_euclid(60_000),
        };
        self.since.get_or_insert_with(Instant::now);
        match self.rows.get_mut(&group) {
            Some(row) => {
                record.count = record.count.saturating_add(row.count);
                // The row describes the latest of its requests.
                *row = record;
                true
            }
            None => {
                self.rows.insert(group, record);
                false
            }
        }
    }

    /// Moves the rows to `records` if they have been combined for long enough, or if `all` is set.
    pub(crate) fn drain_into(&mut self, records: &mut Records, all: bool) {
        if self.since.is_some_and(|since| all || since.elapsed() >= COMBINE_FOR) {
            self.since = None;
            records.extend(self.rows.drain().map(|(_, row)| row));
        }
    }

    /// The number of waiting rows.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_gets_its_rows_again_each_minute() {
        let budget = RejectionBudget::default();
        let minute = 1_795_163_400_000;
        let rows = |at: i64, tries: u32| (0..tries).filter(|_| budget.spend(at)).count();
        assert_eq!(rows(minute, 1_000), SINGLE_REJECTIONS as usize);
        assert_eq!(rows(minute + 59_999, 10), 0);
        assert_eq!(rows(minute + 60_000, 1_000), SINGLE_REJECTIONS as usize);
    }

    #[test]
    fn threads_share_one_budget() {
        let budget = RejectionBudget::default();
        let rows: usize = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..4).map(|_| scope.spawn(|| (0..1_000).filter(|_| budget.spend(7)).count())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(rows, SINGLE_REJECTIONS as usize);
    }
}
