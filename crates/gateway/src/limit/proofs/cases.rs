//! Single cases: the edges of the window, guards, changes, restarts, absurd numbers.

use super::{Callers, at, used};
use crate::limit::{
    Ask, Counted, Dimension, Limiter, Limits, Moment, SavedBucket, SavedWindow, Scope, Subject, Use,
};

const FREE: Limits = Limits { rpm: 1 << 30, tpm: None };

fn limits(rpm: u64, tpm: u64) -> Limits {
    Limits { rpm, tpm: Some(tpm) }
}

/// Under the same limits for both.
fn ask(limits: Limits, tokens: u64) -> Ask {
    Ask { workspace: limits, account: limits, tokens }
}

/// What counts of the first workspace, which must be what counts of its account.
fn tokens(limiter: &Limiter, millis: u64) -> u64 {
    let [of_workspace, of_account] = used(limiter, Callers::new().subject(0), at(millis));
    assert_eq!(of_workspace, of_account);
    of_workspace[1]
}

#[test]
fn a_charge_counts_for_60_seconds_after_its_own_and_no_longer() {
    let (limiter, callers) = (Limiter::new(2), Callers::new());
    let once = ask(limits(1, 100), 1);
    let _ = limiter.admit(callers.subject(0), once, at(999)).unwrap();
    for millis in [1000, 59_999, 60_000, 60_999] {
        let refused = limiter.admit(callers.subject(0), once, at(millis)).unwrap_err();
        assert_eq!(refused.retry_after_seconds, 61 - millis / 1000);
    }
    assert!(limiter.admit(callers.subject(0), once, at(61_000)).is_ok());
}

#[test]
fn a_look_at_what_counts_takes_nothing_and_makes_no_window() {
    let (limiter, callers) = (Limiter::new(2), Callers::new());
    assert_eq!(limiter.counted(callers.subject(0), at(0)), Counted::default());
    assert!(limiter.accounts.is_empty());
    let _ = limiter.admit(callers.subject(0), ask(FREE, 10), at(0)).unwrap();
    let once = Use { requests: 1, tokens: 10 };
    let nothing = Use::default();
    assert_eq!(limiter.counted(callers.subject(0), at(1)), Counted { workspace: once, account: once });
    let other = limiter.counted(callers.subject(1), at(60_999));
    assert_eq!(other, Counted { workspace: nothing, account: once });
    assert_eq!(limiter.counted(callers.subject(0), at(61_000)), Counted::default());
    let unknown = Subject { slot: 7, ..callers.subject(0) };
    assert_eq!(limiter.counted(unknown, at(1)), Counted::default());
}

#[test]
fn the_refusal_told_is_the_one_that_takes_longest_to_clear() {
    let (limiter, callers) = (Limiter::new(2), Callers::new());
    let _ = limiter.admit(callers.subject(0), ask(FREE, 50), at(0)).unwrap();
    let _ = limiter.admit(callers.subject(1), ask(FREE, 0), at(30_000)).unwrap();
    let told = |workspace: Limits, account: Limits, tokens| {
        let ask = Ask { workspace, account, tokens };
        let refused = limiter.admit(callers.subject(0), ask, at(40_000)).unwrap_err();
        (refused.scope, refused.dimension, refused.retry_after_seconds, refused.can_ever_pass)
    };
    use Dimension::{Requests, Tokens};
    use Scope::{Account, Workspace};
    assert_eq!(told(limits(1, 100), FREE, 1), (Workspace, Requests, 21, true));
    assert_eq!(told(limits(1, 50), limits(2, 50), 1), (Workspace, Requests, 21, true), "of equals the first");
    assert_eq!(told(limits(9, 50), limits(9, 50), 1), (Workspace, Tokens, 21, true));
    assert_eq!(told(FREE, limits(2, 50), 1), (Account, Requests, 21, true));
    assert_eq!(told(limits(1, 50), limits(1, 50), 1), (Account, Requests, 51, true), "both calls must leave");
    assert_eq!(told(limits(1, 9), limits(1, 60), 10), (Workspace, Tokens, 21, false), "never is longest");
    assert_eq!(told(limits(0, 9), limits(0, 9), 10), (Workspace, Requests, 21, false));
}

