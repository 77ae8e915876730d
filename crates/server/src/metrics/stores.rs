//! Whether the databases can be written, read at each scrape.

use keygate_store::WriteHealth;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use std::fmt;

/// The write health of each database.
#[derive(Debug)]
pub(super) struct Stores(Vec<WriteHealth>);

impl Stores {
    pub(super) fn new(stores: &[WriteHealth]) -> Self {
        Self(stores.to_vec())
    }
}

impl Collector for Stores {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let mut writable = encoder.encode_descriptor(
            "store_writable",
            "1 if the last write to the database succeeded, 0 if it failed",
            None,
            MetricType::Gauge,
        )?;
        for store in &self.0 {
            let is_writable = i64::from(store.failing_since().is_none());
            ConstGauge::new(is_writable)
                .encode(writable.encode_family(&[("database", store.database())])?)?;
        }
        let mut failures = encoder.encode_descriptor(
            "store_write_failures",
            "Failed writes to the database",
            None,
            MetricType::Counter,
        )?;
        for store in &self.0 {
            let count = ConstCounter::new(store.failures());
            count.encode(failures.encode_family(&[("database", store.database())])?)?;
        }
        Ok(())
    }
}
