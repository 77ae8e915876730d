//! Requests whose body takes its time: what ended meanwhile has ended for them, too.

use crate::support::{Answer, SINGAPORE, Server, api_keys, call, chat, chat_call, send};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use reqwest::{Body, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;

/// A JSON body that is begun at once, and ended when `then` is.
fn held(body: &Value, then: impl Future<Output = ()> + Send + 'static) -> Body {
    let text = body.to_string();
    let (head, tail) =
        (Bytes::copy_from_slice(&text.as_bytes()[..1]), Bytes::copy_from_slice(&text.as_bytes()[1..]));
    let rest = stream::once(async move {
        then.await;
        Ok(tail)
    });
    Body::wrap_stream(stream::iter([Ok::<_, std::io::Error>(head)]).chain(rest))
}

/// A call that is begun now, and whole after `after`.
async fn slow_call(gateway: &str, key: &str, after: Duration) -> Answer {
    let body = held(&chat("qwen-plus"), tokio::time::sleep(after));
    send(call(gateway, "/chat/completions", key).body(body)).await
}

#[tokio::test]
async fn a_temporary_key_that_ends_while_the_body_comes_is_refused() {
    let server = Server::start().await;
    let (owner, gateway) = (server.owner().await, server.gateway(SINGAPORE));
    let list = api_keys(SINGAPORE, &owner.default_workspace(SINGAPORE).await);
    let (id, _) = owner.default_key().await;
    let made = owner.post(&format!("{list}/{id}/temporary-key"), json!({ "expires_in_seconds": 1 })).await;
    let temporary = made.body["token"].as_str().unwrap();
    let answer = slow_call(&gateway, temporary, Duration::from_millis(1500)).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", answer.body);
    assert!(answer.body["error"]["message"].as_str().unwrap().contains("temporary key has expired"));
}

#[tokio::test]
async fn a_secret_whose_overlap_ends_while_the_body_comes_is_refused() {
    let server = Server::start().await;
    let (owner, gateway) = (server.owner().await, server.gateway(SINGAPORE));
    let list = api_keys(SINGAPORE, &owner.default_workspace(SINGAPORE).await);
    let (id, old) = owner.default_key().await;
    owner.post(&format!("{list}/{id}/reset"), json!({ "overlap_seconds": 1 })).await;
    let answer = slow_call(&gateway, &old, Duration::from_millis(1500)).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", answer.body);
}

#[tokio::test]
async fn a_session_that_ends_while_the_body_comes_changes_nothing() {
    let server = Server::start().await;
    let (thief, owner) = (server.owner().await, server.owner().await);
    let list = api_keys(SINGAPORE, &owner.default_workspace(SINGAPORE).await);
    let (started, signed_out) = tokio::sync::oneshot::channel();
    let body = held(&json!({ "description": "stolen" }), async {
        signed_out.await.unwrap();
    });
    let request =
        thief.request(reqwest::Method::POST, &list).header("content-type", "application/json").body(body);
    let change = tokio::spawn(send(request));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(owner.delete("/sessions").await.status, StatusCode::NO_CONTENT);
    started.send(()).unwrap();
    let answer = change.await.unwrap();
    assert_eq!((answer.status, answer.code()), (StatusCode::UNAUTHORIZED, "not_signed_in"));
    assert_eq!(server.owner().await.get(&list).await.body["total"], 0);
    // A body that comes whole and in time still is one.
    let (_, key) = server.owner().await.default_key().await;
    let answer = slow_call(&server.gateway(SINGAPORE), &key, Duration::from_millis(200)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(chat_call(&server.gateway(SINGAPORE), &key, "qwen-plus").await.status, StatusCode::OK);
}