#[test]
fn a_call_refused_in_one_scope_or_dimension_is_charged_in_none() {
    let (limiter, callers) = (Limiter::new(2), Callers::new());
    let _ = limiter.admit(callers.subject(0), ask(FREE, 10), at(0)).unwrap();
    let narrow = [limits(1, 100), limits(9, 15), limits(9, 5), limits(0, 0)];
    for narrow in narrow {
        for (workspace, account) in [(narrow, FREE), (FREE, narrow)] {
            let ask = Ask { workspace, account, tokens: 6 };
            assert!(limiter.admit(callers.subject(0), ask, at(0)).is_err());
        }
    }
    assert_eq!(used(&limiter, callers.subject(0), at(0)), [[1, 10], [1, 10]]);
}

#[test]
fn headroom_is_of_the_tightest_scope_with_the_call_counted() {
    let (limiter, callers) = (Limiter::new(2), Callers::new());
    let _ = limiter.admit(callers.subject(1), ask(FREE, 30), at(0)).unwrap();
    let ask = Ask { workspace: limits(5, 100), account: limits(20, 110), tokens: 40 };
    let headroom = limiter.admit(callers.subject(0), ask, at(2500)).unwrap().headroom();
    assert_eq!((headroom.requests.scope, headroom.requests.limit), (Scope::Workspace, 5));
    assert_eq!((headroom.requests.remaining, headroom.requests.reset_seconds), (4, 61));
    let of_tokens = headroom.tokens.unwrap();
    assert_eq!((of_tokens.scope, of_tokens.limit, of_tokens.remaining), (Scope::Account, 110, 40));
    let unmetered = Ask { workspace: FREE, account: FREE, tokens: 1 };
    assert_eq!(limiter.admit(callers.subject(0), unmetered, at(2500)).unwrap().headroom().tokens, None);
}

#[test]
fn other_accounts_and_other_models_have_windows_of_their_own() {
    let limiter = Limiter::new(2);
    for account in ["acc-1", "acc-2"] {
        for slot in [0, 1] {
            let subject = Subject { account: &account.into(), workspace: &"ws-1".into(), slot };
            assert!(limiter.admit(subject, ask(limits(1, 1), 1), at(0)).is_ok());
            assert!(limiter.admit(subject, ask(limits(1, 1), 1), at(0)).is_err());
        }
    }
}

#[test]
fn limits_raised_or_lowered_hold_for_the_next_call() {
    let (limiter, callers) = (Limiter::new(2), Callers::new());
    let admits = |rpm| limiter.admit(callers.subject(0), ask(limits(rpm, 100), 1), at(0)).is_ok();
    assert!(admits(1));
    assert!(!admits(1));
    assert!(admits(2));
    assert!(!admits(1), "one more than allowed now: still refused, and no number goes below nought");
    assert!(admits(3));
}

#[test]
fn what_was_not_used_is_given_back_to_its_second() {
    let (limiter, callers) = (Limiter::new(2), Callers::new());
    let early = limiter.admit(callers.subject(0), ask(FREE, 100), at(0)).unwrap();
    let late = limiter.admit(callers.subject(0), ask(FREE, 100), at(30_000)).unwrap();
    early.settle(40, at(31_000));
    assert_eq!(tokens(&limiter, 31_000), 140);
    assert_eq!(tokens(&limiter, 61_000), 100, "the early one has left with what was left of it");
    late.settle(0, at(90_999));
    assert_eq!(used(&limiter, callers.subject(0), at(90_999)), [[1, 0], [1, 0]], "the request stays");
    assert_eq!(tokens(&limiter, 91_000), 0);
}

