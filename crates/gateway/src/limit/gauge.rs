//! How many calls of a key are under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Counts what is under way. One for each key, shared by the worker threads.
#[derive(Debug, Default)]
pub struct Gauge {
    /// Permits that live.
    under_way: AtomicU32,
}

impl Gauge {
    /// Enters, if fewer than `limit` are under way. The limit comes with the call, so a change holds at once; calls
    /// already under way stay when it is lowered.
    pub fn try_enter(self: &Arc<Self>, limit: u32) -> Option<Permit> {
        let entered = |under_way: u32| (under_way < limit).then(|| under_way + 1);
        // Nothing else is read on the strength of this number, so it needs no order but its own.
        self.under_way.fetch_update(Ordering::Relaxed, Ordering::Relaxed, entered).ok()?;
        Some(Permit { gauge: Arc::clone(self) })
    }

    /// How many are under way.
    pub fn under_way(&self) -> u32 {
        self.under_way.load(Ordering::Relaxed)
    }
}

/// One call under way. It has left when this is dropped.
#[derive(Debug)]
pub struct Permit {
    gauge: Arc<Gauge>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.gauge.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use std::thread;

    #[test]
    fn a_place_is_free_again_when_its_permit_is_dropped() {
        let gauge = Arc::new(Gauge::default());
        let first = gauge.try_enter(1).unwrap();
        assert!(gauge.try_enter(1).is_none());
        drop(first);
        assert!(gauge.try_enter(1).is_some());
        assert_eq!(gauge.under_way(), 0);
    }

    #[test]
    fn a_limit_of_nought_lets_nobody_in_and_a_lowered_one_lets_those_inside_stay() {
        let gauge = Arc::new(Gauge::default());
        assert!(gauge.try_enter(0).is_none());
        let held = [gauge.try_enter(u32::MAX).unwrap(), gauge.try_enter(2).unwrap()];
        assert!(gauge.try_enter(1).is_none());
        assert_eq!(gauge.under_way(), 2);
        drop(held);
        assert!(gauge.try_enter(1).is_some());
    }

    #[test]
    fn of_many_at_once_exactly_the_limit_enter() {
        let (gauge, start) = (Arc::new(Gauge::default()), Barrier::new(64));
        let permits: Vec<_> = thread::scope(|scope| {
            let enter = || {
                start.wait();
                gauge.try_enter(20)
            };
            let threads: Vec<_> = (0..64).map(|_| scope.spawn(enter)).collect();
            threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(permits.len(), 20);
        drop(permits);
        assert_eq!(gauge.under_way(), 0);
    }
}
