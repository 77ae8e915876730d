//! The gateway before an upstream that does what upstreams do: answer, refuse, hang, break off, send garbage.

use crate::support::{SINGAPORE, Server, call, chat, chat_call, send};
use futures_util::StreamExt as _;
use serde_json::json;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// What the upstream does with a call after it has read it.
#[derive(Clone, Copy)]
enum Behaviour {
    /// Writes this and closes.
    Write(&'static str),
    /// Writes this and waits.
    WriteAndWait(&'static str),
}

/// A server over an upstream, and what the upstream saw.
struct Rig {
    server: Server,
    key: String,
    /// Each call as it came, headers and body.
    seen: mpsc::UnboundedReceiver<String>,
    /// A message for each connection that the gateway closed.
    closed: mpsc::UnboundedReceiver<()>,
}

impl Rig {
    async fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (seen_in, seen) = mpsc::unbounded_channel();
        let (closed_in, closed) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, behaviour, seen_in.clone(), closed_in.clone()));
            }
        });
        Self::before(&format!("http://{address}/v1"), seen, closed).await
    }

    async fn before(
        url: &str,
        seen: mpsc::UnboundedReceiver<String>,
        closed: mpsc::UnboundedReceiver<()>,
    ) -> Self {
        let server = Server::start_with(&format!(
            "[timeouts]\nupstream_connect = 1\nupstream_first_byte = 1\nupstream_idle = 1\nupstream_whole = 1\n\
             [[upstreams]]\nid = 'stub'\nbase_url = '{url}'\n\
             models = {{ 'qwen-plus' = 'local/plus', 'qwen-max' = 'qwen-max' }}\n"
        ))
        .await;
        let (_, key) = server.owner().await.default_key().await;
        Self { server, key, seen, closed }
    }

    fn gateway(&self) -> String {
        self.server.gateway(SINGAPORE)
    }

    /// Status and error code of a call.
    async fn outcome(&self) -> (u16, String) {
        let answer = chat_call(&self.gateway(), &self.key, "qwen-plus").await;
        assert!(answer.body["request_id"].is_string(), "{}", answer.body);
        (answer.status.as_u16(), answer.body["error"]["code"].as_str().unwrap_or_default().to_owned())
    }

    /// The text of a stream.
    async fn stream(&self) -> String {
        let mut body = chat("qwen-plus");
        body["stream"] = true.into();
        let answer = send(call(&self.gateway(), "/chat/completions", &self.key).json(&body)).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.body);
        answer.body.as_str().unwrap().to_owned()
    }
}

async fn answer(
    mut stream: TcpStream,
    behaviour: Behaviour,
    seen: mpsc::UnboundedSender<String>,
    closed: mpsc::UnboundedSender<()>,
) {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !is_whole(&request) {
        match stream.read(&mut buffer).await {
            Ok(n) if n > 0 => request.extend_from_slice(&buffer[..n]),
            _ => return,
        }
    }
    seen.send(String::from_utf8(request).unwrap()).ok();
    match behaviour {
        Behaviour::Write(text) => stream.write_all(text.as_bytes()).await.unwrap(),
        Behaviour::WriteAndWait(text) => {
            stream.write_all(text.as_bytes()).await.unwrap();
            while matches!(stream.read(&mut buffer).await, Ok(n) if n > 0) {}
            closed.send(()).ok();
        }
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

const STREAM_HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";

fn whole(status: &str, body: &str) -> &'static str {
    let text = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    Box::leak(text.into_boxed_str())
}

fn streamed(events: &str) -> &'static str {
    Box::leak(format!("{STREAM_HEAD}{events}").into_boxed_str())
}

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
