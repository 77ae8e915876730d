//! What one scope has used of one model in the last minute.
//!
//! Buckets are kept only for the seconds in which something was charged, and the sums of all beside them, so a look
//! costs nothing and a charge is paid for once more when it leaves. Only the answer to a refused call, when it would
//! pass, walks the buckets.

use super::{Dimension, SavedBucket, Use};
use std::collections::VecDeque;

/// How many seconds a charge counts after its own.
pub(super) const SPAN: u64 = 60;

/// The most tokens that are told apart, in one bucket or one limit: 281 million million. It keeps a bucket at 12 bytes
/// and every sum far from the end of its type. A bucket that is full stays full until it leaves, because what went
/// beyond is not known, and a limit must not be passed.
pub(super) const MOST: u64 = (1 << 48) - 1;

/// Buckets a window can have: those of `SPAN` seconds and of the one that is now.
const MOST_BUCKETS: usize = SPAN as usize + 1;

/// The use of one second.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// The last 16 bits of the second. The window knows the rest, since none is more than a minute old.
    second: u16,
    tokens_high: u16,
    tokens_low: u32,
    requests: u32,
}

/// A sliding window over requests and tokens.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// Oldest first, of no two the same second. All are of the seconds `latest - SPAN` to `latest`.
    buckets: VecDeque<Bucket>,
    /// The latest second at which the window was looked at.
    latest: u64,
    /// The requests of all buckets.
    requests: u64,
    /// The tokens of all buckets.
    tokens: u64,
    /// Whether it was charged, or given back to, since changes were last taken.
    changed: bool,
}

impl Window {
    /// Drops what no longer counts at this second. A second already passed is taken for the latest one.
    pub(super) fn advance(&mut self, second: u64) {
        if second <= self.latest {
            return;
        }
        let passed = second - self.latest;
        self.latest = second;
        if passed > SPAN {
            self.buckets.clear();
            (self.requests, self.tokens) = (0, 0);
            return;
        }
        while let Some(oldest) = self.buckets.front().copied() {
            if self.age(oldest) <= SPAN {
                break;
            }
            self.buckets.pop_front();
            self.requests -= u64::from(oldest.requests);
            self.tokens -= oldest.tokens();
        }
    }

    /// The latest second at which it was looked at.
    pub(super) fn latest(&self) -> u64 {
        self.latest
    }

    /// What counts now.
    pub(super) fn used(&self, dimension: Dimension) -> u64 {
        match dimension {
            Dimension::Requests => self.requests,
            Dimension::Tokens => self.tokens,
        }
    }

    /// What counts now, of both dimensions.
    pub(super) fn counted(&self) -> Use {
        Use { requests: self.requests, tokens: self.tokens }
    }

    /// Whether so much more keeps within the limit.
    pub(super) fn fits(&self, dimension: Dimension, asked: u64, limit: u64) -> bool {
        asked <= limit && self.used(dimension) + asked.min(MOST) <= limit.min(MOST)
    }

    /// The second from which on so much more would keep within the limit, if nothing else came. None when it never
    /// would. Only for what does not fit now.
    pub(super) fn fits_from(&self, dimension: Dimension, asked: u64, limit: u64) -> Option<u64> {
        if asked > limit {
            return None;
        }
        let mut over = (self.used(dimension) + asked.min(MOST)).saturating_sub(limit.min(MOST));
        for bucket in &self.buckets {
            over = over.saturating_sub(bucket.used(dimension));
            if over == 0 {
                return Some(self.leaves(*bucket));
            }
        }
        None
    }

    /// The second from which on nothing counts, if nothing else comes; the latest when nothing does.
    pub(super) fn empty_from(&self, dimension: Dimension) -> u64 {
        // Nearly always the newest of all.
        let newest = self.buckets.iter().rfind(|bucket| bucket.used(dimension) > 0);
        newest.map_or(self.latest, |bucket| self.leaves(*bucket))
    }

    /// Charges in the latest second.
    pub(super) fn charge(&mut self, requests: u32, tokens: u64) {
        self.add(self.latest, requests, tokens);
        self.changed = true;
    }

