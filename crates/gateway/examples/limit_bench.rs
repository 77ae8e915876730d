//! How fast the limiter decides, how long a decision takes when threads contend, and what its windows weigh.
//!
//! ```text
//! cargo run --release -p keygate-gateway --example limit_bench
//! ```
//!
//! Memory is what the process has resident (`/proc/self/statm`), as an operator would see it, with all that the
//! allocator keeps around the windows.
#![expect(clippy::print_stdout, reason = "a bench says what it measured")]

use keygate_contract::{AccountId, WorkspaceId};
use keygate_gateway::limit::{Ask, Clock, Limiter, Limits, Moment, Subject};
use std::hint::black_box;
use std::sync::Barrier;
use std::time::{Duration, Instant};
use std::{fs, thread};

/// Pairs of region and model in the shipped catalogue.
const SLOTS: usize = 342;
const THREADS: usize = 8;
const CALLS: usize = 400_000;

/// As wide as the windows can count, so that nothing is refused.
const WIDE: Limits = Limits { rpm: 1 << 40, tpm: Some(1 << 40) };
const NOTHING: Limits = Limits { rpm: 0, tpm: Some(0) };

fn main() {
    // First, while nothing has been freed that could be used again.
    memory();
    one_core();
    contention();
}

/// Accounts, workspaces and slots to call for.
struct Callers {
    accounts: Vec<AccountId>,
    workspaces: Vec<WorkspaceId>,
}

impl Callers {
    fn new(count: usize) -> Self {
        Self {
            accounts: (0..count).map(|n| format!("acc-{n:016}").into()).collect(),
            workspaces: (0..count).map(|n| format!("ws-{n:016}").into()).collect(),
        }
    }

    fn subject(&self, call: usize) -> Subject<'_> {
        let caller = call % self.accounts.len();
        Subject { account: &self.accounts[caller], workspace: &self.workspaces[caller], slot: call % SLOTS }
    }
}

fn ask(limits: Limits) -> Ask {
    Ask { workspace: limits, account: limits, tokens: 1000 }
}

fn one_core() {
    const ROUNDS: usize = 3_000_000;
    let clock = Clock::new();
    let decisions = |name: &str, callers: &Callers, decide: &dyn Fn(&Limiter, Subject<'_>)| {
        let limiter = Limiter::new(SLOTS);
        let work = |calls| (0..calls).for_each(|call| decide(&limiter, callers.subject(call)));
        work(ROUNDS / 10);
        let start = Instant::now();
        work(ROUNDS);
        let each = start.elapsed() / u32::try_from(ROUNDS).expect("it is small");
        println!("  {name}: {each:?} each, {:.1} million a second", 1e3 / each.as_nanos() as f64);
    };
    println!("one thread:");
    let (one, many) = (Callers::new(1), Callers::new(1000));
    for (callers, name) in [(&one, "one workspace"), (&many, "1000 workspaces of 1000 accounts")] {
        decisions(&format!("{name}, admit"), callers, &|limiter, subject| {
            let _ = black_box(limiter.admit(subject, ask(WIDE), clock.now()));
        });
        decisions(&format!("{name}, admit and settle"), callers, &|limiter, subject| {
            let now = clock.now();
            if let Ok(admitted) = limiter.admit(subject, ask(WIDE), now) {
                admitted.settle(700, now);
            }
        });
        decisions(&format!("{name}, refuse"), callers, &|limiter, subject| {
            let _ = black_box(limiter.admit(subject, ask(NOTHING), clock.now()));
        });
    }
    let start = Instant::now();
    for _ in 0..ROUNDS {
        black_box(clock.now());
    }
    println!("  of which the clock: {:?}", start.elapsed() / u32::try_from(ROUNDS).expect("it is small"));
}

/// Latency as a caller meets it, scheduling of more threads than cores and two readings of the clock included.
fn contention() {
    println!("{THREADS} threads, {CALLS} calls each, as fast as they can:");
    let clock = Clock::new();
    for (name, callers) in [("one cell", Callers::new(1)), ("many cells", Callers::new(1000))] {
        let (limiter, start) = (Limiter::new(SLOTS), Barrier::new(THREADS));
        let one_cell = callers.accounts.len() == 1;
        let work = |thread: usize| {
            let mut taken = Vec::with_capacity(CALLS);
            start.wait();
            for call in 0..CALLS {
                let subject = callers.subject(if one_cell { 0 } else { call * THREADS + thread });
                let begin = Instant::now();
                let _ = black_box(limiter.admit(subject, ask(WIDE), clock.now()));
                taken.push(begin.elapsed());
            }
            taken
        };
        let begin = Instant::now();
        let mut taken: Vec<Duration> = thread::scope(|scope| {
            let work = &work;
            let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || work(thread))).collect();
            threads.into_iter().flat_map(|thread| thread.join().expect("no thread panics")).collect()
        });
        let all = begin.elapsed();
        taken.sort_unstable();
        let at = |part: usize| taken[taken.len() * part / 1000];
        println!(
            "  {name}: p50 {:?}, p99 {:?}, p99.9 {:?}, longest {:?}; {:.1} million a second in all",
            at(500),
            at(990),
            at(999),
            taken[taken.len() - 1],
            taken.len() as f64 / all.as_secs_f64() / 1e6
        );
    }
}

/// 10 accounts with 100 workspaces of 10 models each.
fn memory() {
    const ACCOUNTS: usize = 10;
    const WORKSPACES: usize = 100;
    const MODELS: usize = 10;
    println!("10,000 windows of workspaces, 100 of accounts:");
    for charged in [1, 10, 30, 61] {
        let callers = Callers::new(ACCOUNTS * WORKSPACES);
        let before = resident();
        let limiter = Limiter::new(SLOTS);
        for second in (0..61).filter(|second| second * charged / 61 != (second + 1) * charged / 61) {
            let now = Moment::from_unix_millis(1_790_000_000_000 + second * 1000);
            for (caller, workspace) in callers.workspaces.iter().enumerate() {
                let account = &callers.accounts[caller / WORKSPACES];
                for slot in 0..MODELS {
                    let _ = limiter.admit(Subject { account, workspace, slot }, ask(WIDE), now);
                }
            }
        }
        let grown = resident().saturating_sub(before);
        println!("  charged in {charged} of 61 seconds: {:.2} MB", grown as f64 / 1e6);
        if charged == 61 {
            upkeep(&limiter);
        }
        // Kept, so that the next ones find no memory that is free again.
        std::mem::forget(limiter);
        std::mem::forget(callers);
    }
}

/// What the server does now and then, with every window full and changed.
fn upkeep(limiter: &Limiter) {
    let now = Moment::from_unix_millis(1_790_000_060_999);
    let start = Instant::now();
    let changes = limiter.take_changes(now);
    println!("  taking the changes of all {}: {:?}", changes.len(), start.elapsed());
    let start = Instant::now();
    limiter.sweep(now);
    println!("  sweeping: {:?}", start.elapsed());
}

/// Bytes this process has resident. 0 where the system does not tell.
fn resident() -> usize {
    const PAGE: usize = 4096;
    let statm = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0) * PAGE
}