#[test]
fn what_was_used_beyond_the_estimate_is_charged_when_it_is_known() {
    let (limiter, callers) = (Limiter::new(2), Callers::new());
    let call = limiter.admit(callers.subject(0), ask(FREE, 100), at(0)).unwrap();
    call.settle(150, at(20_000));
    assert_eq!(tokens(&limiter, 20_000), 150);
    assert_eq!(tokens(&limiter, 61_000), 50);
    assert_eq!(tokens(&limiter, 81_000), 0);
}

#[test]
fn settling_after_the_window_gives_nothing_back_and_charges_what_is_more() {
    for (used, counted) in [(0, 0), (100, 0), (130, 30)] {
        let (limiter, callers) = (Limiter::new(2), Callers::new());
        let call = limiter.admit(callers.subject(0), ask(FREE, 100), at(0)).unwrap();
        limiter.sweep(at(100_000));
        let other = limiter.admit(callers.subject(0), ask(FREE, 7), at(100_000)).unwrap();
        call.settle(used, at(100_000));
        assert_eq!(tokens(&limiter, 100_000), counted + 7, "another call's charge is not touched");
        drop(other);
    }
}

#[test]
fn a_guard_dropped_unsettled_keeps_its_reservation() {
    let (limiter, callers) = (Limiter::new(2), Callers::new());
    drop(limiter.admit(callers.subject(0), ask(FREE, 100), at(0)).unwrap());
    assert_eq!(tokens(&limiter, 60_999), 100);
    assert_eq!(tokens(&limiter, 61_000), 0);
}

#[test]
fn a_stream_past_its_estimate_is_seen_by_the_next_call_and_never_refused() {
    let (limiter, callers) = (Limiter::new(2), Callers::new());
    let narrow = ask(limits(10, 100), 60);
    let mut call = limiter.admit(callers.subject(0), narrow, at(0)).unwrap();
    call.grow(50, at(1000));
    assert_eq!(tokens(&limiter, 1000), 60, "within its estimate it costs no more");
    call.grow(170, at(2000));
    call.grow(200, at(2900));
    call.grow(180, at(2900));
    call.grow(230, at(10_000));
    assert_eq!(call.charged(), 230);
    assert_eq!(tokens(&limiter, 10_000), 230);
    let refused = limiter.admit(callers.subject(0), ask(limits(10, 100), 70), at(10_000)).unwrap_err();
    assert_eq!((refused.retry_after_seconds, refused.headroom.tokens.unwrap().remaining), (53, 0));
    call.settle(100, at(11_000));
    assert_eq!(tokens(&limiter, 11_000), 100);
    assert_eq!(tokens(&limiter, 61_000), 40, "what was charged last was given back first");
    assert_eq!(tokens(&limiter, 63_000), 0);
}

#[test]
fn a_clock_that_goes_back_is_taken_for_the_latest_second_seen() {
    let (limiter, callers) = (Limiter::new(2), Callers::new());
    let once = ask(limits(1, 100), 1);
    let _ = limiter.admit(callers.subject(0), once, at(5000)).unwrap();
    let refused = limiter.admit(callers.subject(0), once, at(4990)).unwrap_err();
    assert_eq!(refused.retry_after_seconds, 62, "by the clock of who asked");
    let late = limiter.admit(callers.subject(0), ask(FREE, 1), at(4000)).unwrap();
    late.settle(0, at(3000));
    assert_eq!(tokens(&limiter, 65_999), 1);
    assert_eq!(tokens(&limiter, 66_000), 0);
    assert!(limiter.admit(callers.subject(0), once, Moment::from_unix_millis(0)).is_ok());
}

