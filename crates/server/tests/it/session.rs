//! Signing in and out.

use crate::outbox::other_than;
use crate::support::{Client, OWNER, Server};
use reqwest::StatusCode;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn a_code_from_the_mail_signs_in_once() {
    let server = Server::start().await;
    let mut client = server.anonymous();
    assert_eq!(client.ask_code("Owner@LOCALHOST").await.status, StatusCode::ACCEPTED);
    let code = server.outbox().next_code().await;

    let answer = client.enter_code(OWNER, other_than(&code)).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::UNAUTHORIZED, "sign_in_failed"));

    let asked = client.cookie.clone();
    let spaced = format!("{} {}", &code[..3], &code[3..]);
    let answer = client.enter_code(OWNER, &spaced).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!(answer.body["member"]["email"], OWNER);
    assert_eq!(client.get("/session").await.status, StatusCode::OK);

    client.cookie = asked;
    let again = client.enter_code(OWNER, &code).await;
    assert_eq!((again.status, again.code()), (StatusCode::UNAUTHORIZED, "sign_in_failed"));
}

#[tokio::test]
async fn asking_for_a_code_tells_nothing_about_who_is_a_member() {
    let server = Server::start().await;
    let answers = |address| {
        let client = Client::from_address(server.running.console_url(), address);
        async move {
            let mut client = client;
            let email = if address == "127.0.0.2" { OWNER } else { "nobody@example.com" };
            let mut seen = Vec::new();
            for keeps_cookies in [true, true, false] {
                client.cookie = client.cookie.filter(|_| keeps_cookies);
                let answer = client.ask_code(email).await;
                let names = answer.cookies().into_iter().map(|(name, _)| name).collect::<Vec<_>>();
                seen.push((answer.status, answer.body.clone(), names));
            }
            seen
        }
    };
    let (member, nobody) = (answers("127.0.0.2").await, answers("127.0.0.3").await);
    assert_eq!(member, nobody);
    assert!(member.iter().all(|answer| answer.0 == StatusCode::ACCEPTED), "{member:?}");
    let mut outbox = server.outbox();
    outbox.next_code().await;
    // Give a second mail, which must not come, the time to come.
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(outbox.mails(), 1, "one a minute, and none to strangers");
}

#[tokio::test]
async fn a_code_cannot_be_guessed_by_trying() {
    let server = Server::start().await;
    for (email, address) in [(OWNER, "127.0.0.2"), ("nobody@example.com", "127.0.0.3")] {
        let mut client = Client::from_address(server.running.console_url(), address);
        client.ask_code(email).await;
        for _ in 0..5 {
            assert_eq!(client.enter_code(email, "123456").await.status, StatusCode::UNAUTHORIZED);
        }
        let answer = client.enter_code(email, "123456").await;
        assert_eq!((answer.status, answer.code()), (StatusCode::TOO_MANY_REQUESTS, "too_many_attempts"));
        let wait: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=60).contains(&wait), "{wait}");
    }
}

#[tokio::test]
async fn a_link_signs_in_once() {
    let server = Server::start().await;
    let link = server.running.sign_in_link(None).await.unwrap();
    let token = link.split_once("/sign-in?token=").unwrap().1;
    let client = server.anonymous();
    assert_eq!(client.post("/session", json!({ "token": token })).await.status, StatusCode::CREATED);
    let again = client.post("/session", json!({ "token": token })).await;
    assert_eq!((again.status, again.code()), (StatusCode::UNAUTHORIZED, "sign_in_failed"));
}

#[tokio::test]
async fn the_cookie_cannot_be_read_by_scripts_nor_sent_by_other_sites() {
    let server = Server::start().await;
    let link = server.running.sign_in_link(None).await.unwrap();
    let token = link.split_once("token=").unwrap().1;
    let answer = server.anonymous().post("/session", json!({ "token": token })).await;
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/console", "Max-Age=604800"] {
        assert!(cookie.contains(part), "{cookie}");
    }
}

#[tokio::test]
async fn signing_out_ends_the_session_on_the_server() {
    let server = Server::start().await;
    let owner = server.owner().await;
    assert_eq!(owner.get("/session").await.status, StatusCode::OK);
    assert_eq!(owner.delete("/session").await.status, StatusCode::NO_CONTENT);
    assert_eq!(owner.get("/session").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_session_outlives_a_restart() {
    let server = Server::start().await;
    let cookie = server.owner().await.cookie;
    let server = server.restart().await;
    assert!(!server.running.is_new());
    let mut client = server.anonymous();
    client.cookie = cookie;
    assert_eq!(client.get("/session").await.status, StatusCode::OK);
}

#[tokio::test]
async fn bad_sign_ins_say_what_to_send() {
    let server = Server::start().await;
    let client = server.anonymous();
    for (body, code, field) in [
        (json!({}), "missing_field", "token"),
        (json!({ "email": OWNER }), "missing_field", "code"),
        (json!({ "code": "123456" }), "missing_field", "email"),
        (json!({ "email": OWNER, "code": "12345" }), "invalid_field", "code"),
        (json!({ "email": "x", "code": "123456" }), "invalid_field", "email"),
        (json!({ "email": OWNER, "code": "123456", "token": "t" }), "invalid_field", "token"),
        (json!({ "password": "x" }), "unknown_field", "password"),
    ] {
        let answer = client.post("/session", body.clone()).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        assert_eq!((answer.code(), answer.body["error"]["field"].as_str()), (code, Some(field)), "{body}");
    }
}

#[tokio::test]
async fn an_address_cannot_try_without_end() {
    let server = Server::start().await;
    let client = server.anonymous();
    let mut statuses = Vec::new();
    for n in 0..40 {
        let body = json!({ "email": format!("someone{n}@example.com") });
        statuses.push(client.post("/session/email-code", body).await.status);
    }
    assert_eq!(statuses[0], StatusCode::ACCEPTED);
    assert_eq!(statuses[39], StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn a_store_does_not_start_with_another_secret() {
    let server = Server::start().await;
    let data = server.dir.path().join("data");
    server.running.stop().await;
    std::fs::write(data.join("server.key"), "0".repeat(64)).unwrap();
    let config = keygate::config::Config::load(Some(&server.dir.path().join("keygate.toml"))).unwrap();
    let error = keygate::server::start(config).await.err().unwrap();
    assert!(error.to_string().contains("another server.key"), "{error}");
}
