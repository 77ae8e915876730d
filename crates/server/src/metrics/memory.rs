//! The use of the memory budget, read at each scrape.

use keygate_gateway::memory::MemoryBudget;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;
use std::fmt;
use std::sync::Arc;

/// The budget of the process.
#[derive(Debug)]
pub(super) struct Memory(Arc<MemoryBudget>);

impl Memory {
    pub(super) fn new(budget: &Arc<MemoryBudget>) -> Self {
        Self(Arc::clone(budget))
    }
}

impl Collector for Memory {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let gauge = ConstGauge::new(i64::try_from(self.0.in_use()).unwrap_or(i64::MAX));
        let help = "Bytes of requests and answers held in memory, as charged to limits.body_memory";
        let bytes = Some(&Unit::Bytes);
        gauge.encode(encoder.encode_descriptor("body_memory", help, bytes, gauge.metric_type())?)?;
        let counter = ConstCounter::new(self.0.rejected());
        let help = "Requests and answers rejected because limits.body_memory was exhausted";
        counter.encode(encoder.encode_descriptor(
            "body_memory_rejections",
            help,
            None,
            counter.metric_type(),
        )?)
    }
}
