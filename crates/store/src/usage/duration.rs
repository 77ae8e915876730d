//! Durations, counted in buckets that can be added up.
//!
//! The buckets are those of an H2 histogram with 128 to each power of two: up to 255 µs each holds one value, above
//! that none is wider than 1/128 of where it begins. So a percentile is told at most 1/128, 0.8 %, too high, and just as
//! exactly over a month as over a minute. Only buckets that hold something are kept.

use keygate_contract::Percentiles;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;

/// Buckets to a power of two, as a power of two.
const GROUPING: u32 = 7;
/// The longest that is told apart: 19 hours.
const MOST_US: u64 = (1 << 36) - 1;
/// Additions that may wait to be put in place.
const WAITING: usize = 16;

/// How many calls took how long.
///
/// What is added waits at the end, and is put in its place when there is as much of it as there was before: so adding
/// up many costs little more than reading them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Durations {
    /// `(bucket, calls)`, the first `tidy` in the order of buckets and each bucket once.
    buckets: Vec<(u16, u64)>,
    tidy: usize,
}

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
        self.buckets.push((bucket(us), 1));
        self.tidy_some();
    }

    /// Counts all that the other has counted.
    pub(super) fn add(&mut self, other: &Self) {
        self.buckets.extend_from_slice(&other.buckets);
        self.tidy_some();
    }

    fn tidy_some(&mut self) {
        if self.buckets.len() > 2 * self.tidy + WAITING {
            self.tidy();
        }
    }

    fn tidy(&mut self) {
        // A stable sort merges parts that are in order already, as these are.
        self.buckets.sort_by_key(|(bucket, _)| *bucket);
        self.buckets.dedup_by(|next, first| {
            let same = next.0 == first.0;
            if same {
                first.1 = first.1.saturating_add(next.1);
            }
            same
        });
        self.tidy = self.buckets.len();
    }

    /// The buckets in their order, each once.
    fn in_order(&self) -> Cow<'_, [(u16, u64)]> {
        if self.tidy == self.buckets.len() {
            return Cow::Borrowed(&self.buckets);
        }
        let mut all = self.clone();
        all.tidy();
        Cow::Owned(all.buckets)
    }

    /// Percentiles in milliseconds; `None`: nothing was counted.
    pub(super) fn percentiles(&self) -> Option<Percentiles> {
        let buckets = self.in_order();
        let calls = buckets.iter().fold(0u128, |sum, (_, calls)| sum + u128::from(*calls));
        let (mut left, mut below) = (buckets.iter(), 0);
        let mut at = |percent: u128| {
            // The rank is rounded up: the smallest duration that so many calls did not exceed.
            let rank = (calls * percent).div_ceil(100);
            let mut last = None;
            while below < rank {
                let (bucket, calls) = left.next()?;
                below += u128::from(*calls);
                last = Some(*bucket);
            }
            last
        };
        // Each search goes on where the one before ended; what ended there too is in the same bucket.
        let p50 = at(50)?;
        let p95 = at(95).unwrap_or(p50);
        let p99 = at(99).unwrap_or(p95);
        #[expect(clippy::cast_precision_loss, reason = "at most 36 bits")]
        let ms = |bucket| longest(bucket) as f64 / 1000.0;
        Some(Percentiles { p50: ms(p50), p95: ms(p95), p99: ms(p99) })
    }
}

impl Serialize for Durations {
    /// Each bucket as its distance from the one before: a byte, mostly.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut last = 0;
        serializer.collect_seq(self.in_order().iter().map(|(bucket, calls)| {
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
        let tidy = buckets.len();
        Ok(Self { buckets, tidy })
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
