//! Figures for those who operate the server, in the text format of OpenMetrics.
//!
//! They are counted out of the records of ended calls, by whoever writes those down: nothing of it is on the way of a
//! call. Every label has values that the configuration or the code names, so a caller can make no new series.

mod listener;
mod memory;
mod of_model;
mod queue;
mod stores;
mod upstreams;

pub(crate) use listener::{ADMIN_CONNECTIONS, Listener};

use keygate_contract::{CallDoor, ThrottledBy};
use keygate_gateway::catalogue::Catalogue;
use keygate_gateway::ended::{EndedCall, EndedCalls};
use keygate_gateway::memory::MemoryBudget;
use keygate_store::WriteHealth;
use memory::Memory;
use of_model::{Families, OfModel};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use queue::Queues;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use stores::Stores;
use upstreams::Upstreams;

/// What scrapers read.
#[derive(Clone)]
pub(crate) struct Exposed(Arc<Registry>);

impl Exposed {
    /// All figures, as they are now.
    pub(crate) fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.0)?;
        Ok(text)
    }
}

/// Counts ended calls.
pub(crate) struct Metrics {
    catalogue: Arc<Catalogue>,
    families: Families,
    /// By slot; of models that have been called.
    models: Vec<Option<OfModel>>,
    /// By region: calls that named no model of it.
    no_model: HashMap<String, OfModel>,
    failures: Family<Failure, Counter>,
    throttled: Family<Throttled, Counter>,
    upstreams: Upstreams,
    /// Calls that are out of the gateways' queues, and not written down.
    pub(crate) pending: Gauge,
    /// Calls that are written down, and not in the sums yet.
    pub(crate) unfolded: Gauge,
    /// Attempts to write records down that failed.
    pub(crate) append_failures: Counter,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Failure {
    region: String,
    class: &'static str,
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Throttled {
    region: String,
    scope: &'static str,
}

impl Metrics {
    /// Nothing is counted yet. What waits in `queues` is looked at when it is asked for.
    pub(crate) fn new(
        catalogue: &Arc<Catalogue>,
        upstreams: &[String],
        queues: &[Arc<EndedCalls>],
        memory: &Arc<MemoryBudget>,
        write_health: &[WriteHealth],
    ) -> (Self, Exposed) {
        let mut registry = Registry::with_prefix("keygate");
        let families = Families::register(&mut registry);
        let failures = Family::default();
        registry.register(
            "call_failures",
            "Calls that were refused or failed, by the code that the caller was told",
            failures.clone(),
        );
        let throttled = Family::default();
        registry.register("calls_throttled", "Calls refused for a limit, by which it was", throttled.clone());
        let upstreams = Upstreams::register(&mut registry, upstreams);
        let unfolded = Gauge::default();
        registry.register(
            "usage_unfolded_calls",
            "Calls that are written down and not in the sums yet",
            unfolded.clone(),
        );
        let append_failures = Counter::default();
        registry.register(
            "usage_append_failures",
            "Attempts to write down calls that failed, and were or will be repeated",
            append_failures.clone(),
        );
        let pending = Gauge::default();
        registry.register_collector(Box::new(Queues::new(queues, pending.clone())));
        registry.register_collector(Box::new(Memory::new(memory)));
        registry.register_collector(Box::new(Stores::new(write_health)));
        let metrics = Self {
            models: std::iter::repeat_with(|| None).take(catalogue.slots()).collect(),
            catalogue: Arc::clone(catalogue),
            families,
            no_model: HashMap::new(),
            failures,
            throttled,
            upstreams,
            pending,
            unfolded,
            append_failures,
        };
        (metrics, Exposed(Arc::new(registry)))
    }

    /// Counts a call. To be called once for each.
    pub(crate) fn count(&mut self, call: &EndedCall) {
        self.of_model(call).count(call);
        self.upstreams.count(call);
        let region = || call.key.workspace.region.as_str().to_owned();
        if let Some(code) = call.error_code {
            let failure = Failure { region: region(), class: call.class.as_str(), code };
            self.failures.get_or_create(&failure).inc_by(call.count.into());
        }
        if let Some(limit) = call.throttled_by {
            let throttled = Throttled { region: region(), scope: scope(limit) };
            self.throttled.get_or_create(&throttled).inc_by(call.count.into());
        }
    }

    fn of_model(&mut self, call: &EndedCall) -> &OfModel {
        let Self { families, catalogue, models, no_model, .. } = self;
        let Some((slot, place)) = call.slot.and_then(|slot| Some((slot, models.get_mut(slot)?))) else {
            let region = call.key.workspace.region.as_str();
            if !no_model.contains_key(region) {
                no_model.insert(region.to_owned(), families.of_model(region, ""));
            }
            return &no_model[region];
        };
        place.get_or_insert_with(|| {
            let found = catalogue.all().find(|(_, model)| model.slot == slot);
            let (region, model) = found.map_or(("", ""), |(id, model)| (id.as_str(), model.id.as_str()));
            families.of_model(region, model)
        })
    }
}

fn scope(limit: ThrottledBy) -> &'static str {
    match limit {
        ThrottledBy::WorkspaceRequests => "workspace_requests",
        ThrottledBy::WorkspaceTokens => "workspace_tokens",
        ThrottledBy::AccountRequests => "account_requests",
        ThrottledBy::AccountTokens => "account_tokens",
        ThrottledBy::KeyConcurrency => "key_concurrency",
    }
}

fn door(door: CallDoor) -> &'static str {
    match door {
        CallDoor::Openai => "openai",
        CallDoor::Dashscope => "dashscope",
        CallDoor::Anthropic => "anthropic",
    }
}
