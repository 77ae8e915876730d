//! Signing in and out.

use crate::support::{OWNER, Server};
use reqwest::StatusCode;
use serde_json::json;
use std::time::Duration;

/// The codes in the outbox, once there are `count`.
async fn codes(server: &Server, count: usize) -> Vec<String> {
    for _ in 0..500 {
        let codes: Vec<String> = mails(server).iter().filter_map(|mail| code_of(mail)).collect();
        if codes.len() >= count {
            return codes;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no mail came");
}

/// The mails in the outbox, which is made with the first.
fn mails(server: &Server) -> Vec<String> {
    let Ok(outbox) = std::fs::read_dir(server.dir.path().join("data/outbox")) else { return Vec::new() };
    outbox
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "eml"))
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect()
}

/// The code in a mail; `None` while it is being written.
fn code_of(mail: &str) -> Option<String> {
    let is_code = |word: &&str| word.len() == 6 && word.bytes().all(|b| b.is_ascii_digit());
    mail.split_whitespace().find(is_code).map(str::to_owned)
}

#[tokio::test]
async fn a_code_from_the_mail_signs_in_once() {
    let server = Server::start().await;
    let client = server.anonymous();
    let sent = client.post("/session/email-code", json!({ "email": "Owner@LOCALHOST" })).await;
    assert_eq!(sent.status, StatusCode::ACCEPTED);
    let code = codes(&server, 1).await.remove(0);

    let wrong = if code == "000000" { "000001" } else { "000000" };
    let answer = client.post("/session", json!({ "email": OWNER, "code": wrong })).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::UNAUTHORIZED, "sign_in_failed"));

    let spaced = format!("{} {}", &code[..3], &code[3..]);
    let answer = client.post("/session", json!({ "email": OWNER, "code": spaced })).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!(answer.body["member"]["email"], OWNER);

    let again = client.post("/session", json!({ "email": OWNER, "code": code })).await;
    assert_eq!((again.status, again.code()), (StatusCode::UNAUTHORIZED, "sign_in_failed"));
}

#[tokio::test]
async fn asking_for_a_code_tells_nothing_about_who_is_a_member() {
    let server = Server::start().await;
    let client = server.anonymous();
    let mut answers = Vec::new();
    for email in [OWNER, "nobody@example.com", OWNER, "nobody@example.com"] {
        let answer = client.post("/session/email-code", json!({ "email": email })).await;
        answers.push((answer.status, answer.body));
    }
    assert!(answers.iter().all(|a| *a == answers[0]), "{answers:?}");
    codes(&server, 1).await;
    // Give a second mail, which must not come, the time to come.
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(mails(&server).len(), 1, "one a minute, and none to strangers");
}

#[tokio::test]
async fn a_code_cannot_be_guessed_by_trying() {
    let server = Server::start().await;
    let client = server.anonymous();
    for email in [OWNER, "nobody@example.com"] {
        client.post("/session/email-code", json!({ "email": email })).await;
        let guess = json!({ "email": email, "code": "123456" });
        for _ in 0..5 {
            assert_eq!(client.post("/session", guess.clone()).await.status, StatusCode::UNAUTHORIZED);
        }
        let answer = client.post("/session", guess).await;
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
