//! An upstream that does what each call's prompt tells it.

use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// Those who wait until a call that is never answered has come.
pub(super) type Arrivals = Arc<Mutex<HashMap<u64, oneshot::Sender<()>>>>;

/// Listens on a free port; says the base URL.
pub(super) async fn start() -> (String, Arrivals) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let arrivals = Arrivals::default();
    let arrived = Arc::clone(&arrivals);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(&arrived)));
        }
    });
    (url, arrivals)
}

/// Answers calls until the connection ends, or a call has it end.
async fn serve(mut stream: TcpStream, arrivals: Arrivals) {
    stream.set_nodelay(true).unwrap();
    let mut begun = Vec::new();
    while let Some(body) = next_body(&mut stream, &mut begun).await {
        let body: Value = serde_json::from_slice(&body).unwrap();
        let prompt = body["messages"][0]["content"].as_str().unwrap().to_owned();
        let words: Vec<&str> = prompt.split(' ').collect();
        let number = |at: usize| words[at].parse::<u64>().unwrap();
        let usage = |at: usize| {
            format!(
                r#""usage":{{"prompt_tokens":{},"completion_tokens":{},"prompt_tokens_details":{{"cached_tokens":{}}}}}"#,
                number(at),
                number(at + 1),
                number(at + 2)
            )
        };
        let stream_head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
        let words_event = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n";
        let (answer, goes_on) = match words[0] {
            "answer" => (whole("200 OK", &format!("{{{}}}", usage(1))), true),
            "refuse" => (whole(&format!("{} No", words[1]), r#"{"error":{"message":"no"}}"#), true),
            "stream" => (
                format!(
                    "{stream_head}{words_event}data: {{\"choices\":[],{}}}\n\ndata: [DONE]\n\n",
                    usage(1)
                ),
                false,
            ),
            "break" => (format!("{stream_head}data: {{{}}}\n\n", usage(1)), false),
            "cut" => ("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{".to_owned(), false),
            "stall" => {
                stream.write_all(format!("{stream_head}data: {{{}}}\n\n", usage(1)).as_bytes()).await.ok();
                wait(&mut stream).await;
                return;
            }
            "hang" => {
                if let Some(waits) = arrivals.lock().unwrap().remove(&number(1)) {
                    waits.send(()).ok();
                }
                wait(&mut stream).await;
                return;
            }
            other => panic!("no {other}"),
        };
        if stream.write_all(answer.as_bytes()).await.is_err() || !goes_on {
            return;
        }
    }
}

/// Until the other end closes.
async fn wait(stream: &mut TcpStream) {
    let mut buffer = [0; 64];
    while matches!(stream.read(&mut buffer).await, Ok(n) if n > 0) {}
}

fn whole(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The body of the next call; `begun` keeps what has come of the one after.
async fn next_body(stream: &mut TcpStream, begun: &mut Vec<u8>) -> Option<Vec<u8>> {
    let mut buffer = [0; 4096];
    loop {
        if let Some(head) = begun.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&begun[..head]).to_lowercase();
            let length =
                text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
            let end = head + 4 + length.unwrap_or(0);
            if begun.len() >= end {
                let body = begun[head + 4..end].to_vec();
                begun.drain(..end);
                return Some(body);
            }
        }
        match stream.read(&mut buffer).await {
            Ok(n) if n > 0 => begun.extend_from_slice(&buffer[..n]),
            _ => return None,
        }
    }
}
