//! Codes, and the browsers they are bound to. The tests identify a browser by a number.

use crate::{Fixture, fixture, new_session};
use keygate_contract::Email;
use keygate_store::{CodeCheck, EmailCode, NewCode, SignInSource, now_ms};

const MINUTE: i64 = 60 * 1000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

fn owner() -> Email {
    Email::parse("owner@example.com").unwrap()
}

fn nobody() -> Email {
    Email::parse("nobody@example.com").unwrap()
}

/// A browser in its own network, with the cookie `n`.
fn browser(n: u8) -> SignInSource {
    SignInSource { subnet: format!("10.0.0.{n}"), site: None, nonce_hash: Some([n; 32]), browser_hash: None }
}

/// The hash of the code for the browser with the cookie `n`.
fn code_of(n: u8) -> [u8; 32] {
    [n ^ 0xff; 32]
}

impl Fixture {
    /// Requests a code, which is bound to the cookie `n` if there is one.
    async fn ask(&self, email: &Email, n: u8, from: &SignInSource, now: i64) -> EmailCode {
        let new = NewCode { nonce_hash: [n; 32], code_hash: code_of(n) };
        self.store.code_create(email, &new, from, now).await.unwrap()
    }

    async fn enter(&self, email: &Email, code: [u8; 32], from: &SignInSource, now: i64) -> CodeCheck {
        self.store.session_create_by_code(email, &code, from, &new_session(rand(now)), now).await.unwrap()
    }
}

/// Sessions need distinct tokens.
fn rand(now: i64) -> u8 {
    u8::try_from(now / MINUTE % 251).unwrap()
}

#[tokio::test]
async fn a_code_is_asked_once_a_minute_and_tried_five_times() {
    for (email, sent) in [(owner(), EmailCode::Send), (nobody(), EmailCode::Silent)] {
        let (f, now) = (fixture().await, now_ms());
        assert_eq!(f.ask(&email, 1, &browser(1), now).await, sent);
        assert_eq!(f.ask(&email, 2, &browser(1), now + MINUTE - 1).await, EmailCode::Unchanged);
        let moved = SignInSource { subnet: "10.9.9.9".into(), ..browser(1) };
        assert_eq!(
            f.ask(&email, 2, &moved, now + MINUTE - 1).await,
            EmailCode::Unchanged,
            "the same browser"
        );
        for _ in 0..5 {
            assert_eq!(f.enter(&email, [9; 32], &browser(1), now).await, CodeCheck::Wrong);
        }
        let spent = CodeCheck::Spent { retry_after: 60 };
        assert_eq!(f.enter(&email, code_of(1), &browser(1), now).await, spent);
        assert_eq!(f.ask(&email, 3, &browser(1), now + MINUTE).await, sent);
        assert_eq!(
            f.enter(&email, code_of(1), &browser(1), now + MINUTE).await,
            CodeCheck::Wrong,
            "replaced"
        );
    }
}

#[tokio::test]
async fn a_code_signs_in_once_and_for_ten_minutes() {
    let (f, now) = (fixture().await, now_ms());
    f.ask(&owner(), 1, &browser(1), now).await;
    assert!(matches!(f.enter(&owner(), code_of(1), &browser(1), now).await, CodeCheck::SignedIn(_)));
    assert_eq!(f.enter(&owner(), code_of(1), &browser(1), now).await, CodeCheck::Wrong, "used");
    f.ask(&owner(), 2, &browser(2), now).await;
    assert_eq!(f.enter(&owner(), code_of(2), &browser(2), now + 10 * MINUTE).await, CodeCheck::Wrong, "old");
    f.ask(&nobody(), 3, &browser(3), now).await;
    assert_eq!(f.enter(&nobody(), code_of(3), &browser(3), now).await, CodeCheck::Wrong, "nobody's");
}

#[tokio::test]
async fn others_neither_use_nor_spend_a_browsers_code() {
    let (f, now) = (fixture().await, now_ms());
    f.ask(&owner(), 1, &browser(1), now).await;
    f.ask(&owner(), 2, &browser(2), now).await;
    let without = SignInSource { nonce_hash: None, ..browser(3) };
    for from in [&without, &browser(4), &browser(2)] {
        for _ in 0..5 {
            assert_eq!(f.enter(&owner(), code_of(1), from, now).await, CodeCheck::Wrong);
        }
    }
    assert!(matches!(f.enter(&owner(), code_of(2), &browser(2), now).await, CodeCheck::Spent { .. }));
    assert!(matches!(f.enter(&owner(), code_of(1), &browser(1), now).await, CodeCheck::SignedIn(_)));
}

