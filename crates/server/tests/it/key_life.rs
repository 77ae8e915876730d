//! A key's life: disable, enable, expire, reset, and when it was last used.

use crate::support::{Answer, SINGAPORE, Server, api_keys, chat_call};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

fn refused(answer: &Answer, says: &str) {
    assert_eq!((answer.status.as_u16(), &answer.body["error"]["code"]), (401, &json!("invalid_api_key")));
    let message = answer.body["error"]["message"].as_str().unwrap();
    assert!(message.contains(says), "{message}");
}

/// Milliseconds from now as the API has times.
fn in_ms(ms: i64) -> String {
    keygate_store::timestamp(keygate_store::now_ms() + ms).to_string()
}

#[tokio::test]
async fn a_disabled_key_fails_at_once_and_works_again_when_enabled() {
    let server = Server::start().await;
    let (owner, gateway) = (server.owner().await, server.gateway(SINGAPORE));
    let list = api_keys(SINGAPORE, &owner.default_workspace(SINGAPORE).await);
    let (id, secret) = owner.default_key().await;
    for _ in 0..3 {
        let disabled = owner.post(&format!("{list}/{id}/disable"), json!({})).await;
        assert_eq!((disabled.status, &disabled.body["status"]), (StatusCode::OK, &json!("disabled")));
        refused(&chat_call(&gateway, &secret, "qwen-plus").await, "disabled");
        // Again changes nothing.
        let again = owner.post(&format!("{list}/{id}/disable"), json!({})).await;
        assert_eq!(again.body["version"], disabled.body["version"]);
        assert_eq!(owner.get(&format!("{list}?status=disabled")).await.body["total"], 1);
        let enabled = owner.post(&format!("{list}/{id}/enable"), json!({})).await;
        assert_eq!(enabled.body["status"], "active");
        assert_eq!(chat_call(&gateway, &secret, "qwen-plus").await.status, StatusCode::OK);
    }
    // What an operation does not heed, it refuses.
    let answer = owner.post(&format!("{list}/{id}/disable"), json!({ "version": 1 })).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (422, "unknown_field"));
    owner.post(&format!("{list}/{id}/disable"), json!({})).await;
    let server = server.restart().await;
    refused(&chat_call(&server.gateway(SINGAPORE), &secret, "qwen-plus").await, "disabled");
}

#[tokio::test]
async fn a_key_ends_when_it_was_told_to_and_can_be_given_more_time() {
    let server = Server::start().await;
    let (owner, gateway) = (server.owner().await, server.gateway(SINGAPORE));
    let list = api_keys(SINGAPORE, &owner.default_workspace(SINGAPORE).await);
    let body = json!({ "description": "short", "expires_at": in_ms(1500) });
    let created = owner.post(&list, body).await;
    assert_eq!((created.status, &created.body["status"]), (StatusCode::CREATED, &json!("active")));
    let (id, secret) = (created.body["id"].as_str().unwrap(), created.body["secret"].as_str().unwrap());
    assert_eq!(chat_call(&gateway, secret, "qwen-plus").await.status, StatusCode::OK);
    tokio::time::sleep(Duration::from_millis(1600)).await;
    refused(&chat_call(&gateway, secret, "qwen-plus").await, "expired");
    let path = format!("{list}/{id}");
    assert_eq!(owner.get(&path).await.body["status"], "expired");
    assert_eq!(owner.get(&format!("{list}?status=expired")).await.body["total"], 1);
    assert_eq!(owner.get(&format!("{list}?status=active")).await.body["total"], 0);

    // A change of something else leaves the end as it is.
    let renamed = owner.patch(&path, json!({ "description": "renamed" })).await;
    assert_eq!((renamed.status, &renamed.body["status"]), (StatusCode::OK, &json!("expired")));
    for expires_at in [json!(in_ms(60_000)), Value::Null] {
        let longer = owner.patch(&path, json!({ "expires_at": expires_at })).await;
        assert_eq!((&longer.body["status"], &longer.body["expires_at"]), (&json!("active"), &expires_at));
        assert_eq!(chat_call(&gateway, secret, "qwen-plus").await.status, StatusCode::OK);
    }
    for bad in
        [json!(in_ms(-1)), json!("2020-01-01T00:00:00Z"), json!("tomorrow"), json!("2030-01-01"), json!(7)]
    {
        for answer in [
            owner.patch(&path, json!({ "expires_at": bad })).await,
            owner.post(&list, json!({ "description": "a", "expires_at": bad })).await,
        ] {
            assert_eq!(
                (answer.status.as_u16(), &answer.body["error"]["field"]),
                (422, &json!("expires_at")),
                "{bad}"
            );
        }
    }
}

