//! Temporary keys, made in the console and by applications.

use crate::support::{Answer, SINGAPORE, Server, VIRGINIA, api_keys, call, chat_call, send};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;

/// `POST /api/v1/tokens` with a key.
async fn mint(gateway: &str, query: &str, key: &str) -> Answer {
    let base = gateway.strip_suffix("/compatible-mode/v1").unwrap();
    send(call(base, &format!("/api/v1/tokens{query}"), key)).await
}

fn token(answer: &Answer) -> String {
    answer.body["token"].as_str().unwrap_or_else(|| panic!("{}", answer.body)).to_owned()
}

#[tokio::test]
async fn a_temporary_key_does_what_its_parent_may_and_dies_with_it() {
    let server = Server::start().await;
    let (owner, gateway) = (server.owner().await, server.gateway(SINGAPORE));
    let (workspace, secret) = owner.granted("Search team", json!([["qwen-plus", 60, 9000]])).await;
    let list = api_keys(SINGAPORE, &workspace);
    let id = owner.get(&list).await.body["items"][0]["id"].as_str().unwrap().to_owned();

    let made = mint(&gateway, "?expire_in_seconds=600", &secret).await;
    assert_eq!((made.status, &made.headers["cache-control"]), (StatusCode::OK, &"no-store".parse().unwrap()));
    let ends = made.body["expires_at"].as_i64().unwrap() - keygate_store::now_ms() / 1000;
    assert!((597..=600).contains(&ends), "{ends}");
    let by_application = token(&made);
    let made = owner.post(&format!("{list}/{id}/temporary-key"), json!({ "expires_in_seconds": 600 })).await;
    assert_eq!(
        (made.status, &made.headers["cache-control"]),
        (StatusCode::CREATED, &"no-store".parse().unwrap())
    );
    let by_console = token(&made);
    assert_eq!(owner.get(&list).await.body["total"], 1, "temporary keys are not listed");

    let all = async |status: u16| {
        for key in [&by_application, &by_console] {
            assert!(key.starts_with("st-kg-"));
            assert_eq!(chat_call(&gateway, key, "qwen-plus").await.status.as_u16(), status);
        }
    };
    all(200).await;
    assert_eq!(chat_call(&gateway, &by_console, "qwen-max").await.status, StatusCode::FORBIDDEN);
    owner.post(&format!("{list}/{id}/disable"), json!({})).await;
    all(401).await;
    let inactive = owner.post(&format!("{list}/{id}/temporary-key"), json!({})).await;
    assert_eq!((inactive.status, inactive.code()), (StatusCode::CONFLICT, "api_key_inactive"));
    assert_eq!(mint(&gateway, "", &secret).await.status, StatusCode::UNAUTHORIZED);
    owner.post(&format!("{list}/{id}/enable"), json!({})).await;
    all(200).await;
    // They work as long as the secret they were made under, also those made after its reset.
    owner.post(&format!("{list}/{id}/reset"), json!({ "overlap_seconds": 3600 })).await;
    all(200).await;
    let late = token(&mint(&gateway, "?expire_in_seconds=600", &secret).await);
    assert_eq!(chat_call(&gateway, &late, "qwen-plus").await.status, StatusCode::OK);
    owner.delete(&format!("{list}/{id}/previous-secret")).await;
    all(401).await;
    assert_eq!(chat_call(&gateway, &late, "qwen-plus").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn deleting_the_parent_ends_its_temporary_keys_at_once() {
    let server = Server::start().await;
    let (owner, gateway) = (server.owner().await, server.gateway(SINGAPORE));
    let list = api_keys(SINGAPORE, &owner.default_workspace(SINGAPORE).await);
    let (id, secret) = owner.default_key().await;
    let temporary = token(&mint(&gateway, "", &secret).await);
    assert_eq!(chat_call(&gateway, &temporary, "qwen-plus").await.status, StatusCode::OK);
    assert_eq!(owner.delete(&format!("{list}/{id}")).await.status, StatusCode::NO_CONTENT);
    assert_eq!(chat_call(&gateway, &temporary, "qwen-plus").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_temporary_key_ends_by_itself_and_outlives_a_restart_till_then() {
    let server = Server::start().await;
    let secret = server.owner().await.default_key().await.1;
    let short = token(&mint(&server.gateway(SINGAPORE), "?expire_in_seconds=1", &secret).await);
    let long = token(&mint(&server.gateway(SINGAPORE), "", &secret).await);
    let server = server.restart().await;
    let gateway = server.gateway(SINGAPORE);
    assert_eq!(chat_call(&gateway, &long, "qwen-plus").await.status, StatusCode::OK);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let ended = chat_call(&gateway, &short, "qwen-plus").await;
    assert_eq!((ended.status.as_u16(), &ended.body["error"]["code"]), (401, &json!("invalid_api_key")));
    assert!(ended.body["error"]["message"].as_str().unwrap().contains("expired"));
}

#[tokio::test]
async fn a_temporary_key_makes_no_other_and_opens_no_console() {
    let server = Server::start().await;
    let gateway = server.gateway(SINGAPORE);
    let secret = server.owner().await.default_key().await.1;
    let temporary = token(&mint(&gateway, "", &secret).await);
    let refused = mint(&gateway, "", &temporary).await;
    assert_eq!((refused.status.as_u16(), &refused.body["code"]), (403, &json!("AccessDenied")));
    assert!(refused.body["request_id"].is_string());
    let console = server.anonymous().request(Method::GET, "/session").bearer_auth(&temporary);
    assert_eq!(send(console).await.status, StatusCode::UNAUTHORIZED);
    // In another region it is as unknown as its parent, and as helpfully so.
    let elsewhere = chat_call(&server.gateway(VIRGINIA), &temporary, "qwen-plus").await;
    assert_eq!(elsewhere.status, StatusCode::UNAUTHORIZED);
    assert!(elsewhere.body["error"]["message"].as_str().unwrap().contains(&gateway));
    let told = mint(&server.gateway(VIRGINIA), "", &secret).await;
    let base = gateway.replace("/compatible-mode/v1", "/api/v1");
    assert!(
        told.body["message"].as_str().unwrap().ends_with(&base),
        "the base URL of this door: {}",
        told.body
    );
    let in_query = send(reqwest::Client::new().get(format!("{gateway}/models?key={temporary}"))).await;
    assert!(in_query.body["error"]["message"].as_str().unwrap().contains("in logs"));
}

#[tokio::test]
async fn a_life_outside_1_to_1800_seconds_is_refused() {
    let server = Server::start().await;
    let (owner, gateway) = (server.owner().await, server.gateway(SINGAPORE));
    let list = api_keys(SINGAPORE, &owner.default_workspace(SINGAPORE).await);
    let (id, secret) = owner.default_key().await;
    for bad in ["0", "1801", "abc", "", "-1", "1.5", "60&expire_in_seconds=60"] {
        let answer = mint(&gateway, &format!("?expire_in_seconds={bad}"), &secret).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.body["code"]),
            (400, &json!("InvalidParameter")),
            "{bad}"
        );
        assert!(answer.body["message"].as_str().unwrap().contains("expire_in_seconds"), "{}", answer.body);
    }
    for bad in [json!(0), json!(1801), json!("abc"), json!(1.5), Value::Null] {
        let body = json!({ "expires_in_seconds": bad });
        let answer = owner.post(&format!("{list}/{id}/temporary-key"), body).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.body["error"]["field"]),
            (422, &json!("expires_in_seconds"))
        );
    }
}

#[tokio::test]
async fn a_region_can_do_without_temporary_keys() {
    let server = Server::start_with("[[regions]]\nid = 'ap-southeast-1'\ntemporary_keys = false\n").await;
    let (owner, gateway) = (server.owner().await, server.gateway(SINGAPORE));
    let list = api_keys(SINGAPORE, &owner.default_workspace(SINGAPORE).await);
    let (id, secret) = owner.default_key().await;
    assert_eq!(mint(&gateway, "", &secret).await.status, StatusCode::FORBIDDEN);
    let refused = owner.post(&format!("{list}/{id}/temporary-key"), json!({})).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::CONFLICT, "not_in_region"));
}
