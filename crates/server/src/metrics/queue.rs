//! What the gateways' queues hold, looked at when it is asked for.

use keygate_gateway::ended::EndedCalls;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use std::fmt;
use std::sync::Arc;

/// The queues of all gateways, and what is out of them and not written yet.
#[derive(Debug)]
pub(super) struct Queues {
    queues: Vec<Arc<EndedCalls>>,
    pending: Gauge,
}

impl Queues {
    pub(super) fn new(queues: &[Arc<EndedCalls>], pending: Gauge) -> Self {
        Self { queues: queues.to_vec(), pending }
    }

    fn sum(&self, of: impl Fn(&EndedCalls) -> u64) -> u64 {
        self.queues.iter().map(|queue| of(queue)).sum()
    }
}

impl Collector for Queues {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let mut counter = |name: &str, help: &str, value: u64| {
            let counter = ConstCounter::new(value);
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)
        };
        counter(
            "unknown_key_requests",
            "Requests refused because their key was not sent or is not known",
            self.sum(EndedCalls::unknown),
        )?;
        counter(
            "unrecorded_calls",
            "Calls that were not made because they could not be recorded",
            self.sum(EndedCalls::unrecorded),
        )?;
        let waiting: usize = self.queues.iter().map(|queue| queue.depth()).sum();
        let waiting = i64::try_from(waiting).unwrap_or(i64::MAX);
        let gauge = ConstGauge::new(waiting.saturating_add(self.pending.get()));
        gauge.encode(encoder.encode_descriptor(
            "usage_queue_calls",
            "Calls that have ended and wait to be written down",
            None,
            gauge.metric_type(),
        )?)
    }
}