#[tokio::test]
async fn a_reset_gives_a_new_secret_and_ends_the_old_one() {
    let server = Server::start().await;
    let (owner, gateway) = (server.owner().await, server.gateway(SINGAPORE));
    let list = api_keys(SINGAPORE, &owner.default_workspace(SINGAPORE).await);
    let (id, old) = owner.default_key().await;
    // Without a body, as `curl -X POST` sends it.
    let reset =
        crate::support::send(owner.request(reqwest::Method::POST, &format!("{list}/{id}/reset"))).await;
    assert_eq!((reset.status, &reset.body["id"]), (StatusCode::OK, &json!(id)), "{}", reset.body);
    assert_eq!(
        (&reset.headers["cache-control"], &reset.body["previous_secret"]),
        (&"no-store".parse().unwrap(), &Value::Null)
    );
    let new = reset.body["secret"].as_str().unwrap();
    assert_ne!(new, old);
    refused(&chat_call(&gateway, &old, "qwen-plus").await, "not valid");
    assert_eq!(chat_call(&gateway, new, "qwen-plus").await.status, StatusCode::OK);
    assert!(!owner.get(&format!("{list}/{id}")).await.body.to_string().contains(&new[18..]));
    for (overlap, field) in [
        (json!(172_800), "overlap_seconds"),
        (json!(-1), "overlap_seconds"),
        (json!("1h"), "overlap_seconds"),
    ] {
        let bad = owner.post(&format!("{list}/{id}/reset"), json!({ "overlap_seconds": overlap })).await;
        assert_eq!((bad.status.as_u16(), &bad.body["error"]["field"]), (422, &json!(field)));
    }
    assert_eq!(
        chat_call(&gateway, new, "qwen-plus").await.status,
        StatusCode::OK,
        "a refused reset changes nothing"
    );
}

#[tokio::test]
async fn both_secrets_work_while_they_overlap_also_after_a_restart() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let list = api_keys(SINGAPORE, &owner.default_workspace(SINGAPORE).await);
    let (id, old) = owner.default_key().await;
    let reset = owner.post(&format!("{list}/{id}/reset"), json!({ "overlap_seconds": 3600 })).await;
    let new = reset.body["secret"].as_str().unwrap().to_owned();
    let masked = reset.body["previous_secret"]["masked"].as_str().unwrap();
    assert_eq!(masked, format!("sk-kg-{}…{}", &old[6..10], &old[old.len() - 4..]));
    let server = server.restart().await;
    let (owner, gateway) = (server.owner().await, server.gateway(SINGAPORE));
    for secret in [&old, &new] {
        assert_eq!(chat_call(&gateway, secret, "qwen-plus").await.status, StatusCode::OK);
    }
    let end = format!("{list}/{id}/previous-secret");
    assert_eq!(owner.delete(&end).await.status, StatusCode::NO_CONTENT);
    refused(&chat_call(&gateway, &old, "qwen-plus").await, "not valid");
    assert_eq!(chat_call(&gateway, &new, "qwen-plus").await.status, StatusCode::OK);
    assert_eq!(owner.get(&format!("{list}/{id}")).await.body["previous_secret"], Value::Null);
    assert_eq!(owner.delete(&end).await.status, StatusCode::NO_CONTENT, "again changes nothing");

    // An overlap ends by itself.
    let reset = owner.post(&format!("{list}/{id}/reset"), json!({ "overlap_seconds": 1 })).await;
    assert_eq!(reset.status, StatusCode::OK);
    assert_eq!(chat_call(&gateway, &new, "qwen-plus").await.status, StatusCode::OK);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    refused(&chat_call(&gateway, &new, "qwen-plus").await, "not valid");
    assert_eq!(owner.get(&format!("{list}/{id}")).await.body["previous_secret"], Value::Null);
}