#[tokio::test]
async fn codes_are_bounded_by_network_and_by_address() {
    for (email, sent) in [(owner(), EmailCode::Send), (nobody(), EmailCode::Silent)] {
        let (f, start) = (fixture().await, now_ms());
        // A network without cookies: one a minute, ten an hour.
        let fresh = SignInSource { nonce_hash: None, ..browser(1) };
        for n in 0..10 {
            assert_eq!(f.ask(&email, n, &fresh, start + i64::from(n) * MINUTE).await, sent, "{n}");
        }
        assert_eq!(f.ask(&email, 10, &fresh, start + 30 * MINUTE).await, EmailCode::Unchanged);
        assert_eq!(f.ask(&email, 11, &browser(11), start + 30 * MINUTE).await, sent, "another network");
        // Many networks: 40 an hour.
        for n in 12..41 {
            assert_eq!(f.ask(&email, n, &browser(n), start + 30 * MINUTE).await, sent, "{n}");
        }
        assert_eq!(f.ask(&email, 50, &browser(50), start + 59 * MINUTE).await, EmailCode::Unchanged);
        assert_eq!(f.ask(&email, 50, &browser(50), start + HOUR).await, sent);
    }
}

#[tokio::test]
async fn a_mailbox_gets_no_more_than_its_share_a_day() {
    let (f, start) = (fixture().await, now_ms());
    let mut sent = 0;
    for hour in 0..24 {
        for n in 0..60 {
            let from = SignInSource { nonce_hash: None, ..browser(n) };
            let nonce =
                NewCode { nonce_hash: [u8::try_from(hour).unwrap() * 10 + n % 10; 32], code_hash: [n; 32] };
            // Nonces are reused once their codes have expired.
            let now = start + hour * HOUR + i64::from(n / 10) * 10 * MINUTE;
            let answer = f.store.code_create(&owner(), &nonce, &from, now).await.unwrap();
            sent += i32::from(answer == EmailCode::Send);
        }
    }
    assert_eq!(sent, 200);
}

#[tokio::test]
async fn a_48_gets_more_than_a_64_and_less_than_many() {
    let (f, start) = (fixture().await, now_ms());
    let of_48 = |n: u8| SignInSource {
        subnet: format!("2001:db8:0:{n}::/64"),
        site: Some("2001:db8::/48".into()),
        nonce_hash: Some([n; 32]),
        browser_hash: None,
    };
    let mut sent = 0;
    for n in 0..30 {
        sent += i32::from(f.ask(&owner(), n, &of_48(n), start).await == EmailCode::Send);
    }
    assert_eq!(sent, 20);
    assert_eq!(f.ask(&owner(), 100, &browser(100), start).await, EmailCode::Send);

    let mut wrong = 0;
    for n in 0..20 {
        for _ in 0..4 {
            wrong += i32::from(f.enter(&owner(), [0; 32], &of_48(n), start).await == CodeCheck::Wrong);
        }
    }
    assert_eq!(wrong, 20);
    assert_eq!(f.enter(&owner(), [0; 32], &browser(100), start).await, CodeCheck::Wrong);
}

/// How often one network can guess a code of one address, as fast as possible. It requests a code, tries it until it is
/// used up, expired or blocked for long, and starts again.
async fn guesses(f: &Fixture, email: &Email, days: i64) -> i32 {
    let start = now_ms();
    let (mut now, mut wrong, mut n) = (start, 0, 0u8);
    while now < start + days * DAY {
        n = n.wrapping_add(1);
        let from = SignInSource { subnet: "10.0.0.1".into(), ..browser(n) };
        let asked = now;
        if f.ask(email, n, &SignInSource { nonce_hash: None, ..from.clone() }, now).await
            != EmailCode::Unchanged
        {
            let mut tries = 0;
            while tries < 5 && now < asked + 10 * MINUTE {
                match f.enter(email, [0; 32], &from, now).await {
                    CodeCheck::Wrong => tries += 1,
                    CodeCheck::TooMany { retry_after } => now += i64::try_from(retry_after).unwrap() * 1000,
                    other => panic!("{other:?}"),
                }
            }
            wrong += tries;
        }
        now = now.max(asked + 10 * MINUTE);
    }
    wrong
}

