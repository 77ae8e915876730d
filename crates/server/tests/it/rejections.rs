//! A flood of rejections: what it leaves in the log and on disk, and that usage still counts each request.

use crate::support::{SINGAPORE, Server, api_keys, chat_call};
use reqwest::StatusCode;
use serde_json::{Value, json};

const SENT: u64 = 2_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_key_cannot_fill_the_request_log() {
    let server = Server::start().await;
    let (owner, gateway) = (server.owner().await, server.gateway(SINGAPORE));
    let workspace = owner.default_workspace(SINGAPORE).await;
    let keys = api_keys(SINGAPORE, &workspace);
    let (id, key) = owner.default_key().await;
    let disabled = owner.post(&format!("{keys}/{id}/disable"), json!({})).await;
    assert_eq!(disabled.status, StatusCode::OK, "{}", disabled.body);
    for _ in 0..SENT {
        assert_eq!(chat_call(&gateway, &key, "qwen-plus").await.status, StatusCode::UNAUTHORIZED);
    }
    // Combined rows are written within seconds.
    let requests = format!("/regions/{SINGAPORE}/workspaces/{workspace}/requests?page_size=100");
    let mut total = Value::Null;
    for _ in 0..100 {
        total = owner.get(&requests).await.body["total"].clone();
        if total == SENT {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(total, SENT, "every request is counted");
    let (mut rows, mut token, mut counted) = (0, String::new(), 0);
    loop {
        let page = owner.get(&format!("{requests}{token}")).await.body;
        let items = page["items"].as_array().unwrap();
        rows += items.len();
        counted += items.iter().map(|row| row["count"].as_u64().unwrap()).sum::<u64>();
        match page["next_page_token"].as_str() {
            Some(next) => token = format!("&page_token={next}"),
            None => break,
        }
    }
    assert_eq!(counted, SENT, "the rows account for every request");
    // 100 for each minute of the flood, and a combined row per worker every five seconds.
    assert!(rows < 500, "{rows} rows");
    let usage = format!("/regions/{SINGAPORE}/workspaces/{workspace}/usage?step=day");
    let mut counted = Value::Null;
    for _ in 0..100 {
        counted = owner.get(&usage).await.body["total"]["client_errors"].clone();
        if counted == SENT {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(counted, SENT, "and so does usage");
}
