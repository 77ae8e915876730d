//! Durations, counted in buckets that can be added up.
//!
//! The buckets are those of an H2 histogram with 128 to each power of two: up to 255 µs each holds one value, above
//! that none is wider than 1/128 of where it begins. So a percentile is told at most 1/128, 0.8 %, too high, and just as
//! exactly over a month as over a minute. Only buckets that hold something are kept.

use keygate_contract::Percentiles;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Buckets to a power of two, as a power of two.
const GROUPING: u32 = 7;
/// The longest that is told apart: 19 hours.
const MOST_US: u64 = (1 << 36) - 1;

/// How many calls took how long: `(bucket, calls)` in the order of buckets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Durations(Vec<(u16, u64)>);

/// The bucket of a duration.
fn bucket(us: u64) -> u16 {
    let us = us.min(MOST_US);
    let shift = (u64::BITS - us.leading_zeros()).saturating_sub(GROUPING + 1);
    let index = (u64::from(shift) << GROUPING) + (us >> shift);
    u16::try_from(index).unwrap_or(u16::MAX)
}

/// The longest duration of a bucket.
fn longest(bucket: u16) -> u64 {
    let shift = (u32::from(bucket) >> GROUPING).saturating_sub(1).min(u64::BITS - GROUPING - 2);
    let first = (u64::from(bucket) - (u64::from(shift) << GROUPING)) << shift;
    first + (1 << shift) - 1
}

impl Durations {
    /// Counts one more.
    pub(super) fn record(&mut self, us: u64) {
        let bucket = bucket(us);
        match self.0.binary_search_by_key(&bucket, |b| b.0) {
            Ok(at) => self.0[at].1 = self.0[at].1.saturating_add(1),
            Err(at) => self.0.insert(at, (bucket, 1)),
        }
    }

    /// Counts all that the other has counted.
    pub(super) fn add(&mut self, other: &Self) {
        if self.0.is_empty() {
            self.0.clone_from(&other.0);
            return;
        }
        if let [(bucket, calls)] = other.0[..] {
            match self.0.binary_search_by_key(&bucket, |b| b.0) {
                Ok(at) => self.0[at].1 = self.0[at].1.saturating_add(calls),
                Err(at) => self.0.insert(at, (bucket, calls)),
            }
            return;
        }
        let mine = std::mem::take(&mut self.0);
        self.0.reserve(mine.len() + other.0.len());
        let (mut mine, mut theirs) = (mine.into_iter().peekable(), other.0.iter().copied().peekable());
        loop {
            let next = match (mine.peek(), theirs.peek()) {
                (Some(a), Some(b)) if a.0 == b.0 => {
                    let calls = a.1.saturating_add(b.1);
                    theirs.next();
                    mine.next().map(|(bucket, _)| (bucket, calls))
                }
                (Some(a), Some(b)) if a.0 > b.0 => theirs.next(),
                (Some(_), _) => mine.next(),
                (None, _) => theirs.next(),
            };
            match next {
                Some(next) => self.0.push(next),
                None => return,
            }
        }
    }

    /// Percentiles in milliseconds; `None`: nothing was counted.
    pub(super) fn percentiles(&self) -> Option<Percentiles> {
        let calls: u128 = self.0.iter().map(|(_, calls)| u128::from(*calls)).sum();
        let at = |percent: u128| {
            // The rank is rounded up: the smallest duration that so many calls did not exceed.
            let rank = (calls * percent).div_ceil(100);
            let mut below = 0;
            let (bucket, _) = self.0.iter().find(|(_, calls)| {
                below += u128::from(*calls);
                below >= rank
            })?;
            #[expect(clippy::cast_precision_loss, reason = "at most 36 bits")]
            Some(longest(*bucket) as f64 / 1000.0)
        };
        (calls > 0).then_some(())?;
        Some(Percentiles { p50: at(50)?, p95: at(95)?, p99: at(99)? })
    }
}

impl Serialize for Durations {
    /// Each bucket as its distance from the one before: a byte, mostly.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut last = 0;
        serializer.collect_seq(self.0.iter().map(|(bucket, calls)| {
            let step = bucket - last;
            last = *bucket;
            (step, *calls)
        }))
    }
}

impl<'de> Deserialize<'de> for Durations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut buckets = Vec::<(u16, u64)>::deserialize(deserializer)?;
        let mut last = 0u16;
        for (bucket, _) in &mut buckets {
            last = last.saturating_add(*bucket);
            *bucket = last;
        }
        Ok(Self(buckets))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_lies_in_a_bucket_that_is_no_wider_than_a_128th_of_it() {
        let mut last = 0;
        for us in (0..70_000).chain((16..40).flat_map(|p| [(1 << p) - 1, 1 << p, (1 << p) + 1])) {
            let index = bucket(us);
            assert!(index >= last || us < 70_000, "{us}");
            last = index;
            let (us, top) = (us.min(MOST_US), longest(index));
            assert!(top >= us && (top - us) * 128 <= us, "{us} is told as {top}");
        }
        assert_eq!((bucket(u64::MAX), longest(bucket(u64::MAX))), (bucket(MOST_US), MOST_US));
        assert!(longest(u16::MAX) > 0, "a damaged bucket does not panic");
    }

    #[test]
    fn percentiles_of_a_sum_are_those_of_all_the_durations_together() {
        let mut state = 7u64;
        let mut all = Vec::new();
        let mut sum = Durations::default();
        for _ in 0..50 {
            let mut part = Durations::default();
            for _ in 0..97 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let us = (state >> 33) % (1 << (10 + (state >> 60)));
                part.record(us);
                all.push(us);
            }
            let bytes = postcard::to_stdvec(&part).unwrap();
            sum.add(&postcard::from_bytes(&bytes).unwrap());
        }
        all.sort_unstable();
        let told = sum.percentiles().unwrap();
        for (percent, told) in [(50, told.p50), (95, told.p95), (99, told.p99)] {
            let exact = all[(all.len() * percent).div_ceil(100) - 1] as f64 / 1000.0;
            assert!(
                told >= exact && told <= exact * (1.0 + 1.0 / 128.0),
                "p{percent}: {exact} told as {told}"
            );
        }
        assert_eq!(Durations::default().percentiles(), None);
    }
}
