//! Writes down every call, off the way of calls.
//!
//! The gateways' queues are emptied twenty-five times a second, and what was in them is written before they are emptied again:
//! a process that is killed forgets at most its last tenth of a second. What was written is added up once a second.
//! Where writing fails, the records stay in memory and it is tried again; meanwhile the queues fill, and calls that find
//! no place in them are not made. A clean stop writes everything.

mod clean;
mod ledger;
mod pace;

#[cfg(test)]
mod tests;

pub(crate) use clean::{Keep, clean};
pub(crate) use ledger::{Book, Ledger, cost};

use crate::metrics::Metrics;
use crate::stop::{Deadline, Stop};
use keygate_gateway::ended::{EndedCalls, Records};
use pace::Pace;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Between two looks at the queues.
const EVERY: Duration = Duration::from_millis(40);
/// The interval between two attempts of a stop to write what is left.
const RETRY_AT_STOP: Duration = Duration::from_millis(200);

/// Writes down what the queues of all gateways hold.
pub(crate) struct Keeper<L> {
    ledger: L,
    queues: Vec<Arc<EndedCalls>>,
    metrics: Metrics,
    /// Records that are out of their queues and not written, of each queue.
    pending: Vec<Records>,
    append: Pace,
    fold: Pace,
    /// Calls written that are not in the sums.
    unfolded: i64,
}

impl<L: Ledger> Keeper<L> {
    pub(crate) fn new(ledger: L, queues: Vec<Arc<EndedCalls>>, metrics: Metrics) -> Self {
        Self {
            ledger,
            pending: vec![Vec::new(); queues.len()],
            queues,
            metrics,
            append: Pace::every(Duration::ZERO),
            fold: Pace::every(Duration::from_secs(1)),
            unfolded: 0,
        }
    }

    /// Writes until the stop. Then retries what is left until the deadline, and ends.
    pub(crate) async fn keep(mut self, mut stop: Stop) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let deadline = loop {
            tokio::select! {
                _ = ticks.tick() => {}
                deadline = stop.wait() => break deadline,
            }
            if self.append.is_due() {
                self.append().await;
            }
            if self.unfolded > 0 && self.fold.is_due() {
                self.fold().await;
            }
        };
        self.end(deadline).await;
    }

    /// Whether everything in the queues is written.
    async fn append(&mut self) -> bool {
        self.take();
        let calls = self.pending();
        if calls == 0 {
            return true;
        }
        let begun = Instant::now();
        if let Err(error) = self.ledger.append(&self.pending).await {
            tracing::debug!(%error, calls, "failed to record calls; will retry");
            self.metrics.append_failures.inc();
            self.append.failed();
            return false;
        }
        self.append.done(begun);
        self.unfolded = self.unfolded.saturating_add(i64::try_from(calls).unwrap_or(i64::MAX));
        self.metrics.unfolded.set(self.unfolded);
        for (queue, records) in self.queues.iter().zip(&mut self.pending) {
            queue.written(records.len());
            records.clear();
        }
        self.metrics.pending.set(0);
        true
    }

    /// How many records are out of their queues and not written.
    fn pending(&self) -> usize {
        self.pending.iter().map(Vec::len).sum()
    }

    /// Empties the queues, if what was in them before is written: what memory holds has an end.
    fn take(&mut self) {
        if self.pending() > 0 {
            return;
        }
        for (queue, records) in self.queues.iter().zip(&mut self.pending) {
            queue.take_into(records);
            records.iter().for_each(|call| self.metrics.count(call));
        }
        self.metrics.pending.set(i64::try_from(self.pending()).unwrap_or(i64::MAX));
    }

    async fn fold(&mut self) -> bool {
        let begun = Instant::now();
        match self.ledger.fold().await {
            Ok(()) => {
                self.unfolded = 0;
                self.metrics.unfolded.set(0);
                self.fold.done(begun);
                true
            }
            Err(error) => {
                tracing::debug!(%error, "failed to add calls to the rollups; will retry");
                self.fold.failed();
                false
            }
        }
    }

    /// Writes and adds up what is left.
    async fn end(mut self, deadline: Deadline) {
        loop {
            let is_written = self.append().await && self.queues.iter().all(|queue| queue.depth() == 0);
            if is_written && (self.unfolded == 0 || self.fold().await) {
                return;
            }
            if !deadline.is_ahead() {
                break;
            }
            tokio::time::sleep(RETRY_AT_STOP).await;
        }
        match self.pending() + self.queues.iter().map(|queue| queue.depth()).sum::<usize>() {
            0 => tracing::warn!("the last calls are not added up; the next start will do it"),
            calls => tracing::error!(calls, "calls were not written down; usage will not know of them"),
        }
    }
}