#[test]
fn sweeping_forgets_what_is_over_and_nothing_else() {
    let (limiter, callers) = (Limiter::new(2), Callers::new());
    let first = limiter.admit(callers.subject(0), ask(FREE, 10), at(0)).unwrap();
    let _ = limiter.admit(callers.subject(1), ask(FREE, 20), at(30_000)).unwrap();
    limiter.sweep(at(60_999));
    assert_eq!(used(&limiter, callers.subject(0), at(60_999)), [[1, 10], [2, 30]]);
    limiter.sweep(at(61_000));
    assert_eq!(used(&limiter, callers.subject(0), at(61_000)), [[0, 0], [1, 20]]);
    limiter.sweep(at(91_000));
    assert_eq!(limiter.accounts.len(), 1, "a call under way holds the account");
    drop(first);
    limiter.sweep(at(91_000));
    assert_eq!(limiter.accounts.len(), 0);
}

#[test]
fn refused_calls_leave_nothing_behind_after_a_sweep() {
    let (limiter, callers) = (Limiter::new(2), Callers::new());
    assert!(limiter.admit(callers.subject(0), ask(limits(0, 0), 1), at(0)).is_err());
    assert!(limiter.take_changes(at(0)).is_empty());
    limiter.sweep(at(0));
    assert_eq!(limiter.accounts.len(), 0);
}

#[test]
fn changes_are_told_once_with_all_that_counts() {
    let (limiter, callers) = (Limiter::new(2), Callers::new());
    let call = limiter.admit(callers.subject(0), ask(FREE, 10), at(0)).unwrap();
    let _ = limiter.admit(callers.subject(1), ask(FREE, 5), at(2000)).unwrap();
    let second = at(0).unix_millis() / 1000;
    let bucket = |after, requests, tokens| SavedBucket { second: second + after, requests, tokens };
    let window = |workspace: Option<&str>, buckets: &[SavedBucket]| SavedWindow {
        account: "acc-1".into(),
        slot: 1,
        workspace: workspace.map(Into::into),
        buckets: buckets.to_vec(),
    };
    let told = |millis| {
        let mut told = limiter.take_changes(at(millis));
        told.sort_by(|a, b| a.workspace.cmp(&b.workspace));
        told
    };
    let all = [
        window(None, &[bucket(0, 1, 10), bucket(2, 1, 5)]),
        window(Some("ws-1"), &[bucket(0, 1, 10)]),
        window(Some("ws-2"), &[bucket(2, 1, 5)]),
    ];
    assert_eq!(told(2000), all);
    assert_eq!(told(2000), []);
    call.settle(4, at(2000));
    let settled =
        [window(None, &[bucket(0, 1, 4), bucket(2, 1, 5)]), window(Some("ws-1"), &[bucket(0, 1, 4)])];
    assert_eq!(told(60_000), settled);
    limiter.return_changes(&settled);
    assert_eq!(told(61_000), [window(None, &[bucket(2, 1, 5)]), window(Some("ws-1"), &[])]);
}

#[test]
fn limits_hold_over_a_restart() {
    let (before, callers) = (Limiter::new(2), Callers::new());
    let thrice = ask(limits(3, 100), 10);
    for millis in [0, 20_000] {
        let _ = before.admit(callers.subject(0), thrice, at(millis)).unwrap();
    }
    let after = Limiter::new(2);
    after.restore(before.take_changes(at(20_000)), at(40_000));
    assert_eq!(used(&after, callers.subject(0), at(40_000)), [[2, 20], [2, 20]]);
    assert!(after.admit(callers.subject(0), thrice, at(40_000)).is_ok());
    let refused = after.admit(callers.subject(0), thrice, at(40_000)).unwrap_err();
    assert_eq!(refused.retry_after_seconds, 21);
    assert_eq!(used(&after, callers.subject(0), at(61_000)), [[2, 20], [2, 20]]);
}

