//! Asks each host, from this browser, whether the gateway answers there.

use crate::api::{NoHealth, health};
use keygate_contract::RegionId;
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::collections::BTreeMap;
use std::time::Duration;
use web_sys::AbortController;

/// How long a host may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What came of asking a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It has not answered yet.
    Asking,
    /// A gateway answered.
    Answers {
        /// How long it took, in milliseconds.
        ms: u64,
        /// The region it is of.
        region: RegionId,
    },
    /// Something else answered.
    Stranger,
    /// Nothing answered.
    Silent,
}

/// The check of all hosts of the page.
#[derive(Clone, Copy)]
pub(super) struct Checks {
    /// By host. Empty before the first check.
    outcomes: RwSignal<BTreeMap<String, Outcome>>,
    /// Whether the person ended the last check.
    stopped: RwSignal<bool>,
    /// Ends the check under way.
    abort: StoredValue<Option<AbortController>, LocalStorage>,
}

impl Checks {
    /// Nothing is asked yet. What is under way ends with the page.
    pub(super) fn new() -> Self {
        let this = Self {
            outcomes: RwSignal::new(BTreeMap::new()),
            stopped: RwSignal::new(false),
            abort: StoredValue::new_local(None),
        };
        on_cleanup(move || this.end());
        this
    }

    /// Asks these hosts, all at once.
    pub(super) fn start(self, hosts: Vec<String>) {
        self.clear();
        let Ok(controller) = AbortController::new() else { return };
        self.outcomes.set(hosts.iter().map(|host| (host.clone(), Outcome::Asking)).collect());
        for host in hosts {
            let signal = controller.signal();
            let its_end = controller.clone();
            spawn_local(async move {
                let outcome = ask(&host, &signal).await;
                // An answer to a check that was ended is nobody's.
                let current = self.abort.try_with_value(|abort| abort.as_ref() == Some(&its_end));
                if current == Some(true) {
                    self.outcomes.try_update(|outcomes| outcomes.insert(host, outcome));
                }
            });
        }
        self.abort.set_value(Some(controller.clone()));
        set_timeout(move || controller.abort(), PATIENCE);
    }

    /// Ends the check under way, because the person asks for it.
    pub(super) fn stop(self) {
        self.end();
        self.outcomes.update(|outcomes| outcomes.retain(|_, outcome| *outcome != Outcome::Asking));
        self.stopped.set(true);
    }

    /// Forgets what is known: it was of another region.
    pub(super) fn clear(self) {
        self.end();
        self.outcomes.set(BTreeMap::new());
        self.stopped.set(false);
    }

    fn end(self) {
        if let Some(controller) = self.abort.try_update_value(Option::take).flatten() {
            controller.abort();
        }
    }

    /// What is known of a host.
    pub(super) fn outcome(self, host: &str) -> Option<Outcome> {
        self.outcomes.with(|outcomes| outcomes.get(host).cloned())
    }

    /// Whether a host is still to answer.
    pub(super) fn is_running(self) -> bool {
        self.outcomes.with(|outcomes| outcomes.values().any(|outcome| *outcome == Outcome::Asking))
    }

    /// How the check stands, to be spoken. `region` is the one whose gateway should answer.
    pub(super) fn summary(self, region: Option<&RegionId>) -> String {
        if self.stopped.get() {
            return "The check was stopped.".to_owned();
        }
        self.outcomes.with(|outcomes| summary(outcomes.values(), region))
    }
}

async fn ask(host: &str, signal: &web_sys::AbortSignal) -> Outcome {
    let clock = || window().performance().map_or(0.0, |clock| clock.now());
    let begun = clock();
    match health(host, signal).await {
        // Never zero: an answer takes its time.
        Ok(health) => Outcome::Answers { ms: rounded(clock() - begun).max(1), region: health.region },
        Err(NoHealth::Stranger) => Outcome::Stranger,
        Err(NoHealth::Silent) => Outcome::Silent,
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few seconds at most")]
fn rounded(ms: f64) -> u64 {
    ms.round().max(0.0) as u64
}

fn summary<'a>(outcomes: impl Iterator<Item = &'a Outcome> + Clone, expected: Option<&RegionId>) -> String {
    let all = outcomes.clone().count();
    let hosts = if all == 1 { "1 host".to_owned() } else { format!("{all} hosts") };
    if outcomes.clone().any(|outcome| *outcome == Outcome::Asking) {
        return format!("Checking {hosts}…");
    }
    let right =
        |outcome: &&Outcome| matches!(outcome, Outcome::Answers { region, .. } if Some(region) == expected);
    match outcomes.filter(right).count() {
        _ if all == 0 => String::new(),
        good if good == all => format!("Checked {hosts}: no trouble."),
        0 => format!("Checked {hosts}: none answers as this region."),
        good => format!("Checked {hosts}: {good} of them as they should be."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_counts_only_gateways_of_this_region() {
        let of = |region: &str| Outcome::Answers { ms: 3, region: region.into() };
        let here = RegionId::from("a");
        let told = |outcomes: &[Outcome]| summary(outcomes.iter(), Some(&here));
        assert_eq!(told(&[]), "");
        assert_eq!(told(&[of("a"), Outcome::Asking]), "Checking 2 hosts…");
        assert_eq!(told(&[of("a")]), "Checked 1 host: no trouble.");
        assert_eq!(
            told(&[of("a"), of("b"), Outcome::Silent]),
            "Checked 3 hosts: 1 of them as they should be."
        );
        assert_eq!(told(&[Outcome::Stranger]), "Checked 1 host: none answers as this region.");
    }
}