    /// Takes tokens back out of the second they were charged in, if that still counts.
    pub(super) fn give_back(&mut self, second: u64, tokens: u64) {
        let Ok(index) = self.find(second) else { return };
        let bucket = &mut self.buckets[index];
        let before = bucket.tokens();
        if before == MOST {
            return;
        }
        bucket.set_tokens(before.saturating_sub(tokens));
        self.tokens -= before - bucket.tokens();
        self.changed = true;
    }

    /// Adds what was saved. What no longer counts is left out; what is of the future is taken for now, and marks the
    /// window changed, since it is not as it was saved.
    pub(super) fn restore(&mut self, saved: &SavedBucket) {
        self.changed |= saved.second > self.latest;
        if saved.second.saturating_add(SPAN) >= self.latest {
            self.add(saved.second.min(self.latest), saved.requests, saved.tokens);
        }
    }

    /// What is to be saved, and from then on counts as unchanged. None when it was not changed.
    pub(super) fn take_changes(&mut self) -> Option<Vec<SavedBucket>> {
        if !std::mem::take(&mut self.changed) {
            return None;
        }
        let saved = |bucket: &Bucket| SavedBucket {
            second: self.second(*bucket),
            requests: bucket.requests,
            tokens: bucket.tokens(),
        };
        Some(self.buckets.iter().map(saved).collect())
    }

    /// Has the next `take_changes` tell it.
    pub(super) fn mark_changed(&mut self) {
        self.changed = true;
    }

    /// Whether nothing counts.
    pub(super) fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    /// Gives memory back that a busier minute needed.
    pub(super) fn shrink(&mut self) {
        if self.buckets.capacity() / 4 > self.buckets.len() {
            self.buckets.shrink_to(self.buckets.len() * 2);
        }
    }

    /// Invariant kept: the second is one of `latest - SPAN ..= latest`.
    fn add(&mut self, second: u64, requests: u32, tokens: u64) {
        // Nearly always the newest bucket or one after it.
        let index = match self.buckets.back() {
            Some(newest) if self.second(*newest) == second => self.buckets.len() - 1,
            Some(newest) if self.second(*newest) > second => match self.find(second) {
                Ok(index) => index,
                Err(index) => self.insert(index, second),
            },
            _ => self.insert(self.buckets.len(), second),
        };
        let bucket = &mut self.buckets[index];
        let (requests_before, tokens_before) = (bucket.requests, bucket.tokens());
        bucket.requests = requests_before.saturating_add(requests);
        bucket.set_tokens(tokens_before.saturating_add(tokens).min(MOST));
        self.requests += u64::from(bucket.requests - requests_before);
        self.tokens += bucket.tokens() - tokens_before;
    }

    /// Makes room for a bucket, by doubling, but for no more buckets than there can be.
    fn insert(&mut self, index: usize, second: u64) -> usize {
        let length = self.buckets.len();
        if length == self.buckets.capacity() {
            self.buckets.reserve_exact((length * 2).clamp(4, MOST_BUCKETS.max(length + 1)) - length);
        }
        self.buckets.insert(index, Bucket::new(second));
        index
    }

    /// The place of a second's bucket, or where it would be.
    fn find(&self, second: u64) -> Result<usize, usize> {
        self.buckets.binary_search_by_key(&second, |bucket| self.second(*bucket))
    }

    fn age(&self, bucket: Bucket) -> u64 {
        u64::from(low_bits(self.latest).wrapping_sub(bucket.second))
    }

    fn second(&self, bucket: Bucket) -> u64 {
        self.latest - self.age(bucket)
    }

    /// The first second at which it does not count.
    fn leaves(&self, bucket: Bucket) -> u64 {
        self.second(bucket) + SPAN + 1
    }
}

impl Bucket {
    fn new(second: u64) -> Self {
        Self { second: low_bits(second), tokens_high: 0, tokens_low: 0, requests: 0 }
    }

    fn tokens(self) -> u64 {
        u64::from(self.tokens_high) << 32 | u64::from(self.tokens_low)
    }

    /// At most `MOST`.
    fn set_tokens(&mut self, tokens: u64) {
        self.tokens_high = low_bits(tokens >> 32);
        self.tokens_low = tokens as u32;
    }

    fn used(self, dimension: Dimension) -> u64 {
        match dimension {
            Dimension::Requests => u64::from(self.requests),
            Dimension::Tokens => self.tokens(),
        }
    }
}

fn low_bits(number: u64) -> u16 {
    number as u16
}
