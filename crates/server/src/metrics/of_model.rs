//! What is counted of each model of a region.

use super::door;
use keygate_contract::{CallClass, CallDoor};
use keygate_gateway::ended::EndedCall;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::cell::OnceCell;

/// Ends of the buckets of durations, in seconds: few, because each is a series of each model. Exact percentiles are in
/// the console.
const BUCKETS: [f64; 9] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 120.0];
const DOORS: [CallDoor; 3] = [CallDoor::Openai, CallDoor::Dashscope, CallDoor::Anthropic];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Called {
    region: String,
    model: String,
    door: &'static str,
    class: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Model {
    region: String,
    model: String,
}

type Histograms = Family<Model, Histogram, fn() -> Histogram>;

/// All models' figures.
pub(super) struct Families {
    calls: Family<Called, Counter>,
    duration: Histograms,
    first_token: Histograms,
    input: Family<Model, Counter>,
    output: Family<Model, Counter>,
    cached: Family<Model, Counter>,
}

/// A model's figures, found once.
pub(super) struct OfModel {
    calls: Family<Called, Counter>,
    model: Model,
    /// By door and class; those that there were.
    by_end: [[OnceCell<Counter>; CallClass::ALL.len()]; DOORS.len()],
    duration: Histogram,
    first_token: Histogram,
    input: Counter,
    output: Counter,
    cached: Counter,
}

impl Families {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(BUCKETS);
        let families = Self {
            calls: Family::default(),
            duration: Family::new_with_constructor(histogram),
            first_token: Family::new_with_constructor(histogram),
            input: Family::default(),
            output: Family::default(),
            cached: Family::default(),
        };
        registry.register(
            "calls",
            "Calls of models whose key was proven, refused ones too",
            families.calls.clone(),
        );
        registry.register_with_unit(
            "call_duration",
            "From the head of the request to the end of the answer, of answered calls",
            Unit::Seconds,
            families.duration.clone(),
        );
        registry.register_with_unit(
            "call_first_token",
            "From the head of the request to the first piece of the answer, of answered streams",
            Unit::Seconds,
            families.first_token.clone(),
        );
        for (name, help, counts) in [
            ("input_tokens", "Tokens of prompts", &families.input),
            ("output_tokens", "Tokens of answers", &families.output),
            ("cached_tokens", "Tokens of prompts that the upstream had in its cache", &families.cached),
        ] {
            registry.register(name, help, counts.clone());
        }
        families
    }

    /// The figures of a model of a region.
    pub(super) fn of_model(&self, region: &str, model: &str) -> OfModel {
        let model = Model { region: region.to_owned(), model: model.to_owned() };
        OfModel {
            calls: self.calls.clone(),
            by_end: std::array::from_fn(|_| std::array::from_fn(|_| OnceCell::new())),
            duration: self.duration.get_or_create_owned(&model),
            first_token: self.first_token.get_or_create_owned(&model),
            input: self.input.get_or_create_owned(&model),
            output: self.output.get_or_create_owned(&model),
            cached: self.cached.get_or_create_owned(&model),
            model,
        }
    }
}

impl OfModel {
    pub(super) fn count(&self, call: &EndedCall) {
        let counter = self.by_end[call.door as usize][call.class as usize].get_or_init(|| {
            let Model { region, model } = self.model.clone();
            let called = Called { region, model, door: door(call.door), class: call.class.as_str() };
            self.calls.get_or_create_owned(&called)
        });
        counter.inc_by(call.count.into());
        if call.class == CallClass::Ok {
            self.duration.observe(seconds(call.latency_us));
            if let Some(first) = call.first_token_us {
                self.first_token.observe(seconds(first));
            }
        }
        self.input.inc_by(call.tokens.input);
        self.output.inc_by(call.tokens.output);
        self.cached.inc_by(call.tokens.cached);
    }
}

#[expect(clippy::cast_precision_loss, reason = "a duration that long is no duration")]
fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}