#[tokio::test]
async fn a_repeated_reset_makes_one_secret_and_shows_it_once() {
    let server = Server::start().await;
    let (owner, gateway) = (server.owner().await, server.gateway(SINGAPORE));
    let list = api_keys(SINGAPORE, &owner.default_workspace(SINGAPORE).await);
    let (id, _) = owner.default_key().await;
    let post = || {
        let request = owner.request(reqwest::Method::POST, &format!("{list}/{id}/reset"));
        crate::support::send(request.header("idempotency-key", "once").json(&json!({})))
    };
    let (first, again) = (post().await, post().await);
    assert_eq!((again.status, again.body.get("secret")), (StatusCode::OK, None));
    assert_eq!(again.body["version"], first.body["version"]);
    let secret = first.body["secret"].as_str().unwrap();
    assert_eq!(chat_call(&gateway, secret, "qwen-plus").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_last_use_is_told_within_seconds_and_kept_at_a_stop() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let list = api_keys(SINGAPORE, &owner.default_workspace(SINGAPORE).await);
    let (id, secret) = owner.default_key().await;
    assert_eq!(owner.get(&format!("{list}/{id}")).await.body["last_used_at"], Value::Null);
    chat_call(&server.gateway(SINGAPORE), &secret, "qwen-plus").await;
    let mut first = Value::Null;
    for _ in 0..100 {
        first = owner.get(&format!("{list}/{id}")).await.body["last_used_at"].clone();
        if !first.is_null() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(first.is_string());
    // Within the minute the next use is not written, but at the stop.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    chat_call(&server.gateway(SINGAPORE), &secret, "qwen-plus").await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(owner.get(&format!("{list}/{id}")).await.body["last_used_at"], first);
    let server = server.restart().await;
    let later = server.owner().await.get(&format!("{list}/{id}")).await.body["last_used_at"].clone();
    assert!(later.as_str() > first.as_str(), "{later} after {first}");
}

/// A connection that calls over and over, without a client library's costs.
struct Connection(TcpStream);

impl Connection {
    async fn open(address: &str) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    /// Sends the request, and returns the answer's status.
    async fn call(&mut self, request: &[u8]) -> u16 {
        self.0.write_all(request).await.unwrap();
        let mut answer = Vec::with_capacity(2048);
        loop {
            assert!(self.0.read_buf(&mut answer).await.unwrap() > 0, "the connection was closed");
            let Some(end) = answer.windows(4).position(|w| w == b"\r\n\r\n") else { continue };
            let head = std::str::from_utf8(&answer[..end]).unwrap();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            if answer.len() >= end + 4 + length.parse::<usize>().unwrap() {
                return head[9..12].parse().unwrap();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_100_000_calls_none_is_taken_once_the_key_is_disabled() {
    const CALLS: u32 = 100_000;
    const CONNECTIONS: u32 = 64;
    let unlimited =
        "[[models]]\nid = 'unlimited'\nvendor = 'Me'\ntype = 'text'\nrpm = 1000000000\ntpm = 1000000000000\n";
    let server = Server::start_with(unlimited).await;
    let (owner, gateway) = (server.owner().await, server.gateway(SINGAPORE));
    let list = api_keys(SINGAPORE, &owner.default_workspace(SINGAPORE).await);
    let (id, secret) = owner.default_key().await;
    let address = gateway.strip_prefix("http://").unwrap().split('/').next().unwrap().to_owned();
    let body = r#"{"model":"unlimited","messages":[{"role":"user","content":"Hi"}],"max_tokens":1}"#;
    let request: Arc<[u8]> = format!(
        "POST /compatible-mode/v1/chat/completions HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {secret}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
    .into();
    let (sent, disabled) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
    let callers: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (request, sent, disabled) = (Arc::clone(&request), Arc::clone(&sent), Arc::clone(&disabled));
            let address = address.clone();
            tokio::spawn(async move {
                let mut connection = Connection::open(&address).await;
                let (mut taken, mut refused) = (0, 0);
                while sent.fetch_add(1, Ordering::SeqCst) < CALLS {
                    let was_disabled = disabled.load(Ordering::SeqCst);
                    match connection.call(&request).await {
                        200 => {
                            assert!(!was_disabled, "a call was taken after the key was disabled");
                            taken += 1;
                        }
                        401 => refused += 1,
                        other => panic!("{other}"),
                    }
                }
                (taken, refused)
            })
        })
        .collect();
    while sent.load(Ordering::SeqCst) < CALLS / 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let answer = owner.post(&format!("{list}/{id}/disable"), json!({})).await;
    disabled.store(true, Ordering::SeqCst);
    assert_eq!(answer.status, StatusCode::OK);
    let (mut taken, mut refused) = (0, 0);
    for caller in callers {
        let (t, r) = caller.await.unwrap();
        taken += t;
        refused += r;
    }
    assert_eq!(taken + refused, CALLS);
    assert!(taken >= CALLS / 2 - CONNECTIONS && refused > CALLS / 10, "{taken} taken, {refused} refused");
}
