//! Sums over calls, and how they are written.

use super::duration::Durations;
use super::record::{CallCost, CallRecord};
use keygate_contract::{CallClass, UsageFigures};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Units of 1e-12 in one of a currency.
const PICO: f64 = 1e12;

/// Calls of each class, in the order of [`CallClass::ALL`].
pub(super) type ClassCounts = [u64; 4];

/// Sums over calls. What the numbers cannot hold stays at the most they can.
///
/// The counts by class stand first: [`super::cell`] reads them alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Figures {
    calls: ClassCounts,
    input_tokens: u64,
    output_tokens: u64,
    cached_tokens: u64,
    estimated: u64,
    unpriced: u64,
    /// By currency, in their order.
    cost: Vec<([u8; 3], u128)>,
    /// Of answered calls.
    latency: Durations,
    /// Of answered streams.
    first_token: Durations,
}

/// Where a class stands in [`ClassCounts`].
pub(super) fn class_index(class: CallClass) -> usize {
    match class {
        CallClass::Ok => 0,
        CallClass::ClientError => 1,
        CallClass::Throttled => 2,
        CallClass::ServerError => 3,
    }
}

impl Figures {
    /// Adds a record, which may represent several rejected requests.
    pub(super) fn record(&mut self, call: &CallRecord) {
        let add = |to: &mut u64, n| *to = to.saturating_add(n);
        add(&mut self.calls[class_index(call.class)], u64::from(call.count));
        add(&mut self.input_tokens, call.input_tokens);
        add(&mut self.output_tokens, call.output_tokens);
        add(&mut self.cached_tokens, call.cached_tokens);
        add(&mut self.estimated, u64::from(call.estimated));
        match call.cost {
            CallCost::None => {}
            CallCost::Unpriced => add(&mut self.unpriced, u64::from(call.class == CallClass::Ok)),
            CallCost::Priced { currency, pico } => self.spend(currency, u128::from(pico)),
        }
        if call.class == CallClass::Ok {
            self.latency.record(call.latency_us);
            if let Some(us) = call.first_token_us {
                self.first_token.record(us);
            }
        }
    }

    /// Adds all that others have added up.
    pub(super) fn add(&mut self, other: &Self) {
        let add = |to: &mut u64, n| *to = to.saturating_add(n);
        for (to, n) in self.calls.iter_mut().zip(other.calls) {
            add(to, n);
        }
        add(&mut self.input_tokens, other.input_tokens);
        add(&mut self.output_tokens, other.output_tokens);
        add(&mut self.cached_tokens, other.cached_tokens);
        add(&mut self.estimated, other.estimated);
        add(&mut self.unpriced, other.unpriced);
        for (currency, pico) in &other.cost {
            self.spend(*currency, *pico);
        }
        self.latency.add(&other.latency);
        self.first_token.add(&other.first_token);
    }

    fn spend(&mut self, currency: [u8; 3], pico: u128) {
        match self.cost.binary_search_by_key(&currency, |c| c.0) {
            Ok(at) => self.cost[at].1 = self.cost[at].1.saturating_add(pico),
            Err(at) => self.cost.insert(at, (currency, pico)),
        }
    }

    /// As they stand on the wire.
    pub(super) fn told(&self) -> UsageFigures {
        let [ok, client_errors, throttled, server_errors] = self.calls;
        let failures = client_errors.saturating_add(throttled).saturating_add(server_errors);
        UsageFigures {
            calls: ok.saturating_add(failures),
            failures,
            throttled,
            client_errors,
            server_errors,
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens,
            cached_tokens: self.cached_tokens,
            estimated_calls: self.estimated,
            unpriced_calls: self.unpriced,
            cost: self.cost.iter().map(|(c, pico)| (currency(*c), amount(*pico))).collect::<BTreeMap<_, _>>(),
            latency_ms: self.latency.percentiles(),
            first_token_ms: self.first_token.percentiles(),
        }
    }
}

/// A currency as the wire has it.
pub(super) fn currency(code: [u8; 3]) -> String {
    String::from_utf8_lossy(&code).into_owned()
}

/// An amount as the wire has it.
#[expect(clippy::cast_precision_loss, reason = "15 digits of an amount are enough")]
pub(super) fn amount(pico: u128) -> f64 {
    pico as f64 / PICO
}
