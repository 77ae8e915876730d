//! Many threads at once: no limit is passed by concurrency, and no change is lost.

use super::{Callers, at, used};
use crate::limit::{Ask, Limiter, Limits};
use std::collections::HashMap;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

const WIDE: Limits = Limits { rpm: 1 << 40, tpm: None };

fn rpm(rpm: u64) -> Limits {
    Limits { rpm, tpm: None }
}

/// How many of so many threads are admitted, when all ask at once.
fn admitted_of(threads: usize, limiter: &Limiter, ask: Ask, millis: u64) -> usize {
    let (callers, start) = (Callers::new(), Barrier::new(threads));
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|thread| {
                let (callers, start) = (&callers, &start);
                scope.spawn(move || {
                    start.wait();
                    limiter.admit(callers.subject(thread % 2), ask, at(millis)).is_ok()
                })
            })
            .collect();
        threads.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum()
    })
}

#[test]
fn of_500_threads_at_once_exactly_50_pass_a_limit_of_50() {
    for round in 0..5 {
        let ask = Ask { workspace: WIDE, account: rpm(50), tokens: 0 };
        assert_eq!(admitted_of(500, &Limiter::new(2), ask, round * 7), 50);
        let ask = Ask { workspace: rpm(25), account: WIDE, tokens: 0 };
        assert_eq!(admitted_of(500, &Limiter::new(2), ask, round * 7), 50, "25 of each workspace");
    }
}

#[test]
fn two_workspaces_at_once_get_no_more_than_their_account_has() {
    let limiter = Limiter::new(2);
    let ask = Ask { workspace: rpm(80), account: rpm(100), tokens: 0 };
    assert_eq!(admitted_of(300, &limiter, ask, 0), 100);
    let [_, [requests, _]] = used(&limiter, Callers::new().subject(0), at(0));
    assert_eq!(requests, 100);
}

#[test]
fn tokens_are_shared_out_exactly_too() {
    let limits = Limits { rpm: 1 << 40, tpm: Some(1000) };
    let ask = Ask { workspace: limits, account: limits, tokens: 7 };
    assert_eq!(admitted_of(300, &Limiter::new(2), ask, 0), 142);
}

/// An account that is swept away while a call gets hold of it must not live on twice.
#[test]
fn sweeping_an_idle_account_away_under_its_first_calls_lets_no_more_pass() {
    // Many slots, so that there is time between looking at the one that is called and taking the account out.
    let (limiter, now, over) = (Limiter::new(2000), AtomicU64::new(0), AtomicBool::new(false));
    let ask = Ask { workspace: WIDE, account: rpm(3), tokens: 0 };
    let passed: Vec<_> = thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                limiter.sweep(at(now.load(Ordering::Relaxed)));
            }
        });
        let round = |round: u64| {
            now.store(round * 61_000, Ordering::Relaxed);
            admitted_of(8, &limiter, ask, round * 61_000)
        };
        let passed = (0..300).map(round).collect();
        over.store(true, Ordering::Relaxed);
        passed
    });
    assert_eq!(passed, vec![3; 300]);
}

#[test]
fn changes_taken_while_threads_charge_add_up_to_what_was_charged() {
    let (limiter, callers) = (Limiter::new(2), Callers::new());
    let mut kept = HashMap::new();
    let mut keep = |limiter: &Limiter| {
        for window in limiter.take_changes(at(0)) {
            kept.insert(window.workspace.clone(), window);
        }
    };
    thread::scope(|scope| {
        let work = |workspace: usize| {
            let (limiter, callers) = (&limiter, &callers);
            move || {
                for call in 0..3000 {
                    let ask = Ask { workspace: WIDE, account: WIDE, tokens: 10 };
                    let mut admitted = limiter.admit(callers.subject(workspace), ask, at(call)).unwrap();
                    admitted.grow(15, at(call));
                    admitted.settle(if call % 2 == 0 { 4 } else { 20 }, at(call));
                }
            }
        };
        let threads: Vec<_> = (0..4).map(|thread| scope.spawn(work(thread % 2))).collect();
        while threads.iter().any(|thread| !thread.is_finished()) {
            keep(&limiter);
        }
    });
    keep(&limiter);
    let restored = Limiter::new(2);
    restored.restore(kept.into_values().collect(), at(3000));
    for limiter in [limiter, restored] {
        for workspace in [0, 1] {
            let of_both = used(&limiter, callers.subject(workspace), at(3000));
            assert_eq!(of_both, [[6000, 6000 * 12], [12_000, 12_000 * 12]]);
        }
    }
}