#[test]
fn what_was_kept_is_added_to_what_is_there_in_its_place() {
    let (before, callers) = (Limiter::new(2), Callers::new());
    for millis in [0, 5000, 30_000] {
        let _ = before.admit(callers.subject(0), ask(FREE, 1), at(millis)).unwrap();
    }
    let after = Limiter::new(2);
    for millis in [5000, 10_000] {
        let _ = after.admit(callers.subject(0), ask(FREE, 100), at(millis)).unwrap();
    }
    after.restore(before.take_changes(at(30_000)), at(30_000));
    for (millis, counted) in [(30_000, 203), (61_000, 202), (66_000, 101), (71_000, 1), (91_000, 0)] {
        assert_eq!(tokens(&after, millis), counted);
    }
}

#[test]
fn a_clock_set_back_between_runs_makes_the_future_now_and_the_past_stays_past() {
    let (before, callers) = (Limiter::new(2), Callers::new());
    for millis in [0, 100_000, 110_000] {
        let _ = before.admit(callers.subject(0), ask(FREE, 1), at(millis)).unwrap();
    }
    let mut kept = before.take_changes(at(110_000));
    let mut foreign = kept[0].clone();
    foreign.slot = 7;
    kept.push(foreign);
    let after = Limiter::new(2);
    after.restore(kept, at(50_000));
    assert_eq!(tokens(&after, 110_999), 2);
    assert_eq!(tokens(&after, 111_000), 0);
    let again = Limiter::new(2);
    again.restore(before.take_changes(at(110_000)), at(200_000));
    assert_eq!(tokens(&again, 200_000), 0);
    assert_eq!(after.take_changes(at(50_000)).len(), 2, "they are not as they were kept");
}

#[test]
fn absurd_numbers_neither_panic_nor_wrap() {
    let (limiter, callers) = (Limiter::new(2), Callers::new());
    let most = Limits { rpm: u64::MAX, tpm: Some(u64::MAX) };
    let end = Moment::from_unix_millis(u64::MAX);
    let mut first = limiter.admit(callers.subject(0), ask(most, u64::MAX), at(0)).unwrap();
    let refused = limiter.admit(callers.subject(0), ask(most, u64::MAX), at(0)).unwrap_err();
    assert_eq!((refused.dimension, refused.retry_after_seconds), (Dimension::Tokens, 61));
    assert!(limiter.admit(callers.subject(0), ask(most, 1), at(0)).is_err(), "full");
    let huge = limiter.admit(callers.subject(0), ask(limits(9, 1 << 50), 1 << 51), at(0)).unwrap_err();
    assert!(!huge.can_ever_pass);
    let fresh = Limiter::new(2);
    assert!(fresh.admit(callers.subject(0), ask(limits(9, 1 << 50), 1 << 51), at(0)).is_err());
    first.grow(u64::MAX, at(1000));
    first.settle(0, at(2000));
    assert!(limiter.admit(callers.subject(0), ask(most, 1), at(2000)).is_err(), "and stays so");
    let mut second = limiter.admit(callers.subject(0), ask(FREE, u64::MAX), at(3000)).unwrap();
    second.grow(u64::MAX, at(4000));
    second.settle(u64::MAX, at(4000));
    let third = limiter.admit(callers.subject(0), ask(FREE, 5), at(5000)).unwrap();
    third.settle(u64::MAX, at(6000));
    limiter.sweep(at(6000));
    assert!(limiter.admit(callers.subject(0), ask(limits(9, 100), 1), at(67_000)).is_ok());
    let last = limiter.admit(callers.subject(0), ask(most, 9), end).unwrap();
    assert!(limiter.admit(callers.subject(0), ask(limits(1, 9), 9), end).is_err());
    last.settle(3, end);
    let kept = limiter.take_changes(end);
    let bucket = SavedBucket { second: u64::MAX, requests: u32::MAX, tokens: u64::MAX };
    let window = SavedWindow { buckets: vec![bucket; 100], ..kept[0].clone() };
    let after = Limiter::new(2);
    after.restore(vec![window.clone(), window], end);
    assert!(after.admit(callers.subject(0), ask(limits(u64::MAX, 9), 1), end).is_err());
    after.sweep(end);
}
