//! How the upstreams are, by the last calls of each.

use keygate_contract::CallClass;
use keygate_gateway::ended::EndedCall;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Upstream {
    upstream: String,
}

/// Figures of the upstreams. One that was not called yet has none.
pub(super) struct Upstreams {
    up: Family<Upstream, Gauge>,
    failures: Family<Upstream, Gauge>,
    states: Vec<State>,
}

/// An upstream, and its figures once it was called.
struct State {
    upstream: Upstream,
    figures: Option<(Gauge, Gauge)>,
}

impl Upstreams {
    pub(super) fn register(registry: &mut Registry, ids: &[String]) -> Self {
        let state = |id: &String| State { upstream: Upstream { upstream: id.clone() }, figures: None };
        let upstreams = Self {
            up: Family::default(),
            failures: Family::default(),
            states: ids.iter().map(state).collect(),
        };
        registry.register(
            "upstream_up",
            "Whether the last call of the upstream was answered, or refused as the caller's mistake",
            upstreams.up.clone(),
        );
        registry.register(
            "upstream_consecutive_failures",
            "Calls of the upstream that failed since one did not",
            upstreams.failures.clone(),
        );
        upstreams
    }

    /// A caller who left before the answer, and a server that stopped, say nothing of the upstream.
    pub(super) fn count(&mut self, call: &EndedCall) {
        let Some(state) = call.upstream.and_then(|number| self.states.get_mut(number)) else { return };
        let has_failed = match (call.class, call.status) {
            (CallClass::Ok, _) => false,
            (CallClass::ClientError, status) if status != 499 => false,
            (CallClass::ServerError, _) if call.error_code != Some("server_stopped") => true,
            _ => return,
        };
        let (up, failures) = state.figures.get_or_insert_with(|| {
            (self.up.get_or_create_owned(&state.upstream), self.failures.get_or_create_owned(&state.upstream))
        });
        if has_failed {
            up.set(0);
            failures.inc();
        } else {
            up.set(1);
            failures.set(0);
        }
    }
}
