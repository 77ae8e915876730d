//! Random histories: limiter and model must say the same, and the limits must hold to the millisecond.

use super::model::Model;
use super::{Callers, START, used};
use crate::limit::{Admitted, Ask, Exceeded, Headroom, Limiter, Limits, Moment, SavedWindow, Scope};
use proptest::prelude::*;
use std::collections::HashMap;

/// What happens next.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// A call. If it is refused and `wait`, it comes again when it was told to.
    Admit { workspace: usize, tokens: u64, limits: Option<[Limits; 2]>, wait: bool },
    /// One of the calls under way ends; `used` is in hundredths of what it is charged.
    Settle { call: prop::sample::Index, used: u64 },
    /// One of the calls under way runs past what it is charged, or does not, twice within a second.
    Grow { call: prop::sample::Index, to: [u64; 2] },
    /// One of the calls under way goes away.
    Drop { call: prop::sample::Index },
    /// The server's minute is over.
    Sweep,
    /// The server keeps what changed.
    Save,
    /// The process ends in order and another one begins.
    Restart,
}

/// The two sides, and what they go by.
struct History {
    callers: Callers,
    limiter: Limiter,
    model: Model,
    kept: HashMap<Option<String>, SavedWindow>,
    under_way: Vec<Call>,
    millis: u64,
    /// The latest time there was.
    latest: u64,
}

/// A call under way.
struct Call {
    admitted: Admitted,
    workspace: usize,
    /// Its number in the model, and what it is charged there.
    number: usize,
    charged: u64,
}

impl History {
    fn new() -> Self {
        Self {
            callers: Callers::new(),
            limiter: Limiter::new(3),
            model: Model::default(),
            kept: HashMap::new(),
            under_way: Vec::new(),
            millis: START,
            latest: START,
        }
    }

    fn now(&self) -> Moment {
        Moment::from_unix_millis(self.millis)
    }

    fn act(&mut self, act: Act, base: [Limits; 2]) {
        match act {
            Act::Admit { workspace, tokens, limits, wait } => {
                let [of_workspace, of_account] = limits.unwrap_or(base);
                let ask = Ask { workspace: of_workspace, account: of_account, tokens };
                let Err(exceeded) = self.admit(workspace, ask) else { return };
                if wait && exceeded.can_ever_pass {
                    let refused_at = self.millis;
                    self.millis = refused_at + (exceeded.retry_after_seconds - 1) * 1000;
                    assert!(self.admit(workspace, ask).is_err(), "a second early");
                    self.millis = refused_at + exceeded.retry_after_seconds * 1000;
                    assert!(self.admit(workspace, ask).is_ok(), "when it was told to come");
                }
            }
            Act::Settle { call, used } => {
                let Some(call) = self.take(call) else { return };
                let used = call.charged * used / 100;
                call.admitted.settle(used, self.now());
                if used != call.charged {
                    self.model.see(self.millis);
                }
                self.model.give_back(call.number, call.charged.saturating_sub(used));
                self.model.grow(call.number, call.workspace, used.saturating_sub(call.charged));
            }
            Act::Grow { call, to } => {
                let Some(mut call) = self.take(call) else { return };
                for to in to {
                    call.admitted.grow(to, self.now());
                    let more = to.saturating_sub(call.charged);
                    if more > 0 {
                        self.model.see(self.millis);
                        self.model.grow(call.number, call.workspace, more);
                    }
                    call.charged += more;
                    assert_eq!(call.admitted.charged(), call.charged);
                }
                self.under_way.push(call);
            }
            Act::Drop { call } => drop(self.take(call)),
            Act::Sweep => {
                self.limiter.sweep(self.now());
                self.model.see(self.millis);
                if self.model.is_over() {
                    self.model.forget();
                }
            }
            Act::Save => self.save(),
            Act::Restart => {
                // A process that ends has no threads left whose time is behind.
                self.millis = self.millis.max(self.latest);
                self.save();
                self.under_way.clear();
                self.limiter = Limiter::new(3);
                self.limiter.restore(self.kept.values().cloned().collect(), self.now());
            }
        }
    }

    fn admit(&mut self, workspace: usize, ask: Ask) -> Result<(), Exceeded> {
        let (now, millis) = (self.now(), self.millis);
        self.model.see(millis);
        let passes = self.model.passes(workspace, ask, millis);
        match self.limiter.admit(self.callers.subject(workspace), ask, now) {
            Ok(admitted) => {
                assert!(passes, "the model refuses");
                let number = self.model.admit(workspace, ask.tokens);
                for (holder, limits) in [(Some(workspace), ask.workspace), (None, ask.account)] {
                    let [requests, tokens] = self.model.exact(holder);
                    assert!(requests <= limits.rpm && limits.tpm.is_none_or(|tpm| tokens <= tpm));
                }
                assert_eq!(admitted.headroom(), self.headroom(workspace, ask));
                self.under_way.push(Call { admitted, workspace, number, charged: ask.tokens });
                Ok(())
            }
            Err(exceeded) => {
                assert!(!passes, "the model admits, the limiter says {exceeded}");
                let retry_after = self.model.retry_after(workspace, ask, millis);
                assert_eq!(retry_after.is_some(), exceeded.can_ever_pass);
                assert_eq!(exceeded.asked > exceeded.limit, !exceeded.can_ever_pass);
                assert!(exceeded.retry_after_seconds >= 1);
                if let Some(seconds) = retry_after {
                    assert_eq!(exceeded.retry_after_seconds, seconds);
                }
                assert_eq!(exceeded.headroom, self.headroom(workspace, ask));
                Err(exceeded)
            }
        }
    }

