//! Secrets do not leave the process, even if an upstream that knows one quotes it, or a person pastes a key into the
//! address bar.

use crate::binary::Binary;
use crate::support::{Client, call, send};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// It does not look like a key, and contains characters that JSON escapes.
const UPSTREAM_KEY: &str = "canary/upstream+3f9a71c2";
const SMTP_PASSWORD: &str = "canary-mail-77ab";
const SERVER_KEY: &str = "ca9a27c0ffee00000000000000000000000000000000000000000000000000ee";
const PROMPT: &str = "canary prompt about whales";

/// An upstream that quotes the key it was called with and the prompt, each time in a different place.
async fn quoting_upstream(listener: TcpListener) {
    let requests = Arc::new(AtomicUsize::new(0));
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::spawn(quote(stream, Arc::clone(&requests)));
    }
}

async fn quote(mut stream: TcpStream, requests: Arc<AtomicUsize>) {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    // The request is small, and complete once the prompt has arrived.
    while !String::from_utf8_lossy(&request).contains(PROMPT) {
        match stream.read(&mut buffer).await {
            Ok(read) if read > 0 => request.extend_from_slice(&buffer[..read]),
            _ => return,
        }
    }
    let n = requests.fetch_add(1, Ordering::Relaxed);
    let escaped = UPSTREAM_KEY.replace('/', "\\/");
    let whole = |status: &str, body: String| {
        let length = body.len();
        format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
    };
    let event_stream = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
    let text = match n {
        0 => whole(
            "400 Bad Request",
            format!(r#"{{"error":{{"message":"{UPSTREAM_KEY} {PROMPT}","param":"{UPSTREAM_KEY}"}}}}"#),
        ),
        1 => whole(
            "400 Bad Request",
            format!(r#"{{"error":{{"message":"\u0063anary{} no"}}}}"#, &UPSTREAM_KEY[6..]),
        ),
        2 => whole("200 OK", format!(r#"{{"choices":[],"debug":"{escaped} {UPSTREAM_KEY}"}}"#)),
        3 => format!("{event_stream}data: {{\"a\":\"{UPSTREAM_KEY}\"}}\n\ndata: [DONE]\n\n"),
        4 => format!("{event_stream}data: {{\"error\":{{\"message\":\"{escaped}\"}}}}\n\n"),
        // Breaks off in the middle of the key.
        _ => format!("{event_stream}data: {}", &UPSTREAM_KEY[..UPSTREAM_KEY.len() - 1]),
    };
    // One byte at a time, so that every chunk ends within the key.
    for byte in text.as_bytes() {
        stream.write_all(&[*byte]).await.unwrap();
        if n >= 3 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    }
}

#[tokio::test]
async fn secrets_that_an_upstream_quotes_do_not_get_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(quoting_upstream(listener));
    let dir = tempfile::tempdir().unwrap();
    let toml = format!(
        "[[upstreams]]\nid = 'stub'\nbase_url = '{base_url}'\napi_key_env = 'CANARY_KEY'\nmodels = ['qwen-plus']\n"
    );
    let smtp = format!("smtp://user:{SMTP_PASSWORD}@127.0.0.1:9");
    let env = [
        ("KEYGATE_LOG", "trace"),
        ("CANARY_KEY", UPSTREAM_KEY),
        ("KEYGATE_SMTP_URL", smtp.as_str()),
        ("KEYGATE_SECRET_KEY", SERVER_KEY),
    ];
    let binary = Binary::start(dir.path(), &toml, &env).await;
    let owner = Client::of(&binary.console).signed_in(binary.link.as_ref().unwrap()).await;
    let (id, key) = owner.default_key().await;
    let mut answers = Vec::new();
    for n in 0..6 {
        let body = json!({
            "model": "qwen-plus", "stream": n >= 3, "messages": [{ "role": "user", "content": PROMPT }],
        });
        let answer = send(call(&binary.gateway, "/chat/completions", &key).json(&body)).await;
        answers.push(format!("{} {}", answer.status, answer.body));
    }
    assert!(answers[0].starts_with("400") && answers[0].contains("[redacted]"), "{}", answers[0]);
    assert!(answers[2].starts_with("200") && answers[2].contains("[redacted] [redacted]"), "{}", answers[2]);
    assert!(answers[3].contains("[redacted]"), "{}", answers[3]);
    assert!(answers[4].contains("[redacted]"), "{}", answers[4]);
    assert!(answers[5].contains("upstream_error"), "{}", answers[5]);
    for (answer, what) in answers.iter().zip(0..) {
        assert!(!answer.contains("upstream+3f9a"), "{what}: {answer}");
    }

    // A key in a path and in a query of the console, on known and unknown routes.
    for path in ["/regions/ap-southeast-1/workspaces/KEY", "/KEY", "/session?key=KEY", "/KEY/%2e%2e/KEY?KEY"]
    {
        owner.get(&path.replace("KEY", &key)).await;
    }
    // A model name as long as a body, of which a log line may quote little.
    let long = format!("canary-model-{}", "m".repeat(100_000));
    let body = json!({ "model": long, "messages": [] });
    assert_eq!(send(call(&binary.gateway, "/chat/completions", &key).json(&body)).await.status, 404);
    // Mail that cannot be delivered.
    owner.post("/session/email-code", json!({ "email": "owner@localhost" })).await;

    let (printed, log) = binary.stop().await;
    assert!(log.contains("console request") && log.contains("request rejected"), "the log is on");
    assert!(
        log.contains("/console/v1/regions/{region}/workspaces/{workspace}"),
        "requests are logged by route"
    );
    for (what, secret) in [
        ("upstream's key", UPSTREAM_KEY),
        ("mail password", SMTP_PASSWORD),
        ("server's key", SERVER_KEY),
        ("prompt", PROMPT),
        ("API key", &key[18..61]),
    ] {
        let line = log.lines().chain(printed.lines()).find(|line| line.contains(secret));
        assert_eq!(line, None, "the {what} of {id} is in the log");
    }
    let longest = log.lines().map(str::len).max().unwrap();
    assert!(longest < 20_000, "a line of {longest} bytes");
}
