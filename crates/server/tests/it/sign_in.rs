//! Signing in while a stranger requests codes, guesses and floods.

use crate::outbox::other_than;
use crate::support::{Answer, Client, OWNER, Server, send};
use reqwest::StatusCode;
use serde_json::json;

const NOBODY: &str = "nobody@example.com";

/// A browser at another address of the loopback interface.
fn at(server: &Server, host: u8) -> Client {
    Client::from_address(server.running.console_url(), &format!("127.0.0.{host}"))
}

/// Requests a code and enters wrong ones until it no longer works.
async fn guess(client: &mut Client, email: &str) {
    assert_eq!(client.ask_code(email).await.status, StatusCode::ACCEPTED);
    for _ in 0..5 {
        assert_eq!(client.enter_code(email, "000000").await.status, StatusCode::UNAUTHORIZED);
    }
}

fn wait_of(answer: &Answer) -> u64 {
    assert_eq!((answer.status, answer.code()), (StatusCode::TOO_MANY_REQUESTS, "too_many_attempts"));
    answer.headers["retry-after"].to_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_code_works_only_in_the_browser_that_asked_for_it() {
    let server = Server::start().await;
    let mut outbox = server.outbox();
    let (mut owner, mut stranger) = (at(&server, 1), at(&server, 2));
    owner.ask_code(OWNER).await;
    let code = outbox.next_code().await;

    // No cookie, a made-up one, and that of the same address's other code; each more often than a code can be tried.
    let mut without = at(&server, 3);
    let mut made_up = at(&server, 4);
    made_up.cookie = Some(format!("keygate_session_code={}", "A".repeat(43)));
    stranger.ask_code(OWNER).await;
    let others = outbox.next_code().await;
    for _ in 0..4 {
        for client in [&mut without, &mut made_up, &mut stranger] {
            for email in [OWNER, "OWNER@localhost"] {
                let answer = client.enter_code(email, &code).await;
                let status = answer.status;
                assert!(matches!(status.as_u16(), 401 | 429), "{status}: {}", answer.body);
            }
        }
        for client in [&mut without, &mut made_up] {
            assert_eq!(client.enter_code(OWNER, &code).await.code(), "sign_in_failed");
        }
    }
    assert_eq!(owner.enter_code(NOBODY, &code).await.code(), "sign_in_failed", "another address");
    assert_eq!(owner.enter_code(OWNER, &others).await.code(), "sign_in_failed", "another browser's code");
    assert_eq!(owner.enter_code(OWNER, &code).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn several_browsers_may_wait_for_a_code_of_one_address() {
    let server = Server::start().await;
    let mut outbox = server.outbox();
    let mut waiting = Vec::new();
    for host in 1..=4 {
        let mut client = at(&server, host);
        client.ask_code(OWNER).await;
        waiting.push((client, outbox.next_code().await));
    }
    for (client, code) in &mut waiting {
        assert_eq!(client.enter_code(OWNER, code).await.status, StatusCode::CREATED);
    }
}

#[tokio::test]
async fn asking_again_within_a_minute_leaves_the_code_usable() {
    let server = Server::start().await;
    let mut owner = server.anonymous();
    owner.ask_code(OWNER).await;
    let code = server.outbox().next_code().await;
    let again = owner.ask_code(OWNER).await;
    assert_eq!((again.status, again.cookies().len()), (StatusCode::ACCEPTED, 0));
    assert_eq!(owner.enter_code(OWNER, &code).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_stranger_cannot_keep_the_owner_from_a_code() {
    let server = Server::start().await;
    let mut outbox = server.outbox();
    let stranger = at(&server, 2);
    for _ in 0..25 {
        stranger.post("/session/email-code", json!({ "email": OWNER })).await;
    }
    outbox.next_code().await;
    let mut owner = at(&server, 1);
    owner.ask_code(OWNER).await;
    let code = outbox.next_code().await;
    assert_eq!(owner.enter_code(OWNER, &code).await.status, StatusCode::CREATED);
    assert_eq!(outbox.mails(), 2, "one a minute for a network");
}

#[tokio::test]
async fn a_known_browser_gets_its_code_beside_a_stranger() {
    let server = Server::start().await;
    let mut outbox = server.outbox();
    let mut owner = server.owner().await;
    let mut stranger = server.anonymous();
    stranger.ask_code(OWNER).await;
    outbox.next_code().await;
    // The network has had its code for this minute, and a new browser gets none.
    let mut other = server.anonymous();
    assert_eq!(other.ask_code(OWNER).await.cookies().len(), 0);
    assert_eq!(owner.ask_code(OWNER).await.cookies().len(), 1);
    let code = outbox.next_code().await;
    assert_eq!(owner.enter_code(OWNER, &code).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn wrong_codes_delay_a_network_and_no_known_browser() {
    let server = Server::start().await;
    let mut outbox = server.outbox();
    let mut owner = server.owner().await;
    guess(&mut server.anonymous(), NOBODY).await;

    let mut newcomer = server.anonymous();
    newcomer.ask_code(OWNER).await;
    let code = outbox.next_code().await;
    let wait = wait_of(&newcomer.enter_code(OWNER, &code).await);
    assert!((1..=60).contains(&wait), "{wait}");

    owner.ask_code(OWNER).await;
    let code = outbox.next_code().await;
    assert_eq!(owner.enter_code(OWNER, other_than(&code)).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(owner.enter_code(OWNER, &code).await.status, StatusCode::CREATED);

    let mut elsewhere = at(&server, 2);
    elsewhere.ask_code(OWNER).await;
    let code = outbox.next_code().await;
    assert_eq!(elsewhere.enter_code(OWNER, &code).await.status, StatusCode::CREATED, "another network");
}

#[tokio::test]
async fn wrong_codes_from_many_networks_end_and_leave_known_browsers() {
    let server = Server::start().await;
    let mut outbox = server.outbox();
    let mut owner = server.owner().await;
    for host in 10..18 {
        for email in [OWNER, NOBODY] {
            guess(&mut at(&server, if email == OWNER { host } else { host + 50 }), email).await;
        }
        outbox.next_code().await;
    }
    let mut waits = Vec::new();
    for (host, email) in [(30, OWNER), (31, NOBODY)] {
        let mut newcomer = at(&server, host);
        newcomer.ask_code(email).await;
        let code = if email == OWNER { outbox.next_code().await } else { "123456".into() };
        waits.push(wait_of(&newcomer.enter_code(email, &code).await));
    }
    let day = 24 * 60 * 60;
    assert!(waits.iter().all(|wait| (day - 120..=day).contains(wait)), "the same for all: {waits:?}");
    owner.ask_code(OWNER).await;
    let code = outbox.next_code().await;
    assert_eq!(owner.enter_code(OWNER, &code).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_flooded_network_keeps_known_browsers_and_links() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let link = server.running.sign_in_link(None).await.unwrap();
    let token = link.split_once("token=").unwrap().1;
    let stranger = server.anonymous();
    for n in 0..40 {
        stranger.post("/session", json!({ "token": format!("made up {n}") })).await;
    }
    wait_of(&stranger.post("/session/email-code", json!({ "email": OWNER })).await);
    wait_of(&stranger.post("/session", json!({ "token": "made up" })).await);
    assert_eq!(owner.ask_code(OWNER).await.status, StatusCode::ACCEPTED);
    let code = server.outbox().next_code().await;
    assert_eq!(owner.enter_code(OWNER, &code).await.status, StatusCode::CREATED);
    assert_eq!(stranger.post("/session", json!({ "token": token })).await.status, StatusCode::CREATED);

    let mut forger = server.anonymous();
    forger.cookie = Some(format!("keygate_session_browser={}", "A".repeat(43)));
    wait_of(&forger.ask_code(OWNER).await);
    for n in 0..40 {
        let answer = owner.post("/session", json!({ "token": format!("made up {n}") })).await;
        assert_eq!(
            answer.status.as_u16(),
            if n < 30 { 401 } else { 429 },
            "{n}: known browsers are bounded, too"
        );
    }
}

#[tokio::test]
async fn ipv6_addresses_of_one_network_count_together() {
    let server = Server::start_with("trusted_proxies = ['127.0.0.1']\n").await;
    let client = server.anonymous();
    let taken = async |addresses: Vec<String>| {
        let mut taken = 0;
        for address in addresses {
            let request =
                client.request(reqwest::Method::POST, "/session").header("x-forwarded-for", address);
            let status = send(request.json(&json!({ "token": "made up" }))).await.status;
            taken += usize::from(status == StatusCode::UNAUTHORIZED);
        }
        taken
    };
    assert_eq!(taken((0..200).map(|n| format!("2001:db8:1:1::{n:x}")).collect()).await, 30, "one /64");
    assert_eq!(
        taken((0..200).map(|n| format!("2001:db8:1:{n:x}::1")).collect()).await,
        90,
        "the rest of its /48"
    );
    assert_eq!(taken((0..60).map(|_| "203.0.113.9".into()).collect()).await, 30, "one IPv4 address");
    assert_eq!(taken((0..9).map(|_| "::ffff:203.0.113.9".into()).collect()).await, 0, "the same, mapped");
    assert_eq!(taken((0..9).map(|n| format!("203.0.113.{n}")).collect()).await, 9, "other IPv4 addresses");
}

#[tokio::test]
async fn a_restart_resets_no_count_and_keeps_codes_and_browsers() {
    let server = Server::start().await;
    let mut outbox = server.outbox();
    let mut owner = server.owner().await;
    owner.ask_code(OWNER).await;
    let code = outbox.next_code().await;
    guess(&mut server.anonymous(), NOBODY).await;

    let server = server.restart().await;
    let mut stranger = server.anonymous();
    stranger.ask_code("someone@example.com").await;
    wait_of(&stranger.enter_code("someone@example.com", "123456").await);
    let mut back = server.anonymous();
    back.cookie = owner.cookie;
    assert_eq!(back.enter_code(OWNER, &code).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_browser_is_known_to_one_member_by_one_cookie() {
    let server = Server::start().await;
    let mut outbox = server.outbox();
    let (first, _) = (server.owner().await, server.stranger().await);
    assert!(first.cookie_named("keygate_session_browser").is_some());
    let knows = async |client: &Client, email: &str| {
        // A known browser gets a code although its network has just had one.
        let mut other = server.anonymous();
        other.ask_code(email).await;
        client.post("/session/email-code", json!({ "email": email })).await.cookies().len() == 1
    };
    assert!(knows(&first, OWNER).await);
    assert!(!knows(&first, "stranger@example.com").await, "another member");
    assert!(!knows(&server.anonymous(), OWNER).await);
    outbox.next_code().await;

    // Another sign-in sets another cookie; the old one is worthless.
    let link = server.running.sign_in_link(None).await.unwrap();
    let answer = first.post("/session", json!({ "token": link.split_once("token=").unwrap().1 })).await;
    let mut second = server.anonymous();
    second.keep_cookies(&answer);
    let cookies = [&first, &second].map(|client| client.cookie_named("keygate_session_browser"));
    assert_ne!(cookies[0], cookies[1]);
    assert!(!knows(&first, OWNER).await);
    assert!(knows(&second, OWNER).await);
}

#[tokio::test]
async fn signing_out_everywhere_forgets_the_other_browsers() {
    let server = Server::start().await;
    let (here, there) = (server.owner().await, server.owner().await);
    assert_eq!(here.delete("/sessions").await.status, StatusCode::NO_CONTENT);
    server.anonymous().ask_code(OWNER).await;
    let ask = async |client: &Client| client.post("/session/email-code", json!({ "email": OWNER })).await;
    assert_eq!(ask(&there).await.cookies().len(), 0);
    assert_eq!(ask(&here).await.cookies().len(), 1);
}

#[tokio::test]
async fn the_cookies_of_signing_in_are_for_the_server_alone() {
    let server = Server::start().await;
    let mut outbox = server.outbox();
    let mut owner = server.anonymous();
    let asked = owner.ask_code(OWNER).await;
    let code = outbox.next_code().await;
    let signed_in = owner.enter_code(OWNER, &code).await;
    let set: Vec<String> = [&asked, &signed_in]
        .into_iter()
        .flat_map(|answer| answer.headers.get_all("set-cookie"))
        .map(|value| value.to_str().unwrap().to_owned())
        .collect();
    let expected = [
        ("keygate_session_code=", 600),
        ("keygate_session=", 604_800),
        ("keygate_session_browser=", 15_552_000),
        ("keygate_session_code=; ", 0),
    ];
    assert_eq!(set.len(), expected.len(), "{set:?}");
    for (cookie, (start, life)) in set.iter().zip(expected) {
        assert!(cookie.starts_with(start), "{cookie}");
        let life = format!("Max-Age={life}");
        for part in ["HttpOnly", "SameSite=Strict", "Path=/console", life.as_str()] {
            assert!(cookie.split("; ").any(|p| p == part), "{part} in {cookie}");
        }
    }
    assert_eq!(owner.cookie_named("keygate_session_code"), None);
}