    /// What is left, by the model.
    fn headroom(&self, workspace: usize, ask: Ask) -> Headroom {
        let room = |dimension: usize, limits: [Option<u64>; 2]| {
            let holders = [(Scope::Workspace, Some(workspace)), (Scope::Account, None)];
            let rooms = holders.into_iter().zip(limits).filter_map(|((scope, holder), limit)| {
                let used = self.model.counted(holder, self.millis)[dimension];
                let empty_from = self.model.empty_from(holder, dimension);
                Some(crate::limit::Room {
                    scope,
                    limit: limit?,
                    remaining: limit?.saturating_sub(used),
                    reset_seconds: empty_from.saturating_sub(self.millis / 1000),
                })
            });
            rooms.min_by_key(|room| room.remaining)
        };
        Headroom {
            requests: room(0, [Some(ask.workspace.rpm), Some(ask.account.rpm)]).unwrap(),
            tokens: room(1, [ask.workspace.tpm, ask.account.tpm]),
        }
    }

    /// Both sides must count the same in every scope, whatever has happened.
    fn compare(&mut self) {
        self.latest = self.latest.max(self.millis);
        for workspace in [0, 1] {
            let [of_workspace, of_account] = used(&self.limiter, self.callers.subject(workspace), self.now());
            self.model.see(self.millis);
            assert_eq!(of_workspace, self.model.counted(Some(workspace), self.millis));
            assert_eq!(of_account, self.model.counted(None, self.millis));
        }
    }

    fn save(&mut self) {
        for window in self.limiter.take_changes(self.now()) {
            assert_eq!((&window.account, window.slot), (&self.callers.account, 1));
            self.kept.insert(window.workspace.as_ref().map(ToString::to_string), window);
        }
    }

    fn take(&mut self, call: prop::sample::Index) -> Option<Call> {
        (!self.under_way.is_empty()).then(|| self.under_way.swap_remove(call.index(self.under_way.len())))
    }
}

fn limits() -> impl Strategy<Value = Limits> {
    let tpm = prop_oneof![1 => Just(None), 6 => (0_u64..300).prop_map(Some)];
    (prop_oneof![1 => Just(0_u64), 12 => 1_u64..10], tpm).prop_map(|(rpm, tpm)| Limits { rpm, tpm })
}

fn tokens() -> impl Strategy<Value = u64> {
    prop_oneof![2 => Just(0), 12 => 1_u64..80, 1 => 80_u64..400]
}

/// Milliseconds to the next act. Some are negative: threads tell times a little out of order.
fn pause() -> impl Strategy<Value = i64> {
    prop_oneof![
        6 => 0_i64..400,
        4 => 400_i64..8_000,
        2 => (0_i64..70).prop_map(|seconds| seconds * 1000),
        2 => 58_000_i64..63_000,
        2 => -3_000_i64..0,
    ]
}

fn act() -> impl Strategy<Value = Act> {
    let call = any::<prop::sample::Index>;
    let changed = prop::option::weighted(0.2, [limits(), limits()]);
    let admit = (0_usize..2, tokens(), changed, prop::bool::weighted(0.2))
        .prop_map(|(workspace, tokens, limits, wait)| Act::Admit { workspace, tokens, limits, wait });
    prop_oneof![
        12 => admit,
        4 => (call(), 0_u64..250).prop_map(|(call, used)| Act::Settle { call, used }),
        3 => (call(), [0_u64..200, 0_u64..200]).prop_map(|(call, to)| Act::Grow { call, to }),
        1 => call().prop_map(|call| Act::Drop { call }),
        1 => Just(Act::Sweep),
        1 => Just(Act::Save),
        1 => Just(Act::Restart),
    ]
}

proptest! {
    #[test]
    fn limiter_and_model_agree_on_every_history(
        base in [limits(), limits()],
        acts in prop::collection::vec((pause(), act()), 1..80),
    ) {
        let mut history = History::new();
        for (pause, act) in acts {
            history.millis = history.millis.saturating_add_signed(pause);
            history.act(act, base);
            history.compare();
        }
    }

    /// Nothing of the model is in this one: what was admitted is added up over every 60 seconds there are.
    #[test]
    fn no_60_seconds_hold_more_than_the_limits_however_they_lie(
        of_workspace in limits(),
        of_account in limits(),
        calls in prop::collection::vec((0_u64..9_000, 0_usize..2, tokens(), 0_u64..=100), 1..150),
    ) {
        let (limiter, callers) = (Limiter::new(2), Callers::new());
        let mut now = START;
        let mut admitted = Vec::new();
        for (pause, workspace, tokens, used) in calls {
            now += pause;
            let ask = Ask { workspace: of_workspace, account: of_account, tokens };
            let moment = Moment::from_unix_millis(now);
            if let Ok(call) = limiter.admit(callers.subject(workspace), ask, moment) {
                let used = tokens * used / 100;
                call.settle(used, moment);
                admitted.push((now, workspace, used));
            }
        }
        for (holder, limits) in [(Some(0), of_workspace), (Some(1), of_workspace), (None, of_account)] {
            let held: Vec<_> = admitted.iter().filter(|call| holder.is_none_or(|ws| ws == call.1)).collect();
            for (first, (begin, ..)) in held.iter().enumerate() {
                let within = held[first..].iter().take_while(|call| call.0 <= begin + 60_000);
                let (requests, tokens) = within.fold((0, 0), |sum, call| (sum.0 + 1, sum.1 + call.2));
                prop_assert!(requests <= limits.rpm);
                prop_assert!(limits.tpm.is_none_or(|tpm| tokens <= tpm));
            }
        }
    }
}
