//! The gateway before an upstream that does what upstreams do: answer, refuse, hang, break off, send garbage.

use crate::stub::{Behaviour, Rig, streamed, whole};
use crate::support::{call, chat, chat_call, send};
use futures_util::StreamExt as _;
use serde_json::json;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

#[tokio::test]
async fn a_call_is_passed_on_under_the_upstreams_name_and_without_the_callers_key() {
    let mut rig = Rig::start(Behaviour::Write(whole("200 OK", r#"{"id":"x","choices":[]}"#))).await;
    let request =
        call(&rig.gateway(), "/chat/completions", &rig.key).header("cookie", "a=b").header("x-custom", "c");
    let answer = send(request.json(&chat("qwen-plus"))).await;
    assert_eq!((answer.status.as_u16(), answer.body), (200, json!({ "id": "x", "choices": [] })));
    let seen = rig.seen.recv().await.unwrap();
    assert!(seen.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{seen}");
    assert!(seen.contains(r#""model":"local/plus""#) && seen.contains("Hello"), "{seen}");
    for own in [rig.key.as_str(), "cookie", "x-custom", "authorization"] {
        assert!(!seen.contains(own), "{own} in {seen}");
    }
}

#[tokio::test]
async fn an_upstream_that_cannot_be_reached_is_unavailable() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (_, seen) = mpsc::unbounded_channel();
    let (_, closed) = mpsc::unbounded_channel();
    let rig = Rig::before(&format!("http://{free}/v1"), seen, closed).await;
    assert_eq!(rig.outcome().await, (503, "model_unavailable".into()));
}

#[tokio::test]
async fn a_model_without_an_upstream_is_unavailable() {
    let rig = Rig::start(Behaviour::Write("")).await;
    let answer = chat_call(&rig.gateway(), &rig.key, "qwen-flash").await;
    assert_eq!((answer.status.as_u16(), &answer.body["error"]["code"]), (503, &json!("model_unavailable")));
}

#[tokio::test]
async fn an_upstream_that_breaks_off_or_babbles_is_a_bad_gateway() {
    for text in [
        "",
        "garbage\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"id\":",
        whole("200 OK", "{\"id\":"),
        whole("200 OK", "<html>"),
        whole("200 OK", "[1, {\"a\": \"cut o"),
        whole("404 Not Found", "{}"),
        whole(
            "401 Unauthorized",
            r#"{"error":{"message":"Incorrect API key provided: sk-upstream-secret"}}"#,
        ),
        whole("500 Internal Server Error", "oops"),
    ] {
        let rig = Rig::start(Behaviour::Write(text)).await;
        let answer = chat_call(&rig.gateway(), &rig.key, "qwen-plus").await;
        assert_eq!(
            (answer.status.as_u16(), &answer.body["error"]["code"]),
            (502, &json!("upstream_error")),
            "{text}"
        );
        assert!(!answer.body.to_string().contains("sk-upstream-secret"));
    }
}

#[tokio::test]
async fn an_upstream_that_hangs_times_out() {
    for text in ["", "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"] {
        let rig = Rig::start(Behaviour::WriteAndWait(text)).await;
        assert_eq!(rig.outcome().await, (500, "request_timeout".into()), "{text}");
    }
}

#[tokio::test]
async fn what_the_upstream_says_of_the_callers_mistake_is_passed_on() {
    let body =
        r#"{"error":{"message":"temperature must be at most 2","type":"invalid","param":"temperature"}}"#;
    let rig = Rig::start(Behaviour::Write(whole("400 Bad Request", body))).await;
    let answer = chat_call(&rig.gateway(), &rig.key, "qwen-plus").await;
    assert_eq!(answer.status.as_u16(), 400);
    assert_eq!(answer.body["error"]["message"], "temperature must be at most 2");
    assert_eq!(answer.body["error"]["param"], "temperature");

    let busy = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\ncontent-length: 2\r\n\r\n{}";
    let rig = Rig::start(Behaviour::Write(busy)).await;
    let answer = chat_call(&rig.gateway(), &rig.key, "qwen-plus").await;
    assert_eq!((answer.status.as_u16(), &answer.headers["retry-after"]), (503, &"7".parse().unwrap()));
}

#[tokio::test]
async fn a_stream_is_passed_on_unchanged() {
    let events = "data: {\"a\":\"é\"}\n\n: ping\n\ndata: {\"b\":2}\r\n\r\ndata: [DONE]\n\n";
    let rig = Rig::start(Behaviour::Write(streamed(events))).await;
    assert_eq!(rig.stream().await, events);
}

#[tokio::test]
async fn a_stream_that_breaks_off_ends_with_one_error_event() {
    for (events, kept) in [
        ("data: {\"a\":1}\n\n", "data: {\"a\":1}\n\n"),
        ("data: {\"a\":1}\n\ndata: {\"b", "data: {\"a\":1}\n\ndata: {\"b\n\n"),
        ("", ""),
    ] {
        let rig = Rig::start(Behaviour::Write(streamed(events))).await;
        let text = rig.stream().await;
        let event =
            text.strip_prefix(kept).unwrap().strip_prefix("data: ").unwrap().strip_suffix("\n\n").unwrap();
        let error: serde_json::Value = serde_json::from_str(event).unwrap();
        assert_eq!(error["error"]["code"], "upstream_error");
    }
}

#[tokio::test]
async fn a_stream_that_falls_silent_ends_with_a_time_out_event() {
    let rig = Rig::start(Behaviour::WriteAndWait(streamed("data: {\"a\":1}\n\n"))).await;
    let text = rig.stream().await;
    assert!(text.starts_with("data: {\"a\":1}\n\n") && text.contains("request_timeout"), "{text}");
}

#[tokio::test]
async fn a_client_that_goes_away_ends_the_upstreams_call() {
    let mut rig = Rig::start(Behaviour::WriteAndWait(streamed("data: {\"a\":1}\n\n"))).await;
    let mut body = chat("qwen-plus");
    body["stream"] = true.into();
    let answer = call(&rig.gateway(), "/chat/completions", &rig.key).json(&body).send().await.unwrap();
    let mut stream = answer.bytes_stream();
    assert_eq!(stream.next().await.unwrap().unwrap(), "data: {\"a\":1}\n\n");
    drop(stream);
    // Sooner than the second after which the gateway would give up on its own.
    tokio::time::timeout(Duration::from_millis(800), rig.closed.recv()).await.unwrap().unwrap();
}