#[tokio::test]
async fn one_network_guesses_ten_times_a_day() {
    for email in [owner(), nobody()] {
        let f = fixture().await;
        assert_eq!(guesses(&f, &email, 7).await, 70);
    }
}

#[tokio::test]
async fn forty_wrong_codes_a_day_leave_known_browsers_signing_in() {
    let (f, now) = (fixture().await, now_ms());
    f.ask(&owner(), 200, &browser(200), now).await;
    assert!(matches!(f.enter(&owner(), code_of(200), &browser(200), now).await, CodeCheck::SignedIn(_)));
    let known = SignInSource { browser_hash: Some([rand(now); 32]), ..browser(201) };

    let mut wrong = 0;
    for n in 1..40 {
        f.ask(&owner(), n, &browser(n), now).await;
        for _ in 0..5 {
            wrong += i32::from(f.enter(&owner(), [0; 32], &browser(n), now).await == CodeCheck::Wrong);
        }
    }
    assert_eq!(wrong, 40);
    f.ask(&owner(), 202, &browser(202), now + HOUR).await;
    let right = f.enter(&owner(), code_of(202), &browser(202), now + HOUR).await;
    assert!(matches!(right, CodeCheck::TooMany { .. }), "{right:?}");

    assert_eq!(f.ask(&owner(), 201, &known, now + HOUR).await, EmailCode::Send);
    assert_eq!(f.enter(&owner(), [0; 32], &known, now + HOUR).await, CodeCheck::Wrong);
    assert!(matches!(f.enter(&owner(), code_of(201), &known, now + HOUR).await, CodeCheck::SignedIn(_)));
}

#[tokio::test]
async fn a_known_browser_is_bounded_too_and_known_for_180_days() {
    let (f, now) = (fixture().await, now_ms());
    f.ask(&owner(), 1, &browser(1), now).await;
    assert!(matches!(f.enter(&owner(), code_of(1), &browser(1), now).await, CodeCheck::SignedIn(_)));
    let token = [rand(now); 32];
    let known = SignInSource { nonce_hash: Some([2; 32]), browser_hash: Some(token), ..browser(2) };
    f.ask(&owner(), 2, &known, now).await;
    for _ in 0..5 {
        assert_eq!(f.enter(&owner(), [0; 32], &known, now).await, CodeCheck::Wrong);
    }
    assert_eq!(f.ask(&owner(), 2, &known, now + MINUTE - 1).await, EmailCode::Unchanged);
    assert_eq!(f.ask(&owner(), 3, &known, now + MINUTE).await, EmailCode::Send);
    let known = SignInSource { nonce_hash: Some([3; 32]), ..known };
    assert_eq!(f.enter(&owner(), [0; 32], &known, now + MINUTE).await, CodeCheck::Wrong);
    let wait = f.enter(&owner(), code_of(3), &known, now + MINUTE).await;
    assert_eq!(wait, CodeCheck::TooMany { retry_after: 120 }, "the second wait is twice the first");

    for (at, is_known) in [(now, true), (now + 180 * DAY - 1, true), (now + 180 * DAY, false)] {
        assert_eq!(f.store.browser_is_known(&token, at).await.unwrap(), is_known);
    }
    assert!(!f.store.browser_is_known(&[77; 32], now).await.unwrap());
}

#[tokio::test]
async fn ten_browsers_of_a_member_are_known() {
    let (f, now) = (fixture().await, now_ms());
    for n in 0..12 {
        f.store.link_create(&owner(), &[n; 32], now).await.unwrap();
        let at = now + i64::from(n);
        f.store.session_create_by_link(&[n; 32], &new_session(n), at).await.unwrap().unwrap();
    }
    for n in 0..12 {
        assert_eq!(f.store.browser_is_known(&[n; 32], now).await.unwrap(), n >= 2, "{n}");
    }
}

#[tokio::test]
async fn a_link_can_be_looked_up_without_using_it() {
    let (f, now) = (fixture().await, now_ms());
    f.store.link_create(&owner(), &[1; 32], now).await.unwrap();
    for (hash, at, is_valid) in
        [([1; 32], now, true), ([1; 32], now + 15 * MINUTE, false), ([2; 32], now, false)]
    {
        assert_eq!(f.store.link_is_valid(&hash, at).await.unwrap(), is_valid);
    }
    assert!(f.store.session_create_by_link(&[1; 32], &new_session(1), now).await.unwrap().is_some());
}
